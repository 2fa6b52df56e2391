"""Who runs in the race, and how each is started."""
import dataclasses
import os
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Places:
    """Where run.sh has put the programs."""
    build: pathlib.Path
    python: pathlib.Path
    questdb: str  # Class path.
    before: pathlib.Path | None = None  # Of another meterline, which then races, too.


class Contender:
    one_file = False  # Loads one file into an empty store, no more.

    def __init__(self, name, label, command, places, env=None, compacts=True):
        self.name, self.label, self.places = name, label, places
        self.compacts = compacts  # Else a store is as small as it gets when it is made.
        self.program = [str(word) for word in command]
        self.env = env or {}

    def command(self, verb, store, paths, data, *options):
        return [*self.program, verb, "--minutes", data.minutes, "--decimals", data.decimals,
                "--threads", os.cpu_count(), *options, store, *paths]

    def version(self):
        return ""


class PythonPeer(Contender):
    def __init__(self, name, label, script, package, places, compacts):
        super().__init__(name, label, [places.python, HERE / "peers" / script[0], *script[1:]],
                         places, compacts=compacts)
        self.package = package

    def version(self):
        if self.package == "sqlite":
            return output("sqlite3", "--version").split()[0]
        text = f"import importlib.metadata as m; print(m.version({self.package!r}))"
        found = output(self.places.python, "-c", text)
        if self.package == "chdb":
            text = "import chdb; print(chdb.query('SELECT version()', 'TSV'))"
            found += ", ClickHouse " + output(self.places.python, "-c", text)
        return found


class Meterline(Contender):
    def __init__(self, name, label, build, places):
        super().__init__(name, label, [build / "bench/meterline_peer"], places)
        self.build = build
        # Before its store had format 4, a meterline took no unit for none.
        self.asks_for_unit = "or unknown" in output(build / "meterline", "ingest", "--help")

    def command(self, verb, store, paths, data, *options):
        if verb != "ingest":
            return super().command(verb, store, paths, data, *options)
        unit = ["--unit", "kWh" if data.decimals else "unknown"]  # Whole Wh, as they stand there.
        if not data.decimals and not self.asks_for_unit:
            unit = []
        return [self.build / "meterline", "ingest", *paths, *unit,
                "--store", f"rocksdb:{store}", "--output", "csv"]

    def version(self):
        commit = output("git", "-C", self.build, "describe", "--always", "--dirty")
        return output(self.build / "meterline", "--version").splitlines()[0] + ", " + commit


class Rocksdb(Contender):
    def version(self):
        return output("dpkg-query", "-W", "-f", "${Version}", "librocksdb-dev")


class Questdb(Contender):
    one_file = True

    def version(self):
        return re.search(r"questdb-([0-9.]+)\.jar", self.places.questdb)[1]


def output(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip()


def all_contenders(places):
    def python(name, label, *script, package=None, compacts=True):
        return PythonPeer(name, label, script, package or name, places, compacts)

    before = []
    if places.before:
        before = [Meterline("before", "meterline before", places.before, places)]
    return [
        Meterline("meterline", "meterline", places.build, places),
        *before,
        python("duckdb", "DuckDB, a list a day", "duckdb_peer.py"),
        python("chdb", "ClickHouse by chDB, an array a day", "chdb_peer.py"),
        python("chdb-long", "ClickHouse by chDB, a row a reading, T64 and ZSTD", "chdb_peer.py",
               "--long", package="chdb"),
        python("polars", "Polars to Parquet", "polars_peer.py", compacts=False),
        python("pyarrow", "pyarrow to Parquet", "pyarrow_peer.py", compacts=False),
        python("sqlite", "SQLite, a column a reading", "sqlite_peer.py"),
        Questdb("questdb", "QuestDB, a column a reading (of one file)",
                ["java", "-Xmx4g", "-cp", places.questdb, "QuestdbPeer"], places,
                env={"QDB_LOG_W_STDOUT_LEVEL": "ERROR"}, compacts=False),
        Rocksdb("rocksdb", "RocksDB, naively", [places.build / "bench/rocksdb_peer"], places),
    ]
