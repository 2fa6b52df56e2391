#!/usr/bin/env python3
"""Exports all readings of a store to Parquet, beside DuckDB's COPY of a table of the same rows.

    bench/export.py --store rocksdb:DIR --python PYTHON     PYTHON has DuckDB

Both write the same columns with zstd, one thread each; the sums of both files are compared.
"""
import argparse
import json
import os
import pathlib
import shutil

import measure

COPY = """
import duckdb, json, os, resource, sys
table, file = sys.argv[1:]
database = duckdb.connect(table, config={'threads': 1})
database.execute(f"COPY readings TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
"""
LOAD = """
import duckdb, sys
table, file = sys.argv[1:]
database = duckdb.connect(table, config={'preserve_insertion_order': True})
database.execute(f"CREATE TABLE readings AS SELECT * FROM '{file}'")
database.execute("CHECKPOINT")
"""
SUM = """
import duckdb, sys
print(duckdb.sql(f"SELECT sum(value)::VARCHAR, count(*) FROM '{sys.argv[1]}'").fetchall())
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--build", type=pathlib.Path, default="build/release")
    parser.add_argument("--store", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--folder", type=pathlib.Path, default="build/bench/export")
    options = parser.parse_args()
    folder = options.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ours, theirs, table = (folder / name for name in
                           ("meterline.parquet", "duckdb.parquet", "table.duckdb"))
    used = measure.run([options.build / "meterline", "export", "readings", "--store", options.store,
                        "-o", ours, "--output", "json"], folder / "meterline.log")
    rows = json.loads(used.output)["rows"]
    measure.run([options.python, "-c", LOAD, table, ours], folder / "load.log")
    copied = measure.run([options.python, "-c", COPY, table, theirs], folder / "copy.log")
    sums = {measure.run([options.python, "-c", SUM, file], folder / "sum.log").output
            for file in (ours, theirs)}
    if len(sums) != 1:
        raise SystemExit(f"sums differ: {sums}")
    print("| | readings a CPU s | peak memory, MB | bytes a reading |\n|---|---|---|---|")
    for name, usage, file in (("meterline export readings", used, ours),
                              ("DuckDB's COPY of its own table", copied, theirs)):
        print(f"| {name} | {rows / usage.cpu_s:.3g} | {usage.rss_mb:.0f} | "
              f"{os.path.getsize(file) / rows:.2f} |")


if __name__ == "__main__":
    main()
