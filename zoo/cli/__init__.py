"""The command line, the commands themselves in ``commands``.

The names listed here are for the commands of plugins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.lazy import lazy_names

if TYPE_CHECKING:
    from zoo.cli.arguments import count as count
    from zoo.cli.arguments import natural as natural
    from zoo.cli.arguments import seeds as seeds
    from zoo.cli.arguments import set_threads as set_threads
    from zoo.cli.document import documented as documented
    from zoo.cli.document import emit as emit
    from zoo.cli.document import write as write
    from zoo.cli.parser import CommandOptions as CommandOptions
    from zoo.cli.parser import CommandParser as CommandParser
    from zoo.cli.parser import columns as columns
    from zoo.cli.parsers import all_commands as all_commands
    from zoo.cli.parsers import parser_of as parser_of
    from zoo.cli.progress import PLAIN_SECONDS as PLAIN_SECONDS
    from zoo.cli.progress import REFRESH_SECONDS as REFRESH_SECONDS
    from zoo.cli.progress import WIDE as WIDE
    from zoo.cli.progress import stop_message as stop_message

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "arguments": ("count", "natural", "seeds", "set_threads"),
        "document": ("documented", "emit", "write"),
        "parser": ("CommandOptions", "CommandParser", "columns"),
        "parsers": ("all_commands", "parser_of"),
        "progress": ("PLAIN_SECONDS", "REFRESH_SECONDS", "WIDE", "stop_message"),
    },
)
