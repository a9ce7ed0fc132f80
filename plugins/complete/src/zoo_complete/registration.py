"""The command ``zoo completion``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import hookimpl

if TYPE_CHECKING:
    from zoo import Registrar


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the command."""
    zoo.command("completion", "zoo_complete.cli:main", summary="make the tab key complete zoo in bash, zsh or fish")
