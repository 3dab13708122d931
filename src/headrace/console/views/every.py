"""Every view and every action there is."""

from collections.abc import Sequence

from headrace.console.view import Action, View
from headrace.console.views.alerts import ALERTS, TEST_ALERT
from headrace.console.views.books import BOOKS
from headrace.console.views.dead import DEAD
from headrace.console.views.destination import DESTINATION
from headrace.console.views.destinations import DESTINATIONS
from headrace.console.views.erasing import DO_ERASE_SESSION, DO_ERASE_USER, ERASE_SESSION, ERASE_USER
from headrace.console.views.event import EVENT, EVENTS
from headrace.console.views.exception import DECIDE, EXCEPTION
from headrace.console.views.exceptions import EXCEPTIONS
from headrace.console.views.jobs import JOB, JOBS
from headrace.console.views.journey import JOURNEY
from headrace.console.views.letter import LETTER
from headrace.console.views.org import ORG
from headrace.console.views.orgs import ORGS
from headrace.console.views.overview import OVERVIEW
from headrace.console.views.pausing import PAUSE, RESUME
from headrace.console.views.plan import PLAN
from headrace.console.views.redriving import CANCEL, REDRIVE, REDRIVE_LETTER
from headrace.console.views.rehearsing import TEST
from headrace.console.views.retries import RETRIES
from headrace.console.views.session import SESSION
from headrace.console.views.sessions import SESSIONS
from headrace.console.views.status import STATUS
from headrace.console.views.tail import TAIL
from headrace.console.views.topic import TOPIC
from headrace.console.views.topics import TOPICS
from headrace.console.views.trail import TRAIL

VIEWS: Sequence[View] = (
    OVERVIEW,
    TOPICS,
    TOPIC,
    DESTINATIONS,
    DESTINATION,
    ORGS,
    ORG,
    RETRIES,
    BOOKS,
    SESSIONS,
    SESSION,
    EVENTS,
    EVENT,
    JOURNEY,
    ERASE_SESSION,
    ERASE_USER,
    EXCEPTIONS,
    EXCEPTION,
    TAIL,
    DEAD,
    PLAN,
    LETTER,
    JOBS,
    JOB,
    ALERTS,
    STATUS,
    TRAIL,
)
"""Every view, in the order of the navigation."""

ACTIONS: Sequence[Action] = (
    PAUSE,
    RESUME,
    TEST,
    DECIDE,
    DO_ERASE_SESSION,
    DO_ERASE_USER,
    REDRIVE,
    REDRIVE_LETTER,
    CANCEL,
    TEST_ALERT,
)
"""Everything that can be done."""
