"""A cluster of this machine that lasts as long as a sweep, and whether anybody listens at the address of another."""

from __future__ import annotations

import socket
import subprocess
import sys

from zoo import ZooError

_REACH_SECONDS = 10.0
_END_SECONDS = 15.0


class LocalCluster:
    """Scheduler and workers on this machine, in processes of their own.

    They have a session of their own, too: a signal goes to every process of a terminal or job, and it is the sweep that
    asks its workers to stop.

    Args:
        module: starts it when it is run with the number of workers, prints a line "address ADDRESS", and ends it when
            standard input is closed.
        jobs: the number of workers.

    Raises:
        ZooError: it did not start.
    """

    def __init__(self, module: str, jobs: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(jobs)], text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None  # noqa: S101 -- a pipe was asked for
        lines = iter(self._process.stdout.readline, "")
        self.address = next((line.split()[1] for line in lines if line.startswith("address ")), "")
        if not self.address:
            raise ZooError(f"the cluster on this machine did not start (exit {self._process.wait()}).")

    def close(self) -> None:
        """End it; what does not end in time is killed."""
        try:
            self._process.communicate(timeout=_END_SECONDS)  # closes its standard input
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


def silence(host: str, port: int) -> str:
    """Why nobody answers at an address; empty where somebody does."""
    try:
        socket.create_connection((host, port), timeout=_REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""
