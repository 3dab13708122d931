"""What the Grafana dashboard shows: rows of panels, each a few queries over the catalogue's metrics."""

from collections.abc import Sequence
from typing import Literal

import msgspec


class Query(msgspec.Struct, frozen=True):
    """One line of a panel; *legend* as Grafana writes it."""

    expression: str
    legend: str = ""


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One picture. *unit* is Grafana's name for it; *width* counts columns of 24. *bad* colours a single number."""

    title: str
    queries: Sequence[Query]
    unit: str = "short"
    shows: Literal["lines", "stack", "number"] = "lines"
    width: int = 8
    bad: Literal["above", "below", ""] = ""
    limit: float = 0


class Row(msgspec.Struct, frozen=True):
    """Panels under one heading."""

    title: str
    panels: Sequence[Panel]


def _rate(metric: str, by: str = "") -> str:
    return f"sum{f' by ({by})' if by else ''} (rate({metric}[$__rate_interval]))"


def _quantiles(metric: str) -> Sequence[Query]:
    spread = f"sum by (le) (rate({metric}_bucket[$__rate_interval]))"
    return [Query(f"histogram_quantile({each / 100:g}, {spread})", f"p{each}") for each in (50, 95, 99)]


def _number(
    title: str, expression: str, unit: str = "short", bad: Literal["above", "below", ""] = "", limit: float = 0
) -> Panel:
    return Panel(title=title, queries=[Query(expression)], unit=unit, shows="number", width=4, bad=bad, limit=limit)


def _lines(title: str, unit: str, *queries: Query, shows: Literal["lines", "stack"] = "lines") -> Panel:
    return Panel(title=title, unit=unit, queries=queries, shows=shows)


ROWS: Sequence[Row] = (
    Row(
        "At a glance",
        [
            _number("Books balance", "min(headrace_books_balanced)", "bool_yes_no", "below", 1),
            _number("Oldest unsettled", "max(headrace_lag_seconds)", "s", "above", 300),
            _number("Parked lanes", "sum(headrace_lanes_parked)", bad="above", limit=1),
            _number("Dead letters, 1 h", "sum(increase(headrace_events_dead_total[1h]))", bad="above", limit=1),
            _number("Open alerts", "sum(headrace_alerts_open)", bad="above", limit=1),
            _number("Assigned partitions", "sum(headrace_partitions)", bad="below", limit=1),
        ],
    ),
    Row(
        "The river",
        [
            _lines(
                "Events per second",
                "eps",
                Query(_rate("headrace_emitter_events_taken_total"), "taken by emitters"),
                Query(_rate("headrace_emitter_events_acknowledged_total"), "acknowledged"),
                Query(_rate("headrace_records_polled_total"), "polled"),
                Query(_rate("headrace_events_delivered_total"), "delivered"),
            ),
            _lines("Lag in records", "short", Query("sum by (topic) (headrace_lag_records)", "{{topic}}")),
            _lines("Lag in seconds", "s", Query("max by (topic) (headrace_lag_seconds)", "{{topic}}")),
            _lines("From event to delivery", "s", *_quantiles("headrace_delivery_seconds")),
            _lines("Retry tiers", "short", Query("sum by (tier) (headrace_tier_events)", "{{tier}}"), shows="stack"),
            _lines("Lateness of retries", "s", *_quantiles("headrace_lateness_seconds")),
        ],
    ),
    Row(
        "Destinations",
        [
            _lines(
                "Outcomes per second",
                "eps",
                Query(_rate("headrace_events_delivered_total", "destination"), "delivered {{destination}}"),
                Query(_rate("headrace_events_retried_total", "destination"), "retried {{destination}}"),
                Query(_rate("headrace_events_dead_total", "destination"), "dead {{destination}}"),
            ),
            _lines(
                "Posts per second",
                "reqps",
                Query(_rate("headrace_posts_total", "destination"), "posts {{destination}}"),
                Query(_rate("headrace_posts_failed_total", "destination"), "failed {{destination}}"),
            ),
            _lines("Post duration", "s", *_quantiles("headrace_post_seconds")),
            _lines("Batch size", "short", *_quantiles("headrace_batch_events")),
            _lines(
                "Lanes",
                "short",
                Query("sum by (destination) (headrace_lanes)", "all {{destination}}"),
                Query("sum by (destination) (headrace_lanes_parked)", "parked {{destination}}"),
                Query("sum by (destination) (headrace_lanes_paused)", "paused {{destination}}"),
            ),
            _lines(
                "In lanes and in flight",
                "short",
                Query("sum by (destination) (headrace_lane_events)", "events waiting {{destination}}"),
                Query("sum by (destination) (headrace_posts_in_flight)", "posts in flight {{destination}}"),
            ),
        ],
    ),
    Row(
        "Workers",
        [
            _lines("Held memory", "bytes", Query("headrace_held_bytes", "{{instance}}")),
            _lines("Held sessions", "short", Query("headrace_sessions_held", "{{instance}}")),
            _lines(
                "Commits per second", "ops", Query("rate(headrace_commits_total[$__rate_interval])", "{{instance}}")
            ),
            _lines("Partitions", "short", Query("headrace_partitions", "{{instance}}")),
            _lines("Since the last poll", "s", Query("headrace_poll_age_seconds", "{{instance}}")),
        ],
    ),
    Row(
        "Books and console",
        [
            _lines("The books", "short", Query("sum by (column) (headrace_books_events)", "{{column}}")),
            _lines(
                "Age of what the console knows",
                "s",
                Query("max(headrace_books_age_seconds)", "books"),
                Query("max(headrace_watch_age_seconds)", "river"),
                Query("max(headrace_keeper_age_seconds)", "event log"),
            ),
            _lines(
                "Questions per second",
                "reqps",
                Query(_rate("headrace_questions_total"), "asked"),
                Query(_rate("headrace_questions_failed_total"), "failed"),
            ),
            _lines("Alerts", "short", Query("sum by (rule) (headrace_alerts_open)", "{{rule}}"), shows="stack"),
            _lines(
                "Notifications per second",
                "ops",
                Query(_rate("headrace_notifications_sent_total"), "taken"),
                Query(_rate("headrace_notifications_failed_total"), "not taken"),
            ),
            _lines(
                "In the background, and viewers",
                "short",
                Query("sum(headrace_chores_failing)", "failing chores"),
                Query("sum(headrace_viewers_open)", "live streams"),
            ),
        ],
    ),
    Row(
        "Bots",
        [
            _lines(
                "Journal",
                "percentunit",
                Query("headrace_emitter_journal_bytes / headrace_emitter_journal_limit_bytes", "{{instance}}"),
            ),
            _lines(
                "Dropped per second",
                "eps",
                Query(_rate("headrace_emitter_events_dropped_total", "reason"), "{{reason}}"),
            ),
            _lines(
                "Spilled per second",
                "eps",
                Query(_rate("headrace_emitter_events_spilled_total", "instance"), "{{instance}}"),
            ),
            _lines(
                "Not acknowledged", "short", Query("sum by (place) (headrace_emitter_waiting_events)", "in {{place}}")
            ),
            _lines("Queue", "bytes", Query("headrace_emitter_queued_bytes", "{{instance}}")),
            _lines(
                "What went wrong",
                "short",
                Query("sum(increase(headrace_emitter_values_unencodable_total[5m]))", "values not encodable"),
                Query("sum(increase(headrace_emitter_segments_damaged_total[5m]))", "damaged stretches"),
                Query("sum(increase(headrace_emitter_events_recovered_total[5m]))", "recovered events"),
            ),
        ],
    ),
)
