"""Tokens to a tree: one bounded operator-precedence parser for expressions and whole answers.

Each bracket costs three frames of Python's stack, so that ``MAX_NESTING`` levels fit its default depth. What cannot be
read as mathematics raises ``ParseError``; ``parse_answer`` then keeps the answer as words.
"""

from __future__ import annotations

from typing import Final

from zoo_harp.checker.latex import dots, forms, matrices
from zoo_harp.checker.latex.applied import PRODUCT, Applied
from zoo_harp.checker.latex.cursor import END, SIGN, ParseError
from zoo_harp.checker.latex.sets import signed
from zoo_harp.checker.latex.tokens import OPENERS
from zoo_harp.checker.limits import MAX_BITS, LimitExceeded
from zoo_harp.checker.tree import (
    Apply,
    Builder,
    Constant,
    Listing,
    Matrix,
    Named,
    Node,
    Number,
    Quantity,
    Ratio,
    Relation,
    Set,
    SetOp,
    Symbol,
    Text,
    Tuple,
    number,
)
from zoo_harp.checker.units import is_unit
from zoo_harp.checker.vocabulary import CURRENCIES

_RELATIONS: Final = frozenset(("=", "<", "<=", ">", ">=", "!=", "in", "~", "mod"))
_SETS: Final = {"cup": "union", "cap": "intersection", "minus": "difference"}
_BINDING: Final = {
    **dict.fromkeys(_RELATIONS, 10),
    "cup": 20, "cap": 22, "minus": 20, ":": 30, "to": 30, "+": 40, "-": 40, "pm": 40, "mp": 40, "bmod": 45, "*": 50,
    "/": 50, "cross": 55, "compose": 75, "^": 70, "!": 80, "!!": 80, "%": 80, "deg": 80, "'": 80, "_": 90, "over": 5,
    "choose": 5, "pmod": 9,
}  # fmt: skip
_SEPARATORS: Final = frozenset((",", ";", "and", "or", "land", "lor"))


_JOINED: Final = {"and": "and", "land": "and", "or": "or", "lor": "or"}


