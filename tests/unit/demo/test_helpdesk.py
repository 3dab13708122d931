"""The demo's bot is found where it is."""

import sys
from pathlib import Path

import pytest

from headrace.demo.helpdesk import NAME, load
from headrace.errors import HeadraceError
from headrace.testing.emitter import ListeningEmitter


@pytest.fixture(autouse=True)
def _nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        monkeypatch.delitem(sys.modules, name)


def test_the_bot_of_the_checkout_converses() -> None:
    emitter = ListeningEmitter()

    load().converse(emitter, "org-00", "s-1", 1)

    assert emitter.types[-1] == "bot.session.ended"


def test_the_bot_is_loaded_once() -> None:
    assert load() is load()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site directory with a bot that says so."""
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "__init__.py").write_text("INSTALLED = True")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("installed")
def test_the_installed_bot_serves_where_there_is_no_checkout(tmp_path: Path) -> None:
    assert load(tmp_path / "nothing").INSTALLED


@pytest.mark.usefixtures("installed")
def test_the_checkout_comes_before_an_old_installed_copy() -> None:
    assert not hasattr(load(), "INSTALLED")


def test_a_bot_that_is_nowhere_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])

    with pytest.raises(HeadraceError, match=r"neither in .* nor installed"):
        load(tmp_path)
