"""Resource types of CloudFormation, made by the API calls that CloudFormation makes.

boto3 refuses a property that it does not know, so that none is left out in silence.
"""
import json
import secrets

from .templates import TemplateError

TYPES = {}
# By another name in templates than in S3's API.
DEFAULT_ENCRYPTION = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}


def resource_type(name):
    def add(cls):
        TYPES[name] = cls
        return cls
    return add


class Resource:
    """One resource of a stack. `id` is its physical id."""

    fixed = ()  # Properties that cannot change without a new resource.

    def __init__(self, cloud, stack, logical_id):
        self.cloud, self.stack, self.logical_id = cloud, stack, logical_id
        self.id, self.properties = None, {}

    def client(self, service):
        return self.cloud.client(service)

    def name(self, given, length_max=64):
        suffix = secrets.token_hex(6).upper()
        generated = f"{self.stack.name[:length_max - 40]}-{self.logical_id[:26]}-{suffix}"
        return given or generated

    def arn(self, service, rest):
        return f"arn:aws:{service}:{self.cloud.region}:{self.cloud.account}:{rest}"

    def create(self, properties):
        self.properties = properties
        self.make(dict(properties))

    def update(self, properties):
        for name in self.fixed:
            if properties.get(name) != self.properties.get(name):
                raise TemplateError(f"{self.logical_id}: {name} cannot change; the local AWS "
                                    "replaces no resource")
        before, self.properties = self.properties, properties
        self.change(dict(properties), before)

    def change(self, properties, before):
        """Those whose settings are put the same way, new or not, need no more."""
        self.put(properties)

    def attribute(self, name):
        raise TemplateError(f"{self.logical_id} has no attribute {name}")

    def delete(self):
        """Some go with what they belong to."""


def refuse_rest(logical_id, properties):
    if properties:
        raise TemplateError(f"{logical_id}: the local AWS does not know {sorted(properties)}")


def tags_of(properties, key="Key", value="Value"):
    return [{key: tag["Key"], value: tag["Value"]} for tag in properties.pop("Tags", [])]


def tag_map(properties):
    return {tag["Key"]: tag["Value"] for tag in properties.pop("Tags", [])}


@resource_type("AWS::S3::Bucket")
class Bucket(Resource):
    fixed = ("BucketName",)

    def make(self, properties):
        self.id = self.name(properties.pop("BucketName", None), 63).lower()
        self.s3 = self.client("s3")
        self.s3.create_bucket(Bucket=self.id)
        try:
            self.put(properties)
        except BaseException:
            self.delete()
            raise

    def put(self, properties):
        properties.pop("BucketName", None)
        s3, bucket = self.s3, {"Bucket": self.id}
        if value := properties.pop("VersioningConfiguration", None):
            s3.put_bucket_versioning(**bucket, VersioningConfiguration=value)
        if value := properties.pop("PublicAccessBlockConfiguration", None):
            s3.put_public_access_block(**bucket, PublicAccessBlockConfiguration=value)
        if value := properties.pop("OwnershipControls", None):
            s3.put_bucket_ownership_controls(**bucket, OwnershipControls=value)
        if value := properties.pop("BucketEncryption", None):
            s3.put_bucket_encryption(**bucket, ServerSideEncryptionConfiguration={"Rules": [
                renamed(rule, DEFAULT_ENCRYPTION)
                for rule in value["ServerSideEncryptionConfiguration"]]})
        if value := properties.pop("LifecycleConfiguration", None):
            s3.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration={
                "Rules": [lifecycle_rule(rule) for rule in value["Rules"]]})
        if value := properties.pop("LoggingConfiguration", None):
            s3.put_bucket_logging(**bucket, BucketLoggingStatus={"LoggingEnabled": {
                "TargetBucket": value["DestinationBucketName"],
                "TargetPrefix": value.get("LogFilePrefix", "")}})
        if tags := tags_of(properties):
            s3.put_bucket_tagging(**bucket, Tagging={"TagSet": tags})
        self.put_notifications(properties.pop("NotificationConfiguration", {}))
        refuse_rest(self.logical_id, properties)

    def put_notifications(self, value):
        wanted = {}
        for kind, target in (("Queue", "Queue"), ("Lambda", "Function"), ("Topic", "Topic")):
            rules = value.get(f"{kind}Configurations", [])
            for rule in rules:
                self.check_may_send(kind, rule[target])
            if rules:
                kind = "LambdaFunction" if kind == "Lambda" else kind
                wanted[f"{kind}Configurations"] = [notification(rule, kind, target)
                                                   for rule in rules]
        if value.get("EventBridgeConfiguration", {}).get("EventBridgeEnabled"):
            wanted["EventBridgeConfiguration"] = {}
        self.s3.put_bucket_notification_configuration(Bucket=self.id,
                                                      NotificationConfiguration=wanted)

    def check_may_send(self, kind, arn):
        """S3 refuses a target whose policy does not let it in."""
        name = arn.split(":")[-1]
        if kind == "Queue":
            sqs = self.client("sqs")
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
            policy = found.get("Attributes", {}).get("Policy", "{}")
        elif kind == "Lambda":
            policy = self.client("lambda").get_policy(FunctionName=name)["Policy"]
        else:
            return
        statements = json.loads(policy).get("Statement", [])
        if not any("s3.amazonaws.com" in json.dumps(statement.get("Principal"))
                   for statement in statements):
            raise TemplateError("Unable to validate the following destination configurations: "
                                f"{arn} lets s3.amazonaws.com do nothing")

    def attribute(self, name):
        host = f"{self.id}.s3.amazonaws.com"
        return {"Arn": f"arn:aws:s3:::{self.id}", "DomainName": host,
                "RegionalDomainName": host}[name]

    def delete(self):
        self.s3.delete_bucket(Bucket=self.id)


