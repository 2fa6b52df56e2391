"""CloudFormation: change sets, stacks, updates, rollback.

moto's own leaves out what it does not know, and says that it succeeded; this one refuses it.
"""
import threading
import traceback
import uuid
from datetime import datetime, timezone

from botocore.exceptions import BotoCoreError, ClientError
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from . import templates
from .templates import TemplateError

IAM_NAMES = {"AWS::IAM::Role": "RoleName", "AWS::IAM::User": "UserName",
             "AWS::IAM::ManagedPolicy": "ManagedPolicyName"}
KEPT = ("Retain", "RetainExceptOnCreate")
FAILURES = (BotoCoreError, ClientError, TemplateError, ValueError, KeyError, TypeError, OSError)


class ValidationError(ServiceException):
    code = "ValidationError"


class ChangeSetNotFound(ServiceException):
    code = "ChangeSetNotFound"


class InsufficientCapabilities(ServiceException):
    code = "InsufficientCapabilitiesException"


def now():
    return datetime.now(timezone.utc)


class Plan:
    """A template with its parameters: what a stack is to be."""

    def __init__(self, cloud, stack_name, stack_id, text, given):
        self.text, self.given = text, given
        self.template = templates.parse(text)
        self.parameters = templates.parameter_values(self.template, given, cloud.parameter)
        self.pseudo = {
            "AWS::AccountId": cloud.account, "AWS::Region": cloud.region,
            "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack_name, "AWS::StackId": stack_id}
        self.check_types(cloud.types)
        scope = self.scope(lambda name: f"<{name}>", lambda name, part: f"<{name}.{part}>")
        templates.check_rules(self.template, scope)
        self.names = [name for name, resource in self.template["Resources"].items()
                      if "Condition" not in resource or scope.condition(resource["Condition"])]
        # To compare plans by, before anything is made: names stand for resources.
        self.definitions = {name: scope.resolve(self.properties(name)) for name in self.names}
        scope.resolve(self.outputs(scope))

    def check_types(self, known):
        types = {resource["Type"] for resource in self.template["Resources"].values()}
        if unknown := sorted(types - set(known)):
            raise TemplateError("Template format error: Unrecognized resource types: "
                                f"[{', '.join(unknown)}]")

    def scope(self, ref, attribute):
        return templates.Scope(self.template, self.parameters, self.pseudo, ref, attribute)

    def properties(self, name):
        return self.template["Resources"][name].get("Properties", {})

    def type(self, name):
        return self.template["Resources"][name]["Type"]

    def outputs(self, scope):
        return {name: output for name, output in self.template.get("Outputs", {}).items()
                if "Condition" not in output or scope.condition(output["Condition"])}

    def capabilities(self):
        """The one that it needs, or None."""
        found = [name for name in self.names if self.type(name).startswith("AWS::IAM::")]
        if any(IAM_NAMES.get(self.type(name)) in self.properties(name) for name in found):
            return "CAPABILITY_NAMED_IAM"
        return "CAPABILITY_IAM" if found else None


class Stack:
    """A stack, and what it has made."""

    def __init__(self, cloud, name):
        self.cloud, self.name = cloud, name
        place = f"arn:aws:cloudformation:{cloud.region}:{cloud.account}"
        self.id = f"{place}:stack/{name}/{uuid.uuid4()}"
        self.plan, self.tags, self.is_protected = None, [], False
        self.resources = {}  # In the order in which they were made.
        self.outputs, self.events = [], []
        self.created = now()
        self.status, self.reason = "REVIEW_IN_PROGRESS", None

    def event(self, status, logical_id=None, kind="AWS::CloudFormation::Stack", physical_id=None,
              reason=None):
        event = {"StackId": self.id, "EventId": str(uuid.uuid4()), "StackName": self.name,
                 "LogicalResourceId": logical_id or self.name, "ResourceType": kind,
                 "PhysicalResourceId": physical_id or self.id, "Timestamp": now(),
                 "ResourceStatus": status}
        if reason:
            event["ResourceStatusReason"] = reason
        self.events.insert(0, event)

    def set_status(self, status, reason=None):
        self.status, self.reason = status, reason
        self.event(status, reason=reason)

    def apply(self, plan):
        """Makes it so, or makes it as it was before."""
        before, verb = self.plan, "UPDATE" if self.plan else "CREATE"
        self.set_status(f"{verb}_IN_PROGRESS", "User Initiated")
        try:
            self.become(plan)
        except FAILURES as error:
            traceback.print_exc()
            back = "UPDATE_ROLLBACK" if before else "ROLLBACK"
            self.set_status(f"{back}_IN_PROGRESS", str(error))
            if before:
                self.become(before)
            else:
                self.remove(list(self.resources))
            self.set_status(f"{back}_COMPLETE", str(error))
            return
        self.plan = plan
        self.set_status(f"{verb}_COMPLETE")

    def become(self, plan):
        scope = plan.scope(lambda name: self.resources[name].id,
                           lambda name, part: self.resources[name].attribute(part))
        for name in templates.in_order(plan.template, plan.names):
            self.make(name, plan, scope)
        self.remove([name for name in self.resources if name not in plan.names])
        outputs = plan.outputs(scope)
        self.outputs = [
            {"OutputKey": name, "OutputValue": str(scope.resolve(output["Value"])),
             **({"Description": output["Description"]} if "Description" in output else {})}
            for name, output in outputs.items()]

    def make(self, name, plan, scope):
        definition, kind = plan.definitions[name], plan.type(name)
        resource = self.resources.get(name)
        if resource is not None and resource.definition == definition:
            return
        verb = "UPDATE" if resource is not None else "CREATE"
        properties = scope.resolve(plan.properties(name))
        try:
            if resource is None:
                resource = self.cloud.types[kind](self.cloud, self, name)
                resource.create(properties)
                self.resources[name] = resource
            else:
                resource.update(properties)
        except FAILURES as error:
            self.event(f"{verb}_FAILED", name, kind, reason=str(error))
            raise
        resource.definition, resource.type, resource.changed = definition, kind, now()
        resource.policy = plan.template["Resources"][name].get("DeletionPolicy", "Delete")
        resource.status = f"{verb}_COMPLETE"
        self.event(resource.status, name, kind, resource.id)

    def remove(self, names):
        for name in reversed(names):
            resource = self.resources[name]
            kept = resource.policy in KEPT
            if not kept:
                resource.delete()
            del self.resources[name]
            self.event("DELETE_SKIPPED" if kept else "DELETE_COMPLETE", name, resource.type,
                       resource.id)

    def delete(self):
        self.set_status("DELETE_IN_PROGRESS", "User Initiated")
        try:
            self.remove(list(self.resources))
        except FAILURES as error:
            traceback.print_exc()
            self.set_status("DELETE_FAILED", str(error))
            return
        self.set_status("DELETE_COMPLETE")

    def describe(self):
        description = {
            "StackId": self.id, "StackName": self.name, "CreationTime": self.created,
            "StackStatus": self.status, "Tags": self.tags, "Outputs": self.outputs,
            "EnableTerminationProtection": self.is_protected, "DisableRollback": False}
        if self.reason:
            description["StackStatusReason"] = self.reason
        if self.plan:
            description |= {
                "Description": self.plan.template.get("Description", ""),
                "Parameters": [{"ParameterKey": name, "ParameterValue": str(value)}
                               for name, value in self.all_parameters()]}
        return description

    def all_parameters(self):
        declared = self.plan.template.get("Parameters", {})
        for name, rules in declared.items():
            value = self.plan.given.get(name, rules.get("Default"))
            yield name, "****" if rules.get("NoEcho") else value

    def describe_resources(self):
        return [{"StackName": self.name, "StackId": self.id, "LogicalResourceId": name,
                 "PhysicalResourceId": resource.id, "ResourceType": resource.type,
                 "Timestamp": resource.changed, "LastUpdatedTimestamp": resource.changed,
                 "ResourceStatus": resource.status,
                 "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"}}
                for name, resource in self.resources.items()]


