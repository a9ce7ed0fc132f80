"""Roots, exponentials, logarithms and trigonometry of exact values."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

from zoo_harp.checker.algebra.decide import Decider
from zoo_harp.checker.algebra.exact import HALF, ONE, Generator, Monomial, Poly, Q, Value, mono_key, poly_key, value_key
from zoo_harp.checker.limits import MAX_BITS, Budget, LimitExceeded, Undefined, Unsupported

_UNIT: Final[Monomial] = ()
_I_PI: Final[Monomial] = (("i", ONE), ("pi", ONE))
_MINUS_ONE: Final = Fraction(-1)


class Functions(Decider):
    """A field with the elementary functions."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(budget)
        self._variables: dict[str, bool] = {}

    @property
    def i(self) -> Value:
        """The imaginary unit."""
        return Q({(("i", ONE),): ONE}, {_UNIT: ONE})

    @property
    def pi(self) -> Value:
        """The circle constant."""
        return Q({(("pi", ONE),): ONE}, {_UNIT: ONE})

    def is_variable(self, value: Value) -> bool:
        """Whether a variable occurs in it, also inside of generators."""
        if isinstance(value, Fraction):
            return False
        return any(self.has_variable(name) for poly in (value.num, value.den) for mono in poly for name, _ in mono)

    def has_variable(self, name: str) -> bool:
        """Whether the generator ``name`` depends on a variable."""
        is_variable = self._variables.get(name)
        if is_variable is None:
            is_variable = self._variables[name] = name[0] == "v" or self._contains_variable(name)
        return is_variable

    def _contains_variable(self, name: str) -> bool:
        inside = self.known.get(name)
        if inside is None or name[0] == "r":
            return False
        polys = [inside.poly or {}, {inside.monomial: ONE}]
        if any(self.has_variable(n) for poly in polys for mono in poly for n, _ in mono):
            return True
        return any(self.is_variable(argument) for argument in inside.arguments)

    def power(self, base: Value, exponent: Value) -> Value:
        """``base ** exponent``; an even root of a variable's square is its absolute value.

        Raises:
            Undefined: zero to a power that is not positive.
            LimitExceeded: the result would be too long.
        """
        if isinstance(exponent, Fraction):
            if exponent.denominator == 1:
                return self.integer_power(base, exponent.numerator)
            return self._rational_power(base, exponent)
        if base == 1:
            return ONE
        if base == 0:
            raise Undefined("zero to an unknown power")
        return self.exp(self.mul(exponent, self.log(base)))

    def _rational_power(self, base: Value, exponent: Fraction) -> Value:
        if exponent.denominator > 1000 or abs(exponent.numerator) > MAX_BITS:
            raise LimitExceeded("a root of a high order")
        if isinstance(base, Fraction):
            if base == 0:
                if exponent < 0:
                    raise Undefined("a division by zero")
                return base
            if base > 0:
                return self.prime_root(base, exponent)
            positive = self.prime_root(-base, exponent)
            if exponent.denominator % 2:
                return positive if exponent.numerator % 2 == 0 else self.mul(_MINUS_ONE, positive)
            return self.mul(self.unity(exponent), positive)
        if exponent < 0:
            return self.div(ONE, self._rational_power(base, -exponent))
        if base.den != {_UNIT: ONE}:
            top, bottom = Q(base.num, {_UNIT: ONE}), Q(base.den, {_UNIT: ONE})
            return self.div(self._rational_power(top, exponent), self._rational_power(bottom, exponent))
        if len(base.num) == 1:
            return self._monomial_power(*next(iter(base.num.items())), exponent)
        return self._poly_root(base.num, exponent)

    def _monomial_power(self, mono: Monomial, coefficient: Fraction, exponent: Fraction) -> Value:
        result = self._rational_power(abs(coefficient), exponent)
        negative = coefficient < 0
        order = exponent.denominator
        for name, x in mono:
            if name in ("i", "Z"):
                result = self.mul(result, self.unity(exponent * (HALF if name == "i" else x)))
            elif order % 2 == 0 and self.has_variable(name) and x.denominator == 1 and x.numerator % 2 == 0:
                size = self.absolute(self.gen(name))
                result = self.mul(result, self._rational_power(size, exponent * x) if (exponent * x).denominator > 1
                                  else self.integer_power(size, int(exponent * x)))  # fmt: skip
            elif name[0] in "BA":
                result = self.mul(result, self._poly_root({((name, x),): ONE}, exponent))
            else:
                result = self.mul(result, self.gen(name, x * exponent))
        if negative:
            sign = self._rational_power(_MINUS_ONE, exponent)
            result = self.mul(sign, result)
        return result

    def _poly_root(self, poly: Poly, exponent: Fraction) -> Value:
        """A radical of a sum: denested if it is a rational plus one surd, else a generator of its own."""
        if exponent == HALF:
            denested = self._denest(poly)
            if denested is not None:
                return denested
        content, rest = self._content(poly)
        flipped = False
        if exponent.denominator % 2 and not self.is_variable(Q(rest, {_UNIT: ONE})):
            value = Q(rest, {_UNIT: ONE})
            if self.is_real(value) and self.sign(value) < 0:
                rest, flipped = {mono: -c for mono, c in rest.items()}, True
        name = self.short_name("B", poly_key(rest), Generator(poly=rest))
        root = self.mul(self.prime_root(content, exponent), self.gen(name, exponent))
        return self.mul(_MINUS_ONE, root) if flipped and exponent.numerator % 2 else root

    @staticmethod
    def _content(poly: Poly) -> tuple[Fraction, Poly]:
        """The positive rational content, and the primitive polynomial."""
        top = math.gcd(*(c.numerator for c in poly.values()))
        bottom = math.lcm(*(c.denominator for c in poly.values()))
        content = Fraction(top, bottom)
        return content, {mono: c / content for mono, c in poly.items()}

    def _denest(self, poly: Poly) -> Value | None:
        """sqrt(a + b s) = sqrt((a+d)/2) +- sqrt((a-d)/2) where d = sqrt(a^2 - b^2 s^2) is rational and a > 0."""
        surd = next((mono for mono in poly if mono), None)
        if len(poly) != 2 or _UNIT not in poly or surd is None:
            return None
        a = poly[_UNIT]
        tail: Poly = {surd: poly[surd]}
        square = self.settle(self.times(tail, tail), {_UNIT: ONE})
        if not isinstance(square, Fraction) or any(name[0] not in "ri" for name, _ in surd):
            return None
        gap = a * a - square
        if gap < 0:
            return None
        d = Fraction(math.isqrt(gap.numerator), math.isqrt(gap.denominator))
        if d * d != gap:
            return None
        if square < 0:
            real, imaginary = self._rational_power((a + d) / 2, HALF), self._rational_power((d - a) / 2, HALF)
            sign = ONE if poly[surd] > 0 else _MINUS_ONE
            return self.add(real, self.mul(sign, self.mul(self.i, imaginary)))
        if a < 0:
            return None
        parts = self._rational_power((a + d) / 2, HALF), self._rational_power((a - d) / 2, HALF)
        return self.add(*parts, 1 if poly[surd] > 0 else -1)

    def unity(self, turns: Fraction) -> Value:
        """``exp(i pi turns)``: in radicals for multiples of a twelfth, else a power of the generator Z."""
        turns %= 2
        if 12 % turns.denominator:
            return self.gen(self.register("Z", Generator()), turns)
        twelfths = int(turns * 12)
        cosine, sine = self._twelfth(twelfths), self._twelfth(twelfths - 6)
        return self.add(cosine, self.mul(self.i, sine))

    def _twelfth(self, k: int) -> Value:
        """cos(k pi / 12)."""
        k %= 24
        k = min(k, 24 - k)
        if k > 6:
            return self.mul(_MINUS_ONE, self._twelfth(12 - k))
        if k == 6:
            return Fraction(0)
        if k in (0, 4):
            return ONE if k == 0 else HALF
        two, three, six = (self.prime_root(Fraction(n), HALF) for n in (2, 3, 6))
        if k in (2, 3):
            return self.mul(HALF, three if k == 2 else two)
        return self.mul(Fraction(1, 4), self.add(six, two, 1 if k == 1 else -1))

    def exp(self, value: Value) -> Value:
        """The exponential: a product over the terms of ``value``."""
        top = self.lift(value)
        if top.den != {_UNIT: ONE}:
            return self.opaque("exp", value)
        result: Value = ONE
        for mono, c in top.num.items():
            if mono == _UNIT:
                factor = self.gen("e", c)
            elif mono == _I_PI:
                factor = self.unity(c)
            elif len(mono) == 1 and mono[0][0][0] == "L" and mono[0][1] == 1 and self.known[mono[0][0]].monomial:
                base = self.known[mono[0][0]].monomial
                factor = self.power(self.settle({base: ONE}, {_UNIT: ONE}), c)
            elif len(mono) == 1 and mono[0][0][0] == "L" and mono[0][1] == 1 and self.known[mono[0][0]].number:
                factor = self.prime_root(Fraction(self.known[mono[0][0]].number), c)
            elif any(name[0] in "ZBAF" for name, _ in mono) and len(mono) > 12:
                raise LimitExceeded("an exponent of many factors")
            else:
                factor = self.gen(self.short_name("E", mono_key(mono), Generator(monomial=mono)), c)
            result = self.mul(result, factor)
        return result

    def log(self, value: Value) -> Value:
        """The natural logarithm; of products the sum.

        Raises:
            Undefined: of zero.
        """
        if isinstance(value, Fraction):
            if value == 0:
                raise Undefined("the logarithm of zero")
            total: Value = Fraction(0)
            if value < 0:
                total = self.mul(self.i, self.pi)
            for part, sign in ((abs(value.numerator), 1), (value.denominator, -1)):
                for prime, count in self.factor(part):
                    name = self.register(f"L{prime}", Generator(number=prime))
                    total = self.add(total, self.mul(Fraction(sign * count), self.gen(name)))
            return total
        if len(value.num) == 1 and value.den == {_UNIT: ONE}:
            ((mono, coefficient),) = value.num.items()
            if coefficient > 0 and not any(name in ("i", "Z") for name, _ in mono):
                total = self.log(coefficient)
                for name, exponent in mono:
                    total = self.add(total, self.mul(exponent, self._log_of(name)))
                return total
        if value.den != {_UNIT: ONE} and (len(value.num) == 1 or len(value.den) == 1):
            return self.add(self.log(Q(value.num, {_UNIT: ONE})), self.log(Q(value.den, {_UNIT: ONE})), -1)
        return self.opaque("ln", value)

    def _log_of(self, name: str) -> Value:
        if name == "e":
            return ONE
        inside = self.known.get(name, Generator())
        if name[0] == "r":
            return self.log(Fraction(inside.number))
        if name[0] == "E":
            return self.settle({inside.monomial: ONE}, {_UNIT: ONE})
        if name[0] == "B":
            return self.log(Q(dict(inside.poly or {}), {_UNIT: ONE}))
        mono = ((name, ONE),)
        return self.gen(self.short_name("L", mono_key(mono), Generator(monomial=mono)))

    def circular(self, value: Value, *, hyperbolic: bool = False) -> tuple[Value, Value]:
        """Cosine and sine (or the hyperbolic ones) of ``value``, by exponentials."""
        if self.lift(value).den != {_UNIT: ONE}:
            return self.opaque("cos", value), self.opaque("sin", value)
        turned = value if hyperbolic else self.mul(self.i, value)
        up, down = self.exp(turned), self.exp(self.mul(_MINUS_ONE, turned))
        cosine = self.mul(HALF, self.add(up, down))
        sine = self.mul(HALF, self.add(up, down, -1))
        return cosine, sine if hyperbolic else self.div(sine, self.i)

    def arc(self, name: str, value: Value) -> Value:
        """Inverse sine, cosine or tangent: a multiple of pi/12 where a table has it, else an opaque generator."""
        for twelfths in range(-6, 13) if name == "arccos" else range(-6, 7):
            cosine, sine = self._twelfth(twelfths), self._twelfth(twelfths - 6)
            if name == "arctan":
                if abs(twelfths) == 6:
                    continue
                known = self.div(sine, cosine)
            else:
                known = cosine if name == "arccos" else sine
            if (name != "arccos" or twelfths >= 0) and value_key(known) == value_key(value):
                return self.mul(Fraction(twelfths, 12), self.pi)
        return self.opaque(name, value)

    def absolute(self, value: Value) -> Value:
        """The absolute value; for constants the sign is computed."""
        if isinstance(value, Fraction):
            return abs(value)
        if not self.is_variable(value):
            if self.is_real(value):
                return value if self.sign(value) >= 0 else self.mul(_MINUS_ONE, value)
            return self._modulus(value)
        if value.den != {_UNIT: ONE}:
            return self.div(self.absolute(Q(value.num, {_UNIT: ONE})), self.absolute(Q(value.den, {_UNIT: ONE})))
        content, rest = self._content(value.num)
        if len(rest) == 1:
            ((mono, _),) = rest.items()
            result: Value = content
            for name, exponent in mono:
                factor = self.gen(name, exponent)
                if name[0] == "v" and exponent.denominator == 1:
                    even = exponent.numerator - exponent.numerator % 2
                    factor = self.gen(name, Fraction(even))
                    if exponent != even:
                        factor = self.mul(factor, self._abs_generator({((name, ONE),): ONE}))
                elif name[0] == "v":
                    factor = self.gen(name, exponent)
                elif self.has_variable(name) and name[0] not in "BA":
                    factor = self._abs_generator({((name, exponent),): ONE})
                elif name == "i":
                    factor = ONE
                result = self.mul(result, factor)
            return result
        return self.mul(content, self._abs_generator(rest))

    def _abs_generator(self, poly: Poly) -> Value:
        first = min(poly, key=str)
        if poly[first] < 0:
            poly = {mono: -c for mono, c in poly.items()}
        return self.gen(self.short_name("A", poly_key(poly), Generator(poly=poly)))

    def _modulus(self, value: Q) -> Value:
        parts = self.parts(value)
        return self.power(self.add(self.mul(parts[0], parts[0]), self.mul(parts[1], parts[1])), HALF)

    def parts(self, value: Value) -> tuple[Value, Value]:
        """Real and imaginary part of a constant that has no roots of unity in it.

        Raises:
            Unsupported: they are not separate in the normal form.
        """
        lifted = self.lift(value)
        names = {name for poly in (lifted.num, lifted.den) for mono in poly for name, _ in mono}
        if any(n[0] in "ZBF" for n in names) or any(n == "i" for mono in lifted.den for n, _ in mono):
            raise Unsupported("the real part of a complicated number")
        real: Poly = {}
        imaginary: Poly = {}
        for mono, c in lifted.num.items():
            if mono and mono[0][0] != "i" and any(n == "i" for n, _ in mono):
                imaginary[tuple(f for f in mono if f[0] != "i")] = c
            elif mono and mono[0][0] == "i":
                imaginary[mono[1:]] = c
            else:
                real[mono] = c
        return self.settle(real, lifted.den), self.settle(imaginary, lifted.den)

    def opaque(self, name: str, *arguments: Value) -> Value:
        """A function value that is not simplified, as a generator of its own."""
        key = f"{name}[{','.join(map(value_key, arguments))}]"
        if len(key) > 20_000:
            raise LimitExceeded("an argument too long")
        return self.gen(self.short_name("F", key, Generator(function=name, arguments=arguments)))
