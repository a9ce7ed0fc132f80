"""The random outcomes of each state and action: successor, probability and reward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_envs.tabular.model import DENSE_ENTRIES, TabularModel

__all__ = ["Outcomes"]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """B events for each of S states and A actions; several may lead to the same state and pay differently.

    A reward that belongs to an event, such as one paid on arrival, is sampled with it; the model has the mean reward.

    Attributes:
        succ: int64 [S,A,B], successor state of the event.
        p: float64 [S,A,B], its probability; sums to 1 over B.
        pay: float64 [S,A,B], its reward.
    """

    succ: NDArray[np.int64]
    p: NDArray[np.float64]
    pay: NDArray[np.float64]

    @classmethod
    def certain(cls, succ: NDArray[np.int64], pay: NDArray[np.float64]) -> Outcomes:
        """Return the outcomes of deterministic dynamics: `succ` [S,A] and `pay` [S,A]."""
        return cls(succ[..., None], np.ones((*succ.shape, 1)), pay[..., None])

    def plus(self, arrival: NDArray[np.float64]) -> Outcomes:
        """Return these outcomes with `arrival` [S] paid in addition for the state that is arrived in."""
        return Outcomes(self.succ, self.p, self.pay + arrival[self.succ])

    def ending(self, terminal: NDArray[np.bool_]) -> Outcomes:
        """Return these outcomes with the states `terminal` bool[S] absorbing and without reward."""
        succ, pay = self.succ.copy(), self.pay.copy()
        succ[terminal] = np.flatnonzero(terminal)[:, None, None]
        pay[terminal] = 0.0
        return Outcomes(succ, self.p, pay)

    def model(self, gamma: float, rho: NDArray[np.float64], terminal: NDArray[np.bool_] | None = None) -> TabularModel:
        """Return the exact model: P[s,a,t] sums the events that lead to t, r[s,a] is the mean reward.

        P is a scipy CSR [S*A,S] where it has more than `DENSE_ENTRIES` entries, which takes scipy.

        Args:
            gamma: discount, in [0, 1).
            rho: law of the first state [S].
            terminal: states where episodes end, bool [S]; None: there are none.

        Raises:
            ValueError: `gamma` is outside its range.
        """
        S, A, B = self.succ.shape
        rows, columns, p = np.repeat(np.arange(S * A), B), self.succ.ravel(), self.p.ravel()
        P: Any
        if S * A * S > DENSE_ENTRIES:
            from scipy.sparse import csr_array  # needed by large models only

            P = csr_array((p, (rows, columns)), shape=(S * A, S))
            P.eliminate_zeros()
        else:
            P = np.zeros((S * A, S))
            np.add.at(P, (rows, columns), p)
        r = (self.p * self.pay).sum(-1)
        return TabularModel(P, r, gamma, rho, terminal=np.zeros(S, dtype=np.bool_) if terminal is None else terminal)
