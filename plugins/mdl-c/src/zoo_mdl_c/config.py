"""Options of MDL-C and its baselines on the on-policy learner; loads neither numpy nor torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from zoo_onpolicy.config import PPOConfig, Schedule, check

from zoo import UsageError

__all__ = [
    "DefaultPolicyEvaluatorConfig",
    "DistralConfig",
    "MDLCConfig",
    "ManualIAConfig",
    "POConfig",
    "RPOConfig",
    "VDOPOConfig",
]


@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """Options of the sequence of tasks."""

    setting: Literal["sequential", "parallel"] = "sequential"
    """one task after another, control reset and default kept; or a task for each episode, and one control policy"""
    order: Literal["drawn", "distinct"] = "drawn"
    """sequential: tasks drawn from the environment's distribution, or each of them at most once"""
    held_out: int = 0
    """sequential: of the tasks the last so many are new ones, on which the default no longer learns; at least 0"""
    rule_change: int = 0
    """sequential: after so many tasks the rule changes, where the environment's tasks have another; 0: never"""

    def _check_tasks(self) -> None:
        for name in ("held_out", "rule_change"):
            check(name, getattr(self, name), getattr(self, name) >= 0, "at least 0")
        if self.setting == "parallel":
            for name, plain in (("order", "drawn"), ("held_out", 0), ("rule_change", 0)):
                if getattr(self, name) != plain:
                    raise UsageError(
                        f"{name} = {getattr(self, name)} needs setting = sequential: in parallel tasks have no order."
                    )


