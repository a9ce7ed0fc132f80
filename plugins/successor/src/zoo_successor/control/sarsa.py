"""SARSA with an exploration bonus from a successor or first-occupancy representation learned beside it.

Sources: Machado, Bellemare, Bowling 2020, arXiv:1807.11622 (SR bonus); Moskovitz et al. 2022, arXiv:2109.13863 (FR).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo import Array, Context, Metrics, Stack
from zoo_successor.config import SarsaConfig
from zoo_successor.control.base import Arrays, Rule, TabularControl, choose
from zoo_successor.learning.problem import discount, num_states, states
from zoo_successor.learning.td import Floats, Ints, StepSize, blend, learn_states


class SarsaRule(Rule):
    """One step: act, learn the representation's row of s, then Q(s, a) with reward and bonus.

    The representation, M or F [S, S], learns before the bonus is read, so that ``|M[s]|_1`` is never 0. The bonus is
    ``beta / |M[s]|_1`` of the state left (arXiv:1807.11622), or ``beta |F[s']|_1`` of the state arrived in. Ties
    among actions are broken at random. Where the time limit ends an episode the next value is bootstrapped, in a
    terminal state not.
    """

    draws = 4
    """uniforms for each transition: two to choose the next action, and two to choose that of a new episode"""

    def __init__(self, ctx: Context, config: SarsaConfig) -> None:
        self.config = config
        self.S, self.A = num_states(ctx), ctx.num_actions
        self.gamma = discount(ctx.problem, config.gamma, default=0.95)

    def initial_arrays(self, obs: Ints, rng: np.random.Generator) -> Arrays:
        """Values 0; the representation 0 (SR) or the identity (FR)."""
        q = np.zeros((self.S, self.A))
        start = np.eye(self.S) if self.config.bonus == "fr" else np.zeros((self.S, self.S))
        return {
            "q": q,
            "q_visits": np.zeros((self.S, self.A), dtype=np.int64),
            "table": start if self.config.bonus != "none" else np.zeros((0, 0)),
            "visits": np.zeros(self.S, dtype=np.int64),
            "obs": obs.astype(np.int64),
            "action": choose(q[obs], rng.random((len(obs), 2)), self.config.epsilon),
            "total": np.zeros(()),
            "gained": np.zeros(()),
            "bonus": np.zeros(()),
        }

    def restart_episodes(self, arrays: Arrays, obs: Ints) -> None:
        """The first action of the fresh episodes is the greedy one, lowest index on ties."""
        arrays["obs"][:] = obs
        arrays["action"][:] = arrays["q"][:, obs[0]].argmax(axis=-1)

    def step(self, arrays: Arrays, envs: Stack, u: Floats) -> None:
        """Act, learn, and choose the next action."""
        config, q = self.config, arrays["q"]
        s, a = arrays["obs"].copy(), arrays["action"].copy()
        seed = np.arange(len(q))[:, None]
        obs, reward, terminated, truncated, infos = envs.step(a)
        arrived = states(infos["arrived"], self.S)
        bonus = self._bonus(arrays, s, arrived, terminated)
        next_action = choose(q[seed, arrived], u[..., :2], config.epsilon)
        target = reward + bonus + self.gamma * np.where(terminated, 0.0, q[seed, arrived, next_action])
        rows = s * self.A + a
        q_rows, row_visits = q.reshape(len(q), -1, 1), arrays["q_visits"].reshape(len(q), -1)
        blend(q_rows, row_visits, rows, target[..., None], StepSize(alpha=config.alpha))
        ended = terminated | truncated
        if ended.any():
            next_action = np.where(ended, choose(q[seed, obs], u[..., 2:], config.epsilon), next_action)
        arrays["obs"][:], arrays["action"][:] = obs, next_action
        arrays["gained"] += reward.mean(axis=1)
        arrays["bonus"] += bonus.mean(axis=1)

    def _bonus(self, arrays: Arrays, s: Ints, arrived: Ints, terminated: Any) -> Floats:
        config, table = self.config, arrays["table"]
        if config.bonus == "none":
            return np.zeros(s.shape)
        learn_states(
            table, arrays["visits"], s, arrived, terminated, gamma=config.gamma_rep,
            lam=1.0 if config.bonus == "sr" else 0.0, step=StepSize(alpha=config.eta),
        )  # fmt: skip
        rows = table[np.arange(len(table))[:, None], s if config.bonus == "sr" else arrived].sum(axis=-1)
        return np.asarray(config.beta / rows if config.bonus == "sr" else config.beta * rows)

    def metrics(self, arrays: Arrays, index: int, steps: int) -> Metrics:
        """``return/total``: rewards of one copy since the run began; ``return/step`` and ``bonus``: means of a step."""
        arrays["total"][index] += arrays["gained"][index]
        metrics = {
            "return/total": float(arrays["total"][index]),
            "return/step": float(arrays["gained"][index]) / steps,
            "bonus": float(arrays["bonus"][index]) / steps,
            "q/max": float(arrays["q"][index].max()),
        }
        arrays["gained"][index] = arrays["bonus"][index] = 0.0
        return metrics


class Sarsa(TabularControl[SarsaConfig]):
    """SARSA with the bonus of ``config``; ``act`` is greedy without the bonus, lowest index on ties."""

    @staticmethod
    def make_rule(ctx: Context, config: SarsaConfig) -> SarsaRule:
        """The only rule there is."""
        return SarsaRule(ctx, config)

    def act(self, obs: Array, *, greedy: bool = True) -> Array:
        """Actions ``int64 [B]`` for states ``[B]``."""
        q = self.arrays["q"][0]
        values = q[states(obs, len(q))]
        if greedy:
            return values.argmax(axis=-1)
        return choose(values, self.ctx.stream("act").random((len(values), 2)), self.config.epsilon)
