"""Replay buffers on disk: append-only chunks that all checkpoints of a run share.

A buffer is a log of rows. Each chunk is a file of consecutive rows, to which rows are only ever appended; a checkpoint
records, for each chunk it needs, how many rows it had and the SHA-256 of these. So a checkpoint writes what is new and
nothing else, and a damaged or missing row is noticed. Chunks that the two newest checkpoints do not need are removed.
"""

from __future__ import annotations

import hashlib
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import RunError, TrainingFailed
from zoo.ring import RingBuffer
from zoo.training.storage.documents import is_count
from zoo.training.storage.files import hash_file, is_folder, open_read, open_write, sync_directory

FOLDER = "buffers"
_CHUNK_BYTES = 64 << 20
_CHUNKS = 25
"""chunks of a full buffer, at least, so that of the oldest chunk at most this fraction of it is kept beyond need"""
Rows = NDArray[Any]


@dataclass
class _Chunk:
    """Consecutive rows in one file, and the running digest of them."""

    first: int
    rows: int = 0
    running: Any = field(default_factory=hashlib.sha256)

    def to_json(self) -> dict[str, Any]:
        return {"first": self.first, "rows": self.rows, "sha256": self.running.hexdigest()}


@dataclass
class _Series:
    """The chunks of one buffer, oldest first; only the last one grows."""

    written: int = 0
    chunks: list[_Chunk] = field(default_factory=list)


