"""Values of options that commands share: counts, seeds, times; argparse calls these with the text of one."""

from __future__ import annotations

import argparse
import os
import re
from typing import Any

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def set_threads(count: int) -> None:
    """Tell numerical libraries, before they are imported, how many threads to use."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        os.environ[name] = str(count)


def count(text: str) -> int:
    """The value of an option that counts something: 1 or more."""
    value = natural(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is too small: expected 1 or more")
    return value


def natural(text: str) -> int:
    """The value of an option that is a whole number of 0 or more, such as 50000 or 1e6."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != int(value) if abs(value) < 1e18 else True:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, such as 50000 or 1e6")
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative: expected 0 or more")
    return int(value)


def seeds(text: str) -> list[int]:
    """The value of ``--seeds``."""
    from zoo.training import parse_seeds

    try:
        return list(parse_seeds(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def seconds(text: str) -> float:
    """The value of an option that is a time."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: expected a number with s, m, h or d, such as 90s")
    return float(match[1]) * _SECONDS[match[2]]


def cadence(text: str) -> Any:
    """The value of ``--checkpoint-every``: a number of steps, or a time."""
    from zoo.training import Cadence

    if re.fullmatch(r"\d+(\.\d+)?[smhd]", text):
        return Cadence(seconds=seconds(text))
    if re.fullmatch(r"[1-9]\d*(e\d)?", text):
        return Cadence(steps=natural(text))
    raise argparse.ArgumentTypeError(f"{text!r} is neither steps nor a time: expected such as 10000 or 30s")
