"""Planning on slippery grids: ours beside quantecon and mdpsolver, at equal tolerance, solve only.

Four actions, discount .99, slip .2, tolerance 1e-6 on the unnormalised value. What the grid pays decides how values
travel, and so which method suits: a cost per step up to an absorbing goal, a reward at a goal that returns to the
start, and a random reward in each cell and action. Goal: at 10,000 states at least 4 times faster than the best peer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import ratio
import scipy.sparse as sp
from numpy.typing import NDArray

from zoo.tabular import TabularCMDP, modified_policy_iteration, policy_iteration

GAMMA, SLIP, TOLERANCE = 0.99, 0.2, 1e-6
KINDS = ("cost per step", "returning goal", "random rewards")


def grid(n: int, kind: str) -> TabularCMDP:
    """An ``n`` by ``n`` grid whose goal is the last cell; walls hold."""
    S = n * n
    s = np.arange(S)
    i, j = np.divmod(s, n)
    moves = ((-1, 0), (1, 0), (0, -1), (0, 1))
    to = np.stack([np.clip(i + di, 0, n - 1) * n + np.clip(j + dj, 0, n - 1) for di, dj in moves], axis=1)
    law = (1 - SLIP) * np.eye(4) + SLIP / 4
    columns = np.broadcast_to(to[:, None, :], (S, 4, 4)).copy()
    weights = np.broadcast_to(law, (S, 4, 4)).copy()
    r = np.zeros((S, 4))
    if kind == "cost per step":
        r[:-1] = -1.0
        columns[-1], weights[-1] = S - 1, 0.25
    elif kind == "returning goal":
        r[-1] = 1.0
        columns[-1], weights[-1] = 0, 0.25
    else:
        r[:] = np.random.default_rng(0).random((S, 4))
    rows = np.repeat(np.arange(4 * S), 4)
    P = sp.csr_array((weights.reshape(-1), (rows, columns.reshape(-1))), shape=(4 * S, S))
    return TabularCMDP(P, r, GAMMA, np.full(S, 1 / S))


def peers(cmdp: TabularCMDP) -> dict[str, Callable[[], NDArray[np.float64]]]:
    """The peers' solvers, each returning unnormalised values; their models are built here, outside the clock."""
    import mdpsolver  # type: ignore[import-untyped]
    from quantecon.markov import DiscreteDP  # type: ignore[import-untyped]

    S, A = cmdp.r.shape
    K = cmdp.kernel
    states, actions = np.divmod(np.arange(S * A), A)
    ddp = DiscreteDP(cmdp.r.reshape(-1), sp.csr_matrix(K), GAMMA, states, actions)
    starts = K.indptr.reshape(-1)
    data = [[K.data[starts[k] : starts[k + 1]].tolist() for k in range(s * A, s * A + A)] for s in range(S)]
    columns = [[K.indices[starts[k] : starts[k + 1]].tolist() for k in range(s * A, s * A + A)] for s in range(S)]
    model = mdpsolver.model()
    model.mdp(discount=GAMMA, rewards=cmdp.r.tolist(), tranMatProbs=data, tranMatColumns=columns)
    zeros = [0.0] * S

    def solve(algorithm: str) -> NDArray[np.float64]:
        # The model remembers its last values: without zeros the second solve would find the answer waiting.
        model.solve(algorithm=algorithm, tolerance=TOLERANCE, initValueVector=zeros, parallel=False)
        return np.array(model.getValueVector())

    return {
        "quantecon, mpi": lambda: np.asarray(ddp.solve(method="mpi", epsilon=TOLERANCE).v),
        "mdpsolver, mpi": lambda: solve("mpi"),
        "mdpsolver, vi": lambda: solve("vi"),
    }


def planning_table(n: int, kind: str, rounds: int) -> ratio.Table:
    """One grid, every solver."""
    cmdp = grid(n, kind)
    exact = policy_iteration(cmdp).value / (1 - GAMMA)
    tol = TOLERANCE * (1 - GAMMA)
    functions: dict[str, Callable[[], object]] = {
        "zoo, mpi": lambda: modified_policy_iteration(cmdp, tol=tol).value / (1 - GAMMA),
        "zoo, policy iteration": lambda: policy_iteration(cmdp).value / (1 - GAMMA),
        **peers(cmdp),
    }
    table = ratio.compare(functions, rounds, title=f"{n * n} states, {kind}")
    errors = {row.name: float(np.abs(np.asarray(row.result) - exact).max()) for row in table.rows}
    table.notes["largest error"] = {name: f"{error:.1e}" for name, error in errors.items()}
    own, rivals = table.rows[:2], table.rows[2:]
    best = min(row.median for row in rivals) / min(row.median for row in own)
    table.notes["best peer over our best"] = round(best, 2)
    return table


def batch_table(rounds: int) -> ratio.Table:
    """Thirty-two rewards at once beside a loop."""
    cmdp = grid(10, "random rewards")
    rewards = np.random.default_rng(1).random((32, *cmdp.r.shape))
    functions: dict[str, Callable[[], object]] = {
        "zoo, together": lambda: modified_policy_iteration(cmdp, rewards, tol=1e-8),
        "zoo, one by one": lambda: [modified_policy_iteration(cmdp, reward, tol=1e-8) for reward in rewards],
    }
    return ratio.compare(functions, rounds, title="32 rewards, 100 states")


def main() -> None:
    parser = ratio.arguments(__doc__ or "")
    parser.add_argument("--side", type=int, default=100, help="cells a side (default 100)")
    options = parser.parse_args()
    tables = [planning_table(options.side, kind, options.rounds) for kind in KINDS]
    ratio.show([*tables, batch_table(options.rounds)], as_json=options.json)


if __name__ == "__main__":
    main()
