"""Three nodes, each row on all of them: killed, paused, restarted under load, and two of them down.

What was acknowledged is never lost, and no answer is ever wrong: the archive of the store, which
has every version of every day and every delivery, equals that of an embedded store with the same
files.
"""
import contextlib
import itertools
import threading
import time

import pytest

import wide
from cassandra import Cluster
from conftest import Meterline, finish, new_cassandra_store, wait_until

LOAD_S = 240  # A load goes on as long as its requests are tried again.
PAUSE_S = 20
NO_QUORUM = "Not enough nodes are alive to satisfy required consistency level"
ENOUGH_WRITES = 100  # Seen by a node: the load is well under way, and far from its end.


@pytest.fixture(scope="module")
def three_nodes():
    with Cluster(nodes=3) as cluster:
        yield cluster


@pytest.fixture
def cluster(three_nodes):
    """All three are up before the test, whatever the one before did."""
    for node in three_nodes.nodes:
        if node.is_running:
            node.resume()
    three_nodes.start()
    return three_nodes


@pytest.fixture
def store(cluster, tmp_path):
    (tmp_path / "cassandra").mkdir()
    return new_cassandra_store(tmp_path / "cassandra", cluster)


def make_file(folder, index, meters):
    names = [f"M{index:03}-{meter:03}" for meter in range(meters)]
    return wide.write(folder / f"{index:03}.csv", wide.large_file(index, names, days=365))


def assert_holds(store, folder):
    """It holds all files of the folder, and nothing else."""
    embedded = Meterline(store.folder)
    embedded.use_store(store.folder / "embedded")
    embedded("ingest", folder)
    assert store.archive(deadline_s=LOAD_S) == embedded.archive()
    assert store.answers() == embedded.answers()
    store("store", "check", deadline_s=LOAD_S)


def writes_of(node, keyspace):
    """How many writes of reading days a node has taken since it started."""
    with node.cql() as cql:
        rows = cql("SELECT count FROM system_views.local_write_latency WHERE"
                   f" keyspace_name = '{keyspace}' AND table_name = 'reading_days'")
    return int.from_bytes(rows[0][0], "big") if rows else 0


def await_writes(load, node, keyspace):
    """Waits until a running load has reached a node."""
    def reached():
        assert load.poll() is None, "the load ended before it was disturbed"
        return writes_of(node, keyspace) >= ENOUGH_WRITES
    wait_until(reached, f"{node.address} to take writes")


class Loading:
    """Loads file after file, each by a process of its own, until it is told to stop."""

    def __init__(self, store, folder):
        self.store, self.folder = store, folder
        self.stored, self.error = [], None
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            for index in itertools.count():
                if self.is_over.is_set():
                    return
                path = make_file(self.folder, index, meters=2)
                report = self.store("ingest", path, deadline_s=LOAD_S).delivery
                assert report["state"] == "stored"
                self.stored.append(path)
        except BaseException as error:
            self.error = error

    def await_next(self):
        """Waits until one more file is stored."""
        count = len(self.stored)
        wait_until(lambda: self.error or len(self.stored) > count, "a file to be stored", LOAD_S)
        assert not self.error, self.error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


@contextlib.contextmanager
def paused(node):
    node.pause()
    try:
        yield
    finally:
        node.resume()


def test_a_node_killed_in_the_middle_of_a_load(cluster, store, tmp_path):
    first, second, _ = cluster.nodes
    folder = tmp_path / "files"
    for index in range(4):
        make_file(folder, index, meters=15)
    load = store.start("ingest", folder)
    await_writes(load, second, store.keyspace)
    second.kill()
    total = finish(load, expect=0, deadline_s=LOAD_S).json["total"]
    assert (total["stored"], total["failed"]) == (4, 0)
    assert_holds(store, folder)

    cluster.start()
    first.kill()  # Now every quorum rests on the node that missed a part.
    assert_holds(store, folder)


def test_a_node_that_does_not_answer_for_20_s(cluster, store, tmp_path):
    with Loading(store, tmp_path / "files") as loading:
        loading.await_next()
        with paused(cluster.nodes[1]):
            end = time.monotonic() + PAUSE_S
            while time.monotonic() < end:
                loading.await_next()
                path = loading.stored[-1]
                sums = wide.sums_of(path.read_text())
                meter = f"M{path.stem}-001"
                assert store.day_sums(meter, wide.day(0), wide.day(364)) == {
                    day: total for (name, day), total in sums.items() if name == meter}
        loading.await_next()
    assert not loading.error, loading.error
    assert_holds(store, tmp_path / "files")


def test_every_node_restarted_under_load_one_after_another(cluster, store, tmp_path):
    with Loading(store, tmp_path / "files") as loading:
        for node in cluster.nodes:
            loading.await_next()
            cluster.restart(node)
        loading.await_next()
    assert not loading.error, loading.error
    assert_holds(store, tmp_path / "files")


def test_with_two_of_three_down_nothing_is_acknowledged_and_all_comes_back(
        cluster, store, serve, tmp_path):
    folder = tmp_path / "files"
    store("ingest", make_file(folder, 0, meters=1))
    for index in range(1, 3):
        make_file(folder, index, meters=40)
    server = serve(store)
    server.get("/readyz")

    load = store.start("ingest", folder)
    await_writes(load, cluster.nodes[1], store.keyspace)
    cluster.nodes[1].kill()
    cluster.nodes[2].kill()
    wait_until(lambda: says(server, 503, NO_QUORUM), "/readyz to say why not")
    opening = store.start("deliveries")
    done = finish(load, expect=1, deadline_s=LOAD_S)
    assert [delivery["state"] for delivery in done.json["deliveries"]] == [
        "skipped", "failed", "failed"]
    assert NO_QUORUM in done.err
    assert NO_QUORUM in finish(opening, expect=1, deadline_s=LOAD_S).err

    cluster.start()
    wait_until(lambda: says(server, 200, "ready"), "/readyz to say yes")
    assert [delivery["source"] for delivery in store("deliveries").json["deliveries"]] == [
        str(folder / "000.csv")]
    assert len(server.json("/v1/deliveries")["deliveries"]) == 1
    states = [delivery["state"] for delivery in store("ingest", folder).json["deliveries"]]
    assert states == ["skipped", "stored", "stored"]
    assert_holds(store, folder)


def test_what_goes_while_a_node_is_down_does_not_come_back(cluster, store, tmp_path):
    first, second, _ = cluster.nodes
    folder = tmp_path / "files"
    for index in range(2):
        make_file(folder, index, meters=6)
    embedded = Meterline(tmp_path)
    embedded.use_store(tmp_path / "embedded")
    for program in (store, embedded):
        program("ingest", folder, deadline_s=LOAD_S)
    second.kill()
    for program in (store, embedded):
        program("store", "prune", "--before", wide.day(200), "--yes", deadline_s=LOAD_S)
        program("erase", "M001-003", "--yes", deadline_s=LOAD_S)
    cluster.start()
    first.kill()  # Now every quorum rests on the node that has yet to learn of it.
    assert store.answers() == embedded.answers()
    assert "M001-003" not in store("meters").out
    assert store("store", "check", deadline_s=LOAD_S).json["damageCount"] == 0
    assert store("ingest", folder, deadline_s=LOAD_S).json["total"]["skipped"] == 2
    assert store.answers() == embedded.answers()


def says(server, status, text):
    """Whether /readyz answers so."""
    answer = server.ask("/readyz")
    return answer[0] == status and text in answer[1]
