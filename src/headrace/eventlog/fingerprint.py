"""Which failures are the same one: those of one type, one culprit and one frame of the bot's own code."""

import re
from hashlib import blake2b
from typing import NamedTuple

from headrace.eventlog.stacks import FRAMES, all_frames
from headrace.eventlog.told import ErrorTold, Told

VERSION = "v2"
"""Stands before every fingerprint: a later rule makes new groups and leaves the old ones as they are."""

MESSAGE, FRAME = 1000, 300
"""Characters of a message and of a frame that a group keeps."""

_FOREIGN = re.compile(
    r"site-packages|dist-packages|/lib/python\d|<frozen |node_modules|\bnode:"
    # Java may name a class loader or a module first: `at java.base/java.util.…`, `at app//org.apache.…`
    r"|^at (?:[^\s/(]*//?)?(?:javax?|jakarta|jdk|sun|com\.sun|kotlinx?|scala|org\.springframework|org\.apache"
    r"|org\.hibernate|io\.netty|reactor|com\.fasterxml)\."
    r"|^at (?:System|Microsoft|Newtonsoft)\.|^(?:Class\.)?System\."
    r"|/gems/|/lib/ruby/|<internal:"
    r"|/pkg/mod/|\.go:\d+ in (?:panic$|(?:runtime|net|reflect|encoding|database|context|sync|testing)[./])"
)
"""Frames of languages and libraries, which the bot's developer did not write."""

_LINE = re.compile(r"(?::\d+)+|: ?line \d+|, column \d+|0x[0-9a-fA-F]+")
_GENERATED = re.compile(
    r"(?<=\$\$Lambda)(?:\$\d+)?/[0-9a-fA-Fx]+|\$\d+(?=\()|(?<=CGLIB\$\$)[0-9a-f]+|(?<=\$Proxy)\d+"
    r"|(?<=>[bd]__)[\d_]+|(?<=DisplayClass)\d+_\d+|(?<=\|)\d+_\d+"
)
"""What compilers and runtimes number anew: lambdas, proxies, and the states of .NET's asynchronous methods."""

_DIRECTORIES = re.compile(r"[^\s(]*[\\/](?=[^\\/\s)]+[\\/][^\\/\s)]+)")
_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|\b[0-9a-fA-F]{8}[0-9a-fA-F-]*\b|\d+")


class Failure(NamedTuple):
    """What a failed event is known by. *culprit* is the action, or the dialog and step; *frame* has no line number.

    *stack* holds the frames nearest to the place that threw, that one last, one per line.
    """

    fingerprint: str
    origin: str
    type: str
    culprit: str
    frame: str
    message: str
    stack: str


def failure(value: bytes) -> Failure:
    """Read the failure that the event *value* tells."""
    told = Told(value)
    error = told.error() or ErrorTold(origin="", type="Error", message="", code="", frames=())
    frames = tuple(each[:FRAME] for each in all_frames(error.stack))
    culprit, frame = told.place()[:FRAME], own_frame(frames)
    return Failure(
        fingerprint=fingerprint(error.type, culprit, frame, error.message),
        origin=error.origin[:FRAME],
        type=error.type[:FRAME],
        culprit=culprit,
        frame=frame,
        message=error.message[:MESSAGE],
        stack="\n".join(frames[-FRAMES:]),
    )


def fingerprint(type_: str, culprit: str, frame: str, message: str) -> str:
    """Return the group of a failure. Its message only decides where nothing says where it happened."""
    place = (culprit, frame) if culprit or frame else ("", normal(message))
    return f"{VERSION}:{blake2b(chr(0).join((type_, *place)).encode(), digest_size=8).hexdigest()}"


def own_frame(frames: tuple[str, ...]) -> str:
    """Return the frame of the bot's own code that is nearest to the place that threw, else the nearest of any.

    Lines, addresses, what is numbered anew and all but the last two parts of a path are left out: they change with
    every release.
    """
    own = next((frame for frame in reversed(frames) if is_own(frame)), frames[-1] if frames else "")
    return _DIRECTORIES.sub("", _LINE.sub("", _GENERATED.sub("", own)))[:FRAME]


def is_own(frame: str) -> bool:
    """Tell whether *frame* is of the bot's own code, and not of its language or of a library."""
    return not _FOREIGN.search(frame)


def normal(message: str) -> str:
    """Return the first line of *message* without what varies: numbers, quoted words, ids."""
    return _VARYING.sub("…", message.strip().partition("\n")[0][:FRAME])
