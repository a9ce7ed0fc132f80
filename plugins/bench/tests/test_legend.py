"""The legend above a figure."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("label", "columns"), [("short", 3), ("reload (env.theta=0.5, eta=1.0, eta_mu=1.0)", 1)])
def test_a_legend_never_leaves_its_figure(label: str, columns: int) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from zoo_bench.plots.legend import legend_above

    figure = Figure(figsize=(4.4, 2.9), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for number in range(6):
        axes.plot([0, 1], [0, number], label=f"{label}{number}")
    legend_above(figure, *axes.get_legend_handles_labels(), most=3)
    figure.canvas.draw()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width + 1
    assert legend._ncols == columns
    assert axes.get_window_extent().height > 0.5 * 2.9 * figure.dpi
