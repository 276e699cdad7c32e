"""A press on a button that moves away under the pointer, in a page of its own: one click, by whatever it was
pressed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browser.conftest import settled

from stripe_magics.events.live_widget import ESM
from stripe_magics.forms.field_marks import FieldMarks

pytestmark = pytest.mark.browser

# a form of ours is on the page, whose widget guards every place of ours
SCENE = """(place) => {
  document.body.innerHTML = `<div class="${place}"><input id="field"><div id="note"></div>
    <button id="button" style="padding:12px">Refund</button></div>
    <div class="sm-form"><div id="marks"></div></div>`;
  window.clicks = 0;
  document.querySelector("#button").addEventListener("click", () => { window.clicks += 1; });
  document.querySelector("#field").addEventListener("blur", () => setTimeout(() => {
    document.querySelector("#note").style.height = window.moves ? "120px" : ""; }, 10));
  window.render({model: {get() {}, on() {}, off() {}, send() {}}, el: document.querySelector("#marks")});
}"""


@pytest.fixture(scope="module")
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 700, "height": 600}, has_touch=True)
    made = context.new_page()
    made.set_content("<!doctype html><body></body>")
    code = str(FieldMarks._esm).replace("export default", "window.widget =")
    made.add_script_tag(
        content=f"{code}\nwindow.render = (each) => window.widget.render(each);", type="module"
    )
    made.wait_for_function("() => window.render")
    yield made
    context.close()


def clicks(page: Any, place: str, pointer: str, *, moves: bool) -> int:
    """How many clicks a press makes that leaves a field, where the page then moves or stays."""
    page.evaluate("(moves) => { window.moves = moves; }", moves)
    page.evaluate(SCENE, place)
    settled(page, "() => new Promise(requestAnimationFrame)")
    page.focus("#field")
    box = page.locator("#button").bounding_box()
    at = {"x": box["x"] + 10, "y": box["y"] + 5}
    tools = page.context.new_cdp_session(page)
    if pointer == "touch":
        tools.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    else:
        pressed = {**at, "button": "left", "clickCount": 1, "pointerType": pointer}
        tools.send("Input.dispatchMouseEvent", {"type": "mousePressed", "buttons": 1, **pressed})
        height = 120 if moves else 0
        page.wait_for_function(f"() => document.querySelector('#note').offsetHeight === {height}")
    if pointer == "touch":
        tools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    else:
        tools.send("Input.dispatchMouseEvent", {"type": "mouseReleased", "buttons": 0, **pressed})
    page.wait_for_timeout(150)  # a second click would come in this time
    tools.detach()
    return int(page.evaluate("() => window.clicks"))


@pytest.mark.parametrize("pointer", ["mouse", "pen", "touch"])
@pytest.mark.parametrize("place", ["sm-form", "sm-marked", "sm-table", "sm-watch"])
def test_one_press_is_one_click(page: Any, place: str, pointer: str) -> None:
    assert clicks(page, place, pointer, moves=True) == 1
    assert clicks(page, place, pointer, moves=False) == 1


def test_the_live_view_guards_its_page_too() -> None:
    assert "function guard()" in ESM
    assert re.search(r"function render\(.*\n  guard\(\);", ESM)


def test_other_buttons_of_the_page_are_left_alone(page: Any) -> None:
    assert clicks(page, "somebody-elses", "mouse", moves=True) == 0


def test_shortcuts_of_the_page_leave_plain_keys_alone(page: Any) -> None:
    """Lumino passes a key on to nobody where this attribute is on what has the focus."""
    held = "() => document.activeElement.hasAttribute('data-lm-suppress-shortcuts')"
    for place, ours in (("sm-form", True), ("somebody-elses", False)):
        page.evaluate(SCENE, place)
        page.focus("#button" if ours else "#field")
        page.keyboard.press("ArrowDown")
        assert page.evaluate(held) is ours
        page.keyboard.press("Control+s")
        assert page.evaluate(held) is False


def test_a_key_is_one_click(page: Any) -> None:
    page.evaluate("() => { window.moves = true; }")
    page.evaluate(SCENE, "sm-form")
    page.focus("#field")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_function("() => window.clicks === 1")


BAR = """() => {
  document.body.innerHTML = `<input id="elsewhere"><div class="sm-form"><div id="bar"><button>Create</button>
    <button>Preview</button></div><div id="marks"></div></div>`;
  window.render({model: {get() {}, on() {}, off() {}, send() {}}, el: document.querySelector("#marks")});
}"""
ARMED = """() => { document.querySelector("#bar").innerHTML =
  "<button class='mod-danger'>Yes, refund</button><button>Cancel</button><button>Preview</button>"; }"""


def test_the_focus_stays_where_a_button_made_way_for_others(page: Any) -> None:
    """Without a mouse: what was pressed is gone, and the focus is in its place, never on what can't be
    undone; and where a person went on elsewhere, it stays there."""
    focus = "() => document.activeElement.innerText || document.activeElement.id"
    page.evaluate(BAR)
    settled(page, "() => new Promise(requestAnimationFrame)")
    page.focus("#bar button")
    page.evaluate(ARMED)
    page.wait_for_function(f"() => ({focus})() === 'Cancel'")
    page.evaluate(BAR)
    settled(page, "() => new Promise(requestAnimationFrame)")
    page.focus("#bar button")
    page.focus("#elsewhere")
    page.evaluate(ARMED)
    page.wait_for_timeout(300)
    assert page.evaluate(focus) == "elsewhere"
