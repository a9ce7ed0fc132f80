"""``python -m zoo_bench.executors.dask_cluster N``: a dask cluster of this machine, until standard input is closed.

``zoo_bench.executors.local_cluster`` starts it.
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
        sys.stdout.write(f"address {cluster.scheduler_address}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
