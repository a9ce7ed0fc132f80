"""``zoo rep`` and the commands of the README, end to end."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from zoo_successor.learning.environment import build_problem, parse_options
from zoo_successor.plots.runs import exploration, lambda_sweep
from zoo_successor.plots.tables import Panel, heat_maps, plan_route, remaining_bars, save
from zoo_successor.plots.tails import summarise

from zoo import UsageError
from zoo.cli.main import main

PNG = b"\x89PNG\r\n\x1a\n"


def rep(*args):
    return main(["rep", *map(str, args)])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("show", "lambda", "four-rooms", "--state", 100, "--lambda", 0.5), "lambda 0.5, from 100: 100 1."),
        (("show", "fr", "riverswim", "--goal", 5), "fr, from 1: 1 1,"),
        (("compare", "basic-grid", "--lambdas", "0,0.5,1", "--policy", "greedy:15"), "lambda 1 (SR), from 25"),
        (("plan", "escape", "--env", "size=13"), "value 0.904382, 10 steps"),
        (("remaining", "four-rooms", "--env", "task=diminishing", "stay=true"), "lambda 0.5, from 100: discounted"),
    ],
)
def test_each_draws_a_figure_and_says_what_it_shows(args, said, tmp_path, capsys):
    file = tmp_path / "new" / "figure.png"
    assert rep(*args, "-o", file) == 0
    assert file.read_bytes().startswith(PNG)
    out = capsys.readouterr().out
    assert said in out
    assert out.splitlines()[-1] == str(file)


def test_first_occupancy_in_words_is_the_discount_of_the_walk(tmp_path, capsys):
    rep("show", "fr", "basic-grid", "--state", 25, "--policy", "greedy:15", "-o", tmp_path / "a.svg")
    entries = capsys.readouterr().out.splitlines()[0].partition(": ")[2].split(", ")
    found = {int(cell): float(value) for cell, value in (entry.split() for entry in entries)}
    assert sorted(found.values(), reverse=True)[:4] == pytest.approx([0.9**k for k in range(4)], abs=1e-4)
    assert found[15] == pytest.approx(0.9**4, abs=1e-4)
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")


def test_an_unreachable_goal_is_said_and_nothing_is_drawn(tmp_path, capsys):
    file = tmp_path / "a.png"
    assert rep("plan", "four-rooms", "--policies", 24, "--goal", 20, "-o", file) == 0
    assert "20 cannot be reached from 100 with these base policies: value 0, no plan." in capsys.readouterr().out
    assert not file.exists()


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("show", "lambda", "four-rooms", "--state", 60), "cell 60 is a wall; the nearest free cell is 48."),
        (("show", "lambda", "four-rooms", "--state", 999), "cell 999 is outside the grid"),
        (("show", "sr", "four-rooms", "--lambda", 0.5), "--lambda does not go with sr"),
        (("show", "lambda", "four-rooms", "--lambda", 1.5), "--lambda: 1.5 is not a number in [0, 1]."),
        (("show", "lamda", "four-rooms"), "is 'lamda': did you mean lambda"),
        (("show", "fr", "four-room"), "four-rooms"),
        (("show", "fr", "CartPole-v1"), "CartPole-v1"),
        (("compare", "four-rooms", "--lambdas", "0,x"), "x is not a number in [0, 1]"),
        (("compare", "four-rooms", "--gamma", 1), "1 is not a number in [0, 1)"),
        (("compare", "four-rooms", "--policy", "best"), "expected 'run', 'uniform'"),
        (("show", "fr", "four-rooms", "--env", "task"), "--env task: expected KEY=VALUE"),
        (("show", "fr", "four-rooms", "--env", "tusk=goals"), "task"),
        (("show", "fr", "four-rooms", "--env", "task=swim"), "environment four-rooms cannot be built: task must be"),
        (("show", "fr", "four-rooms", "-o", "a.gif"), "a.gif ends in .gif: expected one of .png, .svg, .pdf."),
        (("plan", "four-rooms", "--env", "noise=0.1"), "a route needs certain transitions"),
        (("plan", "four-rooms", "--segments", -1), "--segments -1: expected at least 0"),
        (("remaining", "four-rooms"), "the rewards of four-rooms do not diminish"),
        (("returns", "nowhere"), "nowhere does not exist."),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(args, complaint, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert rep(*args) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert complaint in found.err
    assert "Traceback" not in found.err
    assert not list(tmp_path.iterdir())


def zoo(*args, cwd):
    return subprocess.run(
        [sys.executable, "-m", "zoo.cli.main", *map(str, args)], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("lambda-q", "two-rooms", "--lambda", 0.5, "--steps", 300), "lambda-q on two-rooms"),
        (("frp", "four-rooms", "--env.task", "goals"), "no plan gets better with more than 4 segments"),
        (("sr", "four-rooms", "--exact", "--seeds", "0:2"), "converged"),
    ],
)
def test_the_commands_of_the_issue(args, expected, tmp_path, capsys):
    options = ["--dir", str(tmp_path), "--eval-episodes", "0", "--quiet"]
    assert main(["train", *map(str, args), *options]) == 0
    assert expected in capsys.readouterr().out


def test_returns_and_points_of_an_exploration(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    common = ["riverswim", "--seeds", "0:3", "--steps", "300", "--dir", "runs", "--eval-episodes", "0", "--quiet"]
    for bonus in ("none", "fr"):
        assert main(["train", "sarsa", *common, "--bonus", bonus]) == 0
    told = zoo("rep", "returns", "runs", "--above", 1000, "--json", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    rows = json.loads(told.stdout)
    assert {row["options"] for row in rows} == {"bonus none", "bonus fr"}
    for row in rows:
        assert row["runs"] == 3
        assert 0 <= row["above 1000"] <= 1
        assert row["mean"] > 0
    assert main(["plot", "exploration", "runs", "-o", "points.png"]) == 0
    assert (tmp_path / "points.png").read_bytes().startswith(PNG)


def stored(folder, name, seed, value, **config):
    run = folder / name / f"seed-{seed}"
    run.mkdir(parents=True)
    status = {"state": "finished", "step": 5000, "metrics": {"return/total": value}}
    (run / "status.json").write_text(json.dumps(status))
    spec = {"environment": "zoo-envs/riverswim", "algorithm": "zoo-successor/sarsa", "config": config, "steps": 5000}
    spec |= {"kind": "algorithm", "plugin_version": "0.1.0", "seed": seed}
    (run / "spec.json").write_text(json.dumps(spec))


def test_tails_are_summed_up_by_hand(tmp_path):
    for seed, value in enumerate([1.0, 2.0, 3.0, 1000.0]):
        stored(tmp_path, "a", seed, value, bonus="fr", beta=1.0)
    stored(tmp_path, "b", 0, 7.0, bonus="none", beta=1.0)
    first, second = summarise([tmp_path], "return/total", 100.0)
    assert (first["runs"], first["median"], first["mean"], first["above 100"]) == (4, 2.5, 251.5, 0.25)
    assert first["standard error"] == pytest.approx(np.std([1, 2, 3, 1000], ddof=1) / 2)
    assert (first["options"], second["options"]) == ("bonus fr", "bonus none")
    assert second["standard error"] == 0.0
    with pytest.raises(UsageError, match="logged return/other"):
        summarise([tmp_path], "return/other", 1.0)


def colours(axes):
    return axes.images[0].get_array()


def test_heat_maps_grey_out_walls_and_what_was_never_seen():
    problem = build_problem("basic-grid", {})
    values, seen = np.arange(16.0), np.arange(16) > 0
    large = Panel("large", 100 * values, scale="sr")
    figure = heat_maps(problem, [[Panel("a", values, (3,), seen=seen), Panel("b", values), large]], "title")
    first, second, third = (colours(axes) for axes in figure.axes[:3])
    assert first[0, 0].tolist() == second[0, 0].tolist()  # a wall in both
    assert first[1, 1].tolist() != second[1, 1].tolist()  # unseen in the first alone
    np.testing.assert_array_equal(first[1:5, 2:5], second[1:5, 2:5])  # one scale
    np.testing.assert_array_equal(second, third)  # a scale of its own, to the same colours
    assert len(figure.axes) == 5  # and a bar for each scale
    assert len(figure.axes[0].patches) == 1


def test_a_route_numbers_its_subgoals_and_bars_add_up(tmp_path):
    problem = build_problem("four-rooms", {"task": "diminishing"})
    route = np.array([problem.grid.state(cell) for cell in (100, 89, 78, 79, 80)])
    axes = plan_route(problem, route, [int(route[2]), int(route[4])], "route").axes[0]
    assert [text.get_text() for text in axes.texts] == ["1"]
    assert axes.lines[0].get_xydata().tolist() == [[1, 9], [1, 8], [1, 7], [2, 7], [3, 7]]
    left = np.zeros((3, 68))
    left[:, 5], left[:, 9] = [4, 2, 1], [3, 3, 3]
    figure = remaining_bars(problem, left, "left")
    heights = np.array([bar.get_height() for bar in figure.axes[0].patches]).reshape(2, 3)
    np.testing.assert_array_equal(heights, [[4, 2, 1], [3, 3, 3]])
    file = tmp_path / "a.svg"
    save(figure, file)
    first = file.read_bytes()
    save(figure, file)
    assert file.read_bytes() == first


class Logged:
    def __init__(self, seed, value, **config):
        self.environment, self.algorithm, self.seed = "four-rooms", "gpi", seed
        self.spec = type("Spec", (), {"config": config, "env_config": {"task": "goals"}})
        self._values = value

    def series(self, name):
        return type("Series", (), {"values": self._values})


class Drawn:
    metrics = ()

    @staticmethod
    def colour(name):
        return "#0072B2"


def test_the_sweep_shows_the_interval_of_student():
    runs = [Logged(s, [v], lam=0.5) for s, v in enumerate([1.0, 2.0, 3.0])] + [Logged(0, [5.0], lam=1.0)]
    axes = lambda_sweep(runs, Drawn).axes[0]
    assert axes.lines[0].get_xydata().tolist() == [[0.5, 2.0], [1.0, 5.0]]
    corners = axes.collections[0].get_paths()[0].vertices
    assert corners[:, 1].max() == 5.0
    assert corners[:, 1].min() == pytest.approx(2 - 4.303 / math.sqrt(3))
    apart = [Logged(0, [1.0], lam=0.5, reread=True), Logged(0, [9.0], lam=0.5, reread=False)]
    lines = lambda_sweep(apart, Drawn).axes[0].lines
    assert {line.get_label(): line.get_ydata()[0] for line in lines} == {
        "gpi on four-rooms, reread True": 1.0, "gpi on four-rooms, reread False": 9.0,
    }  # fmt: skip
    with pytest.raises(UsageError, match="no run has an option lambda"):
        lambda_sweep([Logged(0, [1.0])], Drawn)


def test_every_run_is_a_point():
    runs = [Logged(s, [float(v)], bonus="fr", beta=1.0) for s, v in enumerate([10, 20, 4_000_000])]
    axes = exploration(runs, Drawn).axes[0]
    assert sorted(axes.lines[0].get_xdata()) == [10, 20, 4_000_000]
    assert list(axes.lines[1].get_xdata()) == [20, 20]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["gpi on four-rooms\nn = 3"]
    both = exploration([*runs, Logged(0, [5.0], bonus="none", beta=1.0)], Drawn).axes[0]
    found = [label.get_text() for label in both.get_yticklabels()]
    assert found == ["gpi on four-rooms, bonus fr\nn = 3", "gpi on four-rooms, bonus none\nn = 1"]
    with pytest.raises(UsageError, match="no run logged return/total"):
        exploration([Logged(0, [])], Drawn)


def test_options_of_environments_are_json_or_text():
    assert parse_options(["goals=[80, 24]", "task=diminishing", "stay=true", "end-below=0.5"]) == {
        "goals": (80, 24), "task": "diminishing", "stay": True, "end_below": 0.5,
    }  # fmt: skip
