"""One registered component, and the registrar that collects those of one plugin."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from zoo.api import Algorithm, Evaluator, Needs, Offers, Representation, Space, Subject
from zoo.errors import PluginError
from zoo.terminal.streams import brief

Kind = Literal["algorithm", "representation", "environment", "evaluator", "command", "executor", "wrapper"]
KINDS: tuple[Kind, ...] = ("algorithm", "representation", "environment", "evaluator")
"""The four interfaces; commands, executors and wrappers are none of them, and stand in no list of components."""
NAME = re.compile(r"[a-z][a-z0-9-]*")
TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
FILE = "file"
"""The version of a plugin that is one file."""
_INTERFACES: dict[str, type] = {"algorithm": Algorithm, "representation": Representation, "evaluator": Evaluator}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One registered component: names and strings only, until ``resolve`` or ``resolve_config``."""

    kind: Kind
    name: str
    plugin: str
    version: str
    target: str
    config: str = ""
    summary: str = ""
    paper: str = ""
    presets: str = ""
    steps: int = 0
    needs: Needs = field(default_factory=Needs)
    offers: Offers = field(default_factory=Offers)
    subject: Subject = "algorithm"
    vector: str = ""
    family: bool = False

    @property
    def qualified(self) -> str:
        """``plugin/name``, unique in a registry for its kind."""
        return f"{self.plugin}/{self.name}"

    @property
    def provider(self) -> str:
        """The plugin and its version, for messages."""
        return plugin_label(self.plugin, self.version)

    @property
    def owner(self) -> str:
        """Its name in messages, with its plugin."""
        return f"{self.kind} {self.name!r} of {self.provider}"

    def load(self, target: str) -> Any:
        """The object that a ``"module:attribute"`` string of this entry names.

        Raises:
            PluginError: the module cannot be imported or lacks the attribute; the message names the plugin.
        """
        module, _, attribute = target.partition(":")
        try:
            obj: Any = importlib.import_module(module)
            for part in attribute.split("."):
                obj = getattr(obj, part)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a module may do anything when it is imported
            raise PluginError(
                f"{self.owner} cannot be loaded from {target!r}: {describe(error)}",
                "zoo plugins --check shows what else is broken.",
            ) from error
        return obj

    def resolve(self) -> Any:
        """The class (or, for an environment, the factory) behind this entry, checked against its interface.

        Raises:
            PluginError: it cannot be imported, is of the wrong kind, or leaves methods undefined.
        """
        component = self.load(self.target)
        if self.kind not in _INTERFACES:
            if not callable(component):
                raise PluginError(f"{self.owner}: {self.target!r} is {component!r}, expected a callable.")
            return component
        wanted = _INTERFACES[self.kind]
        if not (isinstance(component, type) and issubclass(component, wanted)):
            raise PluginError(
                f"{self.owner}: {self.target!r} is {component!r}, expected a subclass of zoo.{wanted.__name__}."
            )
        undefined = sorted(getattr(component, "__abstractmethods__", ()))
        if undefined:
            raise PluginError(f"{self.owner}: {self.target!r} does not define {', '.join(undefined)}.")
        return component

    def resolve_config(self) -> type | None:
        """The configuration dataclass, or None if the entry has none.

        Raises:
            PluginError: it cannot be imported or is not a dataclass.
        """
        if not self.config:
            return None
        cls = self.load(self.config)
        if not (isinstance(cls, type) and hasattr(cls, "__dataclass_fields__")):
            raise PluginError(f"{self.owner}: config {self.config!r} is {cls!r}, expected a dataclass.")
        return cls

    def default_config(self) -> Any:
        """An instance of the configuration dataclass with every default, or None if the entry has none.

        Raises:
            PluginError: it cannot be imported, is not a dataclass, or refuses its own defaults.
        """
        cls = self.resolve_config()
        try:
            return None if cls is None else cls()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise PluginError(
                f"{self.owner}: config {self.config!r} has no sound defaults: {describe(error)}"
            ) from error


