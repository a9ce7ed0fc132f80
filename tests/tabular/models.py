"""Reference processes, written from their definitions and not with the library that they check."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoo.tabular import TabularCMDP


def two_state(theta: float = 0.5, gamma: float = 0.9) -> TabularCMDP:
    P = np.zeros((2, 2, 2))
    for s in range(2):
        P[s, 0, s] = P[s, 1, 1 - s] = 1.0
    r = np.array([[1.0, 0.0], [0.0, 0.0]])
    utility = np.array([[0.0, 1.0], [1.0, 0.0]])
    return TabularCMDP(P, r, gamma, np.array([1.0, 0.0]), utility[None], np.array([theta]), (">=",), ("utility",))


def three_state() -> TabularCMDP:
    P, r, c = np.zeros((3, 3, 3)), np.zeros((3, 3)), np.zeros((2, 3, 3))
    P[0, 0, 0] = P[0, 1, 0] = 1.0
    P[0, 2] = [0.1, 0.9, 0.0]
    P[1, 0] = [0.0, 0.8, 0.2]
    P[1, 1, 0] = P[1, 2, 2] = P[2, 0, 2] = P[2, 1, 0] = P[2, 2, 1] = 1.0
    r[0] = [1.0, 0.1, 0.0]
    r[1, 0], r[2, 0] = 2.0, 0.2
    c[0, 0, 0], c[0, 2, 2], c[1, 1, 0] = 1.0, 0.5, 1.0
    return TabularCMDP(P, r, 0.9, np.eye(3)[0], c, np.array([0.2, 0.3]), ("<=", "<="), ("heat", "energy"))


def garnet_arrays(
    S: int, A: int, branching: int, N: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    g = np.random.default_rng(seed)
    r, c, P = g.random((S, A)), g.random((N, S, A)), np.zeros((S, A, S))
    for s in range(S):
        for a in range(A):
            w = g.dirichlet(np.ones(branching))
            P[s, a, g.choice(S, branching, replace=False)] = w
    return P, r, c


def garnet(
    S: int = 20, A: int = 4, branching: int = 3, N: int = 2, gamma: float = 0.9, seed: int = 1, b: object = None
) -> TabularCMDP:
    """Without ``b`` the thresholds are those of the uniform policy, which is therefore feasible."""
    P, r, c = garnet_arrays(S, A, branching, N, seed)
    rho = np.full(S, 1.0 / S)
    if b is None:
        d = np.linalg.solve((np.eye(S) - gamma * P.mean(axis=1)).T, (1 - gamma) * rho)
        b = c.mean(axis=2) @ d
    return TabularCMDP(P, r, gamma, rho, c, np.asarray(b, dtype=np.float64), ("<=",) * N)


def hazard_grid(n: int = 8, gamma: float = 0.95, slip: float = 0.1, limit: float = 0.001) -> TabularCMDP:
    S, P = n * n, np.zeros((n * n, 4, n * n))
    i, j = np.divmod(np.arange(S), n)
    moves = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])
    to = [np.clip(i + di, 0, n - 1) * n + np.clip(j + dj, 0, n - 1) for di, dj in moves]
    for a in range(4):
        for direction in range(4):
            P[np.arange(S), a, to[direction]] += (1 - slip) * (a == direction) + slip / 4
    P[S - 1] = np.eye(S)[0]
    r, cost = np.zeros((S, 4)), np.zeros((S, 4))
    r[S - 1] = 20.0
    cost[(i + j == n - 1) & (np.abs(i - j) <= n // 2)] = 1.0
    return TabularCMDP(P, r, gamma, np.eye(S)[0], cost[None], np.array([limit]), ("<=",), ("hazard",))


def catch(theta: float = 0.6, gamma: float = 0.97, rows: int = 10, columns: int = 5) -> TabularCMDP:
    S = rows * columns * columns
    P, r, utility = np.zeros((S, 3, S)), np.zeros((S, 3)), np.zeros((S, 3))

    def at(row: int, ball: int, paddle: int) -> int:
        return (row * columns + ball) * columns + paddle

    for row in range(rows):
        for ball in range(columns):
            for paddle in range(columns):
                s = at(row, ball, paddle)
                utility[s] = paddle == 0
                if row == rows - 1:
                    r[s] = 1.0 if ball == paddle else -1.0
                    P[s][:, [at(0, new, columns // 2) for new in range(columns)]] = 1.0 / columns
                    continue
                for a in range(3):
                    moved = min(max(paddle + a - 1, 0), columns - 1)
                    P[s, a, at(row + 1, ball, moved)] = 1.0
    rho = np.zeros(S)
    rho[[at(0, ball, columns // 2) for ball in range(columns)]] = 1.0 / columns
    return TabularCMDP(P, r, gamma, rho, utility[None], np.array([theta]), (">=",), ("left",))
