"""Random binary trees: each task has one of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from zoo_envs_plugin.options.trees import RandomTreeConfig

from zoo_envs.tasks import Task, Tasks
from zoo_envs.trees.env import TreeEnv, TreesEnv
from zoo_envs.trees.model import TreeModel
from zoo_envs.validation import integer, real

__all__ = ["RandomTree", "RandomTreeTask", "random_tree"]

_SEEDS = 2**31
_DEEPEST = 12


@dataclass(frozen=True)
class RandomTreeTask(Task):
    """One random tree.

    Attributes:
        seed: seed of the random tree, in [0, 2^31).
        depth: depth of the deepest leaves, in [1, 12].
        sparsity: probability that a child is missing, in [0, 1].
        reverse: whether every leaf that was grown pays `max_reward`, instead of its depth.
        max_reward: reward of every such leaf where `reverse`.
        gamma: discount of the exact model.
        observation: "state" or "one-hot".
    """

    seed: int
    depth: int = 4
    sparsity: float = 0.25
    reverse: bool = False
    max_reward: float = 1.0
    gamma: float = 0.99
    observation: str = "state"

    def __post_init__(self) -> None:
        """Check every range."""
        integer("seed", self.seed, 0, _SEEDS - 1)
        integer("depth", self.depth, 1, _DEEPEST)
        real("sparsity", self.sparsity, 0, 1)
        real("max_reward", self.max_reward, -np.inf)

    @property
    def id(self) -> str:
        """The task's name, such as "tree-1234"."""
        return f"tree-{self.seed}"

    def make(self) -> TreeEnv:
        """Return the environment of this tree."""
        return TreeEnv(random_tree(self), gamma=self.gamma, observation=self.observation)


def random_tree(task: RandomTreeTask) -> TreeModel:
    """Grow the tree of `task`, level by level, from its own seed.

    The children of node i are 2i + 1 and 2i + 2. The root has both; each further node has each of them with
    probability 1 - sparsity. A node without children is a leaf and pays its depth; beside an only child stands a leaf
    that costs 1. Numbers that were not grown are leaves that cannot be reached.
    """
    rng = np.random.default_rng(task.seed)
    S = 2 ** (task.depth + 1) - 1
    children = np.repeat(np.arange(S)[:, None], 2, axis=1)
    reward = np.zeros(S)
    level = np.array([0])
    for depth in range(task.depth):
        grown: NDArray[np.bool_] = np.asarray(rng.random((len(level), 2)) >= (task.sparsity if depth else 0.0))
        below = 2 * level[:, None] + np.array([1, 2])
        parents = np.asarray(grown.any(axis=1))
        children[level[parents]] = below[parents]
        reward[below[parents[:, None] & ~grown]] = -1.0
        level = below[grown]
        reward[level] = task.max_reward if task.reverse else depth + 1.0
    return TreeModel(children, reward)


class RandomTrees(Tasks[RandomTreeTask]):
    """As many tasks as there are seeds; all other options are alike."""

    kind = RandomTreeTask

    def __init__(self, template: RandomTreeTask) -> None:
        """Draw trees with the options of `like`."""
        self.template = template

    def sample(self, rng: np.random.Generator) -> RandomTreeTask:
        """Draw one tree."""
        return RandomTreeTask(**{**self.template.to_dict(), "seed": int(rng.integers(_SEEDS))})


class RandomTree(TreesEnv[RandomTreeTask]):
    """``zoo/RandomTree-v0``: left or right, from the root to a leaf, in a tree that each task grows anew.

    Actions: 0 left, 1 right. Observations: the node, or its one-hot code with `observation` = "one-hot". Rewards: a
    leaf pays its depth (or `max_reward` where `reverse`); the leaf beside an only child costs 1. Ends: terminated at a
    leaf. Tasks: one tree for each seed in [0, 2^31). Options: see `RandomTreeConfig`. Optimum: that of the exact model,
    by dynamic programming.
    """

    def __init__(
        self,
        *,
        depth: int = 4,
        sparsity: float = 0.25,
        reverse: bool = False,
        max_reward: float = 1.0,
        observation: str = "state",
        gamma: float = 0.99,
        render_mode: str | None = None,
    ) -> None:
        """Check the options of the trees.

        Raises:
            ValueError: an option is outside its range.
        """
        config = RandomTreeConfig(
            depth=depth,
            sparsity=sparsity,
            reverse=reverse,
            max_reward=max_reward,
            observation=observation,  # type: ignore[arg-type]
            gamma=gamma,
        )
        template = RandomTreeTask(seed=0, **vars(config))
        super().__init__(RandomTrees(template), template, render_mode)
