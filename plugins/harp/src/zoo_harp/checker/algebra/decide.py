"""Is a constant zero, and what is its sign: decided by exact forms first, then by numbers with a proven precision.

An algebraic integer that is not zero has a norm of at least 1. If all its conjugates are at most M in absolute value
and it has at most D of them, it is at least M**(1-D): evaluated beyond that precision, zero is zero. The sum of
coefficients bounds M, the orders of the radicals bound D.
"""

from __future__ import annotations

import math
import threading
from fractions import Fraction
from typing import Any, Final

from zoo_harp.checker.algebra.exact import ONE, Field, Monomial, Poly, Value
from zoo_harp.checker.algebra.integers import is_proven_prime
from zoo_harp.checker.limits import MAX_PRECISION, Budget, LimitExceeded, Undefined, Unsupported, bits

_LOCAL: Final = threading.local()
_TRANSCENDENTAL_PRECISION: Final = 2_000
_LARGEST: Final = {"exp": 10**6, "gamma": 10**4, "sin": 10**300, "cos": 10**300}
"""largest arguments of functions whose value, or whose period in them, would need as many digits"""
_FIRST_PRECISION: Final = 128
_POWER_WORK: Final = 4e-4
"""operations that a power counts as, times its bits to the power of 1.6"""


def _context(precision: int) -> Any:
    """Mpmath with a precision of its own, one for each thread."""
    if not hasattr(_LOCAL, "context"):
        import mpmath  # type: ignore[import-untyped]

        _LOCAL.context = mpmath.MPContext()
    _LOCAL.context.prec = precision
    return _LOCAL.context