class Parser(Applied):
    """One pass over a list of tokens."""

    def answer(self) -> Node:
        """The whole answer."""
        while self.is_op("=", "~", "to", ":"):
            self.position += 1
        answer = self.sequence(())
        while self.is_op(".", "\\\\"):
            self.position += 1
        if self.peek() is not END:
            raise ParseError(f"unexpected {self.peek()[1]!r}")
        return answer

    def sequence(self, closers: tuple[str, ...]) -> Node:
        """Items up to a closing sign or the end: a ``Listing`` where there are several."""
        items: list[Node] = []
        joiner = ","
        while True:
            items.append(self.expression(0))
            separated = False
            if self.is_op("..."):
                self.position += 1
                items.append(dots.DOTS)
            while self.is_op(*_SEPARATORS):
                value = self.take()[1]
                if value in _JOINED and joiner in _JOINED and _JOINED[value] != _JOINED[joiner]:
                    raise ParseError("and beside or")
                joiner = value if value in _JOINED else joiner
                separated = True
            if not separated and isinstance(items[-1], Quantity) and items[-1].unit and self._starts_number():
                separated = True  # 5 feet 3 inches
            if not separated or (self.peek() is END and not closers):
                break
        if len(items) == 1:
            return items[0]
        return Listing(dots.listed(items) if dots.has_dots(items) else tuple(items), joiner)

    def _starts_number(self) -> bool:
        return self.peek()[0] == "num"

    def expression(self, binding: int, left: Node | None = None) -> Node:
        """An expression whose operators bind tighter than ``binding``; ``left`` is its beginning if already taken."""
        left = self.prefix() if left is None else left
        while True:
            kind, value, spaced = self.peek()
            if kind == "end":
                return left
            if (kind, value) == ("op", "(") and self.is_function(left):
                left = self.call(left)
                continue
            if (kind, value) == ("op", "...") and binding < PRODUCT and self.peek(1)[0] in ("num", "let", "cmd"):
                left = self.dotted(left, "*")
                continue
            if (kind, value) == ("op", "{") and self.peek(1)[:2] == ("op", "}"):
                self.position += 2
                continue
            if kind == "op" and value in CURRENCIES and self.ends_after(1):
                self.position += 1
                return Quantity(left, ((value, 1),))
            if kind == "op" and value in _BINDING:
                strength = _BINDING[value]
                if strength <= binding or (value == ":" and self.in_set):
                    return left
                if value == "in" and not isinstance(left, Symbol | Listing | Tuple | Apply):
                    raise ParseError("membership of no variable")
                left = self.infix(left, value, strength)
                continue
            if kind == "word" or (kind == "cmd" and self.is_time_unit(left)):
                if binding >= PRODUCT:
                    return left
                word_at = self.position
                left = self.after_word(left)
                if self.position == word_at:
                    return left
                continue
            if (kind, value) == ("op", "(") and self.skips_aside(left):
                continue
            if kind == "num" and (arc := self.minutes(left)) is not None:
                left = arc
                continue
            if (kind, value) == ("op", "and") and (whole := self.with_part(left)) is not None:
                left = whole
                continue
            if self._joins(left, kind, value, spaced):
                if binding >= PRODUCT:
                    return left
                left = self._juxtaposed(left)
                continue
            return left

    def _joins(self, left: Node, kind: str, value: str, spaced: bool) -> bool:
        """Whether the next token begins a factor of an implied product."""
        if isinstance(left, Text) or (isinstance(left, Quantity) and left.unit is None):
            return False
        if kind in ("let", "set"):
            if value == "d" and self.in_integral and self.peek(1)[0] == "let":
                return False
            return kind == "let"
        if kind == "cmd":
            return not value.startswith("end")
        if kind in ("num", "rep", "sci"):
            if isinstance(left, Quantity):
                return False
            if isinstance(left, Number) and not (kind == "num" and self._mixed_follows(spaced)):
                raise ParseError("two numerals beside each other")
            return True
        if kind == "op":
            if value == "|":
                return self.bars == 0 and not self.in_set
            return value in OPENERS
        return False

    def _mixed_follows(self, spaced: bool) -> bool:
        """Whether ``5 1/4`` is written here."""
        return spaced and self.peek(1)[:2] == ("op", "/") and self.peek(2)[0] == "num"

    def _juxtaposed(self, left: Node) -> Node:
        kind, value, spaced = self.peek()
        if isinstance(left, Number) and left.value.denominator == 1 and left.decimals is None:
            if kind == "num" and self._mixed_follows(spaced):
                top, bottom = self.take()[1], (self.take(), self.take())[1][1]
                return forms.mixed(left, forms.numeral(top), forms.numeral(bottom)) or self.fail("two numerals")
            if (kind, value) == ("cmd", "frac"):
                right = self.prefix()
                fraction = right.args if isinstance(right, Apply) else ()
                unit = forms.quotient_unit(fraction)
                if unit is not None:
                    return Quantity(left, unit)
                mixed = forms.mixed(left, *fraction)
                return mixed or Apply("mul", (left, self.expression(PRODUCT, right)))
        if kind == "let" and value == "U" and isinstance(left, Tuple | Set):
            self.take()
            return SetOp("union", left, self.expression(20))
        if self.letters_as_units and kind == "let" and is_unit(value):
            return self.quantity(left)
        if isinstance(left, Symbol) and left.name in ("C", "P", "nCr") and (kind, value) == ("op", "("):
            group = self.prefix()
            if isinstance(group, Tuple) and len(group.items) == 2 and left.name == "C":
                return Apply("binom", group.items)
            return Apply("mul", (left, group))
        return forms.beside(left, self.expression(PRODUCT))

    def infix(self, left: Node, value: str, strength: int) -> Node:
        """``left`` with the operator that comes next and what belongs to it."""
        self.position += 1
        if value in _RELATIONS:
            return self._chain(left, value)
        if value == "^":
            return self._raise(left)
        if strength >= 80:
            return self._postfix(left, value)
        if value in _SETS:
            return SetOp(_SETS[value], left, self.expression(strength))
        if value == ":" and isinstance(left, Text):
            return Relation(("=",), (left, self.expression(10)))
        if value in (":", "to"):
            start = self.position - 2
            parts = [left, self.expression(30)]
            while self.is_op(":", "to"):
                self.position += 1
                parts.append(self.expression(30))
            return Ratio(
                tuple(parts), forms.is_time([token[1] for token in self.tokens[max(0, start) : self.position]])
            )
        if value == "over":
            return Apply("div", (left, self.expression(5)))
        if value == "choose":
            return Apply("binom", (left, self.expression(5)))
        if value == "pmod":
            modulus = self.expression(PRODUCT)
            if isinstance(left, Relation) and left.ops == ("mod",):
                return Relation(("mod",), (*left.terms[:2], modulus))
            return Apply("mod", (left, modulus))
        if value in ("+", "-", "*") and self.is_op("..."):
            return self.dotted(left, value)
        right = self.expression(strength)
        if value == "-" and isinstance(left, Named | Tuple | SetOp) and isinstance(right, Set | Tuple | SetOp):
            return SetOp("difference", left, right)
        if isinstance(left, Text) or isinstance(right, Text):
            raise ParseError("words in an expression")
        if value == "*":
            return forms.product(left, right)
        if value in ("cross", "compose"):
            return forms.in_order(value, left, right)
        if value in ("+", "-") and (whole := matrices.combined("add" if value == "+" else "sub", left, right)):
            return whole
        name = {"+": "add", "-": "sub", "/": "div", "bmod": "mod"}.get(value, value)
        return Apply(name, (left, right))

    def _chain(self, left: Node, op: str) -> Node:
        ops, terms = [op], [left]
        while True:
            if op == "mod" and self.is_op("(") and self.peek(1)[:2] == ("op", "bmod"):
                raise ParseError("a modulus without a number")
            if self.peek() is END and op == "=":
                raise ParseError("nothing after =")
            terms.append(self.expression(10))
            kind, value, _ = self.peek()
            if kind == "op" and value == "(" and self.peek(1)[:2] == ("op", "bmod"):
                self.position += 2
                terms.append(self.expression(10))
                self.expect(")")
                return Relation(tuple(ops), tuple(terms))
            if kind != "op" or value not in _RELATIONS:
                return Relation(tuple(ops), tuple(terms))
            op = value
            ops.append(op)
            self.position += 1

    def _raise(self, left: Node) -> Node:
        if self.is_op("deg"):
            self.position += 1
            return self.degrees(left)
        if self.is_op("{") and self.peek(1)[:2] == ("op", "deg") and self.peek(2)[:2] == ("op", "}"):
            self.position += 3
            return self.degrees(left)
        if self.is_op("'", "{"):
            used = forms.prime_marks(self.tokens, self.position - 1)
            if used is not None:
                self.position += used[1] - 1
                return self.primed(left, used[0])
        if isinstance(left, Text):
            raise ParseError("words in an expression")
        if isinstance(left, Named) and self.is_op("+", "-", "*"):
            return signed(left.name, {"+": ">", "-": "<", "*": "!="}[self.take()[1]])
        if self.is_op("+", "-") and (self.peek(1) is END or self.peek(1)[1] in ("}", ")")):
            return Apply("side", (left, Symbol(self.take()[1])))
        negative = False
        while self.is_op("-", "+"):
            negative ^= self.take()[1] == "-"
        if isinstance(left, Named) and self.is_op("{") and self.peek(1)[1] in "+-*" and self.peek(2)[1] == "}":
            sign = self.peek(1)[1]
            self.position += 3
            return signed(left.name, {"+": ">", "-": "<", "*": "!="}[sign])
        exponent = self.expression(69)
        if negative:
            exponent = Apply("neg", (exponent,))
        if isinstance(left, Matrix):
            return matrices.raised(left, exponent)
        if isinstance(left, Quantity) and left.unit is not None and isinstance(exponent, Number):
            raise ParseError("a power of a quantity")
        return Apply("pow", (left, exponent))

    def _postfix(self, left: Node, value: str) -> Node:
        if value == "_":
            return self.subscript(left)
        if value == "'":
            marks = 1
            while self.is_op("'"):
                self.position += 1
                marks += 1
            return self.primed(left, marks)
        if isinstance(left, Text):
            raise ParseError("words in an expression")
        if value == "deg":
            return self.degrees(left)
        return Apply({"!": "factorial", "!!": "factorial2", "%": "percent"}[value], (left,))

    def prefix(self) -> Node:
        """What may stand at the beginning: a sign, a numeral, a bracket, a function, words."""
        kind, value, _ = self.take()
        if kind == "num":
            return self._numeral(value)
        if kind == "let":
            return Constant(value) if value in ("e", "i") else Symbol(value)
        if kind == "op":
            return self._sign(value)
        if kind == "rep":
            return forms.repeating(value)
        if kind == "sci":
            return forms.scientific(value)
        if kind == "based":
            return self.based(value)
        if kind == "set":
            return self.named(value)
        if kind == "cmd":
            return self.command(value)
        if kind == "word":
            self.position -= 1
            return self.words()
        raise ParseError("the answer ends too early")

    def _numeral(self, text: str) -> Node:
        if len(text) * 3.33 > MAX_BITS:
            raise LimitExceeded("a numeral too long")
        if self.is_op("...") and (self.ends_after(1) and ("." in text or self.peek(1) is END)):
            self.position += 1
            return forms.continued(text)
        return forms.numeral(text)

    def _sign(self, value: str) -> Node:
        if value in ("-", "+"):
            inner = self.expression(SIGN)
            return inner if value == "+" else forms.negative(inner)
        if value in ("pm", "mp"):
            return Apply(value, (number(0), self.expression(SIGN)))
        if value == "|":
            value = "|("
        if value in OPENERS:
            return self._group(value)
        if value in CURRENCIES:
            return Quantity(self.expression(SIGN), ((value, 1),))
        if value == "...":
            return dots.DOTS
        raise ParseError(f"unexpected {value!r}")

    def _group(self, opener: str) -> Node:
        """A bracket with what is in it, its closing sign taken."""
        closer = OPENERS[opener]
        if opener == "|(":
            self.bars += 1
            inner = self.expression(0)
            self.bars -= 1
            if not self.is_op("|", "|)"):
                raise ParseError("a bar is not closed")
            self.position += 1
            return Apply("abs", (inner,))
        closers = (")", "]") if opener in ("(", "[") else (closer,)
        if opener == "floor(":
            closers = (closer, "ceil)")
        if self.is_op(*closers):
            self.position += 1
            if opener == "\\{":
                return Named("empty")
            if opener == "{":
                return self.prefix()
            raise ParseError("an empty bracket")
        bars, self.bars, in_set = self.bars, 0, self.in_set
        self.in_set = int(opener == "\\{")
        inner = self.sequence(closers)
        if opener == "\\{" and self.is_op("mid", "|", ":"):
            self.position += 1
            self.in_set = 0
            inner = Builder(inner, self.sequence(closers))
        self.bars, self.in_set = bars, in_set
        if not self.is_op(*closers):
            raise ParseError(f"{opener!r} is not closed")
        closed = self.take()[1]
        if opener == "{" or isinstance(inner, Builder):
            return inner
        if opener == "\\{" and isinstance(inner, Listing):
            return Set(inner.items)
        if opener in ("floor(", "ceil("):
            return Apply("round" if opener[:-1] != closed[:-1] else opener[:-1], (inner,))
        if not isinstance(inner, Listing) and {opener, closed} in ({"(", "]"}, {"[", ")"}):
            raise ParseError(f"{opener!r} is closed by {closed!r}")
        return forms.bracket(opener, inner, closed)
