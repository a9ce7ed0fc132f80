"""The earlier run whose default policy a new run keeps frozen: reading it, and recording which policy it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo import UsageError

__all__ = ["digest", "pinned", "saved_default"]


def saved_default(run: Path) -> np.ndarray:
    """The probabilities [S, A] of the default policy in the newest checkpoint of a tabular run.

    Raises:
        UsageError: the directory is not that of a run of rpo or tvpo.
    """
    from safetensors.numpy import load_file

    steps = sorted((run / "checkpoints").glob("step-*"))
    try:
        folder = steps[-1]
        state: Any = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        name = state["member"]["algorithm"]["pi_0"]["$array"]
        return np.asarray(load_file(folder / "tensors.safetensors")[name])
    except (IndexError, KeyError, OSError, TypeError, ValueError):
        seeds = sorted(run.glob("seed-*"))
        if seeds:
            raise UsageError(f"{run} is a folder of seeds: expected one of them, such as {seeds[0]}.") from None
        raise UsageError(f"{run} has no default policy: expected the directory of a run of rpo or tvpo.") from None


def digest(p: np.ndarray) -> str:
    """SHA-256 of probabilities, by which a changed default policy is recognised."""
    return hashlib.sha256(np.ascontiguousarray(p, dtype="<f8").tobytes()).hexdigest()


def pinned(options: Sequence[str]) -> tuple[str, ...]:
    """Options of ``frozen`` with the run's resolved path and the digest of its default policy.

    Options that have a digest, or whose run cannot be read, are returned unchanged; the latter raise when the default
    policy is built.
    """
    values = dict(option.partition("=")[::2] for option in options)
    if not values.get("run") or "sha256" in values or len(values) < len(options):
        return tuple(options)
    path = Path(values["run"]).expanduser().resolve()
    try:
        current = digest(saved_default(path))
    except UsageError:
        return tuple(options)
    return tuple(f"{name}={value}" for name, value in {**values, "run": str(path), "sha256": current}.items())
