"""Types and ranges that the options of all algorithms share."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal, TypeAlias

Schedule: TypeAlias = float | tuple[float, float]
"""a constant, or (start, end): linear in the fraction of the budget that has been used"""

TrainFrequency: TypeAlias = int | tuple[int, Literal["step", "episode"]]
"""a number of vector steps, or (number, unit); "episode" needs a single environment"""

EntropyCoefficient: TypeAlias = float | Literal["auto"] | tuple[Literal["auto"], float]
"""a constant, "auto" to learn it from 1, or ("auto", initial value)"""

Policy: TypeAlias = Literal["auto", "MlpPolicy", "CnnPolicy", "MultiInputPolicy"]
ActionNoise: TypeAlias = Literal["normal", "ornstein-uhlenbeck"]

_UNIT = ("gamma", "gae_lambda", "tau", "cg_damping", "line_search_shrinking_factor", "exploration_fraction",
         "exploration_initial_eps", "exploration_final_eps", "batch_norm_momentum")  # fmt: skip
_NON_NEGATIVE = ("learning_rate", "clip_range", "ent_coef", "vf_coef", "learning_starts", "action_noise_std",
                 "target_policy_noise", "target_noise_clip",
                 "top_quantiles_to_drop_per_net", "renorm_warmup_steps")  # fmt: skip
_POSITIVE = ("n_steps", "batch_size", "n_epochs", "clip_range_vf", "max_grad_norm", "target_kl",
             "buffer_size", "train_freq", "target_update_interval", "policy_delay", "rms_prop_eps",
             "cg_max_steps", "line_search_max_iter", "n_critic_updates", "sub_sampling_factor", "net_arch",
             "critic_arch", "n_critics", "n_quantiles", "lstm_hidden_size", "n_lstm_layers",
             "batch_norm_eps")  # fmt: skip


class Checked:
    """A base for dataclasses of options whose numbers are checked at construction."""

    def __post_init__(self) -> None:
        """Check every range.

        Raises:
            ValueError: a number is outside its range; the message names the option.
        """
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            check(field.name, getattr(self, field.name))


def check(name: str, value: object) -> None:
    """Check the number in the option ``name``, or all numbers if it is a tuple, against the option's range.

    Raises:
        ValueError: a number is outside the range, or not finite.
    """
    numbers = [
        item
        for item in (value if isinstance(value, tuple) else (value,))
        if isinstance(item, (int, float)) and not isinstance(item, bool)
    ]
    for number in numbers:
        if not math.isfinite(number):
            raise ValueError(f"{name} is {number}: expected a finite number")
        if name in _UNIT and not 0 <= number <= 1:
            raise ValueError(f"{name} is {number}: expected a number between 0 and 1")
        if name in _NON_NEGATIVE and number < 0:
            raise ValueError(f"{name} is {number}: expected 0 or more")
        if name in _POSITIVE and number <= 0:
            raise ValueError(f"{name} is {number}: expected a number above 0")
