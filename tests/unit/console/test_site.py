"""The site over memory stores: what holds for its pages and its API alike."""

from unit.console.asking_client import open_site


def test_a_view_is_a_page_and_a_document() -> None:
    with open_site() as site:
        page, document = site.get("/sessions"), site.get("/api/v1/sessions")
    assert (page.status, document.status) == (200, 200)
    assert "<h1>Sessions</h1>" in page.text
    assert document.json() == {"rows": [], "next": None}
