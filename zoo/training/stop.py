"""Asking a training run to stop: by a signal, a time limit, a parent process that is gone, or a rule of its own."""

from __future__ import annotations

import operator
import re
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from types import FrameType

from zoo.api import ConstraintSpec
from zoo.errors import UnknownNameError, UsageError

EVALUATED = ("eval/return", "eval/length", "eval/violation")
"""metrics that an evaluation records; under constraints there is ``eval/violation/NAME`` too"""
_OF_CONSTRAINT = "eval/violation/"
_COMPARE = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
_CONDITION = re.compile(r"\s*(\S+?)\s*(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


class StopRule:
    """``"eval/return >= 475"``: a run ends as soon as the last values of its metrics fulfil this; "and" for several.

    Args:
        text: the rule; empty: never.

    Raises:
        UsageError: it is not a rule, or an evaluation has no such metric.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def conditions(self) -> list[tuple[str, str, float]]:
        """Metric, comparison and number of each condition."""
        found = [_CONDITION.fullmatch(part) for part in re.split(r"\sand\s", self.text)] if self.text else []
        if None in found:
            raise UsageError(f"--stop is {self.text!r}: expected a metric and a number, as in 'eval/return >= 475'.")
        conditions = [(match[1], match[2], float(match[3])) for match in found if match]
        for name, *_ in conditions:
            if name.startswith("eval/") and name not in EVALUATED and not name.startswith(_OF_CONSTRAINT):
                raise UnknownNameError("metric", name, EVALUATED)
        return conditions

    def check(self, environment: str, constraints: ConstraintSpec | None) -> None:
        """Whether evaluations in an environment with these constraints record its metrics.

        Raises:
            UsageError: they do not.
        """
        known = [f"{_OF_CONSTRAINT}{name}" for name in constraints.names] if constraints else []
        for name, *_ in self.conditions:
            if constraints is None and name.startswith("eval/violation"):
                raise UsageError(
                    f"--stop {self.text!r}: {environment} has no constraints: expected a rule on another metric, or "
                    "--env.constraint RULE as well."
                )
            if name.startswith(_OF_CONSTRAINT) and name not in known:
                raise UnknownNameError("metric", name, known)

    def met(self, last: Mapping[str, float]) -> bool:
        """Whether the last values of all metrics fulfil it."""
        return bool(self.conditions) and all(
            name in last and _COMPARE[sign](last[name], bound) for name, sign, bound in self.conditions
        )

    def sentence(self, last: Mapping[str, float]) -> str:
        """What became of it by the end of a run, for people."""
        for name, *_ in self.conditions:
            if name not in last:
                return f"--stop {self.text!r} was never judged: {UnknownNameError('metric', name, last).message}"
        values = ", ".join(f"{name} is {last[name]:.6g}" for name, *_ in self.conditions)
        judged = f"{'reached' if self.met(last) else 'not reached'}: {values}."
        return f"--stop {self.text!r} was {judged}" if self.conditions else ""


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
