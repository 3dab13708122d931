"""Histories in which one thing is wrong, by the name that the checker has for it."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from chaos.history import History, agreeing
from chaos.ledger import Ledger
from chaos.records import Crashed, Sent, Stored


def delivered(events: int = 3) -> tuple[History, list[int]]:
    """Return a history in which a session's events came, one post each, to the event log and to its org."""
    history = History()
    numbers = [history.emit("org-0", "s") for _ in range(events)]
    for n in numbers:
        history.post("crm-0", [n])
    history.store(numbers)
    return history, numbers


def without(history: History, *unwanted: type) -> History:
    history.records = [record for record in history.records if not isinstance(record, unwanted)]
    return history


def lost_in_the_journal() -> Ledger:
    history, _ = delivered()
    history.emit("org-0", "s", kept=False)
    return history.ledger()


def lost_after_kafka() -> Ledger:
    history, _ = delivered()
    history.store([history.emit("org-0", "other")])
    return history.ledger()


def lost_after_a_tier() -> Ledger:
    history, _ = delivered()
    n = history.emit("org-0", "other")
    history.store([n])
    history.post("crm-0", [n], applied=[])
    history.retry("crm-0", n, 1.0, 1)
    return history.ledger()


def lost_unknown_but_replicated() -> Ledger:
    history, _ = delivered()
    history.emit("org-0", "other", taken=None)
    return history.ledger()


def lost_in_the_event_log() -> Ledger:
    history, _ = delivered()
    history.post("crm-0", [history.emit("org-0", "other")])
    return history.ledger()


def undrained() -> Ledger:
    history, numbers = delivered()
    history.retry("crm-0", numbers[0], 1.0, 1, settled=False)
    return history.ledger()


def never_committed() -> Ledger:
    history, numbers = delivered()
    history.hold(numbers[0], settled=False)
    return history.ledger()


def delivered_but_never_taken() -> Ledger:
    history, _ = delivered()
    n = history.emit("org-0", "other", taken=False)
    history.post("crm-0", [n])
    history.store([n])
    return history.ledger()


def delivered_but_never_emitted() -> Ledger:
    history, _ = delivered()
    history.events[99] = Sent(99, "org-0", "other", 0, "id-99", "digest-99")
    history.hold(99)
    history.post("crm-0", [99])
    history.store([99])
    return history.ledger()


def posted_but_not_in_kafka() -> Ledger:
    history, _ = delivered()
    n = history.emit("org-0", "other", taken=None, kept=False)
    history.post("crm-0", [n])
    return history.ledger()


def other_bytes_in_a_request() -> Ledger:
    history, numbers = delivered()
    history.events[numbers[0]] = msgspec.structs.replace(history.events[numbers[0]], digest="another")
    history.post("crm-0", numbers[:1])
    return history.ledger()


def other_bytes_on_a_tier() -> Ledger:
    history, numbers = delivered()
    history.events[numbers[0]] = msgspec.structs.replace(history.events[numbers[0]], digest="another")
    history.retry("crm-0", numbers[0], 1.0, 1)
    return history.ledger()


def two_rows() -> Ledger:
    history, numbers = delivered()
    history.store(numbers[:1])
    return history.ledger()


def two_ids() -> Ledger:
    history, numbers = delivered()
    history.events[numbers[0]] = msgspec.structs.replace(history.events[numbers[0]], id="another")
    history.post("crm-0", numbers[:1])
    return history.ledger()


def mixed_orgs() -> Ledger:
    history = History()
    numbers = [history.emit("org-1", "s"), history.emit("org-2", "s")]
    history.post("hub", numbers)
    history.store(numbers)
    return history.ledger()


def another_orgs_address() -> Ledger:
    history, numbers = delivered()
    history.post("crm-0", numbers[:1], org="org-1")
    return history.ledger()


def a_row_in_another_orgs_room() -> Ledger:
    history, numbers = delivered(1)
    without(history, Stored)
    history.records.append(Stored(1, "org-1", history.events[numbers[0]]))
    return history.ledger()


def no_signature() -> Ledger:
    history, numbers = delivered()
    history.post("crm-0", numbers[:1], signed=False)
    return history.ledger()


def dead_without_a_word() -> Ledger:
    history, _ = delivered()
    n = history.emit("org-0", "other")
    history.post("crm-0", [n], applied=[])
    history.bury("crm-0", n)
    history.store([n])
    return history.ledger()


def given_up() -> Ledger:
    history, _ = delivered()
    n = history.emit("org-0", "other")
    history.post("crm-0", [n], refused=[n])
    history.bury("crm-0", n, "gave_up")
    history.store([n])
    return history.ledger()


