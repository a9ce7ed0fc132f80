"""Rules such as ``abs(action[0]) <= 0.5``, from text to expressions; nothing of the text is ever executed.

::

    rules      = rule {";" rule}
    rule       = [LABEL ":"] sum ("<=" | ">=" | "==") ["-"] NUMBER ["per" ("step" | "episode")]
    sum        = product {("+" | "-") product}
    product    = factor {("*" | "/") factor}
    factor     = "-" factor | NUMBER | part | FUNCTION "(" condition {"," condition} ")" | "(" condition ")"
    condition  = sum [("<" | ">" | "<=" | ">=" | "==") sum]
    part       = NAME {"." NAME | "[" ["-"] INTEGER "]" | "[" TEXT "]"}

A condition in parentheses counts 1 where it holds and 0 elsewhere, so that ``(speed > 2) <= 0.1`` bounds a
share of time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

__all__ = ["FUNCTIONS", "Apply", "Expression", "Number", "Part", "Rule", "parse"]

Unit: TypeAlias = Literal["step", "episode"]
FUNCTIONS = ("abs", "max", "mean", "min", "norm", "sqrt", "sum")
COMPARISONS = ("<=", ">=", "==", "<", ">")
SENSES = COMPARISONS[:3]
_MOST_SIGNS = 100
_ROOTS = ("obs", "observation", "info")
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<text>"[^"]*"|'[^']*')"""
    r"""|(?P<sign><=|>=|==|[-+*/()\[\].,<>;]))"""
)
_LABEL = re.compile(r"\s*([A-Za-z][\w-]*)\s*:")


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Part:
    """A part of what a step gave: a name, and the keys and indices after it."""

    path: tuple[str | int, ...]

    def __str__(self) -> str:
        """Return it as it could be typed."""
        head, *keys = self.path
        return str(head) + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)


@dataclass(frozen=True)
class Apply:
    """A function, an operator or a comparison, and what it is applied to."""

    function: str
    arguments: tuple[Expression, ...]


Expression: TypeAlias = Number | Part | Apply


@dataclass(frozen=True)
class Rule:
    """One constraint as it was typed.

    Attributes:
        text: the whole rule.
        name: its label, or the words of its expression: ``abs-action-0``.
        labelled: whether the name is a label.
        expression: the signal.
        sense: "<=", ">=" or "==".
        threshold: of the signal's average or sum.
        unit: what the threshold bounds; None where it is not said.
    """

    text: str
    name: str
    labelled: bool
    expression: Expression
    sense: str
    threshold: float
    unit: Unit | None


def parse(text: str) -> tuple[Rule, ...]:
    """Return the rules in `text`, one or several with ";" between them.

    Raises:
        ValueError: it is not a rule; the message says where, and what was expected.
    """
    rules = [_Parser(part).rule() for part in _separated(text)]
    if not rules:
        raise ValueError('a constraint is empty: expected one such as "abs(action[0]) <= 0.5"')
    return tuple(rules)


def _separated(text: str) -> list[str]:
    """Split at ";" outside quotes."""
    parts = re.findall(r"""(?:"[^"]*"|'[^']*'|[^;])+""", text)
    return [part.strip() for part in parts if part.strip()]


