from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zoo_bench.plots.curves import SLOTS, Group, curve, default_metrics, make_groups
from zoo_bench.plots.learning_curves import default_file, draw, make_panels, write
from zoo_bench.plots.palette import COLOURS, colour, dashes

from zoo.errors import UsageError
from zoo.runs.store import open_runs
from zoo.stats import iqm

from .conftest import Answer, run_of

Zoo = Callable[..., Answer]
GOLDEN = {"reload": "#0072B2", "gda": "#D55E00", "alternating": "#E69F00", "ppo": "#CC79A7", "sac": "#D55E00"}


def groups_of(*paths: Path) -> list[Group]:
    return make_groups(open_runs(paths).groups())


def rewrite(run: Path, rows: list[dict[str, Any]]) -> None:
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


# Colours


def test_colours_never_change() -> None:
    """A hash of the name alone; a change here would recolour every figure ever published."""
    assert {name: colour(name) for name in GOLDEN} == GOLDEN


@pytest.mark.parametrize(
    "rivals",
    [
        ("reload", "gda", "alternating", "average", "rpgpd", "pid", "augmented-lagrangian"),
        ("ppo", "a2c", "dqn", "trpo"),
        ("sac", "td3", "ddpg", "tqc", "crossq"),
    ],
)
def test_common_rivals_differ(rivals: tuple[str, ...]) -> None:
    assert len({colour(name) for name in rivals}) == len(rivals)


DICHROMATS = {  # Machado, Oliveira and Fernandes 2009, severity 1
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanope": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranope": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}


@pytest.mark.parametrize("eye", DICHROMATS)
def test_colours_stay_apart_for_the_colour_blind(eye: str) -> None:
    def lab(text: str) -> Any:
        srgb = np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
        seen = np.clip(np.array(DICHROMATS[eye]) @ linear, 0, 1)
        rgb_to_xyz = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])
        xyz = rgb_to_xyz @ seen / np.array([0.9505, 1.0, 1.0888])
        x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])

    assert min(np.linalg.norm(lab(a) - lab(b)) for a, b in combinations(COLOURS, 2)) >= 17


def test_names_that_share_a_colour_get_different_lines() -> None:
    names = [f"algorithm-{number}" for number in range(12)]
    looks = list(zip(map(colour, names), map(str, dashes(names)), strict=True))
    assert len(set(looks)) == len(looks)
    assert dashes(["reload", "gda"]) == ["solid", "solid"]


# Curves


def test_centre_is_the_interquartile_mean_over_seeds(laboratory: Path) -> None:
    group = next(g for g in groups_of(laboratory / "lab") if len(g.runs) == 3)
    made = curve(group, "err", "steps")
    assert made is not None
    starts = np.array([run.series("err").values[0] for run in group.runs]) * 10**0.1
    assert np.array_equal(made.x, np.arange(10.0, 401.0, 10.0))
    assert made.centre == pytest.approx(iqm(starts) * 10 ** (-made.x / 100))
    assert (made.low <= made.centre).all() and (made.centre <= made.high).all()
    again = curve(group, "err", "steps")
    assert again is not None and np.array_equal(again.low, made.low)
    assert made.reference is None
    value = curve(group, "value/reward", "steps")
    assert value is not None and value.reference == 0.5


@pytest.mark.parametrize(("state", "end"), [("finished", 400.0), ("interrupted", 200.0)])
def test_a_shorter_seed_is_held_only_if_it_finished(runs: Path, state: str, end: float) -> None:
    short = run_of(runs, seed=1)
    rows = [json.loads(line) for line in (short / "metrics.jsonl").read_text().splitlines()]
    rewrite(short, rows[:20])
    (short / "status.json").write_text(json.dumps({"state": state, "step": 200}))
    group = next(g for g in groups_of(runs / "lab") if len(g.runs) == 3)
    made = curve(group, "err", "steps")
    assert made is not None and made.x[-1] == end
    others = [run.series("err").values[-1 if state == "finished" else 19] for run in group.runs if run.seed != 1]
    assert made.centre[-1] == pytest.approx(np.mean([*others, rows[19]["err"]]))


