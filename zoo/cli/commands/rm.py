"""``zoo rm``: remove stored runs, except those that a process is writing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.cli.document import emit
from zoo.cli.parser import CommandOptions, CommandParser

if TYPE_CHECKING:
    from zoo.runs.store import Run


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parser = CommandParser(
        prog="zoo rm",
        usage="zoo rm PATH... [--yes] [--dry-run] [--json]",
        description="Remove the runs at or below these paths, after asking. One that a process is writing stays.",
        examples=["zoo rm runs/CartPole-v1/ppo", "zoo rm runs --dry-run", "zoo rm runs/two-state --yes"],
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a run, or a directory above some")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output; needs --yes")
    parsed = parser.parse_args(args)

    from zoo.errors import UsageError
    from zoo.runs.describe import listing
    from zoo.runs.store import open_runs

    if parsed.json and not (parsed.yes or parsed.dry_run):
        raise UsageError("--json does not ask for confirmation: expected --yes or --dry-run beside it.")
    catalogue = open_runs(parsed.paths)
    runs = list(catalogue)
    if not parsed.json:
        for refused in catalogue.refused:
            sys.stderr.write(f"zoo: kept, because it cannot be read: {refused.reason}\n")
        print(listing(runs))
    if not (parsed.yes or parsed.dry_run) and not _confirmed(len(runs)):
        print("Nothing was removed.")
        return 1
    kept = {} if parsed.dry_run else remove(runs)
    removed = [str(run.path) for run in runs if run.path not in kept and not parsed.dry_run]
    if parsed.json:
        emit({"runs": [str(run.path) for run in runs], "removed": removed,
              "kept": {str(path): reason for path, reason in kept.items()}})  # fmt: skip
    else:
        for reason in kept.values():
            sys.stderr.write(f"zoo: kept: {reason}\n")
        print("Nothing was removed: this was a dry run." if parsed.dry_run else f"{len(removed)} runs were removed.")
    return 1 if kept else 0


def remove(runs: Sequence[Run]) -> dict[Path, str]:
    """Remove the directories of ``runs``, and what becomes empty above them; why those that stay were kept."""
    from zoo.errors import RunError
    from zoo.training.storage.lock import Lock

    kept = {}
    for run in runs:
        try:
            with Lock(run.path):  # nobody begins to write it meanwhile
                removed = run.path.with_name(f".removed-{run.path.name}")
                shutil.rmtree(removed, ignore_errors=True)  # of a removal that was killed
                run.path.rename(removed)  # at once: a removal that is killed leaves no half of a run
            shutil.rmtree(removed)
        except RunError as error:
            kept[run.path] = error.message
        except OSError as error:
            kept[run.path] = f"{run.path} cannot be removed: {error.strerror}."
        else:
            _prune(run.path.parent)
    return kept


def _prune(folder: Path) -> None:
    """Remove the folders of key, algorithm and environment that hold nothing any more."""
    for above in (folder, *folder.parents)[:3]:
        try:
            above.rmdir()
        except OSError:
            return


def _confirmed(count: int) -> bool:
    from zoo.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError("standard input is not a terminal, so nobody can confirm: expected --yes, or --dry-run.")
    question = f"Remove {'this run' if count == 1 else f'these {count} runs'}? [y/N] "
    return input(question).strip().lower() in ("y", "yes")
