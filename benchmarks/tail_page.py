"""A page of the live tail in Chromium that measures itself: for `tail.py`."""

from typing import Any

import msgspec
from playwright.sync_api import CDPSession, Page

WATCH = """
window.watched = { tasks: [], frame: 0, effects: [], rows: 0, updates: 0 };
(() => {
  const seen = window.watched;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) seen.tasks.push(each.duration); })
    .observe({ type: "longtask", buffered: true });
  let last = performance.now();
  const frame = (now) => { seen.frame = Math.max(seen.frame, now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  let asked = 0;
  for (const kind of ["click", "keydown"]) addEventListener(kind, (event) => { asked = event.timeStamp; }, true);
  const effect = () => { if (asked) { seen.effects.push(performance.now() - asked); asked = 0; } };
  addEventListener("DOMContentLoaded", () => {
    const pause = document.getElementById("tail-pause"), rows = document.getElementById("tail-rows");
    new MutationObserver(effect).observe(pause, { attributes: true });
    new MutationObserver((changes) => {
      if (changes.some((each) => each.target !== rows)) effect();
      seen.rows = Math.max(seen.rows, rows.childElementCount);
      seen.updates += 1;
    }).observe(rows, { childList: true, subtree: true });
  });
})();
"""
"""Counts long tasks and the longest frame; *effects* are the milliseconds from an input, as the
browser got it, to the change that it makes."""


class Footprint(msgspec.Struct, frozen=True):
    """What a page holds, after its garbage was collected."""

    heap_mb: float
    nodes: int


def footprint(session: CDPSession) -> Footprint:
    """Collect the garbage, and look."""
    session.send("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return Footprint(round(found["JSHeapUsedSize"] / 1e6, 1), int(found["Nodes"]))


def measured(page: Page) -> dict[str, Any]:
    """Return what the page has counted since the last call, and let it begin anew."""
    found: dict[str, Any] = page.evaluate(
        "() => { const seen = {...window.watched};"
        " Object.assign(window.watched, { tasks: [], frame: 0, effects: [], rows: 0, updates: 0 }); return seen; }"
    )
    return found