def test_long_curves_are_binned_to_means(runs: Path) -> None:
    path = run_of(runs, stay=1.0)
    rewrite(path, [{"step": k, "wall": 0.1 * k, "episode/return": float(k)} for k in range(1, 1001)])
    made = curve(groups_of(path)[0], "episode/return", "steps")
    assert made is not None and made.binned == 5
    x, y = made.seeds[0]
    assert len(x) == 200 and x[0] == y[0] == 3.0 and x[-1] == y[-1] == 998.0
    wall = curve(groups_of(path)[0], "episode/return", "wall")
    assert wall is not None and wall.seeds[0][0] == pytest.approx(0.1 * x)


def test_a_planner_that_swings_is_shown_by_its_range(runs: Path) -> None:
    path = run_of(runs, stay=1.0)
    rewrite(path, [{"step": k, "wall": 0.0, "kkt": 1.0, "value/reward": 0.5 + 0.3 * (-1) ** k} for k in range(1, 601)])
    made = curve(groups_of(path)[0], "value/reward", "steps")
    assert made is not None and made.swings
    assert made.low == pytest.approx(np.full(SLOTS, 0.2)) and made.high == pytest.approx(np.full(SLOTS, 0.8))
    assert made.centre == pytest.approx(np.full(SLOTS, 0.5), abs=0.021)  # slots of 15 values are uneven
    steady = curve(groups_of(path)[0], "kkt", "steps")
    assert steady is not None and not steady.swings


def test_default_metrics_follow_what_the_runs_are_about(runs: Path) -> None:
    assert default_metrics(groups_of(runs / "lab")) == ["err", "value/reward", "multiplier/utility"]
    path = run_of(runs, stay=1.0)
    row = {"step": 1, "loss": 1.0, "episode/return": 3.0}
    rewrite(path, [row, row | {"step": 2, "eval/return": 2.0}])
    assert default_metrics(groups_of(path)) == ["episode/return"]  # one evaluation is no curve


# Figures


def test_lines_labels_and_axes_of_the_figure(laboratory: Path) -> None:
    from matplotlib import rcParams
    from matplotlib.colors import to_hex

    groups = groups_of(laboratory / "lab")
    panels = make_panels(groups, [], "steps", "auto")
    before = dict(rcParams)
    figure = draw(panels, "steps")
    assert dict(rcParams) == before
    err, value, multiplier = figure.axes[:3]
    assert [axes.get_yscale() for axes in (err, value, multiplier)] == ["log", "linear", "linear"]
    assert [axes.get_xlabel() for axes in (err, value, multiplier)] == ["iterations"] * 3
    # Three seeds thin and one centre bold; two groups of one seed are bold alone; the optimum on the value only.
    assert len(err.lines) == 3 + 1 + 1 + 1 and len(value.lines) == len(err.lines) + 1
    thin = [line for line in err.lines if line.get_linewidth() < 1]
    assert len(thin) == 3 and len({to_hex(line.get_color()) for line in thin}) == 1
    bold = {line.get_label(): line for line in err.lines if line.get_linewidth() > 1}
    assert {to_hex(line.get_color()).upper() for name, line in bold.items() if name.startswith("fixed")} == {
        colour("fixed")
    }
    assert len({line.get_linestyle() for name, line in bold.items() if name.startswith("fixed")}) == 2
    dashed = value.lines[-1]
    assert dashed.get_label() == "optimum" and list(dashed.get_ydata()) == [0.5, 0.5]
    (legend,) = figure.legends
    shown = [text.get_text() for text in legend.get_texts()]
    assert sorted(shown[:2]) == ["fixed (stay=0.5)", "fixed (stay=1.0)"] and shown[2:] == ["sampled", "optimum"]


