"""What is kept beside the objects goes back to how it was, whatever was done to it in trials within
trials."""

from __future__ import annotations

import copy
import random
from typing import Any

from stripe_magics.sandbox.core.undo import Remembering


def test_a_trial_can_be_undone_at_any_depth() -> None:
    for seed in range(60):
        chance = random.Random(seed)
        kept: Remembering[dict[str, Any]] = Remembering({f"k{number}": {"n": number} for number in range(4)})
        before: list[tuple[int, dict[str, Any]]] = []
        for _ in range(60):
            key = f"k{chance.randrange(8)}"
            match chance.randrange(8):
                case 0:
                    kept[key] = {"n": chance.randrange(9)}
                case 1:
                    kept.pop(key, None)
                case 2:
                    kept.get(key, {})["m"] = chance.randrange(9)
                case 3:
                    kept.setdefault(key, {})["list"] = [chance.randrange(9)]
                case 4:
                    if key in kept:
                        del kept[key]
                case 5:
                    before.append((kept.begin(), copy.deepcopy(dict(kept))))
                case 6 if before:
                    place = chance.randrange(len(before))
                    level, expected = before[place]
                    kept.undo_to(level)
                    assert dict(kept) == expected
                    del before[place:]
                case 7 if before and chance.random() < 0.3:
                    kept.forget()
                    before.clear()
