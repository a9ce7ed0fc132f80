"""One number from one run: named functions of a logged series, which plugins may extend."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import Run, Series, UnknownNameError, UsageError
from zoo.discovery import TARGET, Registry, blaming
from zoo.terminal import brief
from zoo_bench.schema import Metric

Floats = NDArray[np.float64]


Function = Callable[..., float | None]
"""Called as ``function(run, of, **options)`` with the name of what was logged, or scored, and the options in the
suite; None if the run cannot tell."""


def series_of(run: Run, of: str) -> Series:
    """The logged metric ``of``, or the score "evaluator.score" as a series of one point; empty if there is none."""
    found = run.series(of)
    evaluator, dot, score = of.partition(".")
    if found.values or not dot:
        return found
    value = run.evaluations.get(evaluator, {}).get("scores", {}).get(score)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return found
    step = run.evaluations[evaluator].get("step", run.step)
    return Series([float(step)], [float("nan")], [float(value)])


Ends = tuple[float, float]
"""Lower and upper end of an interval."""
UNBOUNDED: Ends = (float("nan"), float("nan"))
"""of a number that was sampled, where nobody says how far it may be off"""
_OF_EVALUATION = "eval/"
"""begins the names of what training logs of its own evaluation episodes"""


def sampled_ends(run: Run, metric: Metric) -> Ends | None:
    """The 95 % interval that the number of one run has by itself, since an evaluator drew what it is made of.

    Returns:
        None where nothing was drawn but what training draws; ``UNBOUNDED`` where there is no interval.
    """
    if metric.of in last_values(run):
        return UNBOUNDED if metric.of.startswith(_OF_EVALUATION) else None
    evaluator, _, score = metric.of.partition(".")
    report = run.evaluations.get(evaluator, {})
    if score not in report.get("scores", {}):
        return None
    sampled = report.get("sampled")
    if not isinstance(sampled, Mapping):  # made before evaluators said so
        return UNBOUNDED
    if score not in sampled:
        return None
    ends = sampled[score]
    if metric.function != "last" or not (isinstance(ends, list) and len(ends) == 2):
        return UNBOUNDED
    return float(ends[0]), float(ends[1])


def last_values(run: Run) -> Mapping[str, float]:
    """Last value of each metric; of a finished run from its status, so that no log need be read."""
    stored = run.status.get("metrics")
    return stored if run.state == "finished" and isinstance(stored, dict) and stored else run.last


def _last(run: Run, of: str, /) -> float | None:
    """The final value; that of a finished run is in its status, so that long series are not read for it."""
    if run.state == "finished":
        found = run.status.get("metrics")
        value = found.get(of) if isinstance(found, dict) else None
        if isinstance(value, (int, float)):
            return float(value)
    values = series_of(run, of).values
    return values[-1] if values else None


def _lifted(function: Callable[..., float | None]) -> Function:
    """A function of steps and values, both ``[n]`` with n >= 1, as one of a run."""

    def lifted(run: Run, of: str, /, **options: float) -> float | None:
        series = series_of(run, of)
        if not series.values:
            return None
        return function(np.asarray(series.steps), np.asarray(series.values), **options)

    lifted.__doc__ = function.__doc__
    return lifted


def _second_half(steps: Floats, values: Floats) -> Floats:
    return np.asarray(values[steps >= 0.5 * steps[-1]])


def minimum(steps: Floats, values: Floats) -> float:
    """Smallest value."""
    return float(values.min())


def maximum(steps: Floats, values: Floats) -> float:
    """Largest value."""
    return float(values.max())


def mean(steps: Floats, values: Floats) -> float:
    """Mean over the logged points."""
    return float(values.mean())


def auc(steps: Floats, values: Floats) -> float:
    """Area under the curve by the trapezoidal rule, per step: the mean height between first and last point."""
    width = float(steps[-1] - steps[0])
    return float(np.trapezoid(values, steps)) / width if width > 0.0 else float(values.mean())


def area_ratio(steps: Floats, values: Floats, *, best: float, floor: float = 0.0) -> float:
    """Area between the curve and ``floor`` as a fraction of that between ``best`` and ``floor``."""
    if best == floor:
        raise ValueError(f"best and floor are both {best}: expected them to differ")
    return (auc(steps, values) - floor) / (best - floor)


def last_half_max(steps: Floats, values: Floats) -> float:
    """Largest value in the second half of the steps."""
    return float(_second_half(steps, values).max())


def last_half_mean(steps: Floats, values: Floats) -> float:
    """Mean of the points in the second half of the steps."""
    return float(_second_half(steps, values).mean())


def last_half_range(steps: Floats, values: Floats) -> float:
    """Oscillation: largest minus smallest value in the second half of the steps."""
    return float(np.ptp(_second_half(steps, values)))


def last_half_std(steps: Floats, values: Floats) -> float:
    """Standard deviation (over n) of the points in the second half of the steps."""
    return float(_second_half(steps, values).std())


def final_mean(steps: Floats, values: Floats, *, points: float = 10) -> float:
    """Mean of the last ``points`` logged points."""
    if points < 1 or points != int(points):
        raise ValueError(f"points is {points}: expected a whole number, 1 or more")
    return float(values[-int(points) :].mean())


def at_step(steps: Floats, values: Floats, *, step: float) -> float | None:
    """The value logged last at or before ``step``; None if nothing was logged so early."""
    until = values[steps <= step]
    return float(until[-1]) if until.size else None


def max_until(steps: Floats, values: Floats, *, step: float) -> float | None:
    """Largest value logged at or before ``step``; None if nothing was logged so early."""
    until = values[steps <= step]
    return float(until.max()) if until.size else None


def steps_to_below(steps: Floats, values: Floats, *, level: float) -> float | None:
    """Steps until the value is at or below ``level`` for the first time; None if it never is."""
    reached = np.flatnonzero(values <= level)
    return float(steps[reached[0]]) if reached.size else None


def steps_to_above(steps: Floats, values: Floats, *, level: float) -> float | None:
    """Steps until the value is at or above ``level`` for the first time; None if it never is."""
    reached = np.flatnonzero(values >= level)
    return float(steps[reached[0]]) if reached.size else None


def steps_to_stay_below(steps: Floats, values: Floats, *, level: float) -> float | None:
    """Steps from which on every logged value is at or below ``level``; None if the last one is not."""
    return _settled(steps, values <= level)


def steps_to_stay_above(steps: Floats, values: Floats, *, level: float) -> float | None:
    """Steps from which on every logged value is at or above ``level``; None if the last one is not."""
    return _settled(steps, values >= level)


def _settled(steps: Floats, reached: NDArray[np.bool_]) -> float | None:
    if not reached[-1]:
        return None
    outside = np.flatnonzero(~reached)
    return float(steps[outside[-1] + 1 if outside.size else 0])


FUNCTIONS: Mapping[str, Function] = {
    "last": _last,
    "min": _lifted(minimum),
    "max": _lifted(maximum),
    "mean": _lifted(mean),
    "auc": _lifted(auc),
    "area_ratio": _lifted(area_ratio),
    "last_half_max": _lifted(last_half_max),
    "last_half_mean": _lifted(last_half_mean),
    "last_half_range": _lifted(last_half_range),
    "last_half_std": _lifted(last_half_std),
    "final_mean": _lifted(final_mean),
    "at_step": _lifted(at_step),
    "max_until": _lifted(max_until),
    "steps_to_below": _lifted(steps_to_below),
    "steps_to_above": _lifted(steps_to_above),
    "steps_to_stay_below": _lifted(steps_to_stay_below),
    "steps_to_stay_above": _lifted(steps_to_stay_above),
}
"""The functions of the core, by the name that suites use."""


def functions(registry: Registry | None = None) -> dict[str, Function]:
    """All functions, with those that plugins add through the hook ``zoo_derived``; imported at the first call.

    A plugin whose hook fails is left out and named. A name of the core cannot be replaced, and one that two plugins
    offer is refused where it is used.
    """
    found: dict[str, Function] = dict(FUNCTIONS)
    if registry is None:
        return found
    for plugin, value in registry.answers("zoo_derived", _WHAT):
        try:
            offered = [_Imported(plugin, name, target) for name, target in _checked(value).items()]
        except (TypeError, ValueError) as error:
            registry.leave_out(plugin, _WHAT, error)
            continue
        for function in offered:
            if function.name in FUNCTIONS:
                taken = ValueError(f"{function.name!r} is a function of zoo, expected another name")
                registry.leave_out(plugin, _WHAT, taken)
            else:
                other = found.get(function.name)
                found[function.name] = function if other is None else _Ambiguous(function, other)
    return found


_WHAT = "functions of metrics"


def _checked(offered: Any) -> dict[str, str]:
    """What a plugin answered to ``zoo_derived``: names to targets."""
    if not isinstance(offered, Mapping):
        raise TypeError(f"expected a mapping of names to 'module:function', got {offered!r:.80}")
    for name, target in offered.items():
        if not (isinstance(name, str) and isinstance(target, str) and TARGET.fullmatch(target)):
            raise ValueError(f"function {name!r} has the target {target!r:.80}: expected 'module:function'")
    return dict(offered)


class _Ambiguous:
    """A name that several plugins offer."""

    def __init__(self, function: _Imported, other: Any) -> None:
        self.name = function.name
        self.plugins: list[str] = sorted({*function.plugins, *other.plugins})

    def __call__(self, run: Run, of: str, /, **options: float) -> float | None:
        raise UsageError(
            f"{len(self.plugins)} plugins offer the function of metrics {self.name!r}: {', '.join(self.plugins)}.",
            "ZOO_PLUGINS chooses which plugins are loaded.",
        )


class _Imported:
    """A plugin's function, imported when it is first called."""

    def __init__(self, plugin: str, name: str, target: str) -> None:
        self.name = name
        self.plugins = [plugin]
        self._owner = f"function {name!r} of plugin {plugin}"
        self.target = target
        self._function: Callable[..., float | None] | None = None

    def __call__(self, run: Run, of: str, /, **options: float) -> float | None:
        with blaming(f"{self._owner} ({self.target})"):
            if self._function is None:
                module, _, attribute = self.target.partition(":")
                self._function = getattr(importlib.import_module(module), attribute)
            value = self._function(run, of, **options)
            return None if value is None else float(value)


def derive(run: Run, metric: Metric, known: Mapping[str, Function] = FUNCTIONS) -> float | None:
    """The metric of one run; None if the run did not log what it is made of, or never reached it.

    Args:
        run: any run; whether it is whole is for the caller to decide.
        metric: what to compute.
        known: the functions, as from ``functions``.

    Raises:
        UsageError: there is no such function, or it refuses its options.
        PluginError: a plugin's function failed.
    """
    if metric.function not in known:
        raise UnknownNameError("function of metrics", metric.function, known)
    try:
        value = known[metric.function](run, metric.of, **metric.options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"metric {metric.name!r}: {metric.function} refuses its options: {brief(error)}.") from error
    return value if value is not None and np.isfinite(value) else None
