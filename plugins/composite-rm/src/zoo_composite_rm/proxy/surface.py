"""A smooth surface through noisy evaluations, and the region where measurements are dense enough to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from zoo import UsageError

Floats = NDArray[np.float64]

MAX_DEGREE = 6
"""The paper's 10 has 66 terms for two reward models: too many for paths of a few dozen points."""
_CELLS = 10_000
"""approximate number of grid cells"""
_PENALTIES = np.logspace(-8, 2, 41)


class Surface:
    """A polynomial of a total degree, of N scores, by ridge regression.

    Scores and terms are standardised, and the constant is not penalised. Of the penalties 1e-8 to 1e2 (per point) the
    one with the least leave-one-out error is used.

    Args:
        scores: of n points, [n, N].
        evaluation: of each, [n].
        degree: between 1 and 6.
    """

    def __init__(self, scores: Floats, evaluation: Floats, degree: int) -> None:
        self._powers = _powers(scores.shape[1], degree)
        self._mean, self._scale = scores.mean(axis=0), scores.std(axis=0)
        terms = self._terms(scores)
        self._term_mean, self._term_scale = terms.mean(axis=0), terms.std(axis=0)
        self._level = float(evaluation.mean())
        centred, n = evaluation - self._level, len(evaluation)
        U, s, Vt = np.linalg.svd((terms - self._term_mean) / self._term_scale, full_matrices=False)
        shrink = s**2 / (s**2 + n * _PENALTIES[:, None])  # [penalties, terms]
        fitted = (shrink * (U.T @ centred)) @ U.T
        leverage = shrink @ (U**2).T + 1.0 / n
        errors = (((centred - fitted) / (1.0 - leverage)) ** 2).mean(axis=1)
        chosen = int(np.argmin(errors))
        self._weights: Floats = Vt.T @ (shrink[chosen] / s * (U.T @ centred))
        self.residual_rms = float(np.sqrt(((centred - fitted[chosen]) ** 2).mean()))
        """root mean square of the residuals at the points"""

    def __call__(self, scores: Floats) -> Floats:
        """The surface at scores [n, N], [n]."""
        terms = (self._terms(scores) - self._term_mean) / self._term_scale
        return np.asarray(self._level + terms @ self._weights)

    def _terms(self, scores: Floats) -> Floats:
        standard = (scores - self._mean) / self._scale
        return np.asarray(np.prod(standard[:, None, :] ** self._powers, axis=2))


@dataclass(frozen=True, eq=False, kw_only=True)
class Landscape:
    """A surface over a grid, and its maximum where the density of points suffices.

    Attributes:
        names: of the N scores.
        axes: the grid's values of each score, N arrays of G numbers, over the measured range.
        values: the surface, N axes of G.
        mask: where the density is at least ``min_density``, N axes of G.
        best: scores at the maximum, [N].
        evaluation: the surface there.
        on_edge: whether the maximum lies at the edge of the mask: better evaluations may lie outside.
        surface: the surface itself.
    """

    names: tuple[str, ...]
    axes: tuple[Floats, ...]
    values: Floats
    mask: NDArray[np.bool_]
    best: Floats
    evaluation: float
    on_edge: bool
    surface: Surface

    @classmethod
    def of(
        cls, names: tuple[str, ...], scores: Floats, evaluation: Floats, *, degree: int, min_density: float
    ) -> Landscape:
        """Fit the surface and find its maximum.

        Args:
            names: of the scores, N.
            scores: of n points, [n, N].
            evaluation: of each, [n].
            degree: of the polynomial, between 1 and 6.
            min_density: of the Gaussian kernel estimate (Scott's bandwidth), 1 being the density of points that are
                spread evenly over the box of all scores seen.

        Raises:
            UsageError: there are too few points, a score never changes, the points lie on a line, or no place is
                dense enough.
        """
        from scipy.stats import gaussian_kde

        n, N = scores.shape
        terms = len(_powers(N, degree)) + 1
        if n <= terms:
            raise UsageError(
                f"{n} points are too few for a surface of degree {degree}: expected more than its {terms} terms; "
                "record more of them, or lower the degree."
            )
        low, high = scores.min(axis=0), scores.max(axis=0)
        for name, least, most in zip(names, low, high, strict=True):
            if not most - least > 1e-9 * max(abs(least), abs(most)):
                raise UsageError(f"the score of {name!r} is {least:g} everywhere: expected runs that change it.")
        per_axis = max(round(_CELLS ** (1.0 / N)), 3) if N > 1 else 1001
        axes = tuple(np.linspace(a, b, per_axis) for a, b in zip(low, high, strict=True))
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        shape, flat = grid.shape[:-1], grid.reshape(-1, N)
        if N > 1 and np.linalg.eigvalsh(np.corrcoef(scores.T))[0] < 1e-9:
            raise UsageError(f"the scores of {' and '.join(names)} lie on a line: expected runs that move them apart.")
        kernel = gaussian_kde(((scores - low) / (high - low)).T)
        density = kernel(((flat - low) / (high - low)).T).reshape(shape)
        mask = density >= min_density
        if not mask.any():
            raise UsageError(
                f"min_density = {min_density:g}: no place is as dense as that; the densest has {density.max():.3g}."
            )
        surface = Surface(scores, evaluation, degree)
        values = surface(flat).reshape(shape)
        index = np.unravel_index(int(np.argmax(np.where(mask, values, -np.inf))), shape)
        return cls(
            names=names,
            axes=axes,
            values=values,
            mask=mask,
            best=grid[index],
            evaluation=float(values[index]),
            on_edge=_on_edge(mask, index),
            surface=surface,
        )


def _on_edge(mask: NDArray[np.bool_], index: tuple[np.intp, ...]) -> bool:
    """Whether a neighbour along an axis is outside the grid or not in the mask."""
    padded = np.pad(mask, 1)
    here = np.array(index) + 1
    steps = np.concatenate([np.eye(mask.ndim, dtype=np.int64), -np.eye(mask.ndim, dtype=np.int64)])
    return not all(padded[tuple(here + step)] for step in steps)


def _powers(N: int, degree: int) -> NDArray[np.int64]:
    """Exponents of all terms but the constant, [terms, N]."""
    return np.array([power for power in product(range(degree + 1), repeat=N) if 0 < sum(power) <= degree])
