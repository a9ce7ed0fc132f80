"""Finding plugins and keeping what they registered (architecture, section 3).

Entry points of the one group ``zoo`` say who is installed; each names a light module whose ``zoo_register``
hook registers strings. Targets are imported at first use. A plugin that fails is named and left out; the
others never notice. pluggy's own entry-point loader is not used because it stops at the first failure and
skips duplicate names silently.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pluggy

from zoo.api import unmet
from zoo.discovery.entry import KINDS, Entry, Kind, Registrar, describe
from zoo.discovery.hooks import PROJECT, HookSpecs
from zoo.errors import PluginError, UnknownNameError, UsageError


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """One entry point and what became of it."""

    plugin: str
    version: str
    source: str
    state: Literal["registered", "failed"]
    seconds: float
    entries: tuple[Entry, ...] = ()
    reason: str = ""


@dataclass
class Registry:
    """All plugins found, their entries by kind, and the hooks they implement."""

    plugins: list[Plugin] = field(default_factory=list)
    manager: pluggy.PluginManager = field(default_factory=lambda: _manager())
    notices: list[str] = field(default_factory=list)
    files: tuple[Path, ...] = ()

    @property
    def hooks(self) -> Any:
        """The relay of pluggy: ``registry.hooks.zoo_run_started(run=...)``."""
        return self.manager.hook

    @property
    def failures(self) -> list[Plugin]:
        """The plugins that were left out."""
        return [plugin for plugin in self.plugins if plugin.state == "failed"]

    def entries(self, *kinds: Kind) -> list[Entry]:
        """All entries of these kinds (of every kind, if none is named), sorted by kind, name and plugin."""
        wanted = kinds or KINDS
        found = [entry for plugin in self.plugins for entry in plugin.entries if entry.kind in wanted]
        return sorted(found, key=lambda entry: (KINDS.index(entry.kind), entry.name, entry.plugin))

    def find(self, name: str, *kinds: Kind, also: Iterable[str] = ()) -> Entry:
        """The one entry with this bare or qualified name.

        Args:
            name: "reload" or "zoo-reload/reload".
            kinds: where to look; several kinds share one name space here.
            also: further names to suggest from when nothing fits.

        Raises:
            UsageError: two plugins offer the bare name; the message lists the qualified ones.
            UnknownNameError: none does; the message lists the nearest.
        """
        entries = self.entries(*kinds)
        found = [entry for entry in entries if name in (entry.name, entry.qualified)]
        if len(found) == 1:
            return found[0]
        what = " or ".join(kinds or KINDS)
        if found:
            choices = ", ".join(entry.qualified for entry in found)
            raise UsageError(
                f"{len(found)} plugins offer the {what} {name!r}: {choices}.", "Use one of these full names."
            )
        raise UnknownNameError(what, name, {*(entry.name for entry in entries), *also}, self._missing_hint(name))

    def _missing_hint(self, name: str) -> str:
        broken = [plugin.plugin for plugin in self.failures]
        if broken:
            return f"{', '.join(broken)} failed to load and may offer it: see zoo plugins."
        return f"zoo list shows all names; a package that offers {name!r} may not be installed."

    def fitting(self, entry: Entry) -> list[Entry]:
        """The environments that fill an algorithm's needs, or the algorithms that an environment suits."""
        if entry.kind == "environment":
            suited = self.entries("algorithm", "representation")
            return [other for other in suited if not unmet(other.needs, entry.offers)]
        return [other for other in self.entries("environment") if not unmet(entry.needs, other.offers)]


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecs)
    return manager


def owner(handle: str) -> str:
    """The plugin behind a name of the hook manager: its distribution, or the stem of a plugin that is one file."""
    head, _, tail = handle.partition(":")
    return Path(tail).stem if head == "file" else head


def discover(files: Sequence[Path] = (), *, only: Sequence[str] | None = None, strict: bool | None = None) -> Registry:
    """Find, import and register every plugin.

    Args:
        files: Python files to register as plugins beside the installed ones (``--plugin``).
        only: names of the distributions to load; by default those in ``ZOO_PLUGINS``, or all if it is unset.
        strict: raise at the first failure, instead of leaving the plugin out; by default ``ZOO_STRICT=1``.

    Raises:
        PluginError: with ``strict``, the first plugin that failed.
        UsageError: one of ``files`` does not exist or has the name of an imported module.
    """
    if only is None and "ZOO_PLUGINS" in os.environ:
        only = [name.strip() for name in os.environ["ZOO_PLUGINS"].split(",") if name.strip()]
    if strict is None:
        strict = os.environ.get("ZOO_STRICT", "") not in ("", "0")
    registry = Registry(files=tuple(Path(file).resolve() for file in files))
    for file in registry.files:
        if not file.is_file():
            raise UsageError(f"--plugin {file}: there is no such file.")
    points = _points()
    if only is not None:
        installed = {name for name, *_ in points}
        unknown = [name for name in only if name not in installed]
        registry.notices += [str(UnknownNameError("plugin", name, installed)) for name in unknown]
        points = [point for point in points if point[0] in only]
    for name, version, point in points:
        _add(registry, name, version, point.value, f"{name}:{point.name}", point.load)
    for file in registry.files:
        _add(registry, file.stem, "file", str(file), f"file:{file}", partial(_import_file, file))
    if strict and registry.failures:
        failed = registry.failures[0]
        raise PluginError(f"plugin {failed.plugin} {failed.version} failed to load: {failed.reason}")
    return registry


def _points() -> list[tuple[str, str, EntryPoint]]:
    """Distribution, version and entry point, in a stable order; a distribution found twice counts once."""
    found: dict[tuple[str, str], tuple[str, str, EntryPoint]] = {}
    for point in entry_points(group=PROJECT):
        distribution = point.dist
        name = distribution.name if distribution else "?"
        found.setdefault((name, point.name), (name, distribution.version if distribution else "?", point))
    return [found[key] for key in sorted(found)]


def _add(registry: Registry, name: str, version: str, source: str, handle: str, load: Callable[[], Any]) -> None:
    """Load one plugin and commit its entries, all or none."""
    start = time.perf_counter()
    manager = registry.manager
    plugin = Plugin(plugin=name, version=version, source=source, state="registered", seconds=0.0)
    module: Any = None
    try:
        module = load()
        manager.register(module, name=handle)
        manager.check_pending()
        registrar = Registrar(name, version)
        for caller in manager.hook.zoo_register.get_hookimpls():
            if caller.plugin is module:
                caller.function(*([registrar] if caller.argnames else []))
        known = {(entry.kind, entry.qualified) for entry in registry.entries()}
        for entry in registrar.entries:
            if (entry.kind, entry.qualified) in known:
                raise ValueError(f"{entry.kind} {entry.qualified!r} is registered twice")
        plugin = replace(plugin, entries=tuple(registrar.entries))
    except (
        Exception,
        SystemExit,
    ) as error:  # a plugin may fail in any way, and must not take the others along
        if module is not None and manager.is_registered(module):
            manager.unregister(module)
        plugin = replace(plugin, state="failed", reason=describe(error))
    registry.plugins.append(replace(plugin, seconds=time.perf_counter() - start))


def _import_file(file: Path) -> ModuleType:
    if file.stem in sys.modules:
        raise UsageError(f"--plugin {file}: a module called {file.stem!r} is already imported; rename the file.")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise UsageError(f"--plugin {file}: expected a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[file.stem]
        raise
    return module
