"""The parser's part for commands: fractions, roots, functions, big operators."""

from __future__ import annotations

from typing import Final

from zoo_harp.checker.latex import forms, matrices
from zoo_harp.checker.latex.cursor import ParseError
from zoo_harp.checker.latex.phrases import Phrases
from zoo_harp.checker.tree import (
    Apply,
    Constant,
    Listing,
    Matrix,
    Named,
    Node,
    Number,
    Set,
    Symbol,
    Tuple,
    number,
    rebuilt,
)
from zoo_harp.checker.vocabulary import FUNCTIONS

_PAIRED: Final = (("(", ")"), ("[", "]"))
_POWER_ONLY: Final = frozenset(("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "ln", "log", "coth"))


class Calls(Phrases):
    """Reads a command and its arguments."""

    def command(self, name: str) -> Node:
        """The value of a command whose name is taken."""
        if name in ("pi", "oo"):
            return Constant(name)
        if name == "empty":
            return Named(name)
        if name == "frac":
            return Apply("div", (self.argument(), self.argument()))
        if name == "binom":
            return Apply("binom", (self.argument(), self.argument()))
        if name == "perm":
            return Apply("perm", (self.argument(), self.argument()))
        if name in ("sqrt", "cbrt"):
            return self._root(name)
        if name in FUNCTIONS:
            return self._function(name)
        if name in ("sum", "prod", "int", "lim"):
            return forms.big_operator(self, name)
        if name == "overline":
            return self._digits() or _conjugate(self.argument())
        if name.startswith("begin "):
            return forms.environment(self, name[6:])
        raise ParseError(f"unexpected {name!r}")

    def _digits(self) -> Node | None:
        r"""The number with digits a and b of ``\overline{ab}``; None of anything but several letters and digits."""
        length = next((k for k in range(1, 12) if self.peek(k)[1] == "}"), 0)
        inner = self.tokens[self.position + 1 : self.position + length]
        signs = [sign for kind, value, _ in inner for sign in (value if kind == "num" else [value])]
        plain = all(kind in ("let", "num") and value.islower() | value.isdigit() for kind, value, _ in inner)
        if not self.is_op("{") or not plain or len(signs) < 2 or all(map(str.isdigit, signs)) or {*signs} & {*"zwi"}:
            return None
        self.position += length + 1
        number_of: Node = number(0)
        for sign in signs:
            digit: Node = number(int(sign)) if sign.isdigit() else Symbol(sign)
            number_of = (
                digit if number_of == number(0) else Apply("add", (Apply("mul", (number(10), number_of)), digit))
            )
        return number_of

    def argument(self) -> Node:
        """A group, or one sign: of a numeral the first digit only."""
        kind, value, _ = self.peek()
        if kind == "num" and len(value) > 1 and value.isdigit():
            self.tokens[self.position] = ("num", value[1:], False)
            return forms.numeral(value[0])
        if kind == "op" and value == "-":
            raise ParseError("a sign without braces")
        return self.prefix()

    def _root(self, name: str) -> Node:
        index: Node = number(3 if name == "cbrt" else 2)
        if name == "sqrt" and self.is_op("["):
            self.position += 1
            index = self.sequence(("]",))
            self.expect("]")
        inner = self.prefix()
        return Apply("root", (inner, index))

    def _function(self, name: str) -> Node:
        base: Node | None = None
        power: Node | None = None
        while self.is_op("^", "_"):
            if self.take()[1] == "_":
                base = self.prefix()
            elif self.is_op("-"):
                self.position += 1
                power = Apply("neg", (self.prefix(),))
            else:
                power = self.prefix()
        argument = self._function_argument()
        if isinstance(argument, Tuple) and (argument.left, argument.right) not in _PAIRED:
            raise ParseError("arguments in brackets that do not match")
        if isinstance(argument, Matrix) and name in ("det", "tr", "abs") and power is None:
            return matrices.trace(argument) if name == "tr" else matrices.determinant(argument)
        if power == Apply("neg", (number(1),)) and name in _POWER_ONLY - {"ln", "log"}:
            return Apply("arc" + name, (argument,))
        if name == "log":
            called: Node = Apply("log", (base or number(10), argument))
        elif name == "lg":
            called = Apply("log", (number(10), argument))
        elif name in ("gcd", "lcm", "max", "min"):
            called = Apply(name, argument.items if isinstance(argument, Tuple | Listing | Set) else (argument,))
        elif name == "cis":
            turned = Apply("mul", (Constant("i"), Apply("sin", (argument,))))
            called = Apply("add", (Apply("cos", (argument,)), turned))
        elif name in ("det", "tr"):
            raise ParseError("a determinant of something that is not a matrix")
        elif base is not None:
            raise ParseError("a subscript of a function")
        else:
            called = Apply(name, (argument,))
        if power is None:
            return called
        if name not in _POWER_ONLY:
            raise ParseError("a power of a function")
        return Apply("pow", (called, power))

    def _function_argument(self) -> Node:
        if self.is_op("(", "[", "{", "|(", "\\{"):
            return self.prefix()
        if self.is_op("-"):
            self.position += 1
            return Apply("neg", (self._function_argument(),))
        argument = self.expression(60)
        while True:
            kind, value, _ = self.peek()
            factor = kind in ("let", "num") or (kind == "cmd" and value in ("pi", "frac", "sqrt"))
            if not factor or (kind == "num" and isinstance(argument, Number)):
                break
            if value == "d" and self.in_integral:
                break
            argument = Apply("mul", (argument, self.expression(60)))
        if self.is_op("/") and self.peek(1)[0] == "num" and forms.is_constant(argument):
            self.position += 1
            argument = Apply("div", (argument, self.expression(60)))
        return argument


def _conjugate(node: Node) -> Node:
    """The conjugate of an expression: of i, and of each variable; a segment between two capitals has none."""

    def change(part: Node) -> Node | None:
        if part == Constant("i"):
            return Apply("neg", (part,))
        return Symbol(f"bar {part.name}") if isinstance(part, Symbol) and not part.name.isupper() else None

    if isinstance(node, Symbol):
        return Symbol(f"bar {node.name}")
    conjugate: Node = rebuilt(node, change)
    return conjugate
