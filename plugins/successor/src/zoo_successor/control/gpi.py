"""Generalised policy improvement over base policies, with any of the three representations.

Sources: Barreto et al. 2017 (the rule); Moskovitz et al. 2023, arXiv:2309.03710 (diminishing rewards).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo import Algorithm, Array, Context, Metrics, Outcome, State
from zoo_successor.config import GPIConfig
from zoo_successor.control.base import Remaining
from zoo_successor.exact import representations as exact
from zoo_successor.learning.problem import (
    base_policies,
    dense_kernel,
    discount,
    factor,
    most_likely_model,
    num_states,
    rewards,
    states,
)
from zoo_successor.learning.td import Floats, Ints
from zoo_successor.planning.gpi_rule import gpi

_LAMBDA = {"sr": 1.0, "fr": 0.0}


class GeneralisedImprovement(Algorithm[GPIConfig]):
    """Acts by ``argmax_a max_i Phi_i(s, a) @ w``; nothing is learned, an update judges the policy and is the last.

    w are the rewards that remain to a copy, which ``act`` counts itself from the states it is shown; they shrink by
    the environment's factor, whatever lambda the representation believes in. ``env_steps`` counts steps of judging.

    Raises:
        UsageError: a cell of an option is not a state, or base policies cannot be had.
        InterfaceError: the observations are not the model's states.
    """

    def __init__(self, ctx: Context, config: GPIConfig) -> None:
        super().__init__(ctx, config)
        problem = ctx.problem
        believed = most_likely_model(problem.tabular) if config.determinise else problem.tabular
        S, P = num_states(ctx), dense_kernel(believed)
        self.gamma = discount(problem, config.gamma)
        self.lam = factor(problem, _LAMBDA.get(config.kind, config.lam), S)
        self.policies, self.names = base_policies(problem, config.policies, self.gamma)
        self.Phi: Floats = np.stack([self._table(P, policy) for policy in self.policies])
        own = problem.diminishing
        shrink = np.ones(S) if own is None else np.array(own.lam)
        self._seen = Remaining(
            rewards(problem), shrink, count_start=own is not None and own.count_start,
            recovery=None if own is None else own.recovery,
        )  # fmt: skip

    def _table(self, P: Floats, policy: Ints) -> Floats:
        chosen = np.eye(P.shape[1])[policy]
        return np.asarray(exact.state_action(P, chosen, self.gamma, self.lam, self.ctx.problem.tabular.terminal))

    def update(self) -> Metrics:
        """Play one episode from every state that pays nothing, or, if all do, from every state.

        Returns:
            ``sum_{t>=1} gamma^t r(s_t)`` of the rewards on arrival, without penalties: ``return/mean`` over these
            starts, ``return/start`` over the environment's own start distribution, and the mean ``length``.
        """
        model, base = self.ctx.problem.tabular, self._seen.base
        idle = (base == 0) & ~model.terminal
        starts = np.flatnonzero(idle if idle.any() else ~model.terminal)
        played = self.play(starts, self.ctx.rng)
        self.env_steps += int(played.lengths.sum())
        self.outcome = Outcome("converged", "there is nothing to learn: the policy was judged", final=True)
        mean = float(played.returns.mean())
        weight = model.rho[starts]
        own = float(weight @ played.returns / weight.sum()) if weight.sum() > 0 else mean
        return {"return/mean": mean, "return/start": own, "length": float(played.lengths.mean())}

    def play(self, starts: Ints, rng: np.random.Generator) -> Played:
        """One episode from each start on the exact model, all together, up to the configured end.

        Args:
            starts: states ``[B]``.
            rng: draws the transitions; where they are deterministic it decides nothing.
        """
        config, model = self.config, self.ctx.problem.tabular
        law = dense_kernel(model).cumsum(axis=2)
        seen = self._seen.unseen()
        s, running = starts.copy(), ~model.terminal[starts]
        returns, lengths = np.zeros(len(s)), np.zeros(len(s), dtype=np.int64)
        first = left = seen.read(s)
        for t in range(config.horizon):
            running &= left.max(axis=1) >= config.end_below
            if not running.any():
                break
            a = gpi(self.Phi, left if config.reread else first, s)
            drawn = (law[s, a] <= rng.random((len(s), 1)) * law[s, a, -1:]).sum(axis=1)
            s = np.where(running, drawn, s)
            before, left = left, seen.read(s)
            returns += np.where(running, self.gamma ** (t + 1) * before[np.arange(len(s)), s], 0.0)
            lengths += running
            running &= ~model.terminal[s]
        return Played(returns, lengths)

    def policy_for(self, goal: int) -> Ints:
        """Actions ``[S]`` where only the state ``goal`` pays, lowest index on ties."""
        S = len(self.lam)
        return gpi(self.Phi, np.eye(S)[goal], np.arange(S))

    def act(self, obs: Array, *, greedy: bool = True) -> Array:
        """Actions ``int64 [B]`` for states ``[B]``, on what remains to each copy."""
        s = states(obs, len(self.lam))
        left = self._seen.read(s)
        return gpi(self.Phi, left if self.config.reread else self._seen.base, s)

    def forget(self, ended: Array | None = None) -> None:
        """Forget the visits of the copies in ``ended [B]``, or of all."""
        self._seen.forget(None if ended is None else np.asarray(ended, dtype=bool))

    def state(self) -> State:
        """Nothing is learned."""
        return {}

    def load_state(self, state: State) -> None:
        """There is nothing to restore."""


@dataclass(frozen=True, eq=False)
class Played:
    """Episodes: discounted returns ``[B]`` and lengths in steps ``[B]``."""

    returns: Floats
    lengths: Ints
