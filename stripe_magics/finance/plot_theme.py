"""A figure that a notebook shows once and in its own theme, light or dark.

A kernel doesn't know the theme of the page, which may change, too. So the page gets both pictures, and its
style sheet shows the one that fits; where styles are taken away (GitHub) the light one is seen. Imported only
where something is drawn: it needs matplotlib.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text

from stripe_magics._html import Markup, join, tag

DARK = {(0.0, 0.0, 0.0): (0.88, 0.88, 0.88), (1.0, 1.0, 1.0): (0.067, 0.067, 0.067)}
"""What black and white are on a dark page."""
_PNG = "data:image/png;base64,"
_STYLE = Markup(
    "<style>.sm-plot-dark{display:none}.sm-plot-light{max-width:100%}"
    ":is([data-jp-theme-light=false],.vscode-dark,[theme=dark]) .sm-plot-light{display:none}"
    ":is([data-jp-theme-light=false],.vscode-dark,[theme=dark]) .sm-plot-dark"
    "{display:inline;width:auto;height:auto;max-width:100%}</style>"
)


class ThemedFigure(Figure):
    """A matplotlib figure like any other; only how a notebook shows it is its own."""

    def _ipython_display_(self) -> None:
        """Show it, unless a window or a widget does (then IPython goes on as if this were not here)."""
        import sys

        shell = sys.modules["IPython"].get_ipython()
        if getattr(shell, "kernel", None) is None or "inline" not in mpl.get_backend():
            raise NotImplementedError
        import matplotlib.pyplot as plt
        from IPython.display import display

        plt.close(self)  # or it would be shown a second time, among the figures that are open after the cell
        display(pictures(self), raw=True)


def pictures(figure: Figure) -> dict[str, str]:
    """What a page shows of a figure: as it is and, if it is black on white, white on black, too."""
    from IPython.core.pylabtools import print_figure

    light = print_figure(figure, "png", base64=True)
    shown = {"text/plain": repr(figure), "image/png": light}
    if to_rgba(figure.get_facecolor()) != (1.0, 1.0, 1.0, 1.0):
        return shown  # in a style that a person chose
    with _in_the_dark(figure):
        dark = print_figure(figure, "png", base64=True)
    title = figure.get_suptitle()
    images = [
        tag("img", src=f"{_PNG}{light}", alt=title, class_="sm-plot-light"),
        tag("img", src=f"{_PNG}{dark}", alt=title, class_="sm-plot-dark", width="0", height="0"),
    ]
    return {**shown, "text/html": join([_STYLE, *images])}


@contextmanager
def _in_the_dark(figure: Figure) -> Iterator[None]:
    """The figure with light for black and dark for white, for a while. Words on a heat map stay as they are:
    they were chosen for the colour below them."""
    figure.draw_without_rendering()  # marks of axes are made when they are drawn
    changed: list[tuple[Any, Any]] = []
    try:
        for artist in figure.findobj():
            axis = getattr(artist, "axes", None)
            if isinstance(artist, Text) and axis is not None and axis.images and artist in axis.texts:
                continue
            for kind in ("color", "edgecolor", "facecolor"):
                change = getattr(artist, f"set_{kind}", None)
                before = _one_colour(getattr(artist, f"get_{kind}", lambda: None)())
                if change is not None and before is not None and before[:3] in DARK and before[3]:
                    change((*DARK[before[:3]], before[3]))
                    changed.append((change, before))
        yield
    finally:
        for change, before in reversed(changed):
            change(before)


def _one_colour(value: object) -> tuple[float, float, float, float] | None:
    """A colour as four numbers; None for what is none, or several."""
    try:
        return to_rgba(value)
    except (ValueError, TypeError):
        return None
