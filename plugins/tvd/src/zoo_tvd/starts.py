"""Initial maps of the alternation, which converges to a local optimum only.

Beside the identity: whitened orthogonal maps, which match mean and covariance and leave a rotation to chance; the
Gromov-Wasserstein plan, which compares distances within each side and so needs no common coordinates; and, for one-hot
states, an assignment by what the actions do around each state.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from zoo_tvd.cost import Cost
from zoo_tvd.maps.affine import Affine
from zoo_tvd.maps.base import Regression
from zoo_tvd.maps.permutation import Permutation
from zoo_tvd.samples import Samples
from zoo_tvd.transport.pot import pot
from zoo_tvd.transport.solvers import squared_distances

Floats = NDArray[np.float64]
POINTS = 150
"""most samples of target and of source that the Gromov-Wasserstein plan uses"""
_FEATURES = 1024


def root(covariance: Floats, power: float) -> Floats:
    """A symmetric power of a covariance matrix; directions of variance 0 keep variance 0."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > 1e-12 * max(values.max(), 0.0)
    powers = np.where(kept, np.where(kept, values, 1.0) ** power, 0.0)
    return np.asarray(vectors * powers @ vectors.T)


def whitened(target: Samples, source: Samples, Q: Floats) -> Affine:
    """f(o) = S^(1/2) Q T^(-1/2) (o - mean) + mean, which gives the target's states the source's mean and covariance.

    Args:
        target: states with mean and covariance T.
        source: states with mean and covariance S.
        Q: orthogonal [d, d].
    """
    (mean, T), (to, S) = target.moments(), source.moments()
    W = root(S, 0.5) @ Q @ root(T, -0.5)
    return Affine(W, to - W @ mean)


def orthogonal(d: int, rng: np.random.Generator) -> Floats:
    """A uniform orthogonal matrix, reflections included."""
    Q, R = np.linalg.qr(rng.standard_normal((d, d)))
    return np.asarray(Q * np.sign(np.diag(R)))


def gromov(target: Samples, source: Samples, rng: np.random.Generator, tries: int = 4) -> Affine:
    """The affine map onto the barycentres of a fused Gromov-Wasserstein plan (Vayer et al. 2019, arXiv:1805.09114).

    Distances within the target are compared with distances within the source, and actions with actions, so that the
    two may have different dimensions. The plan is the best of those from a few random initial couplings.
    """
    few, others = (_some(samples.singles(), rng) for samples in (target, source))
    C1, C2 = (_distances(samples.states[:, 0]) for samples in (few, others))
    if few.actions is None or others.actions is None:
        M = np.zeros((len(few), len(others)))
    else:
        a, b = few.actions.reshape(len(few), -1), others.actions.reshape(len(others), -1)
        M = np.asarray((a[:, None] != b).any(axis=-1), dtype=np.float64)
    p, q = few.weights, others.weights
    best, least = np.outer(p, q), np.inf
    for attempt in range(tries):
        # Sinkhorn's scaling makes a coupling, with marginals p and q, of random positive entries.
        G0 = np.outer(p, q) * (rng.random((len(p), len(q))) + 0.1 if attempt else 1.0)
        for _ in range(50):
            G0 *= (p / G0.sum(1))[:, None]
            G0 *= q / G0.sum(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plan, log = pot().gromov.fused_gromov_wasserstein(
                M, C1, C2, p, q, alpha=0.5, G0=G0, symmetric=True, log=True, max_iter=200
            )
        if float(log["fgw_dist"]) < least:
            best, least = np.asarray(plan), float(log["fgw_dist"])
    cost = Cost("state", np.eye(1), np.ones(source.d))
    targets = (best @ others.states[:, 0] / best.sum(1)[:, None])[:, None]
    to = Regression(few.states, targets, few.weights, cost)
    return Affine(np.zeros((source.d, target.d)), np.zeros(source.d)).fitted(to)[0]


def _some(samples: Samples, rng: np.random.Generator) -> Samples:
    merged = samples.merged()
    if len(merged) <= POINTS:
        return merged
    chosen = np.sort(rng.choice(len(merged), POINTS, replace=False, p=merged.weights))
    actions = None if merged.actions is None else merged.actions[chosen]
    return Samples(merged.states[chosen], actions, np.full(POINTS, 1.0 / POINTS))


def _distances(x: Floats) -> Floats:
    found = np.sqrt(squared_distances(x, x))
    np.fill_diagonal(found, 0.0)
    return found / (found.mean() or 1.0)


def by_dynamics(target: Samples, source: Samples) -> Permutation:
    """The assignment of one-hot states by signatures: the probability that an action stays, here and in successors.

    A signature is phi_0(s) = P_a(s | s) for each action a, then phi_{h+1}(s) = E[phi_h(s') | s, a] for each a: the
    colours of Weisfeiler & Leman, averaged. Renaming the states renames the signatures, and changes nothing in them.
    """
    if any(samples.actions is None or samples.states.shape[1] != 2 for samples in (target, source)):
        raise ValueError("signatures of states need transitions with actions")
    known = np.unique(np.concatenate([np.ravel(samples.actions[:, 0]) for samples in (target, source)]))  # type: ignore[index]
    mine, theirs = (_signatures(samples, known) for samples in (target, source))
    rows, columns = linear_sum_assignment(squared_distances(theirs, mine))
    return Permutation(np.asarray(columns[np.argsort(rows)], dtype=np.int64))


def _signatures(samples: Samples, known: NDArray[Any]) -> Floats:
    assert samples.actions is not None  # noqa: S101  by_dynamics has looked
    done = np.searchsorted(known, samples.actions[:, 0])
    S, A = samples.d, len(known)
    before, after = (samples.states[:, t].argmax(axis=1) for t in (0, 1))
    P = np.zeros((A, S, S))
    np.add.at(P, (done, before, after), samples.weights)
    mass = P.sum(axis=2, keepdims=True)
    # A state never left, such as a goal where episodes end, is told apart from all others by -1.
    P = np.divide(P, mass, out=np.zeros_like(P), where=mass > 0)
    left = mass[..., 0] > 0  # [A, S]
    level = np.where(left, np.diagonal(P, axis1=1, axis2=2), -1.0).T  # [S, A]
    found = [level]
    while level.shape[1] * A <= _FEATURES and len(found) <= S:  # colours are stable after S rounds
        level = np.where(left[..., None], P @ level, -1.0).transpose(1, 0, 2).reshape(S, -1)
        found.append(level / np.sqrt(level.shape[1]))
    return np.concatenate(found, axis=1)
