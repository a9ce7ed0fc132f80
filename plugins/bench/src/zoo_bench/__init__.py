"""Suites of experiments: their runs, tables, verdicts and figures.

Importing this module is cheap: the commands are imported when they are run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo import hookimpl

if TYPE_CHECKING:
    from zoo import Registrar

__all__ = ["zoo_register", "zoo_suites"]


@hookimpl
def zoo_register(zoo: Registrar) -> None:
    """Register the commands and executors."""
    zoo.command(
        "bench", "zoo_bench.cli.bench:main", summary="run the experiments of a suite, as far as they are missing"
    )
    zoo.command(
        "table", "zoo_bench.cli.table:main",
        summary="results as a table: intervals, published values, verdicts on claims",
    )  # fmt: skip
    zoo.command("papers", "zoo_bench.cli.papers:main", summary="every claim of the papers, with our verdict on it")
    zoo.command("report", "zoo_bench.cli.report:main", summary="claims, figures and runs as one page of HTML to send")
    zoo.command("plot", "zoo_bench.cli.plot:main", summary="curves, profiles and verdicts of runs, as PNG, SVG or PDF")
    zoo.executor("dask", "zoo_bench.executors.choice:dask", summary="workers of dask.distributed")
    zoo.executor("ray", "zoo_bench.executors.choice:ray", summary="workers of a ray cluster")
    zoo.executor("slurm", "zoo_bench.executors.choice:slurm", summary="jobs of Slurm, by submitit")


@hookimpl
def zoo_suites() -> list[str]:
    """Suites across plugins: ``zoo bench smoke`` and ``zoo bench control``."""
    return ["zoo_bench:suites/smoke.toml", "zoo_bench:suites/control.toml"]
