"""Calls of plugins' code: an error becomes a sentence with its owner, and stops nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy

from zoo.discovery.registration import describe
from zoo.errors import PluginError, ZooError


def owner(handle: str) -> str:
    """The plugin behind a name of the hook manager: its distribution, or the stem of a plugin that is one file."""
    head, _, tail = handle.partition(":")
    return Path(tail).stem if head == "file" else head


@contextmanager
def blaming(whose: str, *, debug: bool = False, passing: tuple[type[BaseException], ...] = ()) -> Iterator[None]:
    """Anything raised in the block becomes ``PluginError("{whose} failed: ...")``.

    ``ZooError`` and Ctrl-C pass; ``sys.exit`` and other exceptions beyond ``Exception`` do not: a plugin must not end
    the process.

    Args:
        whose: the owner, as the beginning of a sentence.
        debug: let exceptions through, with their traceback.
        passing: further exceptions that pass.

    Raises:
        PluginError: something was raised.
    """
    try:
        yield
    except (ZooError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if isinstance(error, passing):
            raise
        if debug and isinstance(error, Exception):
            raise
        raise PluginError(f"{whose} failed: {describe(error).rstrip('.')}.", "--debug shows where.") from error


@dataclass(frozen=True)
class Answer:
    """The answer of one plugin to a hook.

    Attributes:
        plugin: its name.
        source: the module that implements the hook.
        value: what it returned; None where it raised.
        error: what it raised.
    """

    plugin: str
    source: Any
    value: Any = None
    error: BaseException | None = None


def ask(
    manager: pluggy.PluginManager, hook: str, *, only: Any = None, muted: frozenset[Any] | set[Any] = frozenset(),
    **arguments: Any,
) -> Iterator[Answer]:  # fmt: skip
    """Call a hook of each plugin that implements it; a failure of one does not affect the others.

    Args:
        manager: of all plugins.
        hook: its name.
        only: ask only this module.
        muted: modules that are not asked.
        arguments: all that the hook's signature names; an implementation is given those it takes.
    """
    for implementation in reversed(getattr(manager.hook, hook).get_hookimpls()):
        source = implementation.plugin
        if source in muted or (only is not None and source is not only):
            continue
        plugin = owner(implementation.plugin_name)
        try:
            value = implementation.function(*[arguments[name] for name in implementation.argnames])
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may fail in any way
            yield Answer(plugin, source, error=error)
        else:
            yield Answer(plugin, source, value)
