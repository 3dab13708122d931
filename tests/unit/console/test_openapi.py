"""The API's description: all of it, nothing else, and as people and programs can use it."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from headrace.console.building import build
from headrace.console.settings import ConsoleSettings
from headrace.console.sources import Sources
from headrace.console.tailing.tail import Tail
from headrace.console.views.every import ACTIONS, VIEWS
from headrace.console.web.answers import API
from headrace.console.web.openapi import describe
from headrace.testing.clock import FakeClock
from unit.console.asking_client import facts, open_site

DESCRIBED = describe(VIEWS, ACTIONS)
OPERATIONS = [
    pytest.param(operation, id=operation["operationId"])
    for item in DESCRIBED["paths"].values()
    for operation in item.values()
]


def no_sources() -> Sources:
    raise AssertionError("nothing is read")


def test_every_route_of_the_api_is_described_and_no_other() -> None:
    app = build(no_sources, facts(), FakeClock(), ConsoleSettings(), tail=Tail())
    assert isinstance(app, Starlette)
    routes = {
        (route.path, method)
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith(f"{API}/") and not route.path.endswith("/openapi.json")
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert routes == {(path, method.upper()) for path, item in DESCRIBED["paths"].items() for method in item}


def test_the_document_is_the_api_s_and_has_a_page_for_people() -> None:
    with open_site() as site:
        document, page = site.get(f"{API}/openapi.json"), site.get("/api")
    assert document.json() == msgspec.json.decode(msgspec.json.encode(DESCRIBED))
    assert document.headers["content-type"] == "application/json"
    for path in DESCRIBED["paths"]:
        assert f"<code>{path}</code>" in page.text


def test_nobody_reads_it_without_a_sign_in() -> None:
    with open_site(viewer=None) as site:
        assert site.get(f"{API}/openapi.json").status == 401
        assert site.get("/api").headers["location"] == "/sign-in?next=%2Fapi"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_says_what_it_is(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert {"200", "400", "401", "404", "503"} <= operation["responses"].keys()
    for code, response in operation["responses"].items():
        kind = "application/problem+json" if code != "200" else None
        assert kind is None or kind in response["content"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_asked_has_a_limit(operation: dict[str, Any]) -> None:
    """Text has a length, numbers have bounds, and a word is one of a list; and each says what it is."""
    body = operation.get("requestBody", {"content": {"application/json": {"schema": {"properties": {}}}}})
    asked = {each["name"]: each["schema"] for each in operation["parameters"]}
    asked |= body["content"]["application/json"]["schema"]["properties"]
    assert [name for name, schema in asked.items() if not all(map(_is_limited, _kinds(schema)))] == []
    told = {each["name"]: each for each in operation["parameters"]}
    assert [name for name, schema in asked.items() if not _says_what(told.get(name, schema))] == []


def _kinds(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in schema.get("anyOf", [schema]):
        if each != {"type": "null"}:
            yield each


def _says_what(schema: dict[str, Any]) -> bool:
    return any("description" in each for each in (schema, *_kinds(schema)))


def _is_limited(schema: dict[str, Any]) -> bool:
    if "enum" in schema or "const" in schema:
        return True
    match schema.get("type"):
        case "string":
            return "maxLength" in schema or "pattern" in schema
        case "integer" | "number":
            return "minimum" in schema and "maximum" in schema
        case "array":
            return "maxItems" in schema and _is_limited(schema["items"])
        case kind:
            return kind == "boolean"


def test_every_reference_leads_somewhere() -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for each in node.values():
                yield from references(each)
        elif isinstance(node, list):
            for each in node:
                yield from references(each)

    known = {f"#/components/schemas/{name}" for name in DESCRIBED["components"]["schemas"]}
    assert set(references(DESCRIBED)) == known, "and none is left over"


def test_type_without_words_is_refused_with_a_sentence() -> None:
    class Ask(msgspec.Struct):
        what: complex

    view = msgspec.structs.replace(VIEWS[0], ask=Ask)
    with pytest.raises(TypeError, match="OpenAPI has no words for <class 'complex'>"):
        describe([view], [])
