"""Rendering of a tree: indented text, or a picture with the root at the top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zoo_envs.tabular.rendering import StateView
from zoo_envs.tabular.shapes import disc, stroke
from zoo_envs.trees.model import TreeModel

__all__ = ["TreeView"]

_COLUMN, _ROW, _RADIUS, _WIDTH = 28, 64, 9, 2  # pixels
_BACKGROUND, _EDGE, _NODE, _GOAL, _BAD, _AGENT = (
    (255, 255, 255), (150, 150, 150), (90, 90, 90), (44, 160, 44), (214, 39, 40), (31, 119, 180)
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class TreeView(StateView):
    """The nodes that the root leads to, in rows by depth; leaves that pay are green, those that cost red.

    Attributes:
        tree: the tree to draw.
    """

    tree: TreeModel

    @cached_property
    def place(self) -> NDArray[np.float64]:
        """Column and row of each node, float64[S, 2]; NaN where it cannot be reached.

        Leaves stand one column apart in the order of a walk that goes left first, parents between their children.
        """
        tree = self.tree
        place = np.full((len(tree.children), 2), np.nan)
        columns = 0
        unfinished = [tree.root]
        while unfinished:
            node = unfinished[-1]
            below = [] if tree.leaf[node] else list(dict.fromkeys(tree.children[node].tolist()))
            waiting = [child for child in below if np.isnan(place[child, 0])]
            if waiting:
                unfinished += waiting[::-1]
                continue
            unfinished.pop()
            if np.isnan(place[node, 0]):
                place[node] = (place[below, 0].mean() if below else columns), tree.depth[node]
                columns += not below
        return place

    def text(self, state: int, marked: Sequence[int] = ()) -> str:
        """Return one line a node: the agent at @, leaves with their reward; a node shown before is only named."""
        lines, seen, unfinished = [], set[int](), [(self.tree.root, 0, "")]
        while unfinished:
            node, depth, action = unfinished.pop()
            label = f"{action}{node + 1}{' @' if node == state else ''}"
            if self.tree.leaf[node]:
                label += f" ({self.tree.reward[node]:g})"
            elif node in seen:
                label += " ..."
            else:
                left, right = self.tree.children[node].tolist()
                below = [(left, "left or right: ")] if left == right else [(left, "left: "), (right, "right: ")]
                unfinished += [(child, depth + 1, name) for child, name in reversed(below)]
            seen.add(node)
            lines.append("  " * depth + label + "\n")
        return "".join(lines)

    def pixels(self, state: int, marked: Sequence[int] = ()) -> NDArray[np.uint8]:
        """Return the picture, uint8 [64 rows, 28 columns, 3] for each row and column of the layout."""
        picture, reward = self._drawn.copy(), self.tree.reward[state] if self.tree.leaf[state] else 0.0
        disc(picture, *self._centre(state), _RADIUS + 4, _AGENT)
        disc(picture, *self._centre(state), _RADIUS + 1, _BACKGROUND)
        disc(picture, *self._centre(state), _RADIUS, _GOAL if reward > 0 else _BAD if reward < 0 else _AGENT)
        return picture

    @cached_property
    def _drawn(self) -> NDArray[np.uint8]:
        """The picture without the agent."""
        known = np.flatnonzero(~np.isnan(self.place[:, 0]))
        columns, rows = self.place[known].max(axis=0).astype(np.int64) + 1
        picture = np.full((rows * _ROW, columns * _COLUMN, 3), _BACKGROUND, dtype=np.uint8)
        for node in known[~self.tree.leaf[known]].tolist():
            for child in self.tree.children[node].tolist():
                stroke(picture, self._centre(node), self._centre(child), _WIDTH, _EDGE)
        for node in known.tolist():
            reward = self.tree.reward[node] if self.tree.leaf[node] else 0.0
            colour = _GOAL if reward > 0 else _BAD if reward < 0 else _NODE
            disc(picture, *self._centre(node), _RADIUS, colour)
        return picture

    def _centre(self, node: int) -> tuple[float, float]:
        column, row = self.place[node].tolist()
        return (column + 0.5) * _COLUMN, (row + 0.5) * _ROW
