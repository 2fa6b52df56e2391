"""`meterline demo`, as the README shows it."""
import re
import signal

from conftest import Server


def test_once_it_loads_and_answers_and_says_what_to_do_next(meterline, tmp_path):
    first = meterline("demo", "--once").out
    assert "A year of 200 example meters" in first
    assert "12 deliveries: 12 stored, 0 already loaded, 0 refused, 0 failed" in first
    assert "$ meterline query EX00027 --from 2025-01-01 --to 2025-01-07" in first
    assert re.search(r"^2025-01-07 +\d+\.?\d* +48/48 ", first, re.MULTILINE)
    assert re.search(r"^total +\d+\.?\d* +[0-9]+/17520 ", first, re.MULTILINE)
    assert "What you can do next:" in first
    assert len(list((tmp_path / "meterline-demo" / "files").iterdir())) == 12

    again = meterline("demo", "--once").out
    assert "12 deliveries: 0 stored, 12 already loaded, 0 refused, 0 failed" in again

    def answers(text):
        return text[text.index("$ meterline query"):]
    assert answers(again) == answers(first)

    hint = re.search(r"meterline (query EX00001 .*)", first)[1].split()
    assert len(meterline(*hint, "--output", "json").json["channels"][0]["series"]) == 48


def test_then_it_serves(meterline, serve, tmp_path):
    server = serve(meterline, "--folder", tmp_path / "d", verb="demo")
    (channel,) = server.json("/v1/meters/EX00027/consumption?from=2025-03-30")["channels"]
    assert channel["unit"] == "kWh" and channel["readings"] == 48 and channel["sum"] > 0
    assert server.json("/?meterId=EX00027&date=30-03-2025")["sum"] == channel["sum"]
    assert len(server.json("/v1/meters?limit=1000")["meters"]) == 201
    server.read_until("Ctrl-C stops.")
    asked = re.findall(rf"curl '{server.url}(/[^']*)'\n", server.out)
    assert len(asked) == 4
    for path in asked:
        assert "EX00" in server.get(path) or "portfolio" in path
    assert server.json(asked[-1])["sum"] > 0
    server.stop(signal.SIGTERM)


def test_what_it_says_can_be_done_next_can_be_done(meterline):
    hints = meterline("demo", "--once").out.split("What you can do next:")[1]
    commands = re.findall(r"^  meterline (.*)$", hints, re.MULTILINE)
    for command in commands:
        if command.startswith("serve"):
            server = Server(meterline.start(*command.split(), "--listen", "127.0.0.1:0"))
            assert server.json("/v1/meters?limit=1000")["meters"]
            server.stop()
        elif not command.startswith("ingest"):
            assert meterline(*command.split()).out


def test_a_folder_that_cannot_be_made(meterline, tmp_path):
    (tmp_path / "file").write_text("x")
    done = meterline("demo", "--once", "--folder", "file/demo", expect=1)
    assert "cannot make the folder file/demo" in done.err
