"""The default policies of this plugin: the options of each, and its construction for an environment."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from zoo import Array, UsageError
from zoo_rpo import pieces
from zoo_rpo.defaults import DefaultPolicy, Distilled, Frozen, MajorityVote, MaskedInput, Uniform
from zoo_rpo.distributions import Distribution
from zoo_rpo.mixture import OptimalMixture
from zoo_rpo.models import Model
from zoo_rpo.regularisers import Regulariser
from zoo_rpo.source import digest, saved_default

__all__ = ["DefaultOptions", "Setting"]

Count = Literal["state", "global"]
Other = Literal["uniform", "worst"]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The environment, regulariser and model for which a default policy is built."""

    states: int | None
    """S, where observations are state numbers; None: they are vectors"""
    features: int
    """D of vectors; S where observations are state numbers, read as one-hot"""
    actions: int | None
    """A, where actions are discrete; None: they are continuous"""
    family: type[Distribution]
    """family of action distributions"""
    regulariser: Regulariser
    """the penalty on policies"""
    lam: float
    """weight of the penalty, lambda"""
    model: Callable[[int, float], Model]
    """builds a model from a number of features and a factor on the policy's step size"""

    def tabular(self, default: str) -> tuple[int, int]:
        """S and A, for the default policy named ``default``.

        Raises:
            UsageError: observations or actions are not discrete.
        """
        if self.states is None or self.actions is None:
            raise UsageError(f"{default} is a table: it needs discrete states and actions; distilled does not.")
        return self.states, self.actions


class DefaultOptions(ABC):
    """A base for registered default policies; a subclass is a frozen dataclass whose fields are the options."""

    @abstractmethod
    def make(self, setting: Setting) -> DefaultPolicy:
        """A new default policy.

        Raises:
            UsageError: it does not suit the setting.
        """


@dataclass(frozen=True)
class UniformOptions(DefaultOptions):
    """``uniform``."""

    def make(self, setting: Setting) -> DefaultPolicy:
        """The uniform policy; refused for continuous actions."""
        if setting.actions is None:
            raise UsageError("there is no uniform distribution over continuous actions: choose another default.")
        return Uniform(setting.actions, dims=int(setting.states is None))


@dataclass(frozen=True)
class FrozenOptions(DefaultOptions):
    """``frozen``: the default policy of an earlier run on the same states."""

    run: str = ""
    """directory of a run of rpo or tvpo (of one seed)"""
    sha256: str = ""
    """digest of that policy, recorded when the run is set up: if the source changes later, or is deleted, the policy
    comes from the run's own checkpoint"""

    def make(self, setting: Setting) -> DefaultPolicy:
        """The policy in the newest checkpoint of the run.

        Raises:
            UsageError: there is none, or it has other states or actions.
        """
        S, A = setting.tabular("frozen")
        if not self.run:
            raise UsageError("the default frozen needs a run: expected --default-options run=DIRECTORY.")
        try:
            saved = saved_default(Path(self.run))
        except UsageError:
            if not self.sha256:
                raise
            return Frozen(self._refuse)
        if self.sha256 and digest(saved) != self.sha256:
            return Frozen(self._refuse)
        if saved.shape != (S, A):
            raise UsageError(f"the default policy of {self.run} has shape {list(saved.shape)}: expected [{S}, {A}].")
        return Frozen(saved)

    def _refuse(self, obs: Array) -> Distribution:
        """The policy of a source that has changed: it can only be replaced by that of the run's own checkpoint."""
        raise UsageError(f"{self.run} no longer holds the default policy with which this run was set up.")


