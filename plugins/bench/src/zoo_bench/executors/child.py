"""The process that trains, on whatever machine: a line of JSON for each task in, a line for how it ended out.

``python -m zoo_bench.executors.child``; its first line says what stays the same: settings, plugin files, paths.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo import Run, ZooError
from zoo.discovery import Registry, describe, discover
from zoo.terminal import visible_streams
from zoo.training import Cadence, RunSpec, Settings, Silent, Stop

_LOOK_SECONDS = 1.0
_RELEASE_SECONDS = 60.0
"""How long to wait for the former process of a run to save and go, where its worker was killed."""


class TokenStop(Stop):
    """Also asks for a stop once the token is gone: a file that the sweep holds while it wants its workers to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.token = Path()
        self.end = float("inf")
        self._looked = 0.0

    def asked(self) -> bool:
        """Whether a stop was asked for; the disk is looked at once a second."""
        now = time.monotonic()
        if not self.reason and now > self.end:
            self.reason = "the time of its job is over"
        if not self.reason and now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            if not self.token.exists():
                self.reason = "the sweep that asked for this run has ended"
        return super().asked()


def main() -> None:
    """Do tasks until standard input is closed, or something asks to stop."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    stop = TokenStop()

    def listen() -> None:
        for line in sys.stdin:
            lines.put(line)
        stop.reason = stop.reason or "the worker that asked for this run is gone"
        lines.put("")

    threading.Thread(target=listen, daemon=True).start()
    with visible_streams(discard_when_closed=True), stop.listening(interrupts=False):
        start = json.loads(lines.get() or "null")
        if start is None:
            return
        sys.path += [entry for entry in start["path"] if entry not in sys.path]
        sys.argv = start["argv"]  # runs keep the command that asked for them
        settings = start["settings"]
        settings |= {"root": Path(settings["root"]), "checkpoint": Cadence(**settings["checkpoint"])}
        registry = discover([Path(file) for file in start["files"]])
        while line := lines.get():
            result = _perform(json.loads(line), registry, Settings(**settings), stop)
            try:
                answers.write(f"{json.dumps(result)}\n")
                answers.flush()
            except BrokenPipeError:  # the worker is gone, and what was reached is saved
                return
            if stop.reason:
                return


def _perform(task: Mapping[str, Any], registry: Registry, settings: Settings, stop: TokenStop) -> dict[str, str]:
    stop.token = Path(task["token"])
    stop.end = time.monotonic() + task["seconds"] if task["seconds"] else float("inf")
    module, _, name = task["call"].partition(":")
    if stop.asked():
        return {"state": "stopped"}
    try:
        spec = RunSpec.from_json(task["spec"], Path("request"))
        _check_version(spec, registry)
        for seed in task["seeds"]:
            _await_release(spec.with_seed(seed), settings, stop)
        function = getattr(importlib.import_module(module), name)
        function(spec, task["seeds"], registry, settings, Silent(), stop, task["extra"])
    except ZooError as error:
        return {"state": "error", "message": error.message, "hint": error.hint}
    except Exception as error:  # of the core itself, or of a plugin with --debug; the next task may be sound
        traceback.print_exc()
        return {"state": "error", "message": f"the worker failed: {describe(error)}.", "hint": ""}
    return {"state": "stopped" if stop.reason else "done"}


def _check_version(spec: RunSpec, registry: Registry) -> None:
    """Refuse to make, with another version of a plugin, runs that would say they are of the one that was asked for."""
    if spec.kind == "file":
        return
    entry = registry.find(spec.algorithm, "algorithm", "representation")
    if entry.version != spec.plugin_version:
        raise ZooError(
            f"{entry.qualified} is of version {entry.version} there, and the runs are of {spec.plugin_version}.",
            "Install the same versions on every machine.",
        )


def _await_release(spec: RunSpec, settings: Settings, stop: Stop) -> None:
    """Wait for a child whose worker was killed: it saves, and gives its run free."""
    end = time.monotonic() + _RELEASE_SECONDS
    path = spec.folder(settings.root)
    while Run(path, spec).state == "running" and time.monotonic() < end and not stop.asked():
        time.sleep(0.2)


if __name__ == "__main__":
    main()
