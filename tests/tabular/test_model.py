from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import UsageError, ZooError
from zoo.tabular import InvalidCMDPError, TabularCMDP

from .models import garnet, three_state, two_state


def test_import_is_light() -> None:
    code = "import sys, zoo.tabular; print([m for m in ('numpy', 'scipy', 'highspy', 'cvxpy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_every_public_name_resolves() -> None:
    import zoo.tabular

    assert all(hasattr(zoo.tabular, name) for name in zoo.tabular.__all__)
    with pytest.raises(AttributeError, match="Plann"):
        _ = zoo.tabular.Plann


def test_sizes_signs_and_defaults() -> None:
    m = three_state()
    assert (m.num_states, m.num_actions, m.num_constraints) == (3, 3, 2)
    assert two_state().signs.tolist() == [-1.0]
    mixed = replace(m, senses=("==", ">="), names=())
    assert mixed.signs.tolist() == [1.0, -1.0] and mixed.equality.tolist() == [True, False]
    assert mixed.names == ("c0", "c1")
    bare = TabularCMDP(m.P, m.r, m.gamma, m.rho)
    assert bare.num_constraints == 0 and bare.c.shape == (0, 3, 3) and bare.b.shape == (0,)


def test_arrays_are_copies_and_read_only() -> None:
    P, r = np.ones((1, 1, 1)), np.zeros((1, 1))
    m = TabularCMDP(P, r, 0.5, np.ones(1))
    r[0, 0] = 7.0
    assert m.r[0, 0] == 0.0
    for array in (m.P, m.r, m.rho, m.c, m.b, m.kernel.data, m.rewards, m.signs):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1.0


def test_sparse_and_dense_kernels_agree() -> None:
    dense = garnet()
    sparse = replace(dense, P=sp.coo_matrix(dense.P.reshape(-1, 20)))
    assert isinstance(sparse.P, sp.csr_array)
    assert np.array_equal(sparse.kernel.toarray(), dense.kernel.toarray())


def _with_entry(array: np.ndarray, index: tuple[int, ...], value: float) -> np.ndarray:
    changed = array.copy()
    changed[index] = value
    return changed


M = three_state()
SPARSE = sp.csr_array(_with_entry(M.P, (2, 1, 0), -1.0).reshape(9, 3))
BAD = [
    ({"P": _with_entry(M.P, (1, 2, 0), -0.1)}, r"P\[1, 2, 0\] = -0.1"),
    ({"P": _with_entry(M.P, (1, 2, 0), np.nan)}, r"P\[1, 2, 0\] = nan"),
    ({"P": _with_entry(M.P, (1, 0, 1), 0.9)}, r"P\[1, 0\] sums to 1.1"),
    ({"P": SPARSE}, r"P\[2, 1, 0\] = -1"),
    ({"P": sp.csr_array(np.ones((8, 3)) / 3)}, r"P has shape \(8, 3\): expected \(9, 3\)"),
    ({"P": M.P[:, :2]}, r"P has shape \(3, 2, 3\): expected \(3, 3, 3\)"),
    ({"P": M.P[0]}, "P has 2 dimensions"),
    ({"P": "kernel"}, "P is not an array of real numbers"),
    ({"rho": np.array([0.5, 0.4, 0.0])}, r"rho sums to 0.9"),
    ({"rho": np.array([1.5, -0.5, 0.0])}, r"rho\[1\] = -0.5"),
    ({"rho": np.ones(2) / 2}, r"rho has shape \(2,\)"),
    ({"gamma": 1.0}, r"gamma = 1.0: expected a number in \[0, 1\)"),
    ({"gamma": -0.1}, "gamma = -0.1"),
    ({"gamma": float("nan")}, "gamma = nan"),
    ({"gamma": "high"}, "gamma = 'high'"),
    ({"r": _with_entry(M.r, (0, 2), np.inf)}, r"r\[0, 2\] = inf"),
    ({"c": _with_entry(M.c, (1, 0, 2), np.nan)}, r"c\[1, 0, 2\] = nan"),
    ({"c": M.c[:, :2]}, r"c has shape \(2, 2, 3\)"),
    ({"b": np.array([0.1, np.nan])}, r"b\[1\] = nan"),
    ({"b": np.array([0.1])}, r"b has shape \(1,\): expected \(2,\)"),
    ({"senses": ("<=", "=>")}, r"senses\[1\] = '=>'"),
    ({"senses": ("<=",)}, "senses has 1 entries: expected 2"),
    ({"names": ("heat", "heat")}, r"names\[1\] = 'heat'"),
    ({"names": ("heat",)}, "names has 1 entries"),
    ({"r": np.zeros((0, 3))}, "at least one state"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_arrays_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidCMDPError, match=message):
        replace(M, **change)


def test_unknown_sense_suggests_the_nearest() -> None:
    with pytest.raises(InvalidCMDPError) as caught:
        replace(M, senses=("<=", "=>"))
    assert ">=" in caught.value.hint


def test_row_sum_tolerance_is_1e_8() -> None:
    replace(M, P=_with_entry(M.P, (0, 0, 0), 1.0 + 0.9e-8))
    with pytest.raises(InvalidCMDPError):
        replace(M, P=_with_entry(M.P, (0, 0, 0), 1.0 + 1.1e-8))


def _equal(one: TabularCMDP, other: TabularCMDP) -> bool:
    same = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("r", "rho", "c", "b"))
    meta = (one.gamma, one.senses, one.names) == (other.gamma, other.senses, other.names)
    return same and meta and np.array_equal(one.kernel.toarray(), other.kernel.toarray())


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    senses=st.lists(st.sampled_from(["<=", ">=", "=="]), max_size=3),
    sparse=st.booleans(),
    suffix=st.sampled_from([".npz", ".json"]),
)
def test_save_and_load_round_trip(
    tmp_path_factory: pytest.TempPathFactory, seed: int, senses: list[str], sparse: bool, suffix: str
) -> None:
    m = garnet(S=4, A=2, branching=2, N=len(senses), seed=seed)
    m = replace(m, senses=tuple(senses), P=m.kernel if sparse else m.P)
    path = tmp_path_factory.mktemp("io") / f"model{suffix}"
    m.save(path)
    back = TabularCMDP.load(path)
    assert _equal(m, back) and sp.issparse(back.P) == sparse
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_json_written_by_hand_loads(tmp_path) -> None:
    path = tmp_path / "hand.json"
    path.write_text(
        json.dumps({"P": [[[1.0]]], "r": [[2]], "gamma": 0.5, "rho": [1], "c": [[[1]]], "b": [0], "sense": [-1]})
    )
    m = TabularCMDP.load(path)
    assert m.senses == (">=",) and m.names == ("c0",) and m.r[0, 0] == 2.0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "cannot be read as json"),
        ("a.json", "[1]", "holds a list"),
        ("a.json", '{"P": []}', "has no r, gamma, rho"),
        (
            "a.json",
            '{"P": [[[1]]], "r": [[0]], "gamma": 0, "rho": [1], "c": [[[1]]], "b": [0], "sense": [2]}',
            r"sense\[0\] = 2",
        ),
        ("a.npz", "not a zip", "cannot be read as npz"),
        ("a.yaml", "", "expected .npz or .json"),
    ],
)
def test_bad_files_give_one_sentence(tmp_path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ZooError, match=message):
        TabularCMDP.load(tmp_path / name)


