"""An animation of a circuit as it forms: tokens at the bottom, each block's attention above, a frame a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_GREY = "#555555"
_FRAMES_PER_SECOND = 2  # frames per second


@dataclass(frozen=True, eq=False)
class Frame:
    """A model at one checkpoint.

    Attributes:
        sequences: seen so far.
        loss: on sequences as in training, nats.
        patterns: mean attention of each block, ``[H, T, T]``, over sequences whose first pair has the query's class.
    """

    sequences: int
    loss: float
    patterns: Sequence[NDArray[np.float64]]


def main_heads(frame: Frame) -> list[int]:
    """In the first block the head that attends most from labels to the token before, in others to the right label."""
    first, *others = frame.patterns
    odd = np.arange(1, first.shape[-1], 2)
    return [int(first[:, odd, odd - 1].mean(1).argmax()), *(int(a[:, -1, 1].argmax()) for a in others)]


def animate(frames: Sequence[Frame], path: Path) -> None:
    """Write an animated GIF: attention of the last frame's main heads as lines, wider for more, and the loss.

    Args:
        frames: at least one, in order of time.
        path: the file, which ends in ``.gif``.

    Raises:
        UsageError: it has another ending, matplotlib is not installed, the file cannot be written, or a pattern is
            undefined.
    """
    if path.suffix != ".gif":
        raise UsageError(f"{path}: expected a file that ends in .gif.")
    if not all(np.isfinite(pattern).all() for frame in frames for pattern in frame.patterns):
        raise UsageError("no sequence has its first pair as the only right one: expected more sequences.")
    try:
        from matplotlib.animation import PillowWriter
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError(
            "an animation needs matplotlib, which is not installed.", "pip install 'zoo-icl[plot]'"
        ) from error
    figure = Figure(figsize=(7.0, 2.8), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    heads, writer = main_heads(frames[-1]), PillowWriter(fps=_FRAMES_PER_SECOND)
    try:
        with writer.saving(figure, str(path), dpi=110):
            for index, frame in enumerate(frames):
                _draw_circuit(left, frame, heads)
                _draw_loss(right, frames, index)
                writer.grab_frame()
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _draw_circuit(axes: Axes, frame: Frame, heads: Sequence[int]) -> None:
    axes.clear()
    tokens = frame.patterns[0].shape[-1]
    names = [f"{'xy'[place % 2]}{place // 2 + 1}" for place in range(tokens - 1)] + ["?"]
    for block, (pattern, head) in enumerate(zip(frame.patterns, heads, strict=True)):
        colour = _COLOURS[block % len(_COLOURS)]
        for row in range(tokens):
            for column in range(row + 1):
                weight = float(pattern[head, row, column])
                axes.plot([column, row], [block, block + 1], color=colour, linewidth=5.0 * weight, alpha=weight)
        axes.text(-0.7, block + 0.5, f"head {block}:{head}", color=colour, ha="right", va="center")
    for level in range(len(heads) + 1):
        axes.plot(range(tokens), [level] * tokens, "o", markersize=5, color=_GREY, zorder=3)
    axes.set_xticks(range(tokens), names)
    axes.set_yticks([])
    axes.set_xlim(-2.2, tokens - 0.5)
    axes.set_title(f"{frame.sequences:,} sequences", loc="left", fontsize=9)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)


def _draw_loss(axes: Axes, frames: Sequence[Frame], index: int) -> None:
    axes.clear()
    axes.plot([frame.sequences for frame in frames], [frame.loss for frame in frames], ".-", color=_GREY, linewidth=1.0)
    axes.plot([frames[index].sequences], [frames[index].loss], "o", color=_COLOURS[1], markersize=7)
    axes.set_ylim(bottom=0.0)
    axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
    axes.set_xlabel("sequences seen")
    axes.set_title("loss", loc="left", fontsize=9)
