"""Samples to be scored, and the interface of a scorer."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Messages", "RewardModel", "Sample"]

Messages: TypeAlias = "tuple[Mapping[str, Any], ...]"
"""a conversation: each message has at least "role" and "content" """
_NO_COLUMNS: Mapping[str, Any] = {}


class Sample(NamedTuple):
    """One finished episode.

    Attributes:
        context: the utterances before, the oldest first.
        text: what the policy wrote.
        reference: the grammar's utterance in its place; empty where prompts are not the grammar's.
        intent: intent of the reference, or empty.
        messages: the prompt, where it is a conversation.
        columns: what else is known of the prompt, by name.
        ids: the tokens that the policy wrote, without the end.
    """

    context: tuple[str, ...]
    text: str
    reference: str
    intent: str
    messages: Messages = ()
    columns: Mapping[str, Any] = _NO_COLUMNS
    ids: tuple[int, ...] = ()

    def asked(self) -> str | list[dict[str, Any]]:
        """Return the prompt: a text, or a list of messages."""
        return [dict(message) for message in self.messages] if self.messages else " ".join(self.context)

    def answered(self) -> str | list[dict[str, Any]]:
        """Return the text; as the assistant's message where the prompt is a conversation."""
        return [{"role": "assistant", "content": self.text}] if self.messages else self.text


class RewardModel(ABC):
    """Scores samples, each by itself: but for rounding, the score of one never depends on what else is in the batch.

    A class is registered by an entry point in the group ``zoo_envs.reward_models``; its name is that of the reward
    model and of its constraint. It is built as ``cls(argument, seed)``: `argument` is what follows a colon after
    the name, or "", and `seed` that of the grammar. An entry point may also name a function, see
    `zoo_envs.text.rewards.functions`.

    Attributes:
        threshold: default threshold of its constraint; None: one must be given.
        range: lowest and highest possible score.
        grammar: whether it compares with what the grammar says, and so cannot score other prompts.
    """

    threshold: ClassVar[float | None] = None
    range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    grammar: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, argument: str, seed: int) -> None:
        """Make ready to score.

        Raises:
            ValueError: `argument` is not understood.
        """

    def prepare(self, device: str, columns: Collection[str]) -> None:
        """Learn, once and before the first score, the torch device to compute on and the names of all `columns`.

        Raises:
            ValueError: a column is missing.
        """
        return

    @abstractmethod
    def score(self, samples: Sequence[Sample]) -> NDArray[np.float64]:
        """Return float64[n] for n samples, n >= 1."""
