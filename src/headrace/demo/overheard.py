"""What passes between one conversation and Kafka: every event on its way, and when it stands in the event log."""

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import msgspec

from headrace.emitter.encoding import OutgoingEvent
from headrace.emitter.session import Outlet
from headrace.eventlog.port import StoredEvent
from headrace.eventlog.told import Told


class _Sent(msgspec.Struct):
    id: str
    type: str
    time: str
    seq: int


_read = msgspec.json.Decoder(_Sent).decode


class Overheard:
    """An `Outlet` for one session, which passes everything on to *outlet* and remembers it.

    The bot emits in one thread while others look; what they get is a copy.
    """

    def __init__(self, outlet: Outlet, org: str, session: str) -> None:
        self._outlet = outlet
        self._org = org
        self._session = session
        self._lock = threading.Lock()
        self._on_the_way: dict[str, StoredEvent] = {}
        self._delays: dict[str, float] = {}

    @property
    def stamp(self) -> Callable[[], tuple[str, str]]:
        return self._outlet.stamp

    @property
    def encode(self) -> Callable[[OutgoingEvent], bytes]:
        return self._outlet.encode

    def take(self, key: bytes, value: bytes) -> bool:
        """Pass one event on; remember it if the emitter took it."""
        sent = _read(value)
        event = StoredEvent(
            org=self._org,
            session=self._session,
            seq=sent.seq,
            at=datetime.fromisoformat(sent.time).timestamp(),
            type=sent.type,
            failed=Told(value).error() is not None,
            value=value,
            id=sent.id,
        )
        # It could arrive before `take` returns, so it is on the way before.
        with self._lock:
            self._on_the_way[event.id] = event
        is_taken = self._outlet.take(key, value)
        if not is_taken:
            with self._lock:
                self._on_the_way.pop(event.id, None)
        return is_taken

    def on_the_way(self) -> Sequence[StoredEvent]:
        """Return what was emitted and not seen in the event log yet, in the order of the emits."""
        with self._lock:
            return list(self._on_the_way.values())

    def arrived(self, ids: Collection[str], now: float) -> None:
        """Note that the events of *ids* stand in the event log *now*; what was noted before stays as it was."""
        with self._lock:
            for each in ids:
                event = self._on_the_way.pop(each, None)
                if event is not None:
                    self._delays[each] = max(0.0, now - event.at)

    def delays(self) -> dict[str, float]:
        """Return by id how many seconds after its emit each event was first seen in the event log."""
        with self._lock:
            return dict(self._delays)
