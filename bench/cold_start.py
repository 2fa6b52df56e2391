#!/usr/bin/env python3
"""Measures the cold start of the API's function under AWS's Runtime Interface Emulator.

    bench/cold_start.py [--rounds N] [BINARY]

From the start of the process to its first answer, each time in a new process: with a store on a
real node of Apache Cassandra, to which it has to connect, and with an embedded one. Prints median
and extremes beside the goals. Needs scripts/install-deps.sh --test; without BINARY it takes
build/release/meterline.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import wide  # noqa: E402
from aws.emulated import Emulated, url_event  # noqa: E402
from cassandra import Cluster  # noqa: E402

GOALS_MS = {"cassandra": 150, "embedded": 30}
METER = "EE00027"
QUESTION = url_event("/", f"meterId={METER}&date=01-01-2019")
SUM = 48


def prepare(binary, store, file):
    """A store with one reading day in it."""
    variables = os.environ | {"METERLINE_STORE": store}
    if store.startswith("cassandra:"):
        subprocess.run([binary, "store", "init", "--replication", "1"], env=variables, check=True,
                       capture_output=True)
    subprocess.run([binary, "ingest", file, "--unit", "kWh"], env=variables, check=True,
                   capture_output=True)


def cold_start_ms(binary, store):
    variables = {"METERLINE_STORE": store, "PATH": os.environ["PATH"],
                 "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    with Emulated([binary, "lambda", "api"], variables) as function:
        answer, took_s = function.invoke(QUESTION)
    assert json.loads(answer["body"])["sum"] == SUM, answer
    return took_s * 1000


def measure(name, binary, store, rounds):
    times = [cold_start_ms(binary, store) for _ in range(rounds)]
    median = statistics.median(times)
    goal = GOALS_MS[name]
    print(f"{name:10} median {median:6.1f} ms of {rounds}, {min(times):.1f}-{max(times):.1f};"
          f" goal {goal} ms: {'reached' if median <= goal else 'missed'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("binary", nargs="?", default=ROOT / "build/release/meterline")
    options = parser.parse_args()
    # In memory: how fast a disk is tells nothing of a function.
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, Cluster() as cluster:
        file = wide.write(pathlib.Path(folder, "day.csv"),
                          wide.header() + wide.row(METER, "2019-01-01", wide.same(1)))
        stores = {"cassandra": f"cassandra://{cluster.addresses}/cold_start",
                  "embedded": f"rocksdb:{folder}/store"}
        for name, store in stores.items():
            prepare(options.binary, store, file)
            measure(name, options.binary, store, options.rounds)


if __name__ == "__main__":
    main()