class ChangeSet:
    """The difference between what a stack is and what it is to be."""

    def __init__(self, stack, name, plan, tags):
        self.stack, self.name, self.plan, self.tags = stack, name, plan, tags
        self.id = stack.id.replace(":stack/", ":changeSet/").rsplit("/", 2)[0] + (
            f"/{name}/{uuid.uuid4()}")
        self.is_executed = False
        self.changes = self.compare()

    def compare(self):
        before = self.stack.plan.definitions if self.stack.plan else {}
        after = self.plan.definitions
        changes = []
        for name in [*after, *(name for name in before if name not in after)]:
            if before.get(name) != after.get(name):
                action = ("Add" if name not in before else
                          "Remove" if name not in after else "Modify")
                plan = self.stack.plan if action == "Remove" else self.plan
                changes.append({"Type": "Resource", "ResourceChange": {
                    "Action": action, "LogicalResourceId": name, "ResourceType": plan.type(name),
                    **({"Replacement": "False"} if action == "Modify" else {})}})
        return changes

    @property
    def is_empty(self):
        plan = self.stack.plan
        return (plan is not None and not self.changes and plan.template.get("Outputs") ==
                self.plan.template.get("Outputs"))

    def describe(self):
        description = {
            "ChangeSetName": self.name, "ChangeSetId": self.id, "StackId": self.stack.id,
            "StackName": self.stack.name, "Changes": self.changes, "Tags": self.tags,
            "CreationTime": now(),
            "Parameters": [{"ParameterKey": name, "ParameterValue": value}
                           for name, value in self.plan.given.items()]}
        if self.is_empty:
            return description | {
                "Status": "FAILED", "ExecutionStatus": "UNAVAILABLE",
                "StatusReason": "The submitted information didn't contain changes. Submit different"
                                " information to create a change set."}
        return description | {
            "Status": "CREATE_COMPLETE",
            "ExecutionStatus": "EXECUTE_COMPLETE" if self.is_executed else "AVAILABLE"}


