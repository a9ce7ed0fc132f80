"""Errors that are shown to users, and the exit status of each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ZooError(Exception):
    """An error that the user can correct.

    Args:
        message: one sentence: what was asked, and what is there instead.
        hint: one sentence: what to type next; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ZooError):
    """The command line, a name or an option is wrong. Nothing was started."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that nothing registered; the message carries the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        known = sorted(known)
        near = nearest(name, known)
        if near:
            suggestion = f"did you mean {' or '.join(near)}?"
        elif known:
            suggestion = f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}."
        else:
            suggestion = "there is none."
        super().__init__(f"no {kind} called {name!r}: {suggestion}", hint)
        self.name = name
        self.near = near


class PluginError(ZooError):
    """A plugin broke its contract; the message names the plugin and its version."""


class InterfaceError(ZooError):
    """An object does not implement the interface that it was registered or passed for."""


class RunError(ZooError):
    """A run could not be started, continued or read."""


class NoRunError(RunError):
    """The path named is not a run: the request is wrong."""

    exit_code = 2


class NewerFormatError(RunError):
    """A file of a run was written by a newer zoo."""


class TrainingFailed(ZooError):
    """Training stopped by itself: a non-finite number, or an error of the algorithm."""


class EnvironmentFailed(TrainingFailed):
    """An environment raised, or returned what its interface does not know; the message names it, copy and step."""


def not_a_choice(option: str, given: str, choices: Iterable[str]) -> str:
    """A sentence on a value that is none of the choices of an option, with the nearest of them."""
    choices = list(choices)
    near = nearest(given, choices)
    words = f"did you mean {' or '.join(near)}?" if near else f"expected one of {', '.join(choices)}."
    return f"{option} is {given!r}: {words}"


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The up to ``count`` names in ``known`` closest to ``name``, closest first; case is ignored."""
    by_folded: dict[str, str] = {}
    for candidate in known:
        by_folded.setdefault(candidate.lower(), candidate)
    close = difflib.get_close_matches(name.lower(), by_folded, n=count, cutoff=0.6)
    if not close and len(name) >= 3:
        close = [folded for folded in by_folded if name.lower() in folded][:count]
    return [by_folded[folded] for folded in close]
