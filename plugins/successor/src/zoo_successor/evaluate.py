"""Evaluators: is a representation's value true where rewards diminish, and how soon are goals reached."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from zoo import EvalContext, Evaluator, Problem, Report, UsageError
from zoo_successor.config import DiminishingValueConfig, GoalsConfig
from zoo_successor.exact import representations as exact
from zoo_successor.learning.oracle import counted_value, sampled_value
from zoo_successor.learning.problem import cell_of, dense_kernel, factor, rewards, shortest_paths, state_of
from zoo_successor.learning.tables import SuccessorTable
from zoo_successor.learning.td import Floats, Ints


class DiminishingValue(Evaluator[DiminishingValueConfig]):
    """The value that a representation gives to the environment's rewards, beside what they are really worth.

    Being in a state at t = 0 pays, as in the representation. The truth is computed by counting visits, without any
    closed form, and by sampling. Scores: ``mse`` and ``max_error`` over all states; over the start distribution the
    representation's ``value``, the ``truth``, the ``sampled`` mean, and how many standard errors the truth (``z``) and
    the representation (``z/value``) are from it. One row for each state.

    Raises:
        UsageError: the representation is not a table, the environment is not tabular, or the policy is none.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Judge ``subject`` without changing it."""
        if not isinstance(subject, SuccessorTable) or ctx.problem.model is None:
            raise UsageError("diminishing-value judges sr, fr and lambda on environments with an exact model.")
        problem, model = ctx.problem, ctx.problem.tabular
        if problem.diminishing is not None and problem.diminishing.recovery is not None:
            raise UsageError(
                f"rewards come back after {problem.diminishing.recovery} steps: diminishing-value has no truth."
            )
        run = str((ctx.spec.get("collect") or {}).get("policy", "uniform"))
        policy = policy_table(problem, run if self.config.policy == "run" else self.config.policy)
        base, lam = rewards(problem), factor(problem, self.config.lam, model.num_states)
        chain = np.where(model.terminal[:, None], 0.0, exact.policy_chain(dense_kernel(model), policy))
        if self.config.policy == "run":
            value = subject.value(base)
        else:
            table = subject.solve(model, policy)
            value = table @ base if table.ndim == 2 else ((table @ base) * policy).sum(axis=1)
        truth = counted_value(chain, subject.gamma, base, lam)
        error, rho = value - truth, model.rho
        scores = {
            "mse": float((error**2).mean()),
            "max_error": float(np.abs(error).max()),
            "value": float(rho @ value),
            "truth": float(rho @ truth),
        }
        if self.config.episodes:
            starts = ctx.rng.choice(model.num_states, size=self.config.episodes, p=rho)
            totals, cut = sampled_value(chain, subject.gamma, base, lam, starts, ctx.rng)
            sampled = float(totals.mean())
            deviation = float(totals.std(ddof=1) / np.sqrt(len(totals))) + cut
            scores["sampled"] = sampled
            scores["z"] = abs(scores["truth"] - sampled) / deviation
            scores["z/value"] = abs(scores["value"] - sampled) / deviation
        rows = [
            {"cell": cell_of(problem, s), "value": float(value[s]), "truth": float(truth[s])}
            for s in range(model.num_states)
        ]
        return Report(scores=scores, rows=rows, sampled=dict.fromkeys(scores.keys() & {"sampled", "z", "z/value"}))


def policy_table(problem: Problem, text: str) -> Floats:
    """Action probabilities ``[S, A]`` of "uniform", "greedy:CELL" or "actions:310...".

    Raises:
        UsageError: it is none of these, or does not fit the environment.
    """
    S, A = problem.tabular.r.shape
    if text == "uniform":
        return np.full((S, A), 1.0 / A)
    kind, _, rest = text.partition(":")
    if kind == "greedy" and rest.isdigit():
        goal = shortest_paths(problem.tabular, [state_of(problem, int(rest))], problem.tabular.gamma)
        return np.asarray(np.eye(A)[goal[0]])
    if kind == "actions" and rest.isdigit():
        actions = np.array([int(digit) for digit in rest])
        if len(actions) != S or actions.max() >= A:
            raise UsageError(f"policy {text!r} has {len(actions)} digits: expected {S}, each from 0 to {A - 1}.")
        return np.asarray(np.eye(A)[actions])
    raise UsageError(f"policy {text!r}: expected 'run', 'uniform', 'greedy:CELL' or 'actions:310...'.")


class GoalPolicies(Protocol):
    """What the evaluator ``goals`` asks of an algorithm."""

    def policy_for(self, goal: int) -> Ints:
        """Actions ``[S]`` towards a state."""


class Goals(Evaluator[GoalsConfig]):
    """Discounted return of episodes in which several goals have to be reached, each drawn when the last one is.

    Played on the exact model, all episodes together, and the agent knows where the goal is
    (docs/methods/successor.md, section 8.4). Scores: ``return`` with its 95 % interval ``low``, ``high``; ``found``,
    goals reached in an episode. One row for each episode.

    Raises:
        UsageError: the algorithm cannot plan for a goal, or the environment is not tabular.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Judge ``subject`` without changing it."""
        config, problem = self.config, ctx.problem
        if not callable(getattr(subject, "policy_for", None)) or problem.model is None:
            raise UsageError("goals judges algorithms that plan for a goal, such as frp, on environments with a model.")
        model = problem.tabular
        S, E = model.num_states, config.episodes
        planner: GoalPolicies = subject
        actions = np.stack([planner.policy_for(goal) for goal in range(S)])
        law = dense_kernel(model).cumsum(axis=2)
        if config.start is None:
            s = ctx.rng.choice(S, size=E, p=model.rho)
        else:
            s = np.full(E, state_of(problem, config.start))
        goal = _another(s, S, ctx.rng)
        reached, returns = np.zeros(E, dtype=np.int64), np.zeros(E)
        for t in range(config.steps):
            running = reached < config.goals
            if not running.any():
                break
            a = actions[goal, s]
            arrived = (law[s, a] <= ctx.rng.random((E, 1)) * law[s, a, -1:]).sum(axis=1)
            hit = arrived == goal
            paid = config.reward * hit + config.wall_penalty * ((arrived == s) & ~hit)
            returns += np.where(running, model.gamma ** (t + 1) * paid, 0.0)
            reached += running & hit
            goal = np.where(hit, _another(arrived, S, ctx.rng), goal)
            s = arrived
        mean, half = float(returns.mean()), 1.96 * float(returns.std(ddof=1)) / float(np.sqrt(E))
        scores = {"return": mean, "low": mean - half, "high": mean + half, "found": float(reached.mean())}
        rows = [{"return": float(one), "found": int(count)} for one, count in zip(returns, reached, strict=True)]
        return Report(
            scores=scores, rows=rows,
            sampled={"return": (mean - half, mean + half), "low": None, "high": None, "found": None},
        )  # fmt: skip


def _another(states: Ints, count: int, rng: np.random.Generator) -> Ints:
    """For each state another one, uniformly; ``[E]``."""
    drawn = rng.integers(count - 1, size=len(states))
    return np.asarray(drawn + (drawn >= states))
