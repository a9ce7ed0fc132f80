"""The subjects of evaluators: a trained learner, a bare model, or an agent that only answers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import Algorithm, EvalContext, InterfaceError, UsageError, stream
from zoo_icl.probes.forward import Answers, Model, run_model
from zoo_icl.sequences import Sequences, Task, task_of

PATTERNS = "blocks.*.attn.pattern"


@dataclass(frozen=True, eq=False)
class JudgedModel:
    """A subject as the evaluators use it.

    Attributes:
        model: returns logits; None: the subject only acts.
        agent: acts on observations, where there is no model.
        clamps: in force during its training.
        pattern_hooks: hook points of its attention patterns, by block; empty: it does not record them.
    """

    model: Model | None
    agent: Algorithm[Any] | None
    clamps: tuple[Any, ...]
    pattern_hooks: tuple[str, ...]

    @classmethod
    def of(cls, subject: Any, batch: Sequences) -> JudgedModel:
        """Find out what ``subject`` offers, with the first sequence of ``batch``.

        Raises:
            InterfaceError: it neither acts nor can be called.
        """
        model = getattr(subject, "model", None) if isinstance(subject, Algorithm) else subject
        if callable(model) and _takes(model, "record"):
            clamps = tuple(getattr(subject, "clamps", ()))
            _, cache = model(batch.x[:1], batch.y[:1], record=PATTERNS)
            return cls(model, None, clamps, tuple(sorted(cache, key=_block_number)))
        if isinstance(subject, Algorithm):
            return cls(None, subject, (), ())
        if callable(model):
            return cls(model, None, (), ())
        raise InterfaceError(
            f"a {type(subject).__name__} is not a subject of this evaluator: expected an algorithm, or a model that is "
            "called with exemplars and labels."
        )

    @property
    def note(self) -> str:
        """What cannot be evaluated, and why; empty if nothing."""
        if self.agent is not None:
            return f"{type(self.agent).__name__} only acts: it is judged by its answers alone, without logits or heads."
        return (
            "" if self.pattern_hooks else f"{type(self.model).__name__} records no patterns: its heads are not judged."
        )

    def circuits(self) -> Model:
        """The model, for measures that need its heads.

        Raises:
            UsageError: it records none.
        """
        if self.model is None or not self.pattern_hooks:
            raise UsageError(
                f"{self.note} Clamping and ablating need a model with heads.", "icl-induction judges any agent."
            )
        return self.model


def task(ctx: EvalContext) -> Task:
    """The sequences of the subject's environment.

    Raises:
        InterfaceError: the context builds no environment.
        UsageError: the environment has no evaluation sets.
    """
    if ctx.make_env is None:
        raise InterfaceError("this evaluator draws sequences: expected a context with make_env.")
    env = ctx.make_env(1)
    try:
        return task_of(env)
    finally:
        env.close()


def draw(of: Task, name: str, size: int, ctx: EvalContext) -> Sequences:
    """``size`` sequences of an evaluation set, the same whatever else is drawn.

    Raises:
        UsageError: the environment has no such set.
    """
    try:
        return of.evaluation_batch(name, size, stream(ctx.seed, f"set {name}"))
    except ValueError as error:
        raise UsageError(f"{error}.") from error


def agent_accuracies(agent: Algorithm[Any], batch: Sequences, num_labels: int, batch_size: int) -> NDArray[np.float64]:
    """1 where the agent's label is right, else 0, ``[B]``; the agent's state is restored."""
    one_hot = (batch.y[:, :-1, None] == np.arange(num_labels)).astype(np.float32)
    observations = np.concatenate([batch.x, np.pad(one_hot, ((0, 0), (0, 1), (0, 0)))], axis=2)
    state, steps = agent.state(), agent.env_steps
    try:
        parts = range(0, len(batch.y), batch_size)
        labels = np.concatenate([np.asarray(agent.act(observations[i : i + batch_size])) for i in parts])
    finally:
        agent.load_state(state)
        agent.env_steps = steps
    return np.asarray(labels == batch.y[:, -1], dtype=np.float64)


def run_judged(judged: JudgedModel, batch: Sequences, batch_size: int, *, record: Sequence[str] = ()) -> Answers:
    """The answers of a subject with a model, under the clamps that it was trained with."""
    if judged.model is None:
        raise InterfaceError(judged.note)
    return run_model(judged.model, batch, record=record, clamps=judged.clamps, batch_size=batch_size)


def set_label(name: str) -> str:
    """A set's name in scores: "train" becomes "seen", because the learner logs its model loss as "train/loss"."""
    return "seen" if name == "train" else name


def _takes(function: Any, argument: str) -> bool:
    try:
        return argument in inspect.signature(getattr(function, "forward", function)).parameters
    except (TypeError, ValueError):
        return False


def _block_number(hook: str) -> int:
    return int(hook.split(".")[1])
