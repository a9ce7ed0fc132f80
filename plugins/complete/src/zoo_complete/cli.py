"""``zoo completion``: what a shell must be told, once."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from zoo import CommandOptions, CommandParser
from zoo_complete.words import remember

SHELLS = ("bash", "zsh", "fish")


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parser = CommandParser(
        prog="zoo completion",
        description="Print what makes the tab key complete commands, options, algorithms, environments and runs.\n"
        'bash and zsh: eval "$(zoo completion bash)" in ~/.bashrc, or zsh in ~/.zshrc after compinit;\n'
        "fish: zoo completion fish > ~/.config/fish/completions/zoo.fish",
        examples=['eval "$(zoo completion bash)"', "zoo completion fish | source"],
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parsed = parser.parse_args(args)
    from argcomplete.shell_integration import shellcode

    remember(options)  # so that the first press of the key need not wait
    sys.stdout.write(shellcode(["zoo"], shell=parsed.shell, argcomplete_script="zoo-complete"))
    return 0
