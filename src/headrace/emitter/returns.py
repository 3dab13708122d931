"""What comes back: records that the producer was given and Kafka did not take."""

import msgspec

from headrace.emitter.intake import Intake
from headrace.errors import BrokerError, RecordTooLarge
from headrace.wire.journal import Frame, encode


class Returns:
    """Journals what came back, to be sent again; at the end of the process it is gathered first, to be put in order."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._gathered: list[Frame] | None = None

    def keep(self, frame: Frame, error: BrokerError) -> None:
        """Keep one record for another try, unless Kafka will never take it."""
        if isinstance(error, RecordTooLarge):
            self._intake.drop("too_large")
        elif self._gathered is not None:
            self._gathered.append(frame)
        else:
            with self._intake.lock:
                if refused := self._intake.journal([encode(frame.topic, frame.key, frame.value)]):
                    self._intake.drop(refused)

    @property
    def closing(self) -> bool:
        return self._gathered is not None

    def gather(self) -> list[Frame]:
        """From now on put what comes back into the list that is returned."""
        self._gathered = []
        return self._gathered


class _Identity(msgspec.Struct):
    id: str = ""


_decode = msgspec.json.Decoder(_Identity).decode


def by_emit(frame: Frame) -> str:
    """Sort by the event's id: ids rise in the order of emits, while a purge returns records in no such order."""
    try:
        return _decode(frame.value).id
    except msgspec.DecodeError:
        return ""