class CloudFormation:
    """All stacks. `types`: name of a resource type -> its class in resources.py."""

    def __init__(self, settings, types, client, parts):
        self.account, self.region = settings["account"], settings["region"]
        self.settings, self.types, self.client, self.parts = settings, types, client, parts
        self.lock = threading.RLock()
        self.reset()

    def reset(self):
        self.stacks, self.change_sets = [], []

    def parameter(self, name):
        return self.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]

    def find(self, name):
        """By name: the one that was not deleted; by id: any."""
        for stack in self.stacks:
            if name == stack.id or (name == stack.name and stack.status != "DELETE_COMPLETE"):
                return stack
        raise ValidationError(f"Stack with id {name} does not exist")

    def find_change_set(self, name, stack_name):
        for change_set in reversed(self.change_sets):
            names = (change_set.stack.name, change_set.stack.id)
            if name == change_set.id or (name == change_set.name and stack_name in names):
                return change_set
        raise ChangeSetNotFound(f"ChangeSet [{name}] does not exist")

    def answer(self, request, start_response):
        with self.lock:
            api = CloudFormationApi(self)
            status, headers, body = api._dispatch(request)
        headers = [(name, str(value)) for name, value in headers.items() if name != "status"]
        start_response(f"{status} -", headers)
        return [body.encode() if isinstance(body, str) else body]


