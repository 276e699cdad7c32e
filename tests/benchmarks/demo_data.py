"""How long the demo account takes to build, and how much memory it holds: python tests/benchmarks/demo.py"""

import gc
import resource
import time
import tracemalloc

from stripe_magics.sandbox import demo_data
from stripe_magics.sandbox.core.store import Account
from stripe_magics.sandbox.resources.account_objects import open_account


def build():
    account = Account()
    open_account(account)
    demo_data.populate(account)
    return account


def main():
    times = []
    for _ in range(5):
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        build()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    print(
        f"built in {min(wall for wall, _ in times):.2f} s (processor {min(cpu for _, cpu in times):.2f} s),"
        f" best of {len(times)}"
    )
    start, cpu = time.perf_counter(), time.process_time()
    sum(number * number for number in range(10_000_000))
    print(
        f"for comparison, ten million squares: {time.perf_counter() - start:.2f} s (processor"
        f" {time.process_time() - cpu:.2f} s)"
    )
    gc.collect()
    tracemalloc.start()
    account = build()
    gc.collect()
    print(
        f"holds {tracemalloc.get_traced_memory()[0] / 1e6:.0f} MB; peak of the process"
        f" {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB"
    )
    del account


if __name__ == "__main__":
    main()
