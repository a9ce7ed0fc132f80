"""A dask cluster of this machine, for as long as standard input is open: ``python -m zoo_bench.executors.dask_cluster N``.

The first line of its standard output is the address of the scheduler.
"""

from __future__ import annotations

import logging
import sys

from distributed import LocalCluster


def main() -> None:
    """Start it with N workers, and end it when whoever started it closes the pipe or dies."""
    with LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0,
        silence_logs=logging.CRITICAL,
    ) as cluster:  # fmt: skip
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
