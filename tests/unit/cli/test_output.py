import io

import pytest

from headrace.cli.output import LINE_EVERY, emit_document, progress
from headrace.model.secret import Secret


class Terminal(io.StringIO):
    """A stream that a person watches."""

    def isatty(self) -> bool:
        return True


def test_document_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    emit_document({"a": 1, "b": Secret("s3cret")}, "text", json=True)

    assert capsys.readouterr().out == '{"a":1,"b":"Secret(\'***\')"}\n'


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    emit_document({"a": 1}, "text", json=False)

    assert capsys.readouterr().out == "text\n"


def test_progress_without_a_terminal_tells_a_line_now_and_then() -> None:
    stream, now = io.StringIO(), [0.0]

    with progress("emitted", stream=stream, now=lambda: now[0]) as shown:
        for done in range(1, 31):
            now[0] = done / 4 * LINE_EVERY / 5
            shown.update(done, 30)

    assert stream.getvalue().splitlines() == ["emitted: 20 of 30", "emitted: 30 of 30"]


def test_progress_that_had_nothing_to_do_ends_with_its_count() -> None:
    stream = io.StringIO()

    with progress("emitted", 0, stream=stream):
        pass

    assert stream.getvalue() == "emitted: 0 of 0\n"


def test_progress_on_a_terminal_is_a_bar() -> None:
    stream = Terminal()

    with progress("emitted", 2, stream=stream) as shown:
        shown.update(2)

    assert "emitted" in stream.getvalue()
    assert "2/2" in stream.getvalue()
