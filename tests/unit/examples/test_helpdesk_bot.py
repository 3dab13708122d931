"""The help desk's bot: its conversations end, its troubles happen, and it tells of all of it."""

import random
from collections import Counter
from datetime import date

import pytest

from headrace.testing.emitter import ListeningEmitter
from helpdesk_bot import VERSION, HelpdeskBot, converse
from helpdesk_bot.carrier import Carrier
from helpdesk_bot.intents import THRESHOLD, recognise
from helpdesk_bot.shop import Row, Shop

TODAY = date(2026, 11, 23)


class SilentCarrier(Carrier):
    """Never answers in time."""

    def __init__(self) -> None:
        super().__init__(random.Random(0))

    def where_is(self, tracking: str) -> str:
        raise TimeoutError(f"no answer for {tracking}")


class Visit:
    """One customer at the desk, with every event that it caused."""

    def __init__(self) -> None:
        self.emitter = ListeningEmitter()
        self.shop = Shop(random.Random(1), TODAY)
        log = self.emitter.session(org="o", bot="helpdesk", session="s")
        self.bot = HelpdeskBot(log, shop=self.shop, carrier=SilentCarrier())

    def order(self, status: str, *, dated: bool = False) -> Row:
        """An order of the shop that has the *status*, with a delivery date or without."""
        rows = map(self.shop.order, self.shop.numbers)
        return next(row for row in rows if row["status"] == status and bool(row["delivered_on"]) == dated)


@pytest.fixture
def visit() -> Visit:
    return Visit()


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Hello!", "welcome"),
        ("Where is my parcel?", "order_status"),
        ("How do I get a refund for 100-456?", "return_item"),
        ("I forgot my password", "reset_password"),
        ("Can I speak with a human?", "talk_to_human"),
        ("No, thanks", "goodbye"),
        ("No.", "goodbye"),
    ],
)
def test_the_recogniser_finds_the_intent(text: str, intent: str) -> None:
    name, confidence = recognise(text)

    assert name == intent
    assert THRESHOLD <= confidence < 1


def test_the_recogniser_is_surer_with_more_evidence_and_honest_without() -> None:
    assert recognise("password").confidence < recognise("I forgot my password").confidence
    assert recognise("My cat likes your boxes.") == ("unknown", 0.0)
    assert recognise("thanks").confidence < THRESHOLD


def test_slots_are_collected_over_turns(visit: Visit) -> None:
    """A return needs three of them; each is asked for once, and told as a variable once."""
    number = visit.order("delivered", dated=True)["number"]
    answers = [
        visit.bot.reply("I want to return something"),
        visit.bot.reply(number),
        visit.bot.reply("It is broken."),
        visit.bot.reply("A refund, please."),
    ]

    assert "order number" in answers[0]
    assert "reason" in answers[1]
    assert "refund or an exchange" in answers[2]
    assert "R-" in answers[3] or "too late" in answers[3]
    told = [(data["variable"], data["value"]) for data in visit.emitter.of("bot.variable.set")]
    assert told == [("order_number", number), ("return_reason", "It is broken."), ("wish", "A refund, please.")]
    assert [data["action"] for data in visit.emitter.of("bot.action.succeeded")] == ["LookUpOrder", "StartReturn"]


def test_what_was_said_before_is_not_asked_again(visit: Visit) -> None:
    order = visit.order("processing")

    assert "still being packed" in visit.bot.reply(f"Where is my order {order['number']}?")
    assert "has not arrived" in visit.bot.reply("Then I want a refund")


def test_the_bug_in_custom_code_fails_the_action_and_not_the_bot(visit: Visit) -> None:
    """A delivery without a date: the admin's code throws, the customer gets an answer, the admin gets the stack."""
    answer = visit.bot.reply(f"Where is my order {visit.order('delivered')['number']}?")

    assert "does not work at the moment" in answer
    failed = visit.emitter.of("bot.action.failed")[0]
    assert (failed["action"], failed["kind"]) == ("LookUpOrder", "apex")
    assert (failed["error"]["origin"], failed["error"]["type"]) == ("custom_code", "ValueError")
    assert "in look_up_order" in failed["error"]["stack"]
    assert [data["outcome"] for data in visit.emitter.of("bot.dialog.exited")] == ["failed"]
    assert not visit.emitter.of("bot.exception.raised")


