"""Exact arithmetic: quotients of polynomials over the rationals in generators.

A value is a ``Fraction`` or a ``Q``: numerator and denominator are polynomials, dictionaries from monomials to rational
coefficients, and a monomial is a sorted tuple of (generator, exponent). Generators, by the first letter of their name:

    r2      a prime (or an integer without small factors) under a radical; exponents in [0, 1)
    i       the imaginary unit; exponents 0, 1
    pi, e   powers with any rational exponent
    vx      the variable x
    L...    the logarithm of a generator or polynomial
    E...    the exponential of a monomial: with i, all trigonometry of multiples of a variable
    Z       exp(i pi), exponents in [0, 1): roots of unity that have no short radical form
    B...    a polynomial under a radical; exponents in (0, 1)
    A...    the absolute value of a polynomial; exponents 0, 1
    F...    any other function of values

Square roots of different square-free integers are linearly independent over Q, exponentials of independent numbers
are algebraically independent, so a value in r, i, pi, e, v, L, E alone is zero only if its numerator is empty. The
others are decided in ``decide``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

from zoo_harp.checker.algebra.integers import factors, small_factors
from zoo_harp.checker.limits import MAX_BITS, MAX_TERMS, Budget, LimitExceeded, Undefined, Unsupported, bits, power

Monomial: TypeAlias = tuple[tuple[str, Fraction], ...]
Poly: TypeAlias = dict[Monomial, Fraction]
ONE: Final = Fraction(1)
HALF: Final = Fraction(1, 2)
_UNIT: Final[Monomial] = ()


@dataclass(frozen=True, slots=True)
class Q:
    """A quotient of polynomials."""

    num: Poly
    den: Poly


Value: TypeAlias = Fraction | Q


@dataclass(frozen=True, slots=True)
class Generator:
    """What a generator stands for: a number, a monomial or a polynomial, by the first letter of its name."""

    number: int = 0
    monomial: Monomial = ()
    poly: Mapping[Monomial, Fraction] | None = None
    function: str = ""
    arguments: tuple[Value, ...] = ()


def poly_key(poly: Mapping[Monomial, Fraction]) -> str:
    """A name for a polynomial, the same for equal ones."""
    return "+".join(f"{c.numerator:x}/{c.denominator:x}{mono_key(m)}" for m, c in sorted(poly.items(), key=str))


def mono_key(mono: Monomial) -> str:
    """A name for a monomial."""
    return "".join(f"({name}^{exponent})" for name, exponent in mono)


def value_key(value: Value) -> str:
    """A name for a value."""
    if isinstance(value, Fraction):
        return f"{value.numerator:x}/{value.denominator:x}"
    return f"{poly_key(value.num)}//{poly_key(value.den)}"


class Field:
    """The arithmetic of one check: a registry of generators and a budget."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.known: dict[str, Generator] = {}
        self._numbered: dict[str, str] = {}

    def register(self, name: str, generator: Generator) -> str:
        """Store what ``name`` stands for."""
        self.known.setdefault(name, generator)
        return name

    def short_name(self, kind: str, key: str, generator: Generator) -> str:
        """Register what ``key`` describes under a short name: the keys themselves would double in length at every level
        of nested functions.
        """
        name = self._numbered.setdefault(kind + key, f"{kind}#{len(self._numbered)}")
        return self.register(name, generator)

    def gen(self, name: str, exponent: Fraction = ONE) -> Value:
        """A power of a generator."""
        return self._reduced({((name, exponent),): ONE})

    def variable(self, name: str) -> Value:
        """The variable ``name``."""
        return Q({((self.register("v" + name, Generator(function=name)), ONE),): ONE}, {_UNIT: ONE})

    # Polynomials

    def plus(self, left: Poly, right: Poly, factor: Fraction = ONE) -> Poly:
        """``left + factor * right``."""
        self.budget.spend(len(left) + len(right))
        total = dict(left)
        for mono, coefficient in right.items():
            new = total.get(mono, 0) + factor * coefficient
            if new:
                total[mono] = Fraction(new)
            else:
                total.pop(mono, None)
        return self._bounded(total)

    def times(self, left: Poly, right: Poly) -> Poly:
        """The product, reduced."""
        if len(left) == 1 and _UNIT in left:
            return self._scaled(right, left[_UNIT])
        if len(right) == 1 and _UNIT in right:
            return self._scaled(left, right[_UNIT])
        size = 8 + max(map(bits, left.values()), default=0) * max(map(bits, right.values()), default=0) // 4_000
        total: Poly = {}
        later: list[tuple[Poly, Poly]] = []
        for mono_left, a in left.items():
            self.budget.spend(len(right) * (size + len(mono_left)))
            for mono_right, b in right.items():
                coefficient, mono, extra = self._monomials(mono_left, mono_right)
                coefficient *= a * b
                if extra is not None:
                    later.append(({mono: coefficient}, extra))
                    continue
                new = total.get(mono, 0) + coefficient
                if new:
                    total[mono] = new
                else:
                    total.pop(mono, None)
            self._bounded(total)
        for term, extra in later:
            total = self.plus(total, self.times(term, extra))
        return total

    def _scaled(self, poly: Poly, factor: Fraction) -> Poly:
        if factor == 1:
            return poly
        self.budget.spend(len(poly) * (1 + bits(factor) // 500))
        return {mono: coefficient * factor for mono, coefficient in poly.items()} if factor else {}

    def _bounded(self, poly: Poly) -> Poly:
        if len(poly) > MAX_TERMS:
            raise LimitExceeded("a polynomial of too many terms")
        return poly

    def _monomials(self, left: Monomial, right: Monomial) -> tuple[Fraction, Monomial, Poly | None]:
        """Their product as coefficient, monomial and, where a radical or absolute value is resolved, a factor."""
        if not left or not right:
            return ONE, left or right, None
        exponents = dict(left)
        for name, exponent in right:
            exponents[name] = exponents.get(name, Fraction(0)) + exponent
        return self._resolve(exponents)

    def _resolve(self, exponents: dict[str, Fraction]) -> tuple[Fraction, Monomial, Poly | None]:
        coefficient, extra = ONE, None
        for name, exponent in tuple(exponents.items()):
            kind = name[0]
            if kind in "riZBA" and name != "pi" and not 0 <= exponent < 1:
                whole = math.floor(exponent)
                if kind == "r":
                    coefficient *= power(Fraction(self.known[name].number), whole)
                elif kind == "i":
                    coefficient *= -1 if (whole // 2) % 2 else 1
                    whole -= whole % 2
                elif kind == "Z":
                    coefficient *= -1 if whole % 2 else 1
                elif kind == "B":
                    inner = dict(self.known[name].poly or {})
                    extra = self.times(extra or {_UNIT: ONE}, self._poly_power(inner, whole))
                elif kind == "A":
                    whole -= whole % 2
                    inner = dict(self.known[name].poly or {})
                    if whole:
                        extra = self.times(extra or {_UNIT: ONE}, self._poly_power(inner, whole))
                exponents[name] = exponent - whole
        return coefficient, tuple(sorted((n, x) for n, x in exponents.items() if x)), extra

    def _poly_power(self, poly: Poly, exponent: int) -> Poly:
        """``poly ** exponent`` for a small positive exponent."""
        if exponent < 0:
            raise Unsupported("a negative power of a radical")
        if len(poly) > 1:
            # A lower bound on the terms (and the work) of the expansion.
            terms = exponent * (len(poly) - 1)
            if terms > MAX_TERMS or 6 * terms * terms > self.budget.left:
                raise LimitExceeded("a power of a long polynomial")
            if max(map(bits, poly.values())) * exponent > MAX_BITS:
                raise LimitExceeded("a power with too many digits")
        result: Poly = {_UNIT: ONE}
        base = poly
        while exponent:
            if exponent & 1:
                result = self.times(result, base)
            exponent >>= 1
            if exponent:
                base = self.times(base, base)
        return result

    # Values

    def lift(self, value: Value) -> Q:
        """``value`` as a quotient."""
        return Q({_UNIT: value} if value else {}, {_UNIT: ONE}) if isinstance(value, Fraction) else value

    def settle(self, num: Poly, den: Poly) -> Value:
        """The value ``num / den`` in its simplest form that is cheap to find.

        Raises:
            Undefined: the denominator is zero.
        """
        if not den:
            raise Undefined("a division by zero")
        if not num:
            return Fraction(0)
        if len(den) == 1:
            ((mono, coefficient),) = den.items()
            if mono:
                inverse = self._inverse(mono)
                if inverse is not None:
                    num = self.times(num, inverse)
                    den = {_UNIT: coefficient}
                    mono = ()
            if not mono:
                if coefficient != 1:
                    num = self._scaled(num, 1 / coefficient)
                if len(num) == 1 and _UNIT in num:
                    return num[_UNIT]
                return Q(num, {_UNIT: ONE})
        elif len(den) <= 8 and all(self._surd(name, exponent) for mono in den for name, exponent in mono):
            return self._rationalised(num, den)
        if len(num) == len(den):
            lead = next(iter(num))
            if lead in den:
                ratio = num[lead] / den[lead]
                if all(den.get(mono) and num[mono] == ratio * den[mono] for mono in num):
                    return ratio
        return Q(num, den)

    @staticmethod
    def _surd(name: str, exponent: Fraction) -> bool:
        return name == "i" or (name[0] == "r" and exponent == HALF)

    def _rationalised(self, num: Poly, den: Poly) -> Value:
        """Multiply both by conjugates until the denominator is rational."""
        while True:
            name = next((mono[0][0] for mono in den if mono), None)
            if name is None:
                return self.settle(num, den)
            conjugate = {m: -c if any(n == name for n, _ in m) else c for m, c in den.items()}
            num, den = self.times(num, conjugate), self.times(den, conjugate)
            if not den:
                raise Undefined("a division by zero")

    def _inverse(self, mono: Monomial) -> Poly | None:
        """One over a monomial, where that is a polynomial."""
        if any(name[0] in "BA" for name, _ in mono):
            return None
        coefficient, inverse, _ = self._resolve({name: -exponent for name, exponent in mono})
        return {inverse: coefficient}

    def _reduced(self, poly: Poly) -> Value:
        total: Poly = {}
        for mono, coefficient in poly.items():
            factor, rest, extra = self._resolve(dict(mono))
            term = {rest: factor * coefficient}
            total = self.plus(total, self.times(term, extra) if extra is not None else term)
        return self.settle(total, {_UNIT: ONE})

    def add(self, left: Value, right: Value, sign: int = 1) -> Value:
        """Sum, or difference with ``sign=-1``."""
        if isinstance(left, Fraction) and isinstance(right, Fraction):
            size = bits(left) + bits(right)
            self.budget.spend(1 + size // 500 + (size // 256) ** 2 // 64)
            return left + right if sign > 0 else left - right
        a, b = self.lift(left), self.lift(right)
        if a.den == b.den:
            return self.settle(self.plus(a.num, b.num, Fraction(sign)), a.den)
        num = self.plus(self.times(a.num, b.den), self.times(b.num, a.den), Fraction(sign))
        return self.settle(num, self.times(a.den, b.den))

    def mul(self, left: Value, right: Value) -> Value:
        """Product.

        Raises:
            LimitExceeded: a coefficient would be too long.
        """
        if isinstance(left, Fraction) and isinstance(right, Fraction):
            size = bits(left) + bits(right)
            if size > 2 * MAX_BITS:
                raise LimitExceeded("a product with too many digits")
            self.budget.spend(1 + size // 100)
            return left * right
        a, b = self.lift(left), self.lift(right)
        return self.settle(self.times(a.num, b.num), self.times(a.den, b.den))

    def div(self, left: Value, right: Value) -> Value:
        """Quotient.

        Raises:
            Undefined: ``right`` is zero.
        """
        if isinstance(right, Fraction):
            if not right:
                raise Undefined("a division by zero")
            return self.mul(left, 1 / right)
        a = self.lift(left)
        return self.settle(self.times(a.num, right.den), self.times(a.den, right.num))

    def integer_power(self, base: Value, exponent: int) -> Value:
        """``base ** exponent``.

        Raises:
            LimitExceeded: the result would be too long.
            Undefined: zero to a power that is not positive.
        """
        if isinstance(base, Fraction):
            return power(base, exponent)
        if exponent < 0:
            return self.div(ONE, self.integer_power(base, -exponent))
        for poly in (base.num, base.den):
            if len(poly) == 1:
                ((mono, coefficient),) = poly.items()
                if bits(coefficient) * exponent > MAX_BITS or (
                    any(n[0] == "r" for n, _ in mono) and exponent > MAX_BITS
                ):
                    raise LimitExceeded("a power with too many digits")
        if len(base.num) == len(base.den) == 1 and base.den == {_UNIT: ONE}:
            ((mono, coefficient),) = base.num.items()
            raised = {tuple((name, x * exponent) for name, x in mono): coefficient**exponent}
            return self._reduced(raised)
        return self.settle(self._poly_power(base.num, exponent), self._poly_power(base.den, exponent))

    # Numbers under radicals

    def prime_root(self, value: Fraction, exponent: Fraction) -> Value:
        """``value ** exponent`` for a positive rational and an exponent, by the primes of ``value``."""
        coefficient = ONE
        radicals: list[tuple[str, Fraction]] = []
        for part, sign in ((value.numerator, 1), (value.denominator, -1)):
            for prime, count in self.factor(part):
                raised = exponent * (count * sign)
                whole = math.floor(raised)
                if abs(whole) * prime.bit_length() > MAX_BITS:
                    raise LimitExceeded("a power with too many digits")
                if whole:
                    coefficient *= power(Fraction(prime), whole)
                if raised != whole:
                    radicals.append((self.register(f"r{prime}", Generator(number=prime)), raised - whole))
        return Q({tuple(sorted(radicals)): coefficient}, {_UNIT: ONE}) if radicals else coefficient

    def factor(self, n: int) -> tuple[tuple[int, int], ...]:
        """Prime factors below 2000 with their exponents; the rest as one factor, or a perfect power."""
        self.budget.spend(20 + n.bit_length() * n.bit_length() // 2_000)
        return small_factors(n) if n.bit_length() < 64 else factors(n)
