"""What the demo account costs: python tests/benchmarks/demo_data.py

- the one that ships: opened, its first list, all of its objects read once;
- the same generated (`--today` and other moments do that);
- the memory of each, in a process of its own.
"""

import gc
import resource
import subprocess
import sys
import time

from stripe_magics.sandbox import SandboxTransport, demo_data
from stripe_magics.sandbox.demo_data import shipped

HEADERS = {"authorization": "Bearer sk_test_benchmark"}
RUNS = 5


def first_list():
    SandboxTransport().answer("GET", "/v1/customers", "limit=10", HEADERS, b"")


def all_read():
    account = shipped.account()  # held meanwhile
    for table in account.tables.values():
        for row in table.rows:
            _ = row.text


def generated():
    demo_data.generated(shipped.SEED, shipped.MOMENT)


CASES = {"shipped, a first list": first_list, "shipped, all read": all_read, "generated": generated}


def measure(case):
    """Processor time of several runs, and how much memory this process took more in the first."""
    before, times = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, []
    for _ in range(RUNS):
        gc.collect()
        begin = time.process_time()
        CASES[case]()
        times.append((time.process_time() - begin) * 1000)
        if len(times) == 1:
            more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    first, *later = times
    spread = f"{min(later):.0f}-{max(later):.0f}"
    print(f"{case:24} {first:6.0f} ms of processor time in a new process, then {spread}; {more:.0f} MB")


def main():
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        return
    print(f"the file: {shipped.FILE.stat().st_size:,} bytes")
    for case in CASES:
        subprocess.run([sys.executable, __file__, case], check=True)


if __name__ == "__main__":
    main()
