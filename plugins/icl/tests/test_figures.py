"""The figures show what was logged, and say so where nothing was."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from zoo_bench.plots.plugin_figures import FigureOptions, find_figures
from zoo_icl.figures import (
    heads,
    paper_3a,
    paper_3b,
    paper_4a,
    paper_4b,
    paper_5b,
    paper_6,
    paper_11,
    paper_16b,
    paper_18,
    patterns,
    phases,
    progress,
    strategies,
)
from zoo_icl.figures.style import mean_and_range

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


def legend(figure):
    return [text.get_text() for text in figure.legends[0].texts]


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
    assert [list(line.get_ydata()) for line in curves_of(left)] == [LOSS]
    assert len(curves_of(right)) == 2
    assert (
        verticals(left)
        == verticals(right)
        == pytest.approx([5000 + 1e4 * (0.7 - 0.9 * LN2), 8000 + 1e4 * (0.4 - 0.5 * LN2)])
    )
    (band,) = left.patches
    assert (band.get_x(), band.get_x() + band.get_width()) == (3000.0, 6000.0)
    assert legend(figure) == [
        "training loss", "as in training", "new classes", "mean and range, 2 seeds",
        "ln 2, two labels guessed", "plateau: within .1 of ln 2, first seed", "below .9 ln 2 for good, first seed",
        "below half of ln 2, first seed",
    ]  # fmt: skip
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
    marks = ["icl: context alone", "flip: context against weights", "flip falls below one half", "one half"]
    assert legend(strategies([only], OPTIONS)) == marks
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
    assert legend(figure) == ["none", "PrevToken", "Layer1", "Induction", "half of ln 2"]
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


def test_seeds_are_the_mean_and_range_of_those_that_have_looked():
    seeds = [run({"x": [1.0, 2.0, 3.0]}), run({"x": [3.0, 2.0, 5.0, 9.0]}, seed=1), run({}, seed=2)]
    steps, mean, low, high = mean_and_range(seeds, "x")
    assert list(steps) == STEPS[:4]
    assert list(mean) == [2.0, 2.0, 4.0, 9.0]
    assert (list(low), list(high)) == ([1.0, 2.0, 3.0, 9.0], [3.0, 2.0, 5.0, 9.0])
    other = run({}, seed=3)
    other.series = lambda name: SimpleNamespace(steps=[1500.0, 2500.0], values=[0.0, 1.0])
    steps, mean, *_ = mean_and_range([seeds[0], other], "x")
    assert list(steps) == [1000.0, 1500.0, 2000.0, 2500.0, 3000.0]
    assert list(mean) == [1.0, 0.75, 1.25, 1.75, 3.0]
    assert mean_and_range([run({})], "x") is None
    (single,) = [mean_and_range([seeds[1]], "x")]
    assert list(single[1]) == [3.0, 2.0, 5.0, 9.0]


def test_figure_3a_has_loss_and_accuracy_of_every_set():
    curves = {f"{of}/{what}": LOSS for of in ("seen", "relabel_val", "new_class") for what in ("loss", "acc")}
    figure = paper_3a([run(curves)], OPTIONS)
    left, right = figure.axes
    assert len(curves_of(left)) == len(curves_of(right)) == 3
    assert legend(figure) == ["as in training", "new pairs of labels", "new classes", "ln 2, two labels guessed"]
    assert (left.get_ylabel(), right.get_ylabel()) == ("loss (nats)", "accuracy")
    assert left.get_xlabel() == right.get_xlabel() == "sequences seen"


def test_figure_3b_has_a_panel_for_each_seed():
    metrics = {f"heads/1.{h}/induction_strength": np.linspace(0, 0.3 * h, 10) for h in range(3)}
    figure = paper_3b([run(metrics, seed=seed) for seed in range(8)], OPTIONS)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [f"seed {seed}" for seed in range(6)]
    assert all(len(curves_of(axes)) == 3 for axes in figure.axes)


def ablated(strengths, seed=0):
    heads = range(len(strengths))
    rows = [{"kept": "all", "acc": 1.0, "loss": 0.0}]
    rows += [
        {"kept": f"only 1:{h}", "acc": 0.1 * h, "loss": 1.0 + h, "induction_strength": strengths[h]}
        | ({"complementarity": 0.2 * h} if h != int(np.argmax(strengths)) else {})
        for h in heads
    ]
    rows += [{"kept": f"all but 1:{h}", "acc": 1.0 - 0.1 * h, "loss": 0.1 * h} for h in heads]
    return run(seed=seed, reports=report(rows, "icl-ablation"))


def heights(axes):
    bars = [container.patches for container in axes.containers if hasattr(container, "patches")]
    return [[patch.get_height() for patch in patches] for patches in bars]


def test_figure_4a_orders_heads_by_strength():
    left, right = paper_4a([ablated([0.1, 0.9, 0.5])], OPTIONS).axes
    assert [label.get_text() for label in left.get_xticklabels()] == ["1:1", "1:2", "1:0"]
    assert heights(left) == [pytest.approx([0.1, 0.2, 0.0]), pytest.approx([0.9, 0.8, 1.0])]
    assert heights(right) == [pytest.approx([2.0, 3.0, 1.0]), pytest.approx([0.1, 0.2, 0.0])]
    assert left.get_xlabel() == "head, strongest first (seed 0)"
    figure = paper_4a([ablated([0.1, 0.9, 0.5]), ablated([0.9, 0.1, 0.5], seed=1)], OPTIONS)
    assert heights(figure.axes[0])[0] == pytest.approx([0.05, 0.2, 0.05])
    assert legend(figure)[-1] == "mean and range, 2 runs"
    (axes,) = paper_16b([ablated([0.1, 0.9, 0.5])], OPTIONS).axes
    assert heights(axes)[0][1:] == pytest.approx([0.4, 0.0])


def test_figure_4b_has_trainings_of_single_heads():
    runs = [
        run(
            {"train/loss": LOSS},
            key=f"head{h}",
            seed=seed,
            n_heads=3,
            clamp=(f"Ablate(1:{(h + 1) % 3},1:{(h + 2) % 3})",),
        )
        for h in (2, 0)
        for seed in (0, 1)
    ]
    figure = paper_4b([*runs, run({"train/loss": LOSS}, n_heads=3)], OPTIONS)
    assert legend(figure)[:2] == ["head 0 alone", "head 2 alone"]
    assert len(curves_of(figure.axes[0])) == 2
    with pytest.raises(UsageError, match="not of heads alone"):
        paper_4b(runs[:2], OPTIONS)


def test_figures_5b_and_6_need_what_their_measure_means():
    arms = [
        run({"train/loss": LOSS}, key=f"arm{i}", seed=seed, clamp=("Ablate(1:1-7)", *arm))
        for i, arm in enumerate([(), *((clamp,) for clamp in CLAMPS)])
        for seed in (0, 1)
    ]
    (axes,) = paper_5b(arms, OPTIONS).axes
    assert len(curves_of(axes)) == 4
    rows = [
        {"sequences": step, "clamp": clamp, "loss": 1.0 / (step + i), "acc": 0.5}
        for step in (10, 20, 30)
        for i, clamp in enumerate(
            ("none", "PrevToken(0:0)", "Layer1()", "Copy(1:0)", "Layer1()+Copy(1:0)", "Induction(1:*)")
        )
    ]
    one = [run(reports=report(rows), seed=seed, clamp=("Ablate(1:1-7)",)) for seed in (0, 1)]
    figure = paper_6(one, OPTIONS)
    assert legend(figure)[:5] == [
        "all of the circuit", "A and B: all but copying (Copy)", "B and C: match and copying (Layer1)",
        "B: the match (Layer1+Copy)", "C: copying (Induction)",
    ]  # fmt: skip
    assert list(curves_of(figure.axes[0])[0].get_ydata()) == [1 / 10, 1 / 20, 1 / 30]
    with pytest.raises(UsageError, match="8 heads in the last block, where progress under a clamp of one head means"):
        paper_6([run(reports=report(rows))], OPTIONS)


def test_figure_11_is_a_heat_map_of_strengths_without_each_head():
    rows = [
        {"head": f"1:{i}", "reads": f"0:{j}", "strength": 0.5 + 0.1 * i, "strength without": 0.1 * i - 0.2 * j}
        for i in range(2)
        for j in range(3)
    ]
    axes, bar = paper_11([run(reports=report(rows, "icl-wiring"))], OPTIONS).axes
    assert np.allclose(axes.images[0].get_array(), [[0.5, 0.0, -0.2, -0.4], [0.6, 0.1, -0.1, -0.3]])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["all", "0:0", "0:1", "0:2"]
    assert bar.get_ylabel() == "induction strength (attention)"


def test_figure_18_has_every_seed():
    runs = [run({"train/loss": LOSS}, seed=seed) for seed in range(3)]
    (axes,) = paper_18([*runs, run({"train/loss": LOSS}, key="b", depth=3)], OPTIONS).axes
    assert len(curves_of(axes)) == 3 and axes.get_title(loc="left").endswith("3 seeds")
    with pytest.raises(UsageError, match="expected two seeds of one setting"):
        paper_18(runs[:1], OPTIONS)


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (phases, "none of these runs logged train/loss"),
        (strategies, "none of these runs logged icl/in_context_acc"),
        (heads, "none of these runs logged strengths of heads"),
        (progress, "no progress under clamps"),
        (patterns, "no patterns in their reports"),
        (paper_3a, "none of these runs was evaluated on new labels"),
        (paper_3b, "none of these runs logged induction strengths"),
        (paper_4a, "no reports of icl-ablation"),
        (paper_4b, "not of heads alone"),
        (paper_5b, "were not trained under different clamps"),
        (paper_6, "none of these runs has a report of icl-clamped"),
        (paper_11, "no reports of icl-wiring"),
        (paper_16b, "no reports of icl-ablation"),
        (paper_18, "none of these runs logged train/loss"),
    ],
)
def test_runs_without_the_data_are_refused(figure, message):
    with pytest.raises(UsageError, match=message):
        figure([run({"return": LOSS})], OPTIONS)


def test_all_are_offered():
    papers = [f"paper-{number}" for number in ("3a", "3b", "4a", "4b", "5b", "6", "11", "16b", "18")]
    names = {f"icl-{name}" for name in ("phases", "heads", "progress", "strategies", "patterns", *papers)}
    found = find_figures(discover())
    assert names <= set(found)
    assert all("cannot be" not in found[name].summary for name in names)
