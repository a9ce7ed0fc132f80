"""Looking at runs: recordings of agents, exports for others, and what goes on in a directory.

Importing this module is cheap: the commands are imported when they are run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import hookimpl

if TYPE_CHECKING:
    from zoo import Registrar

__all__ = ["zoo_register"]


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the commands."""
    zoo.command("record", "zoo_view.cli.record:main", summary="an agent at work, as a gif or mp4")
    zoo.command(
        "export", "zoo_view.cli.export:main", summary="a trained agent as files for others: tensors, card, ONNX"
    )
    zoo.command("watch", "zoo_view.cli.watch:main", summary="what all runs in a directory are doing, as a live table")
