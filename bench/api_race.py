#!/usr/bin/env python3
"""Races meterline's API against what is built for the same questions in an afternoon: FastAPI
before DuckDB, and before PostgreSQL with a table of days. Server and client share the machine.

bench/run.sh api installs, builds and calls it. Answers are compared before the clock runs.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

import http_race
import keys
import measure
from race import Data

HERE = pathlib.Path(__file__).resolve().parent
# Of Debian 12 or 13, whichever is there.
POSTGRES = max(pathlib.Path("/usr/lib/postgresql").glob("1[57]/bin"),
               default=pathlib.Path("/usr/lib/postgresql/17/bin"))
CONNECTIONS = 8
CHECKED_KEYS = 20
# Name -> what it asks, and the question of keys.py whose keys it is asked with.
QUESTIONS = {
    "day": ("daily total", "day"),
    "month": ("a month by day", "gaps"),
    "year": ("a year by month", "year"),
    "readings": ("the 48 readings of a day", "readings"),
    "portfolio": ("one day of all meters", "portfolio"),
}
METERLINE = {
    "day": "/v1/meters/{meter}/consumption?from={first}&to={last}",
    "month": "/v1/meters/{meter}/consumption?from={first}&to={last}&resolution=day",
    "year": "/v1/meters/{meter}/consumption?from={first}&to={last}&resolution=month",
    "readings": "/v1/meters/{meter}/consumption?from={first}&to={last}&resolution=interval",
    "portfolio": "/v1/portfolio?from={first}&to={last}",
}
PEER = {name: f"/{name}?meter={{meter}}&first={{first}}&last={{last}}" for name in QUESTIONS}


def as_user_postgres():
    """PostgreSQL does not run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] \
        if os.geteuid() == 0 else []


class Meterline:
    def __init__(self, options, folder, with_keys):
        self.name = "meterline, keys" if with_keys else "meterline"
        self.program, self.folder, self.with_keys = options.build / "meterline", folder, with_keys
        self.store = f"rocksdb:{folder}/meterline"
        self.headers = {}

    def load(self, files):
        if self.with_keys:
            return
        measure.run([self.program, "ingest", "--store", self.store, "--unit", "Wh", *files],
                    self.folder / "meterline-load.log")

    def path(self, question, **key):
        return METERLINE[question].format(**key)

    @staticmethod
    def sums(question, answer):
        """In Wh."""
        (channel,) = answer["channels"]
        points = [channel] if question in ("day", "portfolio") else channel["series"]
        return [None if point["sum"] is None else round(point["sum"] * 1000) for point in points]

    @contextlib.contextmanager
    def serving(self):
        options = []
        if self.with_keys:
            file = self.folder / "keys.json"
            file.unlink(missing_ok=True)
            made = measure.run([self.program, "keys", "create", "--name", "race", "--scope", "read",
                                "--keys", file], self.folder / "keys.log").output
            self.headers = {"Authorization": "Bearer " + json.loads(made)["key"]}
            options = ["--auth", "keys", "--keys", file]
        with http_race.server([self.program, "serve", "--listen", "127.0.0.1:0",
                               "--log-level", "warning", "--store", self.store, *options],
                              self.folder / "serve.log",
                              r"listening on http://[^ ]*:(\d+)") as (_, url):
            yield url


class Peer:
    """FastAPI: api_peer.py, a process for each core."""
    headers = {}

    def __init__(self, options, folder):
        self.python, self.folder = options.python, folder

    def path(self, question, **key):
        return PEER[question].format(**key)

    @staticmethod
    def sums(_, answer):
        return answer["sums"] if "sums" in answer else [answer["sum"]]

    def load_script(self, files):
        program = HERE / "peers/api_peer.py"
        return measure.run([self.python, program, self.name, self.folder, *files],
                           self.folder / f"{self.name}-load.log")

    @contextlib.contextmanager
    def serving(self):
        with http_race.server(
                [self.python, HERE / "peers/api_peer.py", self.name, self.folder, "--serve"],
                self.folder / f"{self.name}-serve.log", r"^listening on (\d+)$") as (_, url):
            wait_for(url + "/openapi.json")
            yield url


class Duckdb(Peer):
    name = "duckdb"

    def load(self, files):
        self.load_script(files)


class Postgres(Peer):
    name = "postgres"

    def __init__(self, options, folder):
        super().__init__(options, folder)
        self.data = folder / "postgres"
        self.socket = folder / "socket"

    def load(self, files):
        for path in (self.data, self.socket):
            path.mkdir()
            if os.geteuid() == 0:
                shutil.chown(path, "postgres", "postgres")
        measure.run([*as_user_postgres(), POSTGRES / "initdb", "-D", self.data, "-A", "trust",
                     "--no-sync"], self.folder / "initdb.log")
        with self.running():
            self.load_script(files)

    @contextlib.contextmanager
    def running(self):
        """Warm, with memory for all of it, and no network."""
        settings = {"listen_addresses": "", "unix_socket_directories": self.socket,
                    "shared_buffers": "4GB", "jit": "off", "max_wal_size": "8GB",
                    "effective_cache_size": "12GB", "logging_collector": "off"}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with open(self.folder / "postgres.log", "ab") as log:
            process = subprocess.Popen(
                [str(word) for word in [*as_user_postgres(), POSTGRES / "postgres", "-D", self.data,
                                        *words]], stdout=log, stderr=log)
        try:
            end = time.monotonic() + 60
            while subprocess.run([POSTGRES / "pg_isready", "-q", "-h", self.socket],
                                 check=False).returncode != 0:
                if process.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"PostgreSQL did not start; see {self.folder}/postgres.log")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait()

    @contextlib.contextmanager
    def serving(self):
        with self.running(), super().serving() as url:
            yield url


