"""The one table of environments, and their registration with `zoo`.

This module imports neither numpy nor gymnasium: listing names must stay cheap. ``zoo_envs/__init__.py`` reads
the same table to register the gymnasium ids, so the two registries cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import pluggy

__all__ = ["TABLE", "Row", "zoo_register"]

_hookimpl = pluggy.HookimplMarker("zoo")

_TABULAR_CMDP: Mapping[str, object] = MappingProxyType(
    {
        "action": "discrete",
        "observation": "discrete",
        "constraints": True,
        "tabular": True,
        "snapshot": True,
        "batched": True,
    }
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One environment: its two names, where its classes are and what it offers.

    ``vector`` is empty where copies are stepped one by one; ``needs`` is a module of an extra, or empty:
    without it making the environment says which extra to install.
    """

    name: str
    gymnasium_id: str
    target: str
    vector: str
    config: str
    summary: str
    offers: Mapping[str, object]
    needs: str = ""


def _row(name: str, module: str, summary: str, *, camel: str = "", needs: str = "", **offers: object) -> Row:
    """Return the row of an environment with classes named `Class`, `ClassVector` and `ClassConfig`."""
    camel = camel or "".join(part.capitalize() for part in name.split("-"))
    return Row(
        name=name,
        gymnasium_id=f"zoo/{camel}-v0",
        target=f"zoo_envs.{module}:{camel}",
        vector=f"zoo_envs.{module}:{camel}Vector",
        config=f"zoo_envs_config:{camel}Config",
        summary=summary,
        offers={**_TABULAR_CMDP, **offers},
        needs=needs,
    )


def _goals_row(name: str, module: str, summary: str, action: str) -> Row:
    """Return the row of a family of tasks that differ in their goal."""
    camel = "".join(part.capitalize() for part in name.split("-"))
    return Row(
        name=name,
        gymnasium_id=f"zoo/{camel}-v0",
        target=f"zoo_envs.goals.{module}:{camel}",
        vector=f"zoo_envs.goals.{module}:{camel}Vector",
        config=f"zoo_envs_goals_config:{camel}Config",
        summary=summary,
        offers={
            "action": action,
            "observation": None if name == "four-rooms-goals" else "box",  # perhaps the cell's number alone
            "tasks": True,
            "snapshot": True,
            "batched": True,
        },
    )


def _tree_row(name: str, module: str, summary: str) -> Row:
    """Return the row of a tree of many tasks, whose copies are stepped one by one."""
    camel = "".join(part.capitalize() for part in name.split("-"))
    return Row(
        name=name,
        gymnasium_id=f"zoo/{camel}-v0",
        target=f"zoo_envs.trees.{module}:{camel}",
        vector="",
        config=f"zoo_envs_trees_config:{camel}Config",
        summary=summary,
        offers={"action": "discrete", "observation": "discrete", "tasks": True, "snapshot": True},
    )


def _transformed_row(name: str, module: str, camel: str, summary: str, *, tabular: bool = True) -> Row:
    """Return the row of an environment whose observations are transformed."""
    return Row(
        name=name,
        gymnasium_id=f"zoo/{camel}-v0",
        target=f"zoo_envs.transformed.{module}:{camel}",
        vector=f"zoo_envs.transformed.{module}:{camel}Vector",
        config=f"zoo_envs_transformed_config:{camel}Config",
        summary=summary,
        offers={**_TABULAR_CMDP, "observation": "box", "constraints": False, "tabular": tabular},
    )


def _control_family_row(domain: str, summary: str) -> Row:
    """Return the row of several tasks of one domain of the control suite."""
    return Row(
        name=f"dmc-{domain}-family",
        gymnasium_id=f"zoo/DMC-{domain}-family-v0",
        target=f"zoo_envs.goals.control_suite:{domain.capitalize()}Family",
        vector="",
        config="zoo_envs_goals_config:ControlFamilyConfig",
        summary=f"control suite, {domain}: {summary}",
        offers={"action": "box", "observation": "box", "tasks": True, "snapshot": True},
        needs="dm_control",
    )


def _control_row(domain: str, task: str, constraint: str, summary: str) -> Row:
    """Return the row of a task of the control suite, whose class is called as its parts."""
    name = f"{domain}-{task}-{constraint}"
    return Row(
        name=f"dmc-{name}",
        gymnasium_id=f"zoo/DMC-{name}-v0",
        target=f"zoo_envs.dmc:{domain.capitalize()}{task.capitalize()}{constraint.capitalize()}",
        vector="",
        config="zoo_envs_config:ControlSuiteConfig",
        summary=f"control suite, {domain} {task}: {summary}",
        offers={"action": "box", "observation": "box", "constraints": True, "snapshot": True},
        needs="dm_control",
    )


