"""deploy.sh and cleanup.sh, run by the real aws CLI: the whole system on a local AWS."""
import fnmatch
import gzip
import json
import pathlib
import subprocess
import tarfile

import pytest

import wide
from aws import LocalAws
from conftest import Meterline, exact, wait_until
from deployment import Project, Stack, as_list, manifest, template

IMAGE_BYTES_MAX = 60_000_000
OTHERS = {"BucketMayInvoke", "DirectCalls", "EveryoneMayCall", "EveryoneMayInvoke"}
METERS = [f"EE{number:05}" for number in range(20)]
# By another name in policies than the call has.
ACTIONS = {"DeleteMessageBatch": "DeleteMessage", "SendMessageBatch": "SendMessage",
           "ChangeMessageVisibilityBatch": "ChangeMessageVisibility"}
# Allowed, though no call of the API shows it.
NEVER_SEEN = {
    "cassandra:Select": "asked in CQL, where the test reads what was stored",
    "cassandra:Modify": "asked in CQL, where the test reads what was stored",
    "sqs:ChangeMessageVisibility": "only of messages that are to be tried again",
    "s3:ListBucket": "only decides whether a missing object looks missing or forbidden",
    "s3:GetObject": "for events without a version; a versioned bucket's events have one",
    "s3:GetObjectVersion": "for events with a version",
}


@pytest.fixture(scope="module")
def aws(cassandra_node):
    with LocalAws(cassandra_node) as started:
        yield started


@pytest.fixture(scope="module")
def project(aws, tmp_path_factory):
    return Project(tmp_path_factory.mktemp("project"), aws)


@pytest.fixture(scope="module")
def shop(aws, project):
    """The system as most have it: by queue, its URL closed."""
    printed = project.deploy("shop", "--unit", "kWh")
    assert "smoke test: answered" in printed
    return Stack(aws, "shop")


@pytest.fixture(scope="module")
def corner(aws, project, shop):
    """Another one beside it: direct calls, open to everyone, logins by password."""
    printed = project.deploy("corner", "--delivery", "direct", "--url-auth", "NONE",
                             "--credentials", "service-specific")
    assert "WARNING: UrlAuth NONE lets everyone who knows the URL read" in printed
    assert "smoke test: answered" in printed
    return Stack(aws, "corner")


@pytest.fixture(scope="module")
def loaded(shop):
    """Three files in three packings, under keys that are often got wrong."""
    texts = {f"in/{name}": wide.random_file(seed, METERS[seed * 5:seed * 5 + 5], 4)
             for seed, name in enumerate(("a b+c.csv", "100%.csv.gz", "é/ü&=?.csv.zst"))}
    for (key, text), pack in zip(texts.items(), (
            str.encode, lambda text: gzip.compress(text.encode()), wide.zstd_frame)):
        shop.put(key, pack(text))
    sums = {}
    for text in texts.values():
        sums |= wide.sums_of(text)
    return sums


def test_files_reach_the_store_and_the_url_answers(shop, loaded):
    for (meter, date), wanted in loaded.items():
        shop.await_sum(meter, date, wanted)
    assert shop.sum("UNKNOWN", "2019-01-01") == 0
    assert shop.ask(meterId="EE00001")[0] == 400
    status, answer = shop.ask(f"v1/meters/{METERS[0]}/consumption",
                              **{"from": "2019-01-01", "to": "2019-01-04", "resolution": "day"})
    assert status == 200
    (channel,) = exact(answer)["channels"]
    assert {point["start"]: point["sum"] for point in channel["series"]} == {
        date: loaded[METERS[0], date] for date in map(wide.day, range(4))}
    assert channel["unit"] == "kWh"


def test_the_store_is_a_real_cassandra(shop, loaded, cassandra_node, tmp_path):
    meterline = Meterline(tmp_path)
    meterline.use_url(f"cassandra://{cassandra_node.addresses}/shop")
    meterline("store", "check")
    assert {(METERS[7], date): total for date, total in
            meterline.day_sums(METERS[7], "2019-01-01", "2019-01-04").items()} == {
                key: total for key, total in loaded.items() if key[0] == METERS[7]}


def test_only_who_may_gets_an_answer(shop):
    assert shop.ask(is_signed=False, meterId="EE00001", date="01-01-2019")[0] == 403


