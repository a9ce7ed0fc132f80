"""Special forms of the parser: numerals, mixed numbers, brackets, big operators and matrices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from zoo_harp.checker.latex import matrices
from zoo_harp.checker.latex.cursor import END, ParseError
from zoo_harp.checker.latex.tokens import Token
from zoo_harp.checker.limits import MAX_BITS, LimitExceeded
from zoo_harp.checker.tree import (
    Apply,
    Cases,
    Constant,
    Listing,
    Matrix,
    Node,
    Number,
    Quantity,
    Ratio,
    Relation,
    Set,
    Symbol,
    Text,
    Tuple,
    number,
    rebuilt,
    walk,
)
from zoo_harp.checker.units import Unit, read_unit
from zoo_harp.checker.words import read_number

if TYPE_CHECKING:
    from zoo_harp.checker.latex.cursor import Cursor

_MATRICES: Final = frozenset(("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix", "array"))
_BLOCK: Final = re.compile(r"^(\d*\.\d*?)(\d{1,3}?)\2{2,}$")


def numeral(text: str) -> Number:
    """Digits with or without a decimal point."""
    whole, point, decimals = text.partition(".")
    if not point:
        return Number(Fraction(int(text)))
    significant = (whole + decimals).lstrip("0")
    return Number(Fraction(text if whole else "0" + text), len(decimals), len(significant))


def repeating(parts: str) -> Number:
    """``0.1|6`` is 0.1666...: the digits before the block, and the block."""
    head, _, block = parts.partition("|")
    decimals = len(head.partition(".")[2])
    start = Fraction(head if head.strip(".") else "0")
    return Number(start + Fraction(int(block), 10**decimals * (10 ** len(block) - 1)))


def continued(text: str) -> Number:
    """A decimal with dots after it: a block written three times repeats forever, else it is only cut."""
    result = _BLOCK.match(text)
    if result:
        return repeating(f"{result[1] or '0.'}|{result[2]}")
    plain = numeral(text)
    return Number(plain.value, plain.decimals or 0, plain.digits, cut=True)


def scientific(text: str) -> Number:
    """``4.2e5``.

    Raises:
        LimitExceeded: the exponent is too large.
    """
    digits, _, exponent = text.lower().partition("e")
    if len(exponent) > 7 or abs(int(exponent)) * 3.33 > MAX_BITS:
        raise LimitExceeded("an exponent too large")
    return Number(Fraction(digits if digits[0] != "." else "0" + digits) * Fraction(10) ** int(exponent))


def quotient_unit(parts: Sequence[Node]) -> Unit | None:
    """The unit of a fraction of two words, such as miles over hour; None if it is none."""
    if len(parts) != 2 or not all(isinstance(part, Text) for part in parts):
        return None
    top, bottom = (part.words if isinstance(part, Text) else () for part in parts)
    result = read_unit((*top, "/", *bottom))
    return result[0] if result else None


def mixed(whole: Node, *fraction: Node) -> Node | None:
    """Their sum, where the three are plain integers and the fraction is a proper one."""
    if len(fraction) != 2:
        return None
    top, bottom = fraction
    if not isinstance(top, Number) or not isinstance(bottom, Number):
        return None
    if any(part.decimals is not None or part.value.denominator != 1 for part in (top, bottom)):
        return None
    if top.value >= bottom.value or top.value < 1:
        return None
    return Apply("mixed", (whole, Apply("div", (top, bottom))))


def negative(inner: Node) -> Node:
    """Minus ``inner``; the sign of a quantity belongs to its value."""
    if isinstance(inner, Quantity):
        return Quantity(Apply("neg", (inner.value,)), inner.unit)
    if isinstance(inner, Matrix):
        return product(number(-1), inner)
    return Apply("neg", (inner,))


def product(left: Node, right: Node) -> Node:
    """Their product; a matrix times an expression or a matrix is a matrix."""
    return matrices.combined("mul", left, right) or Apply("mul", (left, right))


def in_order(sign: str, left: Node, right: Node) -> Node:
    """A composition of functions, or a cross product, which changes its sign with the order of its factors."""
    if sign == "compose":
        parts = [item for side in (left, right) for item in (composed(side) or (side,))]
        return Apply("call", (Symbol("∘"), Tuple("(", tuple(parts), ")")))
    turned = str(right) < str(left)
    pair = Tuple("(", (right, left) if turned else (left, right), ")")
    crossed = Apply("call", (Symbol("×"), pair))
    return Apply("neg", (crossed,)) if turned else crossed


def composed(node: Node) -> tuple[Node, ...]:
    """The functions that a composition joins; none of anything else."""
    joined = isinstance(node, Apply) and node.op == "call" and node.args[0] == Symbol("∘")
    inner = node.args[1] if joined and isinstance(node, Apply) else None
    return inner.items if isinstance(inner, Tuple) else ()


def beside(left: Node, right: Node) -> Node:
    """Two values without a sign between them: a product, or a point with its name, as in A(1,2)."""
    if isinstance(right, Tuple) and isinstance(left, Symbol) and left.name.isupper():
        return Relation(("=",), (left, right))
    return product(left, right)


def terms(op: str, node: Node) -> list[Node]:
    """The terms of a sum, or the factors of a product, from the left."""
    result: list[Node] = []
    while isinstance(node, Apply) and node.op in (op, "sub" if op == "add" else op):
        result.append(Apply("neg", (node.args[1],)) if node.op == "sub" else node.args[1])
        node = node.args[0]
    return [node, *reversed(result)]


def prime_marks(tokens: list[Token], position: int) -> tuple[int, int] | None:
    """How many primes stand at ``at``, plain or raised, and how many tokens they take; None if there are none."""
    start = position
    values = [value for _, value, _ in tokens[position : position + 6]] + [""] * 6
    braced = values[0] == "^" and values[1] == "{"
    position = 2 if braced else int(values[0] == "^")
    marks = 0
    while values[position] in ("'", '"') and position < 5:
        marks += 1 + (values[position] == '"')
        position += 1
    if not marks or (braced and values[position] != "}"):
        return None
    return marks, min(position + int(braced), len(tokens) - start)


def is_time(values: Sequence[str]) -> bool:
    """Whether these signs are a time of day, such as 7, ":" and "30"."""
    if len(values) not in (3, 5) or any(sign != ":" for sign in values[1::2]):
        return False
    hours, *rest = values[::2]
    return hours.isdigit() and int(hours) <= 24 and all(len(v) == 2 and v.isdigit() and int(v) < 60 for v in rest)


def whole(node: Node) -> int | None:
    """The value of a small integer literal, also in words ("four", "base 4"); None if it is none."""
    if isinstance(node, Number) and node.value.denominator == 1 and node.value <= 100:
        return int(node.value)
    if isinstance(node, Text):
        result = read_number([word for word in node.words if word != "base"])
        return int(result[0]) if result and result[0].denominator == 1 else None
    return None


def is_constant(node: Node) -> bool:
    """Whether it has no variable."""
    return not any(isinstance(part, Symbol) for part in walk(node))


def bracket(opener: str, inner: Node, closer: str) -> Node:
    """What brackets around ``inner`` mean: a tuple or set of several items, else grouping."""
    if opener == "\\{":
        return Set(inner.items if isinstance(inner, Listing) else (inner,))
    if isinstance(inner, Listing) and inner.joiner == ",":
        return Tuple("<" if opener == "<(" else opener, inner.items, ">" if closer == ")>" else closer)
    if opener == "[" and isinstance(inner, Symbol) and inner.name[:1].islower():
        return Apply("floor", (inner,))  # nobody puts one letter in brackets: Gauss's sign
    return inner


def unit_words(tokens: list[Token], position: int) -> tuple[list[str], list[int]]:
    """Words for ``read_unit`` from ``at`` on, and how many tokens each takes; a power is written ``^2``."""
    words: list[str] = []
    lengths: list[int] = []
    while position < len(tokens):
        kind, value, _ = tokens[position]
        if kind in ("word", "let") or (kind == "cmd" and value in ("min", "sec")) or value in ("/", "*", "."):
            words.append(value)
            lengths.append(1)
            position += 1
        elif value == "^":
            step = 1
            braced = tokens[position + 1 : position + 2] and tokens[position + 1][1] == "{"
            start = position + 2 if braced else position + 1
            sign = "-" if tokens[start : start + 1] and tokens[start][1] == "-" else ""
            start += len(sign)
            if not (tokens[start : start + 1] and tokens[start][0] == "num" and tokens[start][1] in "123456"):
                break
            step = start + 1 + int(bool(braced)) - position
            words.append(f"^{sign}{tokens[start][1]}")
            lengths.append(step)
            position += step
        else:
            break
    return words, lengths


def plain_words(tokens: list[Token], position: int) -> list[str]:
    """The words from ``at`` on, with hyphens, "and" and "and a" between them."""
    words: list[str] = []
    while position < len(tokens):
        kind, value, _ = tokens[position]
        article = value == "a" and words[-1:] == ["and"]
        if kind != "word" and value not in ("-", "and") and not article:
            break
        words.append(value)
        position += 1
    return words


def big_operator(parser: Cursor, name: str) -> Node:
    """A sum, product, integral or limit, with its limits and body.

    Raises:
        ParseError: its form is not known.
    """
    low: Node | None = None
    high: Node | None = None
    while parser.is_op("_", "^"):
        if parser.take()[1] == "_":
            low = parser.argument()
        else:
            high = parser.argument()
    if name == "lim":
        if not isinstance(low, Ratio) or len(low.parts) != 2 or not isinstance(low.parts[0], Symbol):
            raise ParseError("a limit without its point")
        return Apply("lim", (*low.parts, parser.expression(45)))
    if name == "int":
        parser.in_integral += 1
        body = parser.expression(40)
        parser.in_integral -= 1
        inside = [part for part in walk(body) if _is_differential(part)]
        if len(inside) == 1 and not parser.is_let("d"):
            variable = inside[0].args[1] if isinstance(inside[0], Apply) else body
            body = rebuilt(body, lambda part: number(1) if part == inside[0] else None)
            return Apply("int", (variable, body) if low is None or high is None else (variable, low, high, body))
        if parser.take()[1] != "d" or (low is None) != (high is None):
            raise ParseError("an integral of an unknown form")
        variable = parser.prefix()
        return Apply("int", (variable, body) if low is None or high is None else (variable, low, high, body))
    body = parser.expression(45)
    if not isinstance(low, Relation) or low.ops != ("=",) or high is None:
        raise ParseError("a sum without limits")
    variable = low.terms[0]
    if isinstance(variable, Constant):
        constant, letter = variable, Symbol(variable.name)
        variable, body = letter, rebuilt(body, lambda part: letter if part == constant else None)
    if not isinstance(variable, Symbol):
        raise ParseError("a sum over no variable")
    return Apply(name, (variable, low.terms[1], high, body))


def _is_differential(node: Node) -> bool:
    """Whether it is ``dx`` as a factor, as in an integral of dx over x."""
    return (
        isinstance(node, Apply)
        and node.op == "mul"
        and node.args[0] == Symbol("d")
        and isinstance(node.args[1], Symbol)
    )


def environment(parser: Cursor, name: str) -> Node:
    """A matrix, a determinant, a system of equations, or values by cases.

    Raises:
        ParseError: another environment, or rows of different lengths.
    """
    if name in ("cases", "aligned", "dcases", "rcases"):
        return _cases(parser)
    if name not in _MATRICES:
        raise ParseError(f"the environment {name!r}")
    rows: list[list[Node]] = [[]]
    while not parser.peek()[1].startswith("end "):
        if parser.is_op("\\\\"):
            parser.position += 1
            if not parser.peek()[1].startswith("end "):
                rows.append([])
            continue
        if parser.is_op("&"):
            parser.position += 1
        rows[-1].append(parser.expression(0))
        if not parser.is_op("&", "\\\\") and not parser.peek()[1].startswith("end "):
            raise ParseError("a matrix is not closed")
    if parser.take()[1] != f"end {name}":
        raise ParseError("an environment that another one ends")
    if len({len(row) for row in rows}) != 1:
        raise ParseError("rows of different lengths")
    result = Matrix(tuple(tuple(row) for row in rows))
    return matrices.determinant(result) if name == "vmatrix" and len(rows) == len(rows[0]) else result


def _cases(parser: Cursor) -> Node:
    """Equations one below the other, or values with their conditions."""
    rows: list[list[Node | None]] = [[]]
    while not parser.peek()[1].startswith("end "):
        while parser.is_op(",", ";", ".") or (
            parser.peek()[0] == "word" and parser.peek()[1].lower() in ("if", "for", "when")
        ):
            parser.position += 1
        if parser.is_op("\\\\"):
            parser.position += 1
            rows.append([])
        elif parser.is_op("&"):
            parser.position += 1
        elif parser.peek()[0] == "word" and parser.peek()[1].lower() in ("otherwise", "else"):
            parser.position += 1
            rows[-1].append(None)
        elif parser.peek() == END or len(rows) > 40:
            raise ParseError("cases are not closed")
        elif not parser.peek()[1].startswith("end "):
            rows[-1].append(parser.expression(0))
    parser.take()
    rows = [row for row in rows if row]
    if rows and all(len(row) == 2 and row[0] is not None for row in rows):
        return Cases(tuple((row[0], row[1]) for row in rows if row[0] is not None))
    single = [row[0] for row in rows if len(row) == 1 and row[0] is not None]
    if not single or len(single) != len(rows):
        raise ParseError("cases of an unknown form")
    return Listing(tuple(single), ",") if len(single) > 1 else single[0]
