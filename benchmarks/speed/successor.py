"""Representations beside one dense inverse, one sparse factorisation, breadth-first search and a per-step loop.

Goals: three representations and five lambdas at 1,600 states within 1.2 times one dense inverse; another lambda within
5 % of it; the value of 3 diminishing goals on 25,600 states within 3 times one sparse factorisation and without any
n x n matrix; first-occupancy planning to all goals of the four rooms within 20 ms, all of it shortest; TD at 64 copies
and more at least 20 times quicker than a loop over them.
"""

from __future__ import annotations

import resource
from collections import deque
from collections.abc import Callable

import numpy as np
import ratio
import scipy.linalg as sl
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import splu
from zoo_successor.exact import representations as exact
from zoo_successor.learning.td import StepSize, learn_states
from zoo_successor.planning.frp import frp_all

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GAMMA = 0.99
LAMBDAS = (0.1, 0.3, 0.5, 0.7, 0.9)
FOUR_ROOMS = """
###########
#....#....#
#.........#
#....#....#
#....#....#
#.#####.###
#....#....#
#....#....#
#.........#
#....#....#
###########
"""


def grid(side: int) -> sp.csr_array:
    """A random policy with four moves on an open grid; at the border a move stays."""
    s = np.arange(side * side)
    i, j = np.divmod(s, side)
    moves = ((-1, 0), (1, 0), (0, -1), (0, 1))
    to = np.stack([np.clip(i + di, 0, side - 1) * side + np.clip(j + dj, 0, side - 1) for di, dj in moves], axis=1)
    pi = np.random.default_rng(0).dirichlet(np.ones(4), size=side * side)
    return sp.csr_array((pi.reshape(-1), (np.repeat(s, 4), to.reshape(-1))), shape=(side * side, side * side))


def scattered(n: int) -> Floats:
    """A chain without any structure: every state may follow every other."""
    P: Floats = np.random.default_rng(0).dirichlet(np.ones(n), size=n)
    return P


def eight(P: Floats) -> Floats:
    """SR, FR and lambda for .5, then five further lambdas; the last one is returned."""
    M: Floats = exact.successor(P, GAMMA)
    last = M
    for lam in (0.0, 0.5, *LAMBDAS):
        last = exact.from_successor(M, lam)
    return last


def inverse_table(name: str, P: Floats, rounds: int) -> ratio.Table:
    """Everything, and each part, beside one dense inverse."""
    A = np.eye(len(P)) - GAMMA * P
    M = exact.successor(P, GAMMA)
    functions: dict[str, Callable[[], object]] = {
        "three representations, five lambdas": lambda: eight(P),
        "numpy's inverse": lambda: np.linalg.inv(A),
        "scipy's inverse": lambda: sl.inv(A, check_finite=False),
        "successor alone": lambda: exact.successor(P, GAMMA),
        "another lambda": lambda: exact.from_successor(M, 0.4),
    }
    table = ratio.compare(functions, rounds, title=f"{len(P)} states, {name}")
    one = table["numpy's inverse"].median
    table.notes["all eight over one inverse (goal 1.2)"] = round(table.rows[0].median / one, 3)
    table.notes["another lambda over one inverse (goal .05)"] = round(table["another lambda"].median / one, 4)
    table.notes["largest difference"] = f"{np.abs(M - np.linalg.inv(A)).max():.1e}"
    return table


