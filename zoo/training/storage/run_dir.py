"""The run directory: plain files, one writer, nothing half written."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from zoo._version import __version__
from zoo.errors import NoRunError, RunError
from zoo.training.storage.documents import STATUS as STATUS_CHECKS
from zoo.training.storage.documents import checked
from zoo.training.storage.files import (
    DEPTH,
    SEAL,
    is_file,
    is_folder,
    kind,
    open_write,
    read_json,
    replace_file,
    to_json,
)
from zoo.training.storage.spec import RunSpec

SPEC, ENV, STATUS, METRICS, EVAL, LOG, LOCK = (
    "spec.json", "env.json", "status.json", "metrics.jsonl", "eval.jsonl", "log.txt", "lock",
)  # fmt: skip
_KEY, _SEED = re.compile(r"[0-9a-f]{10}"), re.compile(r"seed-(\d{1,19})")
_RECORDED = ("zoo-core", "numpy", "scipy", "gymnasium", "torch", "stable-baselines3")


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
            NoRunError: it is not a run directory.
            RunError: it is damaged or of a newer format, or it is not what its folder says.
        """
        if not is_file(path / SPEC):
            reason = (
                f"{SPEC} is {kind(path / SPEC) or 'a directory'}"
                if os.path.lexists(path / SPEC)
                else f"it has no {SPEC}"
            )
            raise NoRunError(f"{path} is not a run: {reason}.")
        spec = RunSpec.from_json(read_json(path / SPEC), path / SPEC)
        *_, key, seed = Path(os.path.abspath(path)).parts  # noqa: PTH100 - a link keeps its own name
        named = _KEY.fullmatch(key) and _SEED.fullmatch(seed)
        if named and (key, int(named[1])) != (spec.key, spec.seed):
            raise RunError(
                f"{path / SPEC} is of the run {spec.key}/seed-{spec.seed}: it does not belong in this directory."
            )
        return cls(path, spec)

    @classmethod
    def create(cls, root: Path, spec: RunSpec) -> RunDir:
        """The directory of ``spec`` under ``root``, made if it is missing.

        Raises:
            RunError: it cannot be written, or holds a run of a newer format.
        """
        path = spec.folder(root)
        if os.path.lexists(path / SPEC):
            return cls(path, cls.open(path).spec)
        try:
            path.mkdir(parents=True, exist_ok=True)
            cls.write_spec(path, spec)
        except OSError as error:
            raise RunError(f"run directory {path} cannot be written: {error.strerror}.") from error
        return cls(path, spec)

    @staticmethod
    def write_spec(path: Path, spec: RunSpec) -> None:
        """Write ``spec.json`` into a directory.

        Raises:
            OSError: it cannot be written.
        """
        replace_file(path / SPEC, to_json({"zoo": __version__, **spec.to_json(), SEAL: spec.digest}))

    def status(self) -> dict[str, Any]:
        """Last status; ``{"state": "new"}`` before the first, or where it cannot be read. Fields as ``set_status``."""
        return read_status(self.path)[0]

    def set_status(self, state: str, step: int, *, durable: bool = False, **more: Any) -> None:
        """Replace ``status.json``; ``state`` is "running", "finished", "failed" or "interrupted".

        Raises:
            OSError: it cannot even be written over the old one.
        """
        content = {"state": state, "step": step, "pid": os.getpid(), "host": socket.gethostname()}
        content |= {"time": _now(), **more}
        try:
            replace_file(self.path / STATUS, to_json(content), durable=durable)
        except OSError:
            if not is_file(self.path / STATUS):
                raise
            with open_write(self.path / STATUS) as file:  # on a full disk: what is there has its place already
                short = {name: content[name] for name in ("state", "step", "time", "message") if name in content}
                file.truncate(file.write(to_json(short)))

    def record_start(self, *, threads: int, deterministic: bool, resumed_from: int | None) -> None:
        """Append to ``env.json`` what this (re)start runs on; one that cannot be read is started anew.

        Raises:
            RunError: it cannot be written.
        """
        start = {
            "time": _now(),
            "resumed_from": resumed_from,
            "python": platform.python_version(),
            "os": platform.platform(),
            "cpu": platform.processor() or platform.machine(),
            "packages": {name: version for name in _RECORDED if (version := _installed(name))},
            "plugin": {self.spec.algorithm.partition("/")[0]: self.spec.plugin_version},
            "git": _git(),
            "argv": sys.argv,
            "device": self.spec.device,
            "threads": threads,
            "deterministic": deterministic,
        }
        try:
            replace_file(self.path / ENV, to_json([*read_starts(self.path), start]))
        except OSError as error:
            raise RunError(f"{self.path / ENV} cannot be written: {error.strerror}.") from error

    def log(self, text: str) -> None:
        """Append to ``log.txt``, with the time; an error of the disk is ignored."""
        with contextlib.suppress(OSError, RunError), open_write(self.path / LOG) as file:
            file.seek(0, os.SEEK_END)
            file.write(f"{_now()} {text.rstrip()}\n".encode(errors="backslashreplace"))

    def move_away(self) -> Path:
        """Rename the run, so that a fresh one can begin in its place; returns its new path."""
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}~{number}")).exists():
            number += 1
        return self.path.rename(aside)


@cache
def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


@cache
def _git() -> dict[str, Any] | None:
    """Revision of the working directory's repository, if it is one and git is there; as this process found it."""
    try:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    revision = done.stdout.strip()
    return {"revision": revision.removesuffix("-dirty"), "dirty": revision.endswith("-dirty")}


def read_status(folder: Path) -> tuple[dict[str, Any], str]:
    """The status in a run directory, and what is wrong with it; a new run's where there is none to read."""
    new: dict[str, Any] = {"state": "new", "step": 0}
    if not os.path.lexists(folder / STATUS):
        return new, ""
    try:
        return checked(read_json(folder / STATUS), STATUS_CHECKS, folder / STATUS, "a status", ("state", "step")), ""
    except RunError as error:
        return new, error.message


def read_starts(folder: Path) -> list[dict[str, Any]]:
    """What each start of a run ran on, oldest first; none where ``env.json`` cannot be read."""
    try:
        environment = read_json(folder / ENV)
    except RunError:
        return []
    return [start for start in environment if isinstance(start, dict)] if isinstance(environment, list) else []


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def find_runs(path: Path) -> Iterator[Path]:
    """Run directories at or under ``path``, in order of their names; those set aside are left out.

    Links beneath ``path`` are not followed, so that the search ends, and stays inside ``path``.
    """
    return (run for run, problem in search(path) if not problem)


def search(path: Path, depth: int = 0) -> Iterator[tuple[Path, str]]:
    """As ``find_runs``; also the paths that were not searched, each with a sentence that says why."""
    if os.path.lexists(path / SPEC):
        yield Path(path), ""
        return
    try:
        children = sorted(path.iterdir()) if path.is_dir() else []
    except OSError as error:
        yield path, f"{path} cannot be read: {error.strerror}."
        return
    for child in children:
        if "~" in child.name or child.name.startswith("."):
            continue
        if child.is_symlink():
            if child.is_dir():
                yield child, f"{child} is a link, and links are not followed: name it to see what is in it."
        elif is_folder(child):
            if depth < DEPTH:
                yield from search(child, depth + 1)
            else:
                yield child, f"{child} is nested more than {DEPTH} deep."
