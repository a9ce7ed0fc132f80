"""Whether tuned options are better than the preset, on seeds that neither was tuned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo import UsageError
from zoo.stats import combined_interval, mean, spread
from zoo.training import Stop
from zoo_tune.evaluate import Outcome, Trainer


@dataclass(frozen=True)
class Verdict:
    """What fresh seeds say.

    Attributes:
        answer: "better", "not better", "worse" or "incomplete".
        sentence: the same with its numbers.
        preset: the metric of the preset for each seed.
        tuned: that of the tuned options.
        difference: of the means, tuned minus preset.
        low: end of its 95 % interval.
        high: the other end.
    """

    answer: str
    sentence: str
    preset: list[float]
    tuned: list[float]
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return dict(vars(self))


def judge(
    trainer: Trainer, options: Mapping[str, Any], seeds: Sequence[int], *, maximise: bool, tolerance: float
) -> tuple[Verdict | None, Stop]:
    """Train the preset and the tuned options on ``seeds``, and compare the means of the metric.

    Returns:
        The verdict, and the ``Stop``: where a signal ended it, there is no verdict, and the same call goes on.

    Raises:
        UsageError: fewer seeds than an interval needs.
    """
    if len(seeds) < 3:
        raise UsageError(f"{len(seeds)} seeds to judge on show no spread: expected at least 3.")
    if trainer.spec(options).key == trainer.spec({}).key:
        return Verdict("not better", "not better than the preset: the best trial is the preset itself", [], []), Stop()
    outcomes = []
    for chosen in ({}, options):
        stop = Stop()
        with stop.listening():
            outcomes.append(trainer.run(chosen, seeds, stop, lambda index, value: False))
        if stop.signal:
            return None, stop
    return _compare(*outcomes, maximise=maximise, tolerance=tolerance), Stop()


def _compare(preset: Outcome, tuned: Outcome, *, maximise: bool, tolerance: float) -> Verdict:
    n = len(tuned.values)
    for name, outcome in (("the preset", preset), ("the tuned options", tuned)):
        if outcome.failed:
            sentence = f"incomplete: {name} failed on a fresh seed: {outcome.failed}"
            return Verdict("incomplete", sentence, preset.values, tuned.values)
    both = [np.array(tuned.values), np.array(preset.values)]
    found = spread(both, (1.0, -1.0), np.random.default_rng(0), statistic=mean)
    low, high = combined_interval([found])
    numbers = (
        f"{np.mean(both[0]):.5g} against {np.mean(both[1]):.5g} on {n} fresh seeds, "
        f"difference {found.centre:+.4g}, 95 % interval [{low:.4g}, {high:.4g}]"
    )
    kept, kept_before = tuned.violation <= tolerance, preset.violation <= tolerance
    gained, lost = (low > 0, high < 0) if maximise else (high < 0, low > 0)
    if kept and kept_before:
        answer = "better" if gained else "worse" if lost else "not better"
    else:  # what breaks a constraint is worth nothing, however much it earns
        answer = "better" if kept else "worse" if kept_before else "not better"
        numbers += f"; largest violation {tuned.violation:.2%} of a threshold against {preset.violation:.2%}"
    sentence = f"{answer} than the preset: {numbers}"
    ends = [None if np.isnan(end) else float(end) for end in (low, high)]
    return Verdict(answer, sentence, preset.values, tuned.values, float(found.centre), *ends)
