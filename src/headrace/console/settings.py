"""Where the console listens."""

from typing import Annotated

import msgspec


class ConsoleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The web console."""

    host: Annotated[str, msgspec.Meta(description="The address on which the console listens.")] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535, description="The port on which the console listens.")] = 8400
    environment: Annotated[
        str, msgspec.Meta(description="What this installation is called, shown on every page.", max_length=40)
    ] = ""
