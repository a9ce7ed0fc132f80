"""``zoo new-plugin``: what it writes installs, trains, and passes its own tests untouched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from zoo.cli.main import main
from zoo.discovery.registration import KINDS


@dataclass(frozen=True)
class Place:
    """A folder with one written and installed plugin of each kind, called new-<kind>."""

    root: Path
    environ: dict[str, str]

    def run(self, *command: object, cwd: str = ".") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *map(str, command)],
            cwd=self.root / cwd, env=self.environ, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def zoo(self, *args: object) -> Any:
        done = self.run("zoo.cli.main", *args)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = tmp_path_factory.mktemp("plugins")
    site = root / "site"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ZOO_")}
    here = Place(root, {**clean, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"})
    folders = []
    for kind in (*KINDS, "suite"):
        written = here.zoo("new-plugin", f"new-{kind}", "--kind", kind, "--json")
        assert "pyproject.toml" in written["files"]
        folders.append(root / written["path"])
    flags = ["--disable-pip-version-check", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target"]
    subprocess.run([sys.executable, "-m", "pip", "install", *flags, site, *folders], check=True)
    return here


def test_the_tests_of_every_kind_pass_untouched(place: Place) -> None:
    folders = [f"zoo-new-{kind}" for kind in (*KINDS, "suite")]
    done = place.run("pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "--import-mode=importlib", *folders)
    assert done.returncode == 0, done.stdout
    assert "16 passed" in done.stdout


def test_the_algorithm_learns(place: Place) -> None:
    done = place.zoo("train", "new-algorithm", "CartPole-v1", "--steps", "12000", "--json")
    (run,) = done["runs"]
    assert run["status"] == "finished"
    assert run["metrics"]["eval/return"] > 150  # the untrained policy has about 10
    judged = place.zoo("eval", "runs/CartPole-v1", "new-evaluator", "--episodes", "10", "--json")
    (scores,) = [row["scores"] for row in judged["evaluations"]]
    assert scores["worst"] <= scores["cvar"] <= scores["mean"]


def test_the_representation_comes_close_to_its_exact_solution(place: Place) -> None:
    learned = place.zoo(
        "train", "new-representation", "two-state", "--steps", "15000", "--eval-episodes", "0", "--json"
    )
    exact = place.zoo("train", "new-representation", "two-state", "--exact", "--eval-episodes", "0", "--json")
    assert learned["runs"][0]["metrics"]["distance/max"] < 0.5  # its largest entry is near 5
    assert exact["runs"][0]["metrics"]["distance/max"] == 0.0


def test_the_environment_fits_exact_and_learning_algorithms(place: Place) -> None:
    suited = {entry["name"] for entry in place.zoo("list", "--for", "new-environment", "--json")["entries"]}
    assert "new-algorithm" in suited
    (run,) = place.zoo("train", "new-algorithm", "new-environment", "--steps", "2000", "--json")["runs"]
    assert run["metrics"]["episode/hazard"] >= 0.0


def test_the_suite_runs_and_is_judged(place: Place) -> None:
    place.zoo("bench", "new-suite", "--json")
    (claim,) = place.zoo("table", "new-suite", "--json")["claims"]
    assert claim["verdict"] == "as before"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("My Method", "'My Method' is not a name for a plugin: expected lower-case letters, digits and hyphens"),
        ("3d", "such as d."),
        ("a--b", "such as a-b."),
        ("zoo-", "such as zoo."),
        ("zoo", "expected more than 'zoo'"),
        ("algorithm", "would hide zoo.Algorithm"),
        ("two-state", "zoo-envs has the environment 'two-state' already"),
        ("envs", "a plugin called zoo-envs is installed already"),
        ("there", "zoo-there exists already: expected a new folder."),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_one_sentence(
    name: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "zoo-there").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert main(["new-plugin", name, "--kind", "algorithm", "--dir", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert main(["new-plugin", "mine", "--kind", "evaluator", "--dir", str(blocked)]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_the_prefix_of_the_distribution_may_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new-plugin", "zoo-mine", "--kind", "evaluator", "--dir", str(tmp_path)]) == 0
    assert (tmp_path / "zoo-mine" / "src" / "zoo_mine" / "judge.py").is_file()
    shown = capsys.readouterr().out
    assert "pip install -e '.[test]'" in shown
    assert "zoo eval runs/CartPole-v1 mine" in shown
