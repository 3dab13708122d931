"""Who sees what: every view and every action, for every role, and every org. New ones are in it by themselves."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

from headrace.console.links import link, places
from headrace.console.view import Action, View
from headrace.console.viewer import Viewer
from headrace.console.views.every import ACTIONS, VIEWS
from headrace.console.web.answers import API
from headrace.console.web.lines import SUFFIX
from headrace.settings.keys import bare
from unit.console.asking_client import Answered, Asking
from unit.console.two_orgs import KNOWN, ORGS, TwoOrgs, canary

OURS, THEIRS = ORGS
NOWHERE = {
    "org": "no-such-org", "session": "no-such-session", "user": "no-such-user", "id": "no-such-id",
    "fingerprint": "0" * 32, "partition": "1", "offset": "999", "destination": "crm",
    "topic": KNOWN.names.events,
}  # fmt: skip
"""Names of what is not there."""

EVERYTHING: list[View | Action] = [*VIEWS, *ACTIONS]
Stores = Mapping[type[View | Action], TwoOrgs]
Open = Callable[[str, type[View | Action]], Asking]

ROLES = {
    "operator": Viewer("olga"),
    "viewer": Viewer("ada", OURS),
    "eraser": Viewer("eve", OURS, is_eraser=True),
    "nobody": None,
}
ORG_ROLES = ["viewer", "eraser"]
ERASING = {"do_erase_session", "do_erase_user"}


def by_name(each: View | Action) -> str:
    return each.name


def is_for_orgs(each: View | Action) -> bool:
    return each.audience == "org" and "org" in each.ask.__struct_fields__


@pytest.fixture(scope="module")
def stores() -> Stores:
    """What views are asked about, and what is acted on."""
    return {View: TwoOrgs(), Action: TwoOrgs()}


@pytest.fixture(scope="module")
def opened(stores: Stores) -> Iterator[Open]:
    """Open the site for a role, once."""
    with ExitStack() as stack:
        yield cache(lambda role, kind: stack.enter_context(stores[kind].site(ROLES[role])))


def given(each: View | Action, names: dict[str, str]) -> dict[str, Any]:
    """Return values for what *each* must be given, and for its places; the org only where it is one."""
    values: dict[str, Any] = {name: names.get(name, "1") for name in places(each.path)}
    for field in msgspec.structs.fields(each.ask):
        if field.required and field.name not in values:
            values[field.name] = names.get(field.name) or _sample(bare(field.type))
    return values


def _sample(kind: Any) -> Any:
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    return {int: 1, float: 1.0, bool: False}.get(kind, "1")


def ask(site: Asking, each: View | Action, values: dict[str, Any], how: str) -> Answered:
    """Ask for *each* as a page or a form, by the API, or for its lines."""
    prefix = "" if how == "page" else API
    if isinstance(each, View):
        return site.get(prefix + link(each.path + (SUFFIX if how == "lines" else ""), values))
    here = {name: values[name] for name in places(each.path)}
    rest = {name: value for name, value in values.items() if name not in here}
    if how == "api":
        return site.post(prefix + link(each.path, here), json=rest)
    return site.post(link(each.path, here), {name: str(value) for name, value in rest.items()})


def same(first: Answered, second: Answered) -> bool:
    return (first.status, first.body, first.headers) == (second.status, second.body, second.headers)


def ways(each: View | Action) -> list[str]:
    if isinstance(each, Action):
        return ["api", "page"]
    return ["api", *(["page"] if each.has_page else []), *(["lines"] if each.rows else [])]


@pytest.mark.parametrize("each", EVERYTHING, ids=by_name)
def test_nobody_is_told_anything(opened: Open, stores: Stores, each: View | Action) -> None:
    site = opened("nobody", type(each))
    for names in (stores[type(each)].names(OURS), NOWHERE):
        for how in ways(each):
            answered = ask(site, each, given(each, names), how)
            if how != "page":
                assert same(answered, site.get(f"{API}/no/such/path"))
                assert answered.status == 401
            else:
                assert answered.status == 303
                assert answered.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("role", ORG_ROLES)
@pytest.mark.parametrize("each", EVERYTHING, ids=by_name)
def test_a_viewer_gets_the_same_404_for_another_org_and_for_none(
    opened: Open, stores: Stores, each: View | Action, role: str
) -> None:
    """Another org's name with its own things in it, an org that is not there, and a path that is not there: alike."""
    site = opened(role, type(each))
    for how in ways(each):
        missing = site.get("/no/such/path" if how == "page" else f"{API}/no/such/path")
        assert missing.status == 404
        for names in (stores[type(each)].names(THEIRS), NOWHERE):
            values = given(each, names)
            if is_for_orgs(each):
                values["org"] = names["org"]
            assert same(ask(site, each, values, how), missing), f"{how} of {values}"


