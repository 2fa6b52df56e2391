"""What docs/operate says of a cluster's files, on a real node: the drill of backup.md (snapshot,
drop, make again, import), and what keeping.md says of tombstones."""
import shutil
import subprocess

import pytest

import wide
from cassandra import Cluster
from cassandra.cluster import free_ports, java_command, shared_classes
from conftest import new_cassandra_store

TABLES = ["reading_days", "register_reads", "day_totals", "meters", "deliveries",
          "deliveries_by_time", "deliveries_by_receipt", "deliveries_by_source", "delivery_events",
          "catalogue"]


@pytest.fixture(scope="module")
def managed_node():
    """A node that can be managed, as `nodetool` does."""
    (port,) = free_ports(["127.0.0.1"], 1)
    with Cluster(properties={"cassandra.jmx.local.port": port}) as cluster:
        cluster.jmx_port = port
        yield cluster


def nodetool(cluster, *args):
    command = [*java_command("128m", "quick", shared_classes()),
               "org.apache.cassandra.tools.NodeTool", "-h", "127.0.0.1", "-p",
               str(cluster.jmx_port), *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_snapshot_brings_every_answer_back(managed_node, tmp_path):
    program = new_cassandra_store(tmp_path, managed_node)
    rows = [wide.row(f"M{meter}", wide.day(day), wide.same(meter * day % 9))
            for meter in range(40) for day in range(30)]
    wide.write(tmp_path / "a.csv", wide.header() + "".join(rows))
    program("ingest", "a.csv", "--unit", "kWh")
    before = program.answers(), program.archive()

    nodetool(managed_node, "snapshot", "-t", "monday", program.keyspace)
    (node,) = managed_node.nodes
    data = node.folder / "data" / program.keyspace
    backup = tmp_path / "backup"
    for table in TABLES:
        (snapshot,) = data.glob(f"{table}-*/snapshots/monday")
        shutil.copytree(snapshot, backup / table)

    with managed_node.cql() as cql:
        cql(f"DROP KEYSPACE {program.keyspace}")
    program("store", "init", "--replication", 1)
    for table in TABLES:
        nodetool(managed_node, "import", program.keyspace, table, backup / table)
    assert program("store", "check").json["damageCount"] == 0
    assert (program.answers(), program.archive()) == before


def test_what_was_removed_is_gone_once_its_tables_are_compacted(managed_node, tmp_path):
    program = new_cassandra_store(tmp_path, managed_node)
    gone = "GONE-FOR-GOOD"
    rows = [wide.row(meter, wide.day(day), wide.same(day))
            for meter in ("KEPT-1", gone, "KEPT-2") for day in range(60)]
    wide.write(tmp_path / "a.csv", wide.header() + "".join(rows))
    program("ingest", "a.csv", "--unit", "kWh")
    (node,) = managed_node.nodes

    def tables_with(text):
        nodetool(managed_node, "flush", program.keyspace)
        files = (node.folder / "data" / program.keyspace).glob("*/*.db")
        return {path.parent.name.split("-")[0] for path in files if text in path.read_bytes()}

    assert tables_with(gone.encode()) >= {"reading_days"}
    program("erase", gone, "--yes")
    program("store", "prune", "--before", wide.day(30), "--yes")
    told = program.answers(), program.archive()
    with managed_node.cql() as cql:
        for table in TABLES:
            cql(f"ALTER TABLE {program.keyspace}.{table} WITH gc_grace_seconds = 0")
    nodetool(managed_node, "compact", program.keyspace)
    assert tables_with(gone.encode()) == set()
    assert tables_with(b"KEPT-1") >= {"reading_days"}
    assert (program.answers(), program.archive()) == told
    assert program("store", "check").json["damageCount"] == 0
    report = program("ingest", "a.csv", "--unit", "kWh", "--delivered-at", "2021-01-01T00:00:00Z",
                     expect=3).delivery
    assert report["rows"]["rejected"] == 60
    assert gone not in program("meters").out
