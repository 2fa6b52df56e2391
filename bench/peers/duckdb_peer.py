#!/usr/bin/env python3
"""DuckDB: a row a day, the readings as a list. See peer.py for the commands."""
import os

import duckdb

from peer import Peer, fsync_all, main

DAYS = "Meter = ? AND Date >= CAST(? AS DATE) AND Date < CAST(? AS DATE)"


class DuckdbPeer(Peer):
    def __init__(self, options):
        super().__init__(options)
        self.type = f"DECIMAL(9,{self.decimals})" if self.decimals else "INTEGER"
        self.connection = duckdb.connect(self.store, config={"threads": self.threads})

    def selected(self, files):
        types = {"Meter": "VARCHAR", "Date": "DATE"} | {name: self.type for name in self.columns}
        return (f"SELECT Meter, Date, [{', '.join(self.columns)}]::{self.type}"
                f"[{len(self.columns)}] AS readings FROM read_csv({files}, header = true, "
                f"auto_detect = false, delim = ',', quote = '', escape = '', columns = {types})")

    def ingest(self, files):
        self.connection.execute(f"CREATE TABLE days AS {self.selected(files)}")
        self.close()

    def append(self, files):
        """A statement is a transaction of its own, in the log and fsynced when it returns."""
        self.connection.execute(f"CREATE TABLE days AS {self.selected(files[:1])} LIMIT 0")
        for file in files:
            self.connection.execute(f"INSERT INTO days {self.selected([file])}")
        self.close()

    def close(self):
        self.connection.execute("CHECKPOINT")
        self.connection.close()
        fsync_all(self.store)

    def compact(self):
        """What was freed stays in the file; a copy has none of it."""
        copy = f"{self.store}.copy"
        name = self.rows("SELECT current_database()")[0][0]
        self.connection.execute(f"ATTACH '{copy}' AS compacted")
        self.connection.execute(f'COPY FROM DATABASE "{name}" TO compacted')
        self.connection.execute("DETACH compacted")
        self.connection.close()
        os.replace(copy, self.store)
        fsync_all(self.store)

    def rows(self, text, *parameters):
        return self.connection.execute(text, parameters).fetchall()

    def sum_of(self, text, *parameters):
        return sum(self.scaled(row[0]) for row in self.rows(text, *parameters))

    def questions(self):
        total = f"SELECT list_sum(readings) FROM days WHERE {DAYS}"
        series = f"SELECT list_sum(readings), Date FROM days WHERE {DAYS}"
        readings = f"SELECT readings FROM days WHERE {DAYS}"
        portfolio = "SELECT sum(list_sum(readings)) FROM days WHERE Date = CAST(? AS DATE)"
        gaps = ("SELECT Meter FROM days WHERE Date >= CAST($1 AS DATE) AND Date < CAST($2 AS DATE) "
                "GROUP BY 1 HAVING count(*) < CAST($2 AS DATE) - CAST($1 AS DATE)")
        return {
            "day": lambda *key: self.sum_of(total, *key),
            "year": lambda *key: self.sum_of(series, *key),
            "readings": lambda *key: sum(self.scaled(sum(row[0])) for row in
                                         self.rows(readings, *key)),
            "portfolio": lambda _, begin, end: self.sum_of(portfolio, begin),
            "gaps": lambda _, begin, end: len(self.rows(gaps, begin, end)),
        }


if __name__ == "__main__":
    main(DuckdbPeer)