def renamed(value, names):
    return {names.get(name, name): part for name, part in value.items()}


def lifecycle_rule(rule):
    rule = dict(rule)
    changed = {"ID": rule.pop("Id", ""), "Filter": {"Prefix": rule.pop("Prefix", "")}}
    expiration = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = int(rule.pop("ExpirationInDays"))
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = rule.pop("ExpiredObjectDeleteMarker")
    if expiration:
        changed["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in rule:
        changed["NoncurrentVersionExpiration"] = {
            "NoncurrentDays": int(rule.pop("NoncurrentVersionExpirationInDays"))}
    if "Transitions" in rule:
        changed["Transitions"] = [renamed(each, {"TransitionInDays": "Days"})
                                  for each in rule.pop("Transitions")]
    return {**changed, **rule}


def notification(rule, kind, target):
    made = {f"{kind}Arn": rule[target], "Events": [rule["Event"]]}
    if "Filter" in rule:
        made["Filter"] = {"Key": {"FilterRules": rule["Filter"]["S3Key"]["Rules"]}}
    return made


@resource_type("AWS::S3::BucketPolicy")
class BucketPolicy(Resource):
    fixed = ("Bucket",)

    def make(self, properties):
        self.id = properties["Bucket"]
        self.put(properties)

    def put(self, properties):
        self.client("s3").put_bucket_policy(
            Bucket=properties.pop("Bucket"), Policy=json.dumps(properties.pop("PolicyDocument")))
        refuse_rest(self.logical_id, properties)

    def delete(self):
        self.client("s3").delete_bucket_policy(Bucket=self.id)


@resource_type("AWS::SQS::Queue")
class Queue(Resource):
    fixed = ("QueueName",)

    def make(self, properties):
        self.sqs = self.client("sqs")
        name = self.name(properties.pop("QueueName", None), 80)
        tags = tag_map(properties)
        self.id = self.sqs.create_queue(QueueName=name, Attributes=texts(properties),
                                        tags=tags)["QueueUrl"]

    def put(self, properties):
        properties.pop("QueueName", None)
        properties.pop("Tags", None)
        self.sqs.set_queue_attributes(QueueUrl=self.id, Attributes=texts(properties))

    def attribute(self, name):
        queue = self.id.rsplit("/", 1)[-1]
        return {"Arn": self.arn("sqs", queue), "QueueName": queue, "QueueUrl": self.id}[name]

    def delete(self):
        self.sqs.delete_queue(QueueUrl=self.id)


def texts(properties):
    """SQS's attributes are text, and objects in them are JSON."""
    return {name: json.dumps(value) if isinstance(value, (dict, bool, list)) else str(value)
            for name, value in properties.items()}


@resource_type("AWS::SQS::QueuePolicy")
class QueuePolicy(Resource):
    def make(self, properties):
        self.id = self.name(None)
        self.put(properties)

    def put(self, properties):
        self.set(json.dumps(properties.pop("PolicyDocument")), properties.pop("Queues"))
        refuse_rest(self.logical_id, properties)

    def set(self, policy, queues):
        for url in queues:
            self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def delete(self):
        self.set("", self.properties["Queues"])


@resource_type("AWS::IAM::Role")
class Role(Resource):
    fixed = ("RoleName", "Path")

    def make(self, properties):
        self.iam = self.client("iam")
        self.id = self.name(properties.pop("RoleName", None))
        policies, managed = properties.pop("Policies", []), properties.pop("ManagedPolicyArns", [])
        trust = json.dumps(properties.pop("AssumeRolePolicyDocument"))
        self.role_arn = self.iam.create_role(
            RoleName=self.id, AssumeRolePolicyDocument=trust, Tags=tags_of(properties),
            **properties)["Role"]["Arn"]
        self.put_policies(policies)
        for arn in managed:
            self.iam.attach_role_policy(RoleName=self.id, PolicyArn=arn)

    def put_policies(self, policies):
        names = {policy["PolicyName"] for policy in policies}
        for name in self.iam.list_role_policies(RoleName=self.id)["PolicyNames"]:
            if name not in names:
                self.iam.delete_role_policy(RoleName=self.id, PolicyName=name)
        for policy in policies:
            self.iam.put_role_policy(RoleName=self.id, PolicyName=policy["PolicyName"],
                                     PolicyDocument=json.dumps(policy["PolicyDocument"]))

    def change(self, properties, before):
        self.iam.update_assume_role_policy(
            RoleName=self.id, PolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]))
        self.put_policies(properties.get("Policies", []))
        wanted, had = (set(each.get("ManagedPolicyArns", [])) for each in (properties, before))
        for arn in wanted - had:
            self.iam.attach_role_policy(RoleName=self.id, PolicyArn=arn)
        for arn in had - wanted:
            self.iam.detach_role_policy(RoleName=self.id, PolicyArn=arn)

    def attribute(self, name):
        return {"Arn": self.role_arn, "RoleId": self.id}[name]

    def delete(self):
        self.put_policies([])
        for arn in self.properties.get("ManagedPolicyArns", []):
            self.iam.detach_role_policy(RoleName=self.id, PolicyArn=arn)
        self.iam.delete_role(RoleName=self.id)