class CloudFormationApi(BaseResponse):
    """The actions, as aws calls them."""

    def __init__(self, cloud):
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True
        self.cloud = cloud

    def plan(self, stack, text=None):
        before = stack.plan.given if stack.plan else {}
        given = {}
        for parameter in self.params.get("Parameters", []):
            name = parameter["ParameterKey"]
            if parameter.get("UsePreviousValue"):
                if name in before:
                    given[name] = before[name]
            else:
                given[name] = parameter["ParameterValue"]
        try:
            plan = Plan(self.cloud, stack.name, stack.id, text or self.params["TemplateBody"],
                        given)
        except TemplateError as error:
            raise ValidationError(str(error)) from error
        needed = plan.capabilities()
        has = self.params.get("Capabilities", [])
        if needed and needed not in has and "CAPABILITY_NAMED_IAM" not in has:
            raise InsufficientCapabilities(f"Requires capabilities : [{needed}]")
        return plan

    def stack_for(self, kind):
        name = self.params["StackName"]
        try:
            stack = self.cloud.find(name)
        except ValidationError:
            if kind == "UPDATE":
                raise
            stack = Stack(self.cloud, name)
            self.cloud.stacks.append(stack)
            return stack
        if kind == "CREATE" and stack.status != "REVIEW_IN_PROGRESS":
            raise ValidationError(f"Stack [{name}] already exists and cannot be created again")
        if stack.status in ("ROLLBACK_COMPLETE", "DELETE_FAILED"):
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be "
                                  "updated.")
        return stack

    def create_change_set(self):
        stack = self.stack_for(self.params.get("ChangeSetType", "UPDATE"))
        text = stack.plan.text if self.params.get("UsePreviousTemplate") else None
        tags = self.params.get("Tags", [])
        change_set = ChangeSet(stack, self.params["ChangeSetName"], self.plan(stack, text), tags)
        self.cloud.change_sets.append(change_set)
        return ActionResult({"Id": change_set.id, "StackId": stack.id})

    def change_set(self):
        return self.cloud.find_change_set(self.params["ChangeSetName"],
                                          self.params.get("StackName"))

    def describe_change_set(self):
        return ActionResult(self.change_set().describe())

    def execute_change_set(self):
        change_set = self.change_set()
        if change_set.is_empty or change_set.is_executed:
            raise ValidationError("This change set cannot be executed")
        change_set.is_executed = True
        if change_set.tags:
            change_set.stack.tags = change_set.tags
        change_set.stack.apply(change_set.plan)
        return EmptyResult()

    def delete_change_set(self):
        self.cloud.change_sets.remove(self.change_set())
        return EmptyResult()

    def create_stack(self):
        stack = self.stack_for("CREATE")
        stack.tags = self.params.get("Tags", [])
        stack.apply(self.plan(stack))
        return ActionResult({"StackId": stack.id})

    def delete_stack(self):
        try:
            stack = self.cloud.find(self.params["StackName"])
        except ValidationError:
            return EmptyResult()
        if stack.is_protected:
            raise ValidationError(f"Stack [{stack.name}] cannot be deleted while "
                                  "TerminationProtection is enabled")
        if stack.status != "DELETE_COMPLETE":
            stack.delete()
        return EmptyResult()

    def update_termination_protection(self):
        stack = self.stack()
        stack.is_protected = self.params["EnableTerminationProtection"]
        return ActionResult({"StackId": stack.id})

    def describe_stacks(self):
        name = self.params.get("StackName")
        stacks = [self.cloud.find(name)] if name else [
            stack for stack in self.cloud.stacks if stack.status != "DELETE_COMPLETE"]
        return ActionResult({"Stacks": [stack.describe() for stack in stacks]})

    def list_stacks(self):
        wanted = self.params.get("StackStatusFilter")
        return ActionResult({"StackSummaries": [
            {"StackId": stack.id, "StackName": stack.name, "CreationTime": stack.created,
             "StackStatus": stack.status}
            for stack in self.cloud.stacks if not wanted or stack.status in wanted]})

    def stack(self):
        return self.cloud.find(self.params["StackName"])

    def describe_stack_events(self):
        return ActionResult({"StackEvents": self.stack().events})

    def list_stack_resources(self):
        return ActionResult({"StackResourceSummaries": self.stack().describe_resources()})

    def describe_stack_resources(self):
        return ActionResult({"StackResources": self.stack().describe_resources()})

    def describe_stack_resource(self):
        for resource in self.stack().describe_resources():
            if resource["LogicalResourceId"] == self.params["LogicalResourceId"]:
                return ActionResult({"StackResourceDetail": {
                    **resource, "LastUpdatedTimestamp": resource["Timestamp"]}})
        raise ValidationError(f"Resource {self.params['LogicalResourceId']} does not exist for "
                              f"stack {self.params['StackName']}")

    def get_template(self):
        return ActionResult({"TemplateBody": self.stack().plan.text})

    def summary(self, text):
        try:
            template = templates.parse(text)
        except TemplateError as error:
            raise ValidationError(str(error)) from error
        return {"Description": template.get("Description", ""), "Parameters": [
            {"ParameterKey": name, "DefaultValue": str(rules.get("Default", "")),
             "NoEcho": bool(rules.get("NoEcho")), "Description": rules.get("Description", "")}
            for name, rules in template.get("Parameters", {}).items()]}

    def validate_template(self):
        return ActionResult(self.summary(self.params["TemplateBody"]))

    def get_template_summary(self):
        text = self.params.get("TemplateBody") or self.stack().plan.text
        return ActionResult(self.summary(text))
