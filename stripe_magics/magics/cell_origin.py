"""Where a call stands: the cell, a digest of its text and the number of the call in this run.

From it the journal knows that a cell was run again. Front ends name their cells (JupyterLab and Notebook do, VS Code too); a terminal has
no cells, the text and the number then stand alone.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stripe_magics.client.journal.journal import Origin


class Cell:
    """The cell that runs now. One object a shell, told of each run by the `pre_run_cell` event."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.name = ""
        self.text = ""
        self.calls = 0
        self.run = 0  # number of the run, for what must not outlive it

    def begins(self, info: Any = None) -> None:
        """A cell starts: its calls are counted from the beginning."""
        self.text = str(getattr(info, "raw_cell", "") or "")
        self.name = str(getattr(info, "cell_id", None) or self._from_message())
        self.calls = 0
        self.run += 1

    def began(self) -> None:
        """The cell that loads the magics began before they could be told of it: its text is the last that the shell wrote down."""
        written = getattr(getattr(self.shell, "history_manager", None), "input_hist_raw", None) or [""]
        self.text, self.name = str(written[-1]), self._from_message()

    def _from_message(self) -> str:
        """IPython before 8.3 doesn't hand the name on; the message that asked for the run has it."""
        header = getattr(self.shell, "parent_header", None)
        metadata = header.get("metadata") if isinstance(header, dict) else None
        return str(metadata.get("cellId") or "") if isinstance(metadata, dict) else ""

    def origin(self) -> Origin:
        """The next call's origin."""
        from stripe_magics.client.journal.journal import Origin

        self.calls += 1
        return Origin(
            cell=self.name,
            digest=hashlib.sha256(self.text.encode("utf-8", "replace")).hexdigest()[:32],
            ordinal=self.calls,
            run=self.run,
        )

    def assigns(self, line: str) -> bool:
        """Whether the line's value is wanted: it is assigned, or the line doesn't stand in the cell (it is in a function, a loop)."""
        text = re.sub(r"[ \t]*\\\r?\n[ \t]*", " ", self.text)  # lines that a backslash joins are one
        here = r"[ \t]+".join(re.escape(word) for word in line.split())
        if re.search(rf"=[ \t]*%stripe[ \t]+{here}", text):
            return True
        return re.search(rf"^[ \t]*%{{0,2}}stripe[ \t]*{here}", text, re.MULTILINE) is None
