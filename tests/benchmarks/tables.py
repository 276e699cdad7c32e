"""What showing an interactive table of 10,000 rows costs: time until it is sent, and what is sent; `python
tests/benchmarks/tables.py [ROWS]`.

Up to the kernel sending it: what the browser then takes to draw it is not in it. The rows are the sandbox's
payments, repeated under other ids; names beside ids are off, so that nothing is requested.
"""

from __future__ import annotations

import statistics
import sys
import time

import comm
from forms import SENT, Counted

ROUNDS = 5


def main(rows: int) -> None:
    comm.create_comm = Counted
    import pandas as pd

    import stripe_magics as sm
    from stripe_magics.forms.table_widget import TableWidget
    from stripe_magics.frames.frame_info import FrameInfo
    from stripe_magics.magics.interactive_table import table_content

    sm.connect(sandbox=True)
    listed = sm.call("payment_intents.list", limit=1000)
    frame = pd.concat([listed] * (rows // len(listed) + 1), ignore_index=True).head(rows)
    frame["id"] = [f"pi_{place:08}" for place in range(rows)]
    frame = FrameInfo.of(listed).put(frame)
    texts: list[float] = []
    whole: list[float] = []
    for _ in range(ROUNDS):
        SENT.clear()
        began = time.perf_counter()
        content = table_content(frame)
        texts.append(time.perf_counter() - began)
        widget = TableWidget(content)
        whole.append(time.perf_counter() - began)
        messages, size = len(SENT), sum(SENT)
        widget.close()
    print(
        f"{rows:,} rows, {len(content.columns)} columns: first {whole[0]:.2f} s, median of {ROUNDS}"
        f" {statistics.median(whole):.2f} s ({min(whole):.2f}-{max(whole):.2f}), of it texts"
        f" {statistics.median(texts):.2f} s; {messages} messages, {size / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
