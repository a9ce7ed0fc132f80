"""Options of deep-lambda and lambda-ac, and the check that all options here share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


def check_option(name: str, value: object, fits: bool, expected: str) -> None:
    """Check one option.

    Raises:
        ValueError: it does not fit; the sentence names it and what was expected.
    """
    if not fits:
        raise ValueError(f"{name} is {value}: expected {expected}")


@dataclass(frozen=True, kw_only=True)
class DeepLambdaConfig:
    """Options of deep-lambda."""

    lam: float = field(default=0.5, metadata={"flag": "lambda"})
    """part of a feature's reward that remains once collected, in [0, 1]; 1: successor features, 0: first occupancy"""
    gamma: float = 0.99
    """discount factor, in [0, 1]"""
    learning_rate: float = 1e-3
    """step size of Adam, above 0"""
    hidden: tuple[int, ...] = (128, 128)
    """units of each hidden layer"""
    batch_size: int = 64
    """transitions per gradient step, at least 1"""
    epochs: int = 1
    """passes over each batch of collected transitions, at least 1"""
    tau: float = 0.01
    """step of the target network towards the learned one after each gradient step, in (0, 1]"""

    def __post_init__(self) -> None:
        """Raises ValueError: a number is outside its range."""
        check_option("lambda", self.lam, 0 <= self.lam <= 1, "a number between 0 and 1")
        check_option("gamma", self.gamma, 0 <= self.gamma <= 1, "a number between 0 and 1")
        check_option("learning_rate", self.learning_rate, self.learning_rate > 0, "a number above 0")
        check_option("hidden", self.hidden, all(units >= 1 for units in self.hidden), "layers of 1 unit or more")
        check_option("batch_size", self.batch_size, self.batch_size >= 1, "1 or more")
        check_option("epochs", self.epochs, self.epochs >= 1, "1 or more")
        check_option("tau", self.tau, 0 < self.tau <= 1, "a number above 0, at most 1")


@dataclass(frozen=True, kw_only=True)
class LambdaACConfig:
    """Options of lambda-ac."""

    lam: float | None = field(default=None, metadata={"flag": "lambda"})
    """what is left of a state's reward after a visit, in [0, 1]; 1: a plain critic; unset: the environment's, or 1"""
    paid: Literal["arrival", "departure"] = "arrival"
    """whether the reward of a step is that of the state arrived in, or of the state left"""
    gamma: float = 0.99
    """discount factor, in [0, 1]"""
    td_lambda: float = 0.9
    """mixture of bootstraps in the critic's target, in [0, 1]: 0 is one step, 1 the whole sequence"""
    learning_rate: float = 3e-4
    """step size of Adam, above 0"""
    sequence: int = 32
    """steps between two gradient steps, and through which the memory is differentiated, at least 1"""
    lstm: int = 128
    """units of the actor's memory, at least 1"""
    hidden: int = 128
    """hidden units that the value and the lambda features share, at least 1"""
    ent_coef: float = 0.01
    """weight of the entropy bonus, at least 0"""
    vf_coef: float = 0.5
    """weight of the value's loss, at least 0"""
    lf_wt: float = 0.1
    """weight of the lambda features' loss, at least 0"""
    max_grad_norm: float = 0.5
    """clip the norm of the gradient to this, above 0"""

    def __post_init__(self) -> None:
        """Raises ValueError: a number is outside its range."""
        if self.lam is not None:
            check_option("lambda", self.lam, 0 <= self.lam <= 1, "a number between 0 and 1")
        for name in ("gamma", "td_lambda"):
            check_option(name, getattr(self, name), 0 <= getattr(self, name) <= 1, "a number between 0 and 1")
        for name in ("ent_coef", "vf_coef", "lf_wt"):
            check_option(name, getattr(self, name), getattr(self, name) >= 0, "0 or more")
        for name in ("learning_rate", "max_grad_norm"):
            check_option(name, getattr(self, name), getattr(self, name) > 0, "a number above 0")
        for name in ("sequence", "lstm", "hidden"):
            check_option(name, getattr(self, name), getattr(self, name) >= 1, "1 or more")
