"""Ray: the workers of a running cluster, or of one on this machine that lasts as long as the sweep."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray
import ray.exceptions

from zoo import UsageError, ZooError
from zoo.training import Settings, WorkerTask
from zoo_bench.executors.worker import perform

_REACH_SECONDS = 10.0


def start(jobs: int | None, options: Mapping[str, str], settings: Settings) -> RayEngine:
    """Reach a cluster, or start one with ``jobs`` workers.

    Raises:
        UsageError: no cluster is there.
    """
    address = options.get("address", "")
    own: dict[str, Any] = {"address": address} if address else {
        "address": "local", "num_cpus": jobs or 1, "include_dashboard": False,
    }  # fmt: skip
    if not _answers(address):
        raise UsageError(f"no Ray cluster can be reached at {address}: nothing answers there.")
    try:
        ray.init(**own, log_to_driver=False, logging_level=logging.CRITICAL)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise UsageError(f"no Ray cluster can be reached at {address or 'this machine'}: {_first(error)}.") from error
    return RayEngine(jobs if address else jobs or 1)


def _answers(address: str) -> bool:
    """Whether something listens at an address with a port; Ray itself would ask for a minute, and end this process."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        return True  # a word, which Ray knows
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_SECONDS).close()
    except OSError:
        return False
    return True


def _first(error: BaseException) -> str:
    """The first sentence of what may be a page."""
    return str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".") or type(error).__name__


class RayEngine:
    """As ``Engine``; each bundle takes one of the cluster's CPUs."""

    seconds = 0.0

    def __init__(self, jobs: int | None) -> None:
        self._jobs = jobs
        self._perform = ray.remote(num_cpus=1, max_retries=0)(perform)

    def bundles(self, tasks: Sequence[WorkerTask]) -> list[list[WorkerTask]]:
        """As Engine: one by one."""
        return [[task] for task in tasks]

    def room(self, sent: int) -> int:
        """As Engine: one bundle for each CPU there is now."""
        if not ray.is_initialized():
            raise ZooError("the Ray cluster is gone; what was saved is kept.", "The same command again goes on.")
        cpus = int(ray.cluster_resources().get("CPU", 0)) if self._jobs is None else self._jobs
        return cpus - sent

    def submit(self, requests: Sequence[str]) -> list[Future[str]]:
        """As Engine."""
        return [self._perform.remote(request).future() for request in requests]

    def withdraw(self, future: Future[str]) -> bool:
        """As Engine: a token that is gone ends what begins later at once."""
        return False

    def died(self, error: BaseException) -> bool:
        """As Engine."""
        return isinstance(error, ray.exceptions.RayError) and not isinstance(error, ray.exceptions.RayTaskError)

    def close(self) -> None:
        """As Engine."""
        ray.shutdown()
