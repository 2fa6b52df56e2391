"""The store in one real Cassandra node: order, repetition, schema, moving, metrics."""
import random
import re

import pytest

import wide
from conftest import Meterline, cassandra_url, finish

METERS = [f"M{number}" for number in range(12)]
FILE = wide.header() + wide.row("A", "2019-01-01", wide.same(1))


@pytest.fixture(scope="module")
def overlapping(tmp_path_factory):
    """50 files that say different things of the same days; some were written at the same time."""
    rng, folder = random.Random(50), tmp_path_factory.mktemp("overlapping")
    for index in range(50):
        rows = [wide.row(meter, wide.day(day), [rng.choice(("", rng.randrange(1000)))
                                                for _ in range(48)])
                for meter in rng.sample(METERS, 4) for day in rng.sample(range(25, 40), 5)]
        wide.write(folder / f"{index:02}.csv", wide.header() + "".join(rows),
                   modified=f"2019-03-{rng.randrange(1, 20):02}T00:{index:02}:00")
    return folder


@pytest.fixture(scope="module")
def in_order(overlapping, tmp_path_factory):
    """The embedded store, fed once and in order."""
    embedded = Meterline(tmp_path_factory.mktemp("embedded"))
    embedded("ingest", overlapping)
    return embedded.archive(), embedded.answers(meters_max=3)


