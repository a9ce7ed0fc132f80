"""Whatever an algorithm does, its run has failed with its name in a sentence, and the seeds after it still run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import zoo
from zoo.discovery.registry import discover
from zoo.errors import PluginError
from zoo.training.callbacks import Silent
from zoo.training.loop import train_seeds
from zoo.training.settings import Cadence, RunResult, Settings
from zoo.training.stop import Stop
from zoo.training.storage.spec import RunSpec

FILE = Path(__file__).with_name("hostile.py")
Trainer = Callable[..., list[RunResult]]


@pytest.fixture
def run(tmp_path: Path) -> Trainer:
    def run(way: str, *seeds: int, steps: int = 12, env: str = "gym:CartPole-v1") -> list[RunResult]:
        sys.modules.pop("hostile", None)
        registry = discover([FILE], only=["zoo-core"])
        spec = RunSpec(
            algorithm="hostile/hostile", kind="algorithm", plugin_version="file", environment=env,
            config={"way": way, "at": 3}, steps=steps, eval_episodes=2,
        )  # fmt: skip
        settings = Settings(root=tmp_path / "runs", checkpoint=Cadence(steps=5))
        return train_seeds(spec, seeds or (0,), registry, settings, Silent(), Stop())

    return run


@pytest.mark.parametrize("how", ["raise", "exit", "odd", "exit1", "generator"])
@pytest.mark.parametrize("place", ["update", "act", "state"])
def test_what_is_raised_fails_the_run_with_its_owner(run: Trainer, place: str, how: str) -> None:
    for result in run(f"{place}-{how}", 0, 1):
        assert result.status == "failed"
        assert "hostile of plugin file hostile failed" in result.message
        assert ("in act()" in result.message) == (place == "act")


@pytest.mark.parametrize("how", ["raise", "exit", "odd", "exit1", "generator"])
def test_a_constructor_that_raises_is_named(run: Trainer, how: str) -> None:
    with pytest.raises(PluginError, match="hostile of plugin file hostile failed"):
        run(f"init-{how}", 0, 1)


def test_seeds_after_one_that_cannot_start_still_run(run: Trainer) -> None:
    results = run("init-some", *range(8))
    assert [result.seed for result in results] == list(range(8))
    failed = [result for result in results if result.status == "failed"]
    assert 0 < len(failed) < 8
    assert all("not this one" in result.message for result in failed)
    assert {result.status for result in results} == {"failed", "finished"}


METRICS = {
    "none": "expected a mapping", "list": "expected a mapping", "text": "expected one number", "step": "another name",
    "wall": "another name", "dollar": "another name", "empty": "printable", "number-name": "printable",
    "control": "printable", "array": "expected one number", "one": "expected one number",
    "complex": "expected one number", "nothing": "expected one number", "inf": "metric 'x' became inf at step 3",
    "huge": "expected one number", "bytes": "expected one number",
}  # fmt: skip


@pytest.mark.parametrize("way", METRICS)
def test_metrics_are_finite_numbers_with_names_of_their_own(run: Trainer, way: str) -> None:
    (result,) = run(way)
    assert (result.status, result.steps) == ("failed", 3)
    assert METRICS[way] in result.message
    assert "hostile of plugin file hostile" in result.message


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("stands", "has stayed at 2 for 10 updates"), ("back", "went from 2 back to 0"),
        ("text-steps", "'many': expected a whole number"), ("outcome", "expected a zoo.Outcome or None"),
        ("act-shape", "is outside Discrete(2)"),
    ],
)  # fmt: skip
def test_a_broken_contract_is_a_sentence(run: Trainer, way: str, words: str) -> None:
    (result,) = run(way)
    assert result.status == "failed"
    assert words in result.message


def test_a_sound_one_finishes(run: Trainer) -> None:
    for way in ("", "final"):
        (result,) = run(way)
        assert result.status == "finished"
        assert result.metrics["flag"] == 1.0


@pytest.mark.parametrize("flags", [[], ["--jobs", "2"]])
def test_the_status_is_never_success(flags: list[str], tmp_path: Path) -> None:
    for way in ("update-exit", "init-exit"):
        done = zoo("--plugin", str(FILE), "train", "hostile", "CartPole-v1", "--way", way, "--seeds", "0:2", "--quiet",
                   *flags, cwd=tmp_path)  # fmt: skip
        assert done.returncode == 1
        where = " in update()" if way == "update-exit" else ""
        assert f"hostile of plugin file hostile failed{where}: SystemExit" in done.stderr
        assert "Traceback" not in done.stderr
