"""What Slurm's queue says of jobs: by ``squeue``, which every cluster has, and not all keep accounts for ``sacct``."""

from __future__ import annotations

import subprocess
import time

_ASK_SECONDS = 5.0
_GONE_SECONDS = 30.0
"""How long a job must be out of the queue to be gone: its result may come late over a shared disk."""


class Queue:
    """The states of this user's jobs, asked for every few seconds; where Slurm does not answer, the last ones."""

    def __init__(self) -> None:
        self._asked = float("-inf")
        self._states: dict[str, str] = {}
        self._absent: dict[str, float] = {}

    def state(self, job: str) -> str:
        """As ``squeue`` has it, such as "PENDING" and "RUNNING"; "ABSENT" where it has not, "GONE" after a while."""
        now = time.monotonic()
        if now - self._asked > _ASK_SECONDS:
            self._ask()
        if job in self._states:
            self._absent.pop(job, None)
            return self._states[job]
        since = self._absent.setdefault(job, now)
        return "GONE" if now - since > _GONE_SECONDS else "ABSENT"

    def _ask(self) -> None:
        command = ["squeue", "--noheader", "--array", "--me", "--format=%i %T"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        except (OSError, subprocess.SubprocessError):  # jobs go on while the controller is away
            self._absent.clear()
        else:
            self._states = dict(line.split(None, 1) for line in done.stdout.splitlines() if " " in line)
        self._asked = time.monotonic()
