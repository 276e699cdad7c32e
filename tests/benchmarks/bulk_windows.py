"""Requests and time of pulls in windows of `created`, simulated in virtual time: 8 shapes of data, 4 sizes,
several seeds.

Goal for each: requests at most 1.10 x pages + 12, time at most 1.2 x the floor + 0.3 s.

    python tests/benchmarks/bulk_windows.py [SEEDS] [known | wild]

`wild` measures the list that bulk.py pulls from a server, with the limiter's burst of ten requests.

`known` measures, at 1,000 and 10,000 rows, the same reader with perfect cuts: it knows the time of every row
once the first page is there. Where that meets the goal, knowledge is what is missing; where it misses it,
better cuts don't help.

Billing seconds, 1,000 rows, can't be met by any reader: 450 rows of one second are five pages that no filter
can part, so that only ids which have been seen lead into them, at most one page a round trip from each end.
Where no id of them is on the first page, that takes at least three round trips after it (one page, two, two).
The first page's and these are 4 x 150 ms: the goal of 0.60 s before anything is sent.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # in place of this folder, whose `bulk` is another one

from bulk.list_shapes import SHAPES, measure, measure_known  # noqa: E402


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    missed = 0
    print(f"{'shape':16} {'rows':>7} {'pages':>6} {'requests':>15} {'empty':>6} {'seconds':>15} {'floor':>6}")
    known, wild = "known" in sys.argv, "wild" in sys.argv
    counts = (1_000, 10_000) if known else (1_000, 10_000, 50_000, 200_000)
    shapes = ["wild"] if wild else list(SHAPES)
    for shape in shapes:
        for count in counts:
            runs = [
                measure_known(shape, count, seed=seed)
                if known
                else measure(shape, count, seed=seed, burst=10.0 if wild else 1.0)
                for seed in range(seeds if count < 200_000 else min(seeds, 2))
            ]
            assert not any(each.lost or each.double for each in runs), shape
            ok = all(each.is_within_goal for each in runs)
            missed += not ok
            requests, seconds = [each.requests for each in runs], [each.seconds for each in runs]
            print(
                f"{shape:16} {count:7} {runs[0].pages:6} {min(requests):7}-{max(requests):<7}"
                f" {max(each.empty for each in runs):6} {min(seconds):7.2f}-{max(seconds):<7.2f}"
                f" {runs[0].floor:6.2f} {'' if ok else 'MISSED'}"
            )
    print(f"{missed} of {len(counts) * len(shapes)} missed the goal.")


if __name__ == "__main__":
    main()
