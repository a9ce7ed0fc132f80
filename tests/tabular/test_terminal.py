"""States that end an episode: the mask, its checks, and planners that need know nothing of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from zoo.tabular import InvalidCMDPError, TabularCMDP, policy_iteration, policy_values, solve_lp

from .models import two_state


def corridor(sparse: bool = False) -> TabularCMDP:
    """States 0 - 1 - 2; action 1 goes right, action 0 stays; entering 2 pays 1 and ends it."""
    P, r = np.zeros((3, 2, 3)), np.zeros((3, 2))
    P[[0, 1], 0, [0, 1]] = P[[0, 1], 1, [1, 2]] = P[2, :, 2] = 1.0
    r[1, 1] = 1.0
    kernel: Any = sp.coo_matrix(P.reshape(6, 3)) if sparse else P
    return TabularCMDP(kernel, r, 0.9, np.eye(3)[0], terminal=np.array([False, False, True]))


@pytest.mark.parametrize("sparse", [False, True])
def test_values_are_those_of_episodes(sparse: bool) -> None:
    m = corridor(sparse)
    assert m.terminal.dtype == np.bool_ and not m.terminal.flags.writeable
    assert policy_values(m, np.eye(2)[[1, 1, 0]])[0] == pytest.approx([0.09, 0.1, 0.0])  # (1 - gamma) gamma^steps
    assert policy_iteration(m, m.r).policy[:2].tolist() == [1, 1]
    assert solve_lp(m).value == pytest.approx(0.09)


def test_no_state_is_terminal_unless_said() -> None:
    m = two_state()
    assert m.terminal.tolist() == [False, False]
    smaller = replace(m, P=np.ones((1, 2, 1)), r=np.zeros((1, 2)), rho=[1.0], c=np.zeros((1, 1, 2)))
    assert smaller.terminal.tolist() == [False]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"terminal": [True, False, True]}, r"state 0 is terminal and, under action 1, stays with probability 0: exp"),
        ({"r": [[0, 0], [0, 1], [0, 2]]}, r"state 2 is terminal and, under action 1, has reward 2: expected 0"),
        (
            {"c": np.ones((1, 3, 2)), "b": [1.0], "senses": ("<=",), "names": ("heat",)},
            r"state 2 is terminal and, under action 0, has signal 'heat' 1: expected 0",
        ),
        ({"terminal": [0, 0, 1]}, r"terminal is an array of int64: expected 3 booleans"),
        ({"terminal": [True]}, r"terminal has shape \(1,\): expected \(3,\)"),
    ],
)
def test_a_terminal_state_that_does_not_end_anything_is_named(
    sparse: bool, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidCMDPError, match=message):
        replace(corridor(sparse), **change)


@pytest.mark.parametrize("suffix", ["npz", "json"])
@pytest.mark.parametrize("sparse", [False, True])
def test_the_mask_is_kept_wherever_a_model_goes(tmp_path: Path, suffix: str, sparse: bool) -> None:
    m = corridor(sparse)
    m.save(tmp_path / f"m.{suffix}")
    fields = {name: getattr(m, name) for name in ("P", "r", "gamma", "rho", "terminal")}
    copies = [
        TabularCMDP.load(tmp_path / f"m.{suffix}"),
        m.with_thresholds([]),
        replace(m, gamma=0.5),
        TabularCMDP.from_model(SimpleNamespace(**fields)),
    ]
    assert all(copy.terminal.tolist() == [False, False, True] for copy in copies)
    plain = TabularCMDP.from_model(SimpleNamespace(**{**fields, "terminal": None}))
    assert not plain.terminal.any()


def test_files_written_before_there_was_a_mask_have_none(tmp_path: Path) -> None:
    m = corridor()
    np.savez(tmp_path / "old.npz", P=m.P, r=m.r, gamma=m.gamma, rho=m.rho)
    assert not TabularCMDP.load(tmp_path / "old.npz").terminal.any()
