#!/usr/bin/env python3
"""Races the store on one node of Apache Cassandra, and counts what its rows cost on Keyspaces.

    bench/cassandra.py [--rounds N]

Each round, after one to warm up, loads into fresh tables of the same node, one after another:
  ours       `meterline ingest` of files by meter
  dry        the same without the driver: `--dry-run` makes the same rows and counts them
  daily      `meterline ingest` of one day of many meters: no two rows of a partition
  bare       the rows of `ours` once more by the driver alone, in batches of 30
  large      in batches of 200, as `ours` sends them
  single     and row by row
  readings   a row for each reading, in unlogged batches of 30: the layout of the system replaced
  dsbulk     DataStax Bulk Loader 1.10, a row for each reading, from the same readings as CSV
Prints a line for each, then the ratios of the medians. Needs scripts/install-deps.sh --test.
"""
import argparse
import csv
import datetime
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from cassandra import Cluster, jars  # noqa: E402

BUILD = ROOT / "build/release"
READINGS_A_DAY = 48
OWN_METERS, OWN_DAYS = 5000, 120
DAILY_METERS = 100_000
PEER_METERS, PEER_DAYS = 500, 40


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build():
    env = os.environ | {"CCACHE_BASEDIR": str(ROOT), "CCACHE_NOHASHDIR": "1"}
    run(ROOT / "scripts/build.sh", env=env)
    run("ninja", "-C", BUILD, "cassandra_peers", env=env)


def make_files(folder, name, meters, days, files, order="meter"):
    """A folder of made-up files."""
    program = folder / "make_files"
    if not program.exists():
        run("g++", "-std=c++20", "-O2", "-o", program, ROOT / "bench/make_files.cc")
    out = folder / name
    out.mkdir()
    run(program, "--meters", meters, "--days", days, "--files", files, "--missing", 0,
        "--order", order, "--out", out)
    return out


def long_csv(wide, path):
    """The readings of a wide file, one a line: meter,date,time,value."""
    with open(wide, newline="") as source, open(path, "w", newline="") as target:
        rows = csv.reader(source)
        times = [str(datetime.time(*map(int, text.split(":")))) for text in next(rows)[2:]]
        for row in rows:
            target.writelines(f"{row[0]},{row[1]},{at},{value}\n"
                              for at, value in zip(times, row[2:]))
    return path


