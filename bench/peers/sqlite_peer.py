#!/usr/bin/env python3
"""SQLite: a row a day, a column a reading. Loaded by SQLite's own program. See peer.py.

It has no decimals: readings with decimals are doubles here, and sums of them are rounded.
"""
import sqlite3
import subprocess

from peer import Peer, fsync_all, main

SETTINGS = ("PRAGMA page_size = 16384;", "PRAGMA journal_mode = WAL;",
            "PRAGMA cache_size = -524288;", "PRAGMA temp_store = MEMORY;")
DAYS = "Meter = ? AND Date >= ? AND Date < ?"


class SqlitePeer(Peer):
    def script(self, *lines):
        done = subprocess.run(["sqlite3", "-bail", self.store], text=True, check=False,
                              input="\n".join(lines) + "\n", capture_output=True)
        assert done.returncode == 0 and not done.stderr, done.stderr

    def table(self, constraint=""):
        kind = "REAL" if self.decimals else "INTEGER"
        columns = ", ".join(f"{name} {kind}" for name in self.columns)
        return f"CREATE TABLE days (Meter TEXT, Date TEXT, {columns}{constraint})"

    def ingest(self, files):
        """The index is cheaper when all rows are there."""
        self.script(*SETTINGS, "PRAGMA synchronous = OFF;", self.table() + ";", "BEGIN;",
                    *(f".import --csv --skip 1 '{file}' days" for file in files), "COMMIT;",
                    "CREATE UNIQUE INDEX by_meter ON days (Meter, Date);",
                    "PRAGMA wal_checkpoint(TRUNCATE);")
        fsync_all(self.store)

    def append(self, files):
        """.import makes one transaction of each file."""
        self.script(*SETTINGS, "PRAGMA synchronous = FULL;",
                    self.table(", PRIMARY KEY (Meter, Date)") + " WITHOUT ROWID;",
                    *(f".import --csv --skip 1 '{file}' days" for file in files),
                    "PRAGMA wal_checkpoint(TRUNCATE);")
        fsync_all(self.store)

    def compact(self):
        self.script("VACUUM;", "PRAGMA wal_checkpoint(TRUNCATE);")
        fsync_all(self.store)

    def questions(self):
        connection = sqlite3.connect(self.store)
        connection.execute("PRAGMA cache_size = -1048576")
        connection.execute("PRAGMA mmap_size = 8589934592")
        connection.execute("CREATE TEMP TABLE meters AS SELECT DISTINCT Meter FROM days")
        row_sum = "+".join(self.columns)

        def rows(text, *parameters):
            return connection.execute(text, parameters).fetchall()

        def total(*key):
            return sum(self.scaled(row[0]) for row in rows(
                f"SELECT {row_sum}, Date FROM days WHERE {DAYS}", *key))

        def readings(*key):
            return sum(self.scaled(sum(row)) for row in rows(
                f"SELECT {', '.join(self.columns)} FROM days WHERE {DAYS}", *key))

        def portfolio(_, begin, end):
            return sum(self.scaled(row[0]) for row in rows(
                f"SELECT sum({row_sum}) FROM meters CROSS JOIN days "
                f"ON days.Meter = meters.Meter AND days.Date = ?", begin))

        def gaps(_, begin, end):
            return len(rows(
                "SELECT meters.Meter FROM meters CROSS JOIN days ON days.Meter = meters.Meter "
                "AND Date >= ?1 AND Date < ?2 GROUP BY meters.Meter "
                "HAVING count(*) < julianday(?2) - julianday(?1)", begin, end))

        return {"day": total, "year": total, "readings": readings, "portfolio": portfolio,
                "gaps": gaps}


if __name__ == "__main__":
    main(SqlitePeer)
