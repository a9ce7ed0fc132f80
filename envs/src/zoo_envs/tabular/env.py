"""One copy of an environment that is sampled from the exact arrays of a CMDP.

Both forms follow the constrained-environment interface: a five-tuple step, ``info["constraints"]`` float32[N]
at every step and never at reset, ``info["cost"]`` as an alias where there is exactly one constraint and its
sense is "<=". Where the model has no terminal state they are continuing: `terminated` is always False,
`truncated` comes after `max_episode_steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from zoo_envs.reward_rules import RewardRule
from zoo_envs.tabular.constraints import ConstraintSpec
from zoo_envs.tabular.lookup import TabularCore, checked_render_mode, metadata, restored_generator, snapshot_entry
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.rendering import StateView
from zoo_envs.tabular.transitions import Outcomes
from zoo_envs.validation import integer

__all__ = ["SampledEnv", "TabularEnv"]

Observation: TypeAlias = "int | NDArray[np.float32]"
_ONE_COPY = np.ones(1, dtype=np.bool_)


class SampledEnv(gymnasium.Env[Any, Any]):
    """One copy of a sampled model. Observation `Discrete(S)` (or a row of a table), action `Discrete(A)`.

    Each reset and each step draws exactly one uniform from `np_random`, and a step then those of its reward rule.
    `terminated` comes with a terminal state of the model or by the rule, `truncated` after `max_episode_steps`
    otherwise.
    """

    metadata = metadata("ansi")

    def __init__(
        self,
        model: TabularModel,
        *,
        max_episode_steps: int | None = 200,
        render_mode: str | None = None,
        observations: NDArray[np.float32] | None = None,
        view: StateView | None = None,
        outcomes: Outcomes | None = None,
        rule: RewardRule | None = None,
    ) -> None:
        """Sample `model`.

        Args:
            model: the exact arrays.
            max_episode_steps: steps until truncation, at least 1; None: never. A `max_episode_steps` given to
                `gymnasium.make` is gymnasium's own wrapper around this one, and can only shorten.
            render_mode: None or one of ``metadata["render_modes"]``.
            observations: float32 [S, ...], shown instead of the state's index.
            view: renders states; by default as numbers.
            outcomes: the events behind `model`, where rewards belong to them.
            rule: rewards that depend on the episode so far.

        Raises:
            ValueError: an argument is outside its range.
        """
        self._core = TabularCore(model, max_episode_steps, observations, view, outcomes)
        self._rule = None if rule is None else rule.prepared(1)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.observation_space = self._core.observation_space
        self.action_space = self._core.action_space
        self._state: int | None = None
        self._elapsed = 0

    def model(self) -> TabularModel:
        """Return the exact arrays that are sampled."""
        return self._core.model

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw a first state from rho; `seed` starts the random stream anew."""
        super().reset(seed=seed)
        self._state = self._core.start.draw(0, self.np_random.random())
        self._elapsed = 0
        if self._rule is not None:
            self._rule.begin(_ONE_COPY, np.array([self._state]))
        return self._observe(self._state), self._rule_info()

    def step(self, action: int | np.integer[Any]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Take one transition.

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: `action` is not an integer in [0, A-1].
        """
        core, row = self._core, self._current() * self._core.A
        row += integer("action", action, 0, core.A - 1)
        outcome = core.successor.index(row, self.np_random.random())
        self._state = state = core.successor.succ.item(outcome)
        self._elapsed += 1
        reward = core.r.item(row) if core.pay is None else core.pay.item(outcome)
        terminated = core.terminal is not None and core.terminal.item(state)
        if self._rule is not None:
            extra, ended = self._rule.arrive(np.array([state]), self._draw)
            reward += extra.item()
            terminated |= ended.item()
        truncated = not terminated and self._elapsed >= core.limit
        return self._observe(state), reward, terminated, truncated, self._signals(row) | self._rule_info()

    def render(self) -> Any:
        """Return the state as str ("ansi"), uint8 [H,W,3] ("rgb_array"), or None where no mode was chosen."""
        marked = [] if self._rule is None else self._rule.marked(0)
        return self._core.show(self.render_mode, self._current(), marked)

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue bit for bit: {"state", "elapsed", "rng"} and what the rule remembers.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        snapshot = {"state": self._current(), "elapsed": self._elapsed, "rng": self.np_random.bit_generator.state}
        memory = {} if self._rule is None else self._rule.memory
        return snapshot | {name: array[0].copy() if array.ndim > 1 else array.item() for name, array in memory.items()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment.
        """
        index = snapshot_entry(state, "state", (), self._core.model.num_states)
        elapsed = snapshot_entry(state, "elapsed", ())
        layout = {} if self._rule is None else self._rule.layout()
        memory = {name: snapshot_entry(state, name, tail, below) for name, (tail, below) in layout.items()}
        self.np_random = restored_generator(state)
        self._state, self._elapsed = index.item(), elapsed.item()
        if self._rule is not None:
            for name, array in memory.items():
                self._rule.memory[name][0] = array

    def _current(self) -> int:
        if self._state is None:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        return self._state

    def _observe(self, state: int) -> Observation:
        table = self._core.observations
        # A copy: the caller owns what is returned to it.
        return state if table is None else table[state].copy()

    def _signals(self, row: int) -> dict[str, Any]:
        """Return the entries of the info for the transition of `row` s*A + a."""
        return {}

    def _rule_info(self) -> dict[str, Any]:
        return {} if self._rule is None else {key: value[0] for key, value in self._rule.info().items()}

    def _draw(self, where: NDArray[np.bool_]) -> NDArray[np.float64]:
        return self.np_random.random(int(where.sum()))


class TabularEnv(SampledEnv):
    """`SampledEnv` with constraint signals."""

    @property
    def constraint_spec(self) -> ConstraintSpec:
        """Names, thresholds and senses of the N constraints."""
        return self._core.spec

    def _signals(self, row: int) -> dict[str, Any]:
        constraints = self._core.c[row].copy()
        signals: dict[str, Any] = {"constraints": constraints}
        if self._core.has_cost:
            signals["cost"] = constraints.item(0)
        return signals
