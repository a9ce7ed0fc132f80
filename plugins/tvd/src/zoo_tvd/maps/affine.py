"""f(o) = W o + c, in closed form; and with W orthogonal, by Procrustes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from zoo_tvd.maps.base import Differentiable, Fit, Regression

Floats = NDArray[np.float64]
RIDGE = 1e-6
"""ridge of a singular regression, in units of the observations' spread"""
_SINGULAR = 1e-9
"""singular values below this share of the largest count as 0"""


@dataclass(frozen=True, eq=False)
class Affine(Differentiable):
    """f(o) = W o + c.

    Attributes:
        W: float64 [d_S, d_T].
        c: float64 [d_S].
    """

    W: Floats
    c: Floats
    kind: ClassVar[str] = "affine"

    @classmethod
    def identity(cls, d: int) -> Self:
        """f(o) = o."""
        return cls(np.eye(d), np.zeros(d))

    def __call__(self, o: Floats) -> Floats:
        """W o + c."""
        return np.asarray(o @ self.W.T + self.c)

    def fitted(self, to: Regression) -> tuple[Self, Fit]:
        """Weighted least squares of t_i on rows [L o_i, L 1].

        Where the observations lie in a subspace, W is not determined; a ridge of 1e-6 selects a small one.
        """
        L = to.cost.L
        d_T, d_S = to.observations.shape[2], to.targets.shape[2]
        centre = to.weights @ to.observations.mean(axis=1)
        away = to.observations - centre
        spread = float(np.sqrt((to.weights @ np.square(away).mean(axis=1)).mean())) or 1.0
        x = to.cost.combined(away / spread)  # [n, B, d_T]
        ones = np.broadcast_to(L.sum(axis=1)[:, None], (len(x), len(L), 1))
        root = np.sqrt(to.weights)[:, None, None]
        X = (root * np.concatenate([x, ones], axis=2)).reshape(-1, d_T + 1)
        Y = (root * (to.targets * to.cost.unit)).reshape(-1, d_S)
        Q, R = np.linalg.qr(X)  # R has the singular values of X, and is small
        U, sigma, V = np.linalg.svd(R, full_matrices=False)
        size = np.linalg.norm(X, axis=0)  # columns are normalised: the rank must not depend on units
        scaled = np.linalg.svd(R / np.where(size > _SINGULAR**2 * size.max(), size, np.inf), compute_uv=False)
        rank = int((scaled > _SINGULAR * scaled[0]).sum())
        if rank == d_T + 1:
            inverse = 1.0 / sigma
            solution = V.T @ (inverse[:, None] * (U.T @ (Q.T @ Y)))  # [d_T + 1, d_S]
        else:  # the ridge is on W alone: the shift is always determined
            ridge = np.sqrt(RIDGE) * np.eye(d_T, d_T + 1)
            solution = np.linalg.lstsq(np.vstack([R, ridge]), np.vstack([Q.T @ Y, np.zeros((d_T, d_S))]), rcond=None)[0]
        W = solution[:-1].T / spread
        return type(self)(W, solution[-1] - W @ centre), Fit(rank, d_T + 1)

    @property
    def parameters(self) -> Floats:
        """The entries of W by rows, then c: [p]."""
        return np.concatenate([self.W.ravel(), self.c])

    def moved(self, parameters: Floats) -> Self:
        """An affine map with other W and c."""
        return type(self)(parameters[: self.W.size].reshape(self.W.shape), parameters[self.W.size :])

    def pulled_back(self, o: Floats, g: Floats) -> Floats:
        """The entries of g^T o, then the sum of g: [p]."""
        return np.concatenate([(g.T @ o).ravel(), g.sum(axis=0)])

    def state(self) -> dict[str, Any]:
        """W and c."""
        return {"W": self.W, "c": self.c}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """From W and c."""
        return cls(np.array(state["W"], dtype=np.float64), np.array(state["c"], dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Orthogonal(Affine):
    """f(o) = R o + c with R orthogonal, reflections included (Schoenemann 1966, orthogonal Procrustes)."""

    kind: ClassVar[str] = "orthogonal"

    def fitted(self, to: Regression) -> tuple[Self, Fit]:
        """R = U V^T of the singular value decomposition of sum_i u_i t_i (L o_i)^T, after subtracting the means."""
        ones = to.cost.L.sum(axis=1)  # [B]
        x = to.cost.combined(to.observations)
        t = to.targets * to.cost.unit
        weight = float(ones @ ones)
        x_mean, t_mean = (np.einsum("n,b,nbd->d", to.weights, ones, part) / weight for part in (x, t))
        x, t = x - ones[:, None] * x_mean, t - ones[:, None] * t_mean
        U, sigma, V = np.linalg.svd(np.einsum("n,nbk,nbl->kl", to.weights, t, x))
        R = U @ V
        return type(self)(R, t_mean - R @ x_mean), Fit(int((sigma > _SINGULAR * sigma[0]).sum()), len(R))
