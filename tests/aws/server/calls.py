"""Who called what: every API call, with the role or the account that signed it."""
import contextlib
import json
import re
import secrets
import threading

from moto.core.authorization import ActionAuthenticatorMixin

ACCOUNT = "account"
ANONYMOUS = "anonymous"
CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")


class Calls:
    """All calls since the last reset, and the keys that name the callers."""

    def __init__(self, settings):
        self.settings = settings
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        with self.lock:
            self.made = []
            self.logins = {self.settings["key_id"]: (ACCOUNT, self.settings["secret"])}

    def login(self, caller):
        """A new access key of a role or a service: its id and its secret."""
        key_id, secret = "ASIA" + secrets.token_hex(8).upper(), secrets.token_hex(20)
        with self.lock:
            self.logins[key_id] = (caller, secret)
        return key_id, secret

    def caller(self, key_id):
        return self.logins.get(key_id, (ANONYMOUS, None))[0]

    def secret(self, key_id):
        return self.logins.get(key_id, (ANONYMOUS, None))[1]

    def add(self, service, operation, resource, caller):
        with self.lock:
            self.made.append((service, operation, resource, caller))

    def to_json(self):
        with self.lock:
            return json.dumps(self.made)


def signed_by(headers):
    """Key id, region and service of a signed request."""
    found = CREDENTIAL.search(headers.get("Authorization") or "")
    return found.groups() if found else (None, None, None)


def resource_of(response, service, given):
    """What a request is about, as an ARN where policies name one."""
    values = {}
    with contextlib.suppress(ValueError, TypeError):
        values = json.loads(response.body)
    if service == "s3" or not isinstance(values, dict):
        return given
    place = f"{service}:{response.region}:{response.current_account}"
    if service == "sqs":
        name = (values.get("QueueUrl") or values.get("QueueName") or "").rsplit("/", 1)[-1]
        return f"arn:aws:{place}:{name}" if name else given
    if service == "logs" and "logGroupName" in values:
        stream = values.get("logStreamName", "")
        return f"arn:aws:{place}:log-group:{values['logGroupName']}:log-stream:{stream}"
    if service == "ssm":
        name = values.get("Name") or ",".join(values.get("Names", []))
        return f"arn:aws:{place}:parameter/{name.lstrip('/')}" if name else given
    return given


def record_in(calls):
    """Lets moto tell of every call that it answers."""
    def record(response, _, resource="*"):
        key_id, _, service = signed_by(response.headers)
        service = service or response.service_name
        calls.add(service, response._get_action(), resource_of(response, service, resource),
                  calls.caller(key_id))

    ActionAuthenticatorMixin._authenticate_and_authorize_action = record
