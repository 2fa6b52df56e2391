"""The local AWS itself: that it does what AWS does, and refuses what AWS refuses."""
import io
import itertools
import json
import os
import pathlib
import subprocess
import zipfile

import pytest

from aws import LocalAws, environment
from aws.asking import ask, signed
from conftest import ROOT, wait_until

environment.use_packages()
from botocore.exceptions import ClientError  # noqa: E402  Of the environment that is now open.

ECHO = pathlib.Path(__file__).parent / "aws/echo"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def aws():
    """One account for all of them; each has a stack and names of its own."""
    with LocalAws() as started:
        s3 = started.client("s3")
        s3.create_bucket(Bucket="echo-code")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(ECHO / "bootstrap", "bootstrap")
        s3.put_object(Bucket="echo-code", Key="echo.zip", Body=packed.getvalue())
        yield started


class Echo:
    """A stack with the echo function."""

    def __init__(self, aws):
        self.aws, self.name = aws, f"echo{next(numbers)}"
        self.cloudformation = aws.client("cloudformation")
        self.given = {"Name": self.name, "CodeBucket": "echo-code"}
        self.template = (ECHO / "stack.yaml").read_text()

    def deploy(self, template=None, kind="UPDATE", **parameters):
        """Status of the stack, and why."""
        self.given |= parameters
        change = f"change{next(numbers)}"
        self.cloudformation.create_change_set(
            StackName=self.name, ChangeSetName=change, ChangeSetType=kind,
            TemplateBody=template or self.template, Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value}
                        for key, value in self.given.items()])
        described = self.cloudformation.describe_change_set(StackName=self.name,
                                                            ChangeSetName=change)
        if described["Status"] == "FAILED":
            return "EMPTY", described["StatusReason"]
        self.cloudformation.execute_change_set(StackName=self.name, ChangeSetName=change)
        stack = self.describe()
        return stack["StackStatus"], stack.get("StackStatusReason", "")

    def describe(self):
        return self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]

    def output(self, key):
        return {each["OutputKey"]: each["OutputValue"]
                for each in self.describe()["Outputs"]}[key]

    def resources(self):
        found = self.cloudformation.list_stack_resources(StackName=self.name)
        return {each["LogicalResourceId"] for each in found["StackResourceSummaries"]}

    def invoke(self, event, kind="RequestResponse"):
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.name, Payload=json.dumps(event), InvocationType=kind)
        return answer.get("FunctionError"), answer["Payload"].read().decode()

    def dead_letter(self):
        sqs, url = self.aws.client("sqs"), self.output("DeadLetterQueueUrl")
        return wait_until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"),
                          "a dead letter")[0]["Body"]


@pytest.fixture
def echo(aws):
    stack = Echo(aws)
    assert stack.deploy(kind="CREATE")[0] == "CREATE_COMPLETE"
    return stack


def test_a_stack_changes_as_its_parameters_do(echo):
    assert "Dashboard" not in echo.resources()
    assert echo.deploy()[0] == "EMPTY"
    assert echo.deploy(HasDashboard="yes", Days="14")[0] == "UPDATE_COMPLETE"
    assert "Dashboard" in echo.resources()
    groups = echo.aws.client("logs").describe_log_groups(
        logGroupNamePrefix=f"/aws/lambda/{echo.name}")["logGroups"]
    assert groups[0]["retentionInDays"] == 14
    assert echo.deploy(HasDashboard="no")[0] == "UPDATE_COMPLETE"
    assert "Dashboard" not in echo.resources()


@pytest.mark.parametrize("old, new, reason", (
    ("Timeout: 1", "Timeout: 1\n      Colour: red", "Unknown parameter in input: \"Colour\""),
    ("Timeout: 1", "Timeout: soon", "soon"),
    ("MaximumRetryAttempts: 1", "MaximumRetryAttempts: 9",
     "less than or equal to 2"),
))
def test_what_cannot_be_made_is_taken_back(aws, old, new, reason):
    echo = Echo(aws)
    assert old in echo.template
    status, why = echo.deploy(echo.template.replace(old, new), kind="CREATE")
    assert status == "ROLLBACK_COMPLETE"
    assert reason in why
    assert echo.resources() == set()


