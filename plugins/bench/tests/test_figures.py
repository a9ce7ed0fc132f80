"""Performance profiles, the forest plot and the figures of plugins: their numbers, their marks, their errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zoo_bench.plots.curves import Group, make_groups
from zoo_bench.plots.palette import colour
from zoo_bench.plots.profiles import caption_profiles, draw_profiles, make_profiles

from zoo.cli.main import main
from zoo.errors import RunError, UsageError
from zoo.runs.store import open_runs
from zoo.training.storage.spec import RunSpec


def fabricate(
    root: Path, algorithm: str, environment: str, seed: int, state: str = "finished", **values: float
) -> Path:
    """A run directory with one row of metrics."""
    spec = RunSpec(
        algorithm=f"zoo-fake/{algorithm}", kind="algorithm", plugin_version="0.1.0",
        environment=f"zoo-fake/{environment}", steps=100, seed=seed,
    )  # fmt: skip
    folder = spec.folder(root)
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(spec.to_json()))
    (folder / "metrics.jsonl").write_text(json.dumps({"step": 100, "wall": 1.0, **values}) + "\n")
    (folder / "status.json").write_text(json.dumps({"state": state, "step": 100, "metrics": values}))
    return folder


def groups_of(root: Path) -> list[Group]:
    return make_groups(open_runs([root]).groups())


@dataclass
class Answer:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def zoo(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Answer]]:
    """One command line in this process, with no plugin but those given as files."""
    monkeypatch.setenv("ZOO_PLUGINS", "zoo-core,zoo-bench")
    monkeypatch.chdir(tmp_path)

    def call(*args: object) -> Answer:
        capsys.readouterr()
        status = main([str(arg) for arg in args])
        heard = capsys.readouterr()
        return Answer(status, heard.out, heard.err)

    yield call
    for name in ("drawing", "other"):
        sys.modules.pop(name, None)


# Performance profiles


def test_profile_of_one_environment_is_the_share_above(tmp_path: Path) -> None:
    for seed, value in enumerate((10.0, 20.0, 30.0, 40.0)):
        fabricate(tmp_path, "ppo", "cart", seed, **{"eval/return": value})
    chart = make_profiles(groups_of(tmp_path), "eval/return")
    (line,) = chart.profiles
    assert not (chart.lower or chart.log or chart.scaled) and chart.environments == ["cart"]
    values = np.array([10.0, 20.0, 30.0, 40.0])
    assert line.share == pytest.approx((values[:, None] > chart.thresholds).mean(axis=0))
    assert (line.low <= line.share).all() and (line.share <= line.high).all() and line.runs == 4
    between = np.argmin(abs(chart.thresholds - 25.0))
    # Half of four runs: resampled it is a binomial share, whose central 95 % are 0 to 1 (ends have 1 in 16).
    assert (line.low[between], line.high[between]) == (0.0, 1.0)
    assert np.array_equal(make_profiles(groups_of(tmp_path), "eval/return").profiles[0].low, line.low)


def test_residuals_are_good_when_small_and_on_a_logarithmic_axis(tmp_path: Path) -> None:
    for seed, value in enumerate((0.0, 1e-6, 1e-2)):
        fabricate(tmp_path, "reload", "two", seed, err=value)
    chart = make_profiles(groups_of(tmp_path), "err")
    share = dict(zip(np.log10(chart.thresholds).round(1), chart.profiles[0].share, strict=True))
    assert chart.lower and chart.log
    assert [share[key] for key in (-12.0, -4.0)] == pytest.approx([1 / 3, 2 / 3])  # zero counts as rounding
    axes = draw_profiles(chart).axes[0]
    assert axes.get_xscale() == "log" and axes.get_ylabel() == "runs that end below"


def test_environments_weigh_the_same_on_a_common_scale(tmp_path: Path) -> None:
    """Three runs on one and one on the other: each environment has half of the say."""
    for seed, value in enumerate((0.0, 100.0, 100.0)):
        fabricate(tmp_path, "ppo", "cart", seed, **{"eval/return": value})
    fabricate(tmp_path, "ppo", "acro", 0, **{"eval/return": -500.0})
    fabricate(tmp_path, "a2c", "cart", 0, **{"eval/return": 50.0})
    fabricate(tmp_path, "a2c", "acro", 0, **{"eval/return": -400.0})
    chart = make_profiles(groups_of(tmp_path), "eval/return")
    assert chart.scaled and sorted(chart.environments) == ["acro", "cart"]
    at = {line.label: line.share[np.argmin(abs(chart.thresholds - 0.75))] for line in chart.profiles}
    assert at == {"ppo": pytest.approx((2 / 3 + 0) / 2), "a2c": pytest.approx((0 + 1) / 2)}
    assert "of each environment" in draw_profiles(chart).axes[0].get_xlabel()


def test_only_finished_runs_on_shared_environments_count(tmp_path: Path) -> None:
    fabricate(tmp_path, "ppo", "cart", 0, err=0.5)
    fabricate(tmp_path, "ppo", "cart", 1, "failed", err=9.0)
    fabricate(tmp_path, "ppo", "cart", 2, kkt=1.0)
    fabricate(tmp_path, "ppo", "acro", 0, err=0.5)
    fabricate(tmp_path, "a2c", "cart", 0, err=0.1)
    chart = make_profiles(groups_of(tmp_path), "err")
    assert chart.environments == ["cart"] and {line.label: line.runs for line in chart.profiles} == {"ppo": 1, "a2c": 1}
    told = " ".join(caption_profiles(chart))
    for note in ("1 run not finished", "1 run without err", "not every algorithm has runs there: acro"):
        assert note in told


def test_profiles_that_cannot_be_made(tmp_path: Path) -> None:
    fabricate(tmp_path, "ppo", "cart", 0, loss=-1.0)
    fabricate(tmp_path, "a2c", "acro", 0, loss=1.0)
    with pytest.raises(RunError, match="no environment in common"):
        make_profiles(groups_of(tmp_path), "loss")
    with pytest.raises(UsageError, match="goes down to -1"):
        make_profiles(groups_of(tmp_path / "cart"), "loss", "yes")
    with pytest.raises(RunError, match="no finished run has kkt"):
        make_profiles(groups_of(tmp_path), "kkt")


def test_the_profile_command(zoo: Callable[..., Answer], tmp_path: Path) -> None:
    for seed in range(3):
        fabricate(tmp_path / "runs", "ppo", "cart", seed, **{"eval/return": 10.0 * seed})
    document = zoo("plot", "runs", "--profile", "eval/return", "--json").json
    assert document["file"] == "plots/cart-ppo-profile-eval-return.png" and Path(document["file"]).stat().st_size > 5000
    assert document["profiles"] == [{"label": "ppo", "colour": colour("ppo"), "runs": 3}]
    wrong = zoo("plot", "runs", "--profile", "eval/retur")
    assert wrong.status == 2 and "did you mean eval/return?" in wrong.err
    both = zoo("plot", "runs", "--profile", "err", "--claims", "smoke")
    assert both.status == 2 and "not allowed with" in both.err


# The forest plot

SUITE = """
[suite]
title = "One cell"

