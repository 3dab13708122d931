"""The API's description, OpenAPI 3.1, made of the views and actions as they are: it cannot drift from them."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from inspect import cleandoc
from typing import Any

import msgspec

from headrace.console.links import places
from headrace.console.view import Action, View
from headrace.console.web.answers import API, Problem
from headrace.console.web.lines import MEDIA_TYPE, MOST, SUFFIX, USUAL
from headrace.model.secret import Secret
from headrace.model.units import Duration, Size

Json = dict[str, Any]

_TEMPLATE = "#/components/schemas/{name}"
_ABOUT = """\
All that the console's pages show, and all that can be done on them. Every answer is JSON; what goes wrong is a problem
after RFC 9457. An org's viewers get what is their org's: what is not, and what is not there, is the same 404.

A name of nothing, `.` or `..`, with any number of `~` before it or none, stands in a path behind one more `~`: browsers
and proxies would take it away.

A page of many has `next`: give it as `after` for the one that follows. Times are seconds since the epoch.
"""
_LIMIT = "How many lines at most, beside the last."
_LINES = """\
One row a line, and a last line with `next`: where that is not null there is more, and it goes on as `after`. A
`problem` there says what ended it early; an answer without that line was broken off.\
"""
_PROBLEMS = {
    "400": "What was asked makes no sense; `detail` says why.",
    "401": "Nobody knows the token.",
    "404": "There is nothing here, or it is not yours to see.",
    "414": "The query is too long.",
    "421": "The console is not served under this name.",
    "429": "You have as many questions open as one viewer may; `Retry-After` says when to ask again.",
    "500": "Something went wrong in the console; `detail` says under which reference its log tells more.",
    "503": "It cannot be answered now; `Retry-After` says when to ask again.",
}
_REFUSALS = {
    "403": "Another site sent it, or it is not yours to do.",
    "413": "The body is too long.",
    "415": "The body is no JSON.",
}


def describe(views: Sequence[View], actions: Sequence[Action]) -> Json:
    """Return the document."""
    described: list[View | Action] = [*views, *actions]
    asks, answers = [each.ask for each in described], [each.answer for each in described]
    # All at once, so that two of one name get two names.
    made, schemas = msgspec.json.schema_components(
        [Problem, *asks, *answers], schema_hook=_plain, ref_template=_TEMPLATE
    )
    schemas = {name: _cleaned(schema) for name, schema in schemas.items()}
    by_type = dict(zip([Problem, *asks, *answers], made, strict=True))
    paths: dict[str, Json] = {}
    for view in views:
        schema = _resolved(by_type[view.ask], schemas)
        operation = _operation(view, _parameters(view.path, schema), by_type[view.answer])
        paths.setdefault(API + view.path, {})["get"] = operation
        if view.rows is not None:
            paths[API + view.path + SUFFIX] = {"get": _lines(operation)}
        if view.has_stream:
            paths[f"{API}{view.path}/stream"] = {"get": _stream(operation)}
    for action in actions:
        schema = _resolved(by_type[action.ask], schemas)
        path = {**schema, "properties": {name: schema["properties"][name] for name in places(action.path)}}
        operation = _operation(action, _parameters(action.path, path), by_type[action.answer])
        operation["requestBody"] = _body(action.path, schema)
        operation["responses"] |= {code: _problem(text) for code, text in _REFUSALS.items()}
        paths.setdefault(API + action.path, {})["post"] = operation
    asked = {by_type[ask]["$ref"].rpartition("/")[2] for ask in asks}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headrace", "version": version("headrace"), "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in schemas.items() if name not in asked},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "What `headrace token` made."},
                "session": {"type": "apiKey", "in": "cookie", "name": "headrace", "description": "After a sign-in."},
            },
        },
    }


def _operation(of: View | Action, parameters: list[Json], answer: Json) -> Json:
    note = "For operators." if of.audience == "operator" else ""
    operation = {
        "operationId": of.name,
        "summary": of.title,
        "description": " ".join(filter(None, (of.help, note))),
        "tags": [of.path.split("/")[1] or of.name],
        "parameters": parameters,
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": answer}}},
            **{code: _problem(text) for code, text in _PROBLEMS.items()},
        },
    }
    return {name: value for name, value in operation.items() if value != ""}


def _stream(operation: Json) -> Json:
    """Describe the server-sent events of what *operation* asks once."""
    told = {"description": "Events as they come.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    return {
        **operation,
        "operationId": f"{operation['operationId']}_stream",
        "summary": f"{operation['summary']}, as a stream",
        "responses": operation["responses"] | {"200": told},
    }


def _lines(operation: Json) -> Json:
    """Describe the lines of JSON that *operation* asks one page of."""
    schema = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
    limit = {"name": "limit", "in": "query", "required": False, "schema": schema, "description": _LIMIT}
    told = {"description": _LINES, "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
    return {
        **operation,
        "operationId": f"{operation['operationId']}_lines",
        "summary": f"{operation['summary']}, as lines of JSON",
        "parameters": [*(each for each in operation["parameters"] if each["name"] != "limit"), limit],
        "responses": operation["responses"] | {"200": told},
    }


def _problem(text: str) -> Json:
    schema = {"$ref": _TEMPLATE.format(name=Problem.__name__)}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


def _parameters(path: str, ask: Json) -> list[Json]:
    parameters = []
    for name, declared in ask["properties"].items():
        schema = _given(declared)
        text = schema.pop("description", "")
        is_place = name in places(path)
        parameter = {
            "name": name,
            "in": "path" if is_place else "query",
            "required": is_place or name in ask.get("required", ()),
            "schema": schema,
        }
        parameters.append({**parameter, "description": text} if text else parameter)
    return parameters


def _body(path: str, ask: Json) -> Json:
    """Describe the JSON object that an action takes: what its path does not say."""
    names = [name for name in ask["properties"] if name not in places(path)]
    required = [name for name in names if name in ask.get("required", ())]
    schema = {
        "type": "object",
        "properties": {name: ask["properties"][name] for name in names},
        "required": required,
        "additionalProperties": False,
    }
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _given(schema: Json) -> Json:
    """Return the schema of a parameter that is there: one that may be left out is never null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    kept = {name: value for name, value in schema.items() if name != "anyOf" and (name, value) != ("default", None)}
    if len(kinds) == 1:
        return {**kinds[0], **kept}
    return {**kept, "anyOf": kinds} if kinds else kept


def _resolved(schema: Json, schemas: Mapping[str, Json]) -> Json:
    return schemas[schema["$ref"].rpartition("/")[2]]


def _cleaned(schema: Json) -> Json:
    """Return a struct's schema with its docstring as people read it."""
    return {**schema, "description": cleandoc(schema["description"])} if "description" in schema else schema


def _plain(kind: type) -> Json:
    if kind is Duration:
        return {"type": "number", "description": "Seconds."}
    if kind is Size:
        return {"type": "integer", "description": "Bytes."}
    if kind is Secret:
        return {"type": "string"}
    raise TypeError(f"OpenAPI has no words for {kind!r}: say in _plain what a program sends for it")
