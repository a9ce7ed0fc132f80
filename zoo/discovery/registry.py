"""Finding plugins and keeping what they registered.

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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

import pluggy

from zoo.api import unmet
from zoo.discovery.guard import Answer, ask
from zoo.discovery.hooks import PROJECT, HookSpecs
from zoo.discovery.registration import FILE, KINDS, Entry, Kind, Registrar, describe, plugin_label
from zoo.discovery.sink import Sink
from zoo.errors import PluginError, UnknownNameError, UsageError, nearest


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """One entry point, and whether it was registered."""

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
    _names: set[tuple[str, str]] = field(default_factory=set, repr=False)
    _reported: set[tuple[str, str]] = field(default_factory=set, repr=False)

    def ask(self, hook: str, **arguments: Any) -> Iterator[Answer]:
        """Call a hook of every plugin, each apart from the others, as ``zoo.discovery.guard.ask``."""
        return ask(self.manager, hook, **arguments)

    def modules(self, hook: str) -> list[Any]:
        """The modules that implement a hook, in the order of their plugins."""
        return [implementation.plugin for implementation in getattr(self.manager.hook, hook).get_hookimpls()]

    def answers(
        self, hook: str, what: str, problems: list[str] | None = None, **arguments: Any
    ) -> list[tuple[str, Any]]:
        """What plugins answered to a hook, each with the plugin's name.

        Args:
            hook: its name.
            what: what is left out of a plugin that fails, such as "suites".
            problems: where a sentence about each plugin that fails goes; unset: standard error, once.
            arguments: of the hook.
        """
        answers = []
        for answer in self.ask(hook, **arguments):
            if answer.error is None:
                answers.append((answer.plugin, answer.value))
            else:
                self.leave_out(answer.plugin, what, answer.error, problems)
        return answers

    def leave_out(self, plugin: str, what: str, error: BaseException, problems: list[str] | None = None) -> None:
        """Report that something of a plugin is left out, and why, as ``answers`` does."""
        sentence = f"the {what} of plugin {plugin} are left out: {describe(error)}"
        if problems is not None:
            problems.append(sentence)
        elif (plugin, sentence) not in self._reported:
            self._reported.add((plugin, sentence))
            sys.stderr.write(f"zoo: {sentence}\n")

    @property
    def failures(self) -> list[Plugin]:
        """The plugins that were left out."""
        return [plugin for plugin in self.plugins if plugin.state == "failed"]

    def entries(self, *kinds: Kind) -> list[Entry]:
        """All entries of these kinds (of every kind, if none is named), sorted by kind, name and plugin."""
        wanted = kinds or KINDS
        entries = [entry for plugin in self.plugins for entry in plugin.entries if entry.kind in wanted]
        order = get_args(Kind)
        return sorted(entries, key=lambda entry: (order.index(entry.kind), entry.name, entry.plugin))

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
        matches = [entry for entry in entries if name in (entry.name, entry.qualified)]
        if len(matches) == 1:
            return matches[0]
        what = " or ".join(kinds or KINDS)
        if matches:
            choices = ", ".join(entry.qualified for entry in matches)
            raise UsageError(
                f"{len(matches)} plugins offer the {what} {name!r}: {choices}.", "Use one of these full names."
            )
        self.require_plugin_of(name, what)
        raise UnknownNameError(what, name, {*(entry.name for entry in entries), *also}, self._missing_hint(name, kinds))

    def require_plugin_of(self, name: str, what: str) -> None:
        """Refuse a full name such as "zoo-reload/reload" whose plugin is not there, as that of a run made elsewhere.

        Raises:
            UsageError: it is not, and no plugin is called nearly so.
        """
        plugin, slash, _ = name.partition("/")
        known = [other.plugin for other in self.plugins]
        if slash and plugin not in known and not nearest(plugin, known):
            raise UsageError(
                f"the {what} {name!r} is of plugin {plugin!r}, which is not loaded.",
                f"pip install {plugin}, or --plugin FILE where it is a file.",
            )

    def _missing_hint(self, name: str, kinds: Sequence[Kind]) -> str:
        broken = [plugin.plugin for plugin in self.failures]
        if broken:
            return f"{', '.join(broken)} failed to load and may offer it: see zoo plugins."
        if kinds == ("command",):
            return "zoo --help lists all commands."
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
        _add(registry, file.stem, FILE, str(file), f"file:{file}", partial(_import_file, file))
    if strict and registry.failures:
        failed = registry.failures[0]
        raise PluginError(f"{plugin_label(failed.plugin, failed.version)} failed to load: {failed.reason}")
    return registry


def _points() -> list[tuple[str, str, EntryPoint]]:
    """Distribution, version and entry point, in a stable order; a distribution found twice counts once."""
    points: dict[tuple[str, str], tuple[str, str, EntryPoint]] = {}
    for point in entry_points(group=PROJECT):
        distribution = point.dist
        name = distribution.name if distribution else "?"
        points.setdefault((name, point.name), (name, distribution.version if distribution else "?", point))
    return [points[key] for key in sorted(points)]


def _add(registry: Registry, name: str, version: str, source: str, handle: str, load: Callable[[], Any]) -> None:
    """Load one plugin and commit its entries, all or none."""
    start = time.perf_counter()
    manager = registry.manager
    plugin = Plugin(plugin=name, version=version, source=source, state="registered", seconds=0.0)
    module: Any = None
    try:
        module = load()
        manager.register(module, name=handle)
        for inner, value in vars(module).items() if isinstance(module, ModuleType) else ():
            if isinstance(value, Sink) and not manager.is_registered(
                value
            ):  # as an entry point names it, and a file of one's own cannot
                manager.register(value, name=f"{handle}:{inner}")
        manager.check_pending()
        _refuse_wrappers(manager, module)
        registrar = Registrar(name, version)
        for answer in registry.ask("zoo_register", only=module, zoo=registrar):
            if answer.error is not None:
                raise answer.error
        names = {(entry.kind, entry.qualified) for entry in registrar.entries}
        for kind, qualified in sorted(names & registry._names):
            raise ValueError(f"{kind} {qualified!r} is registered twice")
        registry._names |= names
        plugin = replace(plugin, entries=tuple(registrar.entries))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may fail in any way, and must not take the others along
        if module is not None and manager.is_registered(module):
            manager.unregister(module)
        plugin = replace(plugin, state="failed", reason=describe(error))
    registry.plugins.append(replace(plugin, seconds=time.perf_counter() - start))


def _refuse_wrappers(manager: pluggy.PluginManager, module: Any) -> None:
    """Hooks are called one plugin apart from the other, so there is nothing to wrap."""
    for caller in manager.get_hookcallers(module) or ():
        for implementation in caller.get_hookimpls():
            if implementation.plugin is module and (implementation.wrapper or implementation.hookwrapper):
                raise ValueError(f"{caller.name} is a hook wrapper: expected a plain implementation")


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
