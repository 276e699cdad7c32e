"""The README's animated picture: a line, a form, the card of what was made. `SM_TOUR=FILE.gif` writes it; the story is a test all the same."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest

pytestmark = pytest.mark.browser

CARD = """async (line) => {
  const app = window.jupyterapp;
  await app.commands.execute('notebook:insert-cell-below');
  const cell = app.shell.currentWidget.content.activeCell;
  cell.model.sharedModel.setSource(line);
  await app.commands.execute('notebook:run-cell');
}"""
SECONDS = (1.5, 2.5, 2.0, 4.0)  # that each picture stays


def test_a_line_a_form_and_a_card(notebook: Any) -> None:
    """What the README shows in its first seconds."""
    pictures: list[bytes] = []

    def shoot() -> None:
        pictures.append(nb.page.screenshot(clip={"x": 280, "y": 80, "width": 1000, "height": 620}))

    nb = notebook("%stripe customers list --limit 4", "%stripe customers create --form")
    nb.sees("4 rows")
    nb.field("Name").first.wait_for()
    nb.out.first.scroll_into_view_if_needed()
    shoot()
    nb.field("Name").first.scroll_into_view_if_needed()
    nb.enter("Name", "Rosen Books")
    nb.enter("Email", "hello@rosen.example")
    nb.sees("%stripe customers create --email hello@rosen.example")
    shoot()
    nb.press("Create")
    nb.sees("Create a Customer: done. cus_")
    nb.out.get_by_text("Create a Customer: done. cus_").first.scroll_into_view_if_needed()
    shoot()
    made = nb.python("print(customers_create['name'][0], customers_create['id'][0])")
    assert made.startswith("Rosen Books cus_")
    nb.page.evaluate(CARD, f"%stripe {made.split()[-1]}")
    nb.sees("Created")
    nb.out.last.scroll_into_view_if_needed()
    shoot()
    target = os.environ.get("SM_TOUR", "")
    if target:
        from PIL import Image

        frames = [
            Image.open(io.BytesIO(each)).convert("P", palette=Image.Palette.ADAPTIVE) for each in pictures
        ]
        frames[0].save(
            target,
            save_all=True,
            append_images=frames[1:],
            duration=[int(1000 * each) for each in SECONDS],
            loop=0,
            optimize=True,
        )
