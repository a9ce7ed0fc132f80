"""TvD: the undo map by optimal transport between trajectories (``tvd``) or transitions (``tvd-transition``).

Gupta, Moskovitz, Alvarez-Melis & Pacchiano 2022, "Transfer RL via the Undo Maps Formalism", arXiv:2211.14469.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import Array, Context, Metrics, State, UsageError
from zoo_tvd.alternation import Planned, choose, plan, settled
from zoo_tvd.config import TvDConfig
from zoo_tvd.cost import Cost
from zoo_tvd.maps.adam import Adam
from zoo_tvd.maps.affine import Affine, Orthogonal
from zoo_tvd.maps.base import Fit, UndoMap
from zoo_tvd.maps.mlp import MLP
from zoo_tvd.maps.permutation import Permutation
from zoo_tvd.policy_term import descend, envelope_gradient
from zoo_tvd.rollout import Choose, drawn
from zoo_tvd.samples import Samples
from zoo_tvd.starts import by_dynamics, gromov, orthogonal, whitened
from zoo_tvd.transfer import Transfer, restored, restored_map, stored
from zoo_tvd.transport.solvers import Coupling, Solver

Floats = NDArray[np.float64]
PATIENCE, BEHIND = 3, 2.0
"""a start is given up if, after more than PATIENCE plans, its objective is more than BEHIND times the best start's"""


@dataclass(frozen=True, eq=False)
class Kept:
    """The best start so far."""

    value: float
    f: UndoMap
    fit: Fit
    start: int
    converged: bool
    target: Samples
    """the samples of the target from which ``value`` was computed"""


