"""Weights of a run's earlier checkpoints, from their files (docs/interfaces.md, "Run directory")."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

_FOLDER, _STEP, _TENSORS = "checkpoints", "step-", "tensors.safetensors"
_WEIGHTS = "member.algorithm.model."
"""prefix of ``icl-transformer``'s weights"""


def kept_checkpoints(run: Path) -> list[tuple[int, Path]]:
    """Steps and folders of the run's checkpoints, oldest first."""
    folders = (run / _FOLDER).glob(f"{_STEP}*")
    numbered = ((folder.name.removeprefix(_STEP), folder) for folder in folders)
    return sorted((int(step), folder) for step, folder in numbered if step.isdecimal())


def read_weights(folder: Path) -> dict[str, NDArray[Any]]:
    """The model's arrays by name; empty where the checkpoint holds none."""
    from safetensors.numpy import load_file

    tensors = load_file(folder / _TENSORS)
    return {name.removeprefix(_WEIGHTS): array for name, array in tensors.items() if name.startswith(_WEIGHTS)}


def earlier_models(model: Any, run: Path, now: int) -> Iterator[tuple[int, Any]]:
    """The model at every kept checkpoint before step ``now``, oldest first.

    The same object each time, with new weights; nothing for a model that cannot load arrays.
    """
    if not hasattr(model, "load_arrays"):
        return
    then = copy.deepcopy(model)
    for step, folder in kept_checkpoints(run):
        arrays = read_weights(folder) if step < now else {}
        if arrays:
            then.load_arrays(arrays)
            yield step, then
