"""Random streams by name: adding a consumer later never shifts the others."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def child(seed: int, name: str) -> np.random.SeedSequence:
    """The seed sequence of the consumer called ``name`` in a run with root seed ``seed`` >= 0."""
    import numpy as np

    return np.random.SeedSequence([seed, zlib.crc32(name.encode())])


def child_seed(seed: int, name: str) -> int:
    """A ready-made seed in [0, 2**31) for ``name``, for libraries that want one number."""
    return int(child(seed, name).generate_state(1)[0]) & 0x7FFFFFFF


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator for ``name``."""
    import numpy as np

    return np.random.default_rng(child(seed, name))


def seed_torch(seed: int) -> None:
    """Seed torch's global generator for one run, if torch is loaded at all."""
    if "torch" in sys.modules:
        import torch

        torch.manual_seed(child_seed(seed, "torch"))


def capture_torch() -> Any:
    """State of torch's global generators (CPU, and CUDA where it is in use); None if torch is not loaded."""
    if "torch" not in sys.modules:
        return None
    import torch

    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def restore_torch(state: Any) -> None:
    """Undo everything since ``capture_torch`` returned ``state``."""
    if state is None:
        return
    import torch

    torch.set_rng_state(state["cpu"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])


@contextmanager
def keeping_torch() -> Iterator[None]:
    """Put torch's global generators back afterwards: judging more often must not change what is learned."""
    before = capture_torch()
    try:
        yield
    finally:
        restore_torch(before)