@pytest.mark.parametrize("role", ORG_ROLES)
@pytest.mark.parametrize("each", EVERYTHING, ids=by_name)
def test_a_viewer_s_own_org_has_nothing_of_another_s(
    opened: Open, stores: Stores, each: View | Action, role: str
) -> None:
    """In one's own org another's session, exception or letter is as absent as one that never was."""
    site = opened(role, type(each))
    foreign, absent = stores[type(each)].names(THEIRS) | {"org": OURS}, NOWHERE | {"org": OURS}
    for how in ways(each):
        there = ask(site, each, given(each, foreign), how)
        nowhere = ask(site, each, given(each, absent), how)
        assert there.status == nowhere.status
        assert _without(foreign, there.text) == _without(absent, nowhere.text)
        assert canary(THEIRS) not in there.text


def _without(names: dict[str, str], text: str) -> str:
    """Leave out the names that were asked for, which a page may repeat."""
    for name in sorted({names[each] for each in ("session", "user", "id", "fingerprint")}, key=len, reverse=True):
        text = text.replace(name, "…")
    return re.sub(r"0{32}|offset=\d+", "…", text)


@pytest.mark.parametrize("role", ORG_ROLES)
@pytest.mark.parametrize("each", VIEWS, ids=by_name)
def test_no_view_shows_a_viewer_another_org_s_text(opened: Open, stores: Stores, each: View, role: str) -> None:
    site = opened(role, type(each))
    for how in ways(each):
        answered = ask(site, each, given(each, stores[type(each)].names(OURS)), how)
        assert answered.status == (200 if each.audience == "org" else 404)
        assert canary(THEIRS) not in answered.text
        assert f"-of-{THEIRS}" not in answered.text


@pytest.mark.parametrize("each", VIEWS, ids=by_name)
def test_an_operator_sees_every_view_of_every_org(opened: Open, stores: Stores, each: View) -> None:
    site = opened("operator", type(each))
    for org in ORGS:
        values = given(each, stores[type(each)].names(org))
        if "org" in each.ask.__struct_fields__:
            values["org"] = org
        for how in ways(each):
            answered = ask(site, each, values, how)
            assert answered.status == 200


