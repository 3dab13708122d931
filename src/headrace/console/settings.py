"""Where the console listens, and who may sign in."""

from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.model.secret import Secret

_ORG = r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$"


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who may sign in: an operator, or where *org* is given a viewer of that org.

    *may_erase* gives a viewer what operators may anyway, and what nobody can undo.
    """

    password: Annotated[Secret, Meta(description="The password, or what `headrace password` makes of it.")]
    org: Annotated[str, Meta(pattern=_ORG, description="The one org to see; empty: every org, as an operator.")] = ""
    may_erase: Annotated[
        bool, Meta(description="Whether a viewer of one org may erase its sessions and users for ever; operators may.")
    ] = False


class ConsoleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The web console."""

    host: Annotated[str, Meta(description="The address on which the console listens.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535, description="The port on which the console listens.")] = 8400
    environment: Annotated[
        str, Meta(description="What this installation is called, shown on every page.", max_length=40)
    ] = ""
    names: Annotated[
        list[str],
        Meta(description="The names under which browsers reach the console, beside those of this machine."),
    ] = []
    secret: Annotated[
        Secret,
        Meta(
            description="What signs tokens and sessions, 32 characters or more; a new one ends them all. Without it "
            "there is no sign-in, and the console listens on loopback only."
        ),
    ] = Secret("")
    people: Annotated[
        dict[str, Person],
        Meta(
            description="Who may sign in, by name, each with a password, and the org if they are to see only one; with "
            "may_erase they may erase its sessions for ever."
        ),
    ] = {}
    revoked: Annotated[
        list[str], Meta(description="The ids of tokens that are not accepted any more, as `headrace token` said them.")
    ] = []

    def __post_init__(self) -> None:
        if self.people and not self.secret:
            raise ValueError('people cannot sign in without a console.secret; write secret = "env:NAME" beside them')

    @property
    def url(self) -> str:
        """Where people reach it, as far as these settings tell."""
        if self.names:
            host = self.names[0]
        elif self.host in {"0.0.0.0", "::"}:  # noqa: S104  what is compared with
            host = "127.0.0.1"
        else:
            host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"
