"""A river for pages to show: topics of a memory broker, books written by hand, and a watch that has seen them."""

from collections.abc import Callable, Sequence

from headrace.broker.port import Reader
from headrace.clock import Clock
from headrace.console.sources import Facts
from headrace.console.watching.watch import Watch
from headrace.console.watching.watchman import Watchman
from headrace.control.pauses import Pauses
from headrace.core.columns import Account
from headrace.core.positions import Positions
from headrace.ledger.audit import audit
from headrace.ledger.positions import look
from headrace.model.destination import Destination
from headrace.model.secret import Secret
from headrace.model.units import Duration
from headrace.sinks.http_settings import HttpSettings
from headrace.testing.clock import FakeClock
from headrace.wire import attempts
from headrace.wire.attempts import Attempt, Span
from headrace.wire.times import to_text
from unit.console.asking_client import facts
from unit.ledger.test_audit import NAMES, ROUTES, River, flowing

CRM = Destination(
    name="crm",
    type="http",
    settings=HttpSettings(url="https://crm.example/hook/s3cret-path/{org}", headers={"Authorization": Secret("tok3n")}),
)
LOG = Destination(name="log", type="eventlog", settings=HttpSettings(url=""), shared=True)


def routes(org: str) -> Sequence[str]:
    return ROUTES.get(org, ())


def close_books(reader: Reader, seen: Callable[[int], None]) -> tuple[Account, Positions]:
    closed = audit(reader, NAMES, routes, seen=seen)
    return closed.account, closed.positions


def watchman(river: River, watch: Watch, clock: Clock) -> Watchman:
    return Watchman(
        watch,
        river.broker.reader,
        lambda reader: look(reader, NAMES),
        close_books,
        Pauses(river.broker.reader, NAMES, clock),
        NAMES,
        clock,
    )


def watched(river: River | None = None, clock: Clock | None = None) -> Watch:
    """Return a watch that has seen *river* once."""
    watch = Watch()
    watchman(river or flowing(), watch, clock or FakeClock()).step()
    return watch


def attempt(river: River, org: str, at: float, **fields: object) -> None:
    """Write an attempt of *org* at the destination crm, by default a delivered one."""
    usual: dict[str, object] = {"destination": "crm", "ms": 4.0, "events": 1, "bytes": 10, "delivered": 1}
    usual["spans"] = [Span(NAMES.events, 0, 0, 0, 1)]
    written = Attempt(org=org, at=to_text(at), **usual | fields)  # type: ignore[arg-type]
    river.write(NAMES.attempts, attempts.key(NAMES.events, 0), attempts.encode(written))


def known() -> Facts:
    """Return facts of an installation with the destinations crm and log, routed as in `ROUTES`."""
    plain = facts({"crm": CRM, "log": LOG})
    fields = {name: getattr(plain, name) for name in Facts.__struct_fields__}
    return Facts(**fields | {"destinations_of": routes, "tiers": (Duration(5),)})
