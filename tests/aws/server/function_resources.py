"""Resource types of Lambda and of Amazon Keyspaces."""
from .resources import Resource, refuse_rest, resource_type, tag_map

CODE = {"ImageUri", "S3Bucket", "S3Key", "S3ObjectVersion"}


@resource_type("AWS::Lambda::Function")
class Function(Resource):
    fixed = ("FunctionName", "PackageType")

    def make(self, properties):
        self.api = self.client("lambda")
        self.id = properties["FunctionName"] = self.name(properties.get("FunctionName"))
        concurrency = properties.pop("ReservedConcurrentExecutions", None)
        self.api.create_function(**{**whole_numbers(properties), "Tags": tag_map(properties)})
        self.put_concurrency(concurrency)

    def put_concurrency(self, count):
        if count is None:
            self.api.delete_function_concurrency(FunctionName=self.id)
        else:
            self.api.put_function_concurrency(FunctionName=self.id,
                                              ReservedConcurrentExecutions=int(count))

    def change(self, properties, before):
        for name in ("FunctionName", "PackageType", "Tags", "Architectures"):
            properties.pop(name, None)
        self.put_concurrency(properties.pop("ReservedConcurrentExecutions", None))
        code = properties.pop("Code")
        if code != before["Code"]:
            self.api.update_function_code(FunctionName=self.id, **code)
        self.api.update_function_configuration(FunctionName=self.id, **whole_numbers(properties))

    def attribute(self, name):
        return {"Arn": self.arn("lambda", f"function:{self.id}")}[name]

    def delete(self):
        self.api.delete_function(FunctionName=self.id)


def whole_numbers(properties):
    """What YAML and parameters gave as text."""
    properties = dict(properties)
    for name in ("MemorySize", "Timeout"):
        if name in properties:
            properties[name] = int(properties[name])
    if "EphemeralStorage" in properties:
        properties["EphemeralStorage"] = {"Size": int(properties["EphemeralStorage"]["Size"])}
    if "Environment" in properties:
        variables = properties["Environment"].get("Variables", {})
        properties["Environment"] = {"Variables": {name: str(value)
                                                   for name, value in variables.items()}}
    return properties


@resource_type("AWS::Lambda::Permission")
class Permission(Resource):
    fixed = ("FunctionName", "Action", "Principal", "SourceArn", "SourceAccount",
             "FunctionUrlAuthType")

    def make(self, properties):
        self.id = self.name(None)
        self.client("lambda").add_permission(StatementId=self.id, **properties)

    def put(self, properties):
        """There is nothing that could change."""

    def delete(self):
        self.client("lambda").remove_permission(FunctionName=self.properties["FunctionName"],
                                                StatementId=self.id)


@resource_type("AWS::Lambda::Url")
class Url(Resource):
    fixed = ("TargetFunctionArn", "Qualifier")

    def make(self, properties):
        self.api = self.client("lambda")
        self.function = properties.pop("TargetFunctionArn")
        made = self.api.create_function_url_config(FunctionName=self.function, **properties)
        self.id, self.url = made["FunctionArn"], made["FunctionUrl"]

    def put(self, properties):
        properties.pop("TargetFunctionArn")
        self.api.update_function_url_config(FunctionName=self.function, **properties)

    def attribute(self, name):
        return {"FunctionUrl": self.url, "FunctionArn": self.id}[name]

    def delete(self):
        self.api.delete_function_url_config(FunctionName=self.function)


@resource_type("AWS::Lambda::EventSourceMapping")
class EventSourceMapping(Resource):
    fixed = ("EventSourceArn",)

    def make(self, properties):
        self.api = self.client("lambda")
        self.id = self.api.create_event_source_mapping(**numbers(properties))["UUID"]

    def put(self, properties):
        properties.pop("EventSourceArn")
        self.api.update_event_source_mapping(UUID=self.id, **numbers(properties))

    def attribute(self, name):
        return {"Id": self.id}[name]

    def delete(self):
        self.api.delete_event_source_mapping(UUID=self.id)


def numbers(properties):
    properties = dict(properties)
    for name in ("BatchSize", "MaximumBatchingWindowInSeconds"):
        if name in properties:
            properties[name] = int(properties[name])
    if "ScalingConfig" in properties:
        properties["ScalingConfig"] = {
            "MaximumConcurrency": int(properties["ScalingConfig"]["MaximumConcurrency"])}
    return properties


@resource_type("AWS::Lambda::EventInvokeConfig")
class EventInvokeConfig(Resource):
    fixed = ("FunctionName", "Qualifier")

    def make(self, properties):
        self.id = self.name(None)
        self.put(properties)

    def put(self, properties):
        properties.pop("Qualifier", None)
        for name in ("MaximumEventAgeInSeconds", "MaximumRetryAttempts"):
            if name in properties:
                properties[name] = int(properties[name])
        self.client("lambda").put_function_event_invoke_config(**properties)

    def delete(self):
        self.client("lambda").delete_function_event_invoke_config(
            FunctionName=self.properties["FunctionName"])


@resource_type("AWS::Cassandra::Keyspace")
class Keyspace(Resource):
    fixed = ("KeyspaceName", "ReplicationSpecification")

    def make(self, properties):
        self.id = properties.pop("KeyspaceName", None) or f"k{self.name(None)[-12:].lower()}"
        properties.pop("Tags", None)
        properties.pop("ReplicationSpecification", None)
        refuse_rest(self.logical_id, properties)
        self.cloud.parts.keyspaces.create_keyspace(self.id)

    def put(self, properties):
        """Only its tags can change."""

    def delete(self):
        self.cloud.parts.keyspaces.drop_keyspace(self.id)


@resource_type("AWS::Cassandra::Table")
class Table(Resource):
    fixed = ("KeyspaceName", "TableName", "PartitionKeyColumns", "ClusteringKeyColumns")

    def make(self, properties):
        table = properties.get("TableName") or f"t{self.name(None)[-12:].lower()}"
        self.id = f"{properties['KeyspaceName']}|{table}"
        self.cloud.parts.keyspaces.create_table(table, properties)

    def put(self, properties):
        self.cloud.parts.keyspaces.change_table(*self.id.split("|"), properties)

    def delete(self):
        self.cloud.parts.keyspaces.drop_table(*self.id.split("|"))
