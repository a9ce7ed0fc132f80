"""Asking a training run to stop: by a signal, a time limit or a parent process that is gone."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Set by a signal, a time limit or a lost parent: finish this update, save, and end."""

    def __init__(self, time_limit: float = 0.0) -> None:
        self.reason = ""
        self.signal = 0
        self._deadline = time.monotonic() + time_limit if time_limit else float("inf")

    def asked(self) -> bool:
        """Whether a stop was asked for."""
        if not self.reason and time.monotonic() > self._deadline:
            self.reason = "the time limit is over"
        return bool(self.reason)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: the first signal asks, a second interrupt insists."""
        if self.reason and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.reason, self.signal = signal.Signals(number).name, number

    @contextmanager
    def listening(self, *, interrupts: bool = True) -> Iterator[Stop]:
        """Install the handlers, in the main thread, for the length of the block.

        A hangup (the terminal was closed, the connection cut) asks like SIGTERM, unless it is ignored already, as
        under nohup. Without ``interrupts``, SIGINT is left to the parent process.
        """
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        numbers = [signal.SIGTERM, *([signal.SIGINT] if interrupts else [])]
        hangup = getattr(signal, "SIGHUP", None)
        if hangup is not None and signal.getsignal(hangup) != signal.SIG_IGN:
            numbers.append(hangup)
        before = {number: signal.signal(number, self.on_signal) for number in numbers}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
