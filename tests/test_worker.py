"""The worker of a queue: what it loads, what it gives up and why, and that it loses nothing."""
import collections
import datetime
import contextlib
import itertools
import json
import os
import random
import signal
import socket
import threading

import pytest

import wide
from cassandra.proxy import copy
from conftest import DEADLINE_S, Meterline, Server, finish, new_cassandra_store, wait_until

BUCKET = "incoming"
KEYS = ["plain.csv", "a b.csv", "a+b.csv", "a%2Bb.csv", "100%.csv", "é/ü.csv", "in/../up.csv",
        "q?x=1&y#z.csv"]
VISIBILITY_S = 5
EXIT_S = 30  # What ECS gives a container after SIGTERM.


def file_of(meter, value, days=2):
    return wide.header() + "".join(wide.row(meter, wide.day(index), wide.same(value))
                                   for index in range(days))


def text_of(body):
    return body if isinstance(body, str) else json.dumps(body)


class Delivery:
    """A bucket that tells a queue of its objects, and a queue for what nobody can load."""

    def __init__(self, aws, receives_max=5):
        self.aws, self.s3, self.sqs = aws, aws.client("s3"), aws.client("sqs")
        self.dead = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        redrive = {"deadLetterTargetArn": self.arn_of(self.dead), "maxReceiveCount": receives_max}
        self.queue = self.sqs.create_queue(
            QueueName="incoming", Attributes={"RedrivePolicy": json.dumps(redrive)})["QueueUrl"]
        self.s3.create_bucket(Bucket=BUCKET)

    def arn_of(self, url):
        return self.attributes(url, "QueueArn")["QueueArn"]

    def attributes(self, url, *names):
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]

    def announce_objects(self):
        self.s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [
                {"QueueArn": self.arn_of(self.queue),
                 "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]})

    def put(self, key, content):
        body = content if isinstance(content, bytes) else content.encode()
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def download(self, key, folder):
        """A file that looks as if it was written when the object was."""
        answer = self.s3.get_object(Bucket=BUCKET, Key=key)
        path = wide.write(folder / key, answer["Body"].read())
        modified = answer["LastModified"].timestamp()
        os.utime(path, (modified, modified))
        return path

    def send(self, *bodies):
        for start in range(0, len(bodies), 10):
            self.sqs.send_message_batch(QueueUrl=self.queue, Entries=[
                {"Id": str(number), "MessageBody": text_of(body)}
                for number, body in enumerate(bodies[start:start + 10])])

    def waiting(self, url=None):
        """Messages that can be had, and those that somebody has."""
        found = self.attributes(url or self.queue, "ApproximateNumberOfMessages",
                                "ApproximateNumberOfMessagesNotVisible")
        return (int(found["ApproximateNumberOfMessages"]),
                int(found["ApproximateNumberOfMessagesNotVisible"]))

    def is_empty(self):
        return self.waiting() == (0, 0)

    def dead_letters(self):
        """Body and attributes of each."""
        letters = []
        while found := self.sqs.receive_message(
                QueueUrl=self.dead, MaxNumberOfMessages=10,
                MessageAttributeNames=["All"]).get("Messages"):
            for message in found:
                letters.append((message["Body"], {
                    name: value["StringValue"]
                    for name, value in message.get("MessageAttributes", {}).items()}))
        return letters

    def gets(self):
        return sum(call.operation == "GetObject" for call in self.aws.calls())


def record(key, bucket=BUCKET, name="ObjectCreated:Put"):
    """An event without what S3 tells of the object beside its name."""
    return {"eventSource": "aws:s3", "eventName": name,
            "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}


def event(*records):
    return {"Records": list(records)}


class Worker:
    """A running `meterline worker`, and what it logs."""

    numbers = itertools.count(1)

    def __init__(self, meterline, delivery, gate=None, **options):
        meterline.env |= delivery.aws.env
        if gate:
            meterline.env["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{gate.port}"
        settings = {"dead_letter_queue": delivery.dead, "visibility": VISIBILITY_S, "wait": 1}
        self.log_path = meterline.folder / f"worker{next(self.numbers)}.log"
        with open(self.log_path, "wb") as log:
            self.process = meterline.start(
                "worker", "--queue", delivery.queue,
                *(f"--{name.replace('_', '-')}={value}"
                  for name, value in (settings | options).items()),
                stderr=log)

    def lines(self):
        text = self.log_path.read_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def told(self, message):
        return [line for line in self.lines() if line.get("message") == message]

    def ignored(self):
        return [line["message"] for line in self.lines()
                if line.get("message", "").startswith("ignored: ")]

    def stop(self, expect=0):
        self.process.send_signal(signal.SIGTERM)
        finish(self.process, expect, deadline_s=EXIT_S)

    def kill(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def delivery(local_aws):
    return Delivery(local_aws)


@pytest.fixture
def start():
    """Starts workers; those still running at the end must stop well."""
    workers = []

    def start_worker(meterline, delivery, **options):
        workers.append(Worker(meterline, delivery, **options))
        return workers[-1]

    yield start_worker
    for worker in workers:
        if worker.process.poll() is None:
            worker.stop()


def test_what_is_put_into_the_bucket_is_loaded_whatever_its_key(meterline, delivery, start):
    delivery.announce_objects()  # Sends a test event.
    for number, key in enumerate(KEYS):
        delivery.put(key, file_of(f"M{number}", number))
    worker = start(meterline, delivery, unit="kWh")
    wait_until(lambda: len(worker.told("delivery stored")) == len(KEYS) and delivery.is_empty(),
               "all to be loaded")
    worker.stop()
    for number in range(len(KEYS)):
        assert meterline.day_sums(f"M{number}", wide.day(0), wide.day(0)) == {
            wide.day(0): 48 * number}
    stored = worker.told("delivery stored")
    assert {line["object"] for line in stored} == {f"s3://{BUCKET}/{key}" for key in KEYS}
    assert all(line["rowsStored"] == 2 and line["requestId"] for line in stored)
    ids = {each["id"] for each in meterline("deliveries").json["deliveries"]}
    assert {line["delivery"] for line in stored} == ids
    metrics = [line for line in worker.lines() if "RowsStored" in line]
    assert sum(line["RowsStored"] for line in metrics) == 2 * len(KEYS)
    assert metrics[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "meterline"
    assert worker.ignored() == [f"ignored: s3:TestEvent of bucket {BUCKET}"]
    assert delivery.dead_letters() == []


def test_the_worst_of_the_files_in_a_zip_decides_on_its_message(meterline, delivery, start):
    good, page = file_of("A", 1), "<html>not today</html>"
    delivery.put("good.zip", wide.zipped([("a.csv", good), ("b.csv", file_of("B", 1))]))
    delivery.put("page.zip", wide.zipped([("a.csv", good), ("page.csv", page), ("c.csv", good)]))
    delivery.send(event(record("good.zip")), event(record("page.zip")))
    worker = start(meterline, delivery, unit="kWh")
    wait_until(lambda: worker.told("sent to the dead letters") and delivery.is_empty(),
               "both to be loaded")
    worker.stop()
    assert {line["object"] for line in worker.told("delivery stored")} == {
        f"s3://{BUCKET}/{name}" for name in ["good.zip/a.csv", "good.zip/b.csv", "page.zip/a.csv",
                                             "page.zip/c.csv"]}
    ((_, letter),) = delivery.dead_letters()
    assert letter["object"] == f"s3://{BUCKET}/page.zip/page.csv"


def test_what_will_never_succeed_goes_to_the_dead_letters_with_its_reason(meterline, delivery,
                                                                         start):
    delivery.put("page.csv", "<html>not today</html>")
    delivery.put("good.csv", file_of("A", 1))
    refused = json.dumps(event(record("page.csv"), record("good.csv")))
    gone = json.dumps(event(record("gone.csv")))
    delivery.send("hello", refused, gone)
    worker = start(meterline, delivery)
    wait_until(lambda: len(worker.told("sent to the dead letters")) == 3 and delivery.is_empty(),
               "all to be given up")
    worker.stop()
    letters = dict(delivery.dead_letters())
    assert set(letters) == {"hello", refused, gone}
    for attributes in letters.values():
        assert attributes["source"] == delivery.queue and attributes["requestId"]
    assert letters["hello"]["reason"].startswith("wanted JSON: ")
    assert letters[refused]["object"] == f"s3://{BUCKET}/page.csv"
    assert letters[gone]["object"] == f"s3://{BUCKET}/gone.csv"
    refusals = [each for each in meterline("deliveries").json["deliveries"]
                if each["state"] == "refused"]
    assert [each["reason"] for each in refusals] == [letters[refused]["reason"]]
    assert meterline.day_sums("A", wide.day(0), wide.day(0)) == {wide.day(0): 48}


def test_a_file_whose_unit_nobody_names_goes_there_too_and_is_swept_later(meterline, delivery,
                                                                          start):
    del meterline.env["METERLINE_UNIT"]
    delivery.put("a.csv", file_of("A", 1))
    message = json.dumps(event(record("a.csv")))
    delivery.send(message)
    worker = start(meterline, delivery)
    wait_until(lambda: worker.told("sent to the dead letters") and delivery.is_empty(),
               "the message to be given up")
    worker.stop()
    letters = dict(delivery.dead_letters())
    assert "with --unit kWh or the like" in letters[message]["reason"]
    assert meterline("deliveries").json["deliveries"] == []
    swept = meterline("ingest", "--sweep", f"s3://{BUCKET}", "--unit", "kWh").json
    assert swept["sweep"]["loaded"] == 1 and swept["total"]["stored"] == 1


def test_what_is_not_for_us_is_ignored_with_a_line_in_the_log(meterline, delivery, start):
    delivery.put("old file.csv", file_of("A", 1))
    delivery.announce_objects()
    delivery.s3.delete_object(Bucket=BUCKET, Key="old file.csv")
    delivery.put("folder/", b"")
    delivery.put("empty.csv", b"")
    delivery.send(event(record("a.csv", bucket="foreign")))
    delivery.put("good.csv", file_of("B", 1))
    worker = start(meterline, delivery, buckets=f"other,{BUCKET}")
    wait_until(lambda: worker.told("delivery stored") and len(worker.ignored()) == 5 and
               delivery.is_empty(), "the queue to empty")
    worker.stop()
    assert sorted(worker.ignored()) == [
        f"ignored: ObjectRemoved:Delete of s3://{BUCKET}/old file.csv",
        f"ignored: s3://{BUCKET}/empty.csv is empty",
        f"ignored: s3://{BUCKET}/folder/ names a folder",
        f"ignored: s3:TestEvent of bucket {BUCKET}",
        "ignored: the bucket is not in --buckets"]
    assert [each["source"] for each in meterline("deliveries").json["deliveries"]] == [
        f"s3://{BUCKET}/good.csv"]
    assert delivery.dead_letters() == []


def test_a_repeated_event_asks_for_no_object(meterline, delivery, start):
    delivery.announce_objects()
    delivery.put("a.csv", file_of("A", 1))
    wait_until(lambda: delivery.waiting() == (2, 0), "the bucket to tell")
    messages = delivery.sqs.receive_message(QueueUrl=delivery.queue, MaxNumberOfMessages=10,
                                            VisibilityTimeout=0)["Messages"]
    (told,) = [message["Body"] for message in messages if "Records" in message["Body"]]
    delivery.send(*[told] * 5)
    worker = start(meterline, delivery, concurrency=1)
    wait_until(lambda: len(worker.told("delivery skipped")) == 5 and delivery.is_empty(),
               "all to be skipped")
    worker.stop()
    assert len(worker.told("delivery stored")) == 1
    assert delivery.gets() == 1


def test_a_load_that_is_stopped_comes_again_and_is_finished_by_another(meterline, delivery, start,
                                                                       tmp_path):
    names = [f"M{index:04}" for index in range(70)]
    delivery.put("big.csv", wide.large_file(9, names, days=365))
    delivery.send(event(record("big.csv")))
    gate = Gate(("127.0.0.1", delivery.aws.port), answer_bytes_max=2_000_000)
    gate.is_open.set()
    worker = start(meterline, delivery, gate=gate, grace=0, visibility=600)
    assert gate.is_full.wait(DEADLINE_S)  # So that the load is not over before it is stopped.
    worker.stop()
    gate.close()
    assert [line["reason"] for line in worker.told("delivery failed")]
    assert not worker.told("delivery stored")
    assert delivery.waiting() == (1, 0)  # At once, not after ten minutes.
    assert meterline("deliveries").json["deliveries"] == []

    second = start(meterline, delivery)
    wait_until(delivery.is_empty, "the load to end")
    second.stop()
    plain = Meterline(tmp_path)
    plain.use_store(tmp_path / "plain")
    plain("ingest", delivery.download("big.csv", tmp_path))
    is_equal = meterline.answers()[2:] == plain.answers()[2:]
    assert is_equal  # A difference of such texts would take minutes to show.
    assert len(meterline("deliveries").json["deliveries"]) == 1


class Gate:
    """A way to a server that can be closed. Through one with a maximum, a connection's answers stay
    out behind so many bytes."""

    def __init__(self, address, answer_bytes_max=None):
        self.target = address
        self.answer_bytes_max = answer_bytes_max
        self.is_open = threading.Event()
        self.is_full = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if not self.is_open.is_set():
                    client.close()
                    continue
                server = socket.create_connection(self.target)
                self.sockets += [client, server]
                for target, pair in ((copy, (client, server)), (self.answer, (server, client))):
                    threading.Thread(target=target, args=pair, daemon=True).start()

    def answer(self, server, client):
        if self.answer_bytes_max is None:
            return copy(server, client)
        left = self.answer_bytes_max
        with contextlib.suppress(OSError):
            while left > 0 and (piece := server.recv(min(left, 65536))):
                client.sendall(piece)
                left -= len(piece)
            if left > 0:
                return client.shutdown(socket.SHUT_RDWR)
            self.is_full.set()

    def close(self):
        self.is_open.clear()
        for each in self.sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.sockets = []


def test_while_the_store_is_down_messages_stay(on_cassandra, cassandra_node, delivery, start):
    host, port = cassandra_node.nodes[0].address.split(":")
    gate = Gate((host, int(port)))
    gate.is_open.set()
    on_cassandra.use_url(f"cassandra://127.0.0.1:{gate.port}/{on_cassandra.keyspace}")
    worker = start(on_cassandra, delivery)
    delivery.put("first.csv", file_of("A", 1))
    delivery.send(event(record("first.csv")))
    wait_until(lambda: worker.told("delivery stored") and delivery.is_empty(), "the first")
    gate.close()
    delivery.put("second.csv", file_of("A", 2))
    wait_until(lambda: any("nothing is received" in line.get("message", "")
                           for line in worker.lines()), "the store to be missed")
    delivery.send(event(record("second.csv")))
    warnings = len(worker.lines())
    wait_until(lambda: len(worker.lines()) > warnings, "the store to be missed again")
    assert sum(delivery.waiting()) == 1
    gate.is_open.set()
    wait_until(lambda: len(worker.told("delivery stored")) == 2 and delivery.is_empty(),
               "the second")
    worker.stop()
    assert delivery.dead_letters() == []


def test_a_worker_shows_its_health(meterline, delivery, start):
    worker = start(meterline, delivery, health_listen="127.0.0.1:0")
    server = Server(worker.process)
    assert server.json("/healthz") == {"status": "ok"}
    assert server.json("/readyz") == {"status": "ready"}
    delivery.put("a.csv", file_of("A", 1))
    delivery.send(event(record("a.csv")))
    wait_until(lambda: 'meterline_uploads_total{state="stored"} 1' in server.get("/metrics"),
               "the metrics to show it")
    assert "a worker has" in server.get("/v1/meters", expect=404)
    worker.stop()


@pytest.mark.parametrize("options, message, code", [
    (("--queue", "{endpoint}/123456789012/nowhere"), "--queue", 1),
    (("--queue", "{queue}", "--unit", "inch"), "--unit: want one of", 2),
    (("--queue", "{queue}", "--health-listen", "here"), "--health-listen: want ADDRESS:PORT", 2),
    (("--queue", "{queue}", "--concurrency", "0"), "--concurrency", 2),
    (("--queue", "{queue}", "--log-format", "xml"), "--log-format", 2),
    ((), "--queue is required", 2),
])
def test_what_cannot_work_ends_it_with_a_message(meterline, delivery, options, message, code):
    meterline.env |= delivery.aws.env
    places = {"endpoint": delivery.aws.endpoint, "queue": delivery.queue}
    done = meterline("worker", *(option.format_map(places) for option in options), expect=code)
    assert message in done.err


OBJECTS, EVENTS, WORKERS, RECORDS_MAX = 1000, 10_000, 3, 25
KILL_EVERY_S = 5


def shuffled_events(rng, facts):
    """Messages of 1 to RECORDS_MAX events; each object at least once."""
    keys = [*range(OBJECTS), *(rng.randrange(OBJECTS) for _ in range(EVENTS - OBJECTS))]
    rng.shuffle(keys)
    while keys:
        count = rng.randint(1, RECORDS_MAX)
        records = [record(key_of(key)) for key in keys[:count]]
        for each in records:
            each["s3"]["object"] |= facts[each["s3"]["object"]["key"]]
        yield event(*records)
        del keys[:count]


def key_of(number):
    return f"{number % 10}/{number:04}.csv"


def small_files(folder):
    """Days that later files say anew, so that what counts is decided by versions."""
    rng = random.Random(17)
    for number in range(OBJECTS):
        meters = rng.sample(range(40), 3)
        rows = [wide.row(f"M{meter:02}", wide.day(rng.randrange(28)),
                         [rng.randrange(3000) for _ in range(48)]) for meter in meters]
        wide.write(folder / key_of(number), wide.header() + "".join(rows))
    return folder


class Kills:
    """One of the workers is killed every so often, and another takes its place."""

    def __init__(self, workers, start_another):
        self.workers, self.start_another = workers, start_another
        self.count, self.done = 0, threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.done.wait(KILL_EVERY_S):
            self.workers.popleft().kill()
            self.workers.append(self.start_another())
            self.count += 1

    def end(self):
        self.done.set()
        self.thread.join()
        return self.count


def assert_holds_what_a_plain_ingest_would(store, delivery, folder):
    pages = delivery.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    for item in (item for page in pages for item in page["Contents"]):
        modified = item["LastModified"].timestamp()
        os.utime(folder / item["Key"], (modified, modified))
    found = store("deliveries", "--limit", 2 * OBJECTS).json["deliveries"]
    # Of what one second brought, what was received last counts.
    found.sort(key=lambda each: datetime.datetime.fromisoformat(each["receivedAt"]))
    plain = Meterline(store.folder)
    plain.use_store(store.folder / "plain")
    plain("ingest", "--threads", 1,
          *(folder / each["source"].removeprefix(f"s3://{BUCKET}/") for each in found))
    names, _, *answers = plain.answers()
    names_on_store, _, *answers_on_store = store.answers()
    assert names_on_store == names
    assert [ours == theirs for ours, theirs in zip(answers_on_store, answers)] == [
        True] * len(answers)  # A difference of such texts would take minutes to show.
    assert sorted(each["source"] for each in found) == sorted(
        f"s3://{BUCKET}/{key_of(number)}" for number in range(OBJECTS))
    assert {each["state"] for each in found} == {"stored"}
    store("store", "check")


def test_workers_that_are_killed_lose_and_double_nothing(on_cassandra, delivery, start):
    folder = small_files(on_cassandra.folder / "files")
    facts = {}
    for number in range(OBJECTS):
        content = (folder / key_of(number)).read_bytes()
        facts[key_of(number)] = {"size": len(content),
                                 "eTag": delivery.put(key_of(number), content)["ETag"].strip('"')}
    messages = list(shuffled_events(random.Random(4), facts))
    delivery.send(*messages)
    workers = collections.deque(start(on_cassandra, delivery) for _ in range(WORKERS))
    kills = Kills(workers, lambda: start(on_cassandra, delivery))
    try:
        wait_until(delivery.is_empty, "the queue to empty", deadline_s=240)
    finally:
        count = kills.end()
    for worker in workers:
        worker.stop()
    assert count >= 1
    assert delivery.is_empty() and delivery.waiting(delivery.dead) == (0, 0)
    assert_holds_what_a_plain_ingest_would(on_cassandra, delivery, folder)
