"""The rules of the house that no other tool checks. CONTRIBUTING.md has their reasons."""

import ast
import importlib
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "headrace"
ROOMS = sorted(path for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE)
# These say what kind of thing something is, instead of what it is.
BANNED_ENDS = ("Manager", "Helper", "Util", "Utils", "Common", "Impl", "Processor", "Handler", "Data", "Info")
BANNED_STARTS = ("Abstract", "Base", "Mock")
BANNED_FILES = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
MACHINE = re.compile(r"(?<![\w.])/(work|root)/|(?<![\w.])/(home|tmp)/\w")


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def defined(path: Path, *kinds: type[ast.stmt]) -> Iterator[ast.stmt]:
    return (node for node in ast.walk(parse(path)) if isinstance(node, kinds))


def committed() -> list[Path]:
    """Every file that belongs to the project, generated and vendored ones left out."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("no checkout")
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


def test_a_file_holds_one_idea() -> None:
    long = [path for path in python_files("src", "examples", "benchmarks") if lines_of(path) > 400]
    long += [path for path in python_files("tests") if lines_of(path) > 500]

    assert names(long) == []


def test_a_function_fits_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files("src")
        for node in defined(path, ast.FunctionDef, ast.AsyncFunctionDef)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _code_lines(node) > 40
    ]

    assert long == []


def _code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.parent.name)
def test_a_room_says_what_it_is_for_and_holds_no_code(room: Path) -> None:
    module = parse(room)
    text = ast.get_docstring(module) or ""

    assert len(module.body) == 1, "a room's __init__ is its docstring"
    assert "May import:" in text
    assert "Must never:" in text


def test_architecture_lists_every_room() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")

    assert [room.parent.name for room in ROOMS if f"`{room.parent.name}" not in page] == []


def test_no_name_says_what_kind_of_thing_it_is() -> None:
    bad = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in python_files("src", "tests", "examples", "benchmarks")
        for node in defined(path, ast.ClassDef)
        if isinstance(node, ast.ClassDef) and (node.name.endswith(BANNED_ENDS) or node.name.startswith(BANNED_STARTS))
    ]
    files = [path for path in python_files("src", "tests", "examples", "benchmarks") if path.stem in BANNED_FILES]

    assert bad == []
    assert names(files) == []


def test_nothing_is_mocked() -> None:
    mocked = [path for path in python_files("src", "tests") if _imports(path) & {"unittest.mock", "mock"}]

    assert names(mocked) == []


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_nobody_imports_a_room_itself() -> None:
    """Modules are imported, never a room's `__init__`, so that no import pulls in a whole room."""
    rooms = {f"headrace.{'.'.join(room.parent.relative_to(PACKAGE).parts)}" for room in ROOMS}
    modules = {
        f"headrace.{'.'.join(path.relative_to(PACKAGE).with_suffix('').parts)}" for path in PACKAGE.rglob("*.py")
    }
    bad = [
        f"{path.relative_to(ROOT)}:{node.lineno} from {node.module} import {alias.name}"
        for path in python_files("src", "tests")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ImportFrom) and node.module in rooms
        for alias in node.names
        if f"{node.module}.{alias.name}" not in modules
    ]

    assert bad == []


def test_public_names_are_sorted_and_there() -> None:
    package = importlib.import_module("headrace")

    assert sorted(package.__all__) == package.__all__
    assert [name for name in package.__all__ if not hasattr(package, name)] == []


def test_no_file_knows_a_machine() -> None:
    """No path of somebody's machine, and no host that packages come from."""
    found = []
    for path in committed():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in MACHINE.finditer(text)]

    assert found == []


def test_the_lock_has_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^(\S+)==\S+( ; .*)? \\\n    --hash=sha256:", lock, re.MULTILINE)

    assert "://" not in lock
    assert len(pins) == len(re.findall(r"^\w", lock, re.MULTILINE))


def test_the_papers_are_there() -> None:
    papers = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"]

    assert [paper for paper in papers if not (ROOT / paper).is_file()] == []


def test_what_would_refute_a_promise_exists() -> None:
    """Every test and every file that the guarantees name is there."""
    text = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    files = re.findall(r"`((?:tests|benchmarks)/[\w/]+\.py)", text)
    defines = {file: {node.name for node in defined(ROOT / file, ast.FunctionDef)} for file, _ in tests}  # type: ignore[attr-defined]

    assert len(tests) > 10
    assert [file for file in files if not (ROOT / file).is_file()] == []
    assert [f"{file}::{name}" for file, name in tests if name not in defines[file]] == []
