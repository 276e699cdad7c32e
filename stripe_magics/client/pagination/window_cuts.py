"""Where to cut unread time into windows, by what is known of its upper end. Pure arithmetic.

The density of the rows beside a stretch of time says much of what lies next to them and little of what is
far away. So a stretch that would hold more pages than there are readers is cut into a few windows of less
than a page beside what is known, and windows that grow by a factor below them: a burst that ends is read at
once, and the empty time below it costs a request or two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from stripe_magics.client.pagination.raw_pages import PAGE, RowPosition
from stripe_magics.client.pagination.window import density_of

CUT_PAGES = 0.8  # estimated pages of a small window: nearly all of these are read by one request
# Of the first cut: a list that seems to have no more pages is likely as long as it seems, and all slots are
# filled; a longer one may be a burst above empty time, and each doubling is one more small window beside it
PLAUSIBLE_PAGES = 400
GROWING_WINDOWS, MAX_SMALL_WINDOWS = 7, 8
# of the rest of a window, once a page has shown its density
REST_SMALL_WINDOWS, MAX_REST_WINDOWS, REST_GROWTH = 4, 10, 2.5
END_ROWS, CHANGE = 30, 2.0  # rows that tell of a page's end; the factor from which they say something else


def first_cut(pages: float, slots: int) -> list[float]:
    """The sizes, in estimated pages, of the windows that time of so many pages is cut into after the first
    page; from the newest."""
    if pages / CUT_PAGES < 2 * slots:
        count = int(min(slots, pages / CUT_PAGES))
        return _growing(pages, count, 0) if count > 1 else [pages]
    doublings = max(0.0, math.log2(pages / PLAUSIBLE_PAGES))
    small = round(min(MAX_SMALL_WINDOWS, doublings))
    count = min(slots, GROWING_WINDOWS + small) if doublings else slots
    return _growing(pages, count, small)


def rest_cut(pages: float, readers: int, *, is_even: bool) -> list[float]:
    """The sizes of the windows for what is left of one, with so many readers for it. `is_even`: its other end
    is known to be about as dense."""
    count = min(readers, MAX_REST_WINDOWS)
    needed = max(1, math.ceil(pages / CUT_PAGES))
    if is_even or needed <= count:
        count = min(count, needed)
        return [pages / count] * count
    return _growing(pages, count, REST_SMALL_WINDOWS, at_least=REST_GROWTH)


def seconds(newest: int, density: float, sizes: Sequence[float]) -> list[int]:
    """The cuts below a second: falling, each the newest second of a window."""
    cuts: list[int] = []
    below = float(newest)
    for size in sizes[:-1]:
        below -= size * PAGE / density
        if int(below) < (cuts[-1] if cuts else newest):
            cuts.append(int(below))
    return cuts


def helper_share(rows: float, under_way: int, *, from_above: int) -> float:
    """The share of a window's unread time that stays with it when another reader takes the lower part.

    Near the end pieces are whole pages: those that are under way count for the upper part (`from_above` of
    them), and all pages are filled alike.
    """
    pages = max(1, math.ceil((rows - PAGE * under_way) / PAGE))
    if pages > MAX_REST_WINDOWS:
        return 0.5
    return (from_above + pages // 2) / (under_way + pages)


def end_density(rows: Sequence[RowPosition]) -> float:
    """Rows per second where a page ends: of its last rows, where they differ from the page; not where it
    began as dense (batches come and go)."""
    page = density_of(rows)
    if len(rows) < 2 * END_ROWS or not page:
        return page
    first, last = density_of(rows[:END_ROWS]), density_of(rows[-END_ROWS:])
    if last > CHANGE * page and first > CHANGE * page:
        return page
    return last if last > CHANGE * page or last * CHANGE < page else page


def _growing(pages: float, count: int, small: int, *, at_least: float = 1.0) -> list[float]:
    """So many windows at most: small ones first, the others growing by a factor (fewer of them where it would
    be less than `at_least`)."""
    small = max(0, min(small, count - 1))
    growing, rest = count - small, pages / CUT_PAGES - small
    while growing > 1 and _factor(growing, rest) < at_least:
        growing -= 1
    factor = _factor(growing, rest)
    powers = [factor**number for number in range(growing)]
    unit = rest * CUT_PAGES / sum(powers)
    return [CUT_PAGES] * small + [unit * power for power in powers]


def _factor(count: int, total: float) -> float:
    """The factor of a series of so many terms that begins with 1 and sums up to `total`; at least 1."""
    if count < 2 or total <= count:
        return 1.0
    low, high = 1.0, max(2.0, total)
    for _ in range(40):
        middle = (low + high) / 2
        if (middle**count - 1) / (middle - 1) < total:
            low = middle
        else:
            high = middle
    return low