@pytest.mark.parametrize("each", [each for each in VIEWS if each.has_stream], ids=by_name)
@pytest.mark.parametrize("prefix", ["", API])
def test_a_stream_is_opened_to_those_who_see_its_view(opened: Open, each: View, prefix: str) -> None:
    path = f"{prefix}{each.path}/stream"
    nobody, viewer, operator = (opened(role, View) for role in ("nobody", "viewer", "operator"))
    assert nobody.get(path).status == 401
    foreign, absent = (viewer.get(f"{path}?org={org}") for org in (THEIRS, "no-such-org"))
    assert same(foreign, absent)
    assert foreign.status == 404
    for site in (viewer, operator):
        opens = site.get(f"{path}?org={OURS}", until=b"retry:")
        assert (opens.status, opens.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


def test_the_texts_that_must_not_be_seen_are_there(opened: Open, stores: Stores) -> None:
    """What the tests above look for is shown to whom it belongs, on most views."""
    site, names = opened("viewer", View), stores[View].names(OURS)
    views = [each for each in VIEWS if is_for_orgs(each)]
    found = {each.name for each in views if canary(OURS) in ask(site, each, given(each, names), "api").text}
    assert {"sessions", "session", "exceptions", "dead", "tail"} <= found
    assert len(found) > len(views) / 2


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("each", ACTIONS, ids=by_name)
def test_what_another_site_asks_for_is_not_done(opened: Open, stores: Stores, each: Action, role: str) -> None:
    site = opened(role, Action)
    path = link(each.path, {name: stores[type(each)].names(OURS).get(name, "1") for name in places(each.path)})
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        form = {"content-type": "application/x-www-form-urlencoded", **headers}
        assert site.ask("POST", path, form, b"org=acme").status == 403
        assert site.ask("POST", API + path, {"content-type": "application/json", **headers}, b"{}").status == 403


@pytest.mark.parametrize("role", ORG_ROLES)
@pytest.mark.parametrize("each", ACTIONS, ids=by_name)
def test_what_a_viewer_may_not_do_is_neither_done_nor_noted(
    opened: Open, stores: Stores, each: Action, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    site = opened(role, type(each))
    monkeypatch.setattr(stores[Action].log, "note", lambda deed: done.append(deed.action))
    values = given(each, stores[type(each)].names(THEIRS)) | ({"org": THEIRS} if is_for_orgs(each) else {})
    for how in ways(each):
        ask(site, each, values, how)
    assert done == []


@pytest.mark.parametrize("how", ["api", "page"])
@pytest.mark.parametrize("role", ["operator", *ORG_ROLES])
@pytest.mark.parametrize("each", [each for each in ACTIONS if is_for_orgs(each)], ids=by_name)
def test_of_all_that_a_viewer_does_to_their_own_only_erasing_has_to_be_given(each: Action, role: str, how: str) -> None:
    orgs, may_erase = TwoOrgs(), role != "viewer"
    names = orgs.names(OURS)
    with orgs.site(ROLES[role]) as site:
        values = given(each, names) | {"org": OURS}
        if each.name in ERASING:
            values["confirm"] = values.get("session") or values["user"]
        answered = ask(site, each, values, how)
        is_there = site.get(f"{API}/sessions/{OURS}/{names['session']}").json()["summary"] is not None

    is_erasing = each.name in ERASING
    assert (answered.status == 403) == (is_erasing and not may_erase)
    assert answered.status != 404
    assert is_there == (not is_erasing or not may_erase)


@pytest.mark.parametrize("how", ["api", "page"])
@pytest.mark.parametrize("session", ["no-such-session", f"session-of-{THEIRS}"])
def test_what_is_absent_is_told_before_what_may_not_be_done(opened: Open, how: str, session: str) -> None:
    prefix, site = API if how == "api" else "", opened("viewer", Action)
    path = f"{prefix}/sessions/{OURS}/{session}/erase"
    absent = site.post(path, json={}) if how == "api" else site.post(path)
    assert same(absent, site.get(f"{prefix}/no/such/path"))


@pytest.mark.parametrize("role", ["operator", *ORG_ROLES])
def test_pages_show_an_erase_button_to_those_who_may(opened: Open, stores: Stores, role: str) -> None:
    site, names = opened(role, View), stores[View].names(OURS)
    pages = [f"/sessions/{OURS}/{names['session']}{end}" for end in ("", "/erase")]
    pages.append(f"/users/{OURS}/{names['user']}/erase")
    for path in pages:
        page = site.get(path)
        assert page.status == 200
        assert ('class="danger"' in page.text or "Erase this session …" in page.text) == (role != "viewer")
        assert ("/erase" in page.text.partition("<main")[2]) == (role != "viewer")
