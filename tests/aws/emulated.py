"""One function under AWS's Runtime Interface Emulator, with nothing around it: for measurements."""
import contextlib
import http.client
import json
import pathlib
import socket
import subprocess
import time

from cassandra.cluster import free_ports

from . import environment

INVOKE = "/2015-03-31/functions/function/invocations"
START_S = 30


class Emulated:
    """The emulator; it starts the function with the first call. End it by close() or a `with`."""

    def __init__(self, command, variables, timeout_s=900, log=subprocess.DEVNULL):
        self.timeout_s = timeout_s
        self.port, api_port = free_ports(["127.0.0.1"], 2)
        settings = {"AWS_LAMBDA_FUNCTION_NAME": "function",
                    "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_s),
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024"}
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", environment.checked(environment.EMULATOR),
             "--log-level", "error", "--runtime-interface-emulator-address",
             f"127.0.0.1:{self.port}", "--runtime-api-address", f"127.0.0.1:{api_port}",
             *map(str, command)], env={**settings, **variables}, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log)
        self.await_start()

    def await_start(self):
        end = time.monotonic() + START_S
        while True:
            assert self.process.poll() is None, "the emulator ended by itself"
            assert time.monotonic() < end, "the emulator did not start"
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.005)

    def invoke(self, event):
        """Answer, and seconds until it was there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)
        with contextlib.closing(connection):
            begin = time.perf_counter()
            connection.request("POST", INVOKE, json.dumps(event))
            answer = connection.getresponse().read()
            took = time.perf_counter() - begin
        answer = json.loads(answer)
        assert "errorType" not in (answer or {}), answer
        return answer, took

    def peak_memory(self):
        """Bytes that the function had in memory at most, so far."""
        task = pathlib.Path(f"/proc/{self.process.pid}/task")
        (child,) = [pid for thread in task.iterdir()
                    for pid in (thread / "children").read_text().split()]
        status = pathlib.Path(f"/proc/{child}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """The function ends with the emulator, which is told to, so that it can."""
        self.process.terminate()
        try:
            self.process.wait(START_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def url_event(path, query=""):
    """A call of a function URL, as Lambda hands it to the function."""
    return {"version": "2.0", "rawPath": path, "rawQueryString": query, "headers": {},
            "isBase64Encoded": False, "requestContext": {"requestId": "emulated", "http": {
                "method": "GET", "path": path, "sourceIp": "127.0.0.1"}}}


def object_event(bucket, key, size):
    """That an object was made, as S3 tells a function."""
    return {"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": "2026-01-01T00:00:00.000Z", "eventName": "ObjectCreated:Put",
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": bucket},
               "object": {"key": key, "size": size, "sequencer": "00"}}}]}
