"""When a default policy learns: online, with every update, or after each task by replaying all tasks so far.

The paper's default learns beside the control policy. Replay (ours, and the preset) stores of each task the states
that its last updates visited with the final policy there, and fits the default to all of them after each task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from zoo_rpo.defaults import DefaultPolicy, Distilled, MaskedInput
from zoo_rpo.distributions import Distribution

from zoo import State
from zoo_mdl_c.config import DefaultOptions
from zoo_mdl_c.default_policy import VariationalDropoutPolicy, load_model

__all__ = ["DefaultLearner"]

RECENT = 4
"""updates of a task whose states may be kept"""
Floats = NDArray[np.float32]


class DefaultLearner:
    """A default policy with stored states and policies of earlier tasks.

    Args:
        default: the default policy.
        family: family of action distributions.
        config: options of its learning.
        groups: groups of the observation's entries, for reports.
        rng: draws minibatches.
    """

    def __init__(
        self,
        default: DefaultPolicy,
        family: type[Distribution],
        config: DefaultOptions,
        groups: Mapping[str, slice],
        rng: np.random.Generator,
    ) -> None:
        self.default, self.groups = default, dict(groups)
        self._family, self._config, self._rng = family, config, rng
        self._recent: list[Floats] = []
        self._obs: list[Floats] = []
        self._targets: list[Floats] = []

    def distribution(self, obs: Floats) -> Distribution:
        """pi_0(. | obs) for observations [n, D]."""
        return self.default.distribution(obs)

    def parameters(self, obs: Floats) -> Floats:
        """Parameters of ``distribution``, float32[n, W]."""
        return np.asarray(self.distribution(obs).parameters, dtype=np.float32)

    def observe(self, obs: Floats, parameters: Floats, steps: int | None = None) -> dict[str, float]:
        """Learn from the states of an update and the control policy there, or store them for replay.

        Args:
            obs: visited observations, [n, D].
            parameters: parameters of the control policy's distributions, [n, W].
            steps: gradient steps; None: those of the options.
        """
        if self._config.default_update == "replay":
            self._recent = [*self._recent[1 - RECENT :], obs]
            return {}
        return self._learn(obs, parameters, self._config.online_steps if steps is None else steps)

    def end_task(self, policy: Callable[[Floats], Floats]) -> dict[str, float]:
        """Called at the end of a task: with replay, fit the default to this and all earlier tasks.

        Args:
            policy: parameters [n, W] of the final control policy for observations [n, D].
        """
        if not self._recent:
            return {}
        seen = np.concatenate(self._recent)
        self._recent = []
        if len(seen) > self._config.replay_states:
            seen = seen[self._rng.choice(len(seen), self._config.replay_states, replace=False)]
        self._obs.append(seen)
        self._targets.append(policy(seen))
        return self._learn(np.concatenate(self._obs), np.concatenate(self._targets), self._config.replay_steps)

    def forget_task(self) -> None:
        """Called at the end of a task from which the default does not learn: discard its states."""
        self._recent = []

    def _learn(self, obs: Floats, parameters: Floats, steps: int) -> dict[str, float]:
        size = min(self._config.default_batch, len(obs))
        metrics: list[Mapping[str, float]] = []
        for _ in range(steps):
            rows = self._rng.integers(0, len(obs), size) if size < len(obs) else slice(None)
            metrics.append(self.default.update(obs[rows], self._family(torch.from_numpy(parameters[rows]))))
        last = metrics[-min(len(metrics), 10) :]
        return {name: float(np.mean([row[name] for row in last])) for name in last[0]} if last else {}

    def report(self) -> dict[str, float]:
        """``default/sparsity``, and ``default/sparsity/<group>`` of the first layer; empty if unpenalised."""
        if not isinstance(self.default, VariationalDropoutPolicy):
            return {}
        report = self.default.prune_report(self.groups) if self.groups else {}
        return {"default/sparsity": self.default.sparsity()} | {
            f"default/sparsity/{name}": group["pruned"] for name, group in report.items()
        }

    def state(self) -> State:
        """The state of the default policy, and the stored states and policies."""
        lists = {"recent": self._recent, "obs": self._obs, "targets": self._targets}
        memory = {name: {str(i): part for i, part in enumerate(parts)} for name, parts in lists.items()}
        return {"default": self.default.state(), "memory": memory}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        default = self.default.default if isinstance(self.default, MaskedInput) else self.default
        if isinstance(default, Distilled):
            load_model(default.model, state["default"])  # type: ignore[arg-type]
        else:
            default.load_state(state["default"])
        memory = {
            name: [np.asarray(parts[str(i)]) for i in range(len(parts))]
            for name in ("recent", "obs", "targets")
            if (parts := state["memory"].get(name, {})) is not None
        }
        self._recent, self._obs, self._targets = memory["recent"], memory["obs"], memory["targets"]
