"""The options of ``rpo-ppo``."""

from __future__ import annotations

from dataclasses import dataclass

from zoo_onpolicy.config import PPOConfig

from zoo import UsageError
from zoo_rpo.config import Regularisation, at_least


@dataclass(frozen=True, kw_only=True)
class RPOPPOConfig(Regularisation, PPOConfig):
    """Options of PPO, of the regulariser and of the sequence of tasks."""

    updates: int = 20
    """rollouts on each task; then the networks begin anew, and the default policy is kept"""
    default_arch: tuple[int, ...] = (64, 64)
    """units of each hidden layer of a learned default policy"""
    default_epochs: int = 1
    """passes of a learned default policy over each rollout, in minibatches of batch_size"""

    def __post_init__(self) -> None:
        """Check every range."""
        Regularisation.__post_init__(self)
        PPOConfig.__post_init__(self)
        at_least("updates", self.updates, 1)
        at_least("default_epochs", self.default_epochs, 1)
        for units in self.default_arch:
            at_least("default_arch", units, 1)
        if self.reference_kl not in (0, self.lam):  # the learner's name for lambda
            raise UsageError(f"reference_kl = {self.reference_kl}: set the weight of the penalty with --lambda.")
