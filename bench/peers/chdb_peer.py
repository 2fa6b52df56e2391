#!/usr/bin/env python3
"""ClickHouse, in process by chDB: a row a day, the readings as an array. See peer.py."""
import json
import os
import sys
import time

from chdb import session

from peer import Peer, fsync_all, main

CLEANING_SECONDS_MAX = 120


class ChdbPeer(Peer):
    """Rows are sorted by meter and day."""

    order = "(Meter, Date)"
    granularity = 512

    def __init__(self, options):
        super().__init__(options)
        self.type = f"Decimal32({self.decimals})" if self.decimals else "UInt32"
        self.session = session.Session(self.store)
        self.run("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")

    def run(self, text):
        return self.session.query(text, "TSV").data()

    def table(self):
        return f"readings Array({self.type})"

    def selected(self, rows):
        return f"SELECT Meter, Date, [{', '.join(self.columns)}] FROM {rows}"

    def create(self, settings=""):
        self.run(f"CREATE TABLE bench.days (Meter LowCardinality(String), Date Date, "
                 f"{self.table()}) ENGINE = MergeTree ORDER BY {self.order} "
                 f"SETTINGS index_granularity = {self.granularity}{settings}")

    def insert(self, glob):
        structure = ", ".join(["Meter String", "Date Date"]
                              + [f"{name} {self.type}" for name in self.columns])
        rows = f"file('{glob}', 'CSV', '{structure}')"
        self.run(f"INSERT INTO bench.days {self.selected(rows)} "
                 f"SETTINGS input_format_csv_skip_first_lines = 1, "
                 f"max_threads = {self.threads}, max_insert_threads = {self.threads}")

    def ingest(self, files):
        """A folder is read by several threads only when it is named by a pattern."""
        self.create()
        folders = {os.path.dirname(os.path.abspath(file)) for file in files}
        assert len(folders) == 1, "the files must be those of one folder"
        self.insert(f"{folders.pop()}/*.csv")
        self.close()

    def append(self, files):
        self.create(", fsync_after_insert = 1, fsync_part_directory = 1")
        for file in files:
            self.insert(os.path.abspath(file))
        self.close()

    def compact(self):
        # Parts that were merged away lie on the disk for minutes otherwise.
        self.run("ALTER TABLE bench.days MODIFY SETTING old_parts_lifetime = 1, "
                 "cleanup_delay_period = 1, max_cleanup_delay_period = 1, "
                 "cleanup_delay_period_random_add = 0")
        self.run("DETACH TABLE bench.days")
        self.run("ATTACH TABLE bench.days")
        self.run("OPTIMIZE TABLE bench.days FINAL")
        end = time.monotonic() + CLEANING_SECONDS_MAX
        while int(self.run("SELECT count() FROM system.parts WHERE NOT active "
                           "AND database = 'bench'")):
            assert time.monotonic() < end, "old parts are not removed"
            time.sleep(0.2)
        self.close()

    def close(self):
        self.session.close()
        fsync_all(self.store)

    def rows(self, text):
        return [line.split("\t") for line in self.run(text).splitlines()]

    def integer(self, text):
        """Exact: the text's point is moved."""
        whole, _, decimals = text.partition(".")
        return int(whole + decimals.ljust(self.decimals, "0"))

    def first_column(self, text):
        return sum(self.integer(row[0]) for row in self.rows(text))

    sum_of_row = "arraySum(readings)"
    group_by_day = ""
    first_reading = ""
    readings = "readings"

    def readings_of(self, row):
        return sum(self.integer(str(each)) for each in json.loads(row[0], parse_float=str))

    def questions(self):
        def where(meter, begin, end):
            return f"Meter = '{meter}' AND Date >= '{begin}' AND Date < '{end}'"

        def total(*key):
            return self.first_column(
                f"SELECT {self.sum_of_row}, Date FROM bench.days WHERE {where(*key)}"
                f"{self.group_by_day}")

        def readings(*key):
            return sum(self.readings_of(row) for row in self.rows(
                f"SELECT {self.readings} FROM bench.days WHERE {where(*key)}"))

        def portfolio(_, begin, end):
            per_row = self.sum_of_row if self.group_by_day else f"sum({self.sum_of_row})"
            return self.first_column(f"SELECT {per_row} FROM bench.days WHERE Date = '{begin}'")

        def gaps(_, begin, end):
            return len(self.rows(
                f"SELECT Meter FROM bench.days WHERE Date >= '{begin}' AND Date < '{end}'"
                f"{self.first_reading} GROUP BY Meter "
                f"HAVING count() < toDate('{end}') - toDate('{begin}')"))

        return {"day": total, "year": total, "readings": readings, "portfolio": portfolio,
                "gaps": gaps}


class ChdbLongPeer(ChdbPeer):
    """A row a reading, in the codecs that make it smallest."""

    order = "(Meter, Date, slot)"
    granularity = 8192
    sum_of_row = "sum(reading)"
    group_by_day = " GROUP BY Date"
    first_reading = " AND slot = 0"
    readings = "slot, reading"

    def table(self):
        return f"slot UInt16, reading {self.type} CODEC(T64, ZSTD(1))"

    def selected(self, rows):
        count = len(self.columns)
        pairs = f"arrayZip(range({count})::Array(UInt16), [{', '.join(self.columns)}])"
        return (f"SELECT Meter, Date, pair.1, pair.2 "
                f"FROM (SELECT Meter, Date, arrayJoin({pairs}) AS pair FROM {rows})")

    def readings_of(self, row):
        return self.integer(row[1])


if __name__ == "__main__":
    if "--long" in sys.argv:
        sys.argv.remove("--long")
        main(ChdbLongPeer)
    else:
        main(ChdbPeer)
