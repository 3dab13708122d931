"""The emitter's settings: `[emitter]` in the configuration (design, section 3.4)."""

from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec

from headrace.model.units import Duration, Size


class EmitterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How much the emitter may hold, where it spills to, and how it sends."""

    durability: Annotated[
        Literal["memory", "journal"],
        msgspec.Meta(description="Whether `emit` returns once the event is in memory, or once it is in the journal."),
    ] = "memory"
    memory: Annotated[
        Size,
        msgspec.Meta(description="What the emitter may hold in memory; beyond it, or without Kafka, events spill."),
    ] = Size.parse("64MiB")
    journal_dir: Annotated[
        str,
        msgspec.Meta(description="The directory of the journal; all processes of a host may share it."),
    ] = ".headrace/journal"
    journal_bytes: Annotated[
        Size,
        msgspec.Meta(description="What the journal's directory may hold; beyond it events are dropped, and counted."),
    ] = Size.parse("1GiB")
    journal_sync: Annotated[
        Duration,
        msgspec.Meta(
            description="How often the journal is forced to the disk, in the background; `0s` leaves it to the system. "
            "The end of a process loses nothing of it, that of a machine at most so much."
        ),
    ] = Duration.parse("1s")
    compression: Annotated[
        Literal["none", "gzip", "snappy", "lz4", "zstd"],
        msgspec.Meta(description="How batches are compressed on their way to Kafka."),
    ] = "lz4"
    linger: Annotated[
        Duration,
        msgspec.Meta(description="How long an event may wait for others to travel with."),
    ] = Duration.parse("10ms")
    close_timeout: Annotated[
        Duration,
        msgspec.Meta(description="How long the end of the process may wait for Kafka before the rest is journaled."),
    ] = Duration.parse("5s")

    def relative_to(self, directory: Path) -> Self:
        """Return the same settings with a relative `journal_dir` below *directory*, where the configuration stands."""
        return msgspec.structs.replace(self, journal_dir=str(directory / self.journal_dir))
