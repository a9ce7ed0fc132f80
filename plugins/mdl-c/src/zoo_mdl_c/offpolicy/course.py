"""What both off-policy forms do alike: posing one task after another, teaching the default, counting episodes."""

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

EVERY = 50
"""replay: the states of each such gradient step are kept for the default"""
Floats = NDArray[np.float32]


class Course:
    """A run's way through its tasks.

    Args:
        ctx: of the run.
        config: the options.
        size: D, of an observation.
        outputs: W, parameters of an action distribution.
        family: of action distributions.
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
        """of the task at hand"""
        self.steps_of_task = 0
        """environment steps of the task at hand"""
        self._learned = 0
        self._returns: NDArray[np.float64] = np.zeros(ctx.env.num_envs)
        self._ended: list[float] = []

    @property
    def task_is_over(self) -> bool:
        """Whether the task at hand has had its steps."""
        return not self._sequence.parallel and self.steps_of_task >= self._config.task_steps

    @property
    def _held_out(self) -> bool:
        return not self._sequence.parallel and self.number >= self._sequence.held_out_from

    def reset(self) -> Any:
        """Fresh episodes of the task at hand; the first observations."""
        self._returns[:] = 0.0
        options = None if self._sequence.parallel else {"task": self._sequence[self.number]}
        return self._ctx.env.reset(options=options)[0]

    def count(self, rewards: NDArray[Any], done: NDArray[np.bool_]) -> None:
        """Count one vector step."""
        self._returns += rewards
        self._ended += self._returns[done].tolist()
        self._returns[done] = 0.0
        self.steps += len(done)
        self.steps_of_task += len(done)

    def observe(self, obs: Floats, parameters: Floats) -> dict[str, float]:
        """The states of a gradient step, and the control policy there."""
        if self._held_out:
            return {}
        self._learned += 1
        if self._config.default_update == "replay" and self._learned % EVERY:
            return {}
        return self.default.observe(obs, parameters)

    def end_task(self, policy: Callable[[Floats], Floats]) -> dict[str, float]:
        """The task at hand is over; the next one begins with ``reset``."""
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
        """Counters, returns of running episodes, and the default."""
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
