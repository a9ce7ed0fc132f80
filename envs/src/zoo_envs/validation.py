"""Range checks of constructor arguments: each error names the argument, its value and the range."""

from __future__ import annotations

import math
import operator

__all__ = ["integer", "real"]


def integer(name: str, value: object, low: int, high: int | None = None) -> int:
    """Return `value` as an int.

    Raises:
        ValueError: `value` is not an integer, or lies outside [low, high] (no upper end if `high` is None).
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or number < low or (high is not None and number > high):
        expected = f"an integer of at least {low}" if high is None else f"an integer in [{low}, {high}]"
        raise ValueError(f"{name} must be {expected}, got {value!r}")
    return number


def real(name: str, value: float, low: float, high: float = math.inf, *, open_above: bool = False) -> float:
    """Return `value` as a finite float.

    Raises:
        ValueError: `value` is not a finite number, or lies outside [low, high] ([low, high) if `open_above`).
    """
    if math.isinf(high):
        expected = f"a finite number of at least {low:g}" if math.isfinite(low) else "a finite number"
    else:
        expected = f"a number in [{low:g}, {high:g}{')' if open_above else ']'}"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be {expected}, got {value!r}") from None
    if not math.isfinite(number) or number < low or number > high or (open_above and number == high):
        raise ValueError(f"{name} must be {expected}, got {number!r}")
    return number
