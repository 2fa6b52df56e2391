"""The drill of docs/operate/backup.md on a real node: snapshot, drop, make again, import."""
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


@pytest.fixture
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
