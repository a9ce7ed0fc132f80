"""The limits of a check: sizes that are tested before anything is computed, counted work, and one deadline."""

from __future__ import annotations

import math
import time
from fractions import Fraction

MAX_RESPONSE = 200_000
"""characters scanned, from the end"""
MAX_ANSWER = 4_000
MAX_CACHED = 300
"""characters of an answer whose parse is cached; longer ones are parsed again, so that memory stays bounded"""
MAX_NESTING = 200
MAX_BITS = 200_000
"""bits of any integer that is computed"""
MAX_FACTORIAL = 5_000
MAX_BINOMIAL = 10_000
MAX_RANGE = 10_000
"""terms of a sum or product"""
MAX_TERMS = 5_000
"""terms of an expanded polynomial"""
_CLOCK_INTERVAL = 2_000
"""operations between two readings of the clock"""
MAX_WORK = 600_000
"""term operations of one check, a large number counting as several"""
MAX_PRECISION = 60_000
"""bits of a numerical comparison"""
SYMBOLIC_SHARE = 0.75
"""fraction of a check's time for sympy; its processor time is counted in its own process"""
MAX_TIMEOUT = 10.0
"""seconds"""
LOADING_SECONDS = 120.0
"""seconds of wall time that loading sympy, or waiting for a worker, may take; they do not count for any check"""
_WALL_FACTOR = 1.8
"""limit of a check's wall time, as a multiple of its processor time; what is left to 2 is for ending it"""
_UNTIMED = 0.02
"""seconds of wall time in which the clock of the processor is not read"""


class NotDecided(Exception):
    """A comparison could not be completed."""


class LimitExceeded(NotDecided):
    """A size would exceed its limit; the answers are then compared as written."""


class Timeout(NotDecided):
    """The deadline of the check has passed."""


class Unsupported(NotDecided):
    """There is no exact value for this; sympy may have one."""


class Undefined(NotDecided):
    """No value: a division by zero and the like. Such an answer equals only its own text."""


class Budget:
    """Counts the work of one check, and reads the clock from time to time.

    The count decides, the same on every machine. The clocks are there for a machine much slower than expected: one
    counts the processor time of this thread, the other wall time, which ends at twice the deadline also where other
    processes take the processor. Waiting for a worker to be free or to start counts for neither.
    """

    def __init__(self, seconds: float) -> None:
        seconds = min(seconds, MAX_TIMEOUT)
        self._seconds = seconds
        self._deadline: float | None = None
        """processor time of this thread at which the check ends; read late, for that clock is slow to read"""
        self.began = time.monotonic()
        self._wall = _WALL_FACTOR * seconds
        self.symbolic = SYMBOLIC_SHARE * seconds
        """processor seconds that sympy may still take"""
        self._left = MAX_WORK
        self._until_clock = 0
        self._whole: Budget | None = None

    def half(self) -> Budget:
        """A budget of half of what is left; what it spends is spent here too."""
        part = Budget(0.0)
        part.symbolic = self.symbolic
        part.began, part._wall = self.began, self._wall
        part._left = self._left // 2
        part._whole = self
        return part

    @property
    def left(self) -> int:
        """Operations that may still be spent."""
        return self._left

    def check_time(self) -> None:
        """Read the clock.

        Raises:
            Timeout: the deadline has passed.
        """
        if self._whole is not None:
            self._whole.check_time()
            return
        passed = time.monotonic() - self.began
        if passed < min(_UNTIMED, self._seconds):
            return  # a thread has used no more processor time than has passed
        used = time.thread_time()
        if self._deadline is None:
            self._deadline = used + max(self._seconds - passed, self._seconds / 2)
        if used > self._deadline or passed > self._wall:
            raise Timeout

    def wall_left(self) -> float:
        """Seconds of wall time until the end."""
        return self.began + self._wall - time.monotonic()

    def spend(self, work: int) -> None:
        """Count ``work`` operations.

        Raises:
            LimitExceeded: more than ``MAX_WORK`` in all.
            Timeout: the deadline has passed.
        """
        if self._whole is not None:
            self._whole.spend(work)
        self._left -= work
        self._until_clock -= work
        if self._left < 0:
            raise LimitExceeded("too many operations")
        if self._until_clock <= 0 and self._whole is None:
            self._until_clock = _CLOCK_INTERVAL
            self.check_time()


def bits(value: Fraction | int) -> int:
    """Length of the numerator, and of the denominator where there is one."""
    denominator = value.denominator
    return value.numerator.bit_length() + (denominator.bit_length() if denominator != 1 else 0)


def power(base: Fraction, exponent: int) -> Fraction:
    """``base ** exponent``, its size checked first.

    Raises:
        LimitExceeded: it would have more than ``MAX_BITS`` bits.
        Undefined: zero to a power that is not positive.
    """
    if base == 0:
        if exponent <= 0:
            raise Undefined("zero to a power that is not positive")
        return base
    if base in (1, -1):
        return base if exponent % 2 else Fraction(1)
    if bits(base) * abs(exponent) > MAX_BITS:
        raise LimitExceeded("a power with too many digits")
    return base**exponent


def factorial(n: int, step: int = 1) -> int:
    """``n!``, or with ``step=2`` the double factorial.

    Raises:
        LimitExceeded: n is above ``MAX_FACTORIAL``.
        Undefined: n is negative.
    """
    if n < 0:
        raise Undefined("the factorial of a negative number")
    if n > MAX_FACTORIAL:
        raise LimitExceeded("the factorial of a large number")
    return math.factorial(n) if step == 1 else math.prod(range(n, 0, -2))


def binomial(n: int, k: int) -> int:
    """Binomial coefficient for n, k >= 0.

    Raises:
        LimitExceeded: n is above ``MAX_BINOMIAL``.
        Undefined: n or k is negative.
    """
    if n < 0 or k < 0:
        raise Undefined("a binomial of negative numbers")
    if n > MAX_BINOMIAL:
        raise LimitExceeded("a binomial of large numbers")
    return math.comb(n, k)
