"""The forest plot of claims: rows, marks and axes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zoo_bench.claims import judge
from zoo_bench.plots.forest import caption_forest, draw_forest, make_forest
from zoo_bench.plots.learning_curves import write
from zoo_bench.plots.palette import VERDICTS
from zoo_bench.schema import Claim, Suite, Term

# The forest plot


def claim(name: str, relation: Any, right: Any, margin: float = 0.0, **more: Any) -> Claim:
    left = Term(label="reload", metric=more.pop("metric", "err"))
    given: dict[str, Any] = {"environments": ("two", "three"), "margin": margin, **more}
    return Claim(id=name, text=name, left=left, relation=relation, right=right, **{"source": "paper", **given})


GDA = Term(label="gda", metric="err")
CLAIMS = (
    claim("closer", "<", GDA),
    claim("worse", ">", GDA),
    claim("tenfold", "<", GDA, 0.1, scale="ratio"),
    claim("small", "within", 0.1, 0.05),
    claim("elsewhere", "<", 0.3, environments=("four",)),
    claim("faster", "<", Term(label="gda", metric="steps"), metric="steps"),
)


@pytest.fixture
def suite() -> tuple[Suite, Any]:
    draw = np.random.default_rng(0)
    runs = {}
    for env in ("two", "three"):
        for seed in range(5):
            runs["reload", env, seed] = {"err": 0.1 + 0.02 * draw.random(), "steps": 100.0 + 20 * draw.random()}
            runs["gda", env, seed] = {"err": 0.8 + 0.2 * draw.random(), "steps": math.inf}
    made = Suite(name="demo", title="A demonstration", path=Path("demo.toml"), cells=(), claims=CLAIMS)
    return made, judge(made, runs)


def test_rows_stand_in_the_unit_of_what_is_claimed(suite: tuple[Suite, Any]) -> None:
    panels = {panel.quantity: panel for panel in make_forest(suite[1])}
    assert [*panels] == ["err: reload minus gda", "err: reload over gda", "err", "steps: reload minus gda"]
    first, *_ = panels["err: reload minus gda"].rows
    assert (first.label, first.least, first.most) == (
        "closer: two",
        -math.inf,
        0.0,
    ) and first.low < first.estimate < -0.6
    assert [row.label for row in panels["err: reload minus gda"].rows] == [
        "closer: two",
        "three",
        "worse: two",
        "three",
    ]
    (ratio, *_) = panels["err: reload over gda"].rows
    assert (ratio.least, ratio.most) == (0.0, 0.1) and panels["err: reload over gda"].ratio
    small, _, absent = panels["err"].rows
    assert (small.least, small.most) == pytest.approx((0.05, 0.15)) and 0.1 < small.estimate < 0.12  # a value
    assert math.isnan(absent.estimate)


def test_the_figure_shows_interval_bound_and_answer(suite: tuple[Suite, Any], tmp_path: Path) -> None:
    from matplotlib import rcParams
    from matplotlib.colors import to_hex

    before = dict(rcParams)
    figure = draw_forest(*suite)
    assert dict(rcParams) == before
    difference, ratio, value, steps = figure.axes
    panel, *_ = make_forest(suite[1])
    points = [line for line in difference.lines if line.get_marker() in ("o", "X", "D")]
    assert [float(np.asarray(line.get_xdata())[0]) for line in points] == pytest.approx(
        [r.estimate for r in panel.rows]
    )
    assert [to_hex(line.get_color()).upper() for line in points][::2] != []
    assert [to_hex(str(line.get_markeredgecolor())).upper() for line in points] == [
        VERDICTS[answer] for answer in ("reproduced", "reproduced", "not reproduced", "not reproduced")
    ]
    assert ratio.get_xscale() == "log" and value.get_xscale() == "linear"
    words = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"reproduced", "not reproduced", "no runs", "inconclusive at 0 seeds"} <= words
    assert [line.get_marker() for line in steps.lines] == ["<", "<"]  # infinitely sooner
    (legend,) = figure.legends
    shown = [text.get_text() for text in legend.get_texts()]
    assert shown[0] == "reproduced (3)" and shown[-1] == "claimed bound"
    for kind in ("png", "svg", "pdf"):
        write(figure, tmp_path / f"claims.{kind}")
    notes = caption_forest(suite[1])
    assert len(notes) == 1 + len(CLAIMS) and notes[1].startswith("closer: reproduced. err: reload minus gda is -0.")


def test_values_over_many_powers_of_ten_get_a_logarithmic_axis() -> None:
    runs: dict[Any, dict[str, float]] = {
        ("reload", env, seed): {"err": scale * (1 + 0.1 * seed)}
        for env, scale in (("two", 1e-9), ("three", 1e-3))
        for seed in range(5)
    }
    made = Suite(name="s", title="s", path=Path("s"), cells=(), claims=(claim("small", "<", 0.01),))
    assert draw_forest(made, judge(made, runs)).axes[0].get_xscale() == "log"
    runs = {key: {"err": value["err"] * (-1) ** key[2]} for key, value in runs.items()}
    assert draw_forest(made, judge(made, runs)).axes[0].get_xscale() == "symlog"
