"""Functions, run: each of their environments is one process under AWS's own emulator."""
import base64
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import traceback
import uuid

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction

from .roots import Roots

HERE = pathlib.Path(__file__).parent
INVOKE = "/2015-03-31/functions/function/invocations"
CUT_OFF = b"Task timed out"
START_S = 30
ENVIRONMENTS_MAX = 2  # Of a function without a reserved concurrency.
RETRIES = 2  # Of an asynchronous invocation, as AWS has it by default.
RETRY_AFTER_S = 0.2  # AWS waits a minute, then two.


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Environment:
    """A running function. The emulator takes one invocation at a time."""

    def __init__(self, function, runner):
        self.version = runner.version_of(function)
        root, command, variables = runner.roots.of(function)
        self.port, api_port = free_port(), free_port()
        self.log_path = runner.folder / f"{function.function_name}-{self.port}.log"
        self.stream = f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}"
        with open(self.log_path, "ab") as log:
            # unshare: when it ends, all that runs in its namespace does.
            self.process = runner.start_process(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork",
                 "--kill-child", "--propagation", "private", HERE / "enter.sh", root,
                 f"127.0.0.1:{self.port}", f"127.0.0.1:{api_port}", runner.emulator, *command],
                env={**variables, **runner.variables(function)}, cwd="/",
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.await_start()

    def await_start(self):
        end = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the emulator did not start:\n{self.log_path.read_text()}")
            time.sleep(0.01)

    def invoke(self, payload, timeout_s):
        """The answer, whether it is an error, and what was logged meanwhile."""
        begin = self.log_path.stat().st_size
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s + START_S)
        try:
            connection.request("POST", INVOKE, payload)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            answer = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": str(error)})
            return answer.encode(), True, self.log_since(begin)
        finally:
            connection.close()
        log = self.log_since(begin)
        if answer.startswith(CUT_OFF):
            log += answer.decode()
        return answer, response.status != 200 or is_error(answer), log

    def log_since(self, begin):
        with open(self.log_path, "rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")

    @property
    def is_running(self):
        return self.process.poll() is None

    def close(self):
        self.process.kill()
        self.process.wait()


def is_error(answer):
    """The emulator answers 200 even then."""
    if answer.startswith(CUT_OFF):
        return True
    if not (answer.startswith(b"{") and b'"errorType"' in answer[:4096]):
        return False
    with contextlib.suppress(ValueError):
        return {"errorType", "errorMessage"} <= set(json.loads(answer))
    return False


class Pool:
    """The environments of one function."""

    def __init__(self, function):
        self.idle = []
        self.slots = threading.BoundedSemaphore(
            int(function.reserved_concurrency or ENVIRONMENTS_MAX))


