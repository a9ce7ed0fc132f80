"""Output for people: text without control characters, and lines that are written anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.lazy import lazy_names

if TYPE_CHECKING:
    from zoo.terminal.live import LiveLines as LiveLines
    from zoo.terminal.streams import brief as brief
    from zoo.terminal.streams import console as console
    from zoo.terminal.streams import raw as raw
    from zoo.terminal.streams import visible as visible
    from zoo.terminal.streams import visible_streams as visible_streams

__getattr__, __dir__, __all__ = lazy_names(
    __name__, {"live": ["LiveLines"], "streams": ["brief", "console", "raw", "visible", "visible_streams"]}
)
