"""The pipeline, step by step: loading the extension, reading a line, a call on the sandbox beside the frame
alone.

    python tests/benchmarks/pipeline.py

Prints medians. Loading is a whole process, paired with a bare IPython.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

LOAD = (
    "from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance(); import time; t ="
    " time.perf_counter(); {}; print(time.perf_counter() - t)"
)
LINE = (
    "payment_intents create --amount 20.00usd --customer cus_123 --description Books --receipt-email"
    " a@example.com --confirm --payment-method pm_card_visa --shipping-name Jenny --shipping-line1 '1 Main"
    " St' --shipping-city Berlin --shipping-country DE --shipping-postal-code 10115"
    " --statement-descriptor-suffix BOOKS --capture-method manual --confirmation-method automatic"
    " --transfer-group g1 --setup-future-usage off_session --return-url https://example.com --metadata"
    " order=6735 --off-session false --use-stripe-sdk"
)


def median(work: Callable[[], object], runs: int = 200) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    import stripe_magics as sm
    from stripe_magics import frames, pipeline
    from stripe_magics.parsing import parse
    from stripe_magics.request import Request

    loads = [
        float(
            subprocess.run(
                [sys.executable, "-c", LOAD.format("s.run_line_magic('load_ext', 'stripe_magics')")],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for _ in range(7)
    ]
    print(f"%load_ext over a bare IPython           {statistics.median(loads) * 1e3:8.1f} ms")
    print(f"reading a line of 20 flags              {median(lambda: parse(LINE)) * 1e3:8.2f} ms")
    print(
        "reading and binding it to a request    "
        f" {median(lambda: pipeline.prepare(parse(LINE))) * 1e3:8.2f} ms"
    )
    connection = sm.connect(sandbox=True)
    customer = sm.call("customers.list", limit=1)["id"][0]
    answer = connection.send(
        Request(module="customers.retrieve", method="GET", path=f"/v1/customers/{customer}")
    )
    framed = median(lambda: frames.build([answer.body], "customer"))
    whole = median(lambda: sm.call("customers.retrieve", customer=customer))
    print(f"the frame of one customer               {framed * 1e3:8.2f} ms")
    print(f"a sandbox call with its frame           {whole * 1e3:8.2f} ms")
    print(f"a sandbox call above the frame          {(whole - framed) * 1e3:8.2f} ms")


if __name__ == "__main__":
    main()