class Runner:
    """All functions that run."""

    def __init__(self, settings, calls, keyspaces, client_for):
        self.settings, self.calls, self.keyspaces = settings, calls, keyspaces
        self.client_for = client_for
        self.emulator = settings["emulator"]
        self.folder = pathlib.Path(settings["folder"])
        self.roots = Roots(settings)
        self.starter = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        self.lock = threading.Lock()
        self.pools, self.started, self.logins = {}, [], {}

    def start_process(self, command, **options):
        """By a thread that stays: the kernel ends a child with the thread that started it."""
        return self.starter.submit(subprocess.Popen, command, **options).result()

    def login(self, function):
        """The access key that the function's role gives it."""
        caller = "role/" + function.role.rsplit("/", 1)[-1]
        with self.lock:
            if caller not in self.logins:
                self.logins[caller] = self.calls.login(caller)
            return self.logins[caller]

    def client(self, function, service):
        """A client with the rights of the function's role, as Lambda's own services use it."""
        return self.client_for(service, self.login(function))

    def version_of(self, function):
        return (function.code_sha_256, function.handler, function.timeout, function.role,
                function.memory_size, json.dumps(function.environment_vars, sort_keys=True))

    def variables(self, function):
        key_id, secret = self.login(function)
        given = {name: self.keyspaces.url(value) if value.startswith("keyspaces://") else value
                 for name, value in function.environment_vars.items()}
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "en_US.UTF-8", "TZ": ":UTC",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
            "AWS_REGION": function.region, "AWS_DEFAULT_REGION": function.region,
            "AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": "local", "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.settings['port']}",
            **given}

    @contextlib.contextmanager
    def environment(self, function):
        with self.lock:
            pool = self.pools.setdefault(function.function_arn, Pool(function))
        with pool.slots:
            environment = self.take(pool, function)
            try:
                yield environment
            finally:
                pool.idle.append(environment)

    def take(self, pool, function):
        while pool.idle:
            environment = pool.idle.pop()
            if environment.is_running and environment.version == self.version_of(function):
                return environment
            environment.close()
        environment = Environment(function, self)
        self.started.append(environment)
        return environment

    def invoke(self, function, payload):
        """The answer and whether it is an error, waiting for it."""
        with self.environment(function) as environment:
            answer, is_bad, log = environment.invoke(payload, int(function.timeout))
            self.save_log(function, environment.stream, log)
        return answer, is_bad, log

    def save_log(self, function, stream, log):
        """By the function's role, and nowhere if the log group is not there."""
        now = int(time.time() * 1000)
        lines = [line for line in log.splitlines() if line.strip()]
        if not lines:
            return
        logs = self.client(function, "logs")
        group = {"logGroupName": function.logs_group_name, "logStreamName": stream}
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_stream(**group)
            logs.put_log_events(**group, logEvents=[{"timestamp": now, "message": line}
                                                    for line in lines])

    def invoke_later(self, function, payload):
        threading.Thread(target=self.keep_trying, args=(function, payload), daemon=True).start()

    def keep_trying(self, function, payload):
        try:
            configs = function.event_invoke_config
            settings = configs[-1].config if configs else {}
            retries = settings.get("MaximumRetryAttempts")
            attempts = 1 + int(RETRIES if retries is None else retries)
            for _ in range(attempts):
                answer, is_bad, _ = self.invoke(function, payload)
                if not is_bad:
                    return
                time.sleep(RETRY_AFTER_S)
            self.give_up(function, settings, payload, answer, attempts)
        except Exception:  # It is shown in the server's log.
            traceback.print_exc()

    def give_up(self, function, settings, payload, answer, attempts):
        """Sends what failed to the destination of failures, as the function's role."""
        target = (settings.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
        if not target:
            return
        sqs = self.client(function, "sqs")
        url = sqs.meta.endpoint_url + "/" + "/".join(target.split(":")[-2:])
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({
            "version": "1.0", "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "requestContext": {"requestId": str(uuid.uuid4()),
                               "functionArn": f"{function.function_arn}:$LATEST",
                               "condition": "RetriesExhausted", "approximateInvokeCount": attempts},
            "requestPayload": json.loads(payload),
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST",
                                "functionError": "Unhandled"},
            "responsePayload": json.loads(answer) if answer.startswith(b"{") else answer.decode()}))

    def forget(self, function):
        """Ends what idles of a function that was deleted."""
        with self.lock:
            pool = self.pools.pop(function.function_arn, None)
        for environment in pool.idle if pool else ():
            environment.close()

    def reset(self):
        with self.lock:
            environments, self.started = self.started, []
            self.pools, self.logins = {}, {}
        for environment in environments:
            environment.close()


def install(runner):
    """Lets moto's functions run here, from images that are really there."""
    set_code, delete = LambdaFunction._set_function_code, LambdaBackend.delete_function

    def set_function_code(function, spec):
        if "ImageUri" not in spec:
            set_code(function, spec)
            return
        digest = runner.roots.digest(spec["ImageUri"])
        if digest is None:
            raise LambdaClientError("InvalidParameterValueException", "Source image "
                                    f"{spec['ImageUri']} does not exist. Provide a valid source"
                                    " image.")
        function.code["ImageUri"] = spec["ImageUri"]
        function.code_sha_256, function.code_size = digest.removeprefix("sha256:"), 0

    def invoke(function, body, request_headers, response_headers):
        body = body.encode() if isinstance(body, str) else body or b"{}"
        headers = {name.lower(): value for name, value in dict(request_headers).items()}
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        if kind == "Event":
            runner.invoke_later(function, body)
            return b""
        if kind == "DryRun":
            return b""
        answer, is_bad, log = runner.invoke(function, body)
        if is_bad:
            response_headers["x-amz-function-error"] = "Unhandled"
        response_headers["x-amz-log-result"] = base64.b64encode(log[-4096:].encode()).decode()
        return answer

    def delete_function(backend, name, *qualifier):
        function = backend.get_function(name)
        delete(backend, name, *qualifier)
        runner.forget(function)

    LambdaBackend.delete_function = delete_function
    LambdaFunction._set_function_code = set_function_code
    LambdaFunction.invoke = invoke
    os.environ["MOTO_LAMBDA_STUB_ECR"] = "true"
