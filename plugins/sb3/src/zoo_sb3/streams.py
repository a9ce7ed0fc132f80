"""Separate states of the process-wide random generators for each algorithm.

SB3 draws from the global generators of torch, numpy and Python, and from its action space. Other code must not
be affected, so each algorithm keeps its own generator states and swaps them in while SB3 runs.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from gymnasium import Space

Snapshot = dict[str, Any]


class GlobalStreams:
    """One algorithm's states of the global generators and of its action space's generator.

    Args:
        seed: in [0, 2**31); all generators start from it.
        space: the action space that SB3 samples from; no other object may use it.
        device: a torch device; on "cuda" the device's generator is included.
    """

    def __init__(self, seed: int, space: Space[Any], device: str) -> None:
        self._space = space
        self._cuda = torch.device(device) if torch.device(device).type == "cuda" else None
        caller_states = self._read()
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002  (the stream that SB3 reads)
        torch.manual_seed(seed)
        space.seed(seed)
        self._own_states = self._read()
        self._write(caller_states)

    @contextmanager
    def active(self) -> Iterator[None]:
        """A context in which the global generators have this algorithm's states; afterwards the caller's again."""
        caller_states = self._read()
        self._write(self._own_states)
        try:
            yield
        finally:
            self._own_states = self._read()
            self._write(caller_states)

    def _read(self) -> Snapshot:
        return {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self._cuda) if self._cuda else None,
            "numpy": np.random.get_state(),  # noqa: NPY002  (the stream that SB3 reads)
            "python": random.getstate(),
            "space": self._space.np_random.bit_generator.state,
        }

    def _write(self, snapshot: Snapshot) -> None:
        torch.set_rng_state(snapshot["torch"])
        if self._cuda:
            torch.cuda.set_rng_state(snapshot["cuda"], self._cuda)
        np.random.set_state(snapshot["numpy"])  # noqa: NPY002  (the stream that SB3 reads)
        random.setstate(snapshot["python"])
        self._space.np_random.bit_generator.state = snapshot["space"]

    def state(self) -> dict[str, Any]:
        """This algorithm's generator states, as arrays and plain data."""
        name, key, position, has_gauss, gauss = self._own_states["numpy"]
        version, words, python_gauss = self._own_states["python"]
        cuda = self._own_states["cuda"]
        return {
            "torch": self._own_states["torch"].clone(),
            **({"cuda": cuda.clone()} if cuda is not None else {}),
            "numpy": {
                "name": name,
                "key": key.copy(),
                "position": int(position),
                "has_gauss": int(has_gauss),
                "gauss": float(gauss),
            },
            "python": {
                "version": version,
                "words": np.array(words, dtype=np.int64),
                "gauss": python_gauss,
            },
            "space": dict(self._own_states["space"]),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``, as ``state()`` returned it."""
        numpy, python = state["numpy"], state["python"]
        cuda = state.get("cuda")
        self._own_states = {
            "torch": as_bytes(state["torch"]),
            "cuda": self._own_states["cuda"] if cuda is None else as_bytes(cuda),
            "numpy": (
                numpy["name"],
                np.asarray(numpy["key"], dtype=np.uint32),
                int(numpy["position"]),
                int(numpy["has_gauss"]),
                float(numpy["gauss"]),
            ),
            "python": (
                int(python["version"]),
                tuple(int(word) for word in np.asarray(python["words"])),
                python["gauss"],
            ),
            "space": dict(state["space"]),
        }


def as_bytes(tensor: Any) -> torch.Tensor:
    """A generator's state as torch expects it: a copy of type uint8 on the CPU."""
    return torch.as_tensor(tensor, dtype=torch.uint8, device="cpu").clone()
