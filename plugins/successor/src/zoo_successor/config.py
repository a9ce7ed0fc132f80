"""The options of the tabular representations and algorithms; symbols as in docs/methods/successor.md.

Imports nothing heavy: a help text needs no numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoo import UsageError

Init = Literal["identity", "zero"]
Bonus = Literal["none", "sr", "fr"]
Kind = Literal["sr", "fr", "lambda"]


@dataclass(frozen=True, kw_only=True)
class SRConfig:
    """Successor representation, or first occupancy, as a table."""

    gamma: float | None = None
    """discount in [0, 1); unset: that of the exact model, 0.99 where there is none"""
    alpha: float = 0.1
    """step size of the first update of a row, in (0, 1]"""
    power: float = 0.0
    """the n-th update of a row has the step alpha * n^-power; 0: constant, in (0.5, 1]: Robbins-Monro"""
    init: Init = "identity"
    """the table before learning: "identity" (each state has been seen once, now) or "zero" """
    action_values: bool = False
    """keep a row for each state and action, [S, A, S]; the next action is averaged with the observed frequencies"""

    def __post_init__(self) -> None:
        """Check every range."""
        _optional_discount(self.gamma)
        _step("alpha", self.alpha)
        _within("power", self.power, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class LambdaConfig(SRConfig):
    """Representation for rewards that shrink by lambda with each visit."""

    lam: float | None = field(default=None, metadata={"flag": "lambda"})
    """lambda in [0, 1]: 1 is the successor representation, 0 first occupancy; unset: the environment's, else 0.5"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        _optional_lambda(self.lam)


@dataclass(frozen=True, kw_only=True)
class SarsaConfig:
    """SARSA, with an exploration bonus from a representation learned beside it."""

    bonus: Bonus = "none"
    """"sr": beta / |M[s]|_1 (Machado et al. 2020); "fr": beta |F[s']|_1 (Moskovitz et al. 2022)"""
    beta: float = 1.0
    """weight of the bonus, at least 0"""
    alpha: float = 0.25
    """step size of the action values, in (0, 1]"""
    eta: float = 0.05
    """step size of the representation, in (0, 1]"""
    epsilon: float = 0.05
    """probability of a uniform action, in [0, 1]"""
    gamma: float | None = None
    """discount of rewards in [0, 1); unset: that of the exact model, 0.95 where there is none"""
    gamma_rep: float = 0.99
    """discount of the representation in [0, 1)"""
    steps_per_update: int = 250
    """steps of each copy between two rows of metrics, at least 1"""

    def __post_init__(self) -> None:
        """Check every range."""
        _optional_discount(self.gamma)
        _discount("gamma_rep", self.gamma_rep)
        _step("alpha", self.alpha)
        _step("eta", self.eta)
        _within("epsilon", self.epsilon, 0.0, 1.0)
        _at_least("beta", self.beta, 0.0)
        _count("steps_per_update", self.steps_per_update)


@dataclass(frozen=True, kw_only=True)
class LambdaQConfig:
    """Q-learning of a representation for diminishing rewards, with the rewards themselves known."""

    lam: float | None = field(default=None, metadata={"flag": "lambda"})
    """the agent's lambda in [0, 1]; unset: the environment's, 1 where rewards do not diminish"""
    gamma: float | None = None
    """discount in [0, 1); unset: that of the exact model, 0.99 where there is none"""
    alpha: float = 0.1
    """step size, in (0, 1]"""
    epsilon: float = 0.2
    """probability of a uniform action, in [0, 1]"""
    optimism: float = 0.2
    """added to every entry of the identity at the start, at least 0"""
    reread: bool = True
    """act on the rewards that remain, lambda^visits of them; off: on the first ones throughout"""
    steps_per_update: int = 100
    """steps of each copy between two rows of metrics, at least 1"""

    def __post_init__(self) -> None:
        """Check every range."""
        _optional_lambda(self.lam)
        _optional_discount(self.gamma)
        _step("alpha", self.alpha)
        _within("epsilon", self.epsilon, 0.0, 1.0)
        _at_least("optimism", self.optimism, 0.0)
        _count("steps_per_update", self.steps_per_update)


@dataclass(frozen=True, kw_only=True)
class FRPConfig:
    """First-occupancy planning."""

    policies: str = "actions"
    """base policies: "actions" (one for each action, forever), or cells such as "80,24" (the shortest way to each)"""
    goal: int | None = None
    """the cell (or, without a grid, the state) to plan for; unset: where the environment pays most"""
    gamma: float | None = None
    """discount in (0, 1); unset: that of the exact model"""
    max_segments: int = 0
    """most base policies in one plan; 0: no limit, which ends with the exact optimum over plans"""
    determinise: bool = False
    """plan as if every action always led where it leads most often, as the published experiment with noise did"""
    reread: bool = False
    """read the plan anew at every state; off: only where a subgoal has been reached"""

    def __post_init__(self) -> None:
        """Check every range."""
        _optional_discount(self.gamma)
        _policies(self.policies)
        if self.max_segments < 0:
            raise UsageError(f"max_segments = {self.max_segments}: expected at least 0 (0: no limit).")


