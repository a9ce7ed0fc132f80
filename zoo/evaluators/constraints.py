"""The evaluator ``constraints``: values against thresholds (docs/methods/reload.md, sections 1 to 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.api import Algorithm, ConstraintSpec, EvalContext, Evaluator, Explicit, PrimalDual, Report
from zoo.errors import UsageError
from zoo.evaluators.config import ConstraintsConfig
from zoo.evaluators.episodes import play
from zoo.stats import FEWEST, Floats, interval, mean
from zoo.tabular import ORACLE_LIMIT, CMDPSolution, InfeasibleCMDPError, TabularCMDP, evaluate, residuals, solve_lp
from zoo.training.evaluate_policy import PlayedEpisodes

_VISIBLE_TAIL = 1e-3


class ConstraintsEvaluator(Evaluator[ConstraintsConfig]):
    """Each constraint's value against its threshold, and the distance from the optimum.

    Scores: ``value`` of the reward, the largest ``violation``, and for each constraint ``value/``, ``threshold/``,
    ``violation/`` and, where the algorithm keeps one, ``multiplier/``. On a tabular environment also ``optimum``
    and ``distance = max(|J_r - J*_r|, max_i violation_i)``; where the policy is a table, everything is exact, and
    with multipliers there are ``gap`` and ``kkt``. Where it is not, the values are means over episodes with 95 %
    intervals ``low`` and ``high``, and a note gives their definition.

    Raises:
        UsageError: the environment has no constraints, or a discount is needed and not known.
    """

    def evaluate(self, subject: Algorithm[Any], ctx: EvalContext) -> Report:
        """Judge by the model where the policy is a table, else by episodes; one row for each constraint."""
        spec = ctx.problem.constraints
        if spec is None:
            raise UsageError(
                f"{ctx.spec.get('environment', 'this environment')} has no constraints, so there is nothing to judge.",
                "zoo eval RUN return judges what it earns.",
            )
        notes: list[str] = []
        cmdp = ctx.problem.tabular if ctx.problem.model is not None else None
        solution, scores = self._oracle(cmdp, notes)
        mu = dict(subject.multipliers()) if isinstance(subject, PrimalDual) else {}
        if cmdp is not None and isinstance(subject, Explicit):
            values, J, intervals = _exact(cmdp, subject.policy(), mu, solution, spec, notes)
        else:
            values, J, intervals = self._sampled(subject, ctx, spec, cmdp, notes)
        signed = np.array([-1.0 if sense == ">=" else 1.0 for sense in spec.senses]) * (J - spec.thresholds)
        equality = np.array([sense == "==" for sense in spec.senses], dtype=bool)
        violations = np.where(equality, np.abs(signed), np.maximum(signed, 0.0))
        if solution is not None:
            worst = float(violations.max(initial=0.0))
            values = {"distance": max(abs(values["value"] - solution.value), worst), **values}
        scores = {"value": values.pop("value"), **scores, **values, "violation": float(violations.max(initial=0.0))}
        rows = _rows(spec, J, violations, mu, intervals, solution)
        for row in rows:
            name = row["constraint"]
            kept = ("value", "low", "high", "threshold", "violation", "multiplier")
            scores |= {f"{key}/{name}": row[key] for key in kept if key in row}
        exact = cmdp is not None and isinstance(subject, Explicit)
        return Report(scores=scores, rows=rows, notes=notes, sampled={} if exact else _sampled_scores(scores))

    def _oracle(self, cmdp: TabularCMDP | None, notes: list[str]) -> tuple[CMDPSolution | None, dict[str, float]]:
        wanted = self.config.oracle
        if cmdp is None:
            if wanted:
                raise UsageError("--oracle asks for the exact optimum: expected an environment with a tabular model.")
            return None, {}
        if not (cmdp.r.size <= ORACLE_LIMIT if wanted is None else wanted):
            notes.append(f"the optimum was not computed for {cmdp.r.size} state-actions; --oracle True computes it.")
            return None, {}
        try:
            solution = solve_lp(cmdp)
        except InfeasibleCMDPError as error:
            notes.append(error.message)
            return None, {"least-violation": error.min_violation}
        return solution, {"optimum": solution.value}

    def _sampled(
        self,
        subject: Algorithm[Any],
        ctx: EvalContext,
        spec: ConstraintSpec,
        cmdp: TabularCMDP | None,
        notes: list[str],
    ) -> tuple[dict[str, float], Floats, Floats | None]:
        """Reward scores, constraint values ``[K]`` and intervals ``[2, K]`` (None: too few), from episodes."""
        gamma = self._discount(ctx, cmdp) if spec.discounted else 1.0
        played = play(subject, ctx, self.config.episodes, greedy=self.config.greedy, gamma=gamma)
        notes += [_definition(spec, gamma, len(played.lengths)), *played.notes()]
        tail = float((gamma**played.lengths * ~played.terminated).mean()) if spec.discounted else 0.0
        if tail > _VISIBLE_TAIL:
            notes.append(f"the episodes' ends leave out {tail:.2g} of the discounted weight.")
        # Columns: the reward, then the constraints; for a plain average per step also the length to divide by.
        sums = _columns(played, discounted=spec.discounted)
        if spec.unit == "episode":
            value, statistic = sums, mean
        elif spec.discounted:
            value, statistic = (1.0 - gamma) * sums, mean
        else:
            value, statistic = np.column_stack([sums, played.lengths]), _per_step
        point = statistic(value, 0)
        if len(value) < FEWEST:
            notes.append(f"fewer than {FEWEST} episodes: no intervals.")
            return {"value": float(point[0])}, point[1:], None
        low, high = interval(value, statistic, ctx.rng)
        estimate = {"value": float(point[0]), "low": float(low[0]), "high": float(high[0])}
        return estimate, point[1:], np.stack([low[1:], high[1:]])

    def _discount(self, ctx: EvalContext, cmdp: TabularCMDP | None) -> float:
        if self.config.gamma is not None:
            return self.config.gamma
        if cmdp is not None:
            return cmdp.gamma
        own = dict(ctx.spec.get("config", {})).get("gamma")
        if isinstance(own, (int, float)) and 0.0 <= own < 1.0:
            return float(own)
        raise UsageError("the thresholds are discounted and the run names no discount.", "Give it with --gamma.")


def _sampled_scores(scores: Mapping[str, float]) -> dict[str, tuple[float, float] | None]:
    """What follows from the episodes; values have intervals, if there were enough of them."""
    found: dict[str, tuple[float, float] | None] = {}
    for name in scores:
        kind, slash, constraint = name.partition("/")
        if kind not in ("optimum", "least-violation", "threshold", "multiplier"):
            low, high = (scores.get(f"{end}{slash}{constraint}") for end in ("low", "high"))
            found[name] = (low, high) if kind == "value" and low is not None and high is not None else None
    return found


def _columns(played: PlayedEpisodes, *, discounted: bool) -> Floats:
    if discounted:
        return np.column_stack([played.discounted, played.discounted_signals])
    return np.column_stack([played.returns, played.signals])


def _per_step(x: Floats, axis: int) -> Floats:
    """Sums over steps: a ratio, because long episodes have more of them. The last column is the length."""
    total = x.sum(axis=axis)
    return np.asarray(total[..., :-1] / total[..., -1:])


def _definition(spec: ConstraintSpec, gamma: float, episodes: int) -> str:
    per = {
        ("step", True): f"(1 - gamma) E[sum gamma^t c_t], gamma = {gamma:g}, in the unit of one step",
        ("step", False): "the average of c_t over all steps",
        ("episode", True): f"E[sum gamma^t c_t] over an episode, gamma = {gamma:g}",
        ("episode", False): "E[sum c_t] over an episode",
    }[spec.unit, spec.discounted]
    return f"values are {per}; estimated from {episodes} episodes, intervals at 95 %."


def _exact(
    cmdp: TabularCMDP,
    policy: Floats,
    mu: Mapping[str, float],
    solution: CMDPSolution | None,
    spec: ConstraintSpec,
    notes: list[str],
) -> tuple[dict[str, float], Floats, None]:
    notes.append(f"exact: (1 - gamma) E[sum gamma^t c_t] from the model, gamma = {cmdp.gamma:g}.")
    evaluation = evaluate(cmdp, policy)
    values = {"value": evaluation.J_r}
    if mu or not spec.names:
        multipliers = [mu[name] for name in spec.names]
        residual = residuals(cmdp, policy, multipliers, solution=solution, evaluation=evaluation)
        if residual.gap is not None:
            values["gap"] = residual.gap
        values["kkt"] = residual.kkt
    return values, evaluation.J, None


def _rows(
    spec: ConstraintSpec,
    J: Floats,
    violations: Floats,
    mu: Mapping[str, float],
    intervals: Floats | None,
    solution: CMDPSolution | None,
) -> list[dict[str, Any]]:
    rows = []
    for i, name in enumerate(spec.names):
        row: dict[str, Any] = {"constraint": name, "value": float(J[i])}
        if intervals is not None:
            row |= {"low": float(intervals[0, i]), "high": float(intervals[1, i])}
        row |= {"sense": spec.senses[i], "threshold": float(spec.thresholds[i]), "violation": float(violations[i])}
        if name in mu:
            row["multiplier"] = float(mu[name])
        if solution is not None:
            row |= {
                "optimum/value": float(solution.costs[i]),
                "optimum/multiplier": float(solution.multipliers[i]),
            }
        rows.append(row)
    return rows
