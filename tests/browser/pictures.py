"""The site's and the README's pictures, made anew: `python -m pytest tests/browser/pictures.py` writes
notebooks/pictures/forms/*.png, tour.gif, and the README's pictures of the stories in test_stories.py.

Not one of the suite's tests, since it changes files of the repository. Needs Pillow, which matplotlib brings.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from browser.test_stories import CURL, MOODY, TWENTY_CUSTOMERS
from PIL import Image

from stripe_magics import catalogue

pytestmark = pytest.mark.browser
PICTURES = Path(__file__).parents[2] / "notebooks" / "pictures"
NAMES = [each.name for each in catalogue.documented()]
AT_ONCE = 7  # forms in one notebook
SECONDS = (2.0, 3.0, 2.5, 4.0)  # that each frame of the tour stays


def indexed(png: bytes) -> Image.Image:
    """A picture of 64 colours: a quarter of the size, and text stays sharp."""
    return Image.open(io.BytesIO(png)).convert("RGB").quantize(64)


@pytest.mark.parametrize("first", range(0, len(NAMES), AT_ONCE))
def test_every_form(notebook: Any, lab_page: Any, first: int) -> None:
    names = NAMES[first : first + AT_ONCE]
    lab_page.set_viewport_size({"width": 1100, "height": 1800})
    notebook(*(f"sm.form({name!r})" for name in names))
    (PICTURES / "forms").mkdir(exist_ok=True)
    for place, name in enumerate(names, 1):
        form = (
            lab_page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell")
            .nth(place)
            .locator(".sm-form")
            .first
        )
        form.wait_for(state="attached")
        form.scroll_into_view_if_needed()
        form.get_by_role("button").first.wait_for()
        indexed(form.screenshot(animations="disabled")).save(
            PICTURES / "forms" / f"{name}.png", optimize=True
        )


def test_the_tour(notebook: Any, lab_page: Any) -> None:
    """A line, a form, what it made, a card."""
    frames: list[Image.Image] = []
    lab_page.set_viewport_size({"width": 1300, "height": 720})
    nb = notebook(
        "%load_ext stripe_magics\n%stripe customers list --limit 4",
        "%stripe customers create --form",
        "%stripe cus_demoJennyRosen",
    )

    def shoot(shown: Any) -> None:
        shown.evaluate("each => each.scrollIntoView({block: 'start'})")
        lab_page.wait_for_timeout(300)  # the page's own scrolling
        frames.append(
            indexed(
                lab_page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)").screenshot(animations="disabled")
            )
        )

    cells = lab_page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell")
    nb.out.locator("table").first.wait_for()
    shoot(cells.nth(1))
    nb.field("Name").first.wait_for()
    nb.enter("Name", "Rosen Books")
    nb.enter("Email", "hello@rosen.example")
    nb.sees("%stripe customers create --email hello@rosen.example")
    shoot(cells.nth(2))
    nb.press("Create")
    nb.sees("Create a Customer: done. cus_")
    shoot(nb.out.get_by_text("Create a Customer: done. cus_").first)
    cells.nth(3).get_by_text("Jenny").first.wait_for(state="attached")
    shoot(cells.nth(3))
    stays = [int(1000 * each) for each in SECONDS]
    frames[0].save(
        PICTURES / "tour.gif", save_all=True, append_images=frames[1:], duration=stays, loop=0, optimize=True
    )


def shot(shown: Any, name: str) -> None:
    """A picture of what is shown, as the README has it."""
    shown.scroll_into_view_if_needed()
    indexed(shown.screenshot(animations="disabled")).save(PICTURES / name, optimize=True)


def cell(page: Any, number: int) -> Any:
    """A cell of the open notebook; the first one connects, where there is one that does."""
    return page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").nth(number)


def test_rows_of_a_file(notebook: Any, lab_page: Any) -> None:
    """Twenty customers, two faults."""
    lab_page.set_viewport_size({"width": 1100, "height": 1800})
    nb = notebook(TWENTY_CUSTOMERS)
    nb.sees("20 rows of people.csv, one call each.")
    nb.press("Send 20 rows")
    nb.sees("2 cells need correcting. Nothing was sent.")
    shot(nb.out.locator(".sm-form").first, "form-rows.png")


def test_a_key_that_is_refused(notebook: Any, lab_page: Any) -> None:
    """What is wrong is said beside the button; the connection that there was stays."""
    lab_page.set_viewport_size({"width": 1100, "height": 1800})
    nb = notebook(MOODY, connect=False)
    nb.field("Key from").select_option("Paste a key once")
    nb.field("Secret key").fill("sk_test_51WrongRightWrongRightRight0123456789")
    nb.field("Secret key").press("Enter")
    nb.sees("Stripe did not accept the key")
    shot(nb.out.locator(".sm-form").first, "form-connect.png")


def test_a_curl_line_becomes_a_form(notebook: Any, lab_page: Any) -> None:
    """The request that it stands for, and the form that it fills in."""
    lab_page.set_viewport_size({"width": 1100, "height": 3600})
    nb = notebook("%load_ext stripe_magics", CURL)
    nb.sees("POST /v1/customers")
    nb.press("Open as a form")
    nb.field("Email").first.wait_for()
    nb.sees("%stripe customers create --email jenny.curl@example.com")
    shot(cell(lab_page, 2), "form-curl.png")


def test_a_table_whose_selected_row_opens_its_form(notebook: Any, lab_page: Any) -> None:
    lab_page.set_viewport_size({"width": 1480, "height": 1900})
    nb = notebook("%load_ext stripe_magics\n%stripe payment_intents list --limit 40 --table")
    nb.out.locator(".sm-table tbody tr").nth(3).press("Space")
    nb.press("Refund")
    nb.sees("USD to Hansen Logistics")
    nb.enter("Amount", "9.99")
    nb.sees("= 9.99 USD (999)")
    shot(cell(lab_page, 1), "table-refund.png")


def test_today(notebook: Any, lab_page: Any) -> None:
    lab_page.set_viewport_size({"width": 1280, "height": 2000})
    nb = notebook("%load_ext stripe_magics\n%stripe today")
    waiting = nb.field("What to do about")
    waiting.select_option(index=2)
    nb.press("Show card")
    nb.sees("Evidence due by")
    shot(cell(lab_page, 1), "today.png")
