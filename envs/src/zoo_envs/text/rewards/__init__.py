"""Reward models that users bring: a function with a decorator is one."""

from __future__ import annotations

from zoo_envs.text.rewards.functions import RewardFunctionError, reward_function

__all__ = ["RewardFunctionError", "reward_function"]
