"""Options of lambda-sac; apart from the others because SAC's own come from zoo-sb3, which is optional."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoo_sb3.config.soft_actor import SACConfig

from zoo_successor.deep.config import check_option


@dataclass(frozen=True, kw_only=True)
class LambdaSACConfig(SACConfig):
    """Options of lambda-sac: those of sac, and lambda."""

    lam: float | Literal["bandit"] = field(default=1.0, metadata={"flag": "lambda"})
    """part of a feature's reward that remains once collected, in [0, 1]; 1: sac; bandit: chosen in each episode"""
    lf_wt: float = 0.1
    """weight of the lambda features' loss beside the critics', at least 0; unused where lambda is 1"""
    ridge: float = 1e-3
    """ridge penalty of the regression of the reward on the base features, at least 0; 0: pseudo-inverse"""
    bandit_lr: float = 0.1
    """step of the bandit's weights, above 0"""
    bandit_decay: float = 0.9
    """decay of the weight of the arm that was played, in [0, 1]"""
    bandit_window: int = 5
    """rounds by whose feedback the next one is normalised, at least 1"""

    def __post_init__(self) -> None:
        """Raises ValueError: a number is outside its range."""
        super().__post_init__()
        if not isinstance(self.lam, str):
            check_option("lambda", self.lam, 0 <= self.lam <= 1, "a number between 0 and 1, or bandit")
        check_option("lf_wt", self.lf_wt, self.lf_wt >= 0, "0 or more")
        check_option("ridge", self.ridge, self.ridge >= 0, "0 or more")
        check_option("bandit_lr", self.bandit_lr, self.bandit_lr > 0, "a number above 0")
        check_option("bandit_decay", self.bandit_decay, 0 <= self.bandit_decay <= 1, "a number between 0 and 1")
        check_option("bandit_window", self.bandit_window, self.bandit_window >= 1, "1 or more")
        one_step = self.n_steps == 1 or self.lam == 1
        check_option("n_steps", self.n_steps, one_step, "1, because the correction for lambda below 1 is for one step")
