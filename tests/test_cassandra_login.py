"""TLS and a password: what is right goes through, and each thing that is wrong is refused."""
from urllib.parse import quote

import pytest

import wide
from cassandra import Authority, Cluster
from cassandra.certificates import self_signed
from cassandra.proxy import TlsProxy
from conftest import Meterline, cassandra_url

FILE = wide.header() + wide.row("A", "2019-01-01", wide.same(1))
KEYSPACE = "behind_a_login"


@pytest.fixture(scope="module")
def node():
    with Cluster(tls=True, password=True) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """An authority that the client does not know."""
    return Authority(tmp_path_factory.mktemp("other"), "other")


def right(cluster):
    return {"user": cluster.login[0], "tls": "on", "ca": cluster.ca}


@pytest.fixture(scope="module")
def store(node, tmp_path_factory):
    """The program with all that is right, on a store with one delivery."""
    store = Meterline(tmp_path_factory.mktemp("login"))
    store.use_url(cassandra_url(node, KEYSPACE, **right(node)), node.login[1])
    store("store", "init", "--replication", 1)
    store("ingest", "-", input=FILE.encode())
    return store


def refused(store, url, password=None, expect=2):
    """What it says; never a password."""
    meterline = Meterline(store.folder)
    meterline.use_url(url, password)
    done = meterline("deliveries", expect=expect)
    assert not done.out
    secret = password or "never a password"
    assert secret not in done.err and quote(secret, safe="") not in done.err
    assert done.err.count("\n") == 1, done.err
    return done.err


def test_the_right_authority_and_password(store):
    assert store.day_sums("A", "2019-01-01", "2019-01-01") == {"2019-01-01": 48}


def test_a_password_in_the_url(store, node):
    meterline = Meterline(store.folder)
    password = quote(node.login[1], safe="")
    meterline.use_url(f"cassandra://{node.login[0]}:{password}@{node.addresses}/{KEYSPACE}"
                      f"?tls=on&ca={node.ca}")
    done = meterline("deliveries")
    assert len(done.json["deliveries"]) == 1
    assert node.login[1] not in done.out + done.err and password not in done.out + done.err


def test_a_server_never_tells_the_password(store, node, serve):
    server = serve(store)
    answers = [server.get(path) for path in ("/readyz", "/metrics", "/v1/deliveries")]
    done = server.stop()
    assert node.login[1] not in "".join([*answers, server.out, done.out, done.err])


@pytest.fixture(scope="module")
def reader(store, node):
    """A user who may read the store's tables and nothing else: (name, password)."""
    with node.cql() as cql:
        cql("CREATE ROLE reader WITH LOGIN = true AND PASSWORD = 'only-reads'")
        cql(f"GRANT SELECT ON KEYSPACE {KEYSPACE} TO reader")
    return "reader", "only-reads"


def test_a_user_who_may_only_read_can_ask_but_not_load(store, node, reader):
    meterline = Meterline(store.folder)
    meterline.use_url(cassandra_url(node, KEYSPACE, **right(node) | {"user": reader[0]}),
                      reader[1])
    assert meterline.day_sums("A", "2019-01-01", "2019-01-01") == {"2019-01-01": 48}
    more = wide.header() + wide.row("A", "2019-01-02", wide.same(1))
    done = meterline("ingest", "-", input=more.encode(), expect=1)
    assert "MODIFY" in done.out + done.err


def test_a_wrong_password(store, node):
    url = cassandra_url(node, KEYSPACE, **right(node))
    assert "username" in refused(store, url, "wrong-secret").lower()


def test_a_wrong_password_in_the_url(store, node):
    url = (f"cassandra://{node.login[0]}:wrong-secret@{node.addresses}/{KEYSPACE}"
           f"?tls=on&ca={node.ca}")
    assert "wrong-secret" not in refused(store, url)


def test_no_user(store, node):
    url = cassandra_url(node, KEYSPACE, tls="on", ca=node.ca)
    assert "the cluster wants a login, and no user is given" in refused(store, url)


def test_a_user_without_password(store, node):
    url = cassandra_url(node, KEYSPACE, **right(node))
    assert "needs a password, in METERLINE_CASSANDRA_PASSWORD" in refused(store, url)


def test_plain_text_to_a_tls_port(store, node):
    url = cassandra_url(node, KEYSPACE, user=node.login[0])
    assert "tls=on" in refused(store, url, node.login[1], expect=1)


def test_tls_to_a_plain_text_port(store, node, cassandra_node):
    url = cassandra_url(cassandra_node, KEYSPACE, **right(node))
    assert "tls" in refused(store, url, node.login[1]).lower()


def test_an_authority_that_is_not_known(store, node, other):
    url = cassandra_url(node, KEYSPACE, **right(node) | {"ca": other.pem})
    assert "certificate" in refused(store, url, node.login[1])


def test_without_a_file_the_authorities_of_the_system_are_believed(store, node):
    url = cassandra_url(node, KEYSPACE, user=node.login[0], tls="on")
    assert "certificate" in refused(store, url, node.login[1])


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_of_authorities_that_cannot_be_read(store, node, tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    url = cassandra_url(node, KEYSPACE, **right(node) | {"ca": path})
    assert str(path) in refused(store, url, node.login[1])


def through(proxy, cluster, **parameters):
    text = "&".join(f"{name}={value}" for name, value in (right(cluster) | parameters).items())
    return f"cassandra://{proxy.address}/{KEYSPACE}?{text}"


def test_a_proxy_with_a_right_certificate(store, node):
    """So that what follows is refused for the certificate, not for the proxy."""
    certificate = node.authority.issue(["IP:127.0.0.1"])
    with TlsProxy(node.nodes[0], node.ca, certificate) as proxy:
        meterline = Meterline(store.folder)
        meterline.use_url(through(proxy, node), node.login[1])
        assert len(meterline("deliveries").json["deliveries"]) == 1


OWN = "subjectAltName=IP:127.0.0.1"


@pytest.mark.parametrize("make, says", [
    (lambda ours, other, folder: self_signed(folder, "alone", [OWN, "basicConstraints=CA:FALSE"]),
     "it is self-signed"),
    (lambda ours, other, folder: self_signed(folder, "alone", [OWN, "basicConstraints=CA:TRUE"]),
     "it is that of a CA"),
    (lambda ours, other, folder: other.issue(["IP:127.0.0.1"]), "no known CA has issued it"),
    (lambda ours, other, folder: ours.issue(["IP:127.0.0.1"], days=-1), "it has expired"),
    (lambda ours, other, folder: ours.issue(["IP:127.0.0.9"]), "it is not for 127.0.0.1"),
    (lambda ours, other, folder: ours.issue(["DNS:localhost"]), "it is not for 127.0.0.1"),
], ids=["self-signed", "self-signed CA", "other authority", "expired", "other host", "host name"])
def test_a_certificate_that_is_wrong(store, node, other, tmp_path, make, says):
    certificate = make(node.authority, other, tmp_path)
    with TlsProxy(node.nodes[0], node.ca, certificate) as proxy:
        told = refused(store, through(proxy, node), node.login[1])
    assert "the certificate of node 127.0.0.1 is refused: " + says in told


def test_a_name_that_certificates_must_bear(store, node):
    url = cassandra_url(node, KEYSPACE, **right(node), server_name="cassandra.test")
    meterline = Meterline(store.folder)
    meterline.use_url(url, node.login[1])
    assert len(meterline("deliveries").json["deliveries"]) == 1
    url = cassandra_url(node, KEYSPACE, **right(node), server_name="elsewhere.test")
    assert "certificate" in refused(store, url, node.login[1])