def before_an_earlier_one() -> Ledger:
    history = History()
    first, second = history.emit("org-0", "s"), history.emit("org-0", "s")
    history.post("crm-0", [second])
    history.post("crm-0", [first])
    history.store([first, second])
    return history.ledger()


def past_a_held_one() -> Ledger:
    history = History()
    first, second = history.emit("org-0", "s"), history.emit("org-0", "s")
    history.post("crm-0", [first], applied=[])
    due = history.retry("crm-0", first, 1.0, 1)
    history.post("crm-0", [second])
    history.wait(due - history.now + 0.1)
    history.post("crm-0", [first])
    history.store([first, second])
    return history.ledger()


def turned_around_in_a_post() -> Ledger:
    history = History()
    first, second = history.emit("org-0", "s"), history.emit("org-0", "s")
    history.post("crm-0", [second, first])
    history.store([first, second])
    return history.ledger()


def turned_around_in_the_event_log() -> Ledger:
    history = History()
    first, second = history.emit("org-0", "s"), history.emit("org-0", "s")
    history.post("crm-0", [first, second])
    history.store([second, first])
    return history.ledger()


def turned_around_on_the_way_to_kafka() -> Ledger:
    history = History()
    first = history.emit("org-0", "s", kept=False)
    second = history.emit("org-0", "s")
    history.hold(first)
    history.post("crm-0", [second])
    history.post("crm-0", [first])
    history.store([second, first])
    return history.ledger()


def too_early() -> Ledger:
    history = History()
    n = history.emit("org-0", "s")
    history.post("crm-0", [n], applied=[])
    due = history.retry("crm-0", n, 3.0, 1)
    history.wait(due - history.now - 0.5)
    history.post("crm-0", [n])
    history.store([n])
    return history.ledger()


def a_tier_skipped() -> Ledger:
    """What comes back long before its tier's delay, on the second tier."""
    history = History()
    n = history.emit("org-0", "s")
    history.post("crm-0", [n], applied=[])
    due = history.retry("crm-0", n, 1.0, 1)
    history.wait(due - history.now + 0.1)
    history.post("crm-0", [n], applied=[])
    history.retry("crm-0", n, 3.0, 2)
    history.wait(1.0)
    history.post("crm-0", [n])
    history.store([n])
    return history.ledger()


def no_audit() -> Ledger:
    return delivered()[0].ledger({})


def an_audit_that_counts_less() -> Ledger:
    ledger = delivered()[0].ledger()
    ledger.audit["orgs"]["org-0"]["accepted"] -= 1
    return ledger


def an_audit_that_says_lost() -> Ledger:
    ledger = delivered()[0].ledger()
    return delivered()[0].ledger({**agreeing(ledger), "balanced": False, "lost": 1})


def an_audit_of_other_orgs() -> Ledger:
    ledger = delivered()[0].ledger()
    audit: dict[str, Any] = {**ledger.audit}
    audit["orgs"] = {**audit["orgs"], "org-7": audit["orgs"]["org-0"]}
    ledger.audit = audit
    return ledger


def never_quiet() -> Ledger:
    ledger = delivered()[0].ledger()
    ledger.setting = msgspec.structs.replace(ledger.setting, quiet_at=None)
    return ledger


def crashed() -> Ledger:
    history, _ = delivered()
    history.records.append(Crashed("worker-1", "ended by itself", history.now))
    return history.ledger()


STORIES: Sequence[tuple[str, Callable[[], Ledger]]] = (
    ("lost", lost_in_the_journal),
    ("lost", lost_after_kafka),
    ("lost", lost_after_a_tier),
    ("lost", lost_unknown_but_replicated),
    ("lost", lost_in_the_event_log),
    ("undrained", undrained),
    ("undrained", never_committed),
    ("phantom", delivered_but_never_taken),
    ("phantom", delivered_but_never_emitted),
    ("phantom", posted_but_not_in_kafka),
    ("corrupt", other_bytes_in_a_request),
    ("corrupt", other_bytes_on_a_tier),
    ("twice", two_rows),
    ("twice", two_ids),
    ("foreign", mixed_orgs),
    ("foreign", another_orgs_address),
    ("foreign", a_row_in_another_orgs_room),
    ("unsigned", no_signature),
    ("buried", dead_without_a_word),
    ("buried", given_up),
    ("order", before_an_earlier_one),
    ("order", past_a_held_one),
    ("order", turned_around_in_a_post),
    ("order", turned_around_in_the_event_log),
    ("emit_order", turned_around_on_the_way_to_kafka),
    ("early", too_early),
    ("early", a_tier_skipped),
    ("audit", no_audit),
    ("audit", an_audit_that_counts_less),
    ("audit", an_audit_that_says_lost),
    ("audit", an_audit_of_other_orgs),
    ("hang", never_quiet),
    ("crashed", crashed),
)
