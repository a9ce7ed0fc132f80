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

    def distances(self, *names):
        """Steps from every state to every state ``[n, n]`` by breadth-first search; infinite where there is no way."""
        moves, found = self.moves(*names), np.full((self.n, self.n), np.inf)
        for start in range(self.n):
            found[start, start] = 0
            queue = deque([start])
            while queue:
                s = queue.popleft()
                for t in moves[:, s]:
                    if np.isinf(found[start, t]):
                        found[start, t] = found[start, s] + 1
                        queue.append(t)
        return found


def one_hot(moves, n):
    """Chains ``[..., n, n]`` of next states ``[..., n]``."""
    return np.eye(n)[moves]


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


def escape(size, barrier):
    rows = [["#" if i in (0, size - 1) or j in (0, size - 1) else "." for j in range(size)] for i in range(size)]
    if barrier:
        rows[size // 2][size // 4 : 3 * size // 4 + 1] = "#" * (3 * size // 4 + 1 - size // 4)
    return Maze(["".join(row) for row in rows])
