"""Options."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StackedConfig:
    """Options of stacked."""

    rate: float = 0.1
    """step size of the averages, in (0, 1]"""