@dataclass(frozen=True)
class MajorityVoteOptions(DefaultOptions):
    """``majority-vote``: the rule of TVPO."""

    tau: float = 10.0
    """how many tasks it takes for the temperature beta_m = exp(-m / tau) to fall by a factor e"""
    count: str = "state"
    """"state": m is the number of tasks with a decision in a state; "global": the number of all tasks"""
    visited_only: bool = False
    """count only where the best policy is expected at least min_visits times in the episodes of an update"""
    min_visits: float = 1.0
    """see visited_only"""

    def __post_init__(self) -> None:
        """Check every range."""
        if not (math.isfinite(self.tau) and self.tau > 0):
            raise UsageError(f"tau = {self.tau}: expected a number above 0.")
        if not (math.isfinite(self.min_visits) and self.min_visits >= 0):
            raise UsageError(f"min_visits = {self.min_visits}: expected a number of at least 0.")
        _one_of("count", self.count, get_args(Count))

    def make(self, setting: Setting) -> DefaultPolicy:
        """A majority vote without any votes yet."""
        S, A = setting.tabular("majority-vote")
        return MajorityVote(
            S, A, tau=self.tau, count=self.count, visited_only=self.visited_only, min_visits=self.min_visits
        )


@dataclass(frozen=True)
class DistilledOptions(DefaultOptions):
    """``distilled``: descends the same penalty as the policies."""

    pi0_lr: float = 0.5
    """step size of the default, as a multiple of the policy's"""
    pi0_scale: float = 10.0
    """further factor on the gradient, beside lambda"""

    def __post_init__(self) -> None:
        """Check every range."""
        for name in ("pi0_lr", "pi0_scale"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise UsageError(f"{name} = {value}: expected a number of at least 0.")

    def make(self, setting: Setting) -> DefaultPolicy:
        """A distilled default with a new model."""
        model = setting.model(setting.features, self.pi0_lr)
        return Distilled(model, setting.family, setting.regulariser, setting.lam * self.pi0_scale)


@dataclass(frozen=True)
class MaskedInputOptions(DefaultOptions):
    """``masked-input``: another default that sees only some features, or distinguishes only some states."""

    keep: str = ""
    """features of a vector, or states, that it sees: numbers and ranges, such as 0:4,7; none if empty"""
    of: str = "distilled"
    """the default that sees them, with the default values of its own options"""

    def __post_init__(self) -> None:
        """Check that the inner default policy learns from observations, so that masking has an effect."""
        if self.of in ("masked-input", "frozen"):
            raise UsageError(f"of = {self.of}: expected a default that learns, such as distilled or majority-vote.")

    def make(self, setting: Setting) -> DefaultPolicy:
        """The masked default, whose model has fewer inputs where observations are vectors."""
        keep = _numbers(self.keep, setting.features)
        if setting.states is None:
            setting = _with_features(setting, len(keep))
        inner = pieces.build("default", self.of)
        return MaskedInput(inner.make(setting), keep, setting.states)


@dataclass(frozen=True)
class OptimalMixtureOptions(DefaultOptions):
    """``optimal-mixture``: computed from each task's optimum; for experiments on the effect of a default's quality."""

    distance: float = 0.0
    """weight d of the other policy: pi_0 = (1 - d) pi* + d other"""
    other: str = "uniform"
    """the other policy: "uniform", or "worst": the action of least value"""

    def __post_init__(self) -> None:
        """Check every range."""
        if not 0 <= self.distance <= 1:
            raise UsageError(f"distance = {self.distance}: expected a number between 0 and 1.")
        _one_of("other", self.other, get_args(Other))

    def make(self, setting: Setting) -> DefaultPolicy:
        """The mixture, uniform until the first task."""
        S, A = setting.tabular("optimal-mixture")
        return OptimalMixture(S, A, self.distance, worst=self.other == "worst")


def _with_features(setting: Setting, features: int) -> Setting:
    from dataclasses import replace

    return replace(setting, features=features)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"{name} is {value!r}: expected {' or '.join(known)}.")


def _numbers(text: str, below: int) -> list[int]:
    """The numbers in a text such as "0:4,7", sorted; all must be in [0, below)."""
    numbers: list[int] = []
    for part in filter(None, text.split(",")):
        first, colon, last = part.partition(":")
        try:
            numbers += range(int(first or 0), int(last) if last else below) if colon else [int(part)]
        except ValueError:
            raise UsageError(f"keep is {text!r}: expected numbers and ranges, such as 0:4,7.") from None
    if any(not 0 <= number < below for number in numbers):
        raise UsageError(f"keep is {text!r}: expected numbers from 0 to {below - 1}.")
    return sorted(set(numbers))
