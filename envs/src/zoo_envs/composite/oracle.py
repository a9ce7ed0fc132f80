"""Exact answers about TinyComposite, by enumeration of its 390,625 sequences.

With d = E[r] - (.5, .5), the true utility of a policy is (docs/methods/composite-rm.md, equation 7)
U = 1 - 2 (d1^2 + d2^2 + 1.2 d1 d2) - 0.05 KL(pi || pi0); without the product d1 d2 this truth is separable. Of a single
sequence, with d = r - (.5, .5), the term without the KL is its quality.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo_envs.composite.prefixes import LENGTH, NUM_PREFIXES, NUM_SEQUENCES, VOCABULARY, prefixes
from zoo_envs.validation import real

__all__ = ["Exact", "Floats", "Policy", "TinyOracle", "quality", "tiny_oracle", "utility"]

Floats: TypeAlias = NDArray[np.float64]
Policy: TypeAlias = "Callable[[NDArray[np.float32]], ArrayLike] | ArrayLike"
"""logits [2311,5] of the next token after each of `TinyOracle.observations`, or a function from these to those"""

_KL_WEIGHT = 0.05
_CROSS = 1.2
_LEVELS = LENGTH + 1  # r1 and r2 are multiples of 1/8
_TOLERANCE = 1e-12
_MAX_TILT = 64.0
_ROUNDS, _POINTS = 8, 65


@dataclass(frozen=True)
class Exact:
    """Exact expectations of one policy.

    Attributes:
        r1: E r1, in [0, 1].
        r2: E r2, in [0, 1].
        kl: KL(pi || pi0) of whole sequences, in nats.
        quality: E of the quality of a sequence, at most 1.
    """

    r1: float
    r2: float
    kl: float
    quality: float

    @property
    def U(self) -> float:
        """The true utility of the policy, at most 1."""
        return float(utility(self.r1, self.r2, self.kl))


def utility(r1: ArrayLike, r2: ArrayLike, kl: ArrayLike, *, separable: bool = False) -> Floats:
    """Return U of expectations E r1, E r2 and KL (nats), of any shapes that broadcast."""
    d1, d2 = np.asarray(r1) - 0.5, np.asarray(r2) - 0.5
    cross = 0.0 if separable else _CROSS
    U: Floats = 1 - 2 * (d1**2 + d2**2 + cross * d1 * d2) - _KL_WEIGHT * np.asarray(kl)
    return U


def quality(r1: ArrayLike, r2: ArrayLike) -> Floats:
    """Return the quality of single sequences with the scores r1 and r2, of any shapes that broadcast."""
    return utility(r1, r2, 0.0)


class TinyOracle:
    """Expectations of policies, and the policies that are optimal for some trade-off of rewards and KL.

    Those are pi0 exp(mu.r) / Z(mu). Of them only the law of (r1, r2) under pi0 matters, 9 by 9 numbers, so that a
    multiplier is found in less than a millisecond. Call `tiny_oracle`, which caches it; it holds 11 MB, and takes as
    much again while it evaluates.

    Args:
        independent: whether r1 and r2 are independent under the reference (and so under all of these policies).

    Attributes:
        observations: float32 [2311,19], every observation before the last token, each once, ordered by position.
        log_pi0: float64 [390625], log-probability of each sequence under the reference.
        r: float64 [2,390625], r1 and r2 of each sequence.
    """

    def __init__(self, *, independent: bool = False) -> None:
        table = prefixes(independent=independent)
        self._kind = table.kind
        self.observations = table.observations[: table.num_unfinished]
        self.log_pi0 = self.log_prob(table.reference[: table.num_unfinished])
        self.r = np.ascontiguousarray(table.scores[table.kind[NUM_PREFIXES:]].T)
        self._quality = quality(*self.r)
        for array in (self.log_pi0, self.r):
            array.flags.writeable = False
        cell = (self.r * LENGTH).astype(np.int64)
        law = np.bincount(cell[0] * _LEVELS + cell[1], np.exp(self.log_pi0), _LEVELS**2)
        self._log_law = np.log(law / law.sum())  # every one of the 81 pairs (r1, r2) is possible
        self._values = np.indices((_LEVELS, _LEVELS)).reshape(2, -1).T / LENGTH  # [81,2]

    @cached_property
    def sequences(self) -> NDArray[np.int8]:
        """All sequences int8 [390625,8], in lexicographic order; 3 MB more, built at first use."""
        sequences = np.ascontiguousarray(np.indices((VOCABULARY,) * LENGTH, dtype=np.int8).reshape(LENGTH, -1).T)
        sequences.flags.writeable = False
        return sequences

    def evaluate(self, policy: Policy) -> Exact:
        """Return the expectations of `policy`, logits or a function that is called once to get them.

        Raises:
            ValueError: the logits are not [2311,5], or are NaN, infinite, or -inf for all tokens of a row.
        """
        return self.expect(self.log_prob(policy))

    def log_prob(self, policy: Policy) -> Floats:
        """Return the log-probability float64 [390625] of each sequence under `policy`; errors as of `evaluate`."""
        table = _log_softmax(np.asarray(policy(self.observations) if callable(policy) else policy), self.observations)
        total, first = np.zeros(1), 0
        for _ in range(LENGTH):
            kind = self._kind[first : first + total.size]
            first += total.size
            total = (table.take(kind, axis=0) + total[:, None]).ravel()
        return total

    def expect(self, log_prob: Floats) -> Exact:
        """Return the expectations of any law on the sequences, such as of a policy that remembers all tokens.

        Args:
            log_prob: float64 [390625], in the order of `sequences`; -inf where impossible.

        Raises:
            ValueError: the shape is wrong, or the probabilities do not sum to 1.
        """
        log_prob = np.asarray(log_prob, dtype=np.float64)
        if log_prob.shape != (NUM_SEQUENCES,):
            raise ValueError(f"log_prob must have shape ({NUM_SEQUENCES},), got {log_prob.shape}")
        p = np.exp(log_prob)
        mass = float(p.sum())
        if not abs(mass - 1) < 1e-6:
            raise ValueError(f"log_prob must be of probabilities that sum to 1, their sum is {mass:.9g}")
        ratio = log_prob - self.log_pi0
        ratio[p == 0] = 0.0  # 0 log 0 = 0
        r1, r2 = self.r @ p
        return Exact(float(r1), float(r2), float(ratio @ p), float(self._quality @ p))

    def tilted(self, mu: Sequence[float] | Floats) -> Exact:
        """Return the expectations of pi0 exp(mu.r) / Z(mu); `mu` are two finite numbers of any sign.

        Raises:
            ValueError: `mu` are not two finite numbers.
        """
        mu = _pair("mu", mu)
        log_Z, p = self._tilt(mu)
        mean = p @ self._values
        return Exact(float(mean[0]), float(mean[1]), float(mu @ mean - log_Z), float(p @ quality(*self._values.T)))

    def project(self, theta: Sequence[float] | Floats) -> tuple[Floats, Exact]:
        """Return the policy nearest to pi0 (least KL) with E r = `theta`, as its multipliers mu float64[2] and values.

        It minimises the convex dual log Z(mu) - mu.theta.

        Raises:
            ValueError: an entry of `theta` does not lie strictly between 0 and 1: no finite mu attains it.
        """
        theta = _pair("theta", theta)
        if not ((theta > 0) & (theta < 1)).all():
            raise ValueError(
                f"theta must lie strictly between 0 and 1, what finite multipliers attain, got {theta.tolist()}"
            )
        mu = self._minimise(theta, np.zeros((2, 2)))
        return mu, self.tilted(mu)

    def joint_proxy_point(self, *, separable: bool = False) -> tuple[Floats, Exact]:
        """Return mu float64[2] and the values of the policy with the largest U of all.

        U is concave in E r along the I-projections, with the derivative ``C (.5 - E r) - .05 mu`` for its curvature C:
        the same dual as in `project`, for theta = .5 and with the term ``mu' (.05 C^-1) mu / 2``.
        """
        product = 0.0 if separable else 2 * _CROSS
        curvature = np.array([[4.0, product], [product, 4.0]])  # -U's second derivative by E r, without its KL term
        mu = self._minimise(np.full(2, 0.5), _KL_WEIGHT * np.linalg.inv(curvature))
        return mu, self.tilted(mu)

    def proxy_point(self, direction: Sequence[float] | Floats, *, separable: bool = False) -> tuple[Floats, Exact]:
        """Return mu float64[2] and the values of the best pi0 exp(x direction.r) / Z over x in [0, 64].

        With (1, 0) and (0, 1) these are the individual proxy points: what optimising one reward model passes
        through at its best.

        Raises:
            ValueError: `direction` are not two finite numbers, one of them positive and none larger than 1 in size.
        """
        direction = _pair("direction", direction)
        if not 0 < direction.max() <= 1 or direction.min() < -1:
            raise ValueError(f"direction must lie in [-1, 1] with a positive entry, got {direction.tolist()}")
        low, high = 0.0, _MAX_TILT
        for _ in range(_ROUNDS):
            x = np.linspace(low, high, _POINTS)
            mu = x[:, None] * direction
            log_Z, p = self._tilt(mu)
            mean = p @ self._values
            worth = utility(mean[:, 0], mean[:, 1], (mu * mean).sum(1) - log_Z, separable=separable)
            best = int(np.argmax(worth))
            low, high = x[max(best - 1, 0)], x[min(best + 1, _POINTS - 1)]
        return mu[best], self.tilted(mu[best])

    def _tilt(self, mu: Floats) -> tuple[Any, Floats]:
        """Return log Z [...] and the law [...,81] of (r1, r2) under pi0 exp(mu.r) / Z, for `mu` [...,2]."""
        logits = self._log_law + mu @ self._values.T
        top = logits.max(-1, keepdims=True)
        weights = np.exp(logits - top)
        Z = weights.sum(-1, keepdims=True)
        return (top + np.log(Z))[..., 0], weights / Z

    def _minimise(self, theta: Floats, A: Floats) -> Floats:
        """Return the minimiser [2] of the convex log Z(mu) - mu.theta + mu' A mu / 2, by damped Newton steps.

        Raises:
            ValueError: it is so large that double precision does not find it.
        """

        def objective(mu: Floats) -> float:
            return float(self._tilt(mu)[0] - mu @ theta + mu @ A @ mu / 2)

        mu = np.zeros(2)
        for _ in range(200):
            p = self._tilt(mu)[1]
            mean = p @ self._values
            gradient = mean - theta + A @ mu
            if np.abs(gradient).max() <= _TOLERANCE:
                return mu
            centred = self._values - mean
            step = np.linalg.solve((centred.T * p) @ centred + A, gradient)
            step_size, value, gain = 1.0, objective(mu), float(gradient @ step)
            # Near the minimum the gain is below the rounding of the objective: full steps are right there.
            while step_size > 1e-9 and objective(mu - step_size * step) > value - 1e-4 * step_size * gain + 1e-14:
                step_size /= 2
            mu = mu - step_size * step
        raise ValueError(f"no multipliers were found for theta = {theta.tolist()}: it is too close to 0 or 1")


@cache
def tiny_oracle(*, independent: bool = False) -> TinyOracle:
    """Return the oracle, built at the first call and cached; see `TinyOracle`."""
    return TinyOracle(independent=independent)


def _pair(name: str, values: Sequence[float] | Floats) -> Floats:
    if np.shape(values) != (2,):
        raise ValueError(f"{name} must be two numbers, for r1 and r2, got {values!r}")
    return np.array([real(f"{name}[{i}]", value, -np.inf) for i, value in enumerate(values)])


def _log_softmax(logits: NDArray[Any], observations: NDArray[np.float32]) -> Floats:
    """Return log-probabilities of checked `logits`, float64 with a row for each of `observations`."""
    expected = (len(observations), VOCABULARY)
    if logits.shape != expected or logits.dtype.kind not in "fiu":
        raise ValueError(f"logits must be numbers of shape {expected}, got {logits.dtype} of shape {logits.shape}")
    logits = logits.astype(np.float64)
    top = logits.max(-1, keepdims=True)
    if not np.isfinite(top).all():
        bad = int(np.flatnonzero(~np.isfinite(top))[0])
        raise ValueError(f"logits of observation {bad} must be finite, or -inf for some tokens, got {logits[bad]}")
    shifted = logits - top
    normalised: Floats = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return normalised
