"""The arrays of an algorithm by dotted names, as safetensors."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from zoo import Explicit, LoadedRun, RingBuffer

Arrays = dict[str, NDArray[Any]]


def arrays_of(loaded: LoadedRun) -> tuple[Arrays, list[str]]:
    """The arrays of the algorithm's state, and of its policy table where it is explicit.

    Returns:
        Arrays by dotted name (``policy.*`` are the weights of a policy that is a torch module, ``policy`` a table
        float64 [S, A]), and the names of replay buffers, which are left out.
    """
    arrays: Arrays = {}
    buffers: list[str] = []
    for name, leaf in _leaves(loaded.algorithm.state(), "state"):
        if isinstance(leaf, RingBuffer):
            buffers.append(name)
        elif hasattr(leaf, "detach"):
            arrays[name] = leaf.detach().cpu().numpy()
        elif isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biuf":
            arrays[name] = leaf
    module = policy_module(loaded)
    if module is not None:
        arrays |= {f"policy.{name}": weight.detach().cpu().numpy() for name, weight in module.state_dict().items()}
    if isinstance(loaded.algorithm, Explicit):
        arrays["policy"] = np.asarray(loaded.algorithm.policy(), dtype=np.float64)
    return arrays, buffers


def policy_module(loaded: LoadedRun) -> Any:
    """The policy as a ``torch.nn.Module`` from observations [B, ...] to what ``act`` does, or None.

    Algorithms whose policy is one offer it by an optional method of this name. If ``act`` samples although it is
    asked for the greedy action, noise [B, N] is the module's second input; its attribute ``noise`` then names the
    distribution, "standard normal" or "standard Gumbel", and N, and ``algorithm.act_on(observations, noise)`` does
    the same.
    """
    found = getattr(loaded.algorithm, "policy_module", None)
    return found() if found is not None and importlib.util.find_spec("torch") else None


def write_tensors(arrays: Arrays, path: Path) -> None:
    """Write them."""
    path.write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def listing(arrays: Arrays) -> dict[str, dict[str, Any]]:
    """Shape and type by name."""
    return {name: {"shape": list(array.shape), "dtype": str(array.dtype)} for name, array in arrays.items()}


def _leaves(state: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(state, Mapping):
        for key, value in state.items():
            yield from _leaves(value, f"{name}.{key}")
    elif isinstance(state, (list, tuple)):
        for index, value in enumerate(state):
            yield from _leaves(value, f"{name}.{index}")
    else:
        yield name, state
