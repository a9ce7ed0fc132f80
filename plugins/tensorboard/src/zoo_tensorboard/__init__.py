"""TensorBoard event files beside every run's metrics: a sink that observes runs and registers nothing."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo import hookimpl

FOLDER = "tb"
"""where the event files lie in a run directory"""
FLUSH_SECONDS = 10.0
"""how long events wait in memory at most; they also reach the disk at checkpoints"""
_NUMBERS = itertools.count()


class Log:
    """The event file of one run, one new file for every (re)start.

    The first step written says where this start begins: what an earlier one wrote from there on was lost
    with its process and is about to be written again, so TensorBoard is made to forget it.
    """

    def __init__(self, run: Path) -> None:
        # Imported here, so that listing plugins pays for neither protobuf nor sockets. Written in this thread: the
        # writer of tensorboard has one of its own, whose errors would reach nobody but the terminal.
        import socket

        from tensorboard.summary.writer.record_writer import RecordWriter

        folder = run / FOLDER
        self._resumed = any(folder.glob("events.out.tfevents.*"))
        folder.mkdir(exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_NUMBERS)}"
        self._records = RecordWriter((folder / name).open("xb"))
        self._flushed = time.monotonic()
        self._add(file_version="brain.Event:2")

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add one scalar for each metric, at ``step`` (environment steps) and the present time."""
        from tensorboard.compat.proto.event_pb2 import SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary

        if self._resumed:
            self._add(step=step, session_log=SessionLog(status=SessionLog.START))
            self._resumed = False
        values = [Summary.Value(tag=tag, simple_value=float(value)) for tag, value in metrics.items()]
        self._add(step=step, summary=Summary(value=values))

    def _add(self, **content: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._records.write(Event(wall_time=time.time(), **content).SerializeToString())
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Bring everything written so far to the disk."""
        self._records.flush()
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Flush, and close the file."""
        self._records.close()


class Sink:
    """Keeps one ``Log`` for each run in progress; several runs may be in progress at once."""

    def __init__(self) -> None:
        self._logs: dict[Path, Log] = {}

    @hookimpl
    def zoo_run_started(self, run: Any) -> None:
        """Open the run's event file."""
        self._logs[run.path] = Log(run.path)

    @hookimpl
    def zoo_metrics(self, run: Any, step: int, metrics: Mapping[str, float]) -> None:
        """Write one update's metrics."""
        self._logs[run.path].write(step, metrics)

    @hookimpl
    def zoo_checkpoint(self, run: Any) -> None:
        """Flush: a resumed run goes on from here, and writes nothing earlier again."""
        self._logs[run.path].flush()

    @hookimpl
    def zoo_run_finished(self, run: Any) -> None:
        """Close the run's event file."""
        log = self._logs.pop(run.path, None)
        if log is not None:
            log.close()


sink = Sink()
