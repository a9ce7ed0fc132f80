"""Options of the methods and comparators; imports no numpy.

The abstract of the paper (arXiv:2211.14469) gives neither a ground cost nor values, and its body was not available: all
default values are this project's, chosen on ``tvd-grid``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Behaviour = Literal["policy", "uniform"]


@dataclass(frozen=True, kw_only=True)
class TransferConfig:
    """Options that all methods share: the source policy, and the reward-free samples of the target."""

    source: str = "exact"
    """"exact" (the optimum of a tabular source), the folder of a run, or a network's weights: a .zip of
    stable-baselines3 or a .safetensors, also as package:file; read, never written or unpickled"""
    episodes: int = 600
    """episodes of the target, and as many of the source, from which f is found, at least 1"""
    horizon: int = 20
    """steps of each, at least 1"""
    epsilon: float = 0.1
    """probability of a uniform action where a policy is followed for its data, in [0, 1]"""

    def __post_init__(self) -> None:
        """Check every range."""
        _at_least("episodes", self.episodes, 1)
        _at_least("horizon", self.horizon, 1)
        if not 0.0 <= self.epsilon <= 1.0:
            raise ValueError(f"epsilon = {self.epsilon}: expected a number in [0, 1].")
        if not self.source.strip():
            raise ValueError("source is empty: expected 'exact', the folder of a run, or a file of weights.")
        if self.source != "exact" and Path(self.source).exists():  # so that a resumed run finds it from any folder
            object.__setattr__(self, "source", str(Path(self.source).resolve()))


@dataclass(frozen=True, kw_only=True)
class TvDConfig(TransferConfig):
    """TvD: trajectories of the source policy and of the pushforward policy, matched by optimal transport."""

    episodes: int = 300
    """episodes of each collection in the target, and of the one in the source, at least 1"""
    epsilon: float = 0.5
    """probability of a uniform action where a policy is followed for its data, in [0, 1]; near 0 a wrong f leaves the
    pushforward policy stuck at the nearest wall, and its trajectories tell nothing"""
    cost: Literal["state", "state-action", "transition", "trajectory"] = "trajectory"
    """ground cost; the paper: of trajectories"""
    behaviour: Behaviour = "policy"
    """whom the data follow: "policy": the source policy there, and the pushforward policy here, anew at every
    iteration; "uniform": uniform actions on both sides, once"""
    map: Literal["affine", "orthogonal", "permutation", "mlp"] = "affine"
    """the undo map f"""
    iterations: int = 15
    """refits of f from each start at most, at least 1"""
    tol: float = 1e-6
    """stop where the objective changes by less than this share of itself, at least 0"""
    starts: int = 0
    """whitened orthogonal starts beside the identity, of which the lowest objective is kept; their steps count too"""
    lam_a: float = 300.0
    """weight of an action that differs, at least 0; the sliced solver only asks whether it is 0"""
    lam_d: float = 10.0
    """weight of the difference of displacements, at least 0"""
    solver: Literal["auto", "exact", "entropic", "sliced"] = "auto"
    """of the transport; "auto": exact up to 2,000 distinct samples a side, sliced beyond"""
    policy_term: bool = False
    """add the score-function part of the gradient, by centred dual potentials; needs behaviour "policy", cost
    "trajectory" and a source with known probabilities (a network of logits, or "exact" with a bandwidth), from which
    the actions on both sides are then drawn"""
    bandwidth: float = 0.0
    """of an exact source policy that is read smoothly, in units of its coordinates; 0: the nearest cell"""
    hidden: int = 32
    """units in each of the two hidden layers of an mlp, at least 1"""
    inner_steps: int = 100
    """gradient steps of one refit, where f is an mlp or policy_term is on, at least 1"""
    inner_rate: float = 0.003
    """size of these steps, above 0"""

    def __post_init__(self) -> None:
        """Check every range, and that the options fit together."""
        super().__post_init__()
        for name, least in (("iterations", 1), ("starts", 0), ("hidden", 1), ("inner_steps", 1)):
            _at_least(name, getattr(self, name), least)
        for name in ("tol", "lam_a", "lam_d", "bandwidth"):
            _at_least(name, getattr(self, name), 0)
        _above_zero("inner_rate", self.inner_rate)
        if self.bandwidth and self.source != "exact":
            raise ValueError(f"bandwidth needs source = exact: {self.source} is read as it is.")
        if self.policy_term and self.behaviour != "policy":
            raise ValueError("policy_term needs behaviour = policy: data of uniform actions do not depend on f.")
        if self.policy_term and self.cost != "trajectory":
            raise ValueError(f"policy_term needs cost = trajectory: its derivative does not hold for {self.cost}.")
        if self.policy_term and self.map not in ("affine", "mlp"):
            raise ValueError(f"policy_term needs a map with a gradient, affine or mlp: map = {self.map} has none.")
        if self.policy_term and self.solver in ("entropic", "sliced"):
            raise ValueError(f"policy_term needs the exact dual potentials: solver = {self.solver} has none.")


@dataclass(frozen=True, kw_only=True)
class TvDTransitionConfig(TvDConfig):
    """TvD with our transition cost on uniformly chosen actions."""

    episodes: int = 600
    """episodes of the target, and as many of the source, at least 1"""
    cost: Literal["state", "state-action", "transition", "trajectory"] = "transition"
    """ground cost"""
    behaviour: Behaviour = "uniform"
    """whom the data follow: "policy" or "uniform", as for tvd"""


@dataclass(frozen=True, kw_only=True)
class MomentsConfig(TransferConfig):
    """f from moments alone."""

    per_action: bool = False
    """match the mean displacement under each action, in place of the covariance of the states"""


@dataclass(frozen=True, kw_only=True)
class CloningConfig(TransferConfig):
    """A policy of its own for the target, cloned from matched states of the source."""

    hidden: int = 32
    """units in each of its two hidden layers, at least 1"""
    inner_steps: int = 1000
    """gradient steps, at least 1"""
    inner_rate: float = 0.003
    """size of these steps, above 0"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        _at_least("hidden", self.hidden, 1)
        _at_least("inner_steps", self.inner_steps, 1)
        _above_zero("inner_rate", self.inner_rate)


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """Options of the evaluator ``transfer``."""

    episodes: int = 100
    """fresh episodes of each policy, at least 1"""

    def __post_init__(self) -> None:
        """Check every range."""
        _at_least("episodes", self.episodes, 1)


def _at_least(name: str, value: float, least: float) -> None:
    if value == float("inf"):
        raise ValueError(f"{name} = inf: expected a finite number.")
    if not value >= least:
        raise ValueError(f"{name} = {value}: expected at least {least}.")


def _above_zero(name: str, value: float) -> None:
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} = {value}: expected a finite number above 0.")
