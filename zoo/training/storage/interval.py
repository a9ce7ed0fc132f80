"""When something that takes time, such as saving, is due again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

MAX_TIME_SHARE = 0.1
"""of the time that what is done at one interval may take, judged by how long it took last"""


class Interval:
    """Due after so many seconds, or after more where what is done took more than ``SHARE`` of these.

    Args:
        seconds: at least so many lie between two times; 0: never due.
        now: seconds from any origin.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.perf_counter) -> None:
        self._seconds, self._now = seconds, now
        self._last, self._cost = now(), 0.0

    @property
    def due(self) -> bool:
        """Whether it is time."""
        return self._seconds > 0 and self._now() - self._last >= max(self._seconds, self._cost / MAX_TIME_SHARE)

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Around what is done, whose time is measured."""
        began = self._now()
        yield
        self._last = self._now()
        self._cost = self._last - began