@resource_type("AWS::IAM::User")
class User(Resource):
    fixed = ("UserName", "Path")

    def make(self, properties):
        self.iam = self.client("iam")
        self.id = self.name(properties.pop("UserName", None))
        policies = properties.pop("Policies", [])
        self.iam.create_user(UserName=self.id, Tags=tags_of(properties), **properties)
        self.put_policies(policies)

    def put_policies(self, policies):
        for policy in policies:
            self.iam.put_user_policy(UserName=self.id, PolicyName=policy["PolicyName"],
                                     PolicyDocument=json.dumps(policy["PolicyDocument"]))

    def change(self, properties, before):
        self.put_policies(properties.get("Policies", []))

    def attribute(self, name):
        return {"Arn": f"arn:aws:iam::{self.cloud.account}:user/{self.id}"}[name]

    def delete(self):
        """IAM refuses to delete a user that still has credentials."""
        if self.cloud.parts.credentials.of(self.id, None):
            raise ValueError(f"the user {self.id} still has service-specific credentials")
        for name in self.iam.list_user_policies(UserName=self.id)["PolicyNames"]:
            self.iam.delete_user_policy(UserName=self.id, PolicyName=name)
        self.iam.delete_user(UserName=self.id)


@resource_type("AWS::Logs::LogGroup")
class LogGroup(Resource):
    fixed = ("LogGroupName",)

    def make(self, properties):
        self.logs = self.client("logs")
        self.id = self.name(properties.pop("LogGroupName", None), 512)
        key = {"kmsKeyId": properties.pop("KmsKeyId")} if "KmsKeyId" in properties else {}
        self.logs.create_log_group(logGroupName=self.id, tags=tag_map(properties), **key)
        self.put(properties)

    def put(self, properties):
        for name in ("LogGroupName", "Tags", "KmsKeyId"):
            properties.pop(name, None)
        days = properties.pop("RetentionInDays", None)
        refuse_rest(self.logical_id, properties)
        if days:
            self.logs.put_retention_policy(logGroupName=self.id, retentionInDays=int(days))

    def attribute(self, name):
        return {"Arn": self.arn("logs", f"log-group:{self.id}:*")}[name]

    def delete(self):
        self.logs.delete_log_group(logGroupName=self.id)


