"""The tasks of an off-policy run: going from one to the next, updating the default policy, counting episodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zoo_rpo.distributions import Distribution

from zoo import Context, State, lookup
from zoo_mdl_c.default_policy import make_default
from zoo_mdl_c.distillation import DefaultLearner
from zoo_mdl_c.offpolicy.config import OffPolicyOptions
from zoo_mdl_c.tasks import TaskSequence

__all__ = ["Course"]

STORE_EVERY = 50
"""with replay, the states of one in this many gradient steps are stored for the default"""
Floats = NDArray[np.float32]


class Course:
    """The sequence of tasks of one run with the present position in it, and the run's default policy.

    Args:
        ctx: context of the run.
        config: the options.
        size: D, the length of an observation.
        outputs: W, the number of parameters of an action distribution.
        family: family of action distributions.
    """

    def __init__(
        self, ctx: Context, config: OffPolicyOptions, size: int, outputs: int, family: type[Distribution]
    ) -> None:
        self._ctx, self._config = ctx, config
        self._sequence = TaskSequence(ctx, config, max(-(-ctx.budget // config.task_steps), 1))
        groups = lookup(ctx.env, "feature_groups") or {}
        rng = ctx.stream("default")
        seed = int(rng.integers(2**31))
        default = make_default(config, size, outputs, family, groups, seed, config.hidden)
        self.default = DefaultLearner(default, family, config, groups, rng)
        self.steps = 0
        """environment steps so far"""
        self.number = 0
        """number of the present task, from 0"""
        self.steps_of_task = 0
        """environment steps on the present task"""
        self._learned = 0
        self._returns: NDArray[np.float64] = np.zeros(ctx.env.num_envs)
        self._ended: list[float] = []

    @property
    def task_is_over(self) -> bool:
        """Whether all steps of the present task have been taken."""
        return not self._sequence.parallel and self.steps_of_task >= self._config.task_steps

    @property
    def _held_out(self) -> bool:
        return not self._sequence.parallel and self.number >= self._sequence.held_out_from

    def reset(self) -> Any:
        """Begin new episodes of the present task; returns their first observations."""
        self._returns[:] = 0.0
        options = None if self._sequence.parallel else {"task": self._sequence[self.number]}
        return self._ctx.env.reset(options=options)[0]

    def count(self, rewards: NDArray[Any], done: NDArray[np.bool_]) -> None:
        """Count one vector step, with rewards [B] and whether each episode ended [B]."""
        self._returns += rewards
        self._ended += self._returns[done].tolist()
        self._returns[done] = 0.0
        self.steps += len(done)
        self.steps_of_task += len(done)

    def observe(self, obs: Floats, parameters: Floats) -> dict[str, float]:
        """Update the default policy from the states [n, D] of a gradient step and the control policy [n, W] there."""
        if self._held_out:
            return {}
        self._learned += 1
        if self._config.default_update == "replay" and self._learned % STORE_EVERY:
            return {}
        return self.default.observe(obs, parameters)

    def end_task(self, policy: Callable[[Floats], Floats]) -> dict[str, float]:
        """End the present task; the next one begins with ``reset``."""
        metrics = {} if self._held_out else self.default.end_task(policy)
        self.number += 1
        self.steps_of_task, self._learned = 0, 0
        self._ended = []
        return metrics

    def report(self) -> dict[str, float]:
        """``task/number``, ``task/index``, ``task/steps``, ``default/...``; where episodes ended ``return/episode``."""
        row = {"task/number": float(self.number), "task/steps": float(self.steps_of_task)}
        if not self._sequence.parallel:
            row["task/index"] = float(self._sequence.position(self._sequence[self.number]))
        if self._ended:
            row["return/episode"] = float(np.mean(self._ended))
        self._ended = []
        return row | self.default.report()

    def state(self) -> State:
        """Counters, returns of running episodes, and the default policy."""
        counters = {name: getattr(self, name) for name in ("steps", "number", "steps_of_task", "_learned")}
        own = {"counters": counters, "returns": self._returns.copy(), "ended": list(self._ended)}
        return {**own, "default": self.default.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        for name, value in state["counters"].items():
            setattr(self, name, int(value))
        self._returns[:] = state["returns"]
        self._ended = [float(value) for value in state["ended"]]
        self.default.load_state(state["default"])
