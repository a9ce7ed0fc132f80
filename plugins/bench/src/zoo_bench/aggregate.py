"""From the numbers of runs to one line for each set of runs: interquartile mean, interval, number of seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.stats import finite, infinite, interval, iqm
from zoo_bench.load import Record, Records
from zoo_bench.schema import Metric, Reference, Suite

FEW = 5
"""With fewer seeds an estimate is marked."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Interquartile mean of one metric over runs, with its 95 % interval (``zoo.stats``).

    Attributes:
        value: interquartile mean over seeds and environments; infinite where most runs never got there.
        low: lower end; NaN with fewer than three seeds.
        high: upper end.
        seeds: seeds of the environment with the fewest.
    """

    value: float
    low: float
    high: float
    seeds: int

    @property
    def few(self) -> bool:
        """Whether it is from fewer than five seeds."""
        return self.seeds < FEW


@dataclass(frozen=True, kw_only=True)
class Row:
    """One set of runs.

    Attributes:
        group: value of each column that tells the rows apart.
        seeds: seeds of the environment with the fewest.
        estimates: by metric.
        references: published values by metric.
    """

    group: Mapping[str, str]
    seeds: int
    estimates: Mapping[str, Estimate]
    references: Mapping[str, Reference]


def summarise(records: Records, metrics: Sequence[Metric], group_by: Sequence[str], suite: Suite | None) -> list[Row]:
    """One row for each combination of the columns ``group_by`` that occurs, sorted by the first of them, and so on.

    The values of a column come in order of appearance.

    The strata of the bootstrap are the experiments, by key: what a row pools is resampled within each.
    Published values stand where a row is one label on one environment.
    """
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in records.finished:
        groups.setdefault(tuple(record.column(name) for name in group_by), []).append(record)
    appearance = [list(dict.fromkeys(column)) for column in zip(*groups, strict=True)]
    groups = dict(sorted(groups.items(), key=lambda item: [*map(list.index, appearance, item[0])]))
    samples: dict[tuple[tuple[str, ...], str], list[list[float]]] = {}
    for key, found in groups.items():
        for metric in metrics:
            strata: dict[str, list[float]] = {}
            for record in found:
                if metric.name in record.values:
                    strata.setdefault(record.spec.key, []).append(record.values[metric.name])
            if strata:
                samples[key, metric.name] = list(strata.values())
    estimates = dict(zip(samples, estimate_all(samples.values()), strict=True))
    rows = []
    for key, found in groups.items():
        mine = {metric.name: estimates[key, metric.name] for metric in metrics if (key, metric.name) in estimates}
        group = dict(zip(group_by, key, strict=True))
        rows.append(Row(group=group, seeds=_seeds(found), estimates=mine, references=_published(found, suite)))
    return rows


def estimate_all(samples: Iterable[Sequence[Sequence[float]]]) -> list[Estimate]:
    """One estimate for each sample; those with strata of the same sizes are resampled together.

    Args:
        samples: for each estimate its strata, each a list of values; infinity means "never".
    """
    everything = list(samples)
    by_sizes: dict[tuple[int, ...], list[int]] = {}
    for index, strata in enumerate(everything):
        by_sizes.setdefault(tuple(map(len, strata)), []).append(index)
    found: dict[int, Estimate] = {}
    for sizes, indices in by_sizes.items():
        x = np.array([[value for stratum in everything[index] for value in stratum] for index in indices]).T
        rng = np.random.default_rng(list(sizes))  # a row's interval does not depend on what else is in the table
        low, high = interval(x, iqm, rng, strata=sizes)
        for index, *ends in zip(indices, infinite(iqm(finite(x))), low, high, strict=True):
            value, least, most = map(float, ends)
            found[index] = Estimate(value=value, low=least, high=most, seeds=min(sizes))
    return [found[index] for index in range(len(everything))]


def _seeds(found: Sequence[Record]) -> int:
    """Seeds of the experiment with the fewest."""
    return min(Counter(record.spec.key for record in found).values())


def _published(found: Sequence[Record], suite: Suite | None) -> dict[str, Reference]:
    if suite is None or len({(record.label, record.environment) for record in found}) != 1:
        return {}
    of = (found[0].label, found[0].environment)
    return {ref.metric: ref for ref in suite.references if (ref.label, ref.environment) == of}


def long_rows(rows: Sequence[Row], metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    """One mapping for each row and metric: the content of a CSV file or JSON document."""
    found = []
    for row in rows:
        for metric in metrics:
            estimate = row.estimates.get(metric.name)
            if estimate is None:
                continue
            line: dict[str, Any] = {**row.group, "metric": metric.name, "iqm": estimate.value}
            known = not math.isnan(estimate.low)
            line |= {"low": estimate.low if known else None, "high": estimate.high if known else None}
            line["seeds"] = estimate.seeds
            reference = row.references.get(metric.name)
            found.append(line | {"reference": reference.value if reference else None})
    return found