class BufferStore:
    """Writes the buffers of one run into ``checkpoints/buffers``.

    Args:
        checkpoints: the folder of all checkpoints of the run.
    """

    def __init__(self, checkpoints: Path) -> None:
        self._folder = checkpoints / FOLDER
        self._series: dict[str, _Series] = {}

    def write(self, buffers: Mapping[str, RingBuffer]) -> dict[str, Any]:
        """Append the rows that are new, and return the record of each buffer for the manifest.

        Raises:
            OSError: it cannot be written.
            TrainingFailed: a new row holds a NaN.
        """
        records = {}
        for name, buffer in buffers.items():
            array = _numpy(buffer.array)
            series = self._series.setdefault(name, _Series())
            folder = self._folder / folder_of(name)
            folder.mkdir(parents=True, exist_ok=True)
            self._append(folder, name, series, buffer, array)
            needed = [chunk for chunk in series.chunks if chunk.first + chunk.rows > buffer.written - buffer.capacity]
            records[name] = {
                "written": buffer.written, "capacity": buffer.capacity, "dtype": array.dtype.str,
                "shape": list(array.shape[1:]), "chunks": [chunk.to_json() for chunk in needed],
            }  # fmt: skip
            series.chunks = needed
        return records

    def _append(self, folder: Path, name: str, series: _Series, buffer: RingBuffer, array: Rows) -> None:
        size = _chunk_rows(buffer.capacity, array)
        next_row = max(series.written, buffer.written - buffer.capacity)
        fresh = False
        while next_row < buffer.written:
            chunk = series.chunks[-1] if series.chunks else None
            if chunk is None or chunk.first + chunk.rows != next_row or chunk.rows >= size:
                chunk = _Chunk(next_row)
                series.chunks.append(chunk)
                fresh = True
            place = next_row % buffer.capacity
            count = min(size - chunk.rows, buffer.written - next_row, buffer.capacity - place)
            rows = np.ascontiguousarray(array[place : place + count])
            if rows.dtype.kind == "f" and np.isnan(rows).any():
                raise TrainingFailed(f"{name.removeprefix('member.')} holds a NaN.")
            data = rows.reshape(-1).view(np.uint8).data
            with open_write(folder / _file(chunk.first)) as file:
                file.truncate(chunk.rows * _row_bytes(array))
                file.seek(0, os.SEEK_END)
                while data:
                    data = data[file.write(data) :]
                os.fsync(file.fileno())
            chunk.running.update(rows.reshape(-1).view(np.uint8).data)
            chunk.rows += count
            next_row += count
            series.written = next_row
        if fresh:
            sync_directory(folder)

    def adopt(self, records: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint recorded, which has been read and found sound.

        Raises:
            RunError: a chunk is not there.
        """
        for name, record in records.items():
            folder = self._folder / folder_of(name)
            row = _row_bytes(np.empty((0, *record["shape"]), record["dtype"]))
            chunks = [_Chunk(found["first"], found["rows"]) for found in record["chunks"]]
            for chunk, found in zip(chunks, record["chunks"], strict=True):
                # Only the last one grows; of the others the digest is enough.
                last = chunk is chunks[-1]
                chunk.running = (
                    hash_file(folder / _file(chunk.first), chunk.rows * row) if last else _FixedDigest(found["sha256"])
                )
            self._series[name] = _Series(record["written"], chunks)

    def tidy(self, kept: Sequence[Mapping[str, Any]]) -> None:
        """Remove the chunks that none of these records needs."""
        needed = {
            (folder_of(name), _file(chunk["first"]))
            for records in kept
            for name, record in records.items()
            for chunk in record["chunks"]
        }
        for folder in self._folder.iterdir() if is_folder(self._folder) else ():
            for file in folder.iterdir():
                if (folder.name, file.name) not in needed:
                    file.unlink()


@dataclass(frozen=True)
class _FixedDigest:
    """The digest of a chunk that is complete."""

    sha256: str

    def hexdigest(self) -> str:
        return self.sha256


def read(checkpoints: Path, record: Mapping[str, Any], name: str, *, partial: bool = False) -> Rows:
    """The rows of a buffer that were written, ``[min(written, capacity), ...]``, at their places.

    Args:
        checkpoints: the folder of all checkpoints of the run.
        record: as ``BufferStore.write`` made it.
        name: of the buffer.
        partial: rows that are not there any more are 0, for readers of the rest of a checkpoint.

    Raises:
        RunError: a chunk is missing or damaged.
    """
    written, capacity, chunks = record["written"], record["capacity"], record["chunks"]
    array = np.zeros((min(written, capacity), *record["shape"]), record["dtype"])
    row, first = _row_bytes(array), max(0, written - capacity)
    reached = first
    for chunk in chunks:
        path = checkpoints / FOLDER / folder_of(name) / _file(chunk["first"])
        try:
            with open_read(path) as file:
                data = file.read(chunk["rows"] * row)
        except (OSError, RunError):
            data = b""
        if hashlib.sha256(data).hexdigest() != chunk["sha256"]:
            if partial:
                continue
            raise RunError(f"buffer {path} is damaged: it is not what was written.")
        rows = np.frombuffer(data, array.dtype).reshape(-1, *array.shape[1:])
        start = max(first, chunk["first"])
        places = np.arange(start, chunk["first"] + chunk["rows"]) % capacity
        array[places] = rows[start - chunk["first"] :]
        reached = chunk["first"] + chunk["rows"] if chunk["first"] <= reached else reached
    if reached != written and not partial:
        raise RunError(f"buffer {name} is damaged: rows {reached} to {written} are missing.")
    return array


def problem(checkpoints: Path, records: Mapping[str, Any]) -> str:
    """What is wrong with the chunks of a checkpoint, in a few words; empty if they are what was written."""
    for name, record in records.items():
        row = _row_bytes(np.empty((0, *record["shape"]), record["dtype"]))
        for chunk in record["chunks"]:
            path = checkpoints / FOLDER / folder_of(name) / _file(chunk["first"])
            try:
                if hash_file(path, chunk["rows"] * row).hexdigest() != chunk["sha256"]:
                    return f"{path.name} of its buffer {name} is not what was written"
            except (OSError, RunError):
                return f"{path.name} of its buffer {name} is missing"
    return ""


def check(records: Mapping[str, Any], where: Path) -> None:
    """Refuse malformed records.

    Raises:
        RunError: naming the file.
    """
    for name, record in records.items():
        good = (
            isinstance(record, dict) and all(is_count(record.get(key)) for key in ("written", "capacity"))
            and record["capacity"] > 0 and isinstance(record.get("dtype"), str) and _is_plain(record["dtype"])
            and isinstance(record.get("shape"), list) and all(map(is_count, record["shape"]))
            and isinstance(record.get("chunks"), list)
            and all(
                isinstance(chunk, dict) and is_count(chunk.get("first")) and is_count(chunk.get("rows"))
                and isinstance(chunk.get("sha256"), str) for chunk in record["chunks"]
            )
        )  # fmt: skip
        if not good:
            raise RunError(f"{where} does not say what its buffer {name!r} held.")


def _is_plain(dtype: str) -> bool:
    try:
        return np.dtype(dtype).kind in "biufc"
    except TypeError:
        return False


def disk_notice(buffers: Mapping[str, RingBuffer], most: int, folder: Path) -> str:
    """A sentence on the disk that the buffers of a run will take, of which at most ``most`` rows are written."""
    size = sum(min(ring.capacity, most) * _row_bytes(_numpy(ring.array)) for ring in buffers.values())
    if not size:
        return ""
    free = shutil.disk_usage(folder).free
    short = f"; only {_bytes(free)} are free" if free < size else ""
    return f"its replay buffer takes up to {_bytes(size)} on the disk in all, shared by its checkpoints{short}."


def _bytes(size: float) -> str:
    power = min(4, int(math.log(size, 1000))) if size >= 1 else 0
    return f"{size / 1000**power:.3g} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"


def folder_of(name: str) -> str:
    """The folder of a buffer: short, and fit for any file system."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _file(first: int) -> str:
    return f"{first:015d}.rows"


def _numpy(array: Any) -> Rows:
    if hasattr(array, "detach"):
        array = array.detach().cpu().numpy()
    rows = np.asarray(array)
    return rows.astype(rows.dtype.newbyteorder("="), copy=False)


def _row_bytes(array: Rows) -> int:
    return max(1, array.dtype.itemsize * math.prod(array.shape[1:]))


def _chunk_rows(capacity: int, array: Rows) -> int:
    return max(1, min(capacity // _CHUNKS, _CHUNK_BYTES // _row_bytes(array)))
