"""Event source mappings: Lambda polls a queue with the rights of the function's role."""
import json
import threading
import traceback

from moto.awslambda.models import EventSourceMapping, LambdaBackend

BATCH_MAX = 10


class Poller:
    """Feeds one queue to one function, until it is closed."""

    def __init__(self, mapping, backend, runner):
        self.mapping, self.backend, self.runner = mapping, backend, runner
        self.is_closed = threading.Event()
        scaling = getattr(mapping, "scaling_config", None) or {}
        for _ in range(min(2, int(scaling.get("MaximumConcurrency", 2)))):
            threading.Thread(target=self.work, daemon=True).start()

    def queue_url(self, sqs):
        return sqs.meta.endpoint_url + "/" + "/".join(self.mapping.event_source_arn.split(":")[-2:])

    def watch(self):
        """Lambda asks for the queue's length now and then, to see how many pollers it needs."""
        function = self.backend.get_function(self.mapping.function_arn)
        sqs = self.runner.client(function, "sqs")
        sqs.get_queue_attributes(QueueUrl=self.queue_url(sqs),
                                 AttributeNames=["ApproximateNumberOfMessages"])

    def work(self):
        self.watch()
        while not self.is_closed.is_set():
            try:
                if self.mapping.enabled in (True, "true"):
                    self.poll()
                else:
                    self.is_closed.wait(0.1)
            except Exception:  # Such as a queue that was deleted; it is shown in the server's log.
                if self.is_closed.is_set():
                    return
                traceback.print_exc()
                self.is_closed.wait(0.5)

    def poll(self):
        function = self.backend.get_function(self.mapping.function_arn)
        sqs = self.runner.client(function, "sqs")
        url = self.queue_url(sqs)
        size = min(BATCH_MAX, int(self.mapping.batch_size or BATCH_MAX))
        messages = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=size, WaitTimeSeconds=1, AttributeNames=["All"],
            MessageAttributeNames=["All"]).get("Messages", [])
        if not messages:
            return
        event = {"Records": [self.record(message) for message in messages]}
        answer, is_bad, _ = self.runner.invoke(function, json.dumps(event).encode())
        failed = {message["MessageId"] for message in messages} if is_bad else self.failed(answer)
        done = [message for message in messages if message["MessageId"] not in failed]
        if done:
            sqs.delete_message_batch(QueueUrl=url, Entries=[
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(done)])

    def failed(self, answer):
        if "ReportBatchItemFailures" not in (self.mapping.function_response_types or []):
            return set()
        answer = json.loads(answer or b"{}") or {}
        return {each["itemIdentifier"] for each in answer.get("batchItemFailures") or []}

    def record(self, message):
        return {
            "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"], "attributes": message.get("Attributes", {}),
            "messageAttributes": {
                name: {"stringValue": value.get("StringValue"), "dataType": value["DataType"]}
                for name, value in message.get("MessageAttributes", {}).items()},
            "md5OfBody": message["MD5OfBody"], "eventSource": "aws:sqs",
            "eventSourceARN": self.mapping.event_source_arn,
            "awsRegion": self.mapping.event_source_arn.split(":")[3]}

    def close(self):
        self.is_closed.set()


class Mappings:
    def __init__(self, runner):
        self.runner, self.pollers = runner, {}

    def start(self, mapping, backend):
        self.pollers[mapping.uuid] = Poller(mapping, backend, self.runner)

    def stop(self, uuid):
        poller = self.pollers.pop(uuid, None)
        if poller:
            poller.close()

    def reset(self):
        for uuid in list(self.pollers):
            self.stop(uuid)


def install(mappings):
    make, delete, init = (LambdaBackend.create_event_source_mapping,
                          LambdaBackend.delete_event_source_mapping, EventSourceMapping.__init__)

    def create_event_source_mapping(backend, spec):
        mapping = make(backend, spec)
        for queue in list_queues(backend):  # moto would call the function by itself.
            queue.lambda_event_source_mappings.clear()
        mappings.start(mapping, backend)
        return mapping

    def delete_event_source_mapping(backend, uuid):
        mappings.stop(uuid)
        return delete(backend, uuid)

    def initialise(mapping, spec):
        init(mapping, spec)
        mapping.scaling_config = spec.get("ScalingConfig")

    LambdaBackend.create_event_source_mapping = create_event_source_mapping
    LambdaBackend.delete_event_source_mapping = delete_event_source_mapping
    EventSourceMapping.__init__ = initialise


def list_queues(backend):
    from moto.sqs.models import sqs_backends
    return sqs_backends[backend.account_id][backend.region_name].queues.values()