def test_a_broken_file_ends_as_a_dead_letter_with_its_reason(shop, aws):
    shop.put("in/broken file.csv.gz", gzip.compress(b"Meter,Date,0:00\n" * 1000)[:-20])
    letter = shop.dead_letter()
    attributes = {name: value["StringValue"]
                  for name, value in letter["MessageAttributes"].items()}
    assert attributes["object"].startswith(f"s3://{shop.bucket}/in/broken file.csv.gz")
    assert "gzip" in attributes["reason"]
    assert attributes["requestId"]
    assert json.loads(letter["Body"])["Records"][0]["s3"]["object"]["key"] == (
        "in/broken+file.csv.gz")
    queue = shop.sqs.get_queue_attributes(QueueUrl=shop.output("QueueUrl"),
                                          AttributeNames=["All"])["Attributes"]
    assert queue["ApproximateNumberOfMessages"] == "0"


def test_everything_of_the_templates_is_there(shop, aws):
    wanted = set(template("main.yaml")["Resources"]) - OTHERS
    found = shop.resources()
    assert set(found) == wanted
    assert set(shop.resources("shop-ecr")) == set(template("ecr.yaml")["Resources"])
    assert shop.describe()["StackStatus"] == "CREATE_COMPLETE"
    assert shop.describe()["EnableTerminationProtection"] is True


