#!/usr/bin/env python3
"""Measures the memory of the processor's function while it loads one large object.

    bench/processor_memory.py [--megabytes N] [BINARY]

The object comes from a local S3 and goes into a real node of Apache Cassandra; the function runs
under AWS's Runtime Interface Emulator. Prints its peak beside the goal of 256 MB for an object of
1 GB, the default. Needs scripts/install-deps.sh --test; without BINARY it takes
build/release/meterline.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from aws import LocalAws  # noqa: E402
from aws.emulated import Emulated, object_event  # noqa: E402
from cassandra import Cluster  # noqa: E402

GOAL_MB = 256
METER_DAY_BYTES = 210  # Of make_files' rows, about.
DAYS = 365


def make_object(folder, megabytes):
    """A file of that size."""
    program = folder / "make_files"
    subprocess.run(["g++", "-std=c++20", "-O2", "-o", program, ROOT / "bench/make_files.cc"],
                   check=True)
    meters = megabytes * 1_000_000 // METER_DAY_BYTES // DAYS
    out = folder / "out"
    out.mkdir()
    subprocess.run([program, "--meters", str(meters), "--days", str(DAYS), "--files", "1",
                    "--missing", "0", "--order", "meter", "--out", out], check=True)
    (file,) = out.iterdir()
    return file


def load(binary, aws, cluster, file):
    """Peak memory, and seconds."""
    store = f"cassandra://{cluster.addresses}/processor_memory"
    subprocess.run([binary, "--store", store, "store", "init", "--replication", "1"], check=True,
                   capture_output=True)
    aws.client("s3").create_bucket(Bucket="large")
    aws.client("s3").upload_file(str(file), "large", "large.csv")
    variables = aws.env | {"METERLINE_STORE": store, "METERLINE_BUCKETS": "large"}
    with Emulated([binary, "lambda", "processor"], variables) as function:
        _, took_s = function.invoke(object_event("large", "large.csv", file.stat().st_size))
        return function.peak_memory(), took_s


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("binary", nargs="?", default=ROOT / "build/release/meterline")
    options = parser.parse_args()
    with (tempfile.TemporaryDirectory() as folder,
          Cluster(heap="2g", jit="full") as cluster, LocalAws(cluster) as aws):
        file = make_object(pathlib.Path(folder), options.megabytes)
        size = file.stat().st_size
        peak, took_s = load(options.binary, aws, cluster, file)
        print(f"object {size / 1e6:.0f} MB, loaded in {took_s:.0f} s; peak of the function"
              f" {peak / 1e6:.0f} MB; goal {GOAL_MB} MB:"
              f" {'reached' if peak <= GOAL_MB * 1e6 else 'missed'}")


if __name__ == "__main__":
    main()
