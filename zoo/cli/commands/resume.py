"""``zoo train --resume RUN``: going on from a stored run, within its budget or beyond it."""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import RunError, UsageError

if TYPE_CHECKING:
    from zoo.training.storage.run_dir import RunDir
    from zoo.training.storage.spec import RunSpec

ALLOWED = (
    "resume", "steps", "checkpoint_every", "time_limit", "threads", "deterministic", "trust", "quiet", "json",
    "dry_run",
)  # fmt: skip
"""flags that may stand beside ``--resume RUN``: how to run, not what"""


def left_over(parser: argparse.ArgumentParser, args: Sequence[str]) -> list[str]:
    """The words of a command line that are neither one of the ``ALLOWED`` flags nor the value of one."""
    actions = {spelling: action for action in parser._actions for spelling in action.option_strings}
    words_left: list[str] = []
    words = iter(args)
    for word in words:
        flag, equals, _ = word.partition("=")
        action = actions.get(flag)
        if action is None or action.dest not in ALLOWED:
            words_left.append(word)
        elif not equals and action.nargs != 0:
            next(words, None)
    return words_left


def open_resumed(path: Path, other: Sequence[str]) -> tuple[RunDir, Path]:
    """The run to go on from, and the directory of all runs that it lies in.

    Args:
        path: after ``--resume``.
        other: as ``left_over`` has it.

    Raises:
        UsageError: it is not a run, was moved, or something was given that would make another run of it.
    """
    from zoo.training.storage.run_dir import RunDir

    if not path.is_dir():
        raise UsageError(f"--resume is {str(path)!r}: expected auto, never, or the directory of a run.")
    if other:
        raise UsageError(
            f"zoo train --resume {path} takes everything from the run: leave out {' '.join(other)}.",
            "Only --steps may be larger, which makes a run of its own; zoo train ALGORITHM ENVIRONMENT makes another.",
        )
    run = RunDir.open(path)
    root = run.path.resolve()
    expected = run.spec.folder(Path()).parts
    if root.parts[-len(expected) :] != expected:
        raise UsageError(
            f"{run.path} was moved: expected it to end in {Path(*expected)}.", "Move it back to continue it."
        )
    return run, Path(*root.parts[: -len(expected)])


def extended(run: RunDir, steps: int, root: Path, *, dry_run: bool) -> RunSpec:
    """The spec that goes on from ``run`` up to ``steps``; its directory is there then, unless ``dry_run``.

    Raises:
        ZooError: it cannot go on.
    """
    from zoo.training.extend import begin, describe_extension, extension

    spec, stored = extension(run, steps)
    if not dry_run:
        path = begin(run, spec, stored, root)
        sys.stderr.write(f"zoo: {path} {describe_extension(run, spec)}\n")
    return spec


def offer(spec: RunSpec, seeds: Sequence[int], root: Path) -> None:
    """Suggest to extend a stored run with the same options and a smaller budget, if there is one."""
    from zoo.training.extend import find_shorter

    for seed in seeds:
        run = find_shorter(spec.with_seed(seed), root)
        if run is not None:
            sys.stderr.write(
                f"zoo: {run.path} is this run with {run.spec.steps} steps. This command begins anew;\n"
                f"     zoo train --resume {run.path} --steps {spec.steps} goes on from there instead.\n"
            )
            return


def all_finished(spec: RunSpec, seeds: Sequence[int], root: Path) -> str:
    """A sentence, where every run is finished already and nothing is left to do; else empty."""
    from zoo.training.loop import finished_seeds
    from zoo.training.settings import Settings
    from zoo.training.storage.run_dir import read_status

    try:
        done = finished_seeds(spec, seeds, Settings(root=root))
    except RunError:
        return ""
    if len(done) < len(seeds):
        return ""
    times = [_day(read_status(spec.with_seed(seed).folder(root))[0].get("time")) for seed in seeds]
    return f"Nothing was run: finished on {', '.join(sorted(set(filter(None, times)))) or 'an unknown day'}."


def _day(text: object) -> str:
    try:
        return datetime.datetime.fromisoformat(str(text)).astimezone().strftime("%Y-%m-%d at %H:%M")
    except ValueError:
        return ""
