"""The plugin on the command line: presets, the toy, and requests that are wrong."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from zoo_envs.icl.task import ICLTask
from zoo_envs_plugin.options.icl import ICLExemplarsConfig

from zoo.cli.main import main

TRAIN = ["train", "icl-transformer", "icl-exemplars"]
PRESETS = sorted(file.name.removesuffix(".toml") for file in files("zoo_icl").joinpath("presets").iterdir())


def test_which_presets_there_are() -> None:
    assert PRESETS == [
        "ciwl-first", "ih-clamps", "ih-paper", "ih-small", "ih-tiny", "persistent", "transience-paper",
        "transience-small", "transience-small-l2",
    ]  # fmt: skip


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_a_task(preset: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = tomllib.loads(files("zoo_icl").joinpath("presets", f"{preset}.toml").read_text())["icl-exemplars"]
    env: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in table["env"].items()
    }
    if preset == "transience-paper":  # half a gigabyte of features
        env["dim"] = 1
    names = ICLTask(ICLExemplarsConfig(**env)).evaluation_names
    expected = {"relabel_val", "new_class"} if env["labels"] == "relabel" else {"icl", "flip", "iwl", "ciwl"}
    assert expected < set(names)
    assert main([*TRAIN, "--preset", preset, "--dry-run"]) == 0
    assert str(table["run"]["steps"]) in capsys.readouterr().out


def test_a_preset_trains_the_environment_that_it_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--steps", "256", "--log-sequences", "128", "--eval-size", "20", "--env.class-split", "30", "0", "20"]
    arguments = [*TRAIN, "--preset", "transience-small", *size, "--clamp", "PrevToken(0:0)", "--quiet", "--json"]
    assert main([*arguments, "--dir", str(tmp_path)]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["steps"] == 256 and "ciwl/in_context_acc" in run["metrics"]
    spec = json.loads(Path(run["path"], "spec.json").read_text())
    assert spec["env_config"]["labels"] == "mod" and spec["env_config"]["noise"] == 0.2
    assert spec["config"]["clamp"] == ["PrevToken(0:0)"] and spec["config"]["pos"] == "ape"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*TRAIN, "--clamp", "PrevTokn(0:0)"], "PrevToken"),
        ([*TRAIN, "--clamp", "Ablate(0:9)"], "layer 0 has no head 9"),
        ([*TRAIN, "--env.burstiness", "2"], "2 x burstiness = 4 slots do not fit into a context of 2"),
        ([*TRAIN, "--env.num-outputs", "3"], "5 labels are in use, and num_outputs is 3"),
        ([*TRAIN, "--preset", "ih-smal"], "ih-small"),
        ([*TRAIN, "--learning-rate", "-1"], "learning_rate is -1"),
        (["train", "icl-transformer", "CartPole-v1"], "icl-exemplars"),
        (["icl", "toy", "--dim", "0"], "not a whole number of at least 1"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_status_2(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--dir", str(tmp_path)] if arguments[0] == "train" else []
    assert main([*arguments, *where]) == 2
    told = capsys.readouterr().err
    assert words in told and told.startswith("zoo: ") and "Traceback" not in told
    assert not list(tmp_path.iterdir())


def test_the_toy_prints_expected_beside_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["icl", "toy", "--steps", "950"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["clamped", "loss", "90", "%", "at", "10", "%", "at", "plateau", "expected"]
    assert len(lines) == 9 and lines[1].endswith("a plateau, then a drop")
    assert [float(line.split()[2 + line.startswith(("a b", "a c", "b c")) + 1]) < 0.1 for line in lines[5:8]] == [
        True
    ] * 3
    assert main(["icl", "toy", "--steps", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"none", "a", "b", "c", "a+b", "a+c", "b+c"}
    assert len(found["none"]) == 21
