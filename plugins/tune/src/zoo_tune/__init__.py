"""Tuning the options of an algorithm: one command, imported when it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import hookimpl

if TYPE_CHECKING:
    from zoo import Registrar

__all__ = ["zoo_register"]


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the command."""
    zoo.command("tune", "zoo_tune.cli:main", summary="search for better options, and judge them on fresh seeds")
