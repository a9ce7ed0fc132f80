"""Mazes and chains written for these tests alone, so that they judge the package and the environments independently."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import pytest

STEPS = {
    "up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1), "stay": (0, 0),
    "up-right": (-1, 1), "down-right": (1, 1), "down-left": (1, -1), "up-left": (-1, -1),
}  # fmt: skip


@dataclass
class Maze:
    """Deterministic moves on the free cells of a map; a move into a wall stays."""

    rows: list[str]

    def __post_init__(self):
        self.width = len(self.rows[0])
        text = "".join(self.rows)
        self.cells = [c for c in range(len(text)) if text[c] != "#"]
        self.state = {c: i for i, c in enumerate(self.cells)}
        self.n = len(self.cells)

    def moves(self, *names):
        """Next states ``[A, n]``."""
        table = []
        for name in names:
            di, dj = STEPS[name]
            table.append([self.state.get(c + di * self.width + dj, s) for s, c in enumerate(self.cells)])
        return np.array(table)

    def distances(self, *names, start=None):
        """Steps from ``start`` to every state ``[n]`` by breadth-first search, infinite where there is no way.

        From every state ``[n, n]`` without ``start``.
        """
        if start is None:
            return np.stack([self.distances(*names, start=s) for s in range(self.n)])
        moves, found = self.moves(*names).T.tolist(), [np.inf] * self.n
        found[start], queue = 0, deque([start])
        while queue:
            s = queue.popleft()
            for t in moves[s]:
                if found[t] == np.inf:
                    found[t] = found[s] + 1
                    queue.append(t)
        return np.array(found)


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


@pytest.fixture(scope="session")
def four_rooms():
    return Maze(FOUR_ROOMS.split())


@pytest.fixture(scope="session")
def basic_grid():
    return Maze(["######", *["#....#"] * 4, "######"])


@pytest.fixture(scope="session")
def escape():
    """Builds the arena of the escape task, with or without the barrier across its middle."""

    def build(size, barrier):
        rows = ["#" * size, *["#" + "." * (size - 2) + "#"] * (size - 2), "#" * size]
        if barrier:
            first, last = size // 4, 3 * size // 4
            rows[size // 2] = "".join("#" if first <= j <= last else c for j, c in enumerate(rows[size // 2]))
        return Maze(rows)

    return build
