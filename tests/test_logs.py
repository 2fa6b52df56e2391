"""What a server tells those who look after it."""
import json


def logged(err):
    """Message -> its line. A signal may be told of before the answer that came before it."""
    return {line["message"]: line for line in map(json.loads, err.splitlines())}


def test_an_answer_is_a_line_of_json_that_names_no_meter(meterline, serve):
    server = serve(meterline, "--log-level", "info")
    server.ask("/v1/meters/EE00123/consumption?from=2019-01-01", {"X-Request-Id": "mine-1"})
    server.ask("/healthz")
    err = server.stop().err
    assert "EE00123" not in err
    lines = logged(err)
    answered = lines.pop("answered")
    assert lines.pop("listening")["address"] == f"127.0.0.1:{server.port}"
    assert answered.pop("time").endswith("Z")
    assert answered.pop("durationUs") > 0
    assert answered.pop("bytes") > 0
    assert answered == {"level": "info", "message": "answered", "requestId": "mine-1",
                        "client": "127.0.0.1", "method": "GET", "route": "consumption",
                        "status": 404}
    assert [message[:10] for message in lines] == ["stopping: "]


def test_targets_are_logged_when_asked_for(meterline, serve):
    server = serve(meterline, "--log-level", "info", "--log-targets")
    server.ask("/v1/meters/EE00123/consumption?from=2019-01-01")
    answered = logged(server.stop().err)["answered"]
    assert answered["target"] == "/v1/meters/EE00123/consumption?from=2019-01-01"


def test_a_level_leaves_out_what_is_below(meterline, serve):
    server = serve(meterline, "--log-level", "warning", "--log-format", "text")
    server.ask("/v1/meters")
    assert server.stop().err == ""
