"""Lambda-Q learning: control where rewards diminish (Moskovitz et al. 2023, arXiv:2309.03710)."""

from __future__ import annotations

import numpy as np

from zoo import Array, Context, Metrics, Stack
from zoo_successor.config import LambdaQConfig
from zoo_successor.control.base import Arrays, Remaining, Rule, TabularControl, arrive, choose
from zoo_successor.learning.problem import discount, factor, num_states, rewards, states
from zoo_successor.learning.td import Floats, Ints, StepSize, greedy, learn_actions


class LambdaQRule(Rule):
    """One step: act epsilon-greedily in ``Phi(s, a) @ w``, then TD towards the greedy next action.

    w is what the agent knows of the rewards: those that remain after the visits of this episode, or, with
    ``reread`` off, the first ones throughout. The action followed in the target is greedy for the w after arrival.
    """

    draws = 2

    def __init__(self, ctx: Context, config: LambdaQConfig) -> None:
        problem = ctx.problem
        self.config = config
        self.S, self.A = num_states(ctx), ctx.num_actions
        self.gamma = discount(problem, config.gamma)
        self.lam = factor(problem, config.lam, self.S)
        self.base = rewards(problem)
        own = problem.diminishing
        self.shrink = np.ones(self.S) if own is None or not config.reread else np.array(own.lam)
        self.count_start = own is not None and own.count_start
        self.recovery = None if own is None else own.recovery

    def remaining(self) -> Remaining:
        """A counter of visits for copies that are acted in."""
        return Remaining(self.base, self.shrink, count_start=self.count_start, recovery=self.recovery)

    def initial_arrays(self, obs: Ints, rng: np.random.Generator) -> Arrays:
        """The identity for every action, plus the optimism."""
        B = len(obs)
        counts = np.zeros((B, self.S), dtype=np.int64)
        counts[np.arange(B), obs] = self.count_start
        return {
            "table": (np.eye(self.S) + self.config.optimism)[:, None, :].repeat(self.A, axis=1),
            "visits": np.zeros((self.S, self.A), dtype=np.int64),
            "counts": counts,
            "idle": np.zeros((B, self.S if self.recovery else 0), dtype=np.int64),
            "obs": obs.astype(np.int64),
            "running": np.zeros((2, B)),
            "weight": np.ones(B),
            "finished": np.zeros(3),
        }

    def restart_episodes(self, arrays: Arrays, obs: Ints) -> None:
        """Visits and returns of the episodes that were cut are dropped."""
        arrays["obs"][:] = obs
        arrays["counts"][:] = np.arange(self.S) == obs[..., None] if self.count_start else 0
        arrays["idle"][:] = 0
        arrays["running"][:] = 0.0
        arrays["weight"][:] = 1.0

    def step(self, arrays: Arrays, envs: Stack, u: Floats) -> None:
        """Act, count, learn."""
        table, counts, s = arrays["table"], arrays["counts"], arrays["obs"].copy()
        each, copy = np.indices(s.shape)
        w = self.base * self.shrink**counts
        a = choose((table[each, s] @ w[..., None])[..., 0], u, self.config.epsilon)
        obs, reward, terminated, truncated, infos = envs.step(a)
        arrived = states(infos["arrived"], self.S)
        arrive(counts, arrays["idle"], arrived, self.recovery)
        following = greedy(table, arrived, self.base * self.shrink**counts)
        learn_actions(
            table, arrays["visits"], s, a, arrived, terminated, next_action=following, gamma=self.gamma, lam=self.lam,
            step=StepSize(alpha=self.config.alpha),
        )  # fmt: skip
        arrays["running"][:, 0] += reward
        arrays["running"][:, 1] += arrays["weight"] * reward
        arrays["weight"] *= self.gamma
        arrays["obs"][:] = obs
        ended = terminated | truncated
        if ended.any():
            arrays["finished"][:, :2] += np.where(ended[:, None], arrays["running"], 0.0).sum(axis=-1)
            arrays["finished"][:, 2] += ended.sum(axis=1)
            arrays["running"].swapaxes(1, 2)[ended] = 0.0
            arrays["weight"][ended] = 1.0
            counts[ended] = arrays["idle"][ended] = 0
            counts[each, copy, obs] += ended & self.count_start

    def metrics(self, arrays: Arrays, index: int, steps: int) -> Metrics:
        """``return/episode`` and ``return/discounted``: means of finished episodes; ``visited``: of rows."""
        total, discounted, count = arrays["finished"][index].tolist()
        metrics = {"visited": float((arrays["visits"][index] > 0).mean())}
        if count:
            metrics |= {"return/episode": total / count, "return/discounted": discounted / count}
        arrays["finished"][index] = 0.0
        return metrics


class LambdaQ(TabularControl[LambdaQConfig]):
    """Lambda-Q learning; ``act`` counts the visits of each copy itself, and is greedy, lowest index on ties."""

    rule: LambdaQRule

    def __init__(self, ctx: Context, config: LambdaQConfig) -> None:
        super().__init__(ctx, config)
        self._remaining = self.rule.remaining()

    @staticmethod
    def make_rule(ctx: Context, config: LambdaQConfig) -> LambdaQRule:
        """The only rule there is."""
        return LambdaQRule(ctx, config)

    def act(self, obs: Array, *, greedy: bool = True) -> Array:
        """Actions ``int64 [B]`` for states ``[B]``, on the rewards that remain in each copy's episode."""
        s = states(obs, self.rule.S)
        values = np.asarray((self.arrays["table"][0][s] @ self._remaining.read(s)[..., None])[..., 0])
        if greedy:
            return values.argmax(axis=-1)
        return choose(values, self.ctx.stream("act").random((len(s), 2)), self.config.epsilon)

    def forget(self, ended: Array | None = None) -> None:
        """Forget the visits of the copies in ``ended [B]``, or of all."""
        self._remaining.forget(None if ended is None else np.asarray(ended, dtype=bool))