TABLE: tuple[Row, ...] = (
    _row("two-state", "two_state", "two states where the reward and the constraint disagree"),
    _row("three-state", "three_state", "three states, limits on heat and energy, both active"),
    _row("garnet", "garnet", "random sparse CMDP, always feasible"),
    _row("hazard-grid", "hazard_grid", "slippery grid whose shortest path crosses hazard cells"),
    # With observation="grid" the observations are pictures: only the built environment can tell.
    _row(
        "constrained-catch",
        "constrained_catch",
        "catch a falling ball, with a quota of time on the left",
        observation=None,
    ),
    _row(
        "tiny-composite",
        "tiny_composite",
        "8 tokens, two correlated reward models, overoptimisation with a known answer",
        observation="box",
        tabular=False,
    ),
    _row(
        "cart-pole",
        "cart_pole",
        "gymnasium's CartPole-v1, all copies and seeds as one array",
        observation="box",
        constraints=False,
        tabular=False,
    ),
    _row(
        "text-composite",
        "text.environment",
        "a language model writes an utterance, and several reward models score it",
        needs="transformers",
        observation="box",
        tabular=False,
    ),
    _row("tabular", "given", "a CMDP given as arrays, or in an .npz or .json file"),
    _row(
        "four-rooms", "four_rooms", "four rooms with one goal, hidden goals or diminishing rewards", constraints=False
    ),
    _row("basic-grid", "basic_grid", "an empty room with one diminishing reward", constraints=False),
    _row("two-rooms", "two_rooms", "two rooms with three diminishing rewards", constraints=False),
    _row("escape", "escape", "run to the shelter, around a barrier or not", constraints=False),
    _row("riverswim", "riverswim", "a large reward against the current", camel="RiverSwim", constraints=False),
    _row("sixarms", "sixarms", "six arms, the best of them hardest to enter", camel="SixArms", constraints=False),
    _row("foraging-patches", "foraging_patches", "harvest a patch that wears off, or travel on", constraints=False),
    _row(
        "icl-exemplars",
        "icl.environment",
        "exemplars and labels in a context, then a query: for in-context learning",
        camel="ICLExemplars",
        observation="box",
        constraints=False,
        tabular=False,
    ),
    _transformed_row("tvd-grid", "grid", "TvDGrid", "a small grid, its coordinates rotated, sheared, warped, ..."),
    _transformed_row(
        "cart-pole-transformed",
        "cart_pole",
        "CartPoleTransformed",
        "CartPole-v1 seen through an affine map or another transformation",
        tabular=False,
    ),
    Row(
        name="transformed",
        gymnasium_id="zoo/Transformed-v0",
        target="zoo_envs.transformed.wrapper:TransformedEnv",
        vector="",
        config="zoo_envs_transformed_config:TransformedConfig",
        summary="any environment with Box observations, seen through a transformation",
        offers={"observation": "box", "action": None},
    ),
    _tree_row("tree", "two_rooms", "two rooms of binary choices; tasks differ in goals or doors"),
    _tree_row("random-tree", "random_tree", "left or right, in a random tree for each task"),
    _goals_row("four-rooms-goals", "four_rooms", "four rooms, a goal for each task", "discrete"),
    _goals_row("pendulum-goals", "pendulum", "swing up and hold an angle, another for each task", "box"),
    _goals_row("cart-pole-goals", "cart_pole", "balance with the cart at a place, another for each task", "discrete"),
    _control_family_row("cartpole", "balance and swingup as tasks of one environment"),
    _control_family_row("walker", "stand, walk and run as tasks of one environment"),
    _control_row("walker", "walk", "height", "the torso's height is bounded"),
    _control_row("reacher", "easy", "speed", "the joints' speed is bounded"),
    _control_row("quadruped", "walk", "effort", "the mean size of the controls is bounded"),
    _control_row("humanoid", "walk", "height", "the head's height is bounded"),
)


class _Registrar(Protocol):
    def environment(
        self,
        name: str,
        target: str,
        *,
        vector: str = "",
        config: str = "",
        summary: str = "",
        offers: Any = ...,
    ) -> None: ...


@_hookimpl
def zoo_register(zoo: _Registrar) -> None:
    """Tell the registrar every row of the table."""
    for row in TABLE:
        zoo.environment(
            row.name,
            row.target,
            vector=row.vector,
            config=row.config,
            summary=row.summary,
            offers=dict(row.offers),
        )
