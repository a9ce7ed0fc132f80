"""Transformations g of a state space: what a wrapper does to observations, and how it is undone.

``named`` makes the ones that have names. Coordinates are those of the observation; "the first two" are its entries 0
and 1. In two dimensions the nine affine ones are (row, column) -> A (row, column) + b with

==========  ==================  ============
name        A                   b
==========  ==================  ============
identity    [1 0; 0 1]          (0, 0)
rot90       [0 -1; 1 0]         (0, 0)
rot180      [-1 0; 0 -1]        (0, 0)
reflection  [-1 0; 0 1]         (0, 0)
swap        [0 1; 1 0]          (0, 0)
shift       [1 0; 0 1]          (0.5, -0.3)
scale       [2 0; 0 0.5]        (0, 0)
shear       [1 0.8; 0 1]        (0, 0)
affine      Q1 diag(s) Q2       b ~ N(0, 0.3^2)
==========  ==================  ============

where Q1 and Q2 are uniform orthogonal matrices and the factors s log-uniform in [1/2, 2], drawn from a seed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from zoo_envs_plugin.options.transformed import TransformName

from zoo_envs.validation import integer

__all__ = ["Affine", "Transformation", "Warp", "named"]

Floats = NDArray[np.float64]
_AMPLITUDE, _FREQUENCY = 0.4, 2.0
"""amplitude and angular frequency of the smooth warp"""


@dataclass(frozen=True, eq=False)
class Transformation:
    """A map of points of R^d to points of R^d.

    Attributes:
        name: what it is called.
        d: number of coordinates, at least 1.
    """

    name: str
    d: int

    def forward(self, x: ArrayLike) -> Floats:
        """Return g(x), float64 [..., d]; each row by itself, whatever else is in ``x``."""
        raise NotImplementedError

    def inverse(self, y: ArrayLike) -> Floats:
        """Return the x with g(x) = y, float64 [..., d]; where there are many or none, the nearest in least squares."""
        raise NotImplementedError

    @property
    def invertible(self) -> bool:
        """Whether ``inverse`` undoes ``forward`` everywhere."""
        return True

    @property
    def affine(self) -> tuple[Floats, Floats] | None:
        """The matrix [d, d] and shift [d], or None where it is not affine."""
        return None


@dataclass(frozen=True, eq=False)
class Affine(Transformation):
    """x -> A x + b. A need not be invertible; ``inverse`` is then by the pseudo-inverse, and ``invertible`` says so.

    Attributes:
        A: float64 [d, d], finite.
        b: float64 [d], finite.
    """

    A: Floats
    b: Floats

    @classmethod
    def of(cls, A: ArrayLike, b: ArrayLike | None = None, name: str = "affine") -> Affine:
        """Return the map with these coefficients; without ``b`` it keeps the origin.

        Raises:
            ValueError: a shape does not fit, or a number is not finite.
        """
        matrix = np.array(A, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"A must be a square matrix, got shape {list(matrix.shape)}")
        d = len(matrix)
        shift = np.zeros(d) if b is None else np.array(b, dtype=np.float64)
        if shift.shape != (d,):
            raise ValueError(f"b must have shape [{d}], got {list(shift.shape)}")
        if not (np.isfinite(matrix).all() and np.isfinite(shift).all()):
            raise ValueError("A and b must be finite")
        return cls(name, d, matrix, shift)

    def forward(self, x: ArrayLike) -> Floats:
        """Return A x + b."""
        return _times(np.asarray(x, dtype=np.float64), self.A) + self.b

    def inverse(self, y: ArrayLike) -> Floats:
        """Return A^+ (y - b)."""
        return _times(np.asarray(y, dtype=np.float64) - self.b, np.asarray(np.linalg.pinv(self.A), dtype=np.float64))

    @property
    def invertible(self) -> bool:
        """Whether A has full rank."""
        return int(np.linalg.matrix_rank(self.A)) == self.d

    @property
    def affine(self) -> tuple[Floats, Floats]:
        """A and b."""
        return self.A, self.b


@dataclass(frozen=True, eq=False)
class Warp(Transformation):
    """A smooth bijection: x_i += 0.4 sin(2 x_{i-1}) for i = 0, 1, ..., d-1 in turn, the last before the first.

    Each of these additions is undone exactly by a subtraction, in the opposite order.
    """

    def forward(self, x: ArrayLike) -> Floats:
        """Return g(x)."""
        y = np.array(x, dtype=np.float64)
        for i in range(self.d):
            y[..., i] += _AMPLITUDE * np.sin(_FREQUENCY * y[..., i - 1])
        return y

    def inverse(self, y: ArrayLike) -> Floats:
        """Return the x with g(x) = y."""
        x = np.array(y, dtype=np.float64)
        for i in reversed(range(self.d)):
            x[..., i] -= _AMPLITUDE * np.sin(_FREQUENCY * x[..., i - 1])
        return x


def named(name: TransformName, d: int, seed: int = 0) -> Transformation:
    """Return the transformation called ``name`` of R^d.

    Args:
        name: see the table above; "permutation" exchanges all coordinates at random, "warp" is nonlinear.
        d: number of coordinates.
        seed: which "affine" map or "permutation", at least 0.

    Raises:
        ValueError: there is no such name, or it needs two coordinates and there is one.
    """
    known = get_args(TransformName)
    if name not in known:
        near = difflib.get_close_matches(str(name), known, 1)
        raise ValueError(
            f"transform must be one of {', '.join(known)}, got {name!r}" + "".join(f": did you mean {n}?" for n in near)
        )
    if d < 2 and name in _PAIRS | {"warp"}:
        raise ValueError(f"the transformation {name!r} needs two coordinates, and the observation has {d}")
    rng = np.random.default_rng(integer("transform_seed", seed, 0))
    if name == "warp":
        return Warp(name, d)
    make = _MATRICES.get(name)
    A = np.eye(d) if make is None else make(d, rng)
    b = np.zeros(d)
    if name == "shift":
        b = np.resize([0.5, -0.3], d)
    elif name == "affine":
        b = 0.3 * rng.standard_normal(d)
    return Affine.of(A, b, name)


def _first_two(block: ArrayLike) -> Callable[[int, np.random.Generator], Floats]:
    def make(d: int, rng: np.random.Generator) -> Floats:
        A = np.eye(d)
        A[:2, :2] = block
        return A

    return make


def _random(d: int, rng: np.random.Generator) -> Floats:
    factors = 2.0 ** rng.uniform(-1.0, 1.0, d)
    return _orthogonal(d, rng) * factors @ _orthogonal(d, rng)


def _orthogonal(d: int, rng: np.random.Generator) -> Floats:
    """Return a uniform orthogonal matrix (Mezzadri 2007, "How to generate random matrices", section 5)."""
    Q, R = np.linalg.qr(rng.standard_normal((d, d)))
    return np.asarray(Q * np.sign(np.diag(R)))


def _times(x: Floats, A: Floats) -> Floats:
    """Return A x for each row: column by column, so that a row's bits do not depend on how many rows there are."""
    y = np.zeros(x.shape)
    for j in range(A.shape[1]):
        y += x[..., j : j + 1] * A[:, j]
    return y


_PAIRS = {"rot90", "rot180", "swap", "shear"}
_MATRICES: dict[str, Callable[[int, np.random.Generator], Floats]] = {
    "rot90": _first_two([[0.0, -1.0], [1.0, 0.0]]),
    "rot180": _first_two([[-1.0, 0.0], [0.0, -1.0]]),
    "reflection": lambda d, rng: np.diag([-1.0, *np.ones(d - 1)]),
    "swap": _first_two([[0.0, 1.0], [1.0, 0.0]]),
    "scale": lambda d, rng: np.diag(np.resize([2.0, 0.5], d)),
    "shear": _first_two([[1.0, 0.8], [0.0, 1.0]]),
    "affine": _random,
    "permutation": lambda d, rng: np.eye(d)[rng.permutation(d)],
}
