"""The interface to an environment and its batches: attribute names only, nothing to inherit from."""

from __future__ import annotations

from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from zoo import UsageError

__all__ = ["Sequences", "Task", "task_of"]


class Sequences(Protocol):
    """B sequences of N labelled exemplars and a query."""

    @property
    def x(self) -> NDArray[np.float32]:
        """Exemplars float32[B,N+1,D], the query last."""

    @property
    def y(self) -> NDArray[np.int64]:
        """Labels int64[B,N+1], the target last."""


class Task(Protocol):
    """An environment of sequences, such as ``icl-exemplars``.

    Attributes:
        context: N.
        input_dim: D.
        num_labels: K.
        evaluation_names: the sets that ``evaluation_batch`` knows.
    """

    context: int
    input_dim: int
    num_labels: int
    evaluation_names: tuple[str, ...]

    def sample_batch(self, size: int, rng: np.random.Generator) -> Sequences:
        """Training sequences."""

    def evaluation_batch(self, name: str, size: int, rng: np.random.Generator) -> Sequences:
        """Sequences of an evaluation set."""


_NAMES = ("context", "input_dim", "num_labels", "evaluation_names", "sample_batch", "evaluation_batch")


def task_of(env: Any) -> Task:
    """The task of a vector environment, or of its first copy.

    Raises:
        UsageError: it does not offer one.
    """
    base = env.unwrapped
    copies = getattr(base, "envs", None)
    candidates = [base, *(copy.unwrapped for copy in copies[:1])] if copies else [base]
    for candidate in candidates:
        if all(hasattr(candidate, name) for name in _NAMES):
            return cast("Task", candidate)
    raise UsageError(
        f"icl-transformer needs an environment that offers batches of sequences (sample_batch), and "
        f"{type(candidates[-1]).__name__} does not: icl-exemplars does."
    )