class Registrar:
    """Handed to ``zoo_register``: collects the entries of one plugin; they count only if all are sound."""

    def __init__(self, plugin: str, version: str) -> None:
        self.plugin = plugin
        self.version = version
        self.entries: list[Entry] = []
        self._names: set[tuple[str, str]] = set()

    def algorithm(
        self,
        name: str,
        target: str,
        *,
        config: str,
        summary: str,
        needs: Needs | Mapping[str, Any] = Needs(),
        paper: str = "",
        presets: str = "",
        steps: int = 100_000,
    ) -> None:
        """Register an Algorithm.

        Args:
            name: lower case, digits and hyphens.
            target: "module:Class", a subclass of ``zoo.Algorithm``.
            config: "module:Dataclass", frozen and keyword-only; its module must be light to import.
            summary: one line for ``zoo list``.
            needs: what it asks of an environment.
            paper: where it is from.
            presets: "package:folder" of TOML files, each a preset keyed by environment name; the file
                ``default.toml`` applies when no ``--preset`` is given.
            steps: the budget when ``--steps`` is not given, in the algorithm's own ``env_steps``.
        """
        wanted: Needs = _coerced(Needs, needs, f"algorithm {name!r}: needs")
        self._add(Entry(
            kind="algorithm", name=name, plugin=self.plugin, version=self.version, target=target, config=config,
            summary=summary, needs=wanted, paper=paper, presets=presets, steps=steps,
        ))  # fmt: skip

    def representation(
        self,
        name: str,
        target: str,
        *,
        config: str,
        summary: str,
        needs: Needs | Mapping[str, Any] = Needs(),
        paper: str = "",
        presets: str = "",
        steps: int = 100_000,
    ) -> None:
        """Register a Representation; arguments as for ``algorithm``."""
        wanted: Needs = _coerced(Needs, needs, f"representation {name!r}: needs")
        self._add(Entry(
            kind="representation", name=name, plugin=self.plugin, version=self.version, target=target,
            config=config, summary=summary, needs=wanted, paper=paper, presets=presets, steps=steps,
        ))  # fmt: skip

    def environment(
        self,
        name: str,
        target: str,
        *,
        summary: str,
        config: str = "",
        vector: str = "",
        offers: Offers | Mapping[str, Any] = Offers(),
        family: bool = False,
    ) -> None:
        """Register an environment.

        Args:
            name: lower case, digits and hyphens.
            target: "module:callable" that returns a ``gymnasium.Env``, called with the config's fields.
            summary: one line for ``zoo list``.
            config: "module:Dataclass" of the keyword arguments, or empty if there are none.
            vector: "module:callable" that returns a SAME_STEP ``gymnasium.vector.VectorEnv``, called with
                ``num_envs`` and the config's fields; empty if copies are to be stepped one by one.
            offers: what the environment has beyond gymnasium's interface.
            family: whether it is many, each called ``NAME:TASK``: what is built is given ``task`` as well.
        """
        offered: Offers = _coerced(Offers, offers, f"environment {name!r}: offers")
        self._add(Entry(
            kind="environment", name=name, plugin=self.plugin, version=self.version, target=target, config=config,
            summary=summary, vector=vector, offers=offered, family=family,
        ))  # fmt: skip

    def evaluator(self, name: str, target: str, *, config: str, summary: str, subject: Subject) -> None:
        """Register an Evaluator of an "algorithm", a "representation" or a "file"."""
        self._add(Entry(
            kind="evaluator", name=name, plugin=self.plugin, version=self.version, target=target, config=config,
            summary=summary, subject=subject,
        ))  # fmt: skip

    def command(self, name: str, target: str, *, summary: str) -> None:
        """Register a command, ``zoo NAME``.

        Args:
            name: lower case, digits and hyphens.
            target: "module:function", called as ``function(args, options)`` with what follows the name, a list of
                text, and a ``zoo.CommandOptions``; it returns the exit status. ``zoo.CommandParser`` parses as zoo's
                own commands do.
            summary: one line for ``zoo --help``.
        """
        self._add(Entry(
            kind="command", name=name, plugin=self.plugin, version=self.version, target=target, summary=summary
        ))  # fmt: skip

    def wrapper(
        self, name: str, target: str, *, summary: str, vector: str = "", offers: Offers | Mapping[str, Any] = Offers()
    ) -> None:
        """Register an option of every environment, ``--env.NAME VALUE``, that puts it into a wrapper.

        Args:
            name: lower case, digits and hyphens.
            target: "module:function", called as ``function(env, value)`` with one ``gymnasium.Env``; the annotation of
                its second parameter says what is taken. A ``ValueError`` becomes the message.
            summary: one line for the help.
            vector: the same for a SAME_STEP vector environment; empty: copies are stepped one by one.
            offers: what an environment has once it is wrapped, for hints.
        """
        offered: Offers = _coerced(Offers, offers, f"wrapper {name!r}: offers")
        self._add(Entry(
            kind="wrapper", name=name, plugin=self.plugin, version=self.version, target=target, summary=summary,
            vector=vector, offers=offered,
        ))  # fmt: skip

    def executor(self, name: str, target: str, *, summary: str) -> None:
        """Register an executor, for ``zoo train|bench --executor NAME``: it runs seeds on other machines, say.

        Args:
            name: lower case, digits and hyphens.
            target: "module:function", called as ``function(options, jobs, registry, settings)`` with options as
                text by name and how many workers to use, or None; it returns a context manager that is not yet
                entered, whose value has the method ``run`` of ``zoo.training.Pool``, and raises ``zoo.UsageError``
                for an option that it has not.
            summary: one line.
        """
        self._add(Entry(
            kind="executor", name=name, plugin=self.plugin, version=self.version, target=target, summary=summary
        ))  # fmt: skip

    def _add(self, entry: Entry) -> None:
        if not isinstance(entry.name, str) or not NAME.fullmatch(entry.name):
            raise ValueError(f"{entry.kind} name {entry.name!r}: expected lower-case letters, digits and hyphens")
        for what in ("target", "config", "presets", "vector"):
            text = getattr(entry, what)
            if not isinstance(text, str) or (text and not TARGET.fullmatch(text)) or (what == "target" and not text):
                raise ValueError(f"{entry.kind} {entry.name!r}: {what}={text!r}, expected 'module:attribute'")
        whose = f"{entry.kind} {entry.name!r}"
        for what, text in (("summary", entry.summary), ("paper", entry.paper)):
            if not isinstance(text, str) or not text.isprintable():
                raise ValueError(f"{whose}: {what}={text!r:.80}, expected one line of text")
        if not entry.summary.strip():
            raise ValueError(f"{whose}: summary={entry.summary!r}, expected one line of text")
        if entry.subject not in get_args(Subject):
            raise ValueError(f"{whose}: subject={entry.subject!r}, expected {', '.join(get_args(Subject))}")
        if entry.kind in ("algorithm", "representation") and (type(entry.steps) is not int or entry.steps < 1):
            raise ValueError(f"{whose}: steps={entry.steps!r}, expected a whole number, 1 or more")
        if (entry.kind, entry.name) in self._names:
            raise ValueError(f"{whose} is registered twice")
        self._names.add((entry.kind, entry.name))
        self.entries.append(entry)


