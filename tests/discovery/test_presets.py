"""Presets: TOML in a plugin, keyed by environment; default below preset below command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium
import pytest

from zoo.discovery.presets import Preset, load_preset
from zoo.discovery.registration import Entry
from zoo.discovery.registry import Plugin, Registry
from zoo.errors import UnknownNameError, UsageError
from zoo.training.request import RunRequest, resolve

OPTIONS = '''
from dataclasses import dataclass

@dataclass(frozen=True, kw_only=True)
class Config:
    rate: float = 0.1
    """step size"""
    width: int = 8
    """units"""
'''
PAPER = """
[CartPole-v1]
rate = 0.5
unknown_to_this_one = 3
run.steps = 100
run.num_envs = 4
env = { gravity = 9.0, length = 2 }
[CartPole-v1.mine]
rate = 0.7
run.steps = 200
env.gravity = 5.0
[CartPole-v1.other]
rate = 0.9
"""
Write = Callable[..., Entry]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """A package with options and these preset files."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str = "mine", **files: str) -> Entry:
        folder = tmp_path / "preset_package" / "presets"
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / "__init__.py").write_text(OPTIONS)
        for file, text in files.items():
            (folder / f"{file}.toml").write_text(text)
        return Entry(
            kind="algorithm", name=name, plugin="owner", version="1", target="a:B",
            config="preset_package:Config", presets="preset_package:presets",
        )  # fmt: skip

    yield make
    sys.modules.pop("preset_package", None)


def test_the_algorithms_own_table_overrides_what_all_share(write: Write) -> None:
    assert load_preset(write(paper=PAPER), "CartPole-v1", "paper") == Preset(
        options={"rate": 0.7}, run={"steps": 200, "num_envs": 4}, env={"gravity": 5.0, "length": 2}
    )
    assert load_preset(write("other", paper=PAPER), "CartPole-v1", "paper").options == {"rate": 0.9}
    assert load_preset(write("third", paper=PAPER), "CartPole-v1", "paper") == Preset(
        options={"rate": 0.5}, run={"steps": 100, "num_envs": 4}, env={"gravity": 9.0, "length": 2}
    )


def test_the_default_applies_unasked_where_it_knows_the_environment(write: Write) -> None:
    entry = write(default="[CartPole-v1]\nwidth = 3\n")
    assert load_preset(entry, "CartPole-v1", "") == Preset(options={"width": 3})
    assert load_preset(entry, "Pendulum-v1", "") == Preset()
    assert load_preset(write(), "CartPole-v1", "") == Preset(options={"width": 3})


def test_no_default_file_is_no_preset(write: Write) -> None:
    assert load_preset(write(paper=PAPER), "CartPole-v1", "") == Preset()


def test_the_default_may_not_change_the_environment_which_nobody_asked_for(write: Write) -> None:
    entry = write(default="[CartPole-v1]\nenv.gravity = 5.0\n")
    with pytest.raises(UsageError, match=r"default\.toml of owner changes CartPole-v1: .* a named preset only"):
        load_preset(entry, "CartPole-v1", "")


def test_a_preset_may_be_a_file_of_ones_own(write: Write, tmp_path: Path) -> None:
    entry, file = write(default="[CartPole-v1]\nwidth = 3\n"), tmp_path / "own.toml"
    file.write_text(PAPER)
    expected = Preset(options={"rate": 0.7}, run={"steps": 200, "num_envs": 4}, env={"gravity": 5.0, "length": 2})
    assert load_preset(entry, "CartPole-v1", str(file)) == expected
    without = Entry(kind="algorithm", name="mine", plugin="owner", version="1", target="a:B")
    assert load_preset(without, "CartPole-v1", str(file)).run == {"steps": 200, "num_envs": 4}
    with pytest.raises(UsageError, match=r"there is no preset .*none\.toml: expected a file"):
        load_preset(entry, "CartPole-v1", str(tmp_path / "none.toml"))


