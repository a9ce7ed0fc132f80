"""Options."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WandererConfig:
    """Options of wanderer."""

    rate: float = 0.1
    """step size of the averages, in (0, 1]"""


@dataclass(frozen=True, kw_only=True)
class RowsConfig:
    """Options of successor-rows."""

    gamma: float = 0.5
    """discount, in [0, 1)"""