def _coerced(cls: Any, given: Any, where: str) -> Any:
    """``Needs`` or ``Offers`` from an instance or a mapping, with values that it knows.

    Raises:
        ValueError: a name or a value is unknown.
    """
    if not isinstance(given, (cls, Mapping)):
        raise ValueError(f"{where} is {given!r:.80}, expected zoo.{cls.__name__} or a mapping")
    known = {field.name: field for field in fields(cls)}
    values = {name: getattr(given, name) for name in known} if isinstance(given, cls) else dict(given)
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"{where} has {name!r}, expected some of {', '.join(known)}")
        allowed = (None, *get_args(Space)) if name in ("action", "observation") else (True, False)
        if not any(value is choice or (isinstance(value, str) and value == choice) for choice in allowed):
            raise ValueError(f"{where}: {name}={value!r:.80}, expected {' or '.join(map(repr, allowed))}")
    return cls(**values)


def describe(error: BaseException) -> str:
    """``ImportError: no module named x`` on one line, of bounded length."""
    text = brief(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def plugin_label(plugin: str, version: str) -> str:
    """A plugin in a message: ``plugin zoo-sb3 0.1.0``, or ``plugin file mine``."""
    return f"plugin file {plugin}" if version == FILE else f"plugin {plugin} {version}"