class Decider(Field):
    """A field that can decide whether constants are zero, and their signs. Facts about generators are cached."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self._are_algebraic: dict[str, bool] = {}
        self._are_dependent: dict[str, bool] = {}
        self._inner_bounds: dict[str, tuple[int, int]] = {}
        self._heights: dict[str, int] = {}
        self._numbers: dict[tuple[str, int], Any] = {}

    def is_zero(self, value: Value) -> bool | None:
        """Whether ``value`` is zero; None if that depends on variables in radicals, absolute values or functions."""
        if isinstance(value, Fraction):
            return value == 0
        if not value.num:
            return True
        groups: dict[Monomial, Poly] = {}
        opaque = False
        for mono, coefficient in value.num.items():
            free = tuple(f for f in mono if not self._algebraic(f[0]))
            groups.setdefault(free, {})[tuple(f for f in mono if self._algebraic(f[0]))] = coefficient
            opaque = opaque or any(self._dependent(name) for name, _ in free)
        if not opaque:
            return all(self._algebraic_zero(poly) for poly in groups.values())
        if any(self.has_variable(name) for mono in value.num for name, _ in mono):
            return None
        return self._numeric_zero(value.num, _TRANSCENDENTAL_PRECISION + 4 * self.height(value.num))

    def has_variable(self, name: str) -> bool:
        """Whether the generator ``name`` depends on a variable."""
        raise NotImplementedError

    def _algebraic(self, name: str) -> bool:
        """Whether a generator is an algebraic number: a radical of an integer, i, a root of unity, or made of them."""
        if name == "i" or name[0] in "rZ":
            return True
        if name[0] in "BA":
            if name not in self._are_algebraic:
                inside = self.known[name].poly or {}
                self._are_algebraic[name] = all(self._algebraic(n) for mono in inside for n, _ in mono)
            return self._are_algebraic[name]
        return False

    def _dependent(self, name: str) -> bool:
        """Whether a generator may depend algebraically on others in a way that the normal form does not show."""
        if name not in self._are_dependent:
            self._are_dependent[name] = self._may_be_dependent(name)
        return self._are_dependent[name]

    def _may_be_dependent(self, name: str) -> bool:
        if name[0] in "BAF":
            return True
        if name[0] == "L":
            inside = self.known[name]
            if inside.number:
                return not is_proven_prime(inside.number)
            return any(self._dependent(n) or n[0] == "Z" for n, _ in inside.monomial)
        if name[0] == "E":
            return any(n[0] in "ZBAF" or self._dependent(n) for n, _ in self.known[name].monomial)
        return False

    def _algebraic_zero(self, poly: Poly) -> bool:
        """Whether a polynomial in algebraic generators is zero."""
        if not poly:
            return True
        names = {name for mono in poly for name, _ in mono}
        if all(n == "i" or (n[0] == "r" and is_proven_prime(self.known[n].number)) for n in names):
            return False
        degree, size = self._conjugates(poly)
        scale = math.lcm(*(c.denominator for c in poly.values())).bit_length()
        return self._numeric_zero(poly, degree * (size + scale) + 64)

    def _conjugates(self, poly: Poly) -> tuple[int, int]:
        """Bounds on the number of conjugates, and on the bits of each of them."""
        orders: dict[str, int] = {}
        largest = 1
        for mono, coefficient in poly.items():
            size = bits(coefficient)
            for name, exponent in mono:
                inner = 1
                if name[0] == "r":
                    inner = self.known[name].number.bit_length()
                elif name[0] in "BA":
                    inner = self._inner(name, orders)
                size += math.ceil(inner * abs(exponent)) + 1
                order = 2 * exponent.denominator if name[0] == "Z" else exponent.denominator
                orders[name] = math.lcm(orders.get(name, 1), 2 if name[0] in "iA" else order)
            largest = max(largest, size)
        degree = math.prod(orders.values())
        if degree * largest > MAX_PRECISION:
            raise LimitExceeded("radicals nested too deeply to decide")
        return degree, largest + len(poly).bit_length()

    def _inner(self, name: str, orders: dict[str, int]) -> int:
        """Bits of the conjugates of a radical's argument; its degree is stored in ``orders``."""
        if name not in self._inner_bounds:
            self._inner_bounds[name] = self._conjugates(dict(self.known[name].poly or {}))
        orders[name + "/"], size = self._inner_bounds[name]
        return size

    def height(self, poly: Poly) -> int:
        """Bits of the coefficients of a polynomial and, recursively, of its generators."""
        total = 0
        for mono, coefficient in poly.items():
            total += bits(coefficient)
            for name, exponent in mono:
                total += bits(exponent) + self._height_of(name)
        return min(total, MAX_PRECISION)

    def _height_of(self, name: str) -> int:
        inside = self.known.get(name)
        if inside is None or name[0] == "r":
            return 0
        if name not in self._heights:
            total = bits(Fraction(inside.number)) + self.height(dict(inside.poly or {}))
            for argument in inside.arguments:
                total += self.height(self.lift(argument).num) + self.height(self.lift(argument).den)
            self._heights[name] = total
        return self._heights[name]

    def _numeric_zero(self, poly: Poly, precision: int) -> bool:
        """Whether the value vanishes to ``precision`` bits; fewer bits reject most that do not."""
        if precision > MAX_PRECISION:
            raise LimitExceeded("a comparison that needs too many digits")
        for accuracy in (_FIRST_PRECISION, precision):
            working = 2 * accuracy + 64
            value, scale = self._sum(poly, working)
            if abs(value) > scale * _context(working).mpf(2) ** (-accuracy):
                return False
        return True

    def _sum(self, poly: Poly, precision: int) -> tuple[Any, Any]:
        """The value of a polynomial, and the sum of the sizes of its terms."""
        self.budget.spend(len(poly) * (10 + precision // 50))
        total: Any = 0
        scale: Any = 0
        for mono, coefficient in poly.items():
            context = _context(precision)
            term: Any = context.mpf(coefficient.numerator) / coefficient.denominator
            for name, exponent in mono:
                base = self._generator(name, precision)
                context = _context(precision)
                if exponent != 1:
                    self._spend_digits(precision if exponent.denominator != 1 else precision // 8)
                    base = context.power(base, _ratio(context, exponent))
                term = term * base
            total, scale = total + term, scale + abs(term)
        return total, scale

    def _spend_digits(self, precision: int) -> None:
        """Count one power or function value: its time grows faster than its digits, so that the clock is read too."""
        self.budget.spend(int(_POWER_WORK * precision**1.6))
        if precision > _TRANSCENDENTAL_PRECISION:
            self.budget.check_time()

    def number(self, value: Value, precision: int) -> Any:
        """``value`` as an mpmath number with ``precision`` bits (of working precision).

        Raises:
            Undefined: its denominator is zero.
        """
        if isinstance(value, Fraction):
            context = _context(precision)
            return context.mpf(value.numerator) / value.denominator
        top, bottom = self._sum(value.num, precision)[0], self._sum(value.den, precision)[0]
        _context(precision)
        if bottom == 0:
            raise Undefined("a division by zero")
        return top / bottom

    def _generator(self, name: str, precision: int) -> Any:
        if (name, precision) not in self._numbers:
            self._numbers[name, precision] = self._number_of(name, precision)
        return self._numbers[name, precision]

    def _number_of(self, name: str, precision: int) -> Any:
        self.budget.spend(10 + precision // 50)
        self._spend_digits(precision)
        inside = self.known.get(name)
        context = _context(precision)
        if name == "pi":
            return +context.pi
        if name == "e":
            return +context.e
        if name == "i":
            return context.mpc(0, 1)
        if inside is None or name[0] == "v":
            raise Unsupported("a variable has no number")
        if name[0] == "r":
            return context.mpf(inside.number)
        if name[0] == "Z":
            return context.mpf(-1) + context.mpc(0, 0)
        if name[0] == "F":
            return self._evaluate_function(
                inside.function, [self.number(a, precision) for a in inside.arguments], precision
            )
        inner: Any
        if inside.number:
            inner = context.mpf(inside.number)
        elif name[0] in "BA":
            inner = self._sum(dict(inside.poly or {}), precision)[0]
        else:
            inner = self._sum({inside.monomial: ONE}, precision)[0]
        context = _context(precision)
        if name[0] == "B":
            return inner
        if name[0] == "A":
            return abs(inner)
        if name[0] == "E" and abs(inner) > _LARGEST["exp"]:
            raise LimitExceeded("an exponential too large")
        return context.exp(inner) if name[0] == "E" else context.log(inner)

    def _evaluate_function(self, name: str, arguments: list[Any], precision: int) -> Any:
        context = _context(precision)
        if name in _LARGEST and abs(arguments[0]) > _LARGEST[name]:
            raise LimitExceeded(f"{name} of a number too large")
        known = {
            "exp": context.exp, "ln": context.log, "sin": context.sin, "cos": context.cos, "arcsin": context.asin,
            "arccos": context.acos, "arctan": context.atan, "gamma": context.gamma,
        }  # fmt: skip
        if name not in known:
            raise Unsupported(f"no numbers for {name}")
        try:
            return known[name](*arguments)
        except (ValueError, ZeroDivisionError):
            raise Undefined(f"{name} at a pole") from None

    def is_real(self, value: Value) -> bool:
        """Whether a constant is real."""
        if isinstance(value, Fraction):
            return True
        if all(name[0] in "rpeL" for poly in (value.num, value.den) for mono in poly for name, _ in mono):
            return True
        approximation = self.number(value, 2 * _FIRST_PRECISION)
        context = _context(_FIRST_PRECISION)
        return bool(abs(context.im(approximation)) <= abs(approximation) * context.mpf(2) ** -_FIRST_PRECISION)

    def sign(self, value: Value) -> int:
        """-1, 0 or 1 for a real constant.

        Raises:
            Unsupported: it is not real, or has a variable.
        """
        if isinstance(value, Fraction):
            return (value > 0) - (value < 0)
        if not self.is_real(value):
            raise Unsupported("the sign of a number that is not real")
        if self.is_zero(value):
            return 0
        precision = _FIRST_PRECISION
        while precision <= 2 * MAX_PRECISION:
            top, size = self._sum(value.num, precision)
            context = _context(precision)
            if abs(top) > size * context.mpf(2) ** (-precision // 2):
                bottom = self._sum(value.den, precision)[0]
                context = _context(precision)
                return int(context.sign(context.re(top))) * int(context.sign(context.re(bottom)))
            precision *= 4
        raise LimitExceeded("a sign that needs too many digits")

    def floor(self, value: Value) -> int:
        """The largest integer not above a real constant.

        Raises:
            LimitExceeded: it has too many digits.
            Unsupported: it is not real.
        """
        if isinstance(value, Fraction):
            return math.floor(value)
        if not self.is_real(value):
            raise Unsupported("the integer part of a number that is not real")
        context = _context(_FIRST_PRECISION)
        rough = self.number(value, _FIRST_PRECISION)
        size = int(context.mag(context.re(rough)))
        if size > MAX_PRECISION // 4:
            raise LimitExceeded("an integer part with too many digits")
        precision = max(_FIRST_PRECISION, size + 64)
        approximation = self.number(value, precision)
        guess = int(_context(precision).floor(_context(precision).re(approximation)))
        while self.sign(self.add(value, Fraction(guess), -1)) < 0:
            guess -= 1
        while self.sign(self.add(value, Fraction(guess + 1), -1)) >= 0:
            guess += 1
        return guess


def _ratio(context: Any, value: Fraction) -> Any:
    return value.numerator if value.denominator == 1 else context.mpf(value.numerator) / value.denominator
