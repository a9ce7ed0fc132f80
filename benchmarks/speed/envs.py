"""Step many copies of HazardGrid: one array against gymnasium's loop over single environments.

The yardstick is our batched form. Its rivals are `SyncVectorEnv` over our own single form (same dynamics and infos)
and over gymnasium's FrozenLake 8x8 (a gridworld of the same size, plain infos), as `gymnasium.make_vec` builds them.
Goal: at least 8 times faster at 64 copies.
"""

from __future__ import annotations

from collections.abc import Callable

import gymnasium
import numpy as np
import zoo_envs  # noqa: F401  (registers the ids)
from ratio import Table, arguments, compare, show

COPIES = (1, 8, 64, 256)
GOAL_COPIES, GOAL = 64, 8.0
TRANSITIONS = 12_800


def stepper(env: gymnasium.vector.VectorEnv) -> Callable[[], int]:
    """Return a function that takes `TRANSITIONS` transitions under fixed random actions and counts them."""
    n = env.num_envs
    actions = np.random.default_rng(0).integers(0, 4, (TRANSITIONS // n, n))
    env.reset(seed=0)

    def run() -> int:
        for row in actions:
            env.step(row)
        return actions.size

    return run


def at(n: int, rounds: int) -> Table:
    """Compare the three at `n` copies."""
    hazard = "zoo/HazardGrid-v0"
    rivals = {
        "HazardGrid, batched": gymnasium.make_vec(hazard, n, vectorization_mode="vector_entry_point"),
        "HazardGrid, gymnasium sync": gymnasium.make_vec(hazard, n, vectorization_mode="sync"),
        "FrozenLake 8x8, gymnasium sync": gymnasium.make_vec(
            "FrozenLake-v1", n, vectorization_mode="sync", map_name="8x8"
        ),
    }
    table = compare(
        {name: stepper(env) for name, env in rivals.items()},
        rounds,
        title=f"{TRANSITIONS} transitions, {n} copies",
    )
    ours = table.rows[0]
    table.notes["batched, microseconds per call of step"] = round(ours.median / (TRANSITIONS // n) * 1e6, 1)
    table.notes["batched, million transitions per second"] = round(TRANSITIONS / ours.median / 1e6, 3)
    if n == GOAL_COPIES:
        table.notes["speed-up over the faster rival (goal 8)"] = round(table.speedup(), 1)
        table.notes["goal reached"] = table.speedup() >= GOAL
    return table


def main() -> None:
    """Run the comparison and print it."""
    options = arguments(__doc__ or "").parse_args()
    show([at(n, options.rounds) for n in COPIES], as_json=options.json)


if __name__ == "__main__":
    main()
