"""Random streams by name: adding a consumer later never shifts the others (architecture, section 10)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

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
