"""Names of algorithms and environments, resolved to what can be built."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.api import Offers
from zoo.discovery.registration import Entry
from zoo.discovery.registry import Registry
from zoo.errors import UnknownNameError, UsageError, nearest

GYM_PREFIX = "gym:"


@dataclass(frozen=True)
class EnvName:
    """A resolved environment argument: either an entry of the registry, or an id for ``gymnasium.make``."""

    entry: Entry | None = None
    gym_id: str = ""
    task: str = ""
    """which of the tasks of a registered family, as in "envpool:WalkerWalk-v1"; its constructor's argument ``task``"""
    wrappers: Mapping[str, tuple[Entry, Any]] = field(default_factory=dict)
    """what it is put into, by option, with the option's value; the innermost first"""

    @property
    def name(self) -> str:
        """The name that a run records: "zoo-envs/two-state", or "gym:CartPole-v1"."""
        return self._of_task(self.entry.qualified) if self.entry else GYM_PREFIX + self.gym_id

    @property
    def short(self) -> str:
        """The name for people, and the key of presets: "two-state", or "CartPole-v1"."""
        return self._of_task(self.entry.name) if self.entry else self.gym_id

    @property
    def arguments(self) -> dict[str, str]:
        """What its constructor is given beside options."""
        return {"task": self.task} if self.task else {}

    def _of_task(self, name: str) -> str:
        return f"{name}:{self.task}" if self.task else name

    @property
    def owner(self) -> str:
        """Its name in messages, with its plugin."""
        return self.entry.owner if self.entry else f"environment {self.gym_id}"

    @property
    def imports(self) -> str:
        """The module that building it imports merely because the id says so; empty for registered names."""
        module, colon, _ = self.gym_id.rpartition(":")
        return module if colon else ""

    def check_installed(self) -> None:
        """Raise a UsageError where its module is not there to be imported; one in the current folder is pointed out."""
        module = self.imports.partition(".")[0]
        if module and module not in sys.modules and importlib.util.find_spec(module) is None:
            here = Path(f"{module}.py").exists() or Path(module).is_dir()
            hint = f"--trust imports it from this folder: zoo train ALGORITHM {self.gym_id} --trust" if here else ""
            raise UsageError(f"environment {self.gym_id}: no module {module!r} is installed.", hint)

    @property
    def declared(self) -> Offers | None:
        """What the registration promises; None where only the built environment can tell."""
        return self.entry.offers if self.entry and not self.wrappers else None


def resolve_env(name: str, registry: Registry) -> EnvName:
    """Resolve, in order: ``gym:ID`` or ``gymnasium:ID``, a registered name, ``NAME:TASK``, an id, ``module:ID``.

    Raises:
        UsageError: two plugins offer the bare name.
        UnknownNameError: nothing fits; the suggestions come from the registry and gymnasium together.
    """
    if name.startswith((GYM_PREFIX, "gymnasium:")):
        return _checked_gym(name.partition(":")[2], registry)
    known = registry.entries("environment")
    family, colon, task = name.partition(":")
    named = [entry for entry in known if family in (entry.name, entry.qualified) and (entry.family or not colon)]
    if named and named[0].family and not task:
        raise UsageError(f"{family} is a family of environments: expected {family}:TASK.")
    if named:
        return EnvName(entry=registry.find(family, "environment"), task=task)
    if not re.search(r"-v\d+$", name):  # ids of gymnasium may have a namespace, too
        registry.require_plugin_of(name, "environment")
    return _checked_gym(name, registry)


def _checked_gym(gym_id: str, registry: Registry) -> EnvName:
    import gymnasium

    if gym_id in gymnasium.registry or re.fullmatch(r"[\w.]+:[\w./:-]+", gym_id):
        return EnvName(gym_id=gym_id)
    near = nearest(gym_id, gymnasium.registry)
    latest = [candidate for candidate in near if candidate.rpartition("-v")[0] == gym_id]
    if latest:
        raise UsageError(f"no environment called {gym_id!r}: did you mean {' or '.join(latest)}?")
    names = [entry.name for entry in registry.entries("environment")]
    raise UnknownNameError(
        "environment", gym_id, {*names, *gymnasium.registry} if near or nearest(gym_id, names) else names,
        "zoo list environments shows the registered ones; any gymnasium id works too.",
    )  # fmt: skip


def find_algorithm(name: str, environment: str, registry: Registry) -> Entry:
    """The algorithm or representation called ``name``, which is to run on ``environment`` (empty: not said yet).

    Raises:
        UsageError: the two stand in the wrong order, or two plugins offer the name.
        UnknownNameError: there is no such algorithm.
    """
    try:
        return registry.find(name, "algorithm", "representation")
    except UnknownNameError:
        if not _is_environment(name, registry):
            raise
        known = registry.entries("algorithm", "representation")
        if any(environment in (entry.name, entry.qualified) for entry in known):
            raise UsageError(
                f"{name} is an environment, and {environment} is trained on it: they stand the other way round.",
                f"zoo train {environment} {name}",
            ) from None
        raise UsageError(
            f"{name} is an environment: expected an algorithm or a representation before it.",
            f"zoo list algorithms --for {name} shows what fits.",
        ) from None


def _is_environment(name: str, registry: Registry) -> bool:
    if name.startswith(GYM_PREFIX) or any(name in (e.name, e.qualified) for e in registry.entries("environment")):
        return True
    import gymnasium

    return name in gymnasium.registry


def slug(text: str) -> str:
    """``text`` as a file name on every system: letters, digits, dots, hyphens and underscores only."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "unnamed"
