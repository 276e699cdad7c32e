"""`each_row`: one test over a table of inputs.

It stands where `pytest.mark.parametrize` would, with the same arguments, where the rows are inputs of one
question and need nothing set up between them: all rows are run whatever fails, and every row that failed is
named at the end, with its values and its own traceback.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest


def each_row(
    names: str | Sequence[str], rows: Iterable[Any], *, ids: object = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run the test once a row. `ids` is taken as parametrize takes it: a name a row, or a function of a
    value."""
    columns = (
        [each.strip() for each in names.split(",") if each.strip()] if isinstance(names, str) else list(names)
    )
    table = [_values(row, len(columns)) for row in rows]
    assert table, f"no rows for {names}: the test would say nothing"
    labels = list(ids) if isinstance(ids, Iterable) else [""] * len(table)

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*args: Any, **fixtures: Any) -> None:
            failures: list[Exception] = []
            for label, values in zip(labels, table, strict=True):
                row = dict(zip(columns, values, strict=True))
                try:
                    test(*args, **fixtures, **row)
                except (Exception, pytest.fail.Exception) as failure:
                    found = failure if isinstance(failure, Exception) else AssertionError(str(failure))
                    found.add_note(
                        f"row {label or ''}: {', '.join(f'{name}={value!r}' for name, value in row.items())}"
                    )
                    failures.append(found)
            if failures:
                raise ExceptionGroup(f"{len(failures)} of {len(table)} rows failed", failures)

        signature = inspect.signature(test)
        left = [each for name, each in signature.parameters.items() if name not in columns]
        run.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return run

    return decorate


def _values(row: Any, width: int) -> Sequence[Any]:
    """A row's values; a `pytest.param` holds them, and a row of one column stands by itself."""
    if hasattr(row, "values") and hasattr(row, "marks"):
        assert not row.marks, "a row has no marks"
        return tuple(row.values)
    return (row,) if width == 1 else tuple(row)
