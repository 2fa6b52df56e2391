"""Function URLs: each a port on loopback, that calls its function with payload version 2."""
import base64
import datetime
import http.server
import json
import threading
import time
import urllib.parse
import uuid

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.awslambda.models import FunctionUrlConfig, LambdaFunction

from .calls import ANONYMOUS, signed_by

ANSWER_BYTES_MAX = 6 * 1024 * 1024
FORBIDDEN = 403, {"content-type": "application/json"}, b'{"Message":"Forbidden"}'


class UrlServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, config, runner):
        super().__init__(("127.0.0.1", 0), Handler)
        self.config, self.function, self.runner = config, config.function, runner
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return "http://%s:%d/" % self.server_address

    def caller(self, request, body):
        """Who may call, or None: AWS_IAM wants a signature, NONE a policy that lets everyone in."""
        if self.config.config.get("AuthType") == "NONE":
            return ANONYMOUS if self.lets_everyone_in() else None
        key_id, region, service = signed_by(request.headers)
        secret = self.runner.calls.secret(key_id)
        if service != "lambda" or secret is None or not is_signed(
                request, body, Credentials(key_id, secret), region):
            return None
        return self.runner.calls.caller(key_id)

    def lets_everyone_in(self):
        let = {statement.get("Action") for statement in self.function.policy.statements
               if statement.get("Principal") in ("*", {"AWS": "*"})}
        return let >= {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}

    def close(self):
        self.shutdown()
        self.server_close()


def is_signed(request, body, credentials, region):
    """Whether the signature is the one that these credentials give."""
    given = request.headers.get("Authorization", "")
    names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    url = f"http://{request.headers['Host']}{request.path}"
    signed = AWSRequest(method=request.command, url=url, data=body, headers={
        name: value for name, value in request.headers.items() if name.lower() in names})
    sent_at = request.headers.get("X-Amz-Date", "")
    signed.context["timestamp"] = sent_at
    try:
        datetime.datetime.strptime(sent_at, "%Y%m%dT%H%M%SZ")
    except ValueError:
        return False
    signer = SigV4Auth(credentials, "lambda", region)
    text = signer.string_to_sign(signed, signer.canonical_request(signed))
    return given.endswith("Signature=" + signer.signature(text, signed))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        caller = self.server.caller(self, body)
        status, headers, answer = FORBIDDEN if caller is None else self.call(body, caller)
        self.send_response(status)
        for name, value in headers.items():
            for each in value if isinstance(value, list) else [value]:
                self.send_header(name, str(each))
        if not any(name.lower() == "content-length" for name in headers):
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = handle_any

    def call(self, body, caller):
        runner, function = self.server.runner, self.server.function
        runner.calls.add("lambda", "InvokeFunctionUrl", function.function_arn, caller)
        event = self.event(body, caller)
        answer, is_bad, _ = runner.invoke(function, json.dumps(event).encode())
        if is_bad or len(answer) > ANSWER_BYTES_MAX:
            return 502, {"content-type": "text/plain"}, b"Internal Server Error"
        return http_answer(answer)

    def event(self, body, caller):
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        cookies = [part.strip() for part in headers.pop("cookie", "").split(";") if part.strip()]
        parameters = {}
        for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
            parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
        text = is_text(headers.get("content-type", ""))
        event = {
            "version": "2.0", "routeKey": "$default", "rawPath": urllib.parse.unquote(path),
            "rawQueryString": query, "headers": headers,
            "requestContext": {
                "accountId": ANONYMOUS if caller == ANONYMOUS else (
                    self.server.function.account_id),
                "apiId": "local", "domainName": headers.get("host"), "domainPrefix": "local",
                "http": {"method": self.command, "path": urllib.parse.unquote(path),
                         "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                         "userAgent": headers.get("user-agent", "")},
                "requestId": str(uuid.uuid4()), "routeKey": "$default", "stage": "$default",
                "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
                "timeEpoch": int(time.time() * 1000)},
            "isBase64Encoded": bool(body) and not text}
        if parameters:
            event["queryStringParameters"] = parameters
        if cookies:
            event["cookies"] = cookies
        if body:
            event["body"] = body.decode() if text else base64.b64encode(body).decode()
        return event

    def log_message(self, *_):
        """The function logs its own."""


def is_text(content_type):
    return content_type.startswith("text/") or content_type.split(";")[0] in (
        "application/json", "application/javascript", "application/xml")


def http_answer(answer):
    """What Lambda makes of what the function returned."""
    value = json.loads(answer or b"null")
    if not (isinstance(value, dict) and "statusCode" in value):
        return 200, {"content-type": "application/json"}, answer
    body = (value.get("body") or "").encode()
    if value.get("isBase64Encoded"):
        body = base64.b64decode(body, validate=True)
    headers = dict(value.get("headers") or {})
    if value.get("cookies"):
        headers["Set-Cookie"] = value["cookies"]
    return int(value["statusCode"]), headers, body


class Urls:
    def __init__(self, runner):
        self.runner, self.servers = runner, {}

    def start(self, config):
        server = self.servers[config.function.function_arn] = UrlServer(config, self.runner)
        config.url = server.url

    def stop(self, function):
        server = self.servers.pop(function.function_arn, None)
        if server:
            server.close()

    def reset(self):
        for server in self.servers.values():
            server.close()
        self.servers = {}


def install(urls):
    init, delete = FunctionUrlConfig.__init__, LambdaFunction.delete_url_config

    def initialise(url, function, config):
        init(url, function, config)
        urls.start(url)

    def delete_url_config(function):
        urls.stop(function)
        delete(function)

    FunctionUrlConfig.__init__ = initialise
    LambdaFunction.delete_url_config = delete_url_config