def test_what_cannot_be_had_is_one_sentence(write: Write) -> None:
    entry = write(paper=PAPER, broken="[CartPole")
    with pytest.raises(UnknownNameError, match="no preset of mine called 'papr': did you mean paper"):
        load_preset(entry, "CartPole-v1", "papr")
    with pytest.raises(UnknownNameError, match=r"no environment in preset 'paper' of mine called 'CartPole-v0'.*v1"):
        load_preset(entry, "CartPole-v0", "paper")
    with pytest.raises(UsageError, match=r"preset broken\.toml of owner is not valid TOML"):
        load_preset(entry, "CartPole-v1", "broken")
    without = Entry(kind="algorithm", name="mine", plugin="owner", version="1", target="a:B")
    with pytest.raises(UsageError, match="mine has no presets; leave out --preset paper"):
        load_preset(without, "CartPole-v1", "paper")
    assert load_preset(without, "CartPole-v1", "") == Preset()


class Tunable(gymnasium.Env[int, int]):
    """Takes the same two options by its constructor."""

    def __init__(self, rate: float = 0.1, width: int = 1) -> None: ...


gymnasium.register("Tunable-v0", entry_point=Tunable)


@pytest.mark.parametrize("env", ["tunable", "Tunable-v0"])
def test_a_named_preset_changes_the_environment_unless_the_user_does(write: Write, env: str) -> None:
    entry = write(paper=f"[{env}]\nenv = {{ rate = 0.5, width = 3 }}\n")
    tunable = Entry(
        kind="environment", name="tunable", plugin="owner", version="1", target="a:B", config="preset_package:Config"
    )  # fmt: skip
    plugin = Plugin(plugin="owner", version="1", source="", state="registered", seconds=0.0, entries=(entry, tunable))
    registry = Registry([plugin])
    spec = resolve(RunRequest(algorithm="mine", environment=env, preset="paper", env_options={"width": 4}), registry)
    assert spec.env_config == {"rate": 0.5, "width": 4}
    assert (spec.origins["env.rate"], spec.origins["env.width"]) == ("preset", "suite")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[CartPole-v1]\nraet = 0.5", "raet"),
        ("[CartPole-v1]\nrate = 0.5\n[CartPole-v1.mien]\nrate = 1.0", "mien"),
        ("[CartPole-v1]\nrun.step = 3", "step"),
        ("[CartPole-v1.mine]\nrun.num_env = 3", "num_env"),
    ],
)
def test_a_key_that_is_for_nobody_is_refused(write: Write, text: str, sentence: str) -> None:
    entry = write(paper=text)
    other = Entry(kind="algorithm", name="other", plugin="owner", version="1", target="a:B")
    with pytest.raises(UnknownNameError, match=f"preset paper.toml of owner, CartPole-v1.*{sentence}"):
        load_preset(entry, "CartPole-v1", "paper", [entry, other])


def test_a_key_of_a_sibling_is_for_somebody(write: Write) -> None:
    entry = write(paper="[CartPole-v1]\nrate = 0.5\n[CartPole-v1.other]\nwhatever = 1")
    other = Entry(kind="algorithm", name="other", plugin="owner", version="1", target="a:B")
    assert load_preset(entry, "CartPole-v1", "paper", [entry, other]).options == {"rate": 0.5}


def test_the_command_tells_what_train_would_take(capsys: pytest.CaptureFixture[str]) -> None:
    from zoo.cli.main import main

    assert main(["presets", "reload", "--json"]) == 0
    told = {row["environment"]: row for row in json.loads(capsys.readouterr().out)["presets"]}
    assert main(["train", "reload", "garnet", "--dry-run", "--json"]) == 0
    spec = json.loads(capsys.readouterr().out)
    assert told["garnet"]["options"].items() <= spec["config"].items() and told["garnet"]["options"]
    assert main(["presets", "reload", "garnett"]) == 2
    assert "did you mean garnet?" in capsys.readouterr().err
