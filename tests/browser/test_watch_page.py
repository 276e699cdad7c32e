"""The live view as a page draws it: text only, filtered, bounded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from browser.conftest import settled

from stripe_magics.events.live_widget import ESM

SCRIPT = "<img src=x onerror=window.broken=true>"

pytestmark = pytest.mark.browser

_MODEL = """
async (source) => {
  const url = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
  const view = (await import(url)).default;
  window.sent = [];
  const heard = [];
  window.hear = (message) => heard.forEach((each) => each(message));
  const model = {on: (_, f) => heard.push(f), off: () => {}, send: (message) => window.sent.push(message)};
  window.gone = view.render({model, el: document.getElementById("here")});
}
"""


@pytest.fixture(scope="module")
def page(chromium: Any) -> Iterator[Any]:
    page = chromium.new_page()
    page.set_content("<div id='here'></div>")
    settled(page, _MODEL, ESM)
    yield page
    page.close()


def row(number: int, *, time: str = "2024-01-01 00:00:00", **said: str) -> dict[str, str]:
    made = {
        "id": f"evt_{number}",
        "created": f"{datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp():.0f}",
        "time": time,
        "type": "invoice.paid",
        "object": f"in_{number}",
    }
    return {**made, "amount": "1.00 USD", "customer": "cus_1", "details": "", "request": "req_1", **said}


def test_the_page(page: Any) -> None:
    assert page.evaluate("window.sent") == [{"ready": True}]
    status = {"mode": "LIVE", "live": True, "text": SCRIPT, "paused": False, "ended": False}
    page.evaluate(
        "hear",
        {
            "begin": True,
            "most": 5,
            "rows": [row(1), row(2, customer=SCRIPT)],
            "status": status,
            "note": SCRIPT,
        },
    )
    assert page.locator("tbody tr").count() == 2
    assert "sm-live" in page.locator(".sm-watch-mode").get_attribute("class")

    page.evaluate("hear", {"rows": [row(2), row(3, type="charge.failed")]})
    assert page.locator("tbody tr").count() == 3, "the same event once more is no new row"
    assert "charge.failed" in page.locator("tbody tr").first.inner_text(), "the newest stands first"

    page.get_by_label("Filter the events shown").fill("CHARGE")
    assert page.locator("tbody tr:visible").count() == 1
    page.evaluate("hear", {"rows": [row(4), row(5, type="charge.refunded")]})
    assert page.locator("tbody tr:visible").count() == 2, "the filter holds for what comes"
    page.get_by_label("Filter the events shown").fill("")
    page.evaluate("hear", {"rows": [row(number) for number in range(6, 12)]})
    assert page.locator("tbody tr").count() == 5, "a page keeps so many"

    page.evaluate("hear", {"rows": [row(0, time="2023-12-31 23:59:59")]})
    assert "in_0" not in page.locator("tbody").inner_text(), (
        "an older page of a long gap doesn't push out newer rows"
    )
    page.evaluate(
        "hear", {"rows": [row(20, time="2024-01-02 00:00:00"), row(21, time="2024-01-01 12:00:00")]}
    )
    shown = [each.split()[0] + each.split()[1] for each in page.locator("tbody tr").all_inner_texts()]
    assert shown == sorted(shown, reverse=True), "what comes late has its place among the others"

    page.get_by_label("Open in_11").click()
    assert page.evaluate("window.sent.at(-1)") == {"open": "evt_11"}
    page.evaluate("hear", {"object": {"title": SCRIPT, "values": [["name", SCRIPT]]}})
    assert page.locator(".sm-watch-detail td").inner_text() == SCRIPT
    page.get_by_role("button", name="Close").click()
    assert page.locator(".sm-watch-detail td").count() == 0

    page.get_by_role("button", name="Pause").click()
    assert page.evaluate("window.sent.at(-1)") == {"pause": True}
    page.evaluate("hear", {"status": {**status, "paused": True}})
    assert page.get_by_role("button", name="Resume").is_visible()
    page.evaluate("hear", {"status": {**status, "ended": True}})
    assert page.get_by_role("button", name="Stop").is_disabled()

    assert page.evaluate("window.broken") is None, "nothing that came became HTML"
    page.evaluate(
        "hear",
        {
            "begin": True, "most": 500, "columns": ["time", "account", "type", "object", "amount", "customer",
                "details"],
            "rows": [row(1, account="Rosen Books (acct_1)")],
            "page": {"number": 1, "older": True, "text": "201–400"}, "status": status,
        },
    )  # fmt: skip
    assert page.get_by_role("columnheader", name="Account").is_visible()
    assert "Rosen Books (acct_1)" in page.locator("tbody tr").inner_text()
    assert page.locator(".sm-watch-place").inner_text() == "201–400"
    page.get_by_role("button", name="Older").click()
    assert page.evaluate("window.sent.at(-1)") == {"page": 2}
    page.get_by_role("button", name="Newer").click()
    assert page.evaluate("window.sent.at(-1)") == {"page": 0}

    page.evaluate("hear", {"alert": {"title": SCRIPT, "how": ["desktop"]}})
    assert "until you click Tell me" in page.evaluate("window.sent.at(-1)")["blocked"]
    page.evaluate(
        """() => { window.rung = 0; window.AudioContext = class {
      constructor() { window.rung += 1; this.state = "running"; this.currentTime = 0; }
      createOscillator() { return {frequency: {}, connect: (to) => to, start() {}, stop() {}}; }
      createGain() { return {gain: {}, connect: (to) => to}; }
    };
    window.shown = [];
    window.Notification = class {
      static permission = "granted";
      constructor(_, {body}) { window.shown.push(body); }
    };
    }"""
    )
    page.evaluate("hear", {"alert": {"title": "1 event: charge.failed", "how": ["desktop", "sound"]}})
    assert page.evaluate("[window.rung, window.shown]") == [1, ["1 event: charge.failed"]]

    page.evaluate("gone()")
    assert page.evaluate("window.sent.at(-1)") == {"gone": True}
