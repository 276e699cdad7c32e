"""A whole list as a frame, and frames of several accounts below each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from stripe_magics import frames
from stripe_magics._call_run import frame_attrs
from stripe_magics.bulk.inner_lists import InnerLists
from stripe_magics.errors import IncompleteList
from stripe_magics.frames.frame_info import set_facts
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.shared_connection import Connection

STOPPED = (
    "Stopped: this list is not complete. Run the same again; with --to FOLDER it goes on where it stood."
)


def read_frame(
    connection: Connection,
    request: Request,
    *,
    columns: Sequence[str] = (),
    progress: Callable[[int, int], object] | None = None,
    stop: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """A whole list as a frame. Stopped, it has the rows so far and says so in its attrs."""
    import stripe_magics.accessor  # noqa: F401 - registers df.stripe
    from stripe_magics.client.pagination.paginator import pages, windowed

    problem: list[BaseException] = []
    inner = InnerLists(connection, request)

    def bodies() -> Iterable[bytes]:
        try:
            for answer in pages(connection, request, progress=progress, stop=stop):
                yield inner.complete(answer.body)
        except (IncompleteList, KeyboardInterrupt) as fault:
            problem.append(fault)

    frame = frames.build(
        bodies(), request.returns, attrs=frame_attrs(connection, request), columns=columns,
        row_filters=request.row_filters,
        limit=request.limit,
        newest_first=windowed(request),
    )  # fmt: skip
    stopped = stop is not None and stop()
    if problem and not isinstance(problem[0], KeyboardInterrupt):
        if isinstance(problem[0], IncompleteList):
            problem[0].frame = frame
        raise problem[0]
    notes = []
    if problem or stopped:
        notes.append(str(problem[0]) if problem and str(problem[0]) else STOPPED)
    if inner.cut:
        notes.append(f"{inner.cut:,} lists inside of objects are cut: their rest could not be read.")
    if notes:
        set_facts(frame, complete=False, notes=notes)
    return frame


def with_account(frame: pd.DataFrame, account: str) -> pd.DataFrame:
    """The frame with its account in the first column."""
    import pandas as pd

    frame = frame.copy()
    frame.insert(
        0,
        "account",
        pd.Series(account, index=frame.index, dtype=frame["id"].dtype if "id" in frame else object),
    )
    return frame


def joined(parts: Sequence[pd.DataFrame], object_type: str) -> pd.DataFrame:
    """Frames below each other: the dtypes stay, categories are united."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    import stripe_magics.accessor  # noqa: F401 - registers df.stripe

    if not parts:
        return with_account(frames.empty(object_type), "")
    full = [part for part in parts if len(part)] or list(parts[:1])
    names = dict.fromkeys(str(name) for part in full for name in part)
    columns: dict[str, Any] = {}
    for name in names:
        pieces = [
            part[name] if name in part else pd.Series(index=range(len(part)), dtype=_dtype_of(full, name))
            for part in full
        ]
        if isinstance(pieces[0].dtype, pd.CategoricalDtype) and all(
            isinstance(each.dtype, pd.CategoricalDtype) for each in pieces
        ):
            columns[name] = union_categoricals(pieces)
        else:
            columns[name] = pd.concat(pieces, ignore_index=True).array
    return pd.DataFrame(columns)


def _dtype_of(parts: Sequence[pd.DataFrame], name: str) -> Any:
    dtype = next(part[name].dtype for part in parts if name in part)
    return "Int64" if str(dtype) == "int64" else dtype
