"""dask.distributed: workers of a running scheduler, or a cluster of this machine that lasts as long as the sweep."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from distributed import Client
from distributed.comm.addressing import parse_host_port
from distributed.scheduler import KilledWorker

from zoo import UsageError, ZooError
from zoo.training import Settings, WorkerTask
from zoo_bench.executors.local_cluster import LocalCluster, silence
from zoo_bench.executors.worker import perform

_REACH_SECONDS = 10.0
_COUNT_SECONDS = 1.0


def start(jobs: int | None, options: Mapping[str, str], settings: Settings) -> DaskEngine:
    """Reach a scheduler, or start one with ``jobs`` workers.

    Raises:
        UsageError: no scheduler is there.
    """
    for name in ("distributed", "distributed.worker", "distributed.nanny", "distributed.client", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what they say of a dead worker is said by the sweep
    address = options.get("scheduler", "")
    if address:
        _check(address)
    cluster = None if address else LocalCluster("zoo_bench.executors.dask_cluster", jobs or 1)
    try:
        client = Client(cluster.address if cluster else address, timeout=_REACH_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(f"what answers at {address} is no dask scheduler of this version.") from error
    return DaskEngine(client, cluster, address, jobs)


def _check(address: str) -> None:
    """Whether somebody listens at ``[tcp://]HOST:PORT``; dask itself tries for long, and tells little.

    Raises:
        UsageError: it is no such address, or nobody does.
    """
    scheme, _, place = address.rpartition("://")
    if scheme not in ("", "tcp", "tls"):
        return
    try:
        reason = silence(*parse_host_port(place))
    except ValueError as error:
        raise UsageError(f"scheduler={address!r}: expected HOST:PORT, such as tcp://head:8786.") from error
    if reason:
        raise UsageError(f"no dask scheduler can be reached at {address}: {reason}.")


class DaskEngine:
    """As ``Engine``."""

    seconds = 0.0

    def __init__(self, client: Any, cluster: LocalCluster | None, address: str, jobs: int | None) -> None:
        self._client, self._cluster, self._jobs = client, cluster, jobs
        self._scheduler = f"the dask scheduler at {address}" if address else "the dask scheduler"
        self._executor = client.get_executor(pure=False)
        self._counted = 0.0
        self._workers = 0
        self._told = False

    def bundles(self, tasks: Sequence[WorkerTask]) -> list[list[WorkerTask]]:
        """As Engine: one by one."""
        return [[task] for task in tasks]

    def room(self, sent: int) -> int:
        """As Engine: one bundle for each thread of the workers there are now, each of which has a child of its own."""
        if time.monotonic() - self._counted > _COUNT_SECONDS:
            self._counted = time.monotonic()
            self._workers = self._count()
        return (min(self._workers, self._jobs) if self._jobs else self._workers) - sent

    def _count(self) -> int:
        try:
            threads: Mapping[str, int] = self._client.nthreads()
        except Exception as error:
            raise self._gone() from error
        if self._client.status not in ("running", "newly-created"):
            raise self._gone()
        if not threads and not self._told:
            self._told = True
            sys.stderr.write(f"zoo: {self._scheduler} has no workers yet.\n")
        return sum(threads.values())

    def _gone(self) -> ZooError:
        return ZooError(f"{self._scheduler} is gone; what was saved is kept.", "The same command again goes on.")

    def submit(self, requests: Sequence[str]) -> list[Future[str]]:
        """As Engine."""
        return [self._executor.submit(perform, request) for request in requests]

    def withdraw(self, future: Future[str]) -> bool:
        """As Engine: whatever was sent has a worker."""
        return False

    def died(self, error: BaseException) -> bool:
        """As Engine."""
        return isinstance(error, KilledWorker)

    def close(self) -> None:
        """As Engine."""
        with contextlib.suppress(Exception):  # a scheduler that is gone cannot be told
            self._client.close()
        if self._cluster is not None:
            self._cluster.close()
