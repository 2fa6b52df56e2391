"""What the tests of the deployment have in common: a copy of the scripts to run, and a stack."""
import functools
import json
import os
import shutil
import subprocess
import urllib.parse

from aws import environment
from aws.asking import ask, signed
from conftest import ROOT, binary, exact, wait_until

DEPLOY_S = 600


class Project:
    """The part of the tree that deploy.sh needs; its release build is the program under test."""

    def __init__(self, folder, aws):
        self.folder, self.aws = folder, aws
        shutil.copytree(ROOT / "deploy", folder / "deploy")
        release = folder / "build/release"
        release.mkdir(parents=True)
        (release / "meterline").symlink_to(binary())

    def run(self, script, *args, expect=0):
        """What a script printed, standard error included."""
        variables = {key: value for key, value in os.environ.items()
                     if not key.startswith(("METERLINE_", "AWS_"))}
        done = subprocess.run(
            [self.folder / "deploy" / script, *args], env=variables | self.aws.env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=DEPLOY_S, check=False)
        assert done.returncode == expect, (
            f"exit {done.returncode}, not {expect}\n{done.stdout}\n{self.aws.log_tail()}")
        return done.stdout

    def deploy(self, name, *args, expect=0):
        return self.run("deploy.sh", "--name", name, "--prebuilt", "--tool", "buildah", *args,
                        expect=expect)

    def clean_up(self, name, *args):
        return self.run("cleanup.sh", "--name", name, "--yes", *args)


class Stack:
    """A deployed system, as its users see it."""

    def __init__(self, aws, name):
        self.aws, self.name = aws, name
        self.cloudformation = aws.client("cloudformation")
        self.s3, self.sqs = aws.client("s3"), aws.client("sqs")
        self.lambdas = aws.client("lambda")

    def describe(self, name=None):
        (stack,) = self.cloudformation.describe_stacks(StackName=name or self.name)["Stacks"]
        return stack

    def output(self, key):
        return {each["OutputKey"]: each["OutputValue"]
                for each in self.describe()["Outputs"]}[key]

    @functools.cached_property
    def bucket(self):
        return self.output("BucketName")

    @functools.cached_property
    def url(self):
        return self.output("FunctionUrl")

    def resources(self, name=None):
        """Logical id -> what it is."""
        found = self.cloudformation.list_stack_resources(StackName=name or self.name)
        return {each["LogicalResourceId"]: each for each in found["StackResourceSummaries"]}

    def physical(self, logical_id):
        return self.resources()[logical_id]["PhysicalResourceId"]

    def put(self, key, content):
        content = content if isinstance(content, bytes) else content.encode()
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def ask(self, path="", is_signed=True, **parameters):
        url = self.url + path
        if parameters:
            url += "?" + urllib.parse.urlencode(parameters)
        return ask(url, signed(self.aws, url) if is_signed else None)

    def sum(self, meter, date):
        """As the first customer asks; date: ISO."""
        year, month, day = date.split("-")
        status, answer = self.ask(meterId=meter, date=f"{day}-{month}-{year}")
        assert status == 200, f"{answer}\n{self.logs('api')}"
        return exact(answer)["sum"]

    def await_sum(self, meter, date, wanted):
        try:
            wait_until(lambda: self.sum(meter, date) == wanted, f"{wanted} of {meter} on {date}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs('processor')}") from error

    def logs(self, function):
        group = f"/aws/lambda/{self.name}-{function}"
        events = self.aws.client("logs").filter_log_events(logGroupName=group)["events"]
        return "\n".join(event["message"] for event in events)

    def dead_letter(self):
        """The next one, with its attributes; it stays there."""
        url = self.output("DeadLetterQueueUrl")
        messages = wait_until(
            lambda: self.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"],
                                             VisibilityTimeout=0).get("Messages"), "a dead letter")
        return messages[0]

    def role(self, function):
        """Statements of a function's role."""
        role = self.physical(function + "Role")
        iam = self.aws.client("iam")
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
                     for name in iam.list_role_policies(RoleName=role)["PolicyNames"]]
        return role, [statement for document in documents for statement in document["Statement"]]


def template(name):
    environment.use_packages()
    from aws.server import templates  # Of the environment that the line above opens.
    return templates.parse((ROOT / "deploy/aws" / name).read_text())


def as_list(value):
    return value if isinstance(value, list) else [value]


def manifest(aws, image):
    """Of an image in the registry, and the configuration in it."""
    raw = subprocess.run(["skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{image}"],
                         capture_output=True, check=True).stdout
    config = subprocess.run(["skopeo", "inspect", "--tls-verify=false", "--config",
                             f"docker://{image}"], capture_output=True, check=True).stdout
    return json.loads(raw), json.loads(config)


