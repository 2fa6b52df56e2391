"""Requests a second of meterline's server against those of an empty handler of the same library."""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import urllib.request

import measure

CONNECTIONS = 8
SCRIPT = """
local paths = {{}}
for line in io.lines("{paths}") do paths[#paths + 1] = line end
local at = 0
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
"""


def path_of(meter, date):
    year, month, day = date.split("-")
    return f"/?meterId={meter}&date={day}-{month}-{year}"


@contextlib.contextmanager
def server(command, log, port_pattern):
    """A server that says on its output where it listens."""
    with open(log, "wb") as err:
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                                   stderr=err, text=True)
    try:
        for line in process.stdout:
            if found := re.search(port_pattern, line):
                break
        else:
            raise SystemExit(f"{command[0]} did not listen; see {log}")
        yield process.pid, f"http://127.0.0.1:{found[1]}"
    finally:
        process.terminate()
        process.communicate()


def load(pid, url, script, seconds):
    """Requests a second, and the server's CPU microseconds for each."""
    before = measure.cpu_of(pid)
    text = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script, url],
                          capture_output=True, text=True, check=True).stdout
    cpu = measure.cpu_of(pid) - before
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{url} did not answer all requests:\n{text}")
    requests = int(re.search(r"(\d+) requests in", text)[1])
    rate = float(re.search(r"Requests/sec:\s+([0-9.]+)", text)[1])
    return {"requests_s": rate, "cpu_us": cpu / requests * 1e6}


class HttpRace:
    def __init__(self, places, store, folder, keys, seconds):
        self.folder = pathlib.Path(folder)
        self.keys, self.seconds = keys, seconds
        self.script = self.folder / "wrk.lua"
        paths = self.folder / "paths"
        paths.write_text("".join(path_of(meter, date) + "\n" for meter, date, _ in keys))
        self.script.write_text(SCRIPT.format(paths=paths))
        self.servers = {
            "meterline": ([places.build / "meterline", "serve", "--listen", "127.0.0.1:0",
                           "--log-level", "warning", "--store", f"rocksdb:{store}"],
                          r"listening on http://[^ ]*:(\d+)"),
            "empty": ([places.build / "bench/empty_server", os.cpu_count()], r"^(\d+)$"),
        }

    def round(self):
        """Server -> what it reached."""
        results = {}
        for name, (command, pattern) in self.servers.items():
            with server(command, self.folder / f"{name}.log", pattern) as (pid, url):
                load(pid, url, self.script, 1)
                results[name] = load(pid, url, self.script, self.seconds)
        return results

    def answers(self, count):
        """The sums that the server gives for the first keys."""
        command, pattern = self.servers["meterline"]
        with server(command, self.folder / "meterline.log", pattern) as (_, url):
            sums = []
            for meter, date, _ in self.keys[:count]:
                with urllib.request.urlopen(url + path_of(meter, date)) as answer:
                    sums.append(json.load(answer)["sum"])
            return sums
