"""What Grafana and Prometheus are told of the server is true: the dashboard and the alerts ask for
metrics that there are, and the queries of the recipe for Infinity find what they say."""
import datetime
import json
import re
from decimal import Decimal

import pytest
from aws import environment
from conftest import ROOT

environment.use_packages()
import jsonata  # noqa: E402  pylint: disable=wrong-import-position
import promql_parser  # noqa: E402  pylint: disable=wrong-import-position
import yaml  # noqa: E402  pylint: disable=wrong-import-position

DASHBOARD = json.loads((ROOT / "deploy/grafana/meterline.json").read_text())
ALERTS = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
RECIPE = (ROOT / "docs/use/grafana.md").read_text()


def expressions():
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")
    for rule in RULES:
        yield rule["alert"], rule["expr"]


def selectors(expression):
    """(metric, names of its labels) of all that a PromQL expression selects."""
    promql_parser.parse(expression)
    for name, matchers in re.findall(r"\b(meterline_\w+|up)\{([^}]*)\}", expression):
        yield name, re.findall(r"(\w+)(?:=~|!=|=)", matchers)


def shown(text):
    """Metric -> names of its labels, of what /metrics shows."""
    metrics = {}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        metrics.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return metrics


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    """Of a server on a cluster is what its statements are called; the rest is of any."""
    text = (ROOT / "src/http/metrics.cc").read_text()
    there = dict.fromkeys(re.findall(r'family\("(\w+)", MetricType', text), {"statement", "le"})
    assert len(there) >= 6
    return {f"meterline_store_{name}": labels for name, labels in there.items()}


def test_each_metric_that_is_asked_for_is_there(meterline, serve, metrics):
    meterline("store", "init")
    meterline("store", "backup", "backups")
    server = serve(meterline, "--backups", meterline.folder / "backups")
    server.upload((ROOT / "tests/data/nem12/doc_faults.csv").read_bytes())
    server.get("/v1/meters/NMI0000002/consumption?from=2025-01-26&to=2025-01-26")
    there = {**metrics, **shown(server.get("/metrics")), "up": set()}
    asked = 0
    for where, expression in expressions():
        grouped = re.findall(r"\bby \(([^)]*)\)", expression)
        for name, labels in selectors(expression):
            plain = re.sub("_bucket$", "", name) if name not in there else name
            assert plain in there, f"{where}: there is no {name}"
            own = set(labels + ", ".join(grouped).split(", ")) - {"job", "instance", "", "le"}
            assert own <= there[plain], f"{where}: {name} has no {own - there[plain]}"
            asked += 1
    assert asked >= 30


def test_what_a_legend_names_is_kept_by_its_expression():
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            for label in re.findall(r"\{\{ ?(\w+) ?\}\}", target.get("legendFormat", "")):
                assert re.search(rf"\bby \([^)]*\b{label}\b", target["expr"]), panel["title"]


def test_panels_do_not_lie_on_each_other():
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_each_alert_has_its_line_in_the_docs():
    text = (ROOT / "docs/operate/watching.md").read_text()
    told = set(re.findall(r"`(Meterline\w+)`", text))
    assert told == {rule["alert"] for rule in RULES}
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        kept = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert kept <= {"instance"} or kept <= set(
            re.search(r"\bby \(([^)]*)\)", rule["expr"]).group(1).split(", "))


def queries():
    rows = re.findall(r"^\| ([^|]+) \| `(/[^`]*)` \| `([^`]*)` \| (.*) \|$", RECIPE, re.MULTILINE)
    assert len(rows) >= 5
    return [(title, url, root, re.findall(r"`(\w+)` (time|number|string)", columns))
            for title, url, root, columns in rows]


def is_of(kind, value):
    if kind == "time":
        return datetime.datetime.fromisoformat(value) is not None
    return isinstance(value, str if kind == "string" else (int, float, Decimal, type(None)))


@pytest.mark.parametrize("title, url, root, columns", queries())
def test_a_query_of_the_recipe_finds_its_columns(meterline, serve, title, url, root, columns):
    meterline("demo", "--once", "--folder", meterline.folder / "demo")
    meterline.use_url(f"rocksdb:{meterline.folder}/demo/store")
    server = serve(meterline)
    for variable, value in (("${meter}", "EX-SOLAR-LONDON"),
                            ("${__from:date:YYYY-MM-DD}", "2025-07-01"),
                            ("${__to:date:YYYY-MM-DD}", "2025-07-03")):
        url = url.replace(variable, value)
    assert "$" not in url
    rows = jsonata.Jsonata(root).evaluate(json.loads(server.get(url)))
    assert len(rows) >= 3, title
    for row in rows:
        for name, kind in columns:
            assert is_of(kind, row[name]), (title, name, row[name])