def dsbulk_jars():
    folder = jars.CACHE / "meterline/dsbulk-1.10.0"
    if not folder.is_dir():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        run("mvn", "-q", "-B", "-f", ROOT / "bench/dsbulk-pom.xml",
            "dependency:copy-dependencies", "-DincludeScope=runtime",
            f"-DoutputDirectory={partial}")
        partial.rename(folder)
    return folder


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Bench:
    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        self.results = {}
        self.keyspaces = 0
        self.wide = make_files(folder, "own", OWN_METERS, OWN_DAYS, 4)
        self.daily = make_files(folder, "daily", DAILY_METERS, 1, 1, "day")
        (self.peer,) = make_files(folder, "peer", PEER_METERS, PEER_DAYS, 1).iterdir()
        self.long = long_csv(self.peer, folder / "long.csv")

    def new_store(self):
        self.keyspaces += 1
        url = f"cassandra://{self.cluster.addresses}/bench_{self.keyspaces}"
        run(BUILD / "meterline", "store", "init", "--store", url, "--replication", 1)
        return url

    def measure(self, name, readings, work):
        """Runs it; `work` returns the seconds that count, or None for all."""
        pid = self.cluster.nodes[0].process.pid
        server, client, begin = cpu_of(pid), own_cpu(), time.monotonic()
        seconds = work() or time.monotonic() - begin
        server, client = cpu_of(pid) - server, own_cpu() - client
        result = {"readings/s": readings / seconds, "client CPU": client, "server CPU": server}
        self.results.setdefault(name, []).append(result)
        print(f"{name:9} {readings:>10,} readings {seconds:7.2f} s {readings / seconds:>12,.0f}/s"
              f"  client {client:6.2f} CPU s, server {server:6.2f}", flush=True)

    def peers(self, url, *args):
        return json.loads(run(BUILD / "bench/cassandra_peers", url, *args))

    def ingest(self, url, path):
        run(BUILD / "meterline", "ingest", path, "--unit", "kWh", "--store", url)

    def ingest_dry(self, path):
        run(BUILD / "meterline", "ingest", path, "--unit", "kWh", "--dry-run")

    def round(self):
        own = OWN_METERS * OWN_DAYS * READINGS_A_DAY
        peer = PEER_METERS * PEER_DAYS * READINGS_A_DAY
        url = self.new_store()
        self.measure("ours", own, lambda: self.ingest(url, self.wide))
        self.measure("dry", own, lambda: self.ingest_dry(self.wide))
        self.measure("bare", own, lambda: self.peers(url, "bare", 30)["seconds"])
        self.measure("large", own, lambda: self.peers(url, "bare", 200)["seconds"])
        self.measure("single", own, lambda: self.peers(url, "bare", 1)["seconds"])
        self.measure("daily", DAILY_METERS * READINGS_A_DAY, lambda: self.ingest(url, self.daily))
        self.measure("readings", peer, lambda: self.peers(url, "readings", self.peer)["seconds"])
        self.truncate(url)
        self.measure("dsbulk", peer, lambda: self.dsbulk(url))
        self.drop(url)

    def truncate(self, url):
        with self.cluster.cql() as cql:
            cql(f"TRUNCATE {url.rsplit('/', 1)[1]}.readings")

    def drop(self, url):
        with self.cluster.cql() as cql:
            cql(f"DROP KEYSPACE {url.rsplit('/', 1)[1]}")

    def dsbulk(self, url):
        host, port = self.cluster.addresses.split(":")
        run(jars.java()[0], "-Xmx1g", "-cp", f"{dsbulk_jars()}/*",
            "com.datastax.oss.dsbulk.runner.DataStaxBulkLoader", "load", "-url", self.long,
            "-header", "false", "-k", url.rsplit("/", 1)[1], "-t", "readings",
            "-m", "0=meter_id,1=date,2=time,3=value", "-h", host, "-port", port,
            "-logDir", self.folder / "logs", "--codec.time", "HH:mm:ss",
            "--codec.date", "yyyy-MM-dd",
            "--driver.basic.load-balancing-policy.local-datacenter", "datacenter1")

    def ratios(self):
        def median(name, what):
            return statistics.median(result[what] for result in self.results[name])
        for peer in ("bare", "large", "single", "readings", "dsbulk"):
            ratio = median("ours", "readings/s") / median(peer, "readings/s")
            print(f"ours / {peer:8} {ratio:6.2f} times the readings a second")
        ratio = median("daily", "readings/s") / median("single", "readings/s")
        print(f"daily / single  {ratio:6.2f} times the readings a second")
        for name, of in (("ours", "ours"), ("dry", "ours"), ("daily", "daily")):
            share = median(name, "client CPU") / median(of, "server CPU")
            print(f"{name}: client CPU is {share:.1%} of the server's for {of}")

    def units(self):
        """What files of a few shapes cost, the first and the later ones."""
        for name, meters, days, files, order in (
                ("a year of 100 meters, a file a day", 100, 365, 365, "day"),
                ("30 days of 100 meters, a file a day", 100, 30, 30, "day"),
                ("a year of 1,000 meters, 10 files by meter", 1000, 365, 10, "meter"),
                ("a year of 10 meters, a file a meter", 10, 365, 10, "meter"),
                ("a month of 10 meters, a file a meter", 10, 31, 10, "meter"),
                ("a month of 1 meter, a file a day", 1, 31, 31, "day")):
            path = make_files(self.folder, name.replace(" ", "_").replace(",", ""), meters, days,
                              files, order)
            url = self.new_store()
            for file in sorted(path.iterdir()):
                self.ingest(url, file)
            counted = self.peers(url, "units")
            assert counted["days"] == meters * days
            print(f"{name}: {counted['units'] / counted['days']:.3f} units a meter-day "
                  f"{json.dumps(counted)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    build()
    with tempfile.TemporaryDirectory() as name, Cluster(heap="4g", jit="full",
                                                            memtable="512MiB") as cluster:
        bench = Bench(cluster, pathlib.Path(name))
        print("warming up:")
        bench.round()
        bench.results.clear()
        for _ in range(options.rounds):
            bench.round()
        bench.ratios()
        bench.units()


if __name__ == "__main__":
    main()
