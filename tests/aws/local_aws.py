"""Starts the local AWS, and says how to reach it."""
import atexit
import collections
import json
import os
import pathlib
import shutil
import string
import subprocess
import tempfile
import urllib.request

from cassandra.cluster import free_ports, wait_for

from . import environment

HERE = environment.HERE
HOST = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT = "123456789012"
KEY_ID, SECRET = "AKIAMETERLINETESTS00", "local/secret+of/the+tests"
GRACE_S = 30
FOLDER_PREFIX = "meterline-aws-"

Call = collections.namedtuple("Call", "service operation resource caller")


class LocalAws:
    """A running AWS of one account and region. To be ended by close() or a `with`.

    `cassandra`: the cluster that is Amazon Keyspaces here.
    """

    account, region = ACCOUNT, REGION

    def __init__(self, cassandra=None):
        self.folder = new_folder()
        self.processes = []
        atexit.register(self.close)
        self.port, registry_port = free_ports([HOST], 2)
        self.endpoint = f"http://{HOST}:{self.port}"
        self.registry = f"{HOST}:{registry_port}"
        self.settings = {
            "folder": str(self.folder / "server"), "port": self.port, "region": REGION,
            "account": ACCOUNT, "key_id": KEY_ID, "secret": SECRET, "registry": self.registry,
            "emulator": str(environment.EMULATOR),
            "cassandra": cassandra_settings(cassandra),
        }
        self.write_container_settings()
        try:
            self.start_registry()
            self.run("cli", ["/usr/bin/python3", HERE / "cli_server.py", self.folder / "cli"],
                     os.environ)
            self.start_server()
            wait_for((self.folder / "cli").exists, lambda: f"the CLI:\n{self.log_tail('cli')}")
        except BaseException:
            self.close()
            raise

    def start_server(self):
        (self.folder / "server").mkdir()
        settings = self.folder / "settings.json"
        settings.write_text(json.dumps(self.settings))
        variables = os.environ | {"PYTHONPATH": str(HERE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        self.run("server", [environment.python(), "-m", "aws.server", settings], variables)
        self.await_answer("server", self.endpoint + "/local-aws/calls")

    def start_registry(self):
        template = string.Template((HERE / "registry.yaml").read_text())
        config = self.folder / "registry.yaml"
        config.write_text(template.substitute(folder=self.folder / "registry",
                                              address=self.registry))
        self.run("registry", ["docker-registry", "serve", config], os.environ)
        self.await_answer("registry", f"http://{self.registry}/v2/")

    def run(self, name, command, variables):
        """setpriv: the kernel ends the process with this one, however that ends."""
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes.append(subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *map(str, command)], env=variables,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                start_new_session=True))

    def await_answer(self, name, url):
        process = self.processes[-1]

        def answers():
            assert process.poll() is None, f"the {name} ended by itself:\n{self.log_tail(name)}"
            try:
                with urllib.request.urlopen(url, timeout=GRACE_S) as answer:
                    return answer.status == 200
            except OSError:
                return False

        wait_for(answers, lambda: f"the {name}:\n{self.log_tail(name)}")

    def log_tail(self, name="server", lines=60):
        text = (self.folder / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    @property
    def env(self):
        """Environment variables for aws, deploy.sh, buildah and meterline."""
        path = f"{HERE / 'bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}"
        return {
            "PATH": path,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "METERLINE_TEST_AWS_CLI": str(self.folder / "cli"),
            "BUILDAH_ISOLATION": "chroot",
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
        }

    def write_container_settings(self):
        """A store of its own for buildah."""
        containers = self.folder / "containers"
        (self.folder / "storage.conf").write_text(
            f'[storage]\ndriver = "vfs"\ngraphroot = "{containers}/graph"\n'
            f'runroot = "{containers}/run"\n')

    def client(self, service, **options):
        """A boto3 client with the rights of the account."""
        environment.use_packages()
        import boto3  # Of the environment that the line above opens.
        settings = {"endpoint_url": self.endpoint, "region_name": REGION,
                    "aws_access_key_id": KEY_ID, "aws_secret_access_key": SECRET}
        return boto3.client(service, **(settings | options))

    def aws(self, *args, input=None, expect=0):
        """Standard output of the real aws CLI."""
        done = subprocess.run(["aws", *map(str, args)], env=os.environ | self.env, input=input,
                              capture_output=True, text=True, check=False)
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def calls(self):
        """Every API call made since the last reset, in order."""
        with urllib.request.urlopen(self.endpoint + "/local-aws/calls") as answer:
            return [Call(*call) for call in json.load(answer)]

    def reset(self):
        """Forgets everything but the images of the registry: an account as new."""
        request = urllib.request.Request(self.endpoint + "/local-aws/reset", method="POST")
        urllib.request.urlopen(request).close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait(GRACE_S)
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)


def cassandra_settings(cluster):
    """How to reach the cluster, as plain values for another process."""
    if cluster is None:
        return None
    return {"hosts": [node.host for node in cluster.nodes], "port": cluster.port,
            "login": cluster.login, "ca": str(cluster.ca) if cluster.ca else None}


def new_folder():
    """What test runs that were killed left behind is removed."""
    parent = pathlib.Path(tempfile.gettempdir())
    for old in parent.glob(FOLDER_PREFIX + "*"):
        owner = old.name.removeprefix(FOLDER_PREFIX).split("-")[0]
        if not pathlib.Path("/proc", owner).exists():
            shutil.rmtree(old, ignore_errors=True)
    return pathlib.Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-"))
