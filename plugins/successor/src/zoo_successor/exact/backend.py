"""Where arrays come from and go back to: numpy, scipy.sparse or torch in, the same kind out, float64 inside.

The mathematics is written once, with the operators and methods that numpy arrays and torch tensors share
(``@``, ``/``, ``.diagonal()``, ``.sum(-1)``). Torch is looked at only where the caller has imported it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp

Array: TypeAlias = Any
"""A numpy array, a scipy.sparse array or a torch tensor."""


@dataclass(frozen=True)
class Backend:
    """The kind of arrays that a call was given, and so the kind that it returns.

    Attributes:
        kind: ``"numpy"``, ``"sparse"`` or ``"torch"``.
        device: where torch tensors live; None for the others.
    """

    kind: str
    device: Any = None

    @classmethod
    def of(cls, **inputs: Array) -> Backend:
        """The one kind, device and precision of the arrays in ``inputs``; plain numbers and lists pass.

        scipy.sparse may be mixed with numpy; integers and booleans with any precision.

        Raises:
            ValueError: torch beside numpy or scipy.sparse, two devices, or two floating-point precisions.
        """
        arrays = {name: x for name, x in inputs.items() if sp.issparse(x) or isinstance(x, np.ndarray) or is_torch(x)}
        if not arrays:
            return cls("numpy")
        _agree("libraries", {name: "torch" if is_torch(x) else "numpy" for name, x in arrays.items()})
        _agree("precisions", {name: kind for name, x in arrays.items() if (kind := _precision(name, x))})
        devices = {name: str(x.device) for name, x in arrays.items() if is_torch(x)}
        _agree("devices", devices)
        if devices:
            return cls("torch", next(x.device for x in arrays.values()))
        return cls("sparse" if any(sp.issparse(x) for x in arrays.values()) else "numpy")

    @property
    def xp(self) -> ModuleType:
        """The module to compute with: numpy or torch."""
        return sys.modules["torch"] if self.kind == "torch" else np

    def dense(self, x: Array) -> Array:
        """``x`` as a dense float64 array to compute with; it may share memory with ``x``."""
        if self.kind == "torch":
            x = self.xp.as_tensor(x, dtype=self.xp.float64, device=self.device)
            return x.to_dense() if x.layout != self.xp.strided else x
        return np.asarray(x.toarray() if sp.issparse(x) else x, dtype=np.float64)

    def to_caller(self, table: Array) -> Array:
        """A table of states by states in the kind that was given: scipy.sparse callers get a ``csr_array``."""
        return compressed(table) if self.kind == "sparse" else table

    def from_numpy(self, x: np.ndarray) -> Array:
        """A numpy array computed on the host, where the caller's arrays live."""
        return self.xp.as_tensor(x, device=self.device) if self.kind == "torch" else x


def compressed(table: np.ndarray) -> sp.csr_array:
    """A dense C-ordered ``table [n, m]`` without its zeros; several times quicker than scipy's own conversion."""
    n, m = table.shape
    nonzero = np.flatnonzero(table != 0)
    starts = np.searchsorted(nonzero, np.arange(n + 1) * m)
    return sp.csr_array((table.reshape(-1)[nonzero], nonzero % m, starts), shape=(n, m))


def is_torch(x: object) -> bool:
    """Whether ``x`` is a torch tensor; does not import torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def host(x: Array) -> np.ndarray:
    """``x`` as a dense numpy array on the host, in its own precision."""
    if is_torch(x):
        x = x.detach()
        return np.asarray((x.to_dense() if str(x.layout) != "torch.strided" else x).cpu())
    return np.asarray(x.toarray() if sp.issparse(x) else x)


def _precision(name: str, x: Array) -> str:
    """The floating-point type of ``x`` ("float32"), empty for integers and booleans."""
    dtype = str(x.dtype).removeprefix("torch.")
    if dtype.startswith("float") or dtype == "bfloat16":
        return dtype
    if dtype.startswith(("int", "uint", "bool")):
        return ""
    raise ValueError(f"{name} has dtype {dtype}: expected real numbers.")


def _agree(what: str, values: dict[str, str]) -> None:
    if len(set(values.values())) > 1:
        listed = ", ".join(
            f"{name} in {value}" if what == "libraries" else f"{name}: {value}" for name, value in values.items()
        )
        raise ValueError(f"the arrays are of different {what} ({listed}): expected one, convert them first.")
