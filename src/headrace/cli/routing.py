"""Where an org's events go, by name, for commands that post nothing."""

from collections.abc import Callable, Mapping, Sequence


def destinations_of(routes: Mapping[str, Sequence[str]]) -> Callable[[str], Sequence[str]]:
    """Look up an org's line of the configured *routes*; its own replaces that of `*`, even when it is empty."""
    everybody = routes.get("*", ())
    return lambda org: routes.get(org, everybody)
