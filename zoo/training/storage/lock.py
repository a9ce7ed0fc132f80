"""One writer for each run: a lock with the process that holds it."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from zoo.errors import RunError
from zoo.training.storage.documents import HOLDER, checked
from zoo.training.storage.files import is_file, kind, read_json, to_json
from zoo.training.storage.processes import alive, began
from zoo.training.storage.run_dir import LOCK

_LOCK_BYTES = 1 << 16
_FILLING_SECONDS = 5.0


class Lock:
    """Keeps a second writer out of a run; that of a dead process on this host is taken over.

    Raises:
        RunError: another process, named in the message, is writing this run.
    """

    def __init__(self, path: Path) -> None:
        self._path = path / LOCK
        self.took_over = ""

    def __enter__(self) -> Lock:
        content = to_json({"pid": os.getpid(), "host": socket.gethostname(), "started": began(os.getpid())})
        for _ in range(3):
            try:
                handle = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            except FileExistsError:
                self._remove_stale()
                continue
            except OSError as error:
                raise RunError(f"run directory {self._path.parent} cannot be written: {error.strerror}.") from error
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
            except OSError as error:
                self._path.unlink(missing_ok=True)
                raise RunError(f"{self._path} cannot be written: {error.strerror}.") from error
            return self
        raise RunError(f"{self._path.parent} is being taken over by another process.", "Try again.")

    def check(self) -> Mapping[str, Any]:
        """Return the content of a lock whose process is gone; empty where there is no lock.

        Raises:
            RunError: a live process holds it.
        """
        holder = self._holder()
        if holder and not _dead(holder):
            raise RunError(
                f"{self._path.parent} is being written by process {holder['pid']} on {holder['host']}.",
                "Wait for it, or stop it; what it has saved stays.",
            )
        return holder

    def _remove_stale(self) -> None:
        holder = self.check()
        mine = self._path.with_name(f".{LOCK}.{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):  # the first process to rename it has won
            self._path.rename(mine)
            mine.unlink()
            self.took_over = f"process {holder.get('pid', '?')} ended without releasing this run"

    def _holder(self) -> Mapping[str, Any]:
        """The content of the lock; empty where it is gone, or was never filled."""
        try:
            age = time.time() - self._path.lstat().st_mtime
        except FileNotFoundError:
            return {}
        if not is_file(self._path):
            raise RunError(f"{self._path} is {kind(self._path) or 'a directory'}: expected a file.")
        try:
            data = read_json(self._path, _LOCK_BYTES)
            return checked(data, HOLDER, self._path, "a lock", ("pid", "host"))
        except RunError:  # killed, or not yet done, between creating the lock and filling it; or damaged
            if 0 <= age < _FILLING_SECONDS:
                raise RunError(f"{self._path.parent} is being written by another process.", "Try again.") from None
            return {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)


def check_unlocked(path: Path) -> None:
    """Refuse a run that a process is writing; nothing is changed.

    Raises:
        RunError: naming the process.
    """
    Lock(path).check()


def is_abandoned(path: Path) -> bool:
    """Whether no process can be writing a run: its lock is gone, or that of a dead process of this host."""
    lock = Lock(path)
    try:
        holder = lock._holder()
    except RunError:
        return False
    return not holder or _dead(holder)


def _dead(holder: Mapping[str, Any]) -> bool:
    """Whether the process that wrote a lock is known to be gone; on another host that cannot be known."""
    if holder["host"] != socket.gethostname():
        return False
    if holder["pid"] < 1 or not alive(holder["pid"]):
        return True
    return bool(holder.get("started", "") != began(holder["pid"]))  # the number was given to a new process
