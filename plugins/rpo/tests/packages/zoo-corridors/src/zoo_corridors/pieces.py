"""A regulariser that says only what it is, and a default policy that prefers one action."""

from dataclasses import dataclass

from zoo_rpo.default_options import DefaultOptions
from zoo_rpo.defaults import Frozen
from zoo_rpo.regularisers import Regulariser


@dataclass(frozen=True)
class JensenShannon(Regulariser):
    """KL(p, m) / 2 + KL(q, m) / 2 with m half way between; its derivatives are left to autograd."""

    weight: float = 1.0

    def omega(self, p, q):
        middle = type(p).of((p.p + q.p) / 2)
        return self.weight * (p.kl(middle) + q.kl(middle)) / 2


@dataclass(frozen=True)
class StubbornOptions(DefaultOptions):
    """Always the same action."""

    action: int = 1

    def make(self, setting):
        import numpy as np

        states, actions = setting.tabular("stubborn")
        p = np.full((states, actions), 0.1 / (actions - 1))
        p[:, self.action] = 0.9
        return Frozen(p)