@resource_type("AWS::CloudWatch::Alarm")
class Alarm(Resource):
    fixed = ("AlarmName",)

    def make(self, properties):
        self.id = self.name(properties.get("AlarmName"), 255)
        self.put(properties)

    def put(self, properties):
        properties["AlarmName"] = self.id
        for name in ("Period", "EvaluationPeriods", "DatapointsToAlarm"):
            if name in properties:
                properties[name] = int(properties[name])
        properties["Threshold"] = float(properties["Threshold"])
        self.client("cloudwatch").put_metric_alarm(**properties)

    def attribute(self, name):
        return {"Arn": self.arn("cloudwatch", f"alarm:{self.id}")}[name]

    def delete(self):
        self.client("cloudwatch").delete_alarms(AlarmNames=[self.id])


@resource_type("AWS::CloudWatch::Dashboard")
class Dashboard(Resource):
    fixed = ("DashboardName",)

    def make(self, properties):
        self.id = self.name(properties.get("DashboardName"), 255)
        self.put(properties)

    def put(self, properties):
        properties.pop("DashboardName", None)
        body = properties.pop("DashboardBody")
        refuse_rest(self.logical_id, properties)
        json.loads(body)
        self.client("cloudwatch").put_dashboard(DashboardName=self.id, DashboardBody=body)

    def delete(self):
        self.client("cloudwatch").delete_dashboards(DashboardNames=[self.id])


@resource_type("AWS::ECR::Repository")
class Repository(Resource):
    fixed = ("RepositoryName", "EncryptionConfiguration")

    def make(self, properties):
        self.ecr = self.client("ecr")
        self.id = self.name(properties.pop("RepositoryName", None), 256).lower()
        scan = properties.pop("ImageScanningConfiguration", {})
        encryption = properties.pop("EncryptionConfiguration", {"EncryptionType": "AES256"})
        made = self.ecr.create_repository(
            repositoryName=self.id, tags=tags_of(properties),
            imageTagMutability=properties.pop("ImageTagMutability", "MUTABLE"),
            imageScanningConfiguration={"scanOnPush": bool(scan.get("ScanOnPush"))},
            encryptionConfiguration={name[0].lower() + name[1:]: value
                                     for name, value in encryption.items()})
        self.uri = made["repository"]["repositoryUri"]
        self.put_policies(properties)

    def put_policies(self, properties):
        lifecycle = properties.pop("LifecyclePolicy", None)
        policy = properties.pop("RepositoryPolicyText", None)
        self.empties = properties.pop("EmptyOnDelete", False)
        refuse_rest(self.logical_id, properties)
        if lifecycle:
            self.ecr.put_lifecycle_policy(repositoryName=self.id,
                                          lifecyclePolicyText=lifecycle["LifecyclePolicyText"])
        if policy:
            self.ecr.set_repository_policy(repositoryName=self.id, policyText=json.dumps(policy))

    def change(self, properties, before):
        scan = properties.pop("ImageScanningConfiguration", {})
        self.ecr.put_image_scanning_configuration(
            repositoryName=self.id,
            imageScanningConfiguration={"scanOnPush": bool(scan.get("ScanOnPush"))})
        self.ecr.put_image_tag_mutability(
            repositoryName=self.id,
            imageTagMutability=properties.pop("ImageTagMutability", "MUTABLE"))
        for name in (*self.fixed, "Tags"):
            properties.pop(name, None)
        self.put_policies(properties)

    def attribute(self, name):
        return {"Arn": self.arn("ecr", f"repository/{self.id}"), "RepositoryUri": self.uri}[name]

    def delete(self):
        self.ecr.delete_repository(repositoryName=self.id, force=self.empties)
