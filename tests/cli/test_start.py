"""Start-up is part of speed: what must not be imported is not, whichever way a plugin is written."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "numpy", "torch", "gymnasium", "scipy", "sympy", "cvxpy", "ot", "stable_baselines3", "matplotlib", "rich", "tyro",
    "safetensors", "highspy", "optuna", "PIL", "onnx",
}  # fmt: skip
PROBE = """
import json, sys
from zoo.cli.main import main
status = main({args!r})
sys.stderr.write(json.dumps([status, sorted({heavy!r} & set(sys.modules))]))
"""


@pytest.mark.parametrize(
    "args",
    [
        ["--help"], ["--version"], ["list"], ["list", "algorithms"], ["list", "--for", "two-state"], ["list", "--json"],
        ["plugins"], ["nonsense"], ["train", "--help"],
    ],
)  # fmt: skip
def test_names_are_cheap(args: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(args=args, heavy=HEAVY)], capture_output=True, text=True, check=True
    )
    status, loaded = json.loads(done.stderr.splitlines()[-1])
    assert loaded == []
    assert status == (2 if args == ["nonsense"] else 0)


def test_import_zoo_stays_light() -> None:
    code = "import sys, json, zoo; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert {"zoo", "zoo._version", "zoo.lazy"} == {name for name in loaded if name.partition(".")[0] == "zoo"}
    assert not loaded & (HEAVY | {"pluggy", "dataclasses", "importlib.metadata", "argparse"})


def test_every_public_name_resolves() -> None:
    import zoo

    for name in zoo.__all__:
        assert getattr(zoo, name) is not None
    assert set(zoo.__all__) <= set(dir(zoo))
    with pytest.raises(AttributeError, match="no attribute 'Algoritm'"):
        _ = zoo.Algoritm


def test_training_a_tabular_algorithm_does_not_import_torch(tmp_path: object) -> None:
    args = ["train", "reload", "two-state", "--steps", "20", "--dir", str(tmp_path), "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(args=args, heavy={"torch", "stable_baselines3", "cvxpy", "matplotlib"})],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stderr.splitlines()[-1])[1] == []
