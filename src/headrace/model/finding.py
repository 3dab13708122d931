"""What a check of an installation found."""

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one check found; *mend* is the command or the change that puts a wrong thing right.

    A check is *halted* when it could not be made because of what an earlier one found wrong.
    """

    check: str
    state: Literal["well", "wrong", "halted"]
    says: str
    mend: str = ""
