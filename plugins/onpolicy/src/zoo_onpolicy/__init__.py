"""PPO with a value head for each signal: registration, nothing else, so that a list never imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import hookimpl

if TYPE_CHECKING:
    from zoo import Registrar

__all__ = ["zoo_register"]


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register ``ppo-native``."""
    zoo.algorithm(
        "ppo-native",
        "zoo_onpolicy.agent:PPO",
        config="zoo_onpolicy.config:NativeConfig",
        summary="PPO without an autograd graph, many seeds at once, one value head for each signal",
        paper="Schulman et al. 2017, arXiv:1707.06347",
        presets="zoo_onpolicy:presets",
        steps=100_000,
    )
