"""Noticing the use of process-wide random generators."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from zoo.testing.contract import Contract


@contextmanager
def global_generators_unused(contract: Contract, what: str) -> Iterator[None]:
    """Require that the block leaves the global generators of numpy, Python and (if loaded) torch alone.

    Raises:
        AssertionError: naming the generator that was drawn from or seeded.
    """
    before = _read()
    yield
    after = _read()
    for name, state in before.items():
        contract.require(
            after[name] == state,
            f"{what} drew from or seeded the global generator of {name}: use ctx.rng, ctx.stream(name), or a "
            "generator of your own made from ctx.seed",
        )


def _read() -> dict[str, Any]:
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002  (read, to see whether anybody uses it)
    states: dict[str, Any] = {"numpy": (kind, np.asarray(keys).tobytes(), *rest), "random": random.getstate()}
    if "torch" in sys.modules:
        import torch

        states["torch"] = torch.get_rng_state().numpy().tobytes()
    return states