@pytest.mark.parametrize("seed", range(20))
def test_any_order_and_repetition_from_two_processes_at_once(
        on_cassandra, overlapping, in_order, seed):
    rng = random.Random(seed)
    deliveries = [path for path in sorted(overlapping.iterdir()) for _ in range(rng.randint(1, 3))]
    rng.shuffle(deliveries)
    cut = rng.randint(len(deliveries) // 3, 2 * len(deliveries) // 3)
    loads = [on_cassandra.start("ingest", *part) for part in (deliveries[:cut], deliveries[cut:])]
    for load in loads:
        assert finish(load, expect=0).json["total"]["failed"] == 0
    assert on_cassandra.archive() == in_order[0]
    assert on_cassandra.answers(meters_max=3) == in_order[1]


def test_a_store_moves_to_cassandra_and_back(meterline, on_cassandra, overlapping, tmp_path):
    meterline("ingest", overlapping)
    meterline("export", tmp_path / "1")
    on_cassandra("ingest", tmp_path / "1")
    on_cassandra("export", tmp_path / "2")
    back = Meterline(tmp_path)
    back.use_store(tmp_path / "back")
    back("ingest", tmp_path / "2")
    back("export", tmp_path / "3")
    first = (tmp_path / "1").read_bytes()
    assert first == (tmp_path / "2").read_bytes() == (tmp_path / "3").read_bytes()
    assert meterline.answers() == on_cassandra.answers() == back.answers()
    on_cassandra("store", "check")


def test_stats_tell_of_the_size(on_cassandra, overlapping):
    on_cassandra("ingest", overlapping)
    assert on_cassandra("store", "stats").json


def keyspaces(cql):
    return [row[0].decode() for row in cql("SELECT keyspace_name FROM system_schema.keyspaces")]


def schema_id(cql):
    ((version,),) = cql("SELECT schema_version FROM system.local")
    return version


@pytest.mark.parametrize("command", [["ingest", "-"], ["deliveries"], ["serve"]])
def test_a_store_that_was_never_made_is_an_error(meterline, cassandra_node, command):
    meterline.use_url(cassandra_url(cassandra_node, "never_made"))
    done = meterline(*command, input=FILE.encode(), expect=1)
    assert "keyspace never_made holds no store; `meterline store init" in done.err
    with cassandra_node.cql() as cql:
        assert "never_made" not in keyspaces(cql)


def test_loading_changes_no_table(on_cassandra, cassandra_node, overlapping):
    with cassandra_node.cql() as cql:
        before = schema_id(cql)
        on_cassandra("ingest", overlapping)
        assert schema_id(cql) == before


def test_init_a_second_time_changes_nothing(on_cassandra, cassandra_node):
    on_cassandra("ingest", "-", input=FILE.encode())
    with cassandra_node.cql() as cql:
        before = schema_id(cql)
        on_cassandra("store", "init", "--replication", 1)
        assert schema_id(cql) == before
    assert on_cassandra.day_sums("A", "2019-01-01", "2019-01-01") == {"2019-01-01": 48}


def test_init_of_more_copies_than_nodes_makes_nothing_and_says_what_fits(meterline, cassandra_node):
    meterline.use_url(cassandra_url(cassandra_node, "too_many_copies"))
    done = meterline("store", "init", expect=2)
    assert "which has 1 node: say how many it is to keep by --replication 1" in done.err
    with cassandra_node.cql() as cql:
        assert "too_many_copies" not in keyspaces(cql)
    made = meterline("store", "init", "--replication", 1).json["made"]
    assert made[0] == "keyspace too_many_copies, 1 copies in datacenter1"
    refused = meterline("store", "init", "--data-centres", "datacenter2=1", expect=2)
    assert "no data centre datacenter2, but datacenter1" in refused.err


@pytest.mark.parametrize("schema, advice", [(1, "load its files again"), (5, "a newer one")])
@pytest.mark.parametrize("command", [["ingest", "-"], ["deliveries"], ["serve"],
                                     ["store", "init", "--replication", 1]])
def test_another_schema_is_an_error(on_cassandra, cassandra_node, command, schema, advice):
    with cassandra_node.cql() as cql:
        cql(f"INSERT INTO {on_cassandra.keyspace}.catalogue (kind, name)"
            f" VALUES ('schema', '{schema}')")
    done = on_cassandra(*command, input=FILE.encode(), expect=1)
    assert f"keyspace {on_cassandra.keyspace} holds a store of schema {schema};" in done.err
    assert "this meterline knows schemas 3 and 4" in done.err
    assert advice in done.err


def test_a_table_that_is_gone_is_an_error(on_cassandra, cassandra_node):
    with cassandra_node.cql() as cql:
        cql(f"DROP TABLE {on_cassandra.keyspace}.day_totals")
    done = on_cassandra("ingest", "-", input=FILE.encode(), expect=1)
    assert f"keyspace {on_cassandra.keyspace} lacks day_totals" in done.err


def test_a_column_that_is_gone_is_an_error(on_cassandra, cassandra_node):
    with cassandra_node.cql() as cql:
        cql(f"ALTER TABLE {on_cassandra.keyspace}.reading_days DROP day")
    done = on_cassandra("ingest", "-", input=FILE.encode(), expect=1)
    assert re.search(r"column.*\bday\b", done.err)


def test_metrics_tell_of_requests_by_statement(on_cassandra, serve):
    server = serve(on_cassandra)
    # Few days of a month have no row of totals.
    server.upload(wide.random_file(1, ["A"], days=10).encode())
    server.get("/v1/meters/A/consumption?from=2019-01-01&to=2019-01-01")
    samples = dict(line.rsplit(" ", 1) for line in server.get("/metrics").splitlines()
                   if not line.startswith("#"))

    def sample(name, statement, labels=""):
        return float(samples[f'meterline_store_{name}{{statement="{statement}"{labels}}}'])

    for statement in ("insert_day", "insert_totals", "insert_delivery", "select_days"):
        requests = sample("requests_total", statement)
        assert requests >= 1
        assert sample("request_duration_seconds_count", statement) == requests
        assert sample("request_duration_seconds_bucket", statement, ',le="+Inf"') == requests
        assert sample("request_duration_seconds_sum", statement) > 0
        assert sample("failures_total", statement) == 0
        assert sample("in_flight", statement) == 0
        assert sample("retries_total", statement) >= 0
