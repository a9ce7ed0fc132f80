"""The tree of Moskovitz et al. (arXiv:2111.02994): two rooms of binary choices, joined by doors."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from zoo_envs_plugin.options.trees import TreeConfig

from zoo_envs.tasks import FiniteTasks, Task
from zoo_envs.trees.env import TreeEnv, TreesEnv
from zoo_envs.trees.model import TreeModel
from zoo_envs.validation import integer

__all__ = ["Tree", "TreeTask", "tree"]

NODES = 24
"""numbered 1 to 24, as in the paper; states are one less"""
_CHILDREN = {
    1: (2, 3), 2: (4, 5), 4: (8, 9), 9: (12, 13), 3: (6, 7), 7: (10, 11), 10: (14, 15), 11: (16, 17),
    18: (19, 20), 19: (21, 22), 20: (23, 24),
}  # fmt: skip
_DOORS = range(12, 18)
_SECOND_ROOM = 18
_MAX_DRAWS = 4
"""goals or doors of a task, drawn with replacement: min(Geometric(1/2), 4) of them"""
_TYPES = {"type1": ((21, 22, 23, 24), (17,)), "type2": ((24,), (12, 13, 14, 15))}
"""goals and doors from which tasks draw; where there is one there is no choice"""


@dataclass(frozen=True)
class TreeTask(Task):
    """The leaves that are goals, and the nodes that are doors to the second room.

    Attributes:
        goals: leaves that pay 1, increasing.
        doors: nodes of 12 to 17 from which both actions lead to node 18, increasing.
        gamma: discount of the exact model.
        observation: "state" or "one-hot".
    """

    goals: tuple[int, ...]
    doors: tuple[int, ...]
    gamma: float = 0.99
    observation: str = "state"

    def __post_init__(self) -> None:
        """Check and sort.

        Raises:
            ValueError: a door is not one of 12 to 17, or a goal is not a leaf.
        """
        for name in ("goals", "doors"):
            nodes = tuple(sorted({integer(name, node, 1, NODES) for node in getattr(self, name)}))
            object.__setattr__(self, name, nodes)
        wrong = [door for door in self.doors if door not in _DOORS]
        if wrong:
            raise ValueError(f"doors must be nodes of 12 to 17, got {wrong[0]}")
        inner = [goal for goal in self.goals if goal in _CHILDREN or goal in self.doors]
        if inner:
            raise ValueError(f"goals must be leaves, and node {inner[0]} is a decision in this task")

    @property
    def id(self) -> str:
        """The task's name, such as "goals-21-24-doors-17"."""
        return "-".join(["goals", *map(str, self.goals), "doors", *map(str, self.doors)])

    def make(self) -> TreeEnv:
        """Return the environment of this task."""
        return TreeEnv(tree(self), gamma=self.gamma, observation=self.observation)


def tree(task: TreeTask) -> TreeModel:
    """Return the tree of `task`; state = node - 1. Every node that is not a decision is a leaf, reachable or not."""
    children = np.repeat(np.arange(NODES)[:, None], 2, axis=1)
    for node, below in {**_CHILDREN, **dict.fromkeys(task.doors, (_SECOND_ROOM, _SECOND_ROOM))}.items():
        children[node - 1] = np.array(below) - 1
    reward = np.zeros(NODES)
    reward[np.array(task.goals, dtype=np.int64) - 1] = 1.0
    return TreeModel(children, reward)


def distribution(config: TreeConfig) -> FiniteTasks[TreeTask]:
    """Return the tasks of a type with their exact probabilities.

    Raises:
        ValueError: the type is unknown.
    """
    if config.kind not in _TYPES:
        raise ValueError(f"kind must be one of {', '.join(_TYPES)}, got {config.kind!r}")
    goals, doors = _TYPES[config.kind]
    varied = goals if len(goals) > 1 else doors
    weights: dict[tuple[int, ...], float] = {}
    for count in range(1, _MAX_DRAWS + 1):
        share = 0.5 ** min(count, _MAX_DRAWS - 1)  # the last one has the whole tail of the geometric distribution
        for drawn in product(varied, repeat=count):
            chosen = tuple(sorted(set(drawn)))
            weights[chosen] = weights.get(chosen, 0.0) + share / len(varied) ** count
    subsets = sorted(weights, key=lambda chosen: (len(chosen), chosen))
    tasks = tuple(
        TreeTask(
            goals=chosen if varied is goals else goals,
            doors=chosen if varied is doors else doors,
            gamma=config.gamma,
            observation=config.observation,
        )
        for chosen in subsets
    )
    return FiniteTasks(tasks, np.array([weights[chosen] for chosen in subsets]))


class Tree(TreesEnv[TreeTask]):
    """``zoo/Tree-v0``: left or right, from node 1 to a leaf of two rooms of binary choices.

    Actions: 0 left, 1 right. Observations: the node's number less 1, or its one-hot code float32[24]. Rewards: 1 for a
    goal leaf, else 0. Ends: terminated at a leaf. Tasks by `kind`: type 1 varies the goals among 21 to 24, behind the
    one door 17, so that tasks share the way through the first room; type 2 varies the doors among 12 to 15, before the
    one goal 24, so that they share the second room. Options: see `TreeConfig`. Optimum: 1 where the policy knows the
    task.
    """

    def __init__(
        self,
        *,
        kind: str = "type1",
        observation: str = "state",
        gamma: float = 0.99,
        render_mode: str | None = None,
    ) -> None:
        """Build the tasks of one kind.

        Raises:
            ValueError: an option is outside its range.
        """
        tasks = distribution(TreeConfig(kind=kind, observation=observation, gamma=gamma))  # type: ignore[arg-type]
        super().__init__(tasks, next(tasks.tasks()), render_mode)
