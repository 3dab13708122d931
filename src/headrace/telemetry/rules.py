"""Alert rules for Prometheus, for those who have Alertmanager: the console raises the same alerts by itself."""

import json
from collections.abc import Iterator, Sequence

import msgspec


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: when *expression* holds for so long. *says* may use Prometheus's templates."""

    name: str
    expression: str
    lasts: str
    severity: str
    says: str
    mend: str


RULES: Sequence[AlertRule] = (
    AlertRule(
        name="HeadraceNoWorker",
        expression="absent(headrace_partitions) or sum(headrace_partitions) == 0",
        lasts="2m",
        severity="critical",
        says="No worker has partitions: nothing is delivered.",
        mend="Look at the log of `headrace deliver`, and at its /readyz.",
    ),
    AlertRule(
        name="HeadraceWorkerStalled",
        expression="headrace_poll_age_seconds > 60",
        lasts="1m",
        severity="critical",
        says="{{ $labels.instance }} has not polled for {{ $value | humanizeDuration }}.",
        mend="Look at its /livez; a worker that is not alive is to be restarted.",
    ),
    AlertRule(
        name="HeadraceLag",
        expression="max by (topic) (headrace_lag_seconds) > 300",
        lasts="2m",
        severity="warning",
        says="The oldest unsettled event of {{ $labels.topic }} is {{ $value | humanizeDuration }} late.",
        mend="Start more workers, up to one for each partition, or see which destination holds them up.",
    ),
    AlertRule(
        name="HeadraceDestinationParked",
        expression="sum by (destination) (headrace_lanes_parked) > 0",
        lasts="10m",
        severity="warning",
        says="{{ $labels.destination }} is parked for {{ $value }} lanes.",
        mend="The console's page of the destination shows what it answers.",
    ),
    AlertRule(
        name="HeadraceDeadLetters",
        expression="sum by (destination) (increase(headrace_events_dead_total[5m])) >= 10",
        lasts="0m",
        severity="warning",
        says="{{ $value | humanize }} events became dead letters within 5 minutes. {{ $labels.destination }}",
        mend="`headrace dead list` says why; mend the cause, then `headrace dead redrive`.",
    ),
    AlertRule(
        name="HeadraceBooksUnbalanced",
        expression="min(headrace_books_balanced) == 0",
        lasts="1m",
        severity="critical",
        says="The books do not balance.",
        mend="`headrace audit --deep` names what is lost or was written twice.",
    ),
    AlertRule(
        name="HeadraceBooksOld",
        expression="max(headrace_books_age_seconds) > 900",
        lasts="1m",
        severity="warning",
        says="The books were not closed for {{ $value | humanizeDuration }}.",
        mend="The console's status page says why.",
    ),
    AlertRule(
        name="HeadraceRiverUnseen",
        expression="max(headrace_watch_age_seconds) > 60",
        lasts="1m",
        severity="critical",
        says="The console has not seen the river for {{ $value | humanizeDuration }}.",
        mend="`headrace doctor` says whether Kafka answers.",
    ),
    AlertRule(
        name="HeadraceEventLogFailing",
        expression="max(headrace_keeper_age_seconds) > 300",
        lasts="1m",
        severity="warning",
        says="The event log was not kept for {{ $value | humanizeDuration }}.",
        mend="The console's status page says why; `headrace doctor` looks at the event log.",
    ),
    AlertRule(
        name="HeadraceJournalFilling",
        expression="headrace_emitter_journal_bytes / headrace_emitter_journal_limit_bytes > 0.5",
        lasts="1m",
        severity="warning",
        says="The journal on {{ $labels.instance }} is {{ $value | humanizePercentage }} full.",
        mend="See whether the bots reach Kafka; when the journal is full their events are dropped.",
    ),
    AlertRule(
        name="HeadraceEventsDropped",
        expression="sum by (reason) (increase(headrace_emitter_events_dropped_total[5m])) > 0",
        lasts="0m",
        severity="critical",
        says="Bots dropped {{ $value | humanize }} events within 5 minutes: {{ $labels.reason }}.",
        mend="`headrace.Stats` explains the reasons.",
    ),
)


def rules() -> Iterator[str]:
    """Yield the lines of the file that Prometheus loads. A JSON string is YAML too."""
    yield "# Made by `headrace metrics --rules`; Prometheus loads it by `rule_files`."
    yield "groups:"
    yield "  - name: headrace"
    yield "    rules:"
    for rule in RULES:
        yield f"      - alert: {rule.name}"
        yield f"        expr: {json.dumps(rule.expression)}"
        yield f"        for: {rule.lasts}"
        yield "        labels:"
        yield f"          severity: {rule.severity}"
        yield "        annotations:"
        yield f"          summary: {json.dumps(rule.says)}"
        yield f"          description: {json.dumps(rule.mend)}"
