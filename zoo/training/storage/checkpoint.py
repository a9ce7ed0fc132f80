"""State to safetensors and JSON and back, published atomically.

A nested ``State`` is split into named tensors and a JSON skeleton that points at them. No pickle. A
checkpoint is a directory that appears by one rename after every file in it has reached the disk; its
manifest, written last, holds a SHA-256 of each file, so that a damaged one is recognised and passed over.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from zoo.api import State
from zoo.errors import InterfaceError, NewerFormatError, RunError
from zoo.ring import RingBuffer
from zoo.training.storage.buffers import check as check_buffers
from zoo.training.storage.buffers import read as read_buffer
from zoo.training.storage.documents import MANIFEST as MANIFEST_CHECKS
from zoo.training.storage.documents import checked, is_count
from zoo.training.storage.files import (
    check_seal,
    digest,
    is_folder,
    open_read,
    read_json,
    sealed,
    sync_directory,
    to_json,
    write_file,
)
from zoo.training.storage.logs import Mark

FORMAT = 1
TENSORS, SKELETON, MANIFEST = "tensors.safetensors", "state.json", "manifest.json"
_PREFIX = "step-"
_TEMPORARY = ".tmp-"
Tensors = dict[str, NDArray[Any]]


def pack(state: State, buffers: dict[str, RingBuffer] | None = None) -> tuple[Tensors, Any]:
    """Split ``state`` into a flat name -> array map and a JSON skeleton.

    Args:
        state: what to split.
        buffers: the ring buffers are put in here by name, and left out of the map; by default they are copied into it.

    Raises:
        InterfaceError: a leaf is neither a tensor, an array, nor plain data; the message names its path.
    """
    tensors: Tensors = {}
    return tensors, _pack(state, "", tensors, buffers)


def _pack(value: Any, path: str, tensors: Tensors, buffers: dict[str, RingBuffer] | None) -> Any:
    if isinstance(value, RingBuffer):
        header = {"written": value.written, "capacity": value.capacity}
        if buffers is None:
            return {"$ring": header, "rows": _pack_array(value.array[: value.rows], path, tensors)}
        buffers[path.lstrip(".")] = value
        return {"$ring": header, "buffer": path.lstrip(".")}
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
        return {key: _pack(item, f"{path}.{key}", tensors, buffers) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_pack(item, f"{path}[{index}]", tensors, buffers) for index, item in enumerate(value)]
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


def unpack(tensors: Mapping[str, NDArray[Any]], skeleton: Any, buffers: Mapping[str, NDArray[Any]] = {}) -> Any:
    """Put together what ``pack`` took apart; torch tensors come back on the CPU.

    Args:
        tensors: arrays by name.
        skeleton: JSON data that refers to them.
        buffers: rows of the ring buffers that were left out, by name.
    """
    if isinstance(skeleton, list):
        return [unpack(tensors, item, buffers) for item in skeleton]
    if not isinstance(skeleton, dict):
        return skeleton
    if "$float" in skeleton:
        return float(skeleton["$float"])
    if "$tuple" in skeleton:
        return tuple(unpack(tensors, item, buffers) for item in skeleton["$tuple"])
    if "$ring" in skeleton:
        rows = buffers[skeleton["buffer"]] if "buffer" in skeleton else unpack(tensors, skeleton["rows"])
        return RingBuffer(rows, skeleton["$ring"]["written"], skeleton["$ring"]["capacity"])
    if "$array" not in skeleton:
        return {key: unpack(tensors, item, buffers) for key, item in skeleton.items()}
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


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The manifest of a checkpoint: its files, and the run at that moment.

    Attributes:
        step: environment steps.
        files: SHA-256 of each file.
        key: of the run's spec; empty where an older zoo wrote it.
        logs: how far each log of the run went, by file name; None where an older zoo wrote it.
        best: step of the best evaluation so far.
        finished: whether the run was over.
        summary: digest of what the status of the run must say then, see ``summary_of``; empty where it is not known.
        buffers: the arrays that are kept in chunks, as ``BufferStore`` records them.
    """

    step: int
    files: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    logs: Mapping[str, Mark] | None = None
    best: int | None = None
    finished: bool = False
    summary: str = ""
    buffers: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        logs = {name: mark.to_json() for name, mark in (self.logs or {}).items()}
        return {
            "format": FORMAT, "step": self.step, "files": dict(self.files), "key": self.key, "logs": logs,
            "best": self.best, "finished": self.finished, "summary": self.summary, "buffers": dict(self.buffers),
        }  # fmt: skip


def summary_of(step: int, metrics: Mapping[str, float], score: Mapping[str, float]) -> str:
    """Digest of the numbers that both a checkpoint and the status of its run hold."""
    return digest(json.loads(json.dumps([step, dict(metrics), dict(score)])))


