"""The plugin under the conformance kit, its examples, its figures and its suite."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import pytest
import zoo_tvd.library
import zoo_tvd.transport.distance
from zoo_bench.resolve import resolve_suite
from zoo_bench.suite import find_suites

import zoo
from zoo.cli.main import main
from zoo.testing import check_algorithm, check_plugin

SMALL: dict[str, Any] = {"episodes": 20, "horizon": 6}
NAMES = ("tvd-identity", "tvd-oracle", "tvd-moments", "tvd-linear-dynamics", "tvd-cloning", "tvd-transition")


def test_whole_plugin() -> None:
    options: dict[str, Any] = {name: {"env": "tvd-grid", "num_envs": 20, "config": SMALL} for name in NAMES}
    options["tvd-cloning"]["config"] = {**SMALL, "inner_steps": 20}
    options["tvd"] = {"env": "tvd-grid", "num_envs": 20, "config": {**SMALL, "iterations": 4, "starts": 1}}
    options["transfer"] = {
        "subject": ("tvd-transition", "tvd-grid"), "config": {"episodes": 5}, "subject_config": SMALL, "steps": 120,
    }  # fmt: skip
    check_plugin("zoo-tvd", options=options)


@pytest.mark.parametrize(
    "config", [{"map": "mlp", "inner_steps": 3}, {"policy_term": True, "bandwidth": 0.3, "inner_steps": 3}]
)
def test_every_kind_of_state_resumes(config: dict[str, Any]) -> None:
    check_algorithm("tvd", "tvd-grid", num_envs=20, config={**SMALL, "iterations": 4, **config})


@pytest.mark.parametrize("module", [zoo_tvd.library, zoo_tvd.transport.distance])
def test_examples_in_docstrings(module: Any) -> None:
    found = doctest.testmod(module)
    assert (found.failed, found.attempted > 0) == (0, True)


def test_suite_resolves_and_names_the_claims_of_the_paper() -> None:
    registry = zoo.discover()
    suite = resolve_suite(find_suites(registry)["tvd"].load(), registry)
    paper = {claim.id.partition("-")[0] for claim in suite.claims if claim.source == "paper"}
    assert paper == {"works", "finds", "imitation", "unmodified"}
    assert len({cell.seeds for cell in suite.cells if cell.label.endswith(": tvd-transition")}) >= 9


def test_figures(tmp_path: Path, capsys: Any) -> None:
    runs = tmp_path / "runs"
    small = ["--episodes", "40", "--num-envs", "40", "--horizon", "8", "--dir", str(runs), "--quiet"]
    for line in (["tvd", "--starts", "1", "--iterations", "3"], ["tvd-transition"]):
        assert main(["train", line[0], "tvd-grid", "--env.transform", "swap", *line[1:], *small]) in (0, 3)
    assert main(["eval", str(runs), "transfer"]) == 0
    for figure in ("undo", "undo-objective", "undo-budget"):
        assert main(["plot", figure, str(runs), "-o", str(tmp_path / f"{figure}.png")]) == 0, capsys.readouterr().err
        assert (tmp_path / f"{figure}.png").stat().st_size > 10_000
