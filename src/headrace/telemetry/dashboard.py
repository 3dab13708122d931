"""The Grafana dashboard as Grafana imports it, made of `panels` and the catalogue's sentences."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headrace.telemetry.catalogue import CATALOGUE
from headrace.telemetry.panels import ROWS, Panel, Query

SCHEMA = 39
COLUMNS = 24
HEIGHT = 8
LOW = 4
"""How high a single number is."""

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def dashboard() -> Mapping[str, Any]:
    """Return the whole dashboard."""
    return {
        "title": "Headrace",
        "uid": "headrace",
        "description": "The river, its destinations, its workers and its books. Made by `headrace metrics --grafana`.",
        "tags": ["headrace"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "graphTooltip": 1,
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}]
        },
        "annotations": {"list": []},
        "links": [],
        "panels": list(_panels()),
    }


def names_in(text: str) -> Sequence[str]:
    """Return the catalogue's metrics that a query asks for, in their order there."""
    return [metric.name for metric in CATALOGUE if any(_is_word(series, text) for series in metric.series)]


def _panels() -> Iterator[Mapping[str, Any]]:
    number = y = 0
    for row in ROWS:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y},
        }
        y += 1
        x = height = 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + height
            number += 1
            height = LOW if panel.shows == "number" else HEIGHT
            yield _panel(number, panel, {"h": height, "w": panel.width, "x": x, "y": y})
            x += panel.width
        y += height


def _panel(number: int, panel: Panel, place: Mapping[str, int]) -> Mapping[str, Any]:
    is_number = panel.shows == "number"
    return {
        "id": number,
        "type": "stat" if is_number else "timeseries",
        "title": panel.title,
        "description": _description(panel.queries),
        "datasource": _SOURCE,
        "gridPos": place,
        "targets": [_target(place, query) for place, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, **_look(panel)}, "overrides": []},
        "options": _STAT if is_number else _SERIES,
    }


def _target(place: int, query: Query) -> Mapping[str, Any]:
    return {
        "refId": chr(ord("A") + place),
        "datasource": _SOURCE,
        "expr": query.expression,
        "legendFormat": query.legend or "__auto",
    }


def _look(panel: Panel) -> Mapping[str, Any]:
    if panel.shows != "number":
        stacking = {"mode": "normal" if panel.shows == "stack" else "none"}
        return {"custom": {"fillOpacity": 20 if panel.shows == "stack" else 0, "stacking": stacking}}
    colours = {"above": ("green", "red"), "below": ("red", "green"), "": ("blue", "blue")}[panel.bad]
    steps = [{"color": colours[0], "value": None}, {"color": colours[1], "value": panel.limit}]
    return {"thresholds": {"mode": "absolute", "steps": steps}, "color": {"mode": "thresholds"}}


def _description(queries: Sequence[Query]) -> str:
    wanted = {name for query in queries for name in names_in(query.expression)}
    return "\n\n".join(f"`{metric.exposed}`: {metric.says}" for metric in CATALOGUE if metric.name in wanted)


def _is_word(word: str, text: str) -> bool:
    return any(part == word for part in "".join(c if c.isalnum() or c == "_" else " " for c in text).split())


_STAT = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
_SERIES = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
