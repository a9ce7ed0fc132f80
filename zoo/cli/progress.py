"""The summary after training."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from zoo.terminal.streams import console
from zoo.training.progress import MAX_METRICS, PLAIN_SECONDS, REFRESH_SECONDS, WIDE, by_meaning
from zoo.training.settings import RunResult
from zoo.training.storage.spec import RunSpec

__all__ = ["PLAIN_SECONDS", "REFRESH_SECONDS", "WIDE", "stop_message", "summary"]


def summary(spec: RunSpec, results: Sequence[RunResult], stop_reason: str, asked: int, which: str = "") -> None:
    """Where the runs are, what they reached, and what to type next.

    Args:
        spec: of the runs.
        results: of those that were begun.
        stop_reason: why it was stopped; empty if it was not.
        asked: how many runs there were to be.
        which: of a sweep, the values that these have, as "eta=0.1".
    """
    out = console()
    if not out.is_terminal:
        out = console(width=WIDE)
    algorithm, environment = spec.short
    title = ", ".join(filter(None, (f"{algorithm} on {environment}", which)))
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("seed", "status", "steps"):
        table.add_column(heading, justify="right" if heading != "status" else "left", no_wrap=True)
    shown: list[str] = []
    for result in results:
        names = [name for name in by_meaning(result.metrics) if not name.startswith("eval/")][:MAX_METRICS]
        shown += [name for name in names if name not in shown]
    scored = any(result.score for result in results)
    if scored:
        table.add_column("return", justify="right", no_wrap=True)
        table.add_column("95 % interval", justify="right", no_wrap=True)
    judged = any("violation" in result.score for result in results)
    if judged:
        table.add_column("violation", justify="right", no_wrap=True)
    for name in shown:
        table.add_column(name, justify="right", no_wrap=True)
    for result in results:
        row = [str(result.seed), result.outcome.replace("_", " ") or result.status, str(result.steps)]
        if scored:
            row += ["{return:.4g}" if result.score else "", "[{low:.4g}, {high:.4g}]" if "low" in result.score else ""]
        row += ["{violation:.3g}" if "violation" in result.score else ""] if judged else []
        row += [f"{result.metrics[name]:.3g}" if name in result.metrics else "" for name in shown]
        table.add_row(*(cell.format(**result.score) for cell in row))
    out.print(table)
    for message in dict.fromkeys(result.message for result in results if result.message and result.status != "failed"):
        seeds = [str(result.seed) for result in results if result.message == message]
        which = f"seed {', '.join(seeds)}: " if len(results) > 1 else ""
        out.print(Text(f"{which}{message}"))
    if stop_reason:
        finished = sum(result.status == "finished" for result in results)
        out.print(Text(stop_message(stop_reason, left=asked - finished)))
    if results:
        place = results[0].path if len(results) == 1 else results[0].path.parent
        out.print(Text(f"\n{place}", style="bold"), soft_wrap=True)
        nothing = all(result.status == "failed" and not result.metrics for result in results)
        out.print(Text(f"next: zoo {'show' if nothing else 'plot'} {place}", style="dim"), soft_wrap=True)
    sys.stdout.flush()


def stop_message(reason: str, *, left: int) -> str:
    """A sentence on a stop by a signal or a time limit; ``left`` runs are not finished."""
    if not left:
        return f"Stopped ({reason}) when every run had finished."
    return f"Stopped ({reason}); everything is saved. The same command continues."
