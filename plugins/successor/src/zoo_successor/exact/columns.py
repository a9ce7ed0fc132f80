"""Values and columns of the representations through one sparse factorisation, without any n x n matrix.

Rewards on k states B need ``X = M[:, B]`` alone, k solves, and ``d_B`` stands in X
(docs/methods/successor.md, section 3). The same factorisation serves every reward and every lambda.
"""

from __future__ import annotations

import numpy as np

from zoo_successor.exact import linear
from zoo_successor.exact import validation as checks
from zoo_successor.exact.backend import Array, Backend, host
from zoo_successor.exact.inputs import chain

BLOCK = 1 << 22
"""Numbers held at a time (32 MiB): rewards on many states are solved for in slices of columns."""


class Factorisation:
    """``I - gamma P_pi``, factorised once.

    Args:
        P_pi: transition probabilities of the policy ``[n, n]``, best as a scipy.sparse array.
        gamma: discount in [0, 1].
        terminal: mask bool[n].

    Raises:
        ValueError: as for ``exact.successor``.
        SingularRepresentationError: as for ``exact.successor``.
    """

    def __init__(self, P_pi: Array, gamma: float, terminal: Array | None = None) -> None:
        P_pi = chain(P_pi)
        self._backend = Backend.of(P_pi=P_pi)
        P, gamma = linear.checked_chain(P_pi, gamma, terminal, self._backend)
        self.n: int = P.shape[0]
        self._solve = linear.solver(P, gamma, self._backend)

    def columns(self, goals: Array, lam: Array = 1.0, *, allow_growth: bool = False) -> Array:
        """``Phi_lambda[:, goals]``, dense ``[n, k]``: how well each goal is reached from everywhere.

        Args:
            goals: state indices ``[k]``, or one.
            lam: a number, one for each state ``[n]``, or a function of the states; 1 gives the SR, 0 the FR.
            allow_growth: accept ``lam > 1`` where the sum stays finite.

        Raises:
            ValueError: a goal or lam out of range, named.
        """
        Backend.of(P_pi=self._backend.from_numpy(np.zeros(0)), lam=lam)
        chosen = checks.indices(goals, self.n)
        factor = checks.factors(lam, self.n, self._backend, allow_growth=allow_growth)
        factor = (factor + self._zeros(self.n))[chosen]
        X, d = self._unit(chosen)
        return X / checks.weight(factor, d, chosen)

    def value(self, reward: Array, lam: Array = 1.0, *, allow_growth: bool = False) -> Array:
        """``V[s] = sum_j reward_j Phi_lambda[s, j]``, the expected discounted sum of diminishing rewards.

        After a history with visit counts c, pass ``reward * lam ** c``. Several rewards and lambdas may be asked at
        once: leading axes of both are broadcast, as in ``value(reward [n], lambdas [5, 1]) -> [5, n]``.

        Args:
            reward: base reward of each state ``[..., n]``.
            lam: factor per visit: a number, ``[..., n]`` or ``[..., 1]``, or a function of the states ``[n]``.
            allow_growth: accept ``lam > 1`` where the sum stays finite.

        Returns:
            ``[..., n]``.

        Raises:
            ValueError: another shape, a reward that is not finite, lam out of range.
        """
        backend = self._backend
        Backend.of(P_pi=backend.from_numpy(np.zeros(0)), reward=reward, lam=lam)
        base = backend.dense(reward)
        if not len(base.shape) or base.shape[-1] != self.n:
            raise ValueError(f"reward has shape {tuple(base.shape)}: expected one number for each of {self.n} states.")
        checks.finite(base, "reward")
        factor = checks.factors(lam, self.n, backend, allow_growth=allow_growth, axes=8)
        base, factor = (
            backend.xp.broadcast_tensors(base, factor) if backend.kind == "torch" else np.broadcast_arrays(base, factor)
        )
        shape = base.shape
        base, factor = base.reshape(-1, self.n), factor.reshape(-1, self.n)
        shrinks = ((base != 0) & (factor != 1)).any(0)
        plain = base * ~shrinks
        V = self._solve(plain.T) if bool(plain.any()) else 0 * plain.T
        states = np.flatnonzero(host(shrinks))
        width = max(1, BLOCK // self.n)
        for here in (states[i : i + width] for i in range(0, len(states), width)):
            X, d = self._unit(here)
            V = V + X @ (base[:, here] / checks.weight(factor[:, here], d, here)).T
        return V.T.reshape(shape)

    def _unit(self, states: np.ndarray) -> tuple[Array, Array]:
        """``X = M[:, states]`` and ``d`` of these states."""
        k = np.arange(len(states))
        unit = self._zeros(self.n, len(states))
        unit[states, k] = 1.0
        X = self._solve(unit)
        return X, X[states, k]

    def _zeros(self, *shape: int) -> Array:
        return self._backend.from_numpy(np.zeros(shape))


def columns(P_pi: Array, gamma: float, goals: Array, lam: Array = 1.0, terminal: Array | None = None) -> Array:
    """``Phi_lambda[:, goals] [n, k]``, as ``Factorisation(P_pi, gamma, terminal).columns(goals, lam)``."""
    return Factorisation(P_pi, gamma, terminal).columns(goals, lam)


def value(P_pi: Array, gamma: float, reward: Array, lam: Array = 1.0, terminal: Array | None = None) -> Array:
    """``V [..., n]`` of diminishing rewards, as ``Factorisation(P_pi, gamma, terminal).value(reward, lam)``."""
    return Factorisation(P_pi, gamma, terminal).value(reward, lam)
