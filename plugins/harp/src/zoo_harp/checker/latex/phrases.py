"""The parser's part for words, units, subscripts and bases."""

from __future__ import annotations

from typing import Final

from zoo_harp.checker.latex import forms
from zoo_harp.checker.latex.cursor import SIGN, Cursor, ParseError
from zoo_harp.checker.latex.sets import named_set
from zoo_harp.checker.lexicon import denies
from zoo_harp.checker.tree import (
    Apply,
    Based,
    Constant,
    Listing,
    Named,
    Node,
    Number,
    Quantified,
    Quantity,
    Ratio,
    Relation,
    Set,
    Symbol,
    Text,
    Tuple,
    number,
)
from zoo_harp.checker.units import is_unit, read_unit
from zoo_harp.checker.vocabulary import names
from zoo_harp.checker.words import CONDITIONS, FILLERS, NUMBER_WORDS, PARTS, read_number, read_part

_VERBS: Final = frozenset(
    names("is are was were does do did has have can could would will may might falls fall goes leads gives lies")
)
_CLAUSAL: Final = frozenset(names("we it they he she i you before after because since until while who which"))
"""words of a clause: what has them after a value is no unit and no noun that is counted"""
_COMPUTED: Final = frozenset(names("squared cubed factorial divided multiplied choose raised doubled tripled halved"))
"""words after a value that make another one of it"""
_MAX_DIGITS: Final = 30
_SCALES: Final = {"C": "celsius", "F": "fahrenheit", "Celsius": "celsius", "Fahrenheit": "fahrenheit"}


