"""Lines below a cell of a Jupyter notebook that are written anew."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from zoo.terminal.streams import visible


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


class NotebookLines:
    """As ``LiveLines``, in the output of the cell that made it."""

    width = 120

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, lines: Sequence[str]) -> None:
        """Replace what is shown."""
        import IPython.display

        shown = {"text/plain": "\n".join(visible(line) for line in lines)}
        if self._handle is None:
            display: Any = IPython.display.display
            self._handle = display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)

    def clear(self) -> None:
        """Show nothing."""
        self.show([])
