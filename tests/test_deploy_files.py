"""The files of deploy/ by themselves: templates, Kubernetes objects, container files."""
import re
import subprocess

from aws import environment
from conftest import ROOT

DEPLOY = ROOT / "deploy"
TEMPLATES = sorted((DEPLOY / "aws").glob("*.yaml"))
OBJECTS = sorted(path for path in (DEPLOY / "kubernetes").glob("*.yaml")
                 if path.name != "kustomization.yaml")


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
