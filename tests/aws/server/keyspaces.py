"""Amazon Keyspaces: keyspaces and tables, really made in the Cassandra of the test."""
import json
import re

from cassandra.cql import Cql

from .templates import TemplateError

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
# What Keyspaces has beyond Cassandra, with the values that it takes.
SETTINGS = {
    "BillingMode": lambda value: value["Mode"] == "ON_DEMAND" or (
        value["Mode"] == "PROVISIONED" and
        all(int(value["ProvisionedThroughput"][name]) > 0
            for name in ("ReadCapacityUnits", "WriteCapacityUnits"))),
    "PointInTimeRecoveryEnabled": lambda value: isinstance(value, bool) or value in (
        "true", "false"),
    "EncryptionSpecification": lambda value: value["EncryptionType"] in (
        "AWS_OWNED_KMS_KEY", "CUSTOMER_MANAGED_KMS_KEY"),
    "ClientSideTimestampsEnabled": lambda value: value in (True, "true"),
    "AutoScalingSpecifications": lambda value: isinstance(value, dict),
    "WarmThroughput": lambda value: all(int(units) > 0 for units in value.values()),
    "DefaultTimeToLive": lambda value: int(value) >= 0,
    "Tags": lambda value: isinstance(value, list),
}
STRUCTURE = {"KeyspaceName", "TableName", "PartitionKeyColumns", "ClusteringKeyColumns",
             "RegularColumns"}


def name_of(text):
    if not NAME.fullmatch(text):
        raise TemplateError(f"{text} is no name of a keyspace, table or column")
    return f'"{text}"'


class Keyspaces:
    def __init__(self, settings):
        self.cluster = settings["cassandra"]
        self.reset_names()

    def reset_names(self):
        self.keyspaces, self.tables = set(), {}

    def run(self, statement):
        if self.cluster is None:
            raise TemplateError("this local AWS was started without a Cassandra")
        login = tuple(self.cluster["login"]) if self.cluster["login"] else None
        with Cql(self.cluster["hosts"][0], self.cluster["port"], login,
                 self.cluster["ca"]) as cql:
            cql(statement)

    def create_keyspace(self, name):
        copies = len(self.cluster["hosts"]) if self.cluster else 1
        self.run(f"CREATE KEYSPACE {name_of(name)} WITH replication = "
                 f"{{'class': 'SimpleStrategy', 'replication_factor': {copies}}}")
        self.keyspaces.add(name)

    def drop_keyspace(self, name):
        self.run(f"DROP KEYSPACE {name_of(name)}")
        self.keyspaces.discard(name)

    def check(self, properties):
        for name, value in properties.items():
            if name in STRUCTURE:
                continue
            if name not in SETTINGS or not SETTINGS[name](value):
                raise TemplateError(f"Amazon Keyspaces does not take {name} = {value}")

    def create_table(self, table, properties):
        self.check(properties)
        keyspace = properties["KeyspaceName"]
        partition = properties["PartitionKeyColumns"]
        clustering = properties.get("ClusteringKeyColumns", [])
        columns = [*partition, *(each["Column"] for each in clustering),
                   *properties.get("RegularColumns", [])]
        cells = ", ".join(f"{name_of(column['ColumnName'])} {column['ColumnType']}"
                          for column in columns)
        key = ", ".join(name_of(column["ColumnName"]) for column in partition)
        key = ", ".join([f"({key})", *(name_of(each["Column"]["ColumnName"])
                                       for each in clustering)])
        order = ", ".join(f"{name_of(each['Column']['ColumnName'])} {each.get('OrderBy', 'ASC')}"
                          for each in clustering)
        options = f" WITH CLUSTERING ORDER BY ({order})" if order else ""
        self.run(f"CREATE TABLE {name_of(keyspace)}.{name_of(table)} ({cells}, "
                 f"PRIMARY KEY ({key})){options}")
        self.tables[keyspace, table] = properties

    def change_table(self, keyspace, table, properties):
        self.check(properties)
        self.tables[keyspace, table] = properties

    def drop_table(self, keyspace, table):
        self.run(f"DROP TABLE {name_of(keyspace)}.{name_of(table)}")
        self.tables.pop((keyspace, table), None)

    def answer(self, target, body, start_response):
        """The few calls of its own API that tell what there is."""
        asked = json.loads(body or b"{}")
        operation = target.rsplit(".", 1)[-1]
        status, answer = "200 OK", None
        if operation == "ListKeyspaces":
            answer = {"keyspaces": [{"keyspaceName": name} for name in sorted(self.keyspaces)]}
        elif operation == "ListTables":
            answer = {"tables": [{"keyspaceName": keyspace, "tableName": table}
                                 for keyspace, table in sorted(self.tables)
                                 if keyspace == asked["keyspaceName"]]}
        elif operation == "GetTable":
            answer = self.describe(asked["keyspaceName"], asked["tableName"])
        if answer is None:
            status = "400 Bad Request"
            answer = {"__type": "ResourceNotFoundException", "message": f"no such {operation}"}
        start_response(status, [("Content-Type", "application/x-amz-json-1.0")])
        return [json.dumps(answer).encode()]

    def describe(self, keyspace, table):
        properties = self.tables.get((keyspace, table))
        if properties is None:
            return None
        recovery = str(properties.get("PointInTimeRecoveryEnabled", False)).lower() == "true"
        billing = properties.get("BillingMode", {"Mode": "ON_DEMAND"})
        capacity = {"throughputMode": "PAY_PER_REQUEST"}
        if billing["Mode"] == "PROVISIONED":
            given = billing["ProvisionedThroughput"]
            capacity = {"throughputMode": "PROVISIONED",
                        "readCapacityUnits": int(given["ReadCapacityUnits"]),
                        "writeCapacityUnits": int(given["WriteCapacityUnits"])}
        encryption = properties.get("EncryptionSpecification",
                                    {"EncryptionType": "AWS_OWNED_KMS_KEY"})
        return {"keyspaceName": keyspace, "tableName": table, "status": "ACTIVE",
                "capacitySpecification": capacity,
                "encryptionSpecification": {"type": encryption["EncryptionType"]},
                "pointInTimeRecovery": {"status": "ENABLED" if recovery else "DISABLED"}}

    def reset(self):
        for name in sorted(self.keyspaces):
            self.run(f"DROP KEYSPACE IF EXISTS {name_of(name)}")
        self.reset_names()

    def url(self, store):
        """Keyspaces' own endpoint wants TLS and a signature; here it is the cluster."""
        keyspace = store.rsplit("/", 1)[-1]
        hosts = ",".join(self.cluster["hosts"])
        return f"cassandra://{hosts}:{self.cluster['port']}/{keyspace}"