class TvD(Transfer[TvDConfig]):
    """Alternates between the optimal plan for f and the best f for the plan, from one or several starts.

    With behaviour "policy" an update is one iteration: new episodes of the pushforward policy, a plan, a refit; after
    the last refit of a start, its objective is computed from one more collection. With behaviour "uniform" the data do
    not depend on f, so that one update collects them and runs all iterations. A start whose objective stays far above
    the best one is given up, which is not in the paper; with eight more starts on the grid it saves half of the steps.
    """

    uses_transport = True

    def __init__(self, ctx: Context, config: TvDConfig) -> None:
        super().__init__(ctx, config)
        self._rng = ctx.stream("tvd")
        self._check()
        self.cost: Cost | None = None
        self.history: list[float] = []
        self.start = 0
        self._last = 0, 0
        """number of the start, and of its refits, at the last plan"""
        self.kept: Kept | None = None
        self._warned = False
        self._adam = Adam.fresh(1)
        self._uniform_samples: tuple[Samples, Samples] | None = None

    def _check(self) -> None:
        config = self.config
        if config.map in ("orthogonal", "permutation") and self.d_source != self.d_target:
            raise UsageError(
                f"map = {config.map} needs the same number of coordinates on both sides: the source has "
                f"{self.d_source}, and the target {self.d_target}."
            )
        if config.policy_term:
            points = np.zeros((1, self.d_source))
            if self.policy_source.score(points, np.zeros(1, dtype=np.int64)) is None:
                raise UsageError(
                    "policy_term needs a source whose probabilities are known and smooth: a network of logits, or "
                    "'exact' with --bandwidth above 0."
                )

    def behaviour(self, states: Callable[[Array], Floats], rng: np.random.Generator) -> Choose:
        """See Transfer; with the policy term, actions are drawn from the smooth policy whose score is used."""
        if not self.config.policy_term:
            return super().behaviour(states, rng)
        pi = self.policy_source.probabilities
        return drawn(lambda obs: np.asarray(pi(states(obs))), self.ctx.env.single_action_space, rng)

    @property
    def _whole(self) -> bool:
        return self.config.cost == "trajectory"

    def first_map(self) -> UndoMap:
        """The identity, as a map of the kind in the options."""
        if self.config.map == "permutation" and self.d_source == self.d_target:
            return Permutation.identity(self.d_source)
        first = super().first_map()
        return Orthogonal(first.W, first.c) if self.config.map == "orthogonal" and isinstance(first, Affine) else first

    def update(self) -> Metrics:
        """Run one iteration, or with uniform behaviour all of them.

        Returns:
            ``objective`` in units of the source, before this refit (at the end, that of the best start); ``start``,
            and ``iteration``, the number of refits before; ``rank`` and ``identifiable`` of the regression;
            ``support/target`` and ``support/source``, the numbers of distinct samples; ``source_steps`` and
            ``source_changed`` (0 or 1).
        """
        on_policy = self.config.behaviour == "policy"
        if self.source is None:
            self.source = self.observe_source(on_policy, whole=self._whole, rng=self._rng).merged()
            self.cost = self._make_cost(self.source)
            self._begin_start()
        if on_policy:
            self.target = self.observe(True, whole=self._whole, rng=self._rng).merged()
            planned, ended = self._advance(None)
        else:
            if self.target is None:
                self.target = self.observe(False, whole=self._whole, rng=self._rng).merged()
                self._prepare_map()
            planned, ended = self._advance(None)
            while not ended:
                planned, ended = self._advance(planned.coupling if self.history else None)
        if ended:
            self._finish()
        return self._metrics(planned)

    def _make_cost(self, source: Samples) -> Cost:
        config = self.config
        isotropic = config.map in ("orthogonal", "permutation")
        return Cost.of(config.cost, source, lam_a=config.lam_a, lam_d=config.lam_d, isotropic=isotropic)

    def _advance(self, last: Coupling | None) -> tuple[Planned, bool]:
        """Compute one plan, then refit or end this start; returns the plan, and whether all starts have ended."""
        assert self.target is not None and self.source is not None and self.cost is not None  # noqa: S101
        config = self.config
        solver: Solver = "exact" if config.policy_term else config.solver  # whose potentials the policy term needs
        planned = plan(self.f, self.target, self.source, self.cost, solver=solver, rng=self._rng, start=last)
        self._last = self.start, len(self.history)
        self.history.append(planned.value)
        converged = settled(self.history, config.tol)
        given_up = self.kept is not None and len(self.history) > PATIENCE and planned.value > BEHIND * self.kept.value
        if len(self.history) <= config.iterations and not converged and not given_up:
            self._refit(planned)
            return planned, False
        if self.kept is None or planned.value < self.kept.value:
            self.kept = Kept(planned.value, self.f, self.fit, self.start, converged, self.target)
        self.start += 1
        if self.start > config.starts:
            return planned, True
        self._begin_start()
        return planned, False

    def _refit(self, planned: Planned) -> None:
        f, config = self.f, self.config
        fitted, self.fit = f.fitted(planned.regression)
        if not self._warned and not self.fit.identifiable:
            self.fit.warn_if_undetermined(f"the {f.kind} map")
            self._warned = True
        if not config.policy_term:
            self.f = fitted
            return
        assert isinstance(f, (Affine, MLP)) and planned.coupling is not None and self.target is not None  # noqa: S101
        self.f, self._adam = descend(
            f, planned.regression, self.target, planned.coupling.potential, self.policy_source, self._adam,
            steps=config.inner_steps, rate=config.inner_rate,
        )  # fmt: skip

    # Starts

    def _begin_start(self) -> None:
        """Set f to the initial map of the present start."""
        self.history = []
        if self.start == 0:
            self.f = self.first_map()
            if self._needs_data and self.config.behaviour == "policy":
                self.f = self._from_data()
        else:
            target, source = self._collect_uniform()
            self.f = self._as_kind(
                whitened(target, source, orthogonal_between(self.d_source, self.d_target, self._rng))
            )
        if self.config.behaviour == "policy" or self.target is not None:
            self._prepare_map()

    @property
    def _needs_data(self) -> bool:
        """Whether the identity is not a suitable initial map."""
        return self.config.map == "permutation" or self.d_source != self.d_target

    def _prepare_map(self) -> None:
        """Complete the initial map before its first plan: from data, or with the hidden layers of an mlp."""
        config = self.config
        if self.start == 0 and config.behaviour == "uniform" and self._needs_data:
            self.f = self._from_data()
        if config.map == "mlp" and isinstance(self.f, Affine):
            assert self.cost is not None  # noqa: S101
            seen = self.target.states.reshape(-1, self.d_target) if self.target is not None else None
            if seen is None or config.behaviour == "policy":
                seen = self._collect_uniform()[0].states.reshape(-1, self.d_target)
            self.f = MLP.beginning(
                self.f, seen, self.cost.unit, self._rng, hidden=config.hidden, steps=config.inner_steps,
                rate=config.inner_rate,
            )  # fmt: skip
        if isinstance(self.f, (Affine, MLP)):
            self._adam = Adam.fresh(len(self.f.parameters))

    def _from_data(self) -> UndoMap:
        """The initial map of the first start, computed from data where the identity is not suitable."""
        target, source = self._collect_uniform()
        if self.config.map == "permutation":
            return by_dynamics(target, source)
        return self._as_kind(gromov(target, source, self._rng))

    def _as_kind(self, f: Affine) -> UndoMap:
        if self.config.map == "orthogonal":
            U, _, V = np.linalg.svd(f.W)
            return Orthogonal(U @ V, f.c)
        if self.config.map == "permutation":
            return Permutation(self._rng.permutation(self.d_source))
        return f

    def _collect_uniform(self) -> tuple[Samples, Samples]:
        """Transitions of target and source under uniform actions, collected once; the target's steps are counted."""
        if (
            self.config.behaviour == "uniform"
            and not self._whole
            and self.target is not None
            and self.source is not None
        ):
            return self.target, self.source
        if self._uniform_samples is None:
            target = self.observe(False, whole=False, rng=self._rng).merged()
            self._uniform_samples = target, self.observe_source(False, whole=False, rng=self._rng).merged()
        return self._uniform_samples

    # The end

    def _finish(self) -> None:
        assert self.kept is not None  # noqa: S101
        self.f, self.fit, self.target = self.kept.f, self.kept.fit, self.kept.target
        which = f" (start {self.kept.start} of {self.config.starts + 1})" if self.config.starts else ""
        if self.kept.converged:
            self.done(f"the objective settled at {self.kept.value:.4g}{which}")
        else:
            self.done(
                f"stopped after {self.config.iterations} refits at the objective {self.kept.value:.4g}{which}, which "
                f"still changed by more than tol = {self.config.tol:g}",
                converged=False,
            )

    def coupled(self) -> Floats | None:
        """The plan [n, m] under f between the last samples of the target and those of the source; None without one."""
        if self.target is None or self.source is None or self.cost is None:
            return None
        if choose(self.config.solver, len(self.target), len(self.source)) == "sliced":
            return None
        found = plan(self.f, self.target, self.source, self.cost, solver=self.config.solver).coupling
        return None if found is None else found.plan

    def imitation_gap(self, rng: np.random.Generator) -> float | None:
        """Relative difference of the derivatives of the cost at a fixed plan and of the weighted regression.

        The first is computed by central differences of sum_ij P_ij C_ij(f) along a random direction, which are exact
        for affine f since the cost is quadratic in it; the second as in the fit of f. Both at a random map near f.
        None where f is not affine.
        """
        f, cost = self.f, self.cost
        if type(f) is not Affine or self.target is None or self.source is None or cost is None:
            return None
        f = f.moved(f.parameters + 0.1 * rng.standard_normal(len(f.parameters)))
        planned = plan(f, self.target, self.source, cost, solver="exact")
        if planned.coupling is None:
            return None
        direction, P = rng.standard_normal(len(f.parameters)), planned.coupling.plan
        ends = [
            float(
                (
                    P
                    * cost.matrix(
                        f.moved(f.parameters + sign * direction)(self.target.states), self.target, self.source
                    )
                ).sum()
            )
            for sign in (1.0, -1.0)
        ]
        numeric = 0.5 * (ends[0] - ends[1])
        exact = float(envelope_gradient(f, planned.regression) @ direction)
        return abs(numeric - exact) / abs(exact)

    def _metrics(self, planned: Planned) -> Metrics:
        assert self.target is not None and self.source is not None  # noqa: S101
        over = self.outcome is not None and self.kept is not None
        return {
            "objective": self.kept.value if over and self.kept is not None else planned.value,
            "start": float(self.kept.start if over and self.kept is not None else self._last[0]),
            "iteration": float(self._last[1]),
            "support/target": float(len(self.target)),
            "support/source": float(len(self.source)),
            **self.common_metrics(),
        }

    def state(self) -> State:
        """See Transfer; with the history of the present start, and the best start so far."""
        kept = None
        if self.kept is not None:
            kept = {
                "value": self.kept.value, "map": {"kind": self.kept.f.kind, **self.kept.f.state()},
                "fit": [self.kept.fit.rank, self.kept.fit.full], "start": self.kept.start,
                "converged": self.kept.converged, "target": stored(self.kept.target),
            }  # fmt: skip
        broad = (
            {}
            if self._uniform_samples is None
            else {"target": stored(self._uniform_samples[0]), "source": stored(self._uniform_samples[1])}
        )
        return {
            **super().state(),
            "history": [float(value) for value in self.history],
            "start": self.start,
            "warned": self._warned,
            "kept": kept,
            "adam": self._adam.state(),
            "broad": broad,
        }

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        super().load_state(state)
        self.cost = None if self.source is None else self._make_cost(self.source)
        self.history, self.start, self._warned = list(state["history"]), int(state["start"]), bool(state["warned"])
        self._adam = Adam.restored(state["adam"])
        kept: Any = state["kept"]
        self.kept = None
        if kept is not None:
            fit = Fit(int(kept["fit"][0]), int(kept["fit"][1]))
            f, target = restored_map(kept["map"]), restored(kept["target"])
            self.kept = Kept(float(kept["value"]), f, fit, int(kept["start"]), kept["converged"], target)
        broad: Any = state["broad"]
        self._uniform_samples = (restored(broad["target"]), restored(broad["source"])) if broad else None


def orthogonal_between(d_source: int, d_target: int, rng: np.random.Generator) -> Floats:
    """The first d_source rows and d_target columns of a uniform orthogonal matrix."""
    return orthogonal(max(d_source, d_target), rng)[:d_source, :d_target]