def wait_for(url):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(url):
            return
        time.sleep(0.1)
    raise SystemExit(f"{url} is not answered")


def read_keys(path):
    """Question -> keys, as first and last day."""
    found = {}
    lines = [line.split() for line in path.read_text().splitlines()]
    some = [line[1] for line in lines if line[1] != "*"]
    for name, (_, of) in QUESTIONS.items():
        mine = [line for line in lines if line[0] == of]
        found[name] = [{"meter": some[at % len(some)] if line[1] == "*" else line[1],
                        "first": line[2],
                        "last": str(keys.datetime.date.fromisoformat(line[3])
                                    - keys.datetime.timedelta(1))}
                       for at, line in enumerate(mine)]
    return found


def ask(url, path, headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url + path, headers=headers)) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{path}: {error.code} {error.read().decode()}") from error


def milliseconds(text):
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def wrk(url, script, seconds):
    text = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency",
                           "--timeout", "60s", "-s", script, url],
                          capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{url} did not answer all requests:\n{text}")
    return {"rate": float(re.search(r"Requests/sec:\s+([0-9.]+)", text)[1]),
            **{f"p{part}": milliseconds(re.search(rf"^ +{part}%\s+(\S+)", text, re.M)[1])
               for part in (50, 99)}}


class Race:
    def __init__(self, options):
        self.options, self.folder = options, options.folder.resolve()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if os.geteuid() == 0:  # PostgreSQL's user passes through them to its own.
            for path in (self.folder, *self.folder.parents):
                if not path.stat().st_mode & 0o001:
                    raise SystemExit(f"{path}: others have to be able to pass through it")
        self.contenders = [Meterline(options, self.folder, False),
                           Meterline(options, self.folder, True), Duckdb(options, self.folder),
                           Postgres(options, self.folder)]
        self.answers, self.results = {}, {}

    def run(self):
        data = Data("meter", self.options.meters, self.options.days, files=10)
        data.make(self.options.build / "bench/make_files", self.folder / "data", 0.001)
        keys.write(self.folder / "keys", self.options.meters, self.options.days, 2000)
        self.keys = read_keys(self.folder / "keys")
        for contender in self.contenders:
            begin = time.monotonic()
            contender.load(data.paths)
            print(f"{contender.name}: loaded in {time.monotonic() - begin:.0f} s", file=sys.stderr)
        for _ in range(self.options.rounds):
            for contender in self.contenders:
                self.round(contender)
        self.compare()

    def round(self, contender):
        with contender.serving() as url:
            for question, wanted in self.keys.items():
                paths = [contender.path(question, **key) for key in wanted]
                checked = [contender.sums(question, ask(url, path, contender.headers))
                           for path in paths[:CHECKED_KEYS]]
                self.answers.setdefault(question, {})[contender.name] = checked
                (self.folder / "paths").write_text("".join(path + "\n" for path in paths))
                script = http_race.SCRIPT.format(paths=self.folder / "paths")
                for name, value in contender.headers.items():
                    script = f'wrk.headers["{name}"] = "{value}"\n' + script
                (self.folder / "wrk.lua").write_text(script)
                wrk(url, self.folder / "wrk.lua", 1)
                result = wrk(url, self.folder / "wrk.lua", self.options.seconds)
                self.results.setdefault((question, contender.name), []).append(result)
                print(f"{contender.name}: {question} {result}", file=sys.stderr)

    def compare(self):
        for question, by in self.answers.items():
            wanted = by["meterline"]
            for name, answers in by.items():
                if answers != wanted:
                    raise SystemExit(f"{question}: {name} answers {answers}, meterline {wanted}")

    def median(self, question, name, what):
        return statistics.median(each[what] for each in self.results[question, name])

    def report(self):
        names = [contender.name for contender in self.contenders]
        lines = ["| question | " + " | ".join(f"{name}: requests/s, p50, p99 ms" for name in names)
                 + " | times the better peer | p99, part of the better peer's |",
                 "|---|" + "---|" * (len(names) + 2)]
        for question, (text, _) in QUESTIONS.items():
            cells = [" ".join(f"{self.median(question, name, what):.3g}"
                              for what in ("rate", "p50", "p99")) for name in names]
            rate = max(self.median(question, name, "rate") for name in names[2:])
            p99 = min(self.median(question, name, "p99") for name in names[2:])
            lines.append(f"| {text} | " + " | ".join(cells)
                         + f" | {self.median(question, 'meterline', 'rate') / rate:.3g}"
                         f" | {self.median(question, 'meterline', 'p99') / p99:.2g} |")
        ratios = [self.median(question, names[1], "rate") / self.median(question, names[0], "rate")
                  for question in QUESTIONS]
        lines += ["", f"With keys on, requests a second are {min(ratios):.3f} to {max(ratios):.3f} "
                  "times those without."]
        return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--build", type=pathlib.Path, default="build/release")
    parser.add_argument("--python", required=True, help="one that has the peers' packages")
    parser.add_argument("--folder", type=pathlib.Path, default="build/bench/api")
    parser.add_argument("--meters", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    race = Race(parser.parse_args())
    race.run()
    print(race.report())


if __name__ == "__main__":
    main()
