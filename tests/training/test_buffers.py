"""Replay buffers in chunks that all checkpoints share."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.command import zoo_here
from tests.rows import logged
from zoo import RingBuffer
from zoo.errors import RunError, TrainingFailed
from zoo.training.storage import checkpoint
from zoo.training.storage.buffers import FOLDER, BufferStore, read
from zoo.training.storage.checkpoint import Manifest
from zoo.training.storage.run_dir import find_runs


class Ring:
    """A replay buffer of one array."""

    def __init__(self, capacity: int, dtype: str = "f4", shape: tuple[int, ...] = (3,)) -> None:
        self.array = np.zeros((capacity, *shape), dtype)
        self.written, self.capacity = 0, capacity

    def add(self, count: int) -> None:
        for _ in range(count):
            self.array[self.written % self.capacity] = self.written % 251
            self.written += 1

    @property
    def leaf(self) -> RingBuffer:
        return RingBuffer(self.array, self.written, self.capacity)


def save(folder: Path, step: int, ring: Ring, store: BufferStore) -> dict[str, Any]:
    buffers: dict[str, RingBuffer] = {}
    tensors, skeleton = checkpoint.pack({"replay": {"x": ring.leaf}, "step": step}, buffers)
    assert not tensors
    records = store.write(buffers)
    checkpoint.save(folder, step, tensors, skeleton, Manifest(step=step, buffers=records))
    checkpoint.prune(folder)
    store.tidy([checkpoint.manifest_of(folder, one).buffers for one in checkpoint.steps(folder)[-2:]])
    return records


@pytest.fixture(scope="module", autouse=True)
def no_waiting() -> Iterator[None]:
    """No power is cut here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@settings(max_examples=15)
