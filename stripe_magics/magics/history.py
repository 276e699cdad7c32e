"""What this kernel called: as a DataFrame (`%stripe history`) and as a Python script (`%stripe script`)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stripe_magics._redaction import is_secret_param, mask_param, redact
from stripe_magics.errors import StripeError

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics._command import Command


@dataclass(slots=True)
class HistoryEntry:
    """One call, or one word of ours that a script needs (`connect`)."""

    time: float
    line: str
    module: str = ""
    seconds: float = 0.0
    rows: int | None = None
    objects: list[str] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)
    replayed: bool = False
    error: str = ""
    python: str = ""


class History:
    """The calls of this kernel, oldest first; the last 10,000."""

    def __init__(self) -> None:
        self.entries: list[HistoryEntry] = []

    def add(
        self,
        command: Command,
        line: str,
        started: float,
        *,
        answer: Any = None,
        error: BaseException | None = None,
    ) -> None:
        """Note a call and how it ended."""
        from stripe_magics.frames.frame_info import facts_of

        about = facts_of(answer)
        entry = HistoryEntry(
            time=started,
            line=mask_line(redact(line.strip() or command.module), command),
            module=command.module,
            seconds=time.time() - started,
            rows=len(answer) if about else None,
            objects=(
                [str(each) for each in answer["id"].iloc[:20].tolist()]
                if about and "id" in answer.columns
                else []
            ),
            request_ids=[str(each) for each in about.get("request_ids", [])],
            replayed=bool(about.get("replayed")),
            error=f"{type(error).__name__}" if error is not None else "",
            python=as_python(command),
        )
        if isinstance(error, StripeError) and error.details.request_id:
            entry.request_ids = [error.details.request_id]
        self._append(entry)

    def note(self, line: str, python: str) -> None:
        """Note a word of ours that isn't a call but belongs into a script."""
        self._append(HistoryEntry(time=time.time(), line=redact(line), python=python))

    def _append(self, entry: HistoryEntry) -> None:
        self.entries.append(entry)
        del self.entries[:-10_000]

    def frame(self) -> pd.DataFrame:
        """One row a call: time (UTC), line, module, rows, objects (ids, a list), request_ids (a list),
        replayed, seconds, error."""
        import pandas as pd

        calls = [each for each in self.entries if each.module]
        frame = pd.DataFrame(
            {
                "time": pd.to_datetime([each.time for each in calls], unit="s", utc=True).floor("s"),
                "line": pd.Series([each.line for each in calls], dtype="object"),
                "module": pd.Series([each.module for each in calls], dtype="object"),
                "rows": pd.array([each.rows for each in calls], dtype="Int64"),
                "objects": pd.Series([each.objects for each in calls], dtype="object"),
                "request_ids": pd.Series([each.request_ids for each in calls], dtype="object"),
                "replayed": pd.array([each.replayed for each in calls], dtype="bool"),
                "seconds": pd.array([round(each.seconds, 3) for each in calls], dtype="float64"),
                "error": pd.Series([each.error for each in calls], dtype="object"),
            }
        )
        from stripe_magics.frames.frame_info import FrameInfo

        FrameInfo(object="history", complete=True, amounts=()).put(frame)
        return frame

    def script(self) -> str:
        """The session as a Python script: what went well, in order; what failed stands there as a comment."""
        lines = [
            '"""What was called in a notebook session, as a script."""',
            "",
            "import stripe_magics as sm",
            "",
        ]
        for each in self.entries:
            if each.error:
                lines.append(
                    f"# ended in {each.error}: %stripe {each.line.splitlines()[0] if each.line else ''}"
                )
            elif each.python:
                lines.append(each.python)
        return "\n".join(lines) + "\n"


def masked(command: Command) -> Command:
    """The command as it may be kept: card and bank numbers by their last four digits."""
    return replace(
        command,
        values={
            name: mask_param(name, value) if _is_plain(value) else value
            for name, value in command.values.items()
        },
        params=[
            (name, mask_param(name, value) if _is_plain(value) else value) for name, value in command.params
        ],
    )


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, dict, list, tuple)) and not isinstance(value, bool)


def mask_line(line: str, command: Command) -> str:
    """A line without the secrets of its command."""
    for name, value in (*command.values.items(), *command.params):
        if is_secret_param(name) and isinstance(value, (str, int)) and len(str(value)) >= 3:
            line = line.replace(str(value), str(mask_param(name, value)))
    return line


def as_python(command: Command) -> str:
    """`name = sm.call("customers.create", name="Jenny")`. Objects of the notebook stand under the name that
    the line gave them."""
    from dataclasses import MISSING, fields

    command = masked(command)
    parts = [repr(command.module)]
    given = {
        name: command.sources.get(name) or expression(value) for name, value in dict(command.values).items()
    }
    extra = {name: expression(value) for name, value in command.params}
    options = {}
    for each in fields(command.options):
        value = getattr(command.options, each.name)
        default = each.default if each.default_factory is MISSING else each.default_factory()
        left_out = value is default or (isinstance(value, (str, list)) and value == default)
        if left_out or each.name in {"out", "form", "quiet", "help"}:
            continue
        options[each.name] = command.sources.get(each.name) or expression(value)
    named = {**given, **options}
    parts += [f"{name}={text}" for name, text in named.items() if name.isidentifier()]
    odd = {name: text for name, text in named.items() if not name.isidentifier()} | extra
    if odd:
        parts.append("**{" + ", ".join(f"{name!r}: {text}" for name, text in odd.items()) + "}")
    call = f"sm.call({', '.join(parts)})"
    return f"{command.options.out} = {call}" if command.options.out else call


def expression(value: object) -> str:
    """A value as Python writes it; `...` for an object that has no such form."""
    if isinstance(value, (str, int, float, bool, list, tuple, dict, type(None))):
        return redact(repr(value))
    return repr(value.isoformat()) if hasattr(value, "isoformat") and not hasattr(value, "iloc") else "..."
