"""The services that generated conversations are about, in words of our own."""

from typing import NamedTuple


class Wording(NamedTuple):
    """One value of a slot: as a person says it, and as a service wants it."""

    spoken: str
    canonical: str


class Service(NamedTuple):
    """One service: a search that finds things, and a booking that may fail.

    *values* holds what each slot may be; *attributes* are the slots that one can ask about a thing that was found.
    """

    name: str
    thing: str
    search: str
    search_slots: tuple[str, ...]
    booking: str
    booking_slots: tuple[str, ...]
    attributes: tuple[str, ...]
    values: dict[str, tuple[Wording, ...]]

    @property
    def name_slot(self) -> str:
        """The slot that tells one thing from another."""
        return f"{self.thing}_name"


def _plain(*texts: str) -> tuple[Wording, ...]:
    return tuple(Wording(text, text) for text in texts)


_CITIES = _plain("Lyon", "Bergen", "Porto", "Graz", "Turku", "Ålesund", "Kraków")
_DATES = (
    Wording("the 4th of December", "2026-12-04"),
    Wording("next Saturday", "2026-11-28"),
    Wording("tomorrow", "2026-11-24"),
    Wording("New Year's Eve", "2026-12-31"),
)
_TIMES = (
    Wording("nine in the morning", "09:00"),
    Wording("half past eleven", "11:30"),
    Wording("quarter to six", "17:45"),
)
_PEOPLE = (Wording("just me", "1"), Wording("two of us", "2"), Wording("a party of five", "5"))
_PHONES = _plain("555-0101", "555-0134", "555-0177")

SERVICES = (
    Service(
        name="Museums_1",
        thing="museum",
        search="FindMuseum",
        search_slots=("city", "subject"),
        booking="BookTour",
        booking_slots=("date", "time", "visitors"),
        attributes=("entry_fee", "phone_number"),
        values={
            "museum_name": _plain("The Glass House", "Maritime Hall", "Musée des Métiers", "The Clockwork Rooms"),
            "city": _CITIES,
            "subject": _plain("textiles", "shipbuilding", "modern art", "clocks"),
            "date": _DATES,
            "time": _TIMES,
            "visitors": _PEOPLE,
            "entry_fee": _plain("free", "12 euros", "18 euros"),
            "phone_number": _PHONES,
        },
    ),
    Service(
        name="Boats_2",
        thing="boat",
        search="FindBoat",
        search_slots=("city", "kind"),
        booking="RentBoat",
        booking_slots=("date", "days"),
        attributes=("price_per_day", "needs_licence"),
        values={
            "boat_name": _plain("Kittiwake", "Sea Bramble", "Old Ferdinand", "Løvetann"),
            "city": _CITIES,
            "kind": _plain("rowing boat", "sailing dinghy", "canal boat"),
            "date": _DATES,
            "days": (Wording("a day", "1"), Wording("the weekend", "2"), Wording("a whole week", "7")),
            "price_per_day": _plain("40 euros", "95 euros", "150 euros"),
            "needs_licence": _plain("True", "False"),
        },
    ),
    Service(
        name="Repairs_1",
        thing="workshop",
        search="FindWorkshop",
        search_slots=("city", "device"),
        booking="BookRepair",
        booking_slots=("date", "time"),
        attributes=("average_rating", "phone_number"),
        values={
            "workshop_name": _plain("Second Wind", "Fix & Fettle", "The Solder Bench"),
            "city": _CITIES,
            "device": _plain("bicycle", "sewing machine", "radio", "washing machine"),
            "date": _DATES,
            "time": _TIMES,
            "average_rating": _plain("3.9", "4.4", "4.8"),
            "phone_number": _PHONES,
        },
    ),
)
