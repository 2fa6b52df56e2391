"""What the peers in Python share. Each is a program with the commands

    PEER ingest STORE FILE...    all files into a new store, durable when it returns
    PEER append STORE FILE...    one file after the other, each durable before the next is begun
    PEER compact STORE           what the peer does to a store to make it small, durable; where
                                 there is something to do
    PEER ask STORE KEYS          answers of the key file (bench/keys.py), a line of JSON a question

and with the options --minutes (interval of the readings), --decimals (of a reading: 0 or 3),
--seconds (at most, for each question of `ask`) and --threads.
"""
import argparse
import json
import os
import time

CHECKED_KEYS = 20  # Whose answers are compared one by one.
WARMING_SHARE = 0.25  # Of the seconds of a question, for asking its keys before the clock runs.


class Peer:
    """To be derived from. Answers are integers: sums in units of the last decimal, or counts."""

    def __init__(self, options):
        self.store = options.store
        self.threads = options.threads
        self.decimals = options.decimals
        self.scale = 10 ** options.decimals
        self.columns = [f"h{i}" for i in range(24 * 60 // options.minutes)]

    def ingest(self, files):
        raise NotImplementedError

    def append(self, files):
        raise NotImplementedError

    def compact(self):
        raise NotImplementedError

    def questions(self):
        """Question -> function of (meter, from, to), `to` exclusive, dates as text."""
        raise NotImplementedError

    def scaled(self, value):
        """A sum as the database gives it, as an integer."""
        return round(value * self.scale) if value is not None else 0


def fsync_all(path):
    """Makes every file and folder of a store durable, and its name."""
    paths = [os.path.dirname(path), path]
    for folder, _, files in os.walk(path):
        paths += [folder] + [os.path.join(folder, file) for file in files]
    for each in paths:
        descriptor = os.open(each, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def read_keys(path):
    keys = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            question, *key = line.split()
            keys.setdefault(question, []).append(tuple(key))
    return keys


def ask(name, answer, keys, seconds_max):
    """Prints how long the answers took, the first of them, and the sum of all."""
    first = [answer(*key) for key in keys[:CHECKED_KEYS]]
    begin = time.perf_counter()
    for key in keys[CHECKED_KEYS:]:
        if time.perf_counter() - begin > seconds_max * WARMING_SHARE:
            break
        answer(*key)
    took, total = [], 0
    begin = time.perf_counter()
    for key in keys:
        at = time.perf_counter()
        total += answer(*key)
        took.append(time.perf_counter() - at)
        if at - begin > seconds_max:
            break
    took.sort()
    print(json.dumps({
        "question": name, "asked": len(took), "of": len(keys),
        "median_us": took[len(took) // 2] * 1e6, "p99_us": took[len(took) * 99 // 100] * 1e6,
        "first": first, "sum": total if len(took) == len(keys) else None}), flush=True)


def main(peer_class):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["ingest", "append", "compact", "ask"])
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--decimals", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("store")
    parser.add_argument("paths", nargs="*")
    options = parser.parse_args()
    peer = peer_class(options)
    if options.command == "ask":
        keys = read_keys(*options.paths)
        for name, answer in peer.questions().items():
            if name in keys:
                ask(name, answer, keys[name], options.seconds)
    elif options.command == "compact":
        peer.compact()
    else:
        getattr(peer, options.command)(options.paths)