def save(folder: Path, step: int, tensors: Tensors, skeleton: Any, header: Manifest | None = None) -> Path:
    """Publish a checkpoint as ``folder/step-<12 digits>``; on return it is whole and durable.

    Left-overs of a killed writer are removed first. An existing checkpoint of the same step is replaced.

    Args:
        folder: of all checkpoints of a run; its parent must be there.
        step: environment steps.
        tensors: as ``pack`` gives them.
        skeleton: likewise.
        header: the other fields of the manifest.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    folder.mkdir(exist_ok=True)
    for stale in folder.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(stale, ignore_errors=True)
    temporary = folder / f"{_TEMPORARY}{step:012d}"
    temporary.mkdir()
    try:
        files = {TENSORS: safetensors.numpy.save(tensors), SKELETON: to_json(skeleton)}
        for name, data in files.items():
            write_file(temporary / name, data)
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        manifest = replace(header or Manifest(step=step), step=step, files=digests)
        write_file(temporary / MANIFEST, to_json(sealed(manifest.to_json())))
        sync_directory(temporary)
        final = place(folder, step)
        if final.exists():
            _remove(final)
        temporary.rename(final)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_directory(folder)
    return final


def steps(folder: Path) -> list[int]:
    """Steps of the published checkpoints in ``folder``, oldest first; not verified."""
    if not is_folder(folder):
        return []
    names = (path.name.removeprefix(_PREFIX) for path in folder.glob(f"{_PREFIX}*") if is_folder(path))
    return sorted(int(name) for name in names if name.isdecimal() and name.isascii())


def manifest_of(folder: Path, step: int) -> Manifest:
    """The manifest of a checkpoint.

    Raises:
        RunError: it is missing, damaged, or of a newer format.
    """
    path = place(folder, step)
    try:
        data = read_json(path / MANIFEST)
        if isinstance(data, dict) and is_count(data.get("format")) and data["format"] > FORMAT:
            raise NewerFormatError(
                f"checkpoint {path} has format {data['format']}: this zoo reads up to {FORMAT}.",
                "Install the zoo that wrote it.",
            )
        checked(data, MANIFEST_CHECKS, path / MANIFEST, "a manifest", ("format", "files"))
        check_seal(data, path / MANIFEST)
    except NewerFormatError:
        raise
    except RunError as error:
        raise RunError(f"checkpoint {path} cannot be used: {error.message}") from error
    logs = data.get("logs")
    check_buffers(data.get("buffers", {}), path / MANIFEST)
    return Manifest(
        step=step, files=data["files"], key=data.get("key", ""), best=data.get("best"),
        finished=data.get("finished", False), summary=data.get("summary", ""), buffers=data.get("buffers", {}),
        logs=None if logs is None else {name: Mark.from_json(mark, path / MANIFEST) for name, mark in logs.items()},
    )  # fmt: skip


def load(folder: Path, step: int, *, partial: bool = False) -> Any:
    """The state of one checkpoint.

    Args:
        folder: of all checkpoints of a run.
        step: environment steps.
        partial: what of a replay buffer is not kept any more may be 0: for readers that will not go on from it.

    Raises:
        RunError: it is missing, damaged, or of a newer format.
    """
    path = place(folder, step)
    manifest = manifest_of(folder, step)
    try:
        contents = {}
        for name in (TENSORS, SKELETON):
            with open_read(path / name) as file:
                contents[name] = file.read()
            if hashlib.sha256(contents[name]).hexdigest() != manifest.files[name]:
                raise RunError(f"checkpoint {path} is damaged: {name} is not what was written.")
        buffers = {
            name: read_buffer(folder, record, name, partial=partial) for name, record in manifest.buffers.items()
        }
        return unpack(safetensors.numpy.load(contents[TENSORS]), json.loads(contents[SKELETON]), buffers)
    except (OSError, KeyError, TypeError, ValueError, RecursionError, safetensors.SafetensorError) as error:
        raise RunError(f"checkpoint {path} is damaged: {error}") from error


def place(folder: Path, step: int) -> Path:
    """The directory in which the checkpoint of a step is published."""
    return folder / f"{_PREFIX}{step:012d}"


def prune(folder: Path, *, newest: int = 2, keep: Collection[int] = (), after: int | None = None) -> None:
    """Remove checkpoints.

    Args:
        folder: of all checkpoints of a run.
        newest: how many of the newest stay.
        keep: steps of others that stay.
        after: remove only those of later steps, all of them.
    """
    published = steps(folder)
    for step in published[:-newest] if after is None else [step for step in published if step > after]:
        if after is not None or step not in keep:
            _remove(place(folder, step))


def _remove(published: Path) -> None:
    """Unpublish by one rename, then delete: killed in between, no half checkpoint bears a published name."""
    leaving = published.with_name(f"{_TEMPORARY}removed-{published.name}")
    published.rename(leaving)
    shutil.rmtree(leaving, ignore_errors=True)