class _Parser:
    """Reads one rule by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        label = _LABEL.match(text)
        self._label = label[1] if label else ""
        self._tokens = self._read(label.end() if label else 0)
        self._next = 0

    def rule(self) -> Rule:
        """Read all of it."""
        if sum(token in ("(", "-") for _, token in self._tokens) > _MOST_SIGNS:
            raise ValueError(f"constraint {self._text[:40]!r}... has too many brackets: expected {_MOST_SIGNS} at most")
        expression = self._sum()
        name = self._label or _words(self._tokens[: self._next])
        sense = self._one_of(SENSES, "<=, >= or == and a number")
        sign = -1.0 if self._accept("-") else 1.0
        kind, token = self._peek()
        if kind != "number":
            raise self._error("a number")
        self._next += 1
        unit: Unit | None = None
        if self._accept("per"):
            unit = "episode" if self._one_of(("step", "episode"), "step or episode") == "episode" else "step"
        if self._peek()[1]:
            raise self._error('"per step", "per episode", ";" or the end')
        return Rule(self._text, name, bool(self._label), expression, sense, sign * float(token), unit)

    def _read(self, start: int) -> list[tuple[str, str]]:
        tokens, text = [], self._text.rstrip()
        while start < len(text):
            match = _TOKEN.match(text, start)
            if match is None:
                raise ValueError(f"constraint {self._text!r}: {text[start:].strip()[0]!r} has no meaning here")
            start = match.end()
            kind = match.lastgroup or ""
            tokens.append((kind, match[kind]))
        return tokens

    def _sum(self) -> Expression:
        left = self._product()
        while operator := self._accept("+", "-"):
            left = Apply(operator, (left, self._product()))
        return left

    def _product(self) -> Expression:
        left = self._factor()
        while operator := self._accept("*", "/"):
            left = Apply(operator, (left, self._factor()))
        return left

    def _factor(self) -> Expression:
        if self._accept("-"):
            return Apply("-", (self._factor(),))
        if self._accept("("):
            inner = self._condition()
            self._one_of((")",), '")"')
            return inner
        kind, token = self._peek()
        if kind not in ("number", "name"):
            raise self._error("a part, a number or a function")
        self._next += 1
        if kind == "number":
            return Number(float(token))
        return self._call(token) if self._accept("(") else self._part(token)

    def _condition(self) -> Expression:
        left = self._sum()
        comparison = self._accept(*COMPARISONS)
        return Apply(comparison, (left, self._sum())) if comparison else left

    def _call(self, function: str) -> Expression:
        if function not in FUNCTIONS:
            near = get_close_matches(function, FUNCTIONS, n=1)
            there = f"the nearest: {near[0]}" if near else f"there are {', '.join(FUNCTIONS)}"
            raise ValueError(f"constraint {self._text!r}: there is no function called {function!r}; {there}")
        arguments = [self._condition()]
        while self._accept(","):
            arguments.append(self._condition())
        self._one_of((")",), '")" or ","')
        if len(arguments) > 1 and function not in ("max", "min"):
            raise ValueError(f"constraint {self._text!r}: {function} takes one argument, got {len(arguments)}")
        return Apply(function, tuple(arguments))

    def _part(self, name: str) -> Part:
        path: list[str | int] = [name]
        while opened := self._accept(".", "["):
            negative = opened == "[" and bool(self._accept("-"))
            kind, token = self._peek()
            if opened == ".":
                if kind != "name":
                    raise self._error("a name")
                path.append(token)
            elif kind == "number" and token.isdecimal():
                path.append(-int(token) if negative else int(token))
            elif kind == "text" and not negative:
                path.append(token[1:-1])
            else:
                raise self._error("a whole number, or a key in quotes")
            self._next += 1
            if opened == "[":
                self._one_of(("]",), '"]"')
        return Part(tuple(path))

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("", "")

    def _accept(self, *words: str) -> str:
        """Read one of `words` if it is next; return it, or nothing."""
        kind, token = self._peek()
        if kind == "text" or token not in words:
            return ""
        self._next += 1
        return token

    def _one_of(self, words: tuple[str, ...], expected: str) -> str:
        found = self._accept(*words)
        if not found:
            raise self._error(expected)
        return found

    def _error(self, expected: str) -> ValueError:
        token = self._peek()[1]
        return ValueError(
            f"constraint {self._text!r}: expected {expected} {f'before {token!r}' if token else 'at its end'}"
        )


def _words(tokens: list[tuple[str, str]]) -> str:
    """Return the words of an expression as a name; "info" and "observation" before a key say nothing."""
    words = []
    for number, (kind, token) in enumerate(tokens):
        following = [token for _, token in tokens[number + 1 : number + 2]]
        keyed = following == ["."] or [kind for kind, _ in tokens[number + 2 : number + 3]] == ["text"]
        if kind and kind != "sign" and not (token in _ROOTS and keyed):
            words.append(re.sub(r"[^\w.]+", "-", token.strip("\"'")))
    return "-".join(words)
