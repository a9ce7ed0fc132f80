"""Opening the agent of a stored run for a command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zoo import CommandOptions, CommandParser, UsageError

if TYPE_CHECKING:
    from zoo import LoadedRun, Run


def add_run_options(parser: CommandParser) -> None:
    """RUN, and which of its checkpoints to load, as of ``zoo eval``."""
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="a run directory, or a directory above one")
    add(
        "--checkpoint", default="newest", metavar="newest|best|STEP",
        help="which one: best has the best evaluation while it trained, constraints first (default: newest)",
    )  # fmt: skip
    add("--device", default="cpu", help="where tensors live: cpu, cuda, cuda:1 (default: cpu)")
    add("--trust", action="store_true", help="allow an environment id that imports a module")


def load_run(run: Run, parsed: argparse.Namespace, options: CommandOptions) -> LoadedRun:
    """The agent of ``run`` at the checkpoint that was asked for.

    Raises:
        UsageError: the run has no agent, or no such checkpoint.
        RunError: there is no sound checkpoint, or it does not fit the installed plugin.
    """
    if run.spec.kind != "algorithm":
        raise UsageError(f"{run.path} is a run of the {run.spec.kind} {run.algorithm}: expected one of an algorithm.")
    from zoo import load

    loaded = load(run, parsed.checkpoint, registry=options.registry(), device=parsed.device, trust=parsed.trust)
    if loaded.notice:  # a newer checkpoint is damaged
        sys.stderr.write(f"zoo: {loaded.notice}\n")
    return loaded
