"""Reading an argument as an array of real numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def real(x: Any, name: str) -> NDArray[np.float64]:
    """``x`` as float64.

    Raises:
        ValueError: it is not an array, or has entries that are not real numbers.
    """
    try:
        found = np.asarray(x)
    except (TypeError, ValueError, RuntimeError):  # the last from a torch tensor that requires a gradient
        raise ValueError(f"{name} cannot be read as an array: expected real numbers (a tensor detached)") from None
    if found.dtype.kind not in "biuf" and found.size:
        raise ValueError(f"{name} has entries of type {found.dtype}: expected real numbers")
    return found.astype(np.float64)
