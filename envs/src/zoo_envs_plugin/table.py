"""The one table of environments: names, classes, options and what each offers.

This module imports neither numpy nor gymnasium: listing names must stay cheap. ``zoo_envs/__init__.py`` reads
the same table to register the gymnasium ids, so the two registries cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["TABLE", "WRAPPERS", "Row"]

_CMDP: Mapping[str, object] = MappingProxyType(
    {
        "action": "discrete",
        "observation": "discrete",
        "constraints": True,
        "tabular": True,
        "snapshot": True,
        "batched": True,
    }
)
_MDP: Mapping[str, object] = MappingProxyType({**_CMDP, "constraints": False})
_TASKS: Mapping[str, object] = MappingProxyType({"tasks": True, "snapshot": True})


@dataclass(frozen=True, kw_only=True)
class Row:
    """One environment: its two names, where its classes are and what it offers.

    ``vector`` is empty where copies are stepped one by one; ``needs`` is a module of an extra, or empty:
    without it making the environment says which extra to install. ``family``: it is called ``name:TASK``.
    """

    name: str
    gymnasium_id: str
    target: str
    vector: str
    config: str
    summary: str
    offers: Mapping[str, object]
    needs: str = ""
    family: bool = False


def _row(
    name: str, module: str, summary: str, base: Mapping[str, object], *, camel: str = "", env: str = "",
    vector: bool = True, config: str = "", gymnasium_id: str = "", needs: str = "", family: bool = False,
    **offers: object,
) -> Row:  # fmt: skip
    """Return the row of the environment ``Camel`` in ``zoo_envs.FAMILY.MODULE``, with ``CamelVector`` and its options.

    Its options are ``CamelConfig`` in ``zoo_envs_plugin.options.FAMILY``; what is called otherwise is given.
    """
    camel = camel or "".join(part.capitalize() for part in name.split("-"))
    package = module.partition(".")[0]
    return Row(
        name=name,
        gymnasium_id=gymnasium_id or f"zoo/{camel}-v0",
        target=f"zoo_envs.{module}:{env or camel}",
        vector=f"zoo_envs.{module}:{camel}Vector" if vector else "",
        config=f"zoo_envs_plugin.options.{config or f'{package}:{camel}Config'}",
        summary=summary,
        offers={**base, **offers},
        needs=needs,
        family=family,
    )


def _control_family(domain: str, summary: str) -> Row:
    """Return the row of several tasks of one domain of the control suite."""
    return _row(
        f"dmc-{domain}-family", "goals.control_suite", f"control suite, {domain}: {summary}", _TASKS,
        camel=f"{domain.capitalize()}Family", vector=False, config="goals:ControlFamilyConfig",
        gymnasium_id=f"zoo/DMC-{domain}-family-v0", needs="dm_control", action="box", observation="box",
    )  # fmt: skip


def _control(domain: str, task: str, constraint: str, summary: str) -> Row:
    """Return the row of a task of the control suite with a constraint."""
    camel = "".join(part.capitalize() for part in (domain, task, constraint))
    return _row(
        f"dmc-{domain}-{task}-{constraint}", "control.dmc", f"control suite, {domain} {task}: {summary}",
        {"constraints": True, "snapshot": True}, camel=camel, vector=False,
        config="control:ControlSuiteConfig", gymnasium_id=f"zoo/DMC-{domain}-{task}-{constraint}-v0",
        needs="dm_control", action="box", observation="box",
    )  # fmt: skip


TABLE: tuple[Row, ...] = (
    _row("two-state", "cmdps.two_state", "two states where the reward and the constraint disagree", _CMDP),
    _row("three-state", "cmdps.three_state", "three states, limits on heat and energy, both active", _CMDP),
    _row("garnet", "cmdps.garnet", "random sparse CMDP, always feasible", _CMDP),
    _row("hazard-grid", "cmdps.hazard_grid", "slippery grid whose shortest path crosses hazard cells", _CMDP),
    # With observation="grid" the observations are pictures: only the built environment can tell.
    _row("constrained-catch", "cmdps.constrained_catch", "catch a falling ball, with a quota of time on the left",
         _CMDP, observation=None),
    _row("tiny-composite", "composite.tiny_composite",
         "8 tokens, two correlated reward models, overoptimisation with a known answer",
         _CMDP, observation="box", tabular=False),
    _row("cart-pole", "control.cart_pole", "gymnasium's CartPole-v1, all copies and seeds as one array",
         _MDP, observation="box", tabular=False),
    _row("text-composite", "text.environment",
         "a language model writes an utterance, and several reward models score it", _CMDP,
         config="composite:TextCompositeConfig", needs="transformers", observation="box", tabular=False),
    _row("tabular", "cmdps.from_arrays", "a CMDP given as arrays, or in an .npz or .json file", _CMDP),
    _row("four-rooms", "grids.four_rooms", "four rooms with one goal, hidden goals or diminishing rewards", _MDP),
    _row("basic-grid", "grids.basic_grid", "an empty room with one diminishing reward", _MDP),
    _row("two-rooms", "grids.two_rooms", "two rooms with three diminishing rewards", _MDP),
    _row("escape", "grids.escape", "run to the shelter, around a barrier or not", _MDP),
    _row("riverswim", "exploration.riverswim", "a large reward against the current", _MDP, camel="RiverSwim"),
    _row("sixarms", "exploration.sixarms", "six arms, the best of them hardest to enter", _MDP, camel="SixArms"),
    _row("foraging-patches", "exploration.foraging_patches", "harvest a patch that wears off, or travel on", _MDP),
    _row("icl-exemplars", "icl.environment",
         "exemplars and labels in a context, then a query: for in-context learning",
         _MDP, camel="ICLExemplars", observation="box", tabular=False),
    _row("tvd-grid", "transformed.grid", "a small grid, its coordinates rotated, sheared, warped, ...",
         _MDP, camel="TvDGrid", observation="box"),
    _row("cart-pole-transformed", "transformed.cart_pole",
         "CartPole-v1 seen through an affine map or another transformation", _MDP, observation="box", tabular=False),
    _row("transformed", "transformed.wrapper", "any environment with Box observations, seen through a transformation",
         {}, env="TransformedEnv", vector=False, observation="box", action=None),
    _row("tree", "trees.two_rooms", "two rooms of binary choices; tasks differ in goals or doors",
         _TASKS, vector=False, action="discrete", observation="discrete"),
    _row("random-tree", "trees.random_tree", "left or right, in a random tree for each task",
         _TASKS, vector=False, action="discrete", observation="discrete"),
    # What is observed may be the cell's number alone: only the built environment can tell.
    _row("four-rooms-goals", "goals.four_rooms", "four rooms, a goal for each task",
         _TASKS, batched=True, action="discrete", observation=None),
    _row("pendulum-goals", "goals.pendulum", "swing up and hold an angle, another for each task",
         _TASKS, batched=True, action="box", observation="box"),
    _row("cart-pole-goals", "goals.cart_pole", "balance with the cart at a place, another for each task",
         _TASKS, batched=True, action="discrete", observation="box"),
    _control_family("cartpole", "balance and swingup as tasks of one environment"),
    _control_family("walker", "stand, walk and run as tasks of one environment"),
    _control("walker", "walk", "height", "the torso's height is bounded"),
    _control("reacher", "easy", "speed", "the joints' speed is bounded"),
    _control("quadruped", "walk", "effort", "the mean size of the controls is bounded"),
    _control("humanoid", "walk", "height", "the head's height is bounded"),
    _row("envpool", "control.pool", "tasks of EnvPool, such as envpool:WalkerWalk-v1: control suite, MuJoCo, Atari",
         {}, camel="EnvPool", needs="envpool", family=True, batched=True, action=None, observation=None),
)  # fmt: skip

WRAPPERS: Mapping[str, str] = MappingProxyType(
    {
        "flatten-observation": "true: observations that are mappings or discrete become one array",
        "frame-stack": "the last N observations are observed, [N, ...]",
        "rescale-action": "actions lie in [-X, X], such as 1",
        "time-limit": "episodes are truncated after N steps",
    }
)
"""gymnasium's own wrappers by option, in ``zoo_envs.wrapping.options``"""
