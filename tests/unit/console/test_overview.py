"""The overview and the books: the numbers of the audit, at its positions, and an org's own to its viewer."""

from headrace.console.viewer import Viewer
from headrace.console.watching.watch import Watch
from headrace.core.positions import Position
from headrace.core.report import Line
from unit.console.asking_client import open_site
from unit.console.counted_log import counted
from unit.console.watched_river import known, watched
from unit.ledger.test_audit import flowing

COLUMNS = Line.__struct_fields__


def test_overview_shows_the_columns_of_the_audit_with_links_to_what_they_count() -> None:
    books = flowing().audit()
    with open_site(watch=watched(), known=known(), log=counted()) as site:
        page, document = site.get("/"), site.get("/api/v1/").json()

    assert page.status == 200
    assert {name: document["books"][name] for name in COLUMNS} == {name: getattr(books, name) for name in COLUMNS}
    assert document["seen"]["positions"]["headrace.events"] == {"0": [3, 4, 0, "w-1"]}
    assert f'<a href="/dead">{books.rejected}</a>' in page.text
    assert "balanced" in page.text
    assert (document["lag"], document["tiers"]) == (1, [{"tier": "5s", "records": 0}])


def test_worst_org_is_the_one_whose_events_were_retried() -> None:
    with open_site(watch=watched(), known=known(), log=counted()) as site:
        worst = site.get("/api/v1/").json()["worst"]

    assert [each["org"] for each in worst] == ["a"]


def test_an_org_viewer_sees_their_numbers_only() -> None:
    books = flowing().audit("b")
    with open_site(watch=watched(), known=known(), log=counted(), viewer=Viewer("vera", "b")) as site:
        page, document = site.get("/"), site.get("/api/v1/").json()
        whole, foreign = site.get("/api/v1/books").json(), site.get("/api/v1/?org=a")

    assert page.status == 200
    assert document["books"]["accepted"] == books.accepted == 2
    assert document["sums"]["accepted"] == 6
    assert (document["lag"], document["worst"], document["depth"], document["seen"]["positions"]) == (None, [], [], {})
    assert (list(whole["orgs"]), whole["positions"]) == (["b"], {})
    assert foreign.status == 404


def test_before_anything_was_seen_numbers_are_unknown_and_not_zero() -> None:
    with open_site(watch=Watch(), known=known()) as site:
        page, document, books = site.get("/"), site.get("/api/v1/").json(), site.get("/api/v1/books")

    assert document["books"] is None
    assert '<dd><a href="/dead">–</a></dd>' in page.text
    assert books.status == 503
    assert "have not been closed yet" in books.json()["detail"]


def test_old_news_is_shown_with_a_sentence_and_kafkas_words_are_for_operators() -> None:
    watch = watched()
    watch.tell(trouble="nobody answers at kafka-7:9092")
    with open_site(watch=watch, known=known()) as site:
        told, document = site.get("/").text, site.get("/api/v1/").json()
    with open_site(watch=watch, known=known(), viewer=Viewer("vera", "b")) as site:
        theirs = site.get("/").text

    assert "What is shown is what was seen last: nobody answers at kafka-7:9092." in told
    assert document["books"]["accepted"] == 6
    assert "Kafka does not answer" in theirs
    assert "kafka-7" not in theirs


def test_books_are_the_document_of_the_audit() -> None:
    with open_site(watch=watched(), known=known()) as site:
        document = site.get("/api/v1/books").json()
        page = site.get("/books")

    report = flowing().audit()
    assert {name: document[name] for name in COLUMNS} == {name: getattr(report, name) for name in COLUMNS}
    assert {name: line["accepted"] for name, line in document["destinations"].items()} == {"crm": 4, "log": 2}
    assert Position(*document["positions"]["headrace.events"]["0"]) == report.positions["headrace.events"][0]
    assert page.status == 200
    assert "&#34;headrace.events&#34;:" in page.text, "what audit --at takes stands on the page"
