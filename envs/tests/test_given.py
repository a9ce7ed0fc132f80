"""``zoo/Tabular-v0``: models from objects and files, and files that are not models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
import zoo_envs  # noqa: F401  (registers the ids)
from scipy.sparse import csr_array
from zoo_envs.cmdps.from_arrays import Tabular, TabularVector
from zoo_envs.cmdps.three_state import three_state_model
from zoo_envs.tabular.io import load_model
from zoo_envs.tabular.model import TabularModel

FIELDS = ("P", "r", "gamma", "rho", "c", "b")


def content(model: TabularModel) -> dict[str, Any]:
    """Return the file's keys, as `zoo_envs.tabular` documents them."""
    data: dict[str, Any] = {key: getattr(model, key) for key in FIELDS}
    data["sense"] = [-1 if sense == ">=" else 1 for sense in model.senses]
    data["eq"] = [sense == "==" for sense in model.senses]
    data["names"] = list(model.names)
    return data


def write(path: Path, data: dict[str, Any]) -> Path:
    if path.suffix == ".npz":
        np.savez(path, **data)
    else:
        path.write_text(json.dumps(data, default=lambda x: x.tolist()), encoding="utf-8")
    return path


def equal(a: TabularModel, b: TabularModel) -> None:
    for key in FIELDS:
        np.testing.assert_array_equal(getattr(a, key), getattr(b, key))
    assert (a.senses, a.names) == (b.senses, b.names)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("N", [0, 1, 4])
def test_file_round_trip(tmp_path: Path, random_model: Callable[..., TabularModel], suffix: str, N: int) -> None:
    for seed in range(3):
        model = random_model(seed, N=N)
        path = write(tmp_path / f"m{seed}{suffix}", content(model))
        equal(load_model(path), model)
        equal(Tabular(path=str(path)).model(), model)
        equal(TabularVector(2, path=path).model(), model)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_sparse_kernel_in_a_file(tmp_path: Path, random_model: Callable[..., TabularModel], suffix: str) -> None:
    model = random_model(5)
    kernel = csr_array(model.P.reshape(12, 4))
    data = content(model)
    del data["P"]
    data |= {"P_data": kernel.data, "P_indices": kernel.indices, "P_indptr": kernel.indptr}
    equal(load_model(write(tmp_path / f"m{suffix}", data)), model)
    for key, value, sentence in (
        ("P_indptr", kernel.indptr[:-1], "are not the parts of a CSR matrix with 12 rows"),
        ("P_data", kernel.data[:-1], "are not the parts of a CSR matrix with 12 rows"),
        ("P_indices", kernel.indices + 1, r"P_indices must lie in \[0, 3\]"),
    ):
        with pytest.raises(ValueError, match=sentence):
            load_model(write(tmp_path / f"bad{suffix}", data | {key: value}))


def test_names_may_be_left_out(tmp_path: Path) -> None:
    data = content(three_state_model())
    del data["names"]
    assert load_model(write(tmp_path / "m.npz", data)).names == ("c0", "c1")


def test_object_with_dense_or_sparse_kernel(random_model: Callable[..., TabularModel]) -> None:
    model = random_model(2, N=2)
    fields = {key: getattr(model, key) for key in (*FIELDS, "senses", "names")}
    for P in (model.P, model.P.reshape(12, 4), csr_array(model.P.reshape(12, 4))):
        env = gymnasium.make("zoo/Tabular-v0", model=SimpleNamespace(**fields | {"P": P}))
        equal(env.get_wrapper_attr("model")(), model)
        env.reset(seed=0)
        assert env.step(0)[4]["constraints"].shape == (2,)


def test_own_model_is_kept_as_it_is() -> None:
    model = three_state_model()
    assert Tabular(model=model).model() is model


def test_object_without_an_attribute() -> None:
    with pytest.raises(ValueError, match="SimpleNamespace lacks gamma, rho, c, b, senses, names"):
        Tabular(model=SimpleNamespace(P=1, r=2))


@pytest.mark.parametrize("options", [{}, {"model": three_state_model(), "path": "x.npz"}])
def test_exactly_one_source(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"either path .* or, in Python, model"):
        gymnasium.make("zoo/Tabular-v0", **options)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"gamma": None}, "lacks gamma; a model file has the keys P, r, c"),
        ({"sense": [1, 2]}, r"sense must hold \+1 or -1"),
        ({"sense": [1]}, r"sense must hold \+1 or -1"),
        ({"eq": [3, 0]}, "eq must hold a bool"),
        ({"gamma": [0.5, 0.5]}, "gamma must be one number"),
        ({"gamma": 1.5}, r"gamma must be a number in \[0, 1\), got 1.5"),
        ({"rho": [0.5, 0.5, 0.5]}, "rho must sum to 1"),
        ({"b": [0.1]}, "c must have shape"),
    ],
)
def test_bad_content(tmp_path: Path, suffix: str, change: dict[str, Any], sentence: str) -> None:
    data = {k: v for k, v in (content(three_state_model()) | change).items() if v is not None}
    path = write(tmp_path / f"bad{suffix}", data)
    with pytest.raises(ValueError, match=sentence) as caught:
        load_model(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "raw", "sentence"),
    [
        ("m.json", b"{not json", "not valid JSON"),
        ("m.json", b"\xff\xfe\x00", "not valid JSON"),
        ("m.json", b"[1, 2]", "must hold one JSON object, got list"),
        ("m.json", b'{"P": [[1], [2, 3]], "r": 1, "c": 1, "b": 1, "sense": [[1], [2, 3]], "eq": 1}', "lacks rho"),
        ("m.npz", b"not a zip", "not an .npz archive"),
        ("m.npz", b"", "not an .npz archive"),
        ("m.csv", b"1,2", "must end in .npz or .json"),
    ],
)
def test_unreadable_files(tmp_path: Path, name: str, raw: bytes, sentence: str) -> None:
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=sentence):
        load_model(path)


def test_ragged_json(tmp_path: Path) -> None:
    data = content(three_state_model())
    for key in ("r", "sense"):
        path = write(tmp_path / "m.json", data | {key: [[1.0], [2.0, 3.0]]})
        with pytest.raises(ValueError, match=key):
            load_model(path)


def test_damaged_archive(tmp_path: Path) -> None:
    path = write(tmp_path / "m.npz", content(three_state_model()))
    raw = bytearray(path.read_bytes())
    raw[200:260] = b"\xff" * 60
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=r"m\.npz"):
        load_model(path)


@pytest.mark.parametrize("name", ["gone.npz", "gone.json"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"gone.* cannot be read \(No such file"):
        load_model(tmp_path / name)


def test_an_archive_of_objects_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    np.savez(path, **content(three_state_model()) | {"r": np.array([{"a": 1}], dtype=object)})
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_model(path)
