"""A tree (or any graph without a cycle) of binary choices as an exact model, and the value of policies on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoo_envs.tabular.model import TabularModel

__all__ = ["TreeModel"]

_Choice: TypeAlias = Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]]
"""from the values [..., n, 2] of both children of n nodes, and these nodes, to the values [..., n] of the nodes"""


@dataclass(frozen=True, eq=False)
class TreeModel:
    """Nodes 0 to S-1, of which each is a decision between two children, or a leaf where the episode ends.

    Attributes:
        children: int64[S, 2], of left and right; the node itself where it is a leaf.
        reward: float64[S], for entering the node.
        root: where episodes start.
    """

    children: NDArray[np.int64]
    reward: NDArray[np.float64]
    root: int = 0

    @cached_property
    def leaf(self) -> NDArray[np.bool_]:
        """Whether the node ends the episode, bool[S]."""
        return np.asarray((self.children == np.arange(len(self.children))[:, None]).all(axis=1))

    @cached_property
    def depth(self) -> NDArray[np.int64]:
        """Longest path from the root, int64[S]; -1 where there is none."""
        depth = np.full(len(self.children), -1)
        reached, steps = np.array([self.root]), 0
        while reached.size:
            depth[reached] = steps  # a node reached again lies deeper than recorded
            reached, steps = np.unique(self.children[reached[~self.leaf[reached]]]), steps + 1
        return depth

    @cached_property
    def levels(self) -> list[NDArray[np.int64]]:
        """The decisions, those first whose children are all leaves or stand in an earlier level."""
        height = np.where(self.leaf, 0, -1)
        levels: list[NDArray[np.int64]] = []
        while (open_ := np.flatnonzero(height < 0)).size:
            ready = open_[(height[self.children[open_]] >= 0).all(axis=1)]
            if not ready.size:
                raise ValueError(f"the children of node {open_[0]} lead back to it: a tree has no cycle")
            height[ready] = len(levels) + 1
            levels.append(ready)
        return levels

    def exact_value(self, logits: ArrayLike) -> NDArray[np.float64]:
        """Return the expected undiscounted return of softmax policies, by backward recursion.

        Args:
            logits: [..., S, 2], numpy's or torch's (of which no gradient is kept); rows of leaves are ignored.

        Returns:
            float64[...].

        Raises:
            ValueError: the logits have another shape, or are not finite.
        """
        z = np.asarray(logits.detach().cpu() if hasattr(logits, "detach") else logits, dtype=np.float64)
        if z.shape[-2:] != self.children.shape:
            raise ValueError(f"logits must have shape [..., {len(self.children)}, 2], got {list(z.shape)}")
        if not np.isfinite(z).all():
            raise ValueError("logits must be finite")
        right = 1 / (1 + np.exp(np.clip(z[..., 0] - z[..., 1], -700, 700)))
        return self._backward(lambda q, nodes: q[..., 0] + (q[..., 1] - q[..., 0]) * right[..., nodes], z.shape[:-2])

    def optimal_value(self, gamma: float = 1.0) -> float:
        """Return the largest expected return of any policy, discounted by `gamma` in [0, 1]."""
        return float(self._backward(lambda q, nodes: q.max(axis=-1), (), gamma))

    def _backward(self, choose: _Choice, batch: tuple[int, ...], gamma: float = 1.0) -> NDArray[np.float64]:
        value = np.zeros((*batch, len(self.children)))
        for nodes in self.levels:
            children = self.children[nodes]
            value[..., nodes] = choose(self.reward[children] + gamma * value[..., children], nodes)
        return np.asarray(value[..., self.root])

    def tabular(self, gamma: float) -> TabularModel:
        """Return the exact arrays; a leaf stays where it is and pays nothing."""
        S, start = len(self.children), np.zeros(len(self.children))
        start[self.root] = 1.0
        P = np.zeros((S, 2, S))
        P[np.arange(S)[:, None], [[0, 1]], self.children] = 1.0
        r = np.where(self.leaf[:, None], 0.0, self.reward[self.children])
        return TabularModel(P, r, gamma, start, terminal=self.leaf)
