"""What stored runs tell: the two figures, ``zoo composite proxy``, and the metrics of suites."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from zoo_bench.plots.plugin_figures import FigureOptions
from zoo_composite_rm.figures import composite, proxy
from zoo_composite_rm.proxy import derived
from zoo_composite_rm.proxy.points import find_proxy_points
from zoo_composite_rm.proxy.runs import direction, paths_of
from zoo_envs.composite.oracle import utility

from zoo.cli.main import main
from zoo.errors import UsageError
from zoo.runs.store import open_runs

SHORT = ("--num-envs", "32", "--eval-every", "0", "--quiet")
PATH = ("--learning-rate", "0.0003", "--batch-size", "64", "--steps", str(16 * 256), *SHORT)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Three paths of one seed under ``paths``; a run with thresholds and one whose thresholds move under ``runs``."""
    folder = tmp_path_factory.mktemp("composite")
    paths, runs = ("--dir", str(folder / "paths")), ("--dir", str(folder / "runs"))
    for weights in (("r1", "1", "r2", "0"), ("r1", "0", "r2", "1"), ("r1", "1", "r2", "1")):
        assert main(["train", "ppo-sum", "tiny-composite", "--weights", *weights, *PATH, *paths]) == 0
    assert main(["train", "xi-ppo", "tiny-composite", "--steps", "2560", *SHORT, *runs]) == 0
    assert main(["train", "nm-ppo", "tiny-composite", "--steps", "2560", *SHORT, *runs]) in (0, 3)
    return folder


def runs_of(folder):
    return sorted(open_runs([folder]).runs, key=lambda run: run.algorithm)


def test_what_a_run_followed(stored):
    found = {direction(run, ("r1", "r2")) for run in runs_of(stored / "paths")}
    assert found == {"r1", "r2", "r1 + r2"}
    assert direction(runs_of(stored / "runs")[0], ("r1", "r2")) == "nm-ppo"


def test_paths_are_what_was_logged(stored):
    names, paths = paths_of(runs_of(stored / "paths"))
    assert names == ("r1", "r2")
    assert {label: path.shape for label, path in paths.items()} == dict.fromkeys(("r1", "r2", "r1 + r2"), (16, 3))
    assert paths["r1"][-1, 0] > 0.6 > 0.45 > paths["r1"][-1, 1]
    assert paths["r2"][-1, 1] > 0.6 > 0.45 > paths["r2"][-1, 0]


