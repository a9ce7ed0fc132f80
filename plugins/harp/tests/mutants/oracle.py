"""An independent reading of plain answers: numbers to 60 digits, written without any part of the checker.

It knows numerals, letters, sums, products, quotients, powers, roots, elementary functions, tuples, intervals, sets and
lists. A value is a nested tuple whose leaves are complex numbers at random values of the letters. Whatever it does not
know raises ``Unread``, so that it has no opinion rather than a wrong one.
"""

from __future__ import annotations

import re
import zlib
from typing import Any

import mpmath

_TOKEN = re.compile(r"\s*(?:(\d+\.\d+|\d+|\.\d+)|\\([A-Za-z]+)|\\([{}])|(.))", re.DOTALL)
_FUNCTIONS = ("sin", "cos", "tan", "ln", "exp")
_SPACES = re.compile(r"\\(?:left|right|,|;|!|displaystyle)(?![A-Za-z])|\$")
_CLOSERS = {"(": ")]", "[": ")]", "\\{": "\\}"}
_MIXED = re.compile(r"\d\s*\\[dt]?frac|\d\s+\d|\d[,]\d{3}")
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")


class Unread(Exception):
    """Not one of the forms that are known here."""


def value(text: str, seed: int) -> Any:
    """The value of an answer with letters that have the random values of ``seed``.

    Raises:
        Unread: it is not known how to read it, or there is no value.
    """
    if _MIXED.search(text) or _WORDS.search(text):
        raise Unread  # a mixed number, digits in groups, words
    tokens = [next(part for part in match if part) for match in _TOKEN.findall(_SPACES.sub(" ", text).strip())]
    with mpmath.workdps(60):
        try:
            reader = _Reader(tokens, seed)
            read = reader.items("")
            if reader.place != len(tokens):
                raise Unread
            return read
        except (ArithmeticError, IndexError, TypeError, ValueError, RecursionError):
            raise Unread from None


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to 40 digits; lists and sets in any order."""
    if isinstance(one, tuple) or isinstance(other, tuple):
        if not isinstance(one, tuple) or not isinstance(other, tuple) or one[0] != other[0] or len(one) != len(other):
            return False
        if one[0] not in (",", "\\{\\}"):
            return all(map(same, one[1:], other[1:]))
        left = list(other[1:])
        for item in one[1:]:
            found = next((place for place, candidate in enumerate(left) if same(item, candidate)), None)
            if found is None:
                return False
            del left[found]
        return True
    with mpmath.workdps(60):
        return bool(abs(one - other) <= mpmath.mpf(10) ** -40 * max(abs(one), abs(other), mpmath.mpf(10) ** -20))


class _Reader:
    def __init__(self, tokens: list[str], seed: int) -> None:
        self.tokens = tokens
        self.place = 0
        self.seed = seed

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1]

    def items(self, closers: str) -> Any:
        """One value, or a list."""
        found = [self.sum()]
        while self.peek() == ",":
            self.take()
            found.append(self.sum())
        if self.peek() not in (closers or " ") and self.place < len(self.tokens):
            raise Unread
        return found[0] if len(found) == 1 else (",", *found)

    def sum(self) -> Any:
        sign = 1
        while self.peek() in ("+", "-") and self.peek():
            sign = -sign if self.take() == "-" else sign
        total = _scaled(sign, self.product())
        while self.peek() in ("+", "-") and self.peek():
            plus = self.take() == "+"
            if self.peek() in ("+", "-", ""):
                raise Unread
            total = _number(total) + _scaled(1 if plus else -1, self.product())
        return total

    def product(self) -> Any:
        total = self.power()
        while self.peek() and self.peek() not in "+-,)]}\\}":
            sign = self.peek()
            if sign in ("*", "cdot", "times", "/", "div"):
                self.take()
                right = _number(self.power())
                total = _number(total) / right if sign in ("/", "div") else _number(total) * right
                if sign in ("/", "div") and self.peek() not in ("", *"+-,)]}/*"):
                    raise Unread  # 1/2x may be either
            else:
                if re.fullmatch(r"[\d.]+", self.peek()):
                    raise Unread
                total = _number(total) * _number(self.power())
        return total

    def power(self) -> Any:
        base = self.atom()
        while self.peek() in ("^", "!") and self.peek():
            if self.take() == "!":
                base = mpmath.factorial(_number(base))
                continue
            exponent = self.argument()
            if self.peek() == "^":
                raise Unread
            base = mpmath.power(_number(base), _number(exponent))
            if abs(base) > mpmath.mpf(10) ** 300:
                raise Unread
        return base

    def argument(self) -> Any:
        """A group, or one sign: of a numeral the first digit."""
        if self.peek() == "{":
            return self.atom()
        if re.fullmatch(r"\d\d+", self.peek()):
            digits = self.tokens[self.place]
            self.tokens[self.place] = digits[1:]
            return mpmath.mpf(digits[0])
        if not re.fullmatch(r"\d|[a-zA-Z]|pi", self.peek()):
            raise Unread
        return self.atom()

    def atom(self) -> Any:
        token = self.take()
        if re.fullmatch(r"[\d.]+", token):
            return mpmath.mpf(token)
        if token in _CLOSERS or token == "{":
            return self.bracket(token)
        if token in ("frac", "dfrac", "tfrac"):
            top, bottom = _number(self.argument()), _number(self.argument())
            return top / bottom
        if token == "sqrt":
            order = mpmath.mpf(2)
            if self.peek() == "[":
                self.take()
                order = _number(self.items("]"))
                self.take()
            inner = _number(self.argument())
            if inner.imag == 0 and inner.real < 0 and order != 2:
                raise Unread
            return mpmath.power(inner, 1 / order)
        if token in _FUNCTIONS:
            if self.peek() not in ("(", "{"):
                raise Unread
            return getattr(mpmath, token)(_number(self.atom()))
        if token in ("pi", "e", "i"):
            return {"pi": +mpmath.pi, "e": +mpmath.e, "i": mpmath.mpc(0, 1)}[token]
        if re.fullmatch(r"[a-zA-Z]", token) and self.peek() not in ("(", "_"):
            return mpmath.mpf(zlib.crc32(f"{token}{self.seed}".encode()) % 9973) / 977 - 5
        raise Unread

    def bracket(self, opener: str) -> Any:
        inner = self.items("}" if opener == "{" else _CLOSERS[opener])
        closer = self.take()
        if opener == "{":
            if closer != "}":
                raise Unread
            return inner
        if closer not in ((")", "]") if opener in "([" else ("\\}",)):
            raise Unread
        if not isinstance(inner, tuple) or inner[0] != ",":
            if opener != "(" or closer != ")":
                raise Unread
            return inner
        return (opener + closer, *inner[1:])


def _number(read: Any) -> Any:
    if isinstance(read, tuple):
        raise Unread
    return mpmath.mpmathify(read)


def _scaled(sign: int, read: Any) -> Any:
    return read if sign == 1 else -_number(read)
