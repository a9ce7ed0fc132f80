"""The figures show what was logged, and say so where nothing was."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from zoo_bench.plots.plugin_figures import FigureOptions, find_figures
from zoo_icl.figures import heads, patterns, phases, progress, strategies

from zoo import UsageError
from zoo.discovery.registry import discover

OPTIONS = FigureOptions()
STEPS = [1000.0 * i for i in range(1, 11)]
LN2 = math.log(2.0)
LOSS = [1.5, 1.0, 0.7, 0.7, 0.7, 0.6, 0.5, 0.4, 0.3, 0.1]
CLAMPS = ("PrevToken(0:0)", "Layer1()", "Induction(1:*)")


def run(metrics=None, *, seed=0, key="a", clamp=(), reports=None, **config):
    curves = {name: (STEPS[: len(values)], list(values)) for name, values in (metrics or {}).items()}
    return SimpleNamespace(
        environment="icl-exemplars",
        seed=seed,
        path=Path(f"runs/{key}/seed-{seed}"),
        spec=SimpleNamespace(env_config={"context": 2}, config={"clamp": list(clamp), **config}, steps=10_000),
        metrics=list(curves),
        series=lambda name: SimpleNamespace(steps=curves.get(name, ([],))[0], values=curves.get(name, ([], []))[1]),
        evaluations=reports or {},
    )


def curves_of(axes):
    """Lines with more than two points: the others are marks."""
    return [line for line in axes.lines if len(line.get_xdata()) > 2]


def verticals(axes):
    return [
        line.get_xdata()[0] for line in axes.lines if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
    ]


def test_phases_mark_plateau_onset_and_half_loss():
    accuracy = np.linspace(0.2, 1.0, 10)
    seeds = [
        run({"train/loss": LOSS, "seen/acc": accuracy, "new_class/acc": accuracy / 2}, seed=seed) for seed in (0, 1)
    ]
    figure = phases(seeds, OPTIONS)
    left, right = figure.axes
    assert [list(line.get_ydata()) for line in curves_of(left)] == [LOSS, LOSS]
    assert len(curves_of(right)) == 4
    assert (
        verticals(left)
        == verticals(right)
        == pytest.approx([5000 + 1e4 * (0.7 - 0.9 * LN2), 8000 + 1e4 * (0.4 - 0.5 * LN2)])
    )
    (band,) = left.patches
    assert (band.get_x(), band.get_x() + band.get_width()) == (3000.0, 6000.0)
    assert [text.get_text() for text in figure.legends[0].texts] == ["as in training", "new classes"]
    assert math.isclose(left.lines[-1].get_ydata()[0], math.log(2))


def test_runs_that_differ_have_panels_that_say_in_what():
    runs = [run({"train/loss": LOSS}, key="a", depth=2), run({"train/loss": LOSS}, key="b", depth=3)]
    titles = [axes.get_title(loc="left") for axes in phases(runs, OPTIONS).axes]
    assert titles == ["icl-exemplars: depth 2", "", "icl-exemplars: depth 3", ""]
    clamped = [run({"train/loss": LOSS}, clamp=("Ablate(1:0,1:1,1:2,1:4)", "Layer1()")), runs[0], runs[1]]
    clamped[0].path = Path("runs/c/seed-0")
    titles = [axes.get_title(loc="left") for axes in phases(clamped[:2], OPTIONS).axes]
    assert titles[::2] == ["icl-exemplars: clamp Ablate(…)+Layer1()", "icl-exemplars: clamp none, depth 2"]


def test_strategies_mark_where_flip_falls_below_one_half():
    flip = [0.5, 0.8, 0.9, 0.9, 0.8, 0.7, 0.4, 0.3, 0.2, 0.1]
    only = run({"icl/in_context_acc": flip, "flip/in_context_acc": flip})
    (axes,) = strategies([only], OPTIONS).axes
    assert len(curves_of(axes)) == 2
    assert verticals(axes) == pytest.approx([20_000 / 3])
    runs = [run({"iwl/acc": flip}, key=key, width=i) for i, key in enumerate("abcd")]
    figure = strategies(runs, OPTIONS)
    assert sum(axes.get_visible() for axes in figure.axes) == 4


def test_heads_are_named_where_they_end_and_do_not_overlap():
    metrics = {f"heads/0.{h}/prev_token_strength": np.full(10, max(0.4, 0.3 * h)) for h in range(3)}
    metrics |= {f"heads/1.{h}/induction_strength": np.linspace(0, 0.3 * h, 10) for h in range(3)}
    metrics |= {"heads/max_induction_strength": np.ones(10)}
    left, right = heads([run(metrics), run(metrics, seed=1)], OPTIONS).axes
    assert [text.get_text() for text in left.texts] == ["0:0", "0:1", "0:2"]
    assert [text.get_text() for text in right.texts] == ["1:0", "1:1", "1:2"]
    assert [line.get_ydata()[-1] for line in curves_of(right)] == [0.0, 0.3, 0.6]
    levels = [text.xy[1] for text in left.texts]
    assert min(np.diff(levels)) > 0
    assert left.lines[-1].get_ydata()[0] == 0.375


def report(rows, name="icl-clamped"):
    return {name: {"rows": rows}}


def test_progress_has_the_measure_left_and_the_cause_right():
    rows = [
        {"sequences": step, "clamp": clamp, "loss": 1.0 / (step + i), "acc": 0.5}
        for step in (10, 20, 30)
        for i, clamp in enumerate(("none", "Induction(1:*)"))
    ]
    judged = run({"train/loss": LOSS}, reports=report(rows))
    arms = [(), *((clamp,) for clamp in CLAMPS)]
    trained = [run({"train/loss": LOSS}, key=f"arm{i}", clamp=("Ablate(1:0,1:1)", *arm)) for i, arm in enumerate(arms)]
    figure = progress([judged, *trained], OPTIONS)
    left, right = figure.axes
    assert [list(line.get_ydata()) for line in curves_of(left)] == [[1 / 10, 1 / 20, 1 / 30], [1 / 11, 1 / 21, 1 / 31]]
    assert len(curves_of(right)) == 4
    assert [text.get_text() for text in figure.legends[0].texts] == ["none", "Induction", "PrevToken", "Layer1"]
    colours = {line.get_color() for line in curves_of(left)}
    assert colours <= {line.get_color() for line in curves_of(right)}
    (alone,) = progress([judged], OPTIONS).axes
    assert len(curves_of(alone)) == 2


def test_patterns_are_heat_maps_of_every_head():
    even = np.tril(np.ones((5, 5))) / np.arange(1, 6)[:, None]
    rows = [
        {"of": f"{b}:{h}", "metric": "pattern", "pattern": (even if b else even[::-1]).tolist()}
        for b in (0, 1)
        for h in (0, 1, 2)
    ]
    rows.append({"of": "seen", "metric": "acc", "mean": 1.0})
    figure = patterns([run(), run(reports=report(rows, "icl-induction"))], OPTIONS)
    maps = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in maps] == ["0:0", "0:1", "0:2", "1:0", "1:1", "1:2"]
    assert np.allclose(maps[-1].images[0].get_array(), even)
    assert [label.get_text() for label in maps[0].get_yticklabels()] == ["x1", "y1", "x2", "y2", "?"]


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (phases, "none of these runs logged train/loss"),
        (strategies, "none of these runs logged icl/in_context_acc"),
        (heads, "none of these runs logged strengths of heads"),
        (progress, "no progress under clamps"),
        (patterns, "no patterns in their reports"),
    ],
)
def test_runs_without_the_data_are_refused(figure, message):
    with pytest.raises(UsageError, match=message):
        figure([run({"return": LOSS})], OPTIONS)


def test_all_five_are_offered():
    names = {f"icl-{name}" for name in ("phases", "heads", "progress", "strategies", "patterns")}
    found = find_figures(discover())
    assert names <= set(found)
    assert all("cannot be" not in found[name].summary for name in names)
