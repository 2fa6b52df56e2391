"""CloudFormation templates: their YAML, parameters, conditions and intrinsic functions."""
import re

import yaml

NO_VALUE = object()  # What a reference to AWS::NoValue leaves behind: nothing.
REFERENCE = re.compile(r"\$\{([^!}][^}]*)\}")
TEMPLATE_BYTES_MAX = 51_200


class TemplateError(Exception):
    """What CloudFormation answers as a ValidationError."""


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, such as !Ref and !Sub."""


def short_form(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", short_form)
Loader.yaml_implicit_resolvers = {  # Dates, such as a policy's version, stay text.
    first: [(tag, pattern) for tag, pattern in resolvers if "timestamp" not in tag]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def parse(text):
    if len(text.encode()) > TEMPLATE_BYTES_MAX:
        raise TemplateError(f"at 'templateBody' failed to satisfy constraint: Member must have "
                            f"length less than or equal to {TEMPLATE_BYTES_MAX}")
    try:
        template = yaml.load(text, Loader)
    except yaml.YAMLError as error:
        raise TemplateError(f"Template format error: {error}") from error
    if not isinstance(template, dict) or not template.get("Resources"):
        raise TemplateError("Template format error: at least one Resources member must be defined")
    return template


def parameter_values(template, given, store):
    """Value of each parameter; `store(name)` reads a parameter that names one of SSM's."""
    declared = template.get("Parameters", {})
    if unknown := set(given) - set(declared):
        raise TemplateError(f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the "
                            "template")
    values = {}
    for name, rules in declared.items():
        if name not in given and "Default" not in rules:
            raise TemplateError(f"Parameters: [{name}] must have values")
        value = str(given.get(name, rules.get("Default")))
        check_parameter(name, value, rules)
        if rules["Type"].startswith("AWS::SSM::Parameter::Value"):
            value = store(value)
        if rules["Type"] == "Number":
            value = float(value) if "." in value else int(value)
        is_list = rules["Type"] == "CommaDelimitedList" or rules["Type"].startswith("List<")
        values[name] = value.split(",") if is_list else value
    return values


def check_parameter(name, value, rules):
    allowed = [str(each) for each in rules.get("AllowedValues", [])]
    if allowed and value not in allowed:
        raise TemplateError(f"Parameter '{name}' must be one of AllowedValues")
    if "AllowedPattern" in rules and not re.fullmatch(rules["AllowedPattern"], value):
        raise TemplateError(f"Parameter {name} failed to satisfy constraint: must match pattern "
                            f"{rules['AllowedPattern']}")
    if rules["Type"] == "Number":
        number = float(value)
        if not rules.get("MinValue", number) <= number <= rules.get("MaxValue", number):
            raise TemplateError(f"Parameter '{name}' is out of its range")


def check_rules(template, scope):
    """Assertions on parameters taken together."""
    for rule in template.get("Rules", {}).values():
        if "RuleCondition" in rule and not scope.is_true(rule["RuleCondition"]):
            continue
        for assertion in rule["Assertions"]:
            if not scope.is_true(assertion["Assert"]):
                raise TemplateError("Template validation error: Rule assertion failed: "
                                    f"{assertion.get('AssertDescription')}")


class Scope:
    """What references stand for; `ref(name)` and `attribute(resource, name)` know resources."""

    def __init__(self, template, parameters, pseudo, ref, attribute):
        self.template = template
        self.values = {**pseudo, **parameters, "AWS::NoValue": NO_VALUE}
        self.ref, self.attribute = ref, attribute

    def lookup(self, name):
        if name in self.values:
            return self.values[name]
        self.check_resource(name)
        return self.ref(name)

    def check_resource(self, name):
        if name not in self.template["Resources"]:
            raise TemplateError(f"Template format error: Unresolved resource dependencies [{name}]")

    def condition(self, name):
        try:
            rule = self.template["Conditions"][name]
        except KeyError:
            raise TemplateError(f"Template error: unresolved condition dependency {name}") from None
        return self.is_true(rule)

    def is_true(self, rule):
        ((kind, value),) = rule.items()
        if kind == "Condition":
            return self.condition(value)
        if kind == "Fn::Equals":
            left, right = map(self.resolve, value)
            return str(left) == str(right)
        parts = [self.is_true(part) for part in value]
        return {"Fn::Not": lambda: not parts[0], "Fn::And": lambda: all(parts),
                "Fn::Or": lambda: any(parts)}[kind]()

    def resolve(self, value):
        """The value with all its intrinsic functions worked out."""
        if isinstance(value, list):
            return [part for part in map(self.resolve, value) if part is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self.lookup(argument)
            if name.startswith("Fn::"):
                return self.function(name.removeprefix("Fn::"), argument)
        resolved = {name: self.resolve(part) for name, part in value.items()}
        return {name: part for name, part in resolved.items() if part is not NO_VALUE}

    def function(self, name, argument):
        if name == "Sub":
            return self.substitute(argument)
        if name == "If":
            return self.resolve(argument[1] if self.condition(argument[0]) else argument[2])
        if name == "GetAtt":
            self.check_resource(argument[0])
            return self.attribute(*argument)
        argument = self.resolve(argument)
        if name == "Join":
            return argument[0].join(map(str, argument[1]))
        if name == "Split":
            return argument[1].split(argument[0])
        if name == "Select":
            return argument[1][int(argument[0])]
        if name == "FindInMap":
            return self.template["Mappings"][argument[0]][str(argument[1])][argument[2]]
        raise TemplateError(f"Template error: Fn::{name} is not known to the local AWS")

    def substitute(self, argument):
        text, more = argument if isinstance(argument, list) else (argument, {})
        more = self.resolve(more)

        def value(match):
            name = match.group(1)
            if name in more:
                return str(more[name])
            if "." in name:
                return str(self.function("GetAtt", name.split(".", 1)))
            return str(self.lookup(name))

        return REFERENCE.sub(value, text).replace("${!", "${")


def references(value):
    """Names that a part of a template refers to: resources, and parameters too."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    found = set()
    for name, part in value.items():
        if name == "Ref":
            found.add(part)
        elif name == "Fn::GetAtt":
            found.add(part[0])
        elif name == "Fn::Sub":
            text, more = part if isinstance(part, list) else (part, {})
            found |= {each.split(".")[0] for each in REFERENCE.findall(text)} | references(more)
        else:
            found |= references(part)
    return found


def in_order(template, names):
    """The resources so that each comes after what it needs."""
    needs = {}
    for name in names:
        resource = template["Resources"][name]
        explicit = resource.get("DependsOn", [])
        explicit = [explicit] if isinstance(explicit, str) else explicit
        needs[name] = (references(resource.get("Properties", {})) | set(explicit)) & set(names)
    ordered = []
    while needs:
        ready = sorted(name for name, missing in needs.items() if missing <= set(ordered))
        if not ready:
            raise TemplateError(f"Circular dependency between resources: {sorted(needs)}")
        ordered += ready
        needs = {name: missing for name, missing in needs.items() if name not in ready}
    return ordered
