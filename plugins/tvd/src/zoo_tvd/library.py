"""``zoo_tvd.undo``: the undo map between two arrays of samples, without any environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from zoo_tvd.alternation import Alternated, alternate
from zoo_tvd.cost import Cost, Kind
from zoo_tvd.given import Data, check_alike, samples_of
from zoo_tvd.maps.affine import Affine, Orthogonal
from zoo_tvd.maps.base import UndoMap
from zoo_tvd.maps.mlp import MLP
from zoo_tvd.maps.permutation import Permutation
from zoo_tvd.samples import Samples
from zoo_tvd.starts import by_dynamics, gromov, orthogonal, whitened
from zoo_tvd.transport.solvers import Solver

Floats = NDArray[np.float64]
Map: TypeAlias = Literal["affine", "orthogonal", "permutation", "mlp"]


@dataclass(frozen=True, eq=False)
class Undone:
    """The result of ``undo``.

    Attributes:
        f: the map; ``f(o)`` takes observations [..., d_T] to states [..., d_S].
        objective: the objective of the best start, before each refit and after the last; it never rises where f is
            affine, orthogonal or a permutation and the solver is exact.
        plan: transport plan [n, m] between the distinct samples of target and source; None from the sliced solver.
        target, source: these distinct samples, with their weights.
        rank: rank of the last regression.
        identifiable: whether the regression determines f, given the plan.
        converged: whether the last change of the objective was within the tolerance.
    """

    f: UndoMap
    objective: tuple[float, ...]
    plan: Floats | None
    target: Samples
    source: Samples
    rank: int
    identifiable: bool
    converged: bool


def undo(
    source: Data,
    target: Data,
    *,
    map: Map = "affine",
    cost: Kind = "transition",
    lam_a: float = 300.0,
    lam_d: float = 10.0,
    iterations: int = 20,
    tol: float = 1e-9,
    starts: int = 0,
    solver: Solver = "auto",
    seed: int = 0,
    hidden: int = 32,
    inner_steps: int = 100,
    inner_rate: float = 0.003,
) -> Undone:
    """The map f for which optimal transport between ``f(target)`` and ``source`` is cheapest, by alternation.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> s = rng.standard_normal((200, 2))
        >>> a = rng.integers(2, size=200)
        >>> step = np.array([[0.5, 0.1], [-0.2, 0.3]])[a]
        >>> A = np.array([[0.0, -1.0], [1.0, 0.0]])
        >>> found = undo((s, a, s + step), (s @ A.T, a, (s + step) @ A.T))
        >>> bool(np.allclose(found.f.W @ A, np.eye(2), atol=1e-6))
        True

    Args:
        source: samples of the source: transitions (s [n, d], a [n] or [n, k], s' [n, d]); for the cost "state" states
            [n, d], for "state-action" (s, a), for "trajectory" trajectories [n, T, d], padded with their last state.
            Actions [n] are discrete: they differ or do not; actions [n, k] are continuous: their distance counts.
        target: samples of the target, in the same form and with the same actions; the number of coordinates may
            differ.
        map: "affine", "orthogonal", "permutation" (of one-hot states) or "mlp".
        cost: ground cost, see ``zoo_tvd.cost``.
        lam_a: weight of an action that differs, at least 0; the sliced solver only asks whether it is 0, and passes
            over continuous actions.
        lam_d: weight of the difference of displacements, at least 0.
        iterations: refits at most, at least 1.
        tol: stop where the objective changes by less than this share of itself.
        starts: whitened orthogonal starts beside the first, of which the lowest objective is kept.
        solver: "exact", "entropic", "sliced", or "auto": exact up to 2,000 distinct samples a side.
        seed: of the starts, the hidden units and the sliced solver's lines.
        hidden: units in each hidden layer of an mlp, at least 1.
        inner_steps: gradient steps of one refit of an mlp, at least 1.
        inner_rate: their size, above 0.

    Returns:
        The map, with the objective, the plan and the samples.

    Warns:
        RuntimeWarning: the data do not determine the map, with the rank of the last regression.

    Raises:
        ValueError: a set is empty, a number is not finite, shapes or actions do not fit, or an argument is outside its
            range.
    """
    for name, chosen, known in (("map", map, get_args(Map)), ("cost", cost, get_args(Kind)),
                                ("solver", solver, get_args(Solver))):  # fmt: skip
        if chosen not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {chosen!r}")
    for name, count, least in (("iterations", iterations, 1), ("starts", starts, 0), ("hidden", hidden, 1),
                               ("inner_steps", inner_steps, 1), ("seed", seed, 0)):  # fmt: skip
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < least:
            raise ValueError(f"{name} = {count!r}: expected a whole number, at least {least}")
    for name, value in (("lam_a", lam_a), ("lam_d", lam_d), ("tol", tol), ("inner_rate", inner_rate)):
        if not isinstance(value, (int, float, np.number)) or not 0 <= value < np.inf:
            raise ValueError(f"{name} = {value!r}: expected a finite number, at least 0")
    if not inner_rate > 0:
        raise ValueError(f"inner_rate = {inner_rate!r}: expected a finite number above 0")
    here, there = samples_of(target, cost, "the target"), samples_of(source, cost, "the source")
    check_alike(here, there, cost)
    here, there = here.merged(), there.merged()
    rng = np.random.default_rng(seed)
    isotropic = map in ("orthogonal", "permutation")
    ground = Cost.of(cost, there, lam_a=lam_a, lam_d=lam_d, isotropic=isotropic)
    best: Alternated | None = None
    for index in range(starts + 1):
        f = _start(map, index, here, there, rng)
        if map == "mlp" and isinstance(f, Affine):
            f = MLP.beginning(
                f, here.states.reshape(-1, here.d), ground.unit, rng, hidden=hidden, steps=inner_steps, rate=inner_rate
            )
        found = alternate(f, here, there, ground, iterations=iterations, tol=tol, solver=solver, rng=rng)
        if best is None or found.objective[-1] < best.objective[-1]:
            best = found
    assert best is not None  # noqa: S101  there is at least one start
    best.fit.warn_if_undetermined(f"the {best.f.kind} map")
    coupling, objective = best.planned.coupling, tuple(float(value) for value in best.objective)
    return Undone(
        best.f, objective, None if coupling is None else coupling.plan, here, there, best.fit.rank,
        best.fit.identifiable, best.converged,
    )  # fmt: skip


def _start(kind: Map, index: int, target: Samples, source: Samples, rng: np.random.Generator) -> UndoMap:
    d_T, d_S = target.d, source.d
    if kind in ("orthogonal", "permutation") and d_T != d_S:
        raise ValueError(
            f"map = {kind} needs as many coordinates on both sides: {d_S} in the source, {d_T} in the target"
        )
    if kind == "permutation":
        discrete = target.actions is not None and target.actions.ndim == 2
        known = discrete and target.states.shape[1] == 2 and index == 0
        return by_dynamics(target, source) if known else Permutation(rng.permutation(d_S))
    if index:
        f = whitened(target, source, orthogonal(max(d_S, d_T), rng)[:d_S, :d_T])
    else:
        f = Affine.identity(d_S) if d_S == d_T else gromov(target, source, rng)
    if kind == "orthogonal":
        U, _, V = np.linalg.svd(f.W)
        return Orthogonal(U @ V, f.c)
    return f
