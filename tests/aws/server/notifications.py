"""S3's notifications as S3 sends them: complete, and beside the request that caused them."""
import itertools
import json
import queue
import threading
import traceback
import urllib.parse

from moto.awslambda.utils import get_backend
from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.s3 import notifications
from moto.sqs.models import sqs_backends

sequence = itertools.count(0x0055AED6DCD90281E5)


def event_of(name, bucket, key, rule_id):
    kind = name.removeprefix("s3:")
    entry = {"key": urllib.parse.quote_plus(key.name, safe="/"),
             "sequencer": f"{next(sequence):018X}"}
    if kind.startswith("ObjectCreated"):
        entry |= {"size": key.size, "eTag": key.etag.strip('"')}
    if bucket.is_versioned:
        entry["versionId"] = key.version_id
    return {"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": bucket.region_name,
        "eventTime": iso_8601_datetime_with_milliseconds(), "eventName": kind,
        "userIdentity": {"principalId": "AWS:LOCAL"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "LOCAL", "x-amz-id-2": "LOCAL"},
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": rule_id,
            "bucket": {"name": bucket.name, "ownerIdentity": {"principalId": "LOCAL"},
                       "arn": bucket.arn},
            "object": entry,
        },
    }]}


class Sender:
    """Sends one after the other, as soon as the request that caused it may go on."""

    def __init__(self):
        self.pending = queue.SimpleQueue()
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            task, *values = self.pending.get()
            try:
                task(*values)
            except Exception:  # It is shown in the server's log, and the next one is sent.
                traceback.print_exc()

    def __call__(self, account_id, event_name, bucket, key):
        rules = bucket.notification_configuration
        if rules is None:
            return
        name = str(getattr(event_name, "value", event_name))
        for target, chosen in ((send_to_queue, rules.queue), (send_to_function,
                                                               rules.cloud_function)):
            for rule in chosen:
                if rule.matches(event_name, key.name):
                    event = event_of(name, bucket, key, rule.id)
                    self.pending.put((target, account_id, rule.arn, event))


def send_to_queue(account_id, arn, event):
    region, name = arn.split(":")[3], arn.split(":")[-1]
    sqs_backends[account_id][region].send_message(queue_name=name, message_body=json.dumps(event))


def send_to_function(account_id, arn, event):
    function = get_backend(account_id, arn.split(":")[3]).get_function(arn)
    function.invoke(json.dumps(event), {"x-amz-invocation-type": "Event"}, {})


def install():
    notifications.send_event = Sender()