[[cells]]
label = "still"
algorithm = "still"
environment = "gym:CartPole-v1"
seeds = "0:3"
steps = 100

[[claims]]
id = "low"
source = "paper"
where = "abstract"
setting = "paper"
text = "It falls at once"
left = { label = "still", metric = "eval/return" }
relation = "<"
right = 50
"""


def test_the_claims_command(zoo: Callable[..., Answer], tmp_path: Path) -> None:
    from zoo_bench.resolve import resolve_suite
    from zoo_bench.suite import load_suite

    from zoo.discovery.registry import discover

    plugin = tmp_path / "drawing.py"
    plugin.write_text(PLUGIN)
    (tmp_path / "one.toml").write_text(SUITE)
    empty = zoo("--plugin", plugin, "plot", "--claims", "one.toml")
    assert empty.status == 1 and "no finished runs of suite 'one' in runs" in empty.err
    assert "zoo bench one.toml makes them." in empty.err
    sys.modules.pop("drawing")
    spec = resolve_suite(load_suite(Path("one.toml")), discover([plugin])).cells[0].spec
    sys.modules.pop("drawing")
    assert spec is not None
    for seed in range(3):
        folder = spec.with_seed(seed).folder(Path("runs"))
        folder.mkdir(parents=True)
        (folder / "spec.json").write_text(json.dumps(spec.with_seed(seed).to_json()))
        status = {
            "state": "finished" if seed < 2 else "failed",
            "step": 100,
            "metrics": {"eval/return": 9.0 + seed / 3},
        }
        (folder / "status.json").write_text(json.dumps(status))
    document = zoo("--plugin", plugin, "plot", "--claims", "one.toml", "--json").json
    assert Path(document["file"]) == Path("plots/one-claims.png") and Path(document["file"]).is_file()
    assert [found["verdict"] for found in document["claims"]] == ["incomplete at 2 of 3 seeds"]
    assert "left out: 1 run; zoo table one.toml lists it with the reason." in document["notes"]
    wrong = zoo("plot", "--claims", "smok")
    assert wrong.status == 2 and "no suite called 'smok'" in wrong.err
    more = zoo("plot", "runs", "--claims", "one.toml")
    assert more.status == 2 and "leave out runs" in more.err


# Figures of plugins

PLUGIN = '''
"""A plugin with figures, good and bad."""
from dataclasses import dataclass

from zoo import Algorithm, hookimpl


@dataclass(frozen=True, kw_only=True)
class Config:
    """No options."""


class Still(Algorithm):
    """Never moves."""


@hookimpl
def zoo_register(zoo):
    zoo.algorithm("still", "drawing:Still", config="drawing:Config", summary="never moves")


@hookimpl
def zoo_plots():
    return {"ends": "drawing:ends", "broken": "drawing:broken", "number": "drawing:number", "absent": "drawing:absent"}


def ends(runs, options):
    """Where each run ended.

    More about it.
    """
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    metric = (options.metrics or ("err",))[0]
    for run in runs:
        axes.bar(run.seed, run.last[metric], color=options.colour(run.algorithm), label=options.axis)
    return figure


def broken(runs, options):
    return 1 / 0


def number(runs, options):
    return 1
'''


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    plugin = tmp_path / "drawing.py"
    plugin.write_text(PLUGIN)
    for seed in range(2):
        fabricate(tmp_path / "runs", "ppo", "cart", seed, err=1.0 + seed)
    return plugin


def test_a_plugin_draws_by_its_name(zoo: Callable[..., Answer], drawing: Path) -> None:
    document = zoo("--plugin", drawing, "plot", "ends", "runs", "--json").json
    assert document["file"] == "plots/cart-ppo-ends.png" and Path(document["file"]).is_file()
    assert (document["figure"], document["plugin"], document["runs"]) == ("ends", "drawing", 2)
    sys.modules.pop("drawing")
    answer = zoo("--plugin", drawing, "plot", "runs", "--figure", "ends", "-o", "ends.svg")
    assert answer.status == 0 and colour("ppo").lower() in Path("ends.svg").read_text().lower()


def test_figures_are_listed(zoo: Callable[..., Answer], drawing: Path) -> None:
    rows = zoo("--plugin", drawing, "plot", "--list", "--json").json["figures"]
    assert {"figure": "ends", "plugin": "drawing", "summary": "Where each run ended."} in rows
    assert [row["figure"] for row in rows] == ["absent", "broken", "ends", "number"]
    assert "cannot be loaded" in rows[0]["summary"]
    assert "no plugin offers figures" in zoo("plot", "--list").out


@pytest.mark.parametrize(
    ("args", "status", "sentence"),
    [
        (("runs", "--figure", "broken"), 1, "figure 'broken' of plugin drawing (drawing:broken) failed: "),
        (("runs", "--figure", "number"), 1, "returned 1, expected a matplotlib Figure"),
        (("runs", "--figure", "absent"), 1, "cannot be loaded"),
        (("runs", "--figure", "end"), 2, "no figure called 'end': did you mean ends?"),
        (("endss", "runs"), 2, "did you mean ends?"),
        (("endss", "runs"), 2, "these runs can draw ends."),
        (("runs", "--figure", "end"), 2, "these runs can draw ends."),
        (("endss",), 2, "zoo plot --list lists the figures of all plugins."),
        (("nowhere",), 2, "nowhere does not exist"),
        (("ends",), 2, "zoo plot has no RUN"),
        ((), 2, "zoo plot has no RUN"),
    ],
)
def test_bad_figures_get_one_sentence(
    zoo: Callable[..., Answer], drawing: Path, args: tuple[str, ...], status: int, sentence: str
) -> None:
    answer = zoo("--plugin", drawing, "plot", *args)
    assert (answer.status, answer.out) == (status, "") and sentence in answer.err and "Traceback" not in answer.err


def test_one_bad_hook_takes_no_other_along(zoo: Callable[..., Answer], drawing: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text('from zoo import hookimpl\n@hookimpl\ndef zoo_plots():\n    return {"Ends": "nowhere"}\n')
    answer = zoo("--plugin", other, "--plugin", drawing, "plot", "--list")
    assert "figures of plugin other are left out: ValueError: figure 'Ends'" in answer.err and "ends" in answer.out
    sys.modules.pop("drawing")
    sys.modules.pop("other")
    other.write_text('from zoo import hookimpl\n@hookimpl\ndef zoo_plots():\n    return {"ends": "drawing:ends"}\n')
    both = zoo("--plugin", other, "--plugin", drawing, "plot", "--list", "--json").json["figures"]
    assert {row["figure"] for row in both} >= {"other/ends", "drawing/ends"}


def test_figures_have_the_zoo_s_settings(drawing: Path) -> None:
    from matplotlib import rcParams
    from matplotlib.figure import Figure
    from zoo_bench.plots.plugin_figures import FigureOptions, PluginFigure

    seen: list[Any] = []

    def look(runs: Any, options: FigureOptions) -> Figure:
        seen.append((rcParams["svg.hashsalt"], options.metrics))
        return Figure()

    sys.modules["drawing"] = type(sys)("drawing")
    sys.modules["drawing"].look = look  # type: ignore[attr-defined]
    PluginFigure(name="look", plugin="p", target="drawing:look").draw([], FigureOptions(metrics=("a",)))
    sys.modules.pop("drawing")
    assert seen == [("zoo", ("a",))] and rcParams["svg.hashsalt"] != "zoo"
