"""No one request takes the machine: docs/operate/limits.md."""
import http.client
import resource

import pytest

import hostile
import wide
from conftest import exact

PEAK_MIB_MAX = 300
SMALL = (wide.header() + wide.row("A", "2019-01-01", wide.same(1))).encode()


@pytest.fixture(scope="module", autouse=True)
def many_descriptors():
    """For the test's own end of the connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))


@pytest.fixture(scope="module")
def heavy_file(tmp_path_factory):
    return wide.write(tmp_path_factory.mktemp("heavy") / "heavy.csv", hostile.heavy_file())


@pytest.fixture
def heavy(meterline, serve, heavy_file):
    """A server whose answers are large."""
    meterline("ingest", heavy_file)
    return serve(meterline)


@pytest.fixture(scope="module")
def bomb():
    return hostile.bomb()


@pytest.mark.parametrize("begin", [
    hostile.CHUNKED + b"5;", hostile.CHUNKED + b"5\r\nhello\r\n0\r\nX: ", hostile.CHUNKED + b"0;"])
def test_extensions_and_trailers_without_end_are_refused(server, begin):
    answer = hostile.send_without_end(server, begin)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")  # Lost, if too much came behind it.
    assert hostile.peak_mib(server) < PEAK_MIB_MAX
    server.upload(SMALL)


@pytest.mark.parametrize("target, headers, status", [
    ("/v1/nothing", "", 404), ("/v1/meters", "", 405), ("/v1/deliveries?unit=litre", "", 400),
    ("/v1/deliveries", "Origin: http://elsewhere.example\r\n", 403),
    ("/v1/deliveries", "Sec-Fetch-Site: cross-site\r\n", 403)])
def test_a_body_that_is_not_wanted_is_not_asked_for(server, target, headers, status):
    with hostile.connect(server) as connection:
        connection.sendall(f"POST {target} HTTP/1.1\r\nHost: localhost\r\n{headers}"
                           "Expect: 100-continue\r\nContent-Length: 900000000\r\n\r\n".encode())
        assert hostile.answer_of(connection).startswith(b"HTTP/1.1 %d " % status)


def test_a_host_that_is_not_this_machine_is_told_before_the_body(server):
    with hostile.connect(server) as connection:
        connection.sendall(b"POST /v1/deliveries HTTP/1.1\r\nHost: elsewhere.example\r\n"
                           b"Expect: 100-continue\r\nContent-Length: 900000000\r\n\r\n")
        assert hostile.answer_of(connection).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("host, status", [
    ("LOCALHOST", 200), ("LocalHost:1", 200), ("[::1]:8080", 200), (":x", 400), ("[", 400),
    ("evil.example", 403), ("[::2]", 403)])
def test_hosts(server, host, status):
    with hostile.connect(server) as connection:
        connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n"
                           "Connection: close\r\n\r\n".encode())
        assert hostile.answer_of(connection).startswith(b"HTTP/1.1 %d " % status)


def test_what_uploads_spill_has_one_budget(meterline, serve, bomb):
    server = serve(meterline, "--temporary-bytes-max", 100_000_000)
    failed = server.upload(bomb, expect=503)
    assert failed["state"] == "failed" and "--temporary-bytes-max" in failed["reason"]
    assert hostile.metric(server, "meterline_temporary_bytes") == 0
    assert hostile.metric(server, "meterline_temporary_bytes_max") == 100_000_000
    assert hostile.peak_mib(server) < PEAK_MIB_MAX
    server.upload(SMALL)


def test_an_upload_expands_to_so_much(meterline, serve, bomb):
    server = serve(meterline, "--expanded-bytes-max", 100_000_000)
    refused = server.upload(bomb, expect=422)
    assert "expands to more than 100000000 bytes" in refused["reason"]


def test_an_upload_ends_with_its_client(server, bomb):
    with hostile.connect(server) as connection:
        connection.sendall(b"POST /v1/deliveries HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(bomb) + bomb)
        hostile.wait_until(lambda: hostile.metric(server, "meterline_temporary_bytes") > 0,
                           "rows to be spilled")
    hostile.until_gone(server)
    assert exact(server.get("/v1/deliveries"))["deliveries"] == []
    server.upload(SMALL)


def test_slow_readers_of_large_answers_are_few(heavy):
    with hostile.slow_readers(heavy) as readers:
        heads = [reader.recv(12) for reader in readers]
        assert set(heads) == {b"HTTP/1.1 200", b"HTTP/1.1 503"}
        assert heads.count(b"HTTP/1.1 200") <= 4
        assert heavy.get("/v1/meters/OTHER/consumption?from=2019-01-01")
        assert hostile.metric(heavy, "meterline_http_answer_bytes") <= 48 << 20
    assert hostile.peak_mib(heavy) < PEAK_MIB_MAX


def test_long_questions_wait_in_a_queue_that_ends(meterline, serve):
    meterline("ingest", "-", input=wide.large_file(1, [f"M{i}" for i in range(200)], 365).encode())
    server = serve(meterline)
    with hostile.long_questions(server) as statuses:
        hostile.wait_until(lambda: 503 in statuses, "one to be refused")
        server.get("/v1/meters")
    assert set(statuses) == {200, 503}
    assert hostile.peak_mib(server) < PEAK_MIB_MAX


def test_idle_connections_leave_descriptors_for_uploads(meterline, serve):
    start = meterline.start
    meterline.start = lambda *args: start(*args, preexec_fn=hostile.few_descriptors)
    server = serve(meterline)
    assert b'"at most 256 connections, not 1000: ' in server.process.stderr.readline()
    loader = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def upload(number):
        content = wide.header() + wide.row(f"M{number}", "2019-01-01", wide.same(1))
        loader.request("POST", f"/v1/deliveries?source={number}", content)
        answer = loader.getresponse()
        answer.read()
        return answer.status

    assert upload(0) == 201
    with hostile.idle_connections(server):
        assert [upload(number) for number in range(1, 31)] == [201] * 30
    loader.request("GET", "/v1/meters")
    assert len(exact(loader.getresponse().read())["meters"]) == 31
