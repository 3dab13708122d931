"""What people do with the console: by keys alone, with the theme and the clock of their liking, while it is live."""

import re

from playwright.sync_api import Browser, Locator, Page, expect

from browser.pages import opened


def test_keys_alone_lead_from_the_first_page_to_what_threw(browser: Browser, console: str) -> None:
    with opened(browser) as watched:
        watched.visit(console)
        keys = watched.page.keyboard
        keys.press("g")
        keys.press("s")
        watched.page.wait_for_url("**/sessions*")
        keys.press("/")
        keys.type("ValueError")
        keys.press("Enter")
        watched.page.wait_for_url("**/sessions?*text=ValueError*")
        keys.press("j")
        keys.press("Enter")
        watched.page.wait_for_url(re.compile(r"/sessions/[^?]+"))
        keys.press("e")
        focused = watched.page.evaluate(
            "document.activeElement.closest('.failed, [data-error], tr')?.textContent ?? ''"
        )
        assert "ValueError" in focused
        assert "look_up_order" in watched.page.inner_text("main")
        assert watched.complaints() == []


LINE = re.compile(r"\.py:\d+ in \w+")
"""What a frame of a stack tells."""


def test_keys_alone_lead_from_the_overview_to_the_line_that_threw(browser: Browser, console: str) -> None:
    """Whoever knows `e` and Enter need not know what threw: the rows of what has a stack name a place in code."""
    with opened(browser) as watched:
        page, keys = watched.page, watched.page.keyboard
        watched.visit(f"{console}/")
        for _ in range(page.locator("#exceptions tbody tr").count()):
            keys.press("e")
            row = page.locator("#exceptions tbody tr:focus-within")
            expect(row).to_have_count(1)
            if row.locator("code").count():
                break
        keys.press("Enter")
        page.wait_for_url(re.compile(r"/exceptions/\w+"))
        expect(page.locator(".frames")).to_contain_text(LINE)
        assert watched.complaints() == []


def test_clicks_alone_lead_from_the_overview_to_the_line_that_threw(browser: Browser, console: str) -> None:
    """Once by the exception's own page, and once on into a session that it hit, at the step that threw."""
    with opened(browser) as watched:
        page = watched.page
        watched.visit(f"{console}/")
        page.locator("#exceptions tbody tr", has=page.locator("code")).first.get_by_role("link").first.click()
        page.wait_for_url(re.compile(r"/exceptions/\w+"))
        expect(page.locator(".frames")).to_contain_text(LINE)
        page.get_by_role("region", name="Sessions, the last hit first").get_by_role("link").first.click()
        page.wait_for_url(re.compile(r"/sessions/.*#step$"))
        expect(page.locator("#step .frames").last).to_contain_text(LINE)
        expect(page.locator("#step .frames").last).to_be_in_viewport()
        assert watched.complaints() == []


def test_keys_do_nothing_where_somebody_writes(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser) as watched:
        watched.visit(pages["sessions"])
        field = watched.page.get_by_role("searchbox")
        field.focus()
        watched.page.keyboard.type("gs?/jke")
        expect(field).to_have_value("gs?/jke")
        expect(watched.page.locator("dialog[open]")).to_have_count(0)
        assert watched.page.url == pages["sessions"]


