"""In-context learning: train, watch and clamp small transformers. Registration, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import hookimpl

if TYPE_CHECKING:
    from zoo.discovery.entry import Registrar

__all__ = ["zoo_register"]


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register what the plugin has."""
