"""Ray: the workers of a running cluster, or of one on this machine that lasts as long as the sweep."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

from zoo import UsageError, ZooError
from zoo.training import Settings, WorkerTask
from zoo_bench.executors.local_cluster import LocalCluster, silence
from zoo_bench.executors.worker import perform


def start(jobs: int | None, options: Mapping[str, str], settings: Settings) -> RayEngine:
    """Reach a cluster, or start one with ``jobs`` workers.

    Raises:
        UsageError: no cluster is there.
    """
    address = options.get("address", "")
    _check(address)
    cluster = None
    if not address:
        # Nobody else's tasks run there. Ray reads this when it is imported.
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        cluster = LocalCluster("zoo_bench.executors.ray_cluster", jobs or 1)
    import ray

    try:
        with _handlers_kept():
            ray.init(cluster.address if cluster else address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise UsageError(f"no Ray cluster can be reached at {address or 'this machine'}: {_first(error)}.") from error
    return RayEngine(jobs if address else jobs or 1, cluster)


@contextlib.contextmanager
def _handlers_kept() -> Iterator[None]:
    """Ray takes SIGTERM for a crash, and aborts; the sweep saves and ends."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check(address: str) -> None:
    """Whether somebody listens at an address with a port; Ray itself would ask for a minute, and end this process.

    Raises:
        UsageError: nobody does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    known_to_ray = not colon or not port.isdecimal()  # a word, such as "auto"
    reason = "" if known_to_ray else silence(host.strip("[]"), int(port))
    if reason:
        raise UsageError(f"no Ray cluster can be reached at {address}: {reason}.")


def _first(error: BaseException) -> str:
    """The first sentence of what may be a page."""
    return str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".") or type(error).__name__


class RayEngine:
    """As ``Engine``; each bundle takes one of the cluster's CPUs."""

    seconds = 0.0

    def __init__(self, jobs: int | None, cluster: LocalCluster | None) -> None:
        import ray

        self._ray = ray
        self._jobs, self._cluster = jobs, cluster
        self._perform = ray.remote(num_cpus=1, max_retries=0)(perform)

    def bundles(self, tasks: Sequence[WorkerTask]) -> list[list[WorkerTask]]:
        """As Engine: one by one."""
        return [[task] for task in tasks]

    def room(self, sent: int) -> int:
        """As Engine: one bundle for each CPU there is now."""
        if not self._ray.is_initialized():
            raise ZooError("the Ray cluster is gone; what was saved is kept.", "The same command again goes on.")
        cpus = int(self._ray.cluster_resources().get("CPU", 0)) if self._jobs is None else self._jobs
        return cpus - sent

    def submit(self, requests: Sequence[str]) -> list[Future[str]]:
        """As Engine."""
        return [self._perform.remote(request).future() for request in requests]

    def withdraw(self, future: Future[str]) -> bool:
        """As Engine: a token that is gone ends what begins later at once."""
        return False

    def died(self, error: BaseException) -> bool:
        """As Engine."""
        from ray.exceptions import RayError, RayTaskError

        return isinstance(error, RayError) and not isinstance(error, RayTaskError)

    def close(self) -> None:
        """As Engine."""
        self._ray.shutdown()
        if self._cluster is not None:
            self._cluster.close()
