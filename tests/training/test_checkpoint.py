from __future__ import annotations

import json
import math
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zoo.errors import InterfaceError, RunError
from zoo.training.storage import checkpoint

ARRAYS = hnp.arrays(
    st.sampled_from(["f4", "f8", "i4", "i8", "u1", "?", "c16", "u8", "f2"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
PLAIN = st.none() | st.booleans() | st.integers(-(2**130), 2**130) | st.floats() | st.text(max_size=5)
KEYS = st.text(max_size=5).filter(lambda key: not key.startswith("$"))
STATES = st.recursive(
    PLAIN | ARRAYS,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return (math.copysign(1, a) == math.copysign(1, b) and a == b) or (a != a and b != b)
    return bool(a == b)


@given(st.dictionaries(KEYS, STATES, max_size=4))
def test_what_is_packed_comes_back_bit_for_bit(state: dict[str, Any]) -> None:
    import safetensors.numpy

    tensors, skeleton = checkpoint.pack(state)
    stored = json.loads(checkpoint.to_json(skeleton))
    assert same(checkpoint.unpack(safetensors.numpy.load(safetensors.numpy.save(tensors)), stored), state)


def test_torch_tensors_come_back_as_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    state = {"a": torch.arange(6.0).reshape(2, 3).t(), "b": torch.tensor([1.5, -2.0], dtype=torch.bfloat16)}
    checkpoint.save(tmp_path, 3, *checkpoint.pack(state))
    back = checkpoint.load(tmp_path, 3)
    assert all(torch.equal(back[name], state[name]) and back[name].dtype == state[name].dtype for name in state)


@pytest.mark.parametrize(
    ("state", "path"),
    [
        ({"a": {"b": [1, object()]}}, r"state\.a\.b\[1\] is a object"),
        ({"a": np.array(["x"])}, r"state\.a is an array of <U1"),
        ({"a": {1: 2}}, r"state\.a has the key 1"),
        ({"$float": 1}, "has the key"),
    ],
)
def test_what_is_no_data_is_refused_by_its_path(state: dict[str, Any], path: str) -> None:
    with pytest.raises(InterfaceError, match=path):
        checkpoint.pack(state)


def test_a_packed_array_does_not_change_with_the_original() -> None:
    array = np.zeros(3)
    tensors, _ = checkpoint.pack({"a": array})
    array[:] = 1
    assert tensors["a"].tolist() == [0, 0, 0]


@given(st.binary(min_size=1, max_size=4), st.integers(0, 10**6))
def test_any_damage_is_noticed(tmp_path_factory: pytest.TempPathFactory, noise: bytes, where: int) -> None:
    folder = tmp_path_factory.mktemp("c")
    path = checkpoint.save(folder, 1, *checkpoint.pack({"x": np.arange(5.0), "y": "text"}))
    for name in (checkpoint.TENSORS, checkpoint.SKELETON):
        content = (path / name).read_bytes()
        spot = where % len(content)
        damaged = content[:spot] + noise + content[spot + len(noise) :]
        if damaged == content:
            continue
        (path / name).write_bytes(damaged)
        with pytest.raises(RunError, match="damaged"):
            checkpoint.load(folder, 1)
        (path / name).write_bytes(content)
    assert checkpoint.load(folder, 1)["y"] == "text"


def test_a_newer_format_is_refused_by_number(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 1, *checkpoint.pack({"x": 1}))
    manifest = json.loads((path / checkpoint.MANIFEST).read_text())
    (path / checkpoint.MANIFEST).write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(RunError, match=r"has format 99: this zoo reads up to 1"):
        checkpoint.load(tmp_path, 1)


def test_pruning_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    for step in range(1, 7):
        checkpoint.save(tmp_path, step, *checkpoint.pack({"x": step}))
    checkpoint.prune(tmp_path, newest=2, keep={3})
    assert checkpoint.steps(tmp_path) == [3, 5, 6]


WRITER = """
import itertools, sys
from pathlib import Path
import numpy as np
from zoo.training.storage import checkpoint
for step in itertools.count(1):
    state = {"x": np.full(50_000, float(step)), "step": step}
    checkpoint.save(Path(sys.argv[1]), step, *checkpoint.pack(state))
    checkpoint.prune(Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_a_killed_writer_loses_no_published_checkpoint(tmp_path: Path) -> None:
    chance = random.Random(5)
    kills = 0
    for attempt in range(8):
        folder = tmp_path / str(attempt)
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)])
        while not checkpoint.steps(folder):
            time.sleep(0.01)
            assert process.poll() is None
        time.sleep(chance.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        published = checkpoint.steps(folder)
        for step in published:
            state = checkpoint.load(folder, step)
            assert state["step"] == step
            assert (state["x"] == step).all()
        kills += 1
        checkpoint.save(folder, 10**9, *checkpoint.pack({"x": 0}))
        assert not list(folder.glob(".tmp-*"))
    assert kills == 8