def value_table(side: int, rounds: int) -> ratio.Table:
    """Values of three diminishing goals from scratch, beside one sparse factorisation."""
    P = grid(side)
    n = P.shape[0]
    A = sp.csc_array(sp.eye_array(n) - GAMMA * P)
    reward = np.zeros(n)
    reward[[n // 10, n // 3, n - 5]] = 5.0, 10.0, 5.0
    kept = exact.Factorisation(P, GAMMA)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    functions: dict[str, Callable[[], object]] = {
        "three diminishing goals": lambda: exact.value(P, GAMMA, reward, 0.5),
        "scipy's splu": lambda: splu(A),
        "the same, factorised before": lambda: kept.value(reward, 0.5),
        "five lambdas, factorised before": lambda: kept.value(reward, np.array(LAMBDAS)[:, None]),
    }
    table = ratio.compare(functions, rounds, title=f"{n} states, grid, values by sparse factorisation")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table.notes["value over one factorisation (goal 3)"] = round(table.rows[0].median / table.rows[1].median, 2)
    table.notes["peak memory of the process, MiB"] = f"{peak / 1024:.0f}, {(peak - before) / 1024:.0f} of it for this"
    table.notes["an n x n matrix, MiB"] = round(n * n * 8 / 2**20)
    return table


def rooms() -> Ints:
    """Next states ``[4, 68]`` in the four rooms."""
    cells = [(i, j) for i, row in enumerate(FOUR_ROOMS.split()) for j, c in enumerate(row) if c != "#"]
    state = {cell: s for s, cell in enumerate(cells)}
    moves = ((-1, 0), (0, 1), (1, 0), (0, -1))
    return np.array([[state.get((i + di, j + dj), s) for s, (i, j) in enumerate(cells)] for di, dj in moves])


def breadth_first(moves: Ints) -> Floats:
    """Steps from every state to every state, in plain Python."""
    n = moves.shape[1]
    ways = moves.T.tolist()
    steps = [[-1] * n for _ in range(n)]
    for start, found in enumerate(steps):
        found[start] = 0
        queue = deque([start])
        while queue:
            s = queue.popleft()
            for t in ways[s]:
                if found[t] < 0:
                    found[t] = found[s] + 1
                    queue.append(t)
    return np.array(steps, dtype=np.float64)


def planning_table(rounds: int) -> ratio.Table:
    """Plans from every start to every goal from the FRs of four single-direction policies."""
    moves = rooms()
    F = np.stack([exact.first_occupancy(P, 0.95) for P in np.eye(moves.shape[1])[moves]])
    functions: dict[str, Callable[[], object]] = {
        "exact limit, all goals": lambda: frp_all(F),
        "breadth-first search, all starts": lambda: breadth_first(moves),
        "three sweeps, all goals": lambda: frp_all(F, 4),
    }
    table = ratio.compare(functions, rounds, title="first-occupancy planning, 68 cells")
    shortest = np.abs(frp_all(F).value - 0.95 ** breadth_first(moves)) < 1e-12
    table.notes["ms for all goals (goal 20)"] = round(1000 * table.rows[0].median, 2)
    table.notes["shortest"] = f"{100 * shortest.mean():.1f} %"
    return table


def td_table(seeds: int, copies: int, rounds: int, steps: int = 20) -> ratio.Table:
    """A random walk in the four rooms with TD of the lambda representation, ``steps`` steps of every copy."""
    moves = rooms()
    n, lam, alpha = moves.shape[1], 0.5, 0.1
    running, step = np.zeros((seeds, copies), dtype=np.bool_), StepSize(alpha=alpha)
    start = np.random.default_rng(0).integers(n, size=(seeds, copies))

    def together() -> Floats:
        rng, state = np.random.default_rng(1), start
        X, visits = np.tile(np.eye(n), (seeds, 1, 1)), np.zeros((seeds, n), dtype=np.int64)
        for _ in range(steps):
            after = moves[rng.integers(4, size=state.shape), state]
            learn_states(X, visits, state, after, running, gamma=GAMMA, lam=lam, step=step)
            state = after
        return X

    def apart() -> Floats:
        rng, state = np.random.default_rng(1), start.tolist()
        tables = np.tile(np.eye(n), (seeds, 1, 1))
        for _ in range(steps):
            for X, states in zip(tables, state, strict=True):
                for k, s in enumerate(states):
                    after = states[k] = moves[rng.integers(4), s]
                    target = GAMMA * X[after]
                    target[s] = 1 + lam * GAMMA * X[after, s]
                    X[s] += alpha * (target - X[s])
        return tables

    table = ratio.compare(
        {"one array operation a step": together, "a loop over copies": apart},
        rounds,
        title=f"TD, {seeds} seeds of {copies} copies, {steps} steps",
    )
    table.notes["times quicker (goal 20)"] = round(table.speedup(), 1)
    return table


def main() -> None:
    options = ratio.arguments(__doc__ or "").parse_args()
    # First the one whose peak memory is read.
    tables = [value_table(160, options.rounds), value_table(80, options.rounds)]
    tables += [inverse_table("grid", grid(side).toarray(), options.rounds) for side in (10, 20, 40)]
    tables += [inverse_table("no structure", scattered(1600), options.rounds), planning_table(options.rounds)]
    tables += [td_table(seeds, copies, options.rounds) for seeds, copies in ((64, 1), (16, 64), (256, 16))]
    ratio.show(tables, as_json=options.json)


if __name__ == "__main__":
    main()