def test_an_integration_that_times_out_fails_its_action(visit: Visit) -> None:
    answer = visit.bot.reply(f"Where is my order {visit.order('in transit')['number']}?")

    assert "does not work at the moment" in answer
    failed = visit.emitter.of("bot.action.failed")[0]
    assert (failed["action"], failed["kind"]) == ("TrackParcel", "external_service")
    assert (failed["error"]["origin"], failed["error"]["type"]) == ("integration", "TimeoutError")


def test_a_mistake_in_the_bots_logic_is_told_with_its_stack(visit: Visit) -> None:
    """Nobody drew the dialog for exchanges."""
    for text in ("refund", visit.order("delivered", dated=True)["number"], "Too large.", "An exchange"):
        answer = visit.bot.reply(text)

    assert "lost my thread" in answer
    raised = visit.emitter.of("bot.exception.raised")[0]
    assert (raised["dialog"], raised["handled"]) == ("return_item", True)
    assert (raised["error"]["origin"], raised["error"]["type"]) == ("bot_logic", "KeyError")
    assert "in return_item" in raised["error"]["stack"]


def test_an_unknown_order_is_asked_for_again(visit: Visit) -> None:
    visit.bot.reply("Where is my parcel?")
    answer = visit.bot.reply("It is 100-999")

    assert "I find no order 100-999" in answer
    assert "still being packed" in visit.bot.reply(visit.order("processing")["number"])


def test_a_second_trouble_brings_a_person(visit: Visit) -> None:
    visit.bot.reply("My cat likes your boxes.")
    assert not visit.bot.ended
    answer = visit.bot.reply("My dog too.")

    assert visit.bot.ended
    assert visit.bot.transferred
    assert "T-0001" in answer
    assert visit.emitter.of("bot.transfer.requested")[0]["ticket"] == "T-0001"


def test_a_customer_who_never_tells_the_number_is_not_asked_for_ever(visit: Visit) -> None:
    visit.bot.reply("Where is my parcel?")
    for _ in range(3):
        answer = visit.bot.reply("I do not know")

    assert "still do not understand" in answer
    assert [data["outcome"] for data in visit.emitter.of("bot.dialog.exited")] == ["failed"]


def test_a_dialog_can_be_interrupted(visit: Visit) -> None:
    visit.bot.reply("Where is my parcel?")
    visit.bot.reply("I want to talk to a human")

    exits = [(data["dialog"], data["outcome"]) for data in visit.emitter.of("bot.dialog.exited")]
    assert exits == [("order_status", "cancelled"), ("talk_to_human", "completed")]


def test_conversations_are_the_same_for_one_seed() -> None:
    runs = []
    for _ in range(2):
        emitter = ListeningEmitter()
        converse(emitter, "org-00", "s-1", 7)
        runs.append([(event.type, event.data | {"call": "", "duration_ms": 0}) for event in emitter.heard])

    assert runs[0] == runs[1]


def test_a_conversation_says_who_talks_to_which_bot_and_how() -> None:
    emitter = ListeningEmitter()
    for seed in range(8):
        converse(emitter, "org-00", f"s-{seed}", seed)
    started = emitter.of("bot.session.started")

    assert {each["version"] for each in started} == {VERSION}
    assert {each["channel"] for each in started} == {"web", "whatsapp", "messenger", "voice"}
    assert all(each["user"].endswith("@mail.example") and each["language"] == "en" for each in started)


def test_conversations_end_and_go_wrong_now_and_then() -> None:
    """Over the seeds of a demo every kind of trouble happens, and none is the rule."""
    emitter = ListeningEmitter()
    ends = Counter(converse(emitter, "org-00", f"s-{seed}", seed).reason for seed in range(200))
    failures = Counter((data["action"], data["error"]["type"]) for data in emitter.of("bot.action.failed"))

    assert set(ends) == {"user", "transfer"}
    assert failures.keys() >= {
        ("LookUpOrder", "ValueError"),
        ("LookUpOrder", "OrderNotFound"),
        ("TrackParcel", "TimeoutError"),
    }
    assert 0 < failures["LookUpOrder", "ValueError"] < 40
    assert 0 < len(emitter.of("bot.exception.raised")) < 40
    count = Counter(emitter.types)
    assert count["bot.session.started"] == count["bot.session.ended"] == 200
    assert count["bot.dialog.entered"] == count["bot.dialog.exited"]
    assert count["bot.message.received"] == count["bot.message.sent"] == count["bot.turn.ended"]
    assert emitter.unencodable == 0
