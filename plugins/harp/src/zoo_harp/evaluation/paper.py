"""The paper's tables 3 to 10 as data (``paper.toml``), to print beside our own figures."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from zoo import UnknownNameError

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One published number.

    Attributes:
        table: its number in the paper.
        model: the model that was asked.
        run: how the model was asked, as ``Run.name``.
        both: whether only problems of both splits are counted.
        group: "all", "L1" to "L6", a subject, or "MATH" (another benchmark).
        metric: "accuracy", "unfinished", "pass@8", "maj@8".
        value: in percent.
        n: number of problems.
    """

    table: int
    model: str
    run: str
    both: bool
    group: str
    metric: str
    value: float
    n: int


@cache
def figures() -> tuple[Figure, ...]:
    """Every figure of the tables."""
    text = resources.files("zoo_harp").joinpath("evaluation/paper.toml").read_text(encoding="utf-8")
    tables: Mapping[str, Mapping[str, Any]] = tomllib.loads(text)
    return tuple(
        _figure(int(number), table, name, group, value)
        for number, table in tables.items()
        for name, values in table["rows"].items()
        for group, value in zip(table["columns"], values, strict=False)  # shuffles are only given over all levels
    )


def _figure(number: int, table: Mapping[str, Any], name: str, group: str, value: float) -> Figure:
    """A figure; a row stands for a model, a run or a k, whichever is not fixed for the whole table."""
    per_k = table["metric"] in ("pass", "maj")
    return Figure(
        table=number,
        model=table.get("model", name),
        run=table.get("run", name),
        both=table.get("both", False),
        group=group,
        metric=f"{table['metric']}@{name}" if per_k else table["metric"],
        value=value,
        n=table["n"],
    )


def titles() -> dict[int, str]:
    """Number of each table and what it shows."""
    text = resources.files("zoo_harp").joinpath("evaluation/paper.toml").read_text(encoding="utf-8")
    return {int(number): table["title"] for number, table in tomllib.loads(text).items()}


def models(names: Sequence[str]) -> list[str]:
    """The models called ``names``, case ignored; all of them for "all".

    Raises:
        UnknownNameError: the paper has no such model; names the nearest.
    """
    known = {figure.model.lower(): figure.model for figure in figures()}
    chosen: list[str] = []
    for name in names:
        if name.lower() == ALL:
            return list(known.values())
        if name.lower() not in known:
            raise UnknownNameError("model in the paper", name, known.values(), "--paper all shows every one.")
        chosen.append(known[name.lower()])
    return list(dict.fromkeys(chosen))


def published_figures(run: str, group: str, *, both: bool, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Published figures for one row of our tables: by metric and model, in percent."""
    published: dict[str, dict[str, float]] = {}
    for figure in figures():
        if figure.model in names and (figure.run, figure.group, figure.both) == (run, group, both):
            published.setdefault(figure.metric, {})[figure.model] = figure.value
    return published
