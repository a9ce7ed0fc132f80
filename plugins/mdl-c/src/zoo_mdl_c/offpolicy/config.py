"""Options of MDL-C off policy for discrete actions; loads neither numpy nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from zoo_onpolicy.config import check

from zoo_mdl_c.config import PenalisedDefault, TaskOptions

__all__ = ["DiscreteSACConfig", "OffPolicyOptions"]


@dataclass(frozen=True, kw_only=True)
class OffPolicyOptions(PenalisedDefault, TaskOptions):
    """Options that both off-policy forms share, in addition to those of their actor-critics."""

    task_steps: int = 8000
    """sequential: environment steps of each task, at least 1"""
    alpha: float = 0.05
    """weight of KL(pi_theta, pi_w) in the critics' targets and the actor's loss, at least 0"""
    hidden: tuple[str, ...] = ()
    """groups of the environment's features that the default does not see"""
    online_steps: int = 1
    """online: gradient steps with every one of the actor's, on the same states"""

    def _check(self) -> None:
        self._check_tasks()
        self._check_default(self.setting)
        self._check_length()
        check("task_steps", self.task_steps, self.task_steps >= 1, "at least 1")
        check("alpha", self.alpha, self.alpha >= 0, "at least 0")


@dataclass(frozen=True, kw_only=True)
class DiscreteSACConfig(OffPolicyOptions):
    """Options of mdl-c-discrete-sac."""

    net_arch: tuple[int, ...] = (64, 64)
    """units of each hidden layer of actor and critics"""
    learning_rate: float = 0.001
    """step size of Adam, of actor and critics"""
    buffer_size: int = 100_000
    """transitions of the present task that are kept for replay"""
    learning_starts: int = 500
    """environment steps of a task before learning starts on it"""
    batch_size: int = 128
    """transitions per gradient step"""
    train_freq: int = 1
    """vector steps of a task between two training phases, at least 1"""
    gradient_steps: int = 1
    """gradient steps per training phase"""
    gamma: float = 0.99
    """discount factor, in [0, 1]"""
    tau: float = 0.01
    """step of the target networks towards the learned ones, in [0, 1]; 1: a copy"""

    def __post_init__(self) -> None:
        """Check every range."""
        self._check()
        for name in (
            "buffer_size",
            "batch_size",
            "train_freq",
            "gradient_steps",
            *(["net_arch"] if self.net_arch else []),
        ):
            value = getattr(self, name)
            least = min(value) if isinstance(value, tuple) else value
            check(name, least, least >= 1, "at least 1")
        check("learning_starts", self.learning_starts, self.learning_starts >= 0, "at least 0")
        check("learning_rate", self.learning_rate, self.learning_rate > 0, "more than 0")
        for name in ("gamma", "tau"):
            check(name, getattr(self, name), 0 <= getattr(self, name) <= 1, "between 0 and 1")
