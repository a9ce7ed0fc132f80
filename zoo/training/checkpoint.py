"""State to safetensors and JSON and back, published atomically (architecture, section 9).

A nested ``State`` is split into named tensors and a JSON skeleton that points at them. No pickle. A
checkpoint is a directory that appears by one rename after every file in it has reached the disk; its
manifest, written last, holds a SHA-256 of each file, so that a damaged one is recognised and passed over.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from zoo.api import State
from zoo.errors import InterfaceError, RunError

FORMAT = 1
TENSORS, SKELETON, MANIFEST = "tensors.safetensors", "state.json", "manifest.json"
_PREFIX = "step-"
_TEMPORARY = ".tmp-"
Tensors = dict[str, NDArray[Any]]


def pack(state: State) -> tuple[Tensors, Any]:
    """Split ``state`` into a flat name -> array map and a JSON skeleton.

    Raises:
        InterfaceError: a leaf is neither a tensor, an array, nor plain data; the message names its path.
    """
    tensors: Tensors = {}
    return tensors, _pack(state, "", tensors)


def _pack(value: Any, path: str, tensors: Tensors) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str) or key.startswith("$"):
                raise InterfaceError(
                    f"state{path} has the key {key!r}: expected a string that does not begin with '$'."
                )
        return {key: _pack(item, f"{path}.{key}", tensors) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_pack(item, f"{path}[{index}]", tensors) for index, item in enumerate(value)]
        return {"$tuple": items} if isinstance(value, tuple) else items
    return _pack_array(value, path, tensors)


def _pack_array(value: Any, path: str, tensors: Tensors) -> Any:
    mark: dict[str, Any] = {"$array": path.lstrip(".")}
    if type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach"):
        mark["torch"] = str(value.dtype).removeprefix("torch.")
        value = value.detach().cpu()
        if mark["torch"] == "bfloat16":  # numpy has no such type: carry the bits
            import torch

            value = value.view(torch.int16)
        value = value.numpy()
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biufc":
        what = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
        raise InterfaceError(f"state{path} is {what}: expected a tensor, a numeric array or plain data.")
    array = np.array(value, dtype=value.dtype.newbyteorder("="), order="C", copy=True)
    if array.dtype.kind == "c":  # stored as pairs of floats
        mark["complex"] = array.dtype.name
        array = array.reshape(*array.shape, 1).view(array.real.dtype)
    tensors[mark["$array"]] = array
    return mark


def unpack(tensors: Mapping[str, NDArray[Any]], skeleton: Any) -> Any:
    """Put together what ``pack`` took apart; torch tensors come back on the CPU."""
    if isinstance(skeleton, list):
        return [unpack(tensors, item) for item in skeleton]
    if not isinstance(skeleton, dict):
        return skeleton
    if "$float" in skeleton:
        return float(skeleton["$float"])
    if "$tuple" in skeleton:
        return tuple(unpack(tensors, item) for item in skeleton["$tuple"])
    if "$array" not in skeleton:
        return {key: unpack(tensors, item) for key, item in skeleton.items()}
    array = tensors[skeleton["$array"]]
    if "complex" in skeleton:
        array = array.view(skeleton["complex"])[..., 0]
    if "torch" not in skeleton:
        return array
    import torch

    tensor = torch.from_numpy(array)
    return tensor.view(torch.bfloat16) if skeleton["torch"] == "bfloat16" else tensor


def nonfinite(tensors: Mapping[str, NDArray[Any]], prefix: str) -> str:
    """Name of the first floating-point tensor under ``prefix`` that holds a NaN; empty if there is none."""
    for name, array in tensors.items():
        if name.startswith(prefix) and array.dtype.kind == "f" and np.isnan(array).any():
            return name
    return ""


def write_file(path: Path, data: bytes) -> None:
    """Write and wait until the bytes are on the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace ``path`` atomically: a reader sees the old content or the new, never a part.

    Args:
        path: the file.
        data: its new content.
        durable: also wait for the disk, so that a power cut cannot lose it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    if durable:
        write_file(temporary, data)
    else:
        temporary.write_bytes(data)
    temporary.replace(path)


def sync_directory(path: Path) -> None:
    """Make the names in ``path`` durable, where the system has a notion of that."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def to_json(data: Any) -> bytes:
    """Valid JSON, UTF-8, with a newline at the end."""
    return (json.dumps(data, allow_nan=False, ensure_ascii=False, indent=1) + "\n").encode()


def save(folder: Path, step: int, tensors: Tensors, skeleton: Any) -> Path:
    """Publish a checkpoint as ``folder/step-<12 digits>``; on return it is whole and durable.

    Left-overs of a killed writer are removed first. An existing checkpoint of the same step is replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(stale, ignore_errors=True)
    temporary = folder / f"{_TEMPORARY}{step:012d}"
    temporary.mkdir()
    files = {TENSORS: safetensors.numpy.save(tensors), SKELETON: to_json(skeleton)}
    for name, data in files.items():
        write_file(temporary / name, data)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    write_file(temporary / MANIFEST, to_json({"format": FORMAT, "step": step, "files": digests}))
    sync_directory(temporary)
    final = folder / f"{_PREFIX}{step:012d}"
    if final.exists():
        _remove(final)
    temporary.rename(final)
    sync_directory(folder)
    return final


def steps(folder: Path) -> list[int]:
    """Steps of the published checkpoints in ``folder``, oldest first; not verified."""
    names = (path.name.removeprefix(_PREFIX) for path in folder.glob(f"{_PREFIX}*"))
    return sorted(int(name) for name in names if name.isdigit())


def load(folder: Path, step: int) -> Any:
    """The state of one checkpoint.

    Raises:
        RunError: it is missing, damaged, or of a newer format.
    """
    path = folder / f"{_PREFIX}{step:012d}"
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
        if manifest["format"] > FORMAT:
            raise RunError(f"checkpoint {path} has format {manifest['format']}: this zoo reads up to {FORMAT}.")
        contents = {name: (path / name).read_bytes() for name in (TENSORS, SKELETON)}
        for name, data in contents.items():
            if hashlib.sha256(data).hexdigest() != manifest["files"][name]:
                raise RunError(f"checkpoint {path} is damaged: {name} is not what was written.")
        return unpack(safetensors.numpy.load(contents[TENSORS]), json.loads(contents[SKELETON]))
    except (OSError, KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise RunError(f"checkpoint {path} is damaged: {error}") from error


def prune(folder: Path, *, newest: int = 2, keep: Collection[int] = ()) -> None:
    """Remove all checkpoints but the ``newest`` ones and those of the steps in ``keep``."""
    for step in steps(folder)[:-newest]:
        if step not in keep:
            _remove(folder / f"{_PREFIX}{step:012d}")


def _remove(published: Path) -> None:
    """Unpublish by one rename, then delete: killed in between, no half checkpoint bears a published name."""
    leaving = published.with_name(f"{_TEMPORARY}removed-{published.name}")
    published.rename(leaving)
    shutil.rmtree(leaving, ignore_errors=True)
