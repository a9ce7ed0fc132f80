"""Proxy points (arXiv:2310.04373, section 3): the scores beyond which a reward model stops being a good proxy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from zoo import UsageError
from zoo_composite_rm.proxy.surface import MAX_DEGREE, Floats, Landscape, Surface

DEGREE, MIN_DENSITY = 3, 0.3


@dataclass(frozen=True, eq=False, kw_only=True)
class ProxyPoints:
    """The proxy points of N reward models, as found from runs.

    Attributes:
        names: of the reward models.
        own: for each reward model that a run maximised alone, the curve of the evaluation over its score along that
            run; its maximum is the individual proxy point.
        own_scores: all scores [N] at each of these maxima.
        joint: the surface over all scores, from all runs; its maximum is the joint proxy point.
        paths: the measurements behind it, by label: scores and evaluation [n, N + 1].
    """

    names: tuple[str, ...]
    own: Mapping[str, Landscape]
    own_scores: Mapping[str, Floats]
    joint: Landscape
    paths: Mapping[str, Floats]

    @property
    def warnings(self) -> list[str]:
        """A sentence for each maximum at the edge of the measurements, and each reward model without its own run."""
        sentences = [
            f"no run follows {name} alone: its individual proxy point is not known."
            for name in self.names
            if name not in self.own
        ]
        sentences += [
            f"the individual proxy point of {name} lies at the end of its run: train for longer, or more slowly."
            for name, curve in self.own.items()
            if curve.on_edge
        ]
        if self.joint.on_edge:
            sentences.append(
                "the joint proxy point lies at the edge of where runs were: add runs beyond it, such as of a weighted "
                "sum of the reward models."
            )
        return sentences

    def rows(self) -> list[dict[str, Any]]:
        """A row for each point: what it is, its scores, the evaluation, the residual's RMS and whether at an edge."""
        curves = [(f"{name} alone", self.own_scores[name], curve) for name, curve in self.own.items()]
        return [
            {
                "point": label,
                **dict(zip(self.names, np.asarray(scores).tolist(), strict=True)),
                "evaluation": landscape.evaluation,
                "residual_rms": landscape.surface.residual_rms,
                "on_edge": landscape.on_edge,
            }
            for label, scores, landscape in [*curves, ("joint", self.joint.best, self.joint)]
        ]


def find_proxy_points(
    runs: Mapping[str, ArrayLike],
    names: Sequence[str],
    *,
    degree: int = DEGREE,
    min_density: float = MIN_DENSITY,
) -> ProxyPoints:
    """Individual and joint proxy points.

    A maximum is taken from a smooth curve or surface through the evaluations, not from the best of them, which is as
    noisy as they are: of 60 rollouts of tiny-composite the best point misses by up to .05, the curve by .02.

    Args:
        runs: label to what was recorded along a run, [n, N + 1]: a row for each measurement, the scores of the N
            reward models in the order of ``names`` and then the evaluation. A label that is a reward model's name
            marks the run as following that one alone; the others add to the surface only. To find a joint point at
            least one of them should pass between, such as one that follows the sum.
        names: of the reward models, at least two.
        degree: of the polynomials in standardised scores, between 1 and 6.
        min_density: where to look: places with at least this density of measurements, 1 being the density of points
            spread evenly over the box of all scores seen. (The paper's 50 is a density per unit of its own scores.)

    Raises:
        UsageError: there are fewer than two reward models, no runs, wrong shapes, numbers that are not finite, too
            few points, or an option is outside its range.
    """
    names = tuple(names)
    if len(names) < 2:
        raise UsageError(f"{len(names)} reward model: expected at least two, a joint point is of several.")
    if not 1 <= degree <= MAX_DEGREE:
        raise UsageError(f"degree = {degree}: expected a whole number between 1 and {MAX_DEGREE}.")
    if not (math.isfinite(min_density) and min_density >= 0):
        raise UsageError(f"min_density = {min_density}: expected a finite number of at least 0.")
    paths = {label: _checked(label, path, len(names)) for label, path in runs.items()}
    if not paths:
        raise UsageError("there are no runs: expected one for each reward model, and one for their sum.")
    own: dict[str, Landscape] = {}
    own_scores: dict[str, Floats] = {}
    for i, name in enumerate(names):
        if name not in paths:
            continue
        path = paths[name]
        own[name] = Landscape.of((name,), path[:, i : i + 1], path[:, -1], degree=degree, min_density=min_density)
        others = [Surface(path[:, i : i + 1], path[:, j], degree)(own[name].best[None])[0] for j in range(len(names))]
        own_scores[name] = np.array([own[name].best[0] if j == i else other for j, other in enumerate(others)])
    every = np.concatenate(list(paths.values()))
    joint = Landscape.of(names, every[:, :-1], every[:, -1], degree=degree, min_density=min_density)
    return ProxyPoints(names=names, own=own, own_scores=own_scores, joint=joint, paths=paths)


def _checked(label: str, path: ArrayLike, N: int) -> Floats:
    array = np.asarray(path, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != N + 1:
        raise UsageError(
            f"run {label!r} has the shape {array.shape}: expected [n, {N + 1}], {N} scores and the evaluation."
        )
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise UsageError(f"run {label!r}, point {bad[0]}: {array[bad[0]].tolist()}, expected finite numbers.")
    return array