@pytest.mark.parametrize("old, new, reason", (
    ("AWS::SQS::Queue\n", "AWS::SQS::Quue\n", "Unrecognized resource types: [AWS::SQS::Quue]"),
    ("!GetAtt DeadLetters.Arn", "!GetAtt Dead.Arn", "Unresolved resource dependencies [Dead]"),
    ("Default: AWS_IAM", "Default: SOME", "must be one of AllowedValues"),
))
def test_a_wrong_template_is_refused(aws, old, new, reason):
    echo = Echo(aws)
    assert old in echo.template
    with pytest.raises(ClientError, match="ValidationError") as error:
        echo.deploy(echo.template.replace(old, new), kind="CREATE")
    assert reason in str(error.value)


def test_a_deleted_stack_keeps_what_it_is_told_to(echo):
    queue = echo.output("QueueUrl")
    echo.aws.aws("cloudformation", "delete-stack", "--stack-name", echo.name)
    with pytest.raises(ClientError, match="does not exist"):
        echo.describe()
    sqs = echo.aws.client("sqs")
    assert sqs.get_queue_attributes(QueueUrl=queue)["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName=f"{echo.name}-dead")


def test_a_protected_stack_is_not_deleted(echo):
    echo.cloudformation.update_termination_protection(StackName=echo.name,
                                                      EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection"):
        echo.cloudformation.delete_stack(StackName=echo.name)


def test_a_function_runs_as_a_plain_user_on_a_read_only_root(echo):
    error, answer = echo.invoke({"a": "ä"})
    assert error is None
    assert json.loads(answer) == {"user": "993", "writable": False, "event": {"a": "ä"}}


def test_a_function_goes_on_after_it_failed_crashed_or_hung(echo):
    assert echo.invoke("please-fail") == (
        "Unhandled", '{"errorType":"Echo.Failed","errorMessage":"as asked"}')
    error, answer = echo.invoke("please-crash")
    assert error and "Runtime.ExitError" in answer
    error, answer = echo.invoke("please-hang")
    assert error and "timed out after 1.00 seconds" in answer
    assert echo.invoke({})[0] is None
    logs = echo.aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{echo.name}")
    assert "an event of 2 bytes" in [each["message"] for each in logs["events"]]


def test_what_failed_behind_the_caller_goes_to_its_destination(echo):
    assert echo.invoke({"note": "please-fail"}, "Event") == (None, "")
    letter = json.loads(echo.dead_letter())
    assert letter["requestPayload"] == {"note": "please-fail"}
    assert letter["requestContext"]["approximateInvokeCount"] == 2
    assert letter["responsePayload"]["errorType"] == "Echo.Failed"


def test_a_queue_feeds_a_function_and_keeps_what_it_refused(echo):
    sqs, url = echo.aws.client("sqs"), echo.output("QueueUrl")
    for body in ("fine", "please-refuse this one", "fine too"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    assert echo.dead_letter() == "please-refuse this one"
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "0"
    callers = {call.caller.split("-")[0] for call in echo.aws.calls()
               if call.operation == "ReceiveMessage"
               and call.resource.endswith(f":{echo.name}-queue")}
    assert callers == {f"role/{echo.name}"}


def test_a_function_url_wants_a_signature(echo, aws):
    url = echo.output("Url") + "a%20b?x=1&x=2&y=%C3%A4"
    assert ask(url)[0] == 403
    assert ask(url, signed(aws, url, secret="another"))[0] == 403
    status, answer = ask(url, signed(aws, url))
    assert status == 200
    event = json.loads(answer)["event"]
    assert event["version"] == "2.0"
    assert event["rawPath"] == "/a b"
    assert event["rawQueryString"] == "x=1&x=2&y=%C3%A4"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "ä"}


@pytest.mark.parametrize("token", ["", "of a role"])
def test_deploy_asks_a_function_url_by_the_login_of_the_aws_cli(echo, aws, tmp_path, token):
    script = f'program=test; . deploy/common.sh; region={aws.region}; ask_url "$@"'
    login = aws.env | ({"AWS_SESSION_TOKEN": token} if token else {})

    def asked(env):
        return subprocess.run(
            ["bash", "-c", script, "bash", echo.output("Url"), "a=1&b=%C3%A4", tmp_path],
            cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=True).stdout
    event = json.loads(asked(login))["event"]
    assert event["queryStringParameters"] == {"a": "1", "b": "ä"}
    assert event["headers"].get("x-amz-security-token", "") == token
    assert json.loads(asked(login | {"AWS_SECRET_ACCESS_KEY": "another"})) == {
        "Message": "Forbidden"}
    assert list(tmp_path.iterdir()) == [], "the login is gone"


def test_a_function_url_sends_bytes_as_base64(echo, aws):
    url = echo.output("Url")
    headers = signed(aws, url, b"\xff\x00") | {"Content-Type": "text/csv", "Cookie": "a=1; b=2"}
    event = json.loads(ask(url, headers | {"Content-Type": "application/gzip"}, b"\xff\x00")[1])
    assert event["event"]["body"] == "/wA="
    assert event["event"]["isBase64Encoded"] is True
    assert event["event"]["cookies"] == ["a=1", "b=2"]


def test_an_open_function_url_needs_a_policy_that_says_so(echo, aws):
    assert echo.deploy(UrlAuth="NONE")[0] == "UPDATE_COMPLETE"
    url = echo.output("Url")
    assert ask(url)[0] == 403
    aws.client("lambda").add_permission(
        FunctionName=echo.name, StatementId="everyone", Action="lambda:InvokeFunctionUrl",
        Principal="*", FunctionUrlAuthType="NONE")
    assert ask(url)[0] == 403, "one of two permissions is not enough"
    aws.client("lambda").add_permission(
        FunctionName=echo.name, StatementId="everyone-invokes", Action="lambda:InvokeFunction",
        Principal="*")
    assert ask(url)[0] == 200


def test_a_user_has_two_service_specific_credentials_at_most(aws):
    iam = aws.client("iam")
    user = {"UserName": f"user{next(numbers)}"}
    iam.create_user(**user)
    service = {"ServiceName": "cassandra.amazonaws.com"}
    made = [iam.create_service_specific_credential(**user, **service)["ServiceSpecificCredential"]
            for _ in range(2)]
    assert made[0]["ServicePassword"] != made[1]["ServicePassword"]
    with pytest.raises(iam.exceptions.LimitExceededException):
        iam.create_service_specific_credential(**user, **service)
    iam.delete_service_specific_credential(
        **user, ServiceSpecificCredentialId=made[0]["ServiceSpecificCredentialId"])
    (left,) = iam.list_service_specific_credentials(**user)["ServiceSpecificCredentials"]
    assert left["ServiceSpecificCredentialId"] == made[1]["ServiceSpecificCredentialId"]


def test_a_bucket_tells_a_queue_of_its_objects(aws):
    s3, sqs = aws.client("s3"), aws.client("sqs")
    bucket, queue = f"told{next(numbers)}", f"told{next(numbers)}"
    s3.create_bucket(Bucket=bucket)
    url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [{"Events": ["s3:ObjectCreated:*"], "QueueArn":
                                 f"arn:aws:sqs:{aws.region}:{aws.account}:{queue}"}]})
    s3.put_object(Bucket=bucket, Key="in/a +%é.csv", Body=b"x")
    bodies = [json.loads(wait_until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"),
                                    "an event")[0]["Body"]) for _ in range(2)]
    assert bodies[0]["Event"] == "s3:TestEvent"
    (record,) = bodies[1]["Records"]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["object"]["key"] == "in/a+%2B%25%C3%A9.csv"


def test_calls_are_told_with_who_made_them(aws):
    aws.aws("ssm", "put-parameter", "--name", "/told/secret", "--type", "SecureString",
            "--value", "s")
    assert ("ssm", "PutParameter", f"arn:aws:ssm:{aws.region}:{aws.account}:parameter/told/secret",
            "account") in aws.calls()
