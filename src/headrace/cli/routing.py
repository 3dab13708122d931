"""Where an org's events go, by name, for commands that post nothing."""

from collections.abc import Callable, Sequence

from headrace.config import Config
from headrace.orgs.routes import Routes


def destinations_of(config: Config) -> Callable[[str], Sequence[str]]:
    """Look up an org's destinations by the routes in force."""
    routes = Routes(config.routes, config.destinations)
    return lambda org: [destination.name for destination in routes.of(org)]
