"""What is made from the catalogue: the page, the dashboard, the rules. They name nothing that there is not."""

import importlib
import json
import re
from pathlib import Path

import pytest

from headrace.cli.main import main
from headrace.telemetry.catalogue import CATALOGUE
from headrace.telemetry.dashboard import dashboard, names_in
from headrace.telemetry.panels import ROWS
from headrace.telemetry.rules import RULES, rules

ROOT = Path(__file__).parents[3]
EXPRESSIONS = [query.expression for row in ROWS for panel in row.panels for query in panel.queries]
EXPRESSIONS += [rule.expression for rule in RULES]
LABELS = {label for metric in CATALOGUE for label in (*metric.labels, *metric.optional)} | {"instance", "le"}


@pytest.mark.parametrize(
    ("page", "options"),
    [
        ("docs/metrics.md", []),
        ("deploy/grafana/headrace.json", ["--grafana"]),
        ("deploy/prometheus/alerts.yml", ["--rules"]),
    ],
)
def test_page_is_as_the_code_makes_it(page: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", *options]) == 0

    assert capsys.readouterr().out == (ROOT / page).read_text(), "the metrics have changed: run `make docs`"


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_query_names_metrics_and_labels_that_there_are(expression: str) -> None:
    series = {name for metric in CATALOGUE for name in metric.series}
    grouped = {label for by in re.findall(r"by \(([^)]*)\)", expression) for label in re.split(r",\s*", by)}

    assert set(re.findall(r"headrace_\w+", expression)) <= series
    assert names_in(expression)
    assert grouped <= LABELS
    assert expression.count("(") == expression.count(")")


def test_counters_are_asked_for_their_rate_or_increase() -> None:
    bare = [each for each in EXPRESSIONS if re.search(r"(?<!rate\()(?<!increase\()headrace_\w+_total", each)]

    assert bare == []


def test_the_dashboard_shows_every_metric() -> None:
    shown = {name for expression in EXPRESSIONS for name in names_in(expression)}

    assert [metric.name for metric in CATALOGUE if metric.name not in shown] == []


def test_the_dashboard_has_its_panels_side_by_side() -> None:
    panels = dashboard()["panels"]
    cells = [
        (place["x"] + dx, place["y"] + dy)
        for place in (panel["gridPos"] for panel in panels)
        for dx in range(place["w"])
        for dy in range(place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["description"] for panel in panels if panel["type"] != "row")


def test_the_rules_are_yaml_as_prometheus_loads_it() -> None:
    yaml = importlib.import_module("yaml")

    loaded = yaml.safe_load("\n".join(rules()))

    (group,) = loaded["groups"]
    assert [each["alert"] for each in group["rules"]] == [rule.name for rule in RULES]
    assert [each["expr"] for each in group["rules"]] == [rule.expression for rule in RULES]
    assert all(re.fullmatch(r"\d+m", each["for"]) for each in group["rules"])


def test_the_catalogue_as_json_has_every_metric(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)["metrics"]
    assert [each["name"] for each in told] == [metric.name for metric in CATALOGUE]


def test_one_file_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--grafana", "--rules"]) == 2

    assert "ask for one of them" in capsys.readouterr().err