class Phrases(Cursor):
    """Reads words after and before values."""

    def degrees(self, left: Node) -> Node:
        """An angle, or a temperature where a C or F follows."""
        kind, value, _ = self.peek()
        if kind in ("let", "word") and value in _SCALES and forms.is_constant(left):
            self.position += 1
            return Quantity(left, ((_SCALES[value], 1),))
        return Apply("deg", (left,))

    def is_time_unit(self, left: Node) -> bool:
        """Whether ``min`` or ``sec`` stands here for minutes or seconds."""
        after = self.peek(1)
        argument = after[0] in ("let", "num", "cmd") or after[1] in ("(", "{", "_", "^", "\\{")
        return self.peek()[1] in ("min", "sec") and not argument and forms.is_constant(left)

    def after_word(self, left: Node) -> Node:
        """A unit or ignored words after a value; words that belong to the next item are not taken."""
        words = [word.lower() for word in self._words_ahead()]
        if isinstance(left, Text) or words[0] == "from":
            return left
        if words[0] == "to":
            self.position += 1
            return Ratio((left, self.expression(30)))
        if words[0] == "by":
            self.position += 1
            return Listing((left, self.expression(30)), ",")
        if words[:2] == ["out", "of"]:
            self.position += 2
            return Apply("div", (left, self.expression(30)))
        if words[0] == "in" and isinstance(left, Symbol):
            return self.infix(left, "in", 10)
        if words[0] == "base" and isinstance(left, Number) and left.value.denominator == 1:
            self.position += 1
            base = forms.whole(self.prefix())
            return Based(str(left.value.numerator), base) if base else self.fail("a base")
        if words[0] in PARTS and isinstance(left, Number):
            self.position += 1
            return Apply("div", (left, number(PARTS[words[0]])))
        if words[0] == "dozen" and isinstance(left, Number):
            self.position += 1
            return Apply("mul", (left, number(12)))
        scale = (
            read_number(words[:1]) if words[0] in ("hundred", "thousand", "million", "billion", "trillion") else None
        )
        if scale and isinstance(left, Number):
            self.position += 1
            return Apply("mul", (left, Number(scale[0])))
        return self.quantity(left)

    def _words_ahead(self) -> list[str]:
        """Values of the words that follow, powers and quotients of units folded in."""
        values: list[str] = []
        for position in range(self.position, min(self.position + 12, len(self.tokens))):
            kind, value, _ = self.tokens[position]
            if kind not in ("word", "let") and value not in ("/", "*", ".", "-", "min", "sec"):
                break
            values.append(value)
        return values

    def quantity(self, left: Node) -> Node:
        """``left`` with the unit or the ignored words after it."""
        words, lengths = forms.unit_words(self.tokens, self.position)
        match = read_unit(words)
        if match is not None:
            unit, used = match
            self.position += sum(lengths[:used])
            if self.is_op("."):
                self.position += 1
            return Quantity(left, unit or None)
        if isinstance(left, Tuple | Set | Text) or not forms.is_constant(left):
            raise ParseError("words after a symbol")
        idle = forms.plain_words(self.tokens, self.position)
        if idle and (idle[0].lower() in _VERBS or not _CLAUSAL.isdisjoint(word.lower() for word in idle)):
            raise ParseError("a statement")
        if (_COMPUTED | {*PARTS}).issuperset(word.lower() for word in idle[:1]) or (
            len(idle) > 1 and idle[0].lower() == "times"
        ):
            raise ParseError("a power or product in words")
        if denies(idle) or not CONDITIONS.isdisjoint(word.lower() for word in idle):
            raise ParseError("a denial or a condition")
        while self.peek()[0] == "word":
            self.position += 1
        if self.peek()[0] in ("num", "rep", "sci"):
            raise ParseError("words between values")
        return Quantity(left, None)

    def words(self) -> Node:
        """A number in words, fillers before a value, or a text."""
        ahead = forms.plain_words(self.tokens, self.position)
        lower = [word.lower() for word in ahead]
        match = read_number(lower)
        if match is not None:
            value, used = match
            after = lower[used] if used < len(lower) else ""
            if used < len(lower) and after not in PARTS and after not in NUMBER_WORDS and not is_unit(ahead[used]):
                return self._text()
            self.position += used
            return Number(value)
        if lower[0] in ("forall", "exists"):
            return self._quantified()
        if named_set(lower) is not None:
            return self._text()
        if lower[0] in ("negative", "minus") and self.peek(1)[0] not in ("end", "op"):
            self.position += 1
            return Apply("neg", (self.expression(SIGN),))
        if lower[0] in FILLERS and ahead[0] != "A" and self.peek(1)[0] not in ("word", "end"):
            self.position += 1
            return self.prefix()
        if lower[0] == "infinity":
            self.position += 1
            return Constant("oo")
        return self._text()

    def _quantified(self) -> Node:
        """A quantifier with its variable and what is said of it."""
        quantifier = self.take()[1]
        in_set, self.in_set = self.in_set, 1  # a colon ends the domain
        alone = self.peek(1)[0] == "word" and self.peek(1)[1].lower() != "in"
        domain = self.prefix() if alone else self.expression(0)
        self.in_set = in_set
        variable = domain.terms[0] if isinstance(domain, Relation) else domain
        if not isinstance(variable, Symbol):
            raise ParseError("a quantifier without a variable")
        if [self.peek(k)[1].lower() for k in (0, 1)] == ["such", "that"]:
            self.position += 2
        while self.is_op(",", ":", "mid"):
            self.position += 1
        statement = self.expression(0)
        if self.is_op(",", ";", "and", "or", ":"):
            raise ParseError("a quantifier with several statements")
        return Quantified(quantifier, domain, statement)

    def with_part(self, left: Node) -> Node | None:
        """``left`` and the fraction in words after it, as in "2 and a half"; None if there is none."""
        if not isinstance(left, Number) or left.value.denominator != 1 or left.decimals is not None:
            return None
        match = read_part([word.lower() for word in forms.plain_words(self.tokens, self.position)])
        if match is None:
            return None
        self.position += match[1]
        return Number(left.value + match[0])

    def _text(self) -> Node:
        words: list[str] = []
        while self.peek()[0] == "word" or self.is_op("'", ".", "-"):
            kind, value, _ = self.take()
            if kind == "word" and (value.lower() not in ("a", "an", "the") or value == "A"):
                words.append(value.lower())
        if words == ["all", "real"] and self.peek()[0] == "let":
            self.position += 1
            return Named("R")
        if words[-1:] == ["of"] and self.peek()[0] == "num" and self.peek()[1].isdigit():
            named = named_set(words, int(self.peek()[1][:_MAX_DIGITS]))
            if named is not None:
                self.position += 1
                return named
        if words[:2] == ["infinitely", "many"] or words == ["infinite"]:
            return Constant("oo")
        return named_set(words) or Text(tuple(words))

    def subscript(self, left: Node) -> Node:
        """An indexed variable, or a numeral with its base."""
        start = self.position
        index = self.prefix()
        if isinstance(left, Symbol) and not isinstance(index, Relation):
            name = "".join(
                value for _, value, _ in self.tokens[start : self.position] if value not in ("{", "}", "(", ")")
            )
            return Symbol(f"{left.name}_{name}")
        base = forms.whole(index)
        if isinstance(left, Number) and left.value.denominator == 1 and base is not None:
            return Based(str(left.value.numerator), base)
        raise ParseError("a subscript")

    def based(self, digits: str) -> Node:
        """A numeral with its base."""
        self.expect("_")
        base = forms.whole(self.prefix())
        if base is None:
            raise ParseError("a base that is not a number")
        return Based(digits.lstrip("0") or "0", base)
