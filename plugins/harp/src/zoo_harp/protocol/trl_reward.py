"""The checker as a reward for TRL's trainers: ``GRPOTrainer(reward_funcs=[harp_reward], ...)``; imports no TRL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo import UsageError

Completion = str | Sequence[Mapping[str, Any]]


def harp_reward(
    completions: Sequence[Completion], answer: Sequence[str] | None = None, **columns: Any
) -> list[float | None]:
    """1.0 for each right completion, 0.0 for a wrong one; None where the row has no answer, which TRL leaves out.

    Args:
        completions: texts, or conversations whose last message counts.
        answer: reference answers, the dataset's column of that name, one for each completion.
        columns: other columns that the trainer passes; ignored.

    Raises:
        UsageError: the dataset has no column "answer".
    """
    from zoo_harp import check

    if answer is None:
        raise UsageError(f"harp_reward needs the column 'answer': the dataset has {', '.join(columns) or 'none'}.")
    return [
        None if gold is None else float(check(gold, _text(completion)).correct)
        for completion, gold in zip(completions, answer, strict=True)
    ]


def _text(completion: Completion) -> str:
    if isinstance(completion, str):
        return completion
    content = completion[-1].get("content") if completion else None
    return content if isinstance(content, str) else ""
