"""Tokens to a tree: one bounded operator-precedence parser for expressions and whole answers.

Each bracket costs three frames of Python's stack, so that ``MAX_NESTING`` levels fit its default depth. What cannot be
read as mathematics raises ``ParseError``; ``parse_answer`` then keeps the answer as words.
"""

from __future__ import annotations

from typing import Final

from zoo_harp.checker import forms
from zoo_harp.checker.limits import MAX_BITS, LimitExceeded
from zoo_harp.checker.tokens import FUNCTIONS, OPENERS, Token
from zoo_harp.checker.tree import (
    Apply,
    Based,
    Builder,
    Constant,
    Listing,
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
from zoo_harp.checker.units import is_unit, read_unit
from zoo_harp.checker.words import FILLERS, NUMBER_WORDS, PARTS, read_number

_END: Final[Token] = ("end", "", False)
_RELATIONS: Final = frozenset(("=", "<", "<=", ">", ">=", "!=", "in", "~", "mod"))
_SETS: Final = {"cup": "union", "cap": "intersection", "minus": "difference"}
_BINDING: Final = {
    **dict.fromkeys(_RELATIONS, 10),
    "cup": 20, "cap": 22, "minus": 20, ":": 30, "to": 30, "+": 40, "-": 40, "pm": 40, "mp": 40, "bmod": 45,
    "*": 50, "/": 50, "^": 70, "!": 80, "!!": 80, "%": 80, "deg": 80, "'": 80, "_": 90, "over": 5, "choose": 5,
    "pmod": 9,
}  # fmt: skip
_PRODUCT: Final = 50
_SIGN: Final = 49
_SEPARATORS: Final = frozenset((",", ";", "and", "or"))
_CALLED: Final = frozenset("fghFGHPQ")
_POWER_ONLY: Final = frozenset(("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "ln", "log"))


class ParseError(Exception):
    """The tokens are no mathematics that is known."""


class Parser:
    """One pass over a list of tokens; ``letters_as_units`` reads a letter after a number as a unit where it can."""

    def __init__(self, tokens: list[Token], *, letters_as_units: bool = False) -> None:
        self.tokens = tokens
        self.at = 0
        self.letters_as_units = letters_as_units
        self.bars = 0
        self.in_set = 0
        self.in_integral = 0

    def peek(self, ahead: int = 0) -> Token:
        """A token not yet taken."""
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else _END

    def take(self) -> Token:
        """The next token."""
        found = self.peek()
        self.at += 1
        return found

    def is_op(self, *values: str) -> bool:
        """Whether the next token is one of these signs."""
        kind, value, _ = self.peek()
        return kind == "op" and value in values

    def expect(self, value: str) -> None:
        """Take the sign ``value``, or fail."""
        if not self.is_op(value):
            raise ParseError(f"expected {value!r} before {self.peek()[1]!r}")
        self.at += 1

    def answer(self) -> Node:
        """The whole answer."""
        while self.is_op("=", "~", "to", ":"):
            self.at += 1
        found = self.sequence(())
        while self.is_op("."):
            self.at += 1
        if self.peek() is not _END:
            raise ParseError(f"unexpected {self.peek()[1]!r}")
        return found

    def sequence(self, closers: tuple[str, ...]) -> Node:
        """Items up to a closing sign or the end: a ``Listing`` where there are several."""
        items: list[Node] = []
        joiner = ","
        while True:
            items.append(self.expression(0))
            separated = False
            while self.is_op(*_SEPARATORS):
                value = self.take()[1]
                joiner = value if value in ("and", "or") else joiner
                separated = True
            if not separated and isinstance(items[-1], Quantity) and items[-1].unit and self._starts_number():
                separated = True  # 5 feet 3 inches
            if not separated or (self.peek() is _END and not closers):
                break
        return items[0] if len(items) == 1 else Listing(tuple(items), joiner)

    def _starts_number(self) -> bool:
        return self.peek()[0] == "num"

    def expression(self, binding: int, left: Node | None = None) -> Node:
        """An expression whose operators bind tighter than ``binding``; ``left`` is its beginning if already taken."""
        left = self.prefix() if left is None else left
        while True:
            kind, value, spaced = self.peek()
            if kind == "end":
                return left
            if kind == "op" and value in _BINDING:
                strength = _BINDING[value]
                if strength <= binding or (value == ":" and self.in_set):
                    return left
                if value == "in" and not isinstance(left, Symbol | Listing | Tuple | Apply):
                    raise ParseError("membership of no variable")
                left = self._infix(left, value, strength)
                continue
            if kind == "word" or (kind == "cmd" and self._is_time_unit(left)):
                if binding >= _PRODUCT:
                    return left
                word_at = self.at
                left = self._after_word(left)
                if self.at == word_at:
                    return left
                continue
            if self._joins(left, kind, value, spaced):
                if binding >= _PRODUCT:
                    return left
                left = self._juxtaposed(left)
                continue
            return left

    def _joins(self, left: Node, kind: str, value: str, spaced: bool) -> bool:
        """Whether the next token begins a factor of an implied product."""
        if isinstance(left, Text):
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
        if isinstance(left, Number) and left.value.denominator == 1 and left.places is None:
            if kind == "num" and self._mixed_follows(spaced):
                top, bottom = self.take()[1], (self.take(), self.take())[1][1]
                return forms.mixed(left, forms.numeral(top), forms.numeral(bottom)) or self._fail("two numerals")
            if (kind, value) == ("cmd", "frac"):
                right = self.prefix()
                fraction = right.args if isinstance(right, Apply) else ()
                unit = forms.quotient_unit(fraction)
                if unit is not None:
                    return Quantity(left, unit)
                mixed = forms.mixed(left, *fraction)
                return mixed or Apply("mul", (left, self.expression(_PRODUCT, right)))
        if kind == "let" and value == "U" and isinstance(left, Tuple | Set):
            self.take()
            return SetOp("union", left, self.expression(20))
        if self.letters_as_units and kind == "let" and is_unit(value):
            return self._quantity(left)
        if isinstance(left, Symbol) and left.name in _CALLED and (kind, value) == ("op", "("):
            return Apply("call", (left, self.prefix()))
        if isinstance(left, Symbol) and left.name in ("C", "P", "nCr") and (kind, value) == ("op", "("):
            group = self.prefix()
            if isinstance(group, Tuple) and len(group.items) == 2 and left.name == "C":
                return Apply("binom", group.items)
            return Apply("mul", (left, group))
        return Apply("mul", (left, self.expression(_PRODUCT)))

    def _fail(self, why: str) -> Node:
        raise ParseError(why)

    def _infix(self, left: Node, value: str, strength: int) -> Node:
        self.at += 1
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
            parts = [left, self.expression(30)]
            while self.is_op(":", "to"):
                self.at += 1
                parts.append(self.expression(30))
            return Ratio(tuple(parts))
        if value == "over":
            return Apply("div", (left, self.expression(5)))
        if value == "choose":
            return Apply("binom", (left, self.expression(5)))
        if value == "pmod":
            modulus = self.expression(_PRODUCT)
            if isinstance(left, Relation) and left.ops == ("mod",):
                return Relation(("mod",), (*left.terms[:2], modulus))
            return Apply("mod", (left, modulus))
        right = self.expression(strength)
        if value == "-" and isinstance(left, Named | Tuple | SetOp) and isinstance(right, Set | Tuple | SetOp):
            return SetOp("difference", left, right)
        if isinstance(left, Text) or isinstance(right, Text):
            raise ParseError("words in a calculation")
        name = {"+": "add", "-": "sub", "*": "mul", "/": "div", "bmod": "mod"}.get(value, value)
        return Apply(name, (left, right))

    def _chain(self, left: Node, op: str) -> Node:
        ops, terms = [op], [left]
        while True:
            if op == "mod" and self.is_op("(") and self.peek(1)[:2] == ("op", "bmod"):
                raise ParseError("a modulus without a number")
            if self.peek() is _END and op == "=":
                raise ParseError("nothing after =")
            terms.append(self.expression(10))
            kind, value, _ = self.peek()
            if kind == "op" and value == "(" and self.peek(1)[:2] == ("op", "bmod"):
                self.at += 2
                terms.append(self.expression(10))
                self.expect(")")
                return Relation(tuple(ops), tuple(terms))
            if kind != "op" or value not in _RELATIONS:
                return Relation(tuple(ops), tuple(terms))
            op = value
            ops.append(op)
            self.at += 1

    def _raise(self, left: Node) -> Node:
        if self.is_op("deg"):
            self.at += 1
            return Apply("deg", (left,))
        if self.is_op("{") and self.peek(1)[:2] == ("op", "deg") and self.peek(2)[:2] == ("op", "}"):
            self.at += 3
            return Apply("deg", (left,))
        if self.is_op("'"):
            raise ParseError("a prime")
        negative = False
        while self.is_op("-", "+"):
            negative ^= self.take()[1] == "-"
        exponent = self.expression(69)
        if negative:
            exponent = Apply("neg", (exponent,))
        if isinstance(left, Quantity) and left.unit is not None and isinstance(exponent, Number):
            raise ParseError("a power of a quantity")
        return Apply("pow", (left, exponent))

    def _postfix(self, left: Node, value: str) -> Node:
        if value == "_":
            return self._subscript(left)
        if value == "'":
            raise ParseError("a prime")
        if isinstance(left, Text):
            raise ParseError("words in a calculation")
        return Apply({"!": "factorial", "!!": "factorial2", "%": "percent", "deg": "deg"}[value], (left,))

    def _subscript(self, left: Node) -> Node:
        start = self.at
        index = self.prefix()
        if isinstance(left, Symbol):
            name = "".join(value for _, value, _ in self.tokens[start : self.at] if value not in ("{", "}", "(", ")"))
            return Symbol(f"{left.name}_{name}")
        base = forms.whole(index)
        if isinstance(left, Number) and left.value.denominator == 1 and base is not None:
            return Based(str(left.value.numerator), base)
        raise ParseError("a subscript")

    def _is_time_unit(self, left: Node) -> bool:
        """Whether ``min`` or ``sec`` stands here for minutes or seconds."""
        after = self.peek(1)
        argument = after[0] in ("let", "num", "cmd") or after[1] in ("(", "{", "_", "^", "\\{")
        return self.peek()[1] in ("min", "sec") and not argument and forms.is_constant(left)

    def _after_word(self, left: Node) -> Node:
        """A unit or idle words after a value; words that belong to the next item are left alone."""
        words = [word.lower() for word in self._words_ahead()]
        if isinstance(left, Text) or words[0] == "from":
            return left
        if words[0] == "to":
            self.at += 1
            return Ratio((left, self.expression(30)))
        if words[0] == "in" and isinstance(left, Symbol):
            return self._infix(left, "in", 10)
        if words[0] == "base" and isinstance(left, Number) and left.value.denominator == 1:
            self.at += 1
            base = forms.whole(self.prefix())
            return Based(str(left.value.numerator), base) if base else self._fail("a base")
        if words[0] in PARTS and isinstance(left, Number):
            self.at += 1
            return Apply("div", (left, number(PARTS[words[0]])))
        scale = (
            read_number(words[:1]) if words[0] in ("hundred", "thousand", "million", "billion", "trillion") else None
        )
        if scale and isinstance(left, Number):
            self.at += 1
            return Apply("mul", (left, Number(scale[0])))
        return self._quantity(left)

    def _words_ahead(self) -> list[str]:
        """Values of the words that follow, powers and quotients of units folded in."""
        found: list[str] = []
        for at in range(self.at, min(self.at + 12, len(self.tokens))):
            kind, value, _ = self.tokens[at]
            if kind not in ("word", "let") and value not in ("/", "*", ".", "-", "min", "sec"):
                break
            found.append(value)
        return found

    def _quantity(self, left: Node) -> Node:
        words, lengths = forms.unit_words(self.tokens, self.at)
        found = read_unit(words)
        if found is not None:
            unit, used = found
            self.at += sum(lengths[:used])
            if self.is_op("."):
                self.at += 1
            return Quantity(left, unit or None)
        if isinstance(left, Tuple | Set | Text) or not forms.is_constant(left):
            raise ParseError("words after a symbol")
        while self.peek()[0] == "word":
            self.at += 1
        return Quantity(left, None)

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
            return self._based(value)
        if kind == "set":
            return Named(value)
        if kind == "cmd":
            return self._command(value)
        if kind == "word":
            self.at -= 1
            return self._words()
        raise ParseError("the answer ends too early")

    def _numeral(self, text: str) -> Node:
        if len(text) * 3.33 > MAX_BITS:
            raise LimitExceeded("a numeral too long")
        if self.is_op("..."):
            self.at += 1
            return forms.continued(text)
        return forms.numeral(text)

    def _based(self, digits: str) -> Node:
        self.expect("_")
        base = forms.whole(self.prefix())
        if base is None:
            raise ParseError("a base that is no number")
        return Based(digits.lstrip("0") or "0", base)

    def _sign(self, value: str) -> Node:
        if value in ("-", "+"):
            inner = self.expression(_SIGN)
            return inner if value == "+" else forms.negative(inner)
        if value in ("pm", "mp"):
            return Apply(value, (number(0), self.expression(_SIGN)))
        if value == "|":
            value = "|("
        if value in OPENERS:
            return self._group(value)
        if value == "dollar":
            return Quantity(self.expression(_SIGN), (("dollar", 1),))
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
            self.at += 1
            return Apply("abs", (inner,))
        closers = (")", "]") if opener in ("(", "[") else (closer,)
        if self.is_op(*closers):
            self.at += 1
            if opener == "\\{":
                return Named("empty")
            if opener == "{":
                return self.prefix()
            raise ParseError("an empty bracket")
        bars, self.bars, in_set = self.bars, 0, self.in_set
        self.in_set = int(opener == "\\{")
        inner = self.sequence(closers)
        if opener == "\\{" and self.is_op("mid", "|", ":"):
            self.at += 1
            self.in_set = 0
            inner = Builder(inner, self.sequence(closers))
        self.bars, self.in_set = bars, in_set
        if not self.is_op(*closers):
            raise ParseError(f"{opener!r} is not closed")
        closed = self.take()[1]
        if opener == "{" or isinstance(inner, Builder):
            return inner
        if opener in ("floor(", "ceil("):
            return Apply(opener[:-1], (inner,))
        return forms.bracket(opener, inner, closed)

    def _command(self, name: str) -> Node:
        if name in ("pi", "oo"):
            return Constant(name)
        if name == "empty":
            return Named(name)
        if name == "frac":
            return Apply("div", (self.argument(), self.argument()))
        if name == "binom":
            return Apply("binom", (self.argument(), self.argument()))
        if name in ("sqrt", "cbrt"):
            return self._root(name)
        if name in FUNCTIONS:
            return self._function(name)
        if name in ("sum", "prod", "int", "lim"):
            return forms.big_operator(self, name)
        if name == "overline":
            inner = self.argument()
            return Symbol(f"bar {inner.name}") if isinstance(inner, Symbol) else inner
        if name.startswith("begin "):
            return forms.environment(self, name[6:])
        raise ParseError(f"unexpected {name!r}")

    def argument(self) -> Node:
        """A group, or one sign: of a numeral the first digit only."""
        kind, value, _ = self.peek()
        if kind == "num" and len(value) > 1 and value.isdigit():
            self.tokens[self.at] = ("num", value[1:], False)
            return forms.numeral(value[0])
        if kind == "op" and value == "-":
            raise ParseError("a sign without braces")
        return self.prefix()

    def _root(self, name: str) -> Node:
        index: Node = number(3 if name == "cbrt" else 2)
        if name == "sqrt" and self.is_op("["):
            self.at += 1
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
                self.at += 1
                power = Apply("neg", (self.prefix(),))
            else:
                power = self.prefix()
        argument = self._function_argument()
        if power == Apply("neg", (number(1),)) and name in ("sin", "cos", "tan"):
            return Apply("arc" + name, (argument,))
        if name == "log":
            called: Node = Apply("log", (base or number(10), argument))
        elif name == "lg":
            called = Apply("log", (number(10), argument))
        elif name in ("gcd", "lcm", "max", "min"):
            called = Apply(name, argument.items if isinstance(argument, Tuple | Listing | Set) else (argument,))
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
            self.at += 1
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
            self.at += 1
            argument = Apply("div", (argument, self.expression(60)))
        return argument

    def _words(self) -> Node:
        """A number in words, fillers before a value, or a text."""
        ahead = forms.plain_words(self.tokens, self.at)
        lower = [word.lower() for word in ahead]
        found = read_number(lower)
        if found is not None:
            value, used = found
            after = lower[used] if used < len(lower) else ""
            if used < len(lower) and after not in PARTS and after not in NUMBER_WORDS and not is_unit(ahead[used]):
                return self._text()
            self.at += used
            return Number(value)
        if lower[0] in ("negative", "minus") and self.peek(1)[0] not in ("end", "op"):
            self.at += 1
            return Apply("neg", (self.expression(_SIGN),))
        if lower[0] in FILLERS and self.peek(1)[0] not in ("word", "end"):
            self.at += 1
            return self.prefix()
        if lower[0] == "infinity":
            self.at += 1
            return Constant("oo")
        return self._text()

    def _text(self) -> Node:
        words: list[str] = []
        while self.peek()[0] == "word" or self.is_op("'", ".", "-"):
            kind, value, _ = self.take()
            if kind == "word" and value.lower() not in ("a", "an", "the"):
                words.append(value.lower())
        return Text(tuple(words))