def test_missing_file_and_pickled_arrays_are_refused(tmp_path) -> None:
    with pytest.raises(InvalidCMDPError, match="there is no file"):
        TabularCMDP.load(tmp_path / "none.npz")
    np.savez(tmp_path / "evil.npz", P=np.array([object()], dtype=object), r=np.zeros((1, 1)), gamma=0.5, rho=np.ones(1))
    with pytest.raises(InvalidCMDPError, match="cannot be read"):
        TabularCMDP.load(tmp_path / "evil.npz")


def test_failed_save_keeps_the_old_file(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.npz"
    three_state().save(path)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="no space"):
        two_state().save(path)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_from_model_reads_attributes() -> None:
    m = three_state()
    plain = SimpleNamespace(P=m.P, r=m.r, gamma=m.gamma, rho=m.rho, c=m.c, b=m.b, senses=m.senses, names=m.names)
    assert _equal(TabularCMDP.from_model(plain), m) and TabularCMDP.from_model(m) is m
    assert TabularCMDP.from_model(SimpleNamespace(P=m.P, r=m.r, gamma=0.9, rho=m.rho)).num_constraints == 0
    with pytest.raises(InvalidCMDPError, match="no attribute r, rho"):
        TabularCMDP.from_model(SimpleNamespace(P=m.P, gamma=0.9))


def test_with_thresholds() -> None:
    assert three_state().with_thresholds([1, 2]).b.tolist() == [1.0, 2.0]


class _Sampler(gymnasium.Env[int, int]):
    observation_space = action_space = gymnasium.spaces.Discrete(3)

    def __init__(self, model: TabularCMDP) -> None:
        self.model = model

    def reset(
        self, *, seed: int | None = None, options: dict[str, object] | None = None
    ) -> tuple[int, dict[str, object]]:
        super().reset(seed=seed)
        self.first_draw = self.np_random.random()
        return 0, {}


def test_to_env_hands_over_the_model_and_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = gymnasium.envs.registration.EnvSpec("zoo/Tabular-v0", entry_point=_Sampler)
    monkeypatch.setitem(gymnasium.registry, "zoo/Tabular-v0", spec)
    m = three_state()
    one, same, other = (m.to_env(seed).unwrapped for seed in (0, 0, 1))
    assert one.model is m and one.first_draw == same.first_draw != other.first_draw


def test_to_env_without_a_registration_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zoo_envs", None)
    monkeypatch.delitem(gymnasium.registry, "zoo/Tabular-v0", raising=False)
    with pytest.raises(UsageError) as caught:
        three_state().to_env(seed=0)
    assert "zoo-envs" in caught.value.hint
