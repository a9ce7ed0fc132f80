"""The parser's part for what belongs to a name or value: arguments, primes, indices of sets, remarks, dots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zoo_harp.checker.latex import dots, forms
from zoo_harp.checker.latex.calls import Calls
from zoo_harp.checker.latex.cursor import ParseError
from zoo_harp.checker.latex.sets import signed
from zoo_harp.checker.latex.tokens import Token
from zoo_harp.checker.lexicon import denies
from zoo_harp.checker.tree import Apply, Named, Node, Number, Symbol, Text, Tuple, number

PRODUCT: Final = 50
"""binding power of a product"""
_CALLED: Final = frozenset("fghFGHPQ")
_CALLED_IF_OTHERS: Final = frozenset({"phi", "varphi", "Phi", "psi", "Psi", "sigma", "tau", "mu", "zeta"})
"""Greek names of functions in number theory, unless they stand in the bracket themselves, as in ``mu (1 - mu)``."""


def applied(*answers: Sequence[Token]) -> frozenset[str]:
    """Letters that are functions in all the answers: each stands before a bracket around one letter or numeral, as in
    ``T(n)``, since nobody brackets a single factor, and none stands anywhere without a bracket, unless ``T(n) =`` or
    ``T(m, n) =`` is there.
    """
    called: set[str] = set()
    alone: set[str] = set()
    defined: set[str] = set()
    for tokens in answers:
        values = [value for _, value, _ in tokens]
        for position, (kind, letter, _) in enumerate(tokens):
            if kind != "let" or values[max(position - 1, 0)] == "_":
                continue
            if values[position + 1 : position + 2] != ["("] or values[max(position - 1, 0)] == "^":
                alone.add(letter)
            elif values[position + 3 : position + 4] == [")"] and tokens[position + 2][0] in ("let", "num"):
                called.add(letter)
                if values[position + 4 : position + 5] == ["="] and tokens[position + 2][0] == "let":
                    defined.add(letter)
            elif values[position + 3 : position + 4] == [","] and _is_defined(values, position + 1):
                defined.add(letter)
    return frozenset((called - alone) | defined)


def _is_defined(values: Sequence[str], opening: int) -> bool:
    """Whether an equality sign follows the bracket that opens there, without another bracket in it."""
    closing = next((at for at in range(opening + 1, len(values)) if values[at] in "()"), len(values))
    return values[closing : closing + 2] == [")", "="]


class Applied(Calls):
    """Reads what follows a name or a value and belongs to it."""

    def skips_aside(self, left: Node) -> bool:
        """Take a remark in brackets after a number, as in "10 (ten)" or "12 (12 ways)"; whether there was one."""
        repeated = self.peek(1)[0] == "num" and forms.numeral(self.peek(1)[1]) == left and self.peek(2)[0] == "word"
        in_words = self.peek(1)[0] == "word" and self.peek(1)[1] != "base"
        if not (in_words or repeated) or isinstance(left, Text):
            return False
        if not forms.is_constant(left):
            return False
        aside = self.bracketed()
        if not aside or denies(value for kind, value, _ in aside if kind == "word"):
            return False
        self.position += len(aside) + 1
        return True

    def bracketed(self) -> list[Token]:
        """What follows up to the end of the bracket that opens next, its closing sign included; empty without one."""
        depth, position = 1, self.position + 1
        while position < len(self.tokens) and depth:
            depth += {"(": 1, ")": -1}.get(self.tokens[position][1], 0)
            position += 1
        return [] if depth else self.tokens[self.position + 1 : position]

    def ends_after(self, ahead: int) -> bool:
        """Whether nothing, or the next item, follows after the next ``ahead`` tokens."""
        kind, value, _ = self.peek(ahead)
        return kind in ("end", "word") or value in (",", ")", "}", "and", "or", ".")

    def is_function(self, left: Node) -> bool:
        """Whether the bracket that follows holds the argument of ``left``."""
        if isinstance(left, Apply) and left.op == "pow":
            return left.args[1] == Apply("neg", (number(1),)) and self.is_function(left.args[0])
        if forms.composed(left):
            return True
        if not isinstance(left, Symbol):
            return False
        name = left.name.split("_")[0].rstrip("'")
        if name in _CALLED_IF_OTHERS:
            return name not in (value for _, value, _ in self.bracketed())
        return name in _CALLED or name == "Gamma" or left.name in self.functions or self.defines()

    def call(self, left: Node) -> Node:
        """``left`` with its argument, which comes next."""
        argument = self.prefix()
        if parts := forms.composed(left):
            for part in reversed(parts):
                argument = Apply("call", (part, argument))
            return argument
        if left == Symbol("Gamma"):
            return Apply("gamma", (argument,))
        pair = argument.items if isinstance(argument, Tuple) else ()
        if left == Symbol("P") and len(pair) == 2 and all(isinstance(item, Number) for item in pair):
            return Apply("perm", pair)
        if isinstance(left, Apply):
            left = Symbol(f"{getattr(left.args[0], 'name', '')}^-1")
        return Apply("call", (left, argument))

    def minutes(self, left: Node) -> Node | None:
        """An angle with the minutes and seconds of arc that follow; None if none do."""
        if not isinstance(left, Apply) or left.op != "deg" or self.peek(1)[1] not in ("'", "^"):
            return None
        total, part = left.args[0], 60
        while self.peek()[0] == "num" and part <= 3600:
            amount = forms.numeral(self.peek()[1])
            used = forms.prime_marks(self.tokens, self.position + 1)
            if used is None or used[0] != (1 if part == 60 else 2):
                return None
            self.position += 1 + used[1]
            total, part = Apply("add", (total, Apply("div", (amount, number(part))))), part * 60
        return Apply("deg", (total,))

    def dotted(self, left: Node, sign: str) -> Node:
        r"""A sum or product with dots in the middle, such as ``1+2+\cdots+20``, whose dots come next."""
        self.take()
        op, strength = ("mul", PRODUCT) if sign == "*" else ("add", 40)
        if self.is_op("*" if op == "mul" else sign):
            self.position += 1
        last = self.expression(strength)
        if sign == "-":
            last = Apply("neg", (last,))
        return dots.series(op, [*forms.terms(op, left), dots.DOTS, last])

    def primed(self, left: Node, marks: int) -> Node:
        """A name with primes, or a number of minutes or seconds of arc."""
        if isinstance(left, Symbol):
            return Symbol(left.name + "'" * marks)
        if not isinstance(left, Number) or marks > 2:
            raise ParseError("a prime")
        return Apply("deg", (Apply("div", (left, number(60**marks))),))

    def named(self, name: str) -> Node:
        r"""A set of numbers, with the condition in its index, as in ``\mathbb{R}_{>0}``."""
        if not self.is_op("_"):
            return Named(name)
        values = [token[1] for token in self.tokens[self.position : self.position + 5]]
        inner = (
            values[2:4] if values[1:2] == ["{"] and values[4:5] == ["}"] else ["+", "0"] if values[1:2] == ["+"] else []
        )
        if name == "N" and values[1:2] == ["0"]:
            self.position += 2
            return signed(name, ">=")
        if inner == [">=", "1"] and name in "ZN":
            inner = [">", "0"]
        if inner[1:] != ["0"] or inner[0] not in ("<", "<=", ">", ">=", "!=", "+"):
            raise ParseError("the index of a set")
        self.position += 5 if values[1] == "{" else 2
        return signed(name, inner[0].replace("+", ">"))

    def defines(self) -> bool:
        """Whether ``(x) =`` follows: the definition of a function."""
        return self.peek(1)[0] == "let" and self.peek(2)[1] == ")" and self.peek(3)[1] == "="
