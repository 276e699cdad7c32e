"""What the magic costs: `python tests/benchmarks/magics.py`. Best of many, in milliseconds."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LINE = (
    'payment_intents create --amount=2000 --currency=usd -d "metadata[order_id]"=6735 --description "a b"'
    " --customer cus_1 --receipt-email a@b.com --confirm --payment-method pm_1 --shipping-line1 x"
    " --shipping-line2 y --shipping-city y --shipping-name z --shipping-country US --shipping-phone 5"
    " --statement-descriptor-suffix q --capture-method manual --setup-future-usage on_session --metadata a=b"
    " --off-session --return-url https://example.com --dry-run"
)
LOAD = """
import time
from IPython.core.interactiveshell import InteractiveShell
ip = InteractiveShell.instance()
start = time.perf_counter()
ip.run_line_magic("load_ext", "stripe_magics")
print((time.perf_counter() - start) * 1000)
"""
FACTS = """
from stripe_magics.catalogue.generated import operations
import time
start = time.perf_counter()
operations.operation_names()
print((time.perf_counter() - start) * 1000)
"""


def best(function: Callable[[], Any], times: int = 200) -> float:
    took = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        took.append(time.perf_counter() - start)
    return min(took) * 1000


def main() -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from stripe_magics import pipeline
    from stripe_magics.magics import catalogue_search
    from stripe_magics.magics.completion import suggest
    from stripe_magics.magics.seen_ids import Seen
    from stripe_magics.magics.suggestion import CompletionContext
    from stripe_magics.parsing import parse

    loads = [float(subprocess.check_output([sys.executable, "-c", LOAD], text=True)) for _ in range(3)]
    print(f"%load_ext                               {min(loads):8.2f}")
    print(f"a line of 20 flags: parse               {best(lambda: parse(LINE)):8.2f}")
    print(f"a line of 20 flags: parse, bind, build  {best(lambda: pipeline.prepare(parse(LINE))):8.2f}")
    place = CompletionContext(Seen(), {})
    for text in (
        "%stripe ",
        "%stripe payment_intents create --",
        "%stripe checkout sessions create --",
        "%%stripe invoices create\ncust",
        "%stripe customers retrieve ",
        "%stripe payment_intents create --currency ",
        "%stripe customers list --columns ",
        "%stripe payment_intents list --expand ",
        "%stripe connect --env ",
        "%stripe report mrr --tz ",
        "%stripe report ",
        "%stripe get /v1/",
        "%stripe customers create --address-country ",
    ):
        print(
            f"completion of {text.splitlines()[-1]!r:40}{best(lambda text=text: suggest(text, place)):8.2f}"
        )
    for text in ("customer", "co pa in su ac tr cu re", "account create update list"):
        print(f"find {text!r:43}{best(lambda text=text: catalogue_search.find(text), 20):8.2f}")
    facts = [float(subprocess.check_output([sys.executable, "-c", FACTS], text=True)) for _ in range(5)]
    print(f"the operations, read and indexed        {min(facts):8.2f}")
    config = Config()
    config.HistoryManager.enabled = False
    ip = InteractiveShell.instance(config=config)
    ip.run_line_magic("load_ext", "stripe_magics")
    ip.run_cell("%stripe connect --sandbox --empty;\nmade = %stripe customers create --name x")
    customer = ip.user_ns["made"]["id"].iloc[0]
    call = best(lambda: pipeline.call("customers.retrieve", customer=customer), 50)
    print(f"a call in the sandbox, from Python      {call:8.2f}")
    magic = best(lambda: ip.run_line_magic("stripe", f"customers retrieve {customer}"), 50)
    print(f"the same through the magic              {magic:8.2f}")
    print(
        "its display                            "
        f" {best(lambda: ip.display_formatter.format(ip.user_ns['made']), 30):8.2f}"
    )


if __name__ == "__main__":
    import os

    with tempfile.TemporaryDirectory() as folder:
        os.environ["STRIPE_MAGICS_STATE_DIR"] = str(Path(folder) / "state")
        os.environ["IPYTHONDIR"] = folder
        main()
