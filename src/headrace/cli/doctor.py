"""`headrace doctor`: what is wrong, and the command that mends it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from headrace import app
from headrace import config as configuration
from headrace.cli.output import emit_document
from headrace.errors import ConfigError
from headrace.model.finding import Finding


class DoctorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints."""

    well: bool
    findings: list[Finding]


def doctor(*, config: Path | None = None, json: bool = False) -> int:
    """Check the configuration, Kafka, topics, destinations, event log and journal; change nothing.

    Says what is wrong and the command that mends it. Exits 1 when something is wrong.

    Example: headrace doctor --config headrace.toml

    Parameters
    ----------
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    findings = _examine(config)
    is_well = all(each.state == "well" for each in findings)
    emit_document(DoctorDocument(well=is_well, findings=findings), _text(findings), json=json)
    return 0 if is_well else 1


def _examine(path: Path | None) -> list[Finding]:
    try:
        loaded = configuration.load(path)
    except ConfigError as error:
        mend = "correct it; headrace config reference says what there is"
        return [Finding(check="configuration", state="wrong", says=str(error), mend=mend)]
    source = str(loaded.file) if loaded.file else "defaults and variables, no file"
    return [Finding(check="configuration", state="well", says=source), *app.checks(loaded)]


def _text(findings: Sequence[Finding]) -> str:
    width = max(len(each.check) for each in findings)
    lines = []
    for each in findings:
        lines.append(f"{each.state:<6}  {each.check:<{width}}  {each.says}")
        if each.mend:
            lines.append(f"{'':<6}  {'':<{width}}  → {each.mend}")
    return "\n".join(lines)
