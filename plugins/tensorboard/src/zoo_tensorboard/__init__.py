"""A sink that writes the metrics of every run to TensorBoard event files as well; it registers nothing else."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping
from typing import Any

from zoo import Sink

FOLDER = "tb"
"""folder of the event files in a run directory"""
FLUSH_SECONDS = 10.0
"""longest time that events stay in memory; they are also written at checkpoints"""
_NUMBERS = itertools.count()


class EventFile:
    """The event file of one run; every start or resumption of the run writes a new file.

    Steps that an earlier process wrote after its last checkpoint are repeated when the run is resumed. A session
    event before the first step tells TensorBoard to drop them.
    """

    def __init__(self, run: Any) -> None:
        # Imported here, so that listing plugins loads neither protobuf nor sockets. Records are written in this thread:
        # tensorboard's EventFileWriter has a thread of its own, whose errors would not reach the run.
        import socket

        from tensorboard.summary.writer.record_writer import RecordWriter

        folder = run.path / FOLDER
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
            self.saved()

    def saved(self) -> None:
        """Write everything buffered so far to the disk."""
        self._records.flush()
        self._flushed = time.monotonic()

    def close(self, status: str) -> None:
        """Flush, and close the file."""
        self._records.close()


sink = Sink(EventFile)
