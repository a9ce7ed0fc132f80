"""``zoo plot orbit``: the end of ReLOAD lies on the threshold, that of gradient descent-ascent does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from zoo_bench.plots.plugin_figures import FigureOptions
from zoo_reload.figures import orbit

from zoo.errors import UsageError
from zoo.runs.store import open_runs


def zoo(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "zoo.cli.main", *args], cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("orbit")
    for algorithm in ("reload", "gda"):
        done = zoo("train", algorithm, "three-state", "--steps", "1500", "--eval-episodes", "0", cwd=folder)
        assert done.returncode in (0, 3)
    return folder


def test_one_panel_a_constraint_with_ends_and_threshold(stored):
    figure = orbit(open_runs([stored / "runs"]).runs, FigureOptions())
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["three-state: heat", "three-state: energy"]
    for axes, threshold in zip(figure.axes, (0.2, 0.3), strict=True):  # three-state's defaults
        *paths, line = axes.lines
        assert np.isclose(line.get_xdata()[0], threshold)
        ends = {path.get_color(): path.get_xdata()[0] for path in paths if path.get_markersize() == 5.5}
        options = FigureOptions()
        assert np.isclose(ends[options.colour("reload")], threshold, atol=1e-6)
        assert abs(ends[options.colour("gda")] - threshold) > 1e-3


def test_the_command_writes_it_for_the_constraint_asked_for(stored):
    answer = zoo("plot", "orbit", "runs", "--metric", "multiplier/heat", "-o", "orbit.svg", cwd=stored)
    assert answer.returncode == 0, answer.stderr
    assert "three-state: heat" in (stored / "orbit.svg").read_text()
    assert "energy" not in (stored / "orbit.svg").read_text()


def test_runs_without_the_multiplier_are_refused(stored):
    with pytest.raises(UsageError, match="no multiplier called multiplier/speed"):
        orbit(open_runs([stored / "runs"]).runs, FigureOptions(metrics=("multiplier/speed",)))