@given(
    st.integers(1, 70), st.lists(st.integers(0, 90), min_size=1, max_size=12),
    st.sampled_from([("f4", (3,)), ("u1", ()), ("i8", (2, 2)), ("?", (1,)), ("f8", (4,))]), st.data(),
)  # fmt: skip
def test_what_is_written_piece_by_piece_comes_back(
    tmp_path_factory: pytest.TempPathFactory, capacity: int, counts: list[int], kind: Any, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("c") / "checkpoints"
    folder.mkdir()
    ring, store = Ring(capacity, *kind), BufferStore(folder)
    for step, count in enumerate(counts):
        ring.add(count)
        save(folder, step, ring, store)
        loaded = checkpoint.load(folder, step)["replay"]["x"]
        rows = min(ring.written, capacity)
        assert (loaded.written, loaded.capacity, loaded.array.dtype) == (ring.written, capacity, ring.array.dtype)
        assert np.array_equal(loaded.array, ring.array[:rows])
        if data.draw(st.booleans()):  # killed: another process goes on from here, after rows that were never recorded
            if data.draw(st.booleans()):
                lost = Ring(capacity, *kind)
                lost.array, lost.written = ring.array.copy(), ring.written
                lost.add(5)
                store.write({"replay.x": lost.leaf})
            store = BufferStore(folder)
            store.adopt(checkpoint.manifest_of(folder, step).buffers)
            ring.array[:rows] = loaded.array


def test_a_million_transitions_take_a_tenth_more_than_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    capacity = 1_000_000
    ring, store = Ring(capacity, "f4", (4,)), BufferStore(folder)
    whole = ring.array.nbytes
    before = 0
    for step in range(1, 41):
        ring.array[ring.written % capacity :][:50_000] = step
        ring.written += 50_000
        save(folder, step, ring, store)
        grown, before = size(folder) - before, size(folder)
        assert grown <= 1.01 * whole / 20 + 20_000  # what is new, and no more
        assert size(folder) <= 1.1 * whole  # also when it is full, and overwritten a second time
    assert checkpoint.steps(folder) == [39, 40]
    for step in (39, 40):
        assert checkpoint.load(folder, step)["replay"]["x"].written == 50_000 * step or step == 39


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "link", "empty"])
def test_a_damaged_chunk_is_noticed_and_the_rest_still_looked_at(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    ring = Ring(100)
    ring.add(60)
    records = save(folder, 1, ring, BufferStore(folder))
    file = sorted((folder / FOLDER).rglob("*.rows"))[3]
    raw = bytearray(file.read_bytes())
    file.unlink()
    if damage == "flip":
        raw[5] ^= 1
    if damage in ("flip", "cut", "empty"):
        file.write_bytes(raw if damage == "flip" else raw[:-1] if damage == "cut" else b"")
    if damage == "link":
        file.symlink_to("/dev/zero")
    with pytest.raises(RunError, match="is damaged"):
        checkpoint.load(folder, 1)
    partial = checkpoint.load(folder, 1, partial=True)["replay"]["x"].array
    assert partial.shape == (60, 3) and 0 < (partial != ring.array[:60]).sum() < partial.size
    with pytest.raises(RunError):
        read(folder, {**records["replay.x"], "chunks": []}, "replay.x")


@pytest.mark.parametrize(
    "change",
    [
        {"written": -1}, {"written": "9"}, {"capacity": 0}, {"dtype": "O"}, {"dtype": "f9"}, {"shape": 3},
        {"shape": [-1]}, {"chunks": {}}, {"chunks": [{}]}, {"chunks": [{"first": 0, "rows": 1}]},
    ],
)  # fmt: skip
def test_a_manifest_with_other_records_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    ring = Ring(100)
    ring.add(60)
    path = checkpoint.place(tmp_path, 1) / checkpoint.MANIFEST
    save(tmp_path, 1, ring, BufferStore(tmp_path))
    data = json.loads(path.read_text())
    data["buffers"]["replay.x"] |= change
    del data["sha256"]
    path.write_text(json.dumps(data))
    with pytest.raises(RunError):
        checkpoint.load(tmp_path, 1)


def test_in_memory_a_state_is_a_copy() -> None:
    ring = Ring(10)
    ring.add(4)
    tensors, skeleton = checkpoint.pack({"a": [ring.leaf]})
    ring.add(10)
    (back,) = checkpoint.unpack(tensors, json.loads(checkpoint.to_json(skeleton)))["a"]
    assert (back.written, back.capacity, back.array[:, 0].tolist()) == (4, 10, [0, 1, 2, 3])


def test_a_nan_in_a_new_row_ends_the_run(tmp_path: Path) -> None:
    ring = Ring(10)
    ring.add(4)
    ring.array[2, 1] = np.nan
    with pytest.raises(TrainingFailed, match="x holds a NaN"):
        BufferStore(tmp_path).write({"member.x": ring.leaf})


COMMAND = "train sac Pendulum-v1 --learning-starts 100 --buffer-size 250 --batch-size 16 --eval-episodes 1 --quiet"
SAC = [*COMMAND.split(), "--network.net-arch", "16"]


def test_an_off_policy_run_is_small_and_resumes_bit_for_bit(tmp_path: Path) -> None:
    pytest.importorskip("zoo_sb3")
    every = ("--checkpoint-every", "60", "--steps", "420")
    assert zoo_here(*SAC, *every, "--dir", "whole", cwd=tmp_path).returncode == 0
    (whole,) = find_runs(tmp_path / "whole")
    assert "replay buffer takes up to 10 kB on the disk" in (whole / "log.txt").read_text()
    rows = 250 * 4 * (3 + 3 + 1 + 1 + 1 + 1)
    assert rows <= size(whole / "checkpoints" / FOLDER) <= 1.7 * rows  # two checkpoints, 128 steps apart
    steps = checkpoint.steps(whole / "checkpoints")
    shutil.copytree(tmp_path / "whole", tmp_path / "torn")
    (torn,) = find_runs(tmp_path / "torn")
    shutil.rmtree(checkpoint.place(torn / "checkpoints", steps[-1]))
    (torn / "status.json").unlink()
    done = zoo_here(*SAC, *every, "--dir", "torn", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert logged(torn) == logged(whole)
    files = [checkpoint.place(run / "checkpoints", steps[-1]) / checkpoint.TENSORS for run in (torn, whole)]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert _chunks(torn) == _chunks(whole)
    early = zoo_here("eval", str(whole), "return", "--episodes", "1", "--checkpoint", str(steps[0]), cwd=tmp_path)
    assert early.returncode == 0, early.stderr
    extended = zoo_here("train", "--resume", str(whole), "--steps", "600", "--quiet", cwd=tmp_path)
    assert extended.returncode == 0, extended.stderr
    verified = zoo_here("show", "whole", "--verify", cwd=tmp_path)
    assert verified.returncode == 0 and "not kept any more" not in verified.stderr, verified.stdout
    chunk = max((whole / "checkpoints" / FOLDER).rglob("*.rows"), key=os.path.getsize)
    chunk.write_bytes(chunk.read_bytes()[:-1])
    assert zoo_here("show", str(whole), "--verify", cwd=tmp_path).returncode == 1


def _chunks(run: Path) -> dict[str, bytes]:
    folder = run / "checkpoints" / FOLDER
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.rows")}
