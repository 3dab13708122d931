"""What the content security policy forbids stands in no template, and what is vendored is as it was published."""

import re
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

ROOMS = [files("headrace.console"), files("headrace.demo")]
TEMPLATES = [each for room in ROOMS for each in room.joinpath("templates").iterdir() if each.name.endswith(".html")]
SCRIPTS = [each for room in ROOMS for each in room.joinpath("static").iterdir() if each.name.endswith(".js")]
VENDORED = files("headrace.console").joinpath("static/vendor")

FORBIDDEN = {
    "a script in the page": r"<script(?![^>]*\ssrc=)",
    "a style in the page": r"<style|\sstyle\s*=",
    "text that is not escaped": r"\|\s*safe\b|\bautoescape\b|Markup",
    "a handler in the page": r"\son\w+\s*=|hx-on",
    "an address that is a script": r"javascript:",
    "something from elsewhere": r"(?:src|href)\s*=\s*[\"']?\s*(?:https?:)?//",
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.name)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_template_holds_no(what: str, template: Traversable) -> None:
    assert re.findall(FORBIDDEN[what], template.read_text("utf-8"), re.IGNORECASE) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda each: each.name)
def test_script_makes_no_code_or_markup_of_text(script: Traversable) -> None:
    words = r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTMLUnsafe"
    assert re.findall(words, script.read_text("utf-8")) == []


def test_vendored_file_is_as_it_was_published() -> None:
    told = dict(
        re.findall(r"^\| (\S+) \|.*\| ([0-9a-f]{64}) \|$", VENDORED.joinpath("README.md").read_text(), re.MULTILINE)
    )
    published = [each for each in VENDORED.iterdir() if each.name.endswith((".js", ".css"))]
    assert {each.name: sha256(each.read_bytes()).hexdigest() for each in published} == told
