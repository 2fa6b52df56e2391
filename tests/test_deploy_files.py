"""The files of deploy/ by themselves: templates, Kubernetes objects, container files."""
import json
import re
import signal
import subprocess

from aws import environment
from conftest import ROOT, Server
from deployment import template

DEPLOY = ROOT / "deploy"
TEMPLATES = sorted((DEPLOY / "aws").glob("*.yaml"))
OBJECTS = sorted(path for folder in ("kubernetes", "kubernetes-embedded")
                 for path in (DEPLOY / folder).glob("*.yaml")
                 if path.name not in ("kustomization.yaml", "service-monitor.yaml"))


def lint(program, *args, expect=0):
    path = environment.checked(environment.PYTHON_LINT / "bin" / program)
    done = subprocess.run([path, *map(str, args)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, cwd=ROOT)
    assert done.returncode == expect, done.stdout
    return done.stdout


def test_cfn_lint_finds_nothing():
    assert {path.name for path in TEMPLATES} == {
        "main.yaml", "ecr.yaml", "ecs.yaml", "credentials.yaml"}
    assert lint("cfn-lint", *TEMPLATES) == ""


def test_cfn_lint_would_find_what_is_wrong(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    text = (DEPLOY / "aws/credentials.yaml").read_text()
    wrong.write_text(text.replace("Policies:", "Polices:", 1))
    assert "Polices" in lint("cfn-lint", wrong, expect=2)


def test_what_files_do_not_say_is_said_to_every_part_of_a_deployment():
    for name, value in (("Unit", "METERLINE_UNIT"), ("Zone", "METERLINE_ZONE"),
                        ("Feed", "METERLINE_FEED")):
        main = (DEPLOY / "aws/main.yaml").read_text()
        tasks = (DEPLOY / "aws/ecs.yaml").read_text()
        assert main.count(f"{value}: !Ref {name}\n") == 2, "the processor and the function URL"
        assert f'Export: {{Name: !Sub "${{AWS::StackName}}-{name}"}}' in main
        assert tasks.count(f"- Name: {value}\n") == 2, "the server and the worker"
        assert tasks.count(f"Fn::ImportValue: !Sub ${{MainStack}}-{name}\n") == 2
        assert f'parameters+=("{name}=$2")' in (DEPLOY / "deploy.sh").read_text()
        assert f"  {value}: " in (DEPLOY / "kubernetes/configuration.yaml").read_text()


def test_checkov_finds_nothing_that_has_no_reason():
    found = lint("checkov", "-d", DEPLOY, "--framework", "cloudformation", "dockerfile",
                 "kubernetes", "--compact", "--quiet", "--skip-download")
    assert re.findall(r"Failed checks: (\d+)", found) == ["0", "0"]
    for path in DEPLOY.rglob("*.yaml"):
        for reason in re.findall(r"checkov(?:.io/|:)skip.*(?:\n +CKV.*)?", path.read_text()):
            assert re.search(r"CKV\w+[:=] ?\w.{10,}", reason), f"{path}: no reason: {reason}"


def test_kubernetes_knows_every_field():
    assert "server.yaml" in {path.name for path in OBJECTS}
    lint("kubernetes-validate", "--strict", "--no-warn", *OBJECTS)


def test_kubernetes_would_refuse_another_field(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    text = (DEPLOY / "kubernetes/server.yaml").read_text()
    wrong.write_text(text.replace(" image:", " imge:", 1))
    assert "imge" in lint("kubernetes-validate", "--strict", wrong, expect=1)


def documents(text):
    environment.use_packages()
    import yaml  # Of the environment that the line above opens.
    return list(yaml.safe_load_all(text))


def objects(path):
    """Of a file of Kubernetes, by kind and name."""
    return {(each["kind"], each["metadata"]["name"]): each
            for each in documents((DEPLOY / "kubernetes" / path).read_text())}


def test_the_balancer_closes_connections_first_and_waits_for_answers():
    found = template("ecs.yaml")["Resources"]
    attributes = {each["Key"]: each["Value"]
                  for each in found["Balancer"]["Properties"]["LoadBalancerAttributes"]}
    (server,) = found["ServerTask"]["Properties"]["ContainerDefinitions"]
    variables = {each["Name"]: each["Value"] for each in server["Environment"]
                 if "Name" in each}
    balancer = int(attributes["idle_timeout.timeout_seconds"])
    answer_timeout = 120  # Of serve, where nothing else is said.
    assert answer_timeout < balancer < int(variables["METERLINE_IDLE_TIMEOUT"])
    stop_grace = 20
    assert int(variables["METERLINE_DRAIN"]) + stop_grace < server["StopTimeout"]


def test_an_update_of_the_stack_leaves_to_scaling_how_many_tasks_there_are():
    for name in ("Server", "Worker"):
        assert "DesiredCount" not in template("ecs.yaml")["Resources"][name]["Properties"]


def test_what_is_pruned_by_a_schedule_is_a_command_of_the_program(meterline):
    """As the task gets it, but that nothing goes."""
    meterline("store", "init", "--unit", "kWh")
    found = template("ecs.yaml")
    (target,) = found["Resources"]["Prune"]["Properties"]["Targets"]
    text = target["Input"]
    text = text["Fn::Sub"] if isinstance(text, dict) else text
    for name, value in (("PruneBefore", "7y"),
                        ("PruneRate", str(found["Parameters"]["PruneRate"]["Default"]))):
        text = text.replace("${" + name + "}", value)
    (override,) = json.loads(text)["containerOverrides"]
    (worker,) = found["Resources"]["WorkerTask"]["Properties"]["ContainerDefinitions"]
    assert override["name"] == worker["Name"]
    assert meterline(*override["command"], "--dry-run").json["days"] == 0


def test_a_pod_of_the_server_has_the_time_that_its_end_takes():
    pod = objects("server.yaml")["Deployment", "server"]["spec"]["template"]["spec"]
    (server,) = pod["containers"]
    sleep = server["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = int(server["args"][server["args"].index("--drain") + 1])
    stop_grace = 20
    assert sleep + drain + stop_grace < pod["terminationGracePeriodSeconds"]


def test_one_pod_owns_an_embedded_store_on_its_volume():
    found = objects("../kubernetes-embedded/server.yaml")
    spec = found["StatefulSet", "server"]["spec"]
    assert spec["replicas"] == 1
    (server,) = spec["template"]["spec"]["containers"]
    (claim,) = spec["volumeClaimTemplates"]
    mounts = {each["name"]: each["mountPath"] for each in server["volumeMounts"]}
    (store,) = (each["value"] for each in server["env"] if each["name"] == "METERLINE_STORE")
    assert store.startswith(f"rocksdb:{mounts[claim['metadata']['name']]}/")
    drain = int(server["args"][server["args"].index("--drain") + 1])
    sleep = server["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert sleep + drain + 20 < spec["template"]["spec"]["terminationGracePeriodSeconds"]
    (folder,) = documents((DEPLOY / "kubernetes-embedded/kustomization.yaml").read_text())
    assert {"server.yaml", "network-policy.yaml", "namespace.yaml"} == set(folder["resources"])


def test_prometheus_finds_the_port_of_the_service():
    path = "../kubernetes-embedded/service-monitor.yaml"
    monitor = objects(path)["ServiceMonitor", "meterline"]["spec"]
    for file in ("server.yaml", "../kubernetes-embedded/server.yaml"):
        service = objects(file)["Service", "meterline"]
        assert monitor["selector"]["matchLabels"] == service["metadata"]["labels"]
        assert monitor["endpoints"][0]["port"] in {
            each["name"] for each in service["spec"]["ports"]}


def compose_server():
    (compose,) = documents((DEPLOY / "compose.yaml").read_text())
    return compose["services"]["server"]


def test_compose_starts_the_target_that_has_the_folder_of_its_store():
    server = compose_server()
    (volume,) = server["volumes"]
    folder = volume.split(":")[1]
    assert server["environment"]["METERLINE_STORE"].startswith(f"rocksdb:{folder}/")
    target = (DEPLOY / "Containerfile").read_text().split(
        f"AS {server['build']['target']}\n")[1]
    assert f"--chown=65532:65532 /image/tmp {folder}\n" in target
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])


def test_compose_s_commands_are_of_the_program(meterline):
    """Served by its command, on a free port; its check of health succeeds beside it."""
    server = compose_server()
    _, program, *check = server["healthcheck"]["test"]
    assert program == "/meterline"
    meterline(*check, expect=4)
    command = [each.replace("0.0.0.0:8080", "127.0.0.1:0") for each in server["command"]]
    running = Server(meterline.start(*command))
    try:
        meterline(*check)
    finally:
        running.stop(signal.SIGINT)


def test_pods_reach_names_and_credentials_that_the_node_itself_gives():
    for name in ("server", "worker"):
        policy = objects("network-policy.yaml")["NetworkPolicy", name]["spec"]
        reached = {(block["ipBlock"]["cidr"], port["port"]) for rule in policy["egress"]
                   for block in rule.get("to", ()) if "ipBlock" in block for port in rule["ports"]}
        assert reached == {("169.254.20.10/32", 53), ("169.254.170.23/32", 80),
                           ("fd00:ec2::23/128", 80)}


def test_keda_scales_the_worker_that_there_is_by_its_own_queue_and_alone():
    scaled = objects("../kubernetes-keda/scaled-object.yaml")["ScaledObject", "worker"]["spec"]
    target = scaled["scaleTargetRef"]
    worker = objects("worker.yaml")
    assert worker[target["kind"], target["name"]]["apiVersion"] == target["apiVersion"]
    data = objects("configuration.yaml")["ConfigMap", "meterline"]["data"]
    (trigger,) = scaled["triggers"]
    assert trigger["metadata"]["queueURL"] == data["METERLINE_QUEUE"]
    assert trigger["metadata"]["awsRegion"] == data["AWS_REGION"]
    (folder,) = documents((DEPLOY / "kubernetes-keda/kustomization.yaml").read_text())
    (patch,) = folder["patches"]
    (removed,) = documents(patch["patch"])
    assert removed["$patch"] == "delete"
    assert (removed["kind"], removed["metadata"]["name"]) in worker
    # A folder within the other would be a circle to kustomize.
    assert folder["resources"] == ["../kubernetes", "scaled-object.yaml"]


def readings_table():
    return template("main.yaml")["Resources"]["ReadingDays"]["Properties"]


def test_a_provisioned_table_scales_between_what_is_given_and_its_maximum():
    scaling = readings_table()["AutoScalingSpecifications"]["Fn::If"][1]
    for of, unit in (("Read", "ReadCapacity"), ("Write", "WriteCapacity")):
        _, given, absent = scaling[f"{of}CapacityAutoScaling"]["Fn::If"]
        assert given["MinimumUnits"] == {"Ref": unit}
        assert given["MaximumUnits"] == {"Ref": f"{unit}Max"}
        target = given["ScalingPolicy"]["TargetTrackingScalingPolicyConfiguration"]
        assert 20 <= target["TargetValue"] <= 90, "what Keyspaces takes"
        assert absent == {"Ref": "AWS::NoValue"}


def test_a_table_is_warmed_only_by_what_is_given():
    warm = readings_table()["WarmThroughput"]["Fn::If"][1]
    assert warm == {f"{of}UnitsPerSecond": {"Fn::If": [
        f"Warms{of}s", {"Ref": f"Warm{of}Units"}, {"Ref": "AWS::NoValue"}]}
        for of in ("Read", "Write")}


def test_a_keyspace_in_several_regions_is_in_its_own_as_well():
    keyspace = template("main.yaml")["Resources"]["Keyspace"]["Properties"]
    _, several, one = keyspace["ReplicationSpecification"]["Fn::If"]
    assert several["ReplicationStrategy"] == "MULTI_REGION"
    joined = several["RegionList"]["Fn::Split"][1]["Fn::Sub"]
    assert joined == "${AWS::Region},${ReplicaRegions}"
    assert one == {"ReplicationStrategy": "SINGLE_REGION"}


def test_every_part_of_a_deployment_expects_the_same_number_of_meters():
    main = (DEPLOY / "aws/main.yaml").read_text()
    assert main.count("?expected-meters=${ExpectedMeters}\n") == 3, \
        "the processor, the function URL and what other stacks import"


def metrics_of(alarm):
    """Name -> dimensions, of each metric that an alarm adds up."""
    return [(query["MetricStat"]["Metric"]["MetricName"],
             {each["Name"]: each["Value"] for each in query["MetricStat"]["Metric"]["Dimensions"]})
            for query in alarm["Metrics"] if "MetricStat" in query]


def test_the_alarm_on_throttles_asks_for_them_as_keyspaces_tells_them():
    found = template("main.yaml")["Resources"]
    tables = {each["Properties"]["TableName"] for each in found.values()
              if each["Type"] == "AWS::Cassandra::Table"}
    alarm = found["KeyspaceThrottlesAlarm"]["Properties"]
    watched = metrics_of(alarm)
    for name, dimensions in watched:
        assert set(dimensions) == {"Keyspace", "TableName", "Operation"}
        assert dimensions["TableName"] in tables
        operation = {"WriteThrottleEvents": "INSERT", "ReadThrottleEvents": "SELECT"}[name]
        assert dimensions["Operation"] == operation
    ids = [query["Id"] for query in alarm["Metrics"] if "MetricStat" in query]
    (total,) = (query["Expression"] for query in alarm["Metrics"] if query.get("ReturnData"))
    assert re.findall(r"FILL\((\w+),0\)", total) == ids
    assert {dimensions["TableName"] for _, dimensions in watched} >= {"reading_days", "day_totals"}


def test_the_dashboard_shows_throttles_with_all_their_dimensions():
    body = template("main.yaml")["Resources"]["Dashboard"]["Properties"]["DashboardBody"]
    widgets = json.loads(body["Fn::Sub"] if isinstance(body, dict) else body)["widgets"]
    searches = {}
    for widget in widgets:
        for metric in widget["properties"]["metrics"]:
            if isinstance(metric[0], dict):
                schema, name, keyspace = re.fullmatch(
                    r"SEARCH\('\{([^}]*)\} MetricName=\"(\w+)\" "
                    r"Keyspace=\"([^\"]*)\"', 'Sum', 60\)",
                    metric[0]["expression"]).groups()
                searches[name] = schema, keyspace
            else:
                assert "Throttle" not in metric[1] or metric[0] != "AWS/Cassandra"
    assert set(searches) == {"WriteThrottleEvents", "ReadThrottleEvents",
                             "StoragePartitionThroughputCapacityExceeded",
                             "PerConnectionRequestRateExceeded"}
    assert set(searches.values()) == {
        ("AWS/Cassandra,Keyspace,Operation,TableName", "${KeyspaceName}")}
