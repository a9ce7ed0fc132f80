"""The run directory: plain files, one writer, nothing half written (architecture, section 8)."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from zoo import __version__
from zoo.errors import RunError
from zoo.training.checkpoint import replace_file, sync_directory, to_json
from zoo.training.spec import RunSpec

SPEC, ENV, STATUS, METRICS, EVAL, LOG, LOCK = (
    "spec.json", "env.json", "status.json", "metrics.jsonl", "eval.jsonl", "log.txt", "lock",
)  # fmt: skip
_RECORDED = ("zoo-core", "numpy", "scipy", "gymnasium", "torch", "stable-baselines3")


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        RunError: it cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}.") from error


class Log:
    """Appends JSON lines, each flushed; ``size`` is where a checkpoint may cut the file back to."""

    def __init__(self, path: Path, size: int = 0) -> None:
        there = path.stat().st_size if path.exists() else 0
        if there < size:
            raise RunError(f"{path} is shorter than its checkpoint says: {there} bytes, not {size}.")
        self._file: BinaryIO = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(size)
        self._file.seek(size)

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one object as one line."""
        self._file.write(json.dumps(row, allow_nan=False, separators=(",", ":")).encode() + b"\n")
        self._file.flush()

    def sync(self) -> int:
        """Wait until all lines are on the disk; the file's size in bytes."""
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass
class RunDir:
    """One run on disk. ``path``, ``spec`` and ``seed`` are what hooks may use."""

    path: Path
    spec: RunSpec

    @property
    def seed(self) -> int:
        """Root seed of the run."""
        return self.spec.seed

    @property
    def checkpoints(self) -> Path:
        """Where its checkpoints are published."""
        return self.path / "checkpoints"

    @classmethod
    def open(cls, path: Path) -> RunDir:
        """An existing run.

        Raises:
            RunError: there is none, or it is of a newer format.
        """
        if not (path / SPEC).is_file():
            raise RunError(f"{path} is not a run: it has no {SPEC}.")
        data = read_json(path / SPEC)
        if not isinstance(data, dict):
            raise RunError(f"{path / SPEC} is not the specification of a run.")
        return cls(path, RunSpec.from_json(data, path))

    @classmethod
    def create(cls, root: Path, spec: RunSpec) -> RunDir:
        """The directory of ``spec`` under ``root``, made if it is missing.

        Raises:
            RunError: it cannot be written, or holds a run of a newer format.
        """
        path = spec.folder(root)
        if (path / SPEC).is_file():
            return cls(path, cls.open(path).spec)
        try:
            path.mkdir(parents=True, exist_ok=True)
            replace_file(path / SPEC, to_json({"zoo": __version__, **spec.to_json()}))
            sync_directory(path)
        except OSError as error:
            raise RunError(f"run directory {path} cannot be written: {error.strerror}.") from error
        return cls(path, spec)

    def status(self) -> dict[str, Any]:
        """Last status; ``{"state": "new"}`` before the first. Fields as ``set_status`` wrote them."""
        if not (self.path / STATUS).is_file():
            return {"state": "new", "step": 0}
        found: dict[str, Any] = read_json(self.path / STATUS)
        return found

    def set_status(self, state: str, step: int, *, durable: bool = False, **more: Any) -> None:
        """Replace ``status.json``; ``state`` is "running", "finished", "failed" or "interrupted"."""
        content = {"state": state, "step": step, "pid": os.getpid(), "host": socket.gethostname()}
        content |= {"time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), **more}
        replace_file(self.path / STATUS, to_json(content), durable=durable)

    def record_start(self, *, threads: int, deterministic: bool, resumed_from: int | None) -> None:
        """Append to ``env.json`` what this (re)start runs on."""
        starts = read_json(self.path / ENV) if (self.path / ENV).is_file() else []
        starts.append(
            {
                "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                "resumed_from": resumed_from,
                "python": platform.python_version(),
                "os": platform.platform(),
                "cpu": platform.processor() or platform.machine(),
                "packages": {name: found for name in _RECORDED if (found := _installed(name))},
                "plugin": {self.spec.algorithm.partition("/")[0]: self.spec.plugin_version},
                "git": _git(),
                "argv": sys.argv,
                "device": self.spec.device,
                "threads": threads,
                "deterministic": deterministic,
            }
        )
        replace_file(self.path / ENV, to_json(starts))

    def log(self, text: str) -> None:
        """Append to ``log.txt``, with the time; what cannot be written is not worth failing for."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        with contextlib.suppress(OSError), (self.path / LOG).open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{now} {text.rstrip()}\n")

    def set_aside(self) -> Path:
        """Rename the run out of the way, keeping it, so that a fresh one can begin; its new path."""
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}~{number}")).exists():
            number += 1
        return self.path.rename(aside)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _git() -> dict[str, Any] | None:
    """Revision of the working directory's repository, if it is one and git is there."""
    try:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    revision = done.stdout.strip()
    return {"revision": revision.removesuffix("-dirty"), "dirty": revision.endswith("-dirty")}


class Lock:
    """Keeps a second writer out of a run; that of a dead process on this host is taken over.

    Raises:
        RunError: another process, named in the message, is writing this run.
    """

    def __init__(self, path: Path) -> None:
        self._path = path / LOCK
        self.took_over = ""

    def __enter__(self) -> Lock:
        content = to_json({"pid": os.getpid(), "host": socket.gethostname(), "started": _started(os.getpid())})
        for _ in range(3):
            try:
                handle = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            except FileExistsError:
                self._remove_stale()
                continue
            except OSError as error:
                raise RunError(f"run directory {self._path.parent} cannot be written: {error.strerror}.") from error
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            return self
        raise RunError(f"{self._path.parent} is being taken over by another process.", "Try again.")

    def _remove_stale(self) -> None:
        try:
            holder = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return
        except ValueError:  # killed, or not yet done, between creating the lock and filling it
            if time.time() - self._path.stat().st_mtime < 5:
                raise RunError(f"{self._path.parent} is being written by another process.") from None
            holder = {}
        if holder and not _dead(holder):
            raise RunError(
                f"{self._path.parent} is being written by process {holder['pid']} on {holder['host']}.",
                "Wait for it, or stop it; what it has saved stays.",
            )
        mine = self._path.with_name(f".{LOCK}.{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):  # whoever renames it first has won
            self._path.rename(mine)
            mine.unlink()
            self.took_over = f"process {holder.get('pid', '?')} ended without releasing this run"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)


def _dead(holder: Mapping[str, Any]) -> bool:
    """Whether the process that wrote a lock is known to be gone; on another host that cannot be known."""
    if holder.get("host") != socket.gethostname():
        return False
    try:
        os.kill(int(holder["pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return holder.get("started") != _started(int(holder["pid"]))  # the number was given to a new process


def _started(pid: int) -> str:
    """When a process began, in the kernel's own unit; empty where the system does not tell, or it has ended.

    A process that was killed stays in the table until someone asks for it, for ever in a container without an init.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""


def find_runs(path: Path) -> Iterator[Path]:
    """Run directories at or under ``path``, in order of their names; those set aside are left out."""
    if (path / SPEC).is_file():
        yield path
        return
    if path.is_dir():
        for child in sorted(path.iterdir()):
            if child.is_dir() and "~" not in child.name and not child.name.startswith("."):
                yield from find_runs(child)