def test_the_command_prints_the_points_and_json_holds_them(stored, capsys):
    assert main(["composite", "proxy", str(stored / "paths"), "--min-density", "0.2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["point", "r1", "r2", "evaluation", "residual", "rms"]
    assert [line.split("  ")[0].strip() for line in lines[1:4]] == ["r1 alone", "r2 alone", "joint"]
    assert main(["composite", "proxy", str(stored / "paths"), "--degree", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    names, paths = paths_of(runs_of(stored / "paths"))
    expected = find_proxy_points(paths, names, degree=2)
    assert told["points"][-1]["r1"] == expected.joint.best[0]
    assert told["warnings"] == expected.warnings


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("nowhere",), "nowhere does not exist"),
        (("paths", "--degree", "9"), "degree = 9: expected a whole number between 1 and 6"),
        (("paths", "--degree", "x"), "--degree"),
        (("paths", "--densty", "1"), "no option called '--densty'"),
        ((), "RUN"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_status_2(stored, monkeypatch, capsys, args, words):
    monkeypatch.chdir(stored)
    assert main(["composite", "proxy", *args]) == 2
    assert words in capsys.readouterr().err


def test_help_has_an_example(capsys):
    assert main(["composite", "proxy", "--help"]) == 0
    assert "zoo composite proxy paths" in capsys.readouterr().out


def test_the_figure_of_runs_has_scores_truth_multipliers_and_thresholds(stored):
    figure = composite(runs_of(stored / "runs"), FigureOptions())
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[:3] == ["mean of r1", "mean of r2", "evaluation"]
    assert titles[3:] == ["multiplier of r1", "multiplier of r2", "KL from the reference (nats)"]
    nm, xi = runs_of(stored / "runs")
    lines = figure.axes[0].lines
    drawn = [list(line.get_ydata()) for line in lines if line.get_linestyle() == ":"]
    assert drawn == [nm.series("threshold/r1").values, xi.series("threshold/r1").values]
    assert set(drawn[1]) == {0.4555}
    assert len(set(drawn[0])) > 1
    assert list(figure.axes[2].lines[1].get_ydata()) == xi.series("evaluation/estimate").values


def test_the_figure_of_the_surface_marks_the_points(stored):
    runs = runs_of(stored / "paths")
    figure = proxy(runs, FigureOptions())
    axes = figure.axes[0]
    names, paths = paths_of(runs)
    expected = find_proxy_points(paths, names)
    star = next(line for line in axes.lines if line.get_marker() == "*")
    np.testing.assert_array_equal([star.get_xdata()[0], star.get_ydata()[0]], expected.joint.best)
    triangles = [line for line in axes.lines if line.get_marker() in ("^", ">")]
    assert triangles[0].get_xdata()[0] == expected.own["r1"].best[0]
    assert triangles[1].get_ydata()[0] == expected.own["r2"].best[0]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"path of r1", "path of r2", "path of r1 + r2"} < set(texts)


def test_the_commands_write_both_figures(stored, monkeypatch):
    monkeypatch.chdir(stored)
    assert main(["plot", "composite", "runs", "paths", "-o", "runs.svg"]) == 0
    assert main(["plot", "proxy", "paths", "-o", "proxy.svg"]) == 0
    assert "xi-ppo" in (stored / "runs.svg").read_text(encoding="utf-8")
    assert "joint proxy point" in (stored / "proxy.svg").read_text(encoding="utf-8")


def test_runs_of_something_else_are_refused(stored):
    short = ("--steps", "32", "--num-envs", "1", "--n-steps", "16", "--eval-every", "0", "--quiet")
    assert main(["train", "ppo-native", "two-state", *short, "--dir", str(stored / "else")]) == 0
    other, ours = open_runs([stored / "else"]).runs, runs_of(stored / "paths")
    for figure in (composite, proxy):
        with pytest.raises(UsageError, match="of tiny-composite and two-state: expected those of one environment"):
            figure([*other, *ours], FigureOptions())
        with pytest.raises(UsageError, match="logged no"):
            figure(other, FigureOptions())


def test_metrics_of_suites_are_what_they_say(stored):
    xi = runs_of(stored / "runs")[1]
    r1, r2, kl = (np.mean(xi.series(name).values[-4:]) for name in ("value/r1", "value/r2", "kl"))
    assert derived.truth_at_means(xi, "kl", points=4) == pytest.approx(float(utility(r1, r2, kl)))
    assert derived.distance_from_threshold(xi, "r2", points=4) == pytest.approx(abs(r2 - 0.4429))
    values = xi.series("evaluation/estimate").values
    assert derived.peak_minus_final(xi, "evaluation/estimate", points=2) == max(values) - np.mean(values[-2:])
    run = runs_of(stored / "paths")[0]
    names, paths = paths_of(runs_of(stored / "paths"))
    expected = find_proxy_points(paths, names)
    assert derived.joint_proxy_point(run, "r2") == expected.joint.best[1]
    assert derived.proxy_point(run, "r1") == expected.own["r1"].best[0]
    assert derived.proxy_shift(run, "r2") == expected.joint.best[1] - expected.own["r2"].best[0]
    shutil.copytree(stored / "runs", stored / "both")
    shutil.copytree(stored / "paths", stored / "both", dirs_exist_ok=True)
    counted = next(run for run in runs_of(stored / "both") if run.algorithm == "xi-ppo")
    paths = [run.step for run in runs_of(stored / "paths") if run.seed == counted.seed]
    assert derived.samples_with_search(counted, "ppo-sum") == counted.step + sum(paths)
    assert derived.samples_with_search(xi, "ppo-sum") is None


def test_metrics_are_not_known_where_the_runs_are_not_there(stored):
    xi = runs_of(stored / "runs")[1]
    assert derived.joint_proxy_point(xi, "r1") is None  # no run follows r1 alone
    gone = runs_of(stored / "paths")[0]
    assert derived.distance_from_threshold(gone, "r1") is None  # ppo-sum has no thresholds
    assert derived.truth_at_means(gone, "no such metric") is None
    assert derived.peak_minus_final(gone, "no such metric") is None
