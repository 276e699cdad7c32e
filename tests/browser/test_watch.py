"""The live view of a watch in a real JupyterLab."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.browser

SCRIPT = "<img src=x onerror=window.broken=true>"
START = """(code) => {
  window.calculated = false;
  const calculation = window.__nb.sessionContext.session.kernel.requestExecute({code});
  calculation.done.then(() => { window.calculated = true; });
}"""
BUSY = "import time\nuntil = time.monotonic() + 8\nwhile time.monotonic() < until: sum(range(1000))"


def test_events_arrive_in_the_live_view(notebook: Any) -> None:
    nb = notebook(
        "w = sm.watch('customer', interval=5)",
        "w.interval = 0.3\nw",
        f"made = sm.call('customers.create', name={SCRIPT!r})",
    )
    made = nb.python("print(made['id'][0])")
    nb.sees(made)  # without a further cell: the watch's own thread brought it
    nb.sees("SANDBOX")
    assert nb.page.evaluate("window.broken") is None

    nb.out.get_by_label("Filter the events shown").fill(made)
    assert nb.out.locator(".sm-watch tbody tr:visible").count() == 1
    nb.python(f"sm.call('customers.update', customer='{made}', name='Renamed')")
    nb.out.locator(".sm-watch tbody tr:visible").get_by_text("customer.updated").wait_for()

    nb.out.locator(".sm-watch tbody tr:visible").get_by_label(f"Open {made}").first.click()
    nb.sees("Renamed")
    nb.press("Pause")
    nb.sees("paused")
    assert nb.python("print(w.state)") == "paused"
    nb.press("Resume")
    nb.press("Stop")
    nb.sees("stopped")
    assert nb.python("print(w.running)") == "False"

    saved = nb.save()
    state = json.dumps(saved["metadata"].get("widgets", {}))
    assert "onerror" not in state.replace("_esm", "")
    assert made not in state, "nothing of an event stays in the widget's state"


def test_events_arrive_while_the_kernel_is_busy(notebook: Any) -> None:
    nb = notebook("w = sm.listen('customer')\nw")
    nb.sees("SANDBOX")
    made = nb.python("print(sm.call('customers.create', name='Early')['id'][0])")
    nb.python(
        "from stripe_magics.events import rehearse\nimport threading\nthreading.Timer(1.0, rehearse).start()"
    )
    nb.page.evaluate(START, BUSY)
    nb.out.locator(".sm-watch").get_by_text(made).first.wait_for()
    assert nb.page.evaluate("window.calculated") is False, "it came in the middle of the calculation"
    nb.page.wait_for_function("() => window.calculated")
    nb.python("w.stop()")


FILL = """
import json, time
from stripe_magics.events.live_widget import Panel
sizes, send = [], Panel.send
def counted(self, message, buffers=None):
    sizes.append(len(json.dumps(message)))
    send(self, message, buffers)
Panel.send = counted
w = sm.watch('invoice')
invoice = {"object": "invoice", "amount_due": 1000, "currency": "usd", "customer": "cus_1",
           "customer_name": "Rosen Books", "lines": [{"x": 1}] * 20}
event = {"object": "event", "type": "invoice.paid", "livemode": False, "api_version": "2025-02-24.acacia",
         "pending_webhooks": 0, "request": {"id": None}}
w.store.add(({**event, "id": f"evt_g{n:06}", "created": int(w.store.now()) - 20_000 + n,
              "data": {"object": {**invoice, "id": f"in_{n:06}"}}} for n in range(20_000)), source="poll")
"""


def test_a_gap_of_20000_is_paged(notebook: Any) -> None:
    """The newest rows are on screen, older ones a click away, and no message is large."""
    nb = notebook(FILL, "began = time.time()\nw")
    nb.sees("in_019999")
    rows = nb.out.locator(".sm-watch tbody tr")
    assert rows.count() == 200
    assert nb.out.locator(".sm-watch-place").inner_text() == "1–200"
    for page in range(1, 4):
        nb.press("Older")
        nb.sees(f"in_{19_999 - 200 * page:06}")
    assert nb.out.locator(".sm-watch-place").inner_text() == "601–800"
    nb.press("Newer")
    nb.sees(f"in_{19_999 - 400:06}")
    assert 0 < int(nb.python("print(max(sizes))")) <= 100_000
    nb.python("Panel.send = send\nw.stop()")
