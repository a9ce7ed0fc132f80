"""The sequences as an environment: one step, in which the action is the query's label."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from zoo_envs_plugin.options.icl import ICLExemplarsConfig

from zoo_envs.icl.batch import SequenceBatch
from zoo_envs.icl.task import ICLTask
from zoo_envs.tabular.lookup import batched_metadata, checked_render_mode, metadata, restored_generator
from zoo_envs.validation import integer

__all__ = ["ICLExemplars", "ICLExemplarsVector"]

EnvClass = TypeVar("EnvClass", bound=type)


def _with_options(cls: EnvClass) -> EnvClass:
    """Show the options as keyword arguments of the constructor to `help` and `inspect`."""
    kept = [p for p in inspect.signature(cls.__init__).parameters.values() if p.kind is not p.VAR_KEYWORD]  # type: ignore[misc]
    named = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default)
        for field in dataclasses.fields(ICLExemplarsConfig)
    ]
    cls.__signature__ = inspect.Signature([*kept[1:], *named])  # type: ignore[attr-defined]
    return cls


class _Sequences:
    """Shared by the single and the batched environment: the task, and the current sequences.

    An observation is float32[N+1,D+K]: in row i the exemplar of slot i and, one-hot, its label; the last row is the
    query, whose label is left out (zeros).

    Attributes:
        task: draws the sequences; batches come from ``sample_batch`` and ``evaluation_batch``.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Build the task.

        Raises:
            ValueError: see `ICLTask`.
            TypeError: there is no such option.
        """
        self.task = ICLTask(ICLExemplarsConfig(**options))
        self.context, self.input_dim, self.num_labels = self.task.context, self.task.input_dim, self.task.num_labels
        self.evaluation_names = self.task.evaluation_names
        self.batch: SequenceBatch | None = None

    def sample_batch(self, size: int, rng: np.random.Generator) -> SequenceBatch:
        """Return `size` training sequences, drawn from `rng`."""
        return self.task.sample_batch(size, rng)

    def evaluation_batch(self, name: str, size: int, rng: np.random.Generator) -> SequenceBatch:
        """Return `size` sequences of the evaluation set `name`; see `ICLTask`.

        Raises:
            ValueError: there is no such set here.
        """
        return self.task.evaluation_batch(name, size, rng)

    def _spaces(self) -> tuple[spaces.Box, spaces.Discrete]:
        shape = (self.context + 1, self.input_dim + self.num_labels)
        return spaces.Box(-np.inf, np.inf, shape=shape, dtype=np.float32), spaces.Discrete(self.num_labels)

    def _current(self) -> SequenceBatch:
        if self.batch is None:
            raise ResetNeeded("call reset() first: the environment has no sequence yet")
        return self.batch

    def _observe(self) -> NDArray[np.float32]:
        batch = self._current()
        onehot = (batch.y[:, :-1, None] == np.arange(self.num_labels)).astype(np.float32)
        labels = np.concatenate([onehot, np.zeros_like(onehot[:, :1])], axis=1)
        return np.concatenate([batch.x, labels], axis=2)

    def _saved(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"rng": rng.bit_generator.state, **dataclasses.asdict(self._current())}

    def _restored(self, state: Mapping[str, Any], size: int) -> SequenceBatch:
        slots = self.context + 1
        expected: dict[str, tuple[tuple[int, ...], type]] = {
            "x": ((size, slots, self.input_dim), np.float32),
            **dict.fromkeys(("y", "classes", "exemplars"), ((size, slots), np.int64)),
            "kinds": ((size, slots), np.int8),
        }
        arrays: dict[str, Any] = {}
        for name, (shape, dtype) in expected.items():
            shape_found = np.shape(state[name]) if name in state else "none"
            if shape_found != shape:
                raise ValueError(f"snapshot entry {name!r} must have shape {shape}, got {shape_found}")
            arrays[name] = np.array(state[name], dtype=dtype)
        return SequenceBatch(**arrays)

    def _lines(self) -> list[str]:
        return [
            " ".join(f"{c}:{y}" for c, y in zip(classes[:-1], labels, strict=False)) + f" {classes[-1]}:?\n"
            for classes, labels in zip(self._current().classes.tolist(), self._current().y.tolist(), strict=True)
        ]


@_with_options
class ICLExemplars(_Sequences, gymnasium.Env[Any, Any]):
    """``zoo/ICLExemplars-v0``, one copy: label a query after a few labelled exemplars.

    Actions: a label. Observations: float32[N+1, D+K], the exemplars with their one-hot labels, the query last and
    without. Rewards: 1 for the right label, else 0. Ends: every episode is one step. Options: see `ICLExemplarsConfig`.
    Optimum: 1, where the context or the weights tell the label. A step's info has "target", the right label.
    """

    metadata = metadata("ansi")

    def __init__(self, *, render_mode: str | None = None, **options: Any) -> None:
        """Make one copy.

        Args:
            render_mode: None or "ansi".
            options: fields of ``ICLExemplarsConfig``.

        Raises:
            ValueError: an option is out of range, or options do not fit together.
        """
        super().__init__(options)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.observation_space, self.action_space = self._spaces()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Draw a sequence."""
        gymnasium.Env.reset(self, seed=seed)
        self.batch = self.task.sample_batch(1, self.np_random)
        return self._observe()[0], {}

    def step(self, action: int | np.integer[Any]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Answer with the label `action`; the observation stays.

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: `action` is not a label.
        """
        target = int(self._current().y[0, -1])
        right = integer("action", action, 0, self.num_labels - 1) == target
        return self._observe()[0], float(right), True, False, {"target": target}

    def render(self) -> Any:
        """Return the sequence as a line "class:label ... class:?" ("ansi"), or None where no mode was chosen."""
        return None if self.render_mode is None else self._lines()[0]

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue: the sequence, and the generator's state.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        return self._saved(self.np_random)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment.
        """
        batch, rng = self._restored(state, 1), restored_generator(state)
        self.batch, self.np_random = batch, rng


@_with_options
class ICLExemplarsVector(_Sequences, VectorEnv[Any, Any, NDArray[Any]]):
    """``zoo/ICLExemplars-v0``, `num_envs` copies, whose sequences are drawn together; see `ICLExemplars`.

    Autoreset mode SAME_STEP: every step ends every episode and returns the next observations; the last ones are in
    ``infos["final_obs"]``, and ``infos["target"]`` int64[n] holds the right labels of the step.
    """

    metadata = batched_metadata("ansi")

    def __init__(self, num_envs: int = 1, *, render_mode: str | None = None, **options: Any) -> None:
        """Make `num_envs` copies; arguments and errors as of `ICLExemplars`."""
        super().__init__(options)
        self.num_envs = integer("num_envs", num_envs, 1)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.single_observation_space, self.single_action_space = self._spaces()
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Draw a sequence for every copy."""
        VectorEnv.reset(self, seed=seed)
        self.batch = self.task.sample_batch(self.num_envs, self.np_random)
        return self._observe(), {}

    def step(
        self, actions: NDArray[np.integer[Any]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Answer every sequence, and draw the next ones.

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: `actions` are not n labels.
        """
        target = self._current().y[:, -1]
        chosen = np.asarray(actions)
        if chosen.shape != target.shape or chosen.dtype.kind not in "iu":
            raise ValueError(f"actions must be {self.num_envs} integers, got {chosen.dtype} of shape {chosen.shape}")
        if chosen.min() < 0 or chosen.max() >= self.num_labels:
            raise ValueError(f"actions must lie in [0, {self.num_labels - 1}], got {chosen.min()} to {chosen.max()}")
        final = np.empty(self.num_envs, dtype=object)
        final[:] = list(self._observe())
        every = np.ones(self.num_envs, dtype=np.bool_)
        infos: dict[str, Any] = {"target": target, "_target": every, "final_obs": final, "_final_obs": every.copy()}
        infos |= {"final_info": {"target": target.copy(), "_target": every.copy()}, "_final_info": every.copy()}
        self.batch = self.task.sample_batch(self.num_envs, self.np_random)
        return self._observe(), (chosen == target).astype(np.float64), every.copy(), ~every, infos

    def render(self) -> tuple[Any, ...] | None:
        """Return every copy rendered as by `ICLExemplars.render`, or None where no mode was chosen."""
        return None if self.render_mode is None else tuple(self._lines())

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue: the sequences, and the generator's state.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        return self._saved(self.np_random)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment with this number of copies.
        """
        batch, rng = self._restored(state, self.num_envs), restored_generator(state)
        self.batch, self.np_random = batch, rng
