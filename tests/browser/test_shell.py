"""What the shell around every page does when a session ends, when a form is refused, and in another time zone."""

from playwright.sync_api import Browser, Route, expect

from browser.pages import opened


def test_session_that_ended_is_one_line_that_leads_to_the_sign_in(browser: Browser, pages: dict[str, str]) -> None:
    asked: list[str] = []

    def signed_out(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=303, headers={"Location": "/sign-in?next=%2Fsessions"})

    with opened(browser) as watched:
        page = watched.page
        watched.visit(pages["sessions"])
        page.route("**/sign-in*", lambda route: route.fulfill(body="<main><h1>Sign in</h1></main>"))
        page.route(pages["sessions"], signed_out)
        page.locator("[data-live]").first.evaluate("(it) => { it.dataset.live = '1'; }")
        notice = page.locator("#signed-out")
        expect(notice).to_contain_text("You are signed out", timeout=8_000)
        page.wait_for_timeout(2_500)
        assert len(asked) == 1, "it stops"
        expect(notice).to_have_count(1)
        expect(page.locator("h1")).not_to_have_text("Sign in")
        link = notice.get_by_role("link", name="Sign in")
        assert (link.get_attribute("href") or "").endswith("/sign-in?next=%2Fsessions")


def test_keys_reach_every_page_of_the_navigation_and_the_help_lists_them(
    browser: Browser, pages: dict[str, str]
) -> None:
    with opened(browser) as watched:
        page = watched.page
        watched.visit(pages["sessions"])
        links = page.locator("nav[aria-label=Pages] a[data-go]")
        keys = [link.get_attribute("data-go") for link in links.all()]
        assert len(keys) == len(set(keys)) == page.locator("nav[aria-label=Pages] a").count()
        assert page.locator("#keys dl.keys dd", has_text="Alerts").count() == 1
        page.keyboard.press("g")
        page.keyboard.press("w")
        page.wait_for_url("**/alerts")
        page.get_by_role("link", name="API", exact=True).click()
        page.wait_for_url("**/api")
        assert watched.complaints() == []


def test_headings_tell_the_zone_that_times_are_in(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser, timezone_id="Asia/Tokyo") as watched:
        page = watched.page
        watched.visit(pages["session"].partition("?")[0] + "?view=log")
        heading = page.locator("th", has_text="Time (")
        expect(heading).to_have_text("Time (UTC)")
        page.locator("#zone").click()
        expect(heading).to_have_text("Time (here)")
        page.locator("#zone").click()
        expect(heading).to_have_text("Time (UTC)")


def test_form_that_was_refused_keeps_what_was_typed(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser) as watched:
        page = watched.page
        watched.visit(pages["session"].partition("?")[0] + "/erase")
        page.locator("#confirm").fill("another name")
        page.get_by_role("button", name="Erase this session").click()
        expect(page.get_by_role("alert")).to_contain_text("the name that was typed is another one")
        expect(page.locator("#confirm")).to_have_value("another name")
