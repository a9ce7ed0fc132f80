"""``python -m zoo_bench.executors.ray_cluster N``: a Ray cluster of this machine, until standard input is closed.

``zoo_bench.executors.local_cluster`` starts it.
"""

from __future__ import annotations

import logging
import os
import sys

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray


def main() -> None:
    """Start it with N workers, and end it when whoever started it closes the pipe or dies."""
    ray.init(
        address="local", num_cpus=int(sys.argv[1]), include_dashboard=False, log_to_driver=False,
        logging_level=logging.CRITICAL,
    )  # fmt: skip
    sys.stdout.write(f"address {ray.get_runtime_context().gcs_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    ray.shutdown()


if __name__ == "__main__":
    main()
