"""Pairs of a reference answer and a response, and whether the response is right, where somebody has said so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo_harp.evaluation.jsonl import Line, load, shown

_LABELS = {"right": True, "wrong": False}


@dataclass(frozen=True, slots=True)
class Pair:
    """A gold answer and a response, and the true label: whether the response is right, if that is known."""

    gold: str
    response: str
    label: bool | None = None


def load_pairs(path: Path) -> list[Pair]:
    """The pairs of a file, in its order.

    A line has "gold", "response" and perhaps "correct"; or "gold" and the lists "right" and "wrong" of responses.

    Raises:
        DataError: with file, line and field: a line is neither.
    """
    return [pair for line in load(path, _pairs).items for pair in line]


def _pairs(line: Line) -> tuple[Pair, ...]:
    if line.values.keys() & _LABELS.keys():
        return tuple(_listed(line))
    response = line.need("response")
    if not isinstance(response, str):
        line.fail("response", f"is {shown(response)}: expected a string.")
    return (Pair(line.text("gold"), response, line.flag("correct") if "correct" in line.values else None),)


def _listed(line: Line) -> Iterator[Pair]:
    gold = line.text("gold")
    for field, label in _LABELS.items():
        responses = line.values.get(field, [])
        if not isinstance(responses, list) or not all(isinstance(response, str) for response in responses):
            line.fail(field, f"is {shown(responses)}: expected a list of strings.")
        for response in responses:
            yield Pair(gold, response, label)