def test_the_bucket_is_as_it_should_be(shop, aws):
    bucket = {"Bucket": shop.bucket}
    s3 = shop.s3
    assert shop.bucket == f"shop-{aws.account}-{aws.region}"
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"]
               .values()) == {True}
    (rule,) = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (rule,) = s3.get_bucket_ownership_controls(**bucket)["OwnershipControls"]["Rules"]
    assert rule["ObjectOwnership"] == "BucketOwnerEnforced"
    rules = {rule["ID"]: rule for rule in
             s3.get_bucket_lifecycle_configuration(**bucket)["Rules"]}
    assert rules["archive"]["Transitions"][0]["Days"] == 90
    assert rules["old-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    assert rules["cut-off-uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7
    (statement,) = json.loads(s3.get_bucket_policy(**bucket)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    told = s3.get_bucket_notification_configuration(**bucket)
    assert [rule["Events"] for rule in told["QueueConfigurations"]] == [["s3:ObjectCreated:*"]]
    assert "LambdaFunctionConfigurations" not in told


def test_the_queues_are_as_they_should_be(shop):
    queue, dead = (shop.sqs.get_queue_attributes(QueueUrl=shop.output(name), AttributeNames=["All"])
                   ["Attributes"] for name in ("QueueUrl", "DeadLetterQueueUrl"))
    assert queue["VisibilityTimeout"] == "1800"
    assert json.loads(queue["RedrivePolicy"]) == {
        "deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 5}
    assert dead["MessageRetentionPeriod"] == "1209600"
    for attributes in (queue, dead):
        assert any(statement["Sid"] == "OnlyTls" for statement in
                   json.loads(attributes["Policy"])["Statement"])
    (mapping,) = shop.lambdas.list_event_source_mappings(
        FunctionName="shop-processor")["EventSourceMappings"]
    assert mapping["EventSourceArn"] == queue["QueueArn"]
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_functions_are_as_they_should_be(shop, aws):
    logs = aws.client("logs")
    for name, memory, timeout in (("processor", 1024, 300), ("api", 512, 30)):
        settings = shop.lambdas.get_function_configuration(FunctionName=f"shop-{name}")
        assert settings["PackageType"] == "Image"
        assert (settings["MemorySize"], settings["Timeout"]) == (memory, timeout)
        assert settings["Role"].endswith(shop.physical(name.capitalize() + "Role"))
        assert settings["Environment"]["Variables"]["METERLINE_STORE"] == (
            f"keyspaces://{aws.region}/shop?expected-meters=1000000")
        assert "PASSWORD" not in json.dumps(settings["Environment"])
        (group,) = logs.describe_log_groups(
            logGroupNamePrefix=f"/aws/lambda/shop-{name}")["logGroups"]
        assert group["retentionInDays"] == 30
    url = shop.lambdas.get_function_url_config(FunctionName="shop-api")
    assert url["AuthType"] == "AWS_IAM"
    assert url["FunctionUrl"] == shop.output("FunctionUrl")


def test_the_tables_are_as_they_should_be(shop, aws):
    keyspaces = aws.client("keyspaces")
    tables = {each["tableName"] for each in keyspaces.list_tables(keyspaceName="shop")["tables"]}
    assert tables == {
        resource["Properties"]["TableName"] for resource in template("main.yaml")
        ["Resources"].values() if resource["Type"] == "AWS::Cassandra::Table"}
    for table in tables:
        described = keyspaces.get_table(keyspaceName="shop", tableName=table)
        assert described["capacitySpecification"]["throughputMode"] == "PAY_PER_REQUEST"
        assert described["pointInTimeRecovery"]["status"] == "ENABLED"
        assert described["encryptionSpecification"]["type"] == "AWS_OWNED_KMS_KEY"


def test_alarms_watch_what_is_there(shop, aws):
    watch = aws.client("cloudwatch")
    alarms = {alarm["AlarmName"]: alarm for alarm in
              watch.describe_alarms(AlarmNamePrefix="shop-")["MetricAlarms"]}
    assert set(alarms) == {f"shop-{name}" for name in (
        "dead-letters", "oldest-message", "processor-errors", "processor-throttles", "api-errors",
        "api-throttles", "api-unavailable", "keyspace-throttles")}
    names = {"QueueName": {"shop-files", "shop-dead-letters"},
             "FunctionName": {"shop-processor", "shop-api"}}
    throttles = alarms.pop("shop-keyspace-throttles")
    watched = [{each["Name"]: each["Value"] for each in query["MetricStat"]["Metric"]["Dimensions"]}
               for query in throttles["Metrics"] if "MetricStat" in query]
    assert {each["Keyspace"] for each in watched} == {"shop"}
    for alarm in alarms.values():
        (dimension,) = alarm["Dimensions"]
        assert dimension["Value"] in names[dimension["Name"]]
    body = json.loads(watch.get_dashboard(DashboardName="shop")["DashboardBody"])
    assert len(body["widgets"]) == 8


def test_the_repositories_keep_only_what_was_not_changed(shop, aws):
    for repository in aws.client("ecr").describe_repositories(
            repositoryNames=["shop/processor", "shop/api"])["repositories"]:
        assert repository["imageTagMutability"] == "IMMUTABLE"
        assert repository["imageScanningConfiguration"] == {"scanOnPush": True}


@pytest.mark.parametrize("name", ("processor", "api"))
def test_an_image_holds_the_program_and_nothing_else(shop, aws, project, name, tmp_path):
    image = shop.lambdas.get_function(FunctionName=f"shop-{name}")["Code"]["ImageUri"]
    layers, config = manifest(aws, image)
    settings = config["config"]
    assert settings["User"] == "65532:65532"
    assert settings["Entrypoint"] == ["/meterline", "lambda", name]
    assert len(layers["layers"]) == 1
    folder = tmp_path / "image"
    subprocess.run(["skopeo", "copy", "-q", "--src-tls-verify=false", f"docker://{image}",
                    f"dir:{folder}"], check=True)
    with tarfile.open(folder / layers["layers"][0]["digest"].split(":")[1]) as layer:
        members = {"/" + member.name: member for member in layer}
    files = {path for path, member in members.items() if not member.isdir()}
    assert sum(member.size for member in members.values()) < IMAGE_BYTES_MAX
    zones = {path for path in files if path.startswith("/usr/share/zoneinfo/")}
    assert "/usr/share/zoneinfo/Europe/London" in zones
    assert {path for path in files - zones if ".so" not in pathlib.PurePath(path).name} == {
        "/meterline", "/etc/passwd", "/etc/group", "/etc/ssl/certs/ca-certificates.crt"}
    assert {member.mode & 0o7000 for path, member in members.items() if path != "/tmp"} == {0}
    assert not any(member.mode & 0o022 for path, member in members.items()
                   if path != "/tmp" and not member.issym())


def may(statements, action, resource):
    return any(statement["Effect"] == "Allow"
               and any(fnmatch.fnmatchcase(action, each) for each in as_list(statement["Action"]))
               and any(fnmatch.fnmatchcase(resource, each)
                       for each in as_list(statement["Resource"]))
               for statement in statements)


@pytest.mark.parametrize("stack", ("shop", "corner"))
@pytest.mark.parametrize("function", ("Processor", "Api"))
def test_a_role_allows_what_is_used_and_nothing_else(stack, function, aws, request):
    stack = request.getfixturevalue(stack)
    stack.put("in/also broken.csv.gz", b"\x1f\x8b")
    stack.dead_letter()
    role, statements = stack.role(function)
    used = {(f"{call.service}:{ACTIONS.get(call.operation, call.operation)}", call.resource)
            for call in aws.calls() if call.caller == f"role/{role}"}
    assert used
    refused = {each for each in used if not may(statements, *each)}
    assert refused == set()
    allowed = {action for statement in statements for action in as_list(statement["Action"])}
    assert allowed - {action for action, _ in used} <= set(NEVER_SEEN)
    assert all("*" not in action for action in allowed)
    assert all(resource != "*" for statement in statements
               for resource in as_list(statement["Resource"]))


def test_deployed_again_nothing_changes(shop, aws, project):
    before = shop.resources() | shop.resources("shop-ecr")
    images = aws.client("ecr").list_images(repositoryName="shop/processor")["imageIds"]
    printed = project.deploy("shop")
    assert printed.count("is as it should be") == 2
    assert "pushing" not in printed
    assert "no smoke test" in printed
    assert shop.resources() | shop.resources("shop-ecr") == before
    assert aws.client("ecr").list_images(repositoryName="shop/processor")["imageIds"] == images


def test_a_dry_run_does_nothing(project, aws):
    count = len(aws.client("cloudformation").describe_stacks()["Stacks"])
    assert "stack third (NONE)" in project.deploy("third", "--dry-run")
    assert len(aws.client("cloudformation").describe_stacks()["Stacks"]) == count


@pytest.mark.parametrize("args, reason", (
    (("--url-auth", "NONE", "--uploads", "on"), "would let anyone write into the store"),
    (("--delivery", "pigeon"), "want one of queue direct worker"),
    (("--parameter", "nothing"), "want KEY=VALUE"),
    (("--base-digest", "sha256:1"), "want sha256: and 64 digits"),
))
def test_wrong_options_are_refused(project, args, reason):
    assert reason in project.deploy("third", *args, expect=2)


def test_a_second_stack_lives_beside_the_first(corner, shop):
    corner.put("x/one file.csv", wide.header() + wide.row("EE99999", "2019-05-01", wide.same(2)))
    wait_until(lambda: exact(corner.ask(is_signed=False, meterId="EE99999", date="01-05-2019")[1])
               .get("sum") == 96, "the sum of a file that S3 gave to the function itself")
    assert shop.sum("EE99999", "2019-05-01") == 0
    assert {"BucketMayInvoke", "DirectCalls", "EveryoneMayCall"} < set(corner.resources())
    assert not {"Queue", "QueuePolicy", "ProcessorFeed"} & set(corner.resources())


def test_credentials_are_secret_and_can_be_replaced(corner, aws, project):
    iam, ssm = aws.client("iam"), aws.client("ssm")
    user = {"UserName": corner.resources("corner-credentials")["User"]["PhysicalResourceId"]}
    names = {"Names": ["/corner/keyspaces/user", "/corner/keyspaces/password"],
             "WithDecryption": True}

    def state():
        (credential,) = iam.list_service_specific_credentials(**user)["ServiceSpecificCredentials"]
        parameters = ssm.get_parameters(**names)["Parameters"]
        assert {each["Type"] for each in parameters} == {"SecureString"}
        return credential["ServiceSpecificCredentialId"], {
            each["Name"]: each["Value"] for each in parameters}

    before = state()
    printed = project.deploy("corner", "--credentials", "service-specific")
    after = state()
    assert "smoke test: answered" in printed
    assert before[0] != after[0]
    password = names["Names"][1]
    assert before[1][password] != after[1][password]
    for secret in (before[1][password], after[1][password]):
        assert secret not in printed + corner.logs("api") + corner.logs("processor")
    variables = corner.lambdas.get_function_configuration(
        FunctionName="corner-api")["Environment"]["Variables"]
    assert variables["METERLINE_CASSANDRA_PASSWORD_PARAMETER"] == password
    readers = {call.caller for call in aws.calls()
               if call.service == "ssm" and call.caller.startswith("role/")}
    assert readers == {f"role/{corner.role(name)[0]}" for name in ("Api", "Processor")}


FIRST_DAY_CUT_OFF = ("SELECT date FROM shop.reading_days WHERE meter = 'CUT000' AND year = 2019"
                     " LIMIT 1")


def receives(stack):
    return sum(call.operation == "ReceiveMessage" and call.resource.endswith(":shop-files")
               for call in stack.aws.calls())


def rows_of(stack, name):
    """What became of the rows of the deliveries of that name."""
    status, answer = stack.ask("v1/deliveries", limit=100)
    assert status == 200
    return [each["rows"] for each in exact(answer)["deliveries"] if name in each["source"]]


def test_a_load_that_is_cut_off_finishes_later_and_doubles_nothing(shop, cassandra_node):
    text = wide.large_file(3, [f"CUT{number:03}" for number in range(250)], 365)
    function, queue = {"FunctionName": "shop-processor"}, {"QueueUrl": shop.output("QueueUrl")}
    shop.lambdas.update_function_configuration(**function, Timeout=1)
    shop.sqs.set_queue_attributes(**queue, Attributes={"VisibilityTimeout": "2"})
    polls = receives(shop)
    wait_until(lambda: receives(shop) >= polls + 4, "pollers that know of the new time")
    calls = shop.logs("processor").count("START RequestId")
    (node,) = cassandra_node.nodes
    with node.cql() as cql:
        shop.put("in/cut off.csv.gz", gzip.compress(text.encode(), compresslevel=1))
        wait_until(lambda: cql(FIRST_DAY_CUT_OFF), "the first days of the load")
        node.pause()  # So that no machine is fast enough to finish in one call.
    try:
        wait_until(lambda: shop.logs("processor").count("START RequestId") > calls,
                   "the end of the first call")
    finally:
        node.resume()
    wait_until(lambda: shop.logs("processor").count("START RequestId") >= calls + 2,
               "a second call for what the first had no time for")
    shop.lambdas.update_function_configuration(**function, Timeout=300)
    shop.sqs.set_queue_attributes(**queue, Attributes={"VisibilityTimeout": "1800"})
    sums = wide.sums_of(text)
    for key in (("CUT249", wide.day(364)), ("CUT000", wide.day(0)), ("CUT125", wide.day(180))):
        shop.await_sum(*key, sums[key])
    wait_until(lambda: rows_of(shop, "cut off") == [
        {"read": 91250, "stored": 91250, "repeated": 0, "rejected": 0}], "one complete delivery")


def test_the_zip_runs_with_nothing_but_its_own_files(shop, project, aws, tmp_path, loaded):
    package = tmp_path / "lambda.zip"
    project.run("package-lambda.sh", "--output", str(package))
    settings = shop.lambdas.get_function_configuration(FunctionName="shop-api")
    shop.lambdas.create_function(
        FunctionName="zipped-api", Runtime="provided.al2023", Handler="api", Timeout=30,
        MemorySize=512, Role=settings["Role"], Environment=settings["Environment"],
        Code={"ZipFile": package.read_bytes()})
    (meter, date), wanted = next(iter(loaded.items()))
    shop.await_sum(meter, date, wanted)
    year, month, day = date.split("-")
    event = {"version": "2.0", "rawPath": "/", "headers": {}, "isBase64Encoded": False,
             "rawQueryString": f"meterId={meter}&date={day}-{month}-{year}",
             "requestContext": {"requestId": "of-the-test", "http": {
                 "method": "GET", "path": "/", "sourceIp": "127.0.0.1"}}}
    answer = shop.lambdas.invoke(FunctionName="zipped-api", Payload=json.dumps(event))
    answer = json.loads(answer["Payload"].read())
    shop.lambdas.delete_function(FunctionName="zipped-api")
    assert answer["statusCode"] == 200
    assert exact(answer["body"])["sum"] == wanted


def test_cleaned_up_the_data_stay_when_asked_for_and_otherwise_nothing(shop, corner, aws, project):
    printed = project.clean_up("corner", "--keep-data")
    assert "bucket and keyspace stay" in printed
    assert "Api" not in corner.resources()
    assert corner.s3.list_objects_v2(Bucket=corner.bucket)["KeyCount"] > 0
    assert aws.client("keyspaces").list_tables(keyspaceName="corner")["tables"]
    for name in ("shop", "corner"):
        assert f"nothing of {name} is left" in project.clean_up(name)
    left = {
        "stacks": aws.client("cloudformation").describe_stacks()["Stacks"],
        "buckets": aws.client("s3").list_buckets()["Buckets"],
        "queues": aws.client("sqs").list_queues().get("QueueUrls", []),
        "functions": aws.client("lambda").list_functions()["Functions"],
        "mappings": aws.client("lambda").list_event_source_mappings()["EventSourceMappings"],
        "roles": aws.client("iam").list_roles()["Roles"],
        "users": aws.client("iam").list_users()["Users"],
        "log groups": aws.client("logs").describe_log_groups()["logGroups"],
        "alarms": aws.client("cloudwatch").describe_alarms()["MetricAlarms"],
        "dashboards": aws.client("cloudwatch").list_dashboards()["DashboardEntries"],
        "repositories": aws.client("ecr").describe_repositories()["repositories"],
        "parameters": aws.client("ssm").describe_parameters()["Parameters"],
        "keyspaces": aws.client("keyspaces").list_keyspaces()["keyspaces"],
    }
    assert {name: what for name, what in left.items() if what} == {}