@dataclass(frozen=True, kw_only=True)
class GPIConfig:
    """Generalised policy improvement over base policies, on the rewards that remain."""

    kind: Kind = "lambda"
    """what is computed for each base policy"""
    lam: float | None = field(default=None, metadata={"flag": "lambda"})
    """lambda of the representation "lambda", in [0, 1]; unset: the environment's, 1 where rewards do not diminish"""
    policies: str = "rewards"
    """base policies: "rewards" (the shortest way to each state that pays), "actions" (one for each action, forever),
    or cells such as "80,24"; a policy stays at its cell if the environment lets it"""
    gamma: float | None = None
    """discount in (0, 1); unset: that of the exact model"""
    determinise: bool = False
    """plan as if every action always led where it leads most often, as the published experiment with noise did"""
    reread: bool = True
    """read the remaining rewards before every action; off: those of the start"""
    horizon: int = 40
    """steps of the episodes that are judged, at least 1"""
    end_below: float = 0.1
    """these episodes end when every remaining reward is below it, at least 0"""

    def __post_init__(self) -> None:
        """Check every range."""
        _optional_lambda(self.lam)
        _optional_discount(self.gamma)
        _policies(self.policies, "rewards")
        _count("horizon", self.horizon)
        _at_least("end_below", self.end_below, 0.0)
        if self.kind != "lambda" and self.lam is not None:
            raise UsageError(
                f"lambda = {self.lam} with kind = {self.kind!r}, which has a lambda of its own.",
                "leave lambda out, or use kind = 'lambda'",
            )


@dataclass(frozen=True, kw_only=True)
class ValueIterationConfig:
    """Plain value iteration, to compare with first-occupancy planning sweep by sweep."""

    sweeps: int = 0
    """most sweeps; 0: until the values stop changing"""
    gamma: float | None = None
    """discount in (0, 1); unset: that of the exact model"""

    def __post_init__(self) -> None:
        """Check every range."""
        _optional_discount(self.gamma)
        if self.sweeps < 0:
            raise UsageError(f"sweeps = {self.sweeps}: expected at least 0 (0: until the values stop changing).")


@dataclass(frozen=True, kw_only=True)
class MVTConfig:
    """The marginal value theorem on patches: no options."""


@dataclass(frozen=True, kw_only=True)
class DiminishingValueConfig:
    """Options of the evaluator ``diminishing-value``."""

    policy: str = "run"
    """whose value: "run" (the policy the run was collected with), "uniform", "greedy:CELL", or "actions:310..." (one
    digit for each state) for which the representation is solved anew"""
    lam: float | None = field(default=None, metadata={"flag": "lambda"})
    """lambda of the truth; unset: the environment's, 1 where rewards do not diminish"""
    episodes: int = 20_000
    """Monte Carlo episodes from the start distribution; 0: none"""

    def __post_init__(self) -> None:
        """Check every range."""
        _optional_lambda(self.lam)
        if self.episodes < 0 or self.episodes == 1:
            raise UsageError(f"episodes = {self.episodes}: expected 0, or at least 2.")


@dataclass(frozen=True, kw_only=True)
class FixedPointConfig:
    """Options of the evaluator ``fixed-point``."""

    pairs: int = 100
    """pairs of tables whose distances are compared before and after one sweep, at least 1"""
    sweeps: int = 200
    """sweeps from 0 that are compared with their bound, at least 1"""

    def __post_init__(self) -> None:
        """Check every range."""
        _count("pairs", self.pairs)
        _count("sweeps", self.sweeps)


@dataclass(frozen=True, kw_only=True)
class StaysConfig:
    """Options of the evaluator ``stays``."""

    episodes: int = 100
    """episodes, played together, at least 1"""

    def __post_init__(self) -> None:
        """Check every range."""
        _count("episodes", self.episodes)


@dataclass(frozen=True, kw_only=True)
class GoalsConfig:
    """Options of the evaluator ``goals``."""

    episodes: int = 100
    """episodes, played together, at least 2"""
    goals: int = 5
    """goals in one episode, each drawn when the last is reached"""
    reward: float = 50.0
    """paid on arrival at the goal"""
    wall_penalty: float = -1.0
    """paid where a step leaves the agent where it was"""
    steps: int = 75
    """after which an episode ends"""
    start: int | None = None
    """the cell (or, without a grid, the state) to start from; unset: drawn from the model's start distribution"""

    def __post_init__(self) -> None:
        """Check every range."""
        for name in ("goals", "steps"):
            _count(name, getattr(self, name))
        if self.episodes < 2:
            raise UsageError(f"episodes = {self.episodes}: expected at least 2.")


def _policies(text: str, *words: str) -> None:
    known = ("actions", *words)
    if text in known:
        return
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() for part in parts):
        named = " or ".join(f"'{word}'" for word in known)
        raise UsageError(f"policies = {text!r}: expected {named}, or cells such as '80,24'.")


def _optional_lambda(lam: float | None) -> None:
    if lam is not None:
        _within("lambda", lam, 0.0, 1.0)


def _optional_discount(gamma: float | None) -> None:
    if gamma is not None:
        _discount("gamma", gamma)


def _discount(name: str, value: float) -> None:
    if not 0.0 <= value < 1.0:
        raise UsageError(f"{name} = {value}: expected a number in [0, 1).")


def _step(name: str, value: float) -> None:
    if not 0.0 < value <= 1.0:
        raise UsageError(f"{name} = {value}: expected a number in (0, 1].")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UsageError(f"{name} = {value}: expected a number in [{low:g}, {high:g}].")


def _at_least(name: str, value: float, low: float) -> None:
    if not low <= value < float("inf"):
        raise UsageError(f"{name} = {value}: expected a finite number of at least {low:g}.")


def _count(name: str, value: int) -> None:
    if value < 1:
        raise UsageError(f"{name} = {value}: expected an integer of at least 1.")