def test_question_mark_shows_the_keys_and_escape_puts_them_away(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser) as watched:
        watched.visit(pages["sessions"])
        watched.page.keyboard.press("?")
        expect(watched.page.get_by_role("dialog", name="Keys")).to_be_visible()
        watched.page.keyboard.press("Escape")
        expect(watched.page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_the_palette_goes_to_a_page_by_its_name(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser) as watched:
        watched.visit(pages["sessions"])
        watched.page.keyboard.press("Control+k")
        watched.page.keyboard.type("excep")
        expect(watched.page.get_by_role("option").first).to_contain_text("Exceptions")
        watched.page.keyboard.press("Enter")
        watched.page.wait_for_url("**/exceptions*")
        assert watched.complaints() == []


def test_theme_and_clock_are_remembered(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser, timezone_id="Asia/Tokyo") as watched:
        watched.visit(pages["sessions"])
        theme, zone = watched.page.locator("#theme"), watched.page.locator("#zone")
        title = watched.page.locator("main time").first.get_attribute("title") or ""
        assert title.endswith("UTC")
        theme.click()
        theme.click()
        zone.click()
        watched.page.reload()
        expect(theme).to_have_text("Theme: dark")
        expect(zone).to_have_text("Times: here")
        assert _ground(watched.page) == "rgb(11, 18, 20)"
        here = watched.page.locator("main time").first.get_attribute("title") or ""
        assert (int(here[11:13]) - int(title[11:13])) % 24 == 9
        watched.page.route("**/console.js*", lambda route: route.abort())
        watched.page.reload()
        assert _ground(watched.page) == "rgb(11, 18, 20)", "the theme is there before the modules are"


def _ground(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return colour


def test_skip_link_is_first_and_leads_to_the_content(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser) as watched:
        watched.visit(pages["sessions"])
        watched.page.keyboard.press("Tab")
        expect(watched.page.get_by_role("link", name="Skip to the content")).to_be_focused()
        watched.page.keyboard.press("Enter")
        expect(watched.page.locator("#main")).to_be_focused()


def test_a_chart_is_drawn_from_its_table_and_zooms_with_the_others(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser) as watched:
        watched.visit(pages["overview"])
        first, second = (watched.page.locator("figure.chart").nth(number) for number in (0, 1))
        expect(second.locator(".u-over")).to_be_attached()
        labels = first.locator(".u-legend .u-label").all_inner_texts()
        columns = first.locator("details th[scope=col]").all_text_contents()
        assert sorted(labels[1:]) == sorted(columns[1:])
        box = first.locator(".u-over").bounding_box()
        assert box is not None
        mouse, left, height = watched.page.mouse, box["x"], box["y"] + 60
        mouse.move(left + 3, height)
        begin = first.locator(".u-value").first.inner_text()
        mouse.move(left + 150, height)
        mouse.down()
        mouse.move(left + 220, height, steps=3)
        mouse.up()
        mouse.move(left + 3, height)
        assert begin[:3] == first.locator(".u-value").first.inner_text()[:3]
        assert begin < first.locator(".u-value").first.inner_text() == second.locator(".u-value").first.inner_text()
        assert watched.complaints() == []


def test_a_bar_leads_to_what_it_counts_by_a_click_and_not_by_a_drag(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser) as watched:
        watched.visit(pages["overview"])
        chart = watched.page.locator("figure.chart#trouble")
        rows = chart.locator("details tbody tr")
        number = linked(chart)[0]
        href = rows.nth(number).locator("th a").get_attribute("href")
        over = chart.locator(".u-over")
        over.scroll_into_view_if_needed()
        box = over.bounding_box()
        assert box is not None
        mouse, y = watched.page.mouse, box["y"] + box["height"] / 2
        x = box["x"] + box["width"] * (number + 0.5) / rows.count()
        mouse.move(x + 60, y)
        mouse.down()
        mouse.move(x, y, steps=3)
        mouse.up()
        watched.page.wait_for_timeout(400)
        mouse.dblclick(x, y)
        watched.page.wait_for_timeout(400)
        assert watched.page.url == pages["overview"]
        mouse.click(x, y)
        expect(watched.page).to_have_url(re.compile(re.escape(str(href)) + "$"))
        assert watched.complaints() == []


def linked(chart: Locator) -> list[int]:
    """Return the rows of the chart's table that lead somewhere."""
    found: list[int] = chart.locator("details tbody tr").evaluate_all(
        "rows => rows.flatMap((row, number) => row.querySelector('th a') ? [number] : [])"
    )
    return found


def test_live_sections_change_and_leave_alone_what_is_in_use(browser: Browser, pages: dict[str, str]) -> None:
    """New data comes by itself, and nothing moves while something is pointed at, or while it is paused."""
    asked: list[str] = []
    with opened(browser) as watched:
        watched.visit(pages["sessions"])
        page = watched.page
        page.on("request", lambda request: asked.append(request.url))
        section = page.locator("[data-live]").first
        section.evaluate("(it) => { it.dataset.live = '1'; it.querySelector('caption').textContent = 'old'; }")
        expect(section.locator("caption")).not_to_have_text("old", timeout=8_000)
        section.evaluate("(it) => { it.dataset.live = '1'; it.querySelector('caption').textContent = 'old'; }")
        section.locator("a").first.hover()
        expect(page.locator("#age")).to_contain_text("Waits")
        page.mouse.move(0, 0)
        page.locator("#pause").click()
        expect(page.locator("#age")).to_contain_text("Paused")
        before = len(asked)
        page.wait_for_timeout(1_500)
        assert len(asked) == before
        page.locator("#pause").click()
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        expect(section.locator("caption")).not_to_have_text("old", timeout=8_000)
        assert watched.complaints() == []


def test_a_console_that_does_not_answer_is_said(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser) as watched:
        watched.visit(pages["sessions"])
        watched.page.route(pages["sessions"], lambda route: route.abort())
        watched.page.locator("[data-live]").first.evaluate("(it) => { it.dataset.live = '1'; }")
        expect(watched.page.locator("#age")).to_contain_text("does not answer", timeout=8_000)
        watched.page.unroute(pages["sessions"])
        expect(watched.page.locator("#age")).to_contain_text("Live", timeout=12_000)