@dataclass(frozen=True, kw_only=True)
class TaskUpdates(TaskOptions):
    """Options of the length of a task, in updates."""

    task_updates: int = 40
    """sequential: updates of each task, at least 1"""
    held_out_updates: int = 10
    """sequential: updates of each task that is held out, at least 1"""

    def _check_tasks(self) -> None:
        super()._check_tasks()
        for name in ("task_updates", "held_out_updates"):
            check(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")


@dataclass(frozen=True, kw_only=True)
class DefaultOptions:
    """Options of the default policy's learning."""

    default_update: Literal["online", "replay"] = "replay"
    """when the default learns: with every update, or after each task from states and final policies of all so far"""
    default_arch: tuple[int, ...] = ()
    """units of each hidden layer of the default; none: linear in the observation"""
    default_lr: float = 0.01
    """step size of the default's Adam"""
    default_batch: int = 512
    """states in each of its gradient steps"""
    replay_steps: int = 300
    """replay: gradient steps after each task"""
    replay_states: int = 4096
    """replay: states kept of each task, of those that its last updates visited"""
    online_steps: int = 4
    """online: gradient steps with every update"""

    def _check_default(self, setting: str) -> None:
        for name in (
            "default_batch",
            "replay_steps",
            "replay_states",
            "online_steps",
            *(["default_arch"] if self.default_arch else []),
        ):
            value = getattr(self, name)
            least = min(value) if isinstance(value, tuple) else value
            check(name, least, least >= 1, "at least 1")
        check("default_lr", self.default_lr, self.default_lr > 0, "more than 0")
        if setting == "parallel" and self.default_update == "replay":
            raise UsageError(
                "default_update = replay needs setting = sequential: in parallel no task ends; use online."
            )


@dataclass(frozen=True, kw_only=True)
class DescriptionLength:
    """Options of the penalty on the description length of weights."""

    mdl_coef: float = 3e-4
    """weight of the description length KL(nu || p) of the weights (beta in the paper's objective), at least 0"""
    normalise: Literal["n_eff", "per_weight"] = "n_eff"
    """divide that length by n_eff, or by the number of weights"""
    n_eff: float = 1.0
    """number of data that the mean over states stands for, above 0"""
    mdl_start: int = 0
    """gradient steps before the description length is penalised"""
    mdl_warmup: int = 100
    """gradient steps over which the weight of the penalty then grows linearly"""

    def _check_length(self) -> None:
        for name in ("mdl_coef", "mdl_start", "mdl_warmup"):
            check(name, getattr(self, name), getattr(self, name) >= 0, "at least 0")
        check("n_eff", self.n_eff, self.n_eff > 0, "more than 0")

    def coefficient(self, step: int, weights: int) -> float:
        """Factor of the description length, summed over ``weights`` weights, in gradient step ``step`` (from 0)."""
        ramp = 1.0 if step >= self.mdl_start + self.mdl_warmup else max(step - self.mdl_start, 0) / self.mdl_warmup
        return self.mdl_coef * ramp / (self.n_eff if self.normalise == "n_eff" else weights)


@dataclass(frozen=True, kw_only=True)
class PenalisedDefault(DescriptionLength, DefaultOptions):
    """Options of a default policy whose description length is penalised."""

    noise: Literal["local", "shared"] = "local"
    """noise of the default's weights while it learns: of each state and output, or one draw a gradient step"""


@dataclass(frozen=True, kw_only=True)
class ActorCriticConfig(TaskUpdates, PPOConfig):
    """PPO's options with other default values: one gradient step on each batch of episodes, practically unclipped."""

    learning_rate: Schedule = 0.003
    """step size of Adam; two numbers decay linearly over the budget"""
    n_steps: int = 50
    """vector steps of each update; each begins with new episodes, so the length of an episode is a good choice"""
    batch_size: int = 1_000_000
    """transitions per gradient step; all of the update's where it has fewer"""
    n_epochs: int = 1
    """passes over each update's transitions"""
    gae_lambda: float = 1.0
    """lambda of generalised advantage estimation, in [0, 1]; 1 is the Monte Carlo return"""
    adv_norm: Literal["mixed", "each", "none"] = "none"
    """standardise, over each batch, the mixed advantage, or each head's before mixing, or neither"""
    vf_coef: float | tuple[float, ...] = 0.5
    """weight of the value loss"""
    max_grad_norm: float = 1000.0
    """clip the norm of the gradient to this"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        self._check_tasks()


@dataclass(frozen=True, kw_only=True)
class POConfig(ActorCriticConfig):
    """Options of mdl-c-po: no default policy."""


@dataclass(frozen=True, kw_only=True)
class RPOConfig(DefaultOptions, ActorCriticConfig):
    """Options of mdl-c-rpo: a default policy whose description length is not penalised."""

    reference_kl: Schedule = field(default=0.1, metadata={"flag": "alpha"})
    """weight of the divergence between control and default policy, at least 0; two numbers: linear over the budget"""
    control_kl: Literal["reverse", "forward"] = "reverse"
    """what control minimises: KL(pi_theta, pi_w), or KL(pi_w, pi_theta)"""

    def __post_init__(self) -> None:
        """Check every range."""
        numbers = self.reference_kl if isinstance(self.reference_kl, tuple) else (self.reference_kl,)
        for number in numbers:
            check("alpha", number, number >= 0, "at least 0")
        super().__post_init__()
        self._check_default(self.setting)


@dataclass(frozen=True, kw_only=True)
class ManualIAConfig(RPOConfig):
    """Options of mdl-c-manual-ia: the default policy does not see some features."""

    hidden: tuple[str, ...] = ("goal",)
    """groups of the environment's features that the default does not see"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        if not self.hidden:
            raise UsageError("hidden is empty: expected groups of features, such as goal; or use mdl-c-rpo.")


@dataclass(frozen=True, kw_only=True)
class DistralConfig(RPOConfig):
    """Options of mdl-c-distral: an unpenalised default policy, and an entropy bonus."""

    ent_coef: Schedule = 0.1
    """weight of the entropy bonus, alpha / eta_h; two numbers decay linearly over the budget"""


@dataclass(frozen=True, kw_only=True)
class MDLCConfig(PenalisedDefault, RPOConfig):
    """Options of mdl-c."""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        self._check_length()


@dataclass(frozen=True, kw_only=True)
class VDOPOConfig(DescriptionLength, ActorCriticConfig):
    """Options of mdl-c-vdo-po: no default policy; the description length of the control policy is penalised."""

    log_sigma_init: float = -5.0
    """initial log standard deviation of the control policy's weights"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        self._check_length()
        check("log_sigma_init", self.log_sigma_init, self.log_sigma_init >= -20, "at least -20")


@dataclass(frozen=True, kw_only=True)
class DefaultPolicyEvaluatorConfig:
    """Options of mdl-c-default."""

    export: str | None = None
    """folder for default.safetensors (the pruned weights) and default.json (the report); none: no files"""