def test_residuals_of_zero_are_drawn_at_the_floor(runs: Path) -> None:
    path = run_of(runs, stay=1.0)
    rewrite(path, [{"step": k, "wall": 0.0, "kkt": 10.0**-k, "err": 0.0} for k in range(1, 5)])
    groups = groups_of(path)
    figure = draw(make_panels(groups, ["err"], "steps", "auto"), "steps")
    assert list(figure.axes[0].lines[0].get_ydata()) == [1e-16] * 4
    with pytest.raises(UsageError, match="positive values"):
        rewrite(path, [{"step": 1, "wall": 0.0, "loss": -1.0}])
        make_panels(groups_of(path), ["loss"], "steps", "yes")


def test_environments_have_panels_of_their_own(laboratory: Path) -> None:
    figure = draw(make_panels(groups_of(laboratory), ["err"], "wall", "no"), "wall")
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left")[:5] for axes in shown] == ["lab: ", "plain"]
    assert {axes.get_xlabel() for axes in shown} == {"seconds of training"}
    assert {axes.get_yscale() for axes in shown} == {"linear"}


def test_default_file_names_environment_and_algorithms(laboratory: Path) -> None:
    assert default_file(groups_of(laboratory / "lab")) == Path("plots/lab-fixed+sampled.png")


# The command

MAGIC = {"png": b"\x89PNG\r\n", "svg": b"<?xml", "pdf": b"%PDF-"}


@pytest.mark.parametrize("kind", MAGIC)
def test_each_format_is_written_and_repeats(zoo: Zoo, laboratory: Path, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "new" / f"curves.{kind}"
    answer = zoo("plot", laboratory / "lab", "--metric", "err", "value/reward", "-o", file)
    assert answer.status == 0, answer.err
    assert answer.out.splitlines()[0] == str(file)
    first = file.read_bytes()
    panels = make_panels(groups_of(laboratory / "lab"), ["err", "value/reward"], "steps", "auto")
    write(draw(panels, "steps"), file)
    assert file.read_bytes() == first and first.startswith(MAGIC[kind])
    if kind == "svg":
        words = {element.text for element in ET.fromstring(first).iter() if element.text}
        assert {"optimum", "distance from the optimum (err)", "sampled"} <= words


def test_json_and_the_default_place(
    zoo: Zoo, laboratory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document = zoo("plot", laboratory / "lab", "--metric", "kkt", "--json").json
    assert document["file"] == str(Path("plots/lab-fixed+sampled.png")) and Path(document["file"]).is_file()
    (panel,) = document["panels"]
    assert panel["metric"] == "kkt" and panel["log"] and sorted(c["seeds"] for c in panel["curves"]) == [1, 1, 3]


def test_list_names_the_metrics(zoo: Zoo, laboratory: Path) -> None:
    rows = zoo("plot", laboratory / "lab", "--list", "--json").json["metrics"]
    assert {"metric": "optimum/reward", "runs": 5, "points": 40, "last": 0.5} in rows
    assert "optimum/reward" in zoo("plot", laboratory / "lab", "--list").out


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--metric", "er"), "did you mean err?"),
        (("-o", "x.gif"), "expected one of .png, .svg, .pdf"),
        (("--x", "time"), "--x is 'time'"),
    ],
)
def test_bad_requests_get_one_sentence(zoo: Zoo, laboratory: Path, args: tuple[str, ...], sentence: str) -> None:
    answer = zoo("plot", laboratory / "lab", *args)
    assert (answer.status, answer.out) == (2, "") and sentence in answer.err


def test_a_suite_is_told_from_runs(zoo: Zoo, laboratory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(laboratory)
    answer = zoo("plot", "smoke")
    assert answer.status == 2 and "smoke is a suite" in answer.err and "zoo plot --claims smoke" in answer.err


def test_nothing_logged_is_told(zoo: Zoo, runs: Path) -> None:
    path = run_of(runs)
    (path / "metrics.jsonl").write_bytes(b"")
    answer = zoo("plot", path)
    assert answer.status == 1 and "nothing has been logged yet" in answer.err


def test_a_missing_matplotlib_is_named(
    zoo: Zoo, laboratory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    answer = zoo("plot", laboratory / "lab", "-o", tmp_path / "x.png")
    assert answer.status == 2 and "pip install 'zoo-bench[plot]'" in answer.err and "Traceback" not in answer.err
