"""The same code for numpy on the CPU and torch elsewhere: the few operations whose names differ between the two.

On the CPU the arrays of a learner are numpy's: a call on a few hundred numbers costs a third of torch's, and torch is
not even imported. On any other device they are torch tensors. All other code uses what both libraries share:
operators, ``exp``, ``matmul``, ``concat`` and the like from ``namespace(array)``, methods with positional arguments.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import Array, UsageError


def namespace(array: Array) -> Any:
    """The module whose functions accept ``array``: numpy or torch."""
    return np if isinstance(array, np.ndarray) else sys.modules["torch"]


def on_device(array: NDArray[Any], device: str) -> Array:
    """``array`` itself for "cpu", else a tensor on ``device``; float64 becomes float32.

    Raises:
        UsageError: torch is not installed, or does not know the device.
    """
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    if device == "cpu":
        return array
    try:
        import torch

        return torch.from_numpy(array).to(device)
    except ImportError:
        raise UsageError(f"device {device!r} needs torch: pip install 'zoo-onpolicy[torch]', or use cpu.") from None
    except (AssertionError, RuntimeError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(f"device {device!r} cannot be used: {reason}.") from None


def on_host(array: Array) -> NDArray[Any]:
    """A numpy array with the same numbers, which shares memory with ``array`` where possible."""
    return array if isinstance(array, np.ndarray) else array.detach().cpu().numpy()


def compact(array: Array) -> Array:
    """``array``, contiguous in memory in the order of its axes."""
    return np.ascontiguousarray(array) if isinstance(array, np.ndarray) else array.contiguous()


def take_rows(table: Array, rows: Array) -> Array:
    """``table[rows]`` [M, W] of a table [n, W]."""
    return table.take(rows, axis=0) if isinstance(table, np.ndarray) else table.index_select(0, rows)


def add_rows(total: Array, rows: Array, values: Array) -> None:
    """``total[rows[i]] += values[i]`` for every i, repeated rows included; arrays [n, W], [M] and [M, W]."""
    if isinstance(total, np.ndarray):
        width = total.shape[1]
        entries = (rows[:, None] * width + np.arange(width)).ravel()
        total += np.bincount(entries, values.ravel(), total.size).reshape(total.shape)
    else:
        total.index_add_(0, rows, values)
