"""The exact value of an expression tree, computed from the leaves up."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from zoo_harp.checker.algebra.exact import HALF, ONE, Value
from zoo_harp.checker.algebra.functions import Functions
from zoo_harp.checker.limits import (
    MAX_BITS,
    MAX_RANGE,
    Budget,
    LimitExceeded,
    Undefined,
    Unsupported,
    binomial,
    factorial,
)
from zoo_harp.checker.tree import Apply, Constant, Node, Number, Quantity, Symbol, Tuple

_TRIGONOMETRY: Final = frozenset(("sin", "cos", "tan", "cot", "sec", "csc"))
_HYPERBOLIC: Final = frozenset(("sinh", "cosh", "tanh", "coth", "sech", "csch"))
_INVERSE_HYPERBOLIC: Final = frozenset(("arcsinh", "arccosh", "arctanh"))
_RECIPROCAL: Final = {"arccot": "arctan", "arcsec": "arccos", "arccsc": "arcsin"}
_MAX_STEPS: Final = 100
_SIMPLE: Final = {"add": 1, "sub": -1}
_PLACE: Final = re.compile(r"-?(?:\d{1,4}|\d{0,4}[A-Za-z①-⑩])(?:[+-](?:\d{1,4}|\d{0,4}[A-Za-z①-⑩])){0,4}")
"""the index of a member of a sequence, such as k, n-k-1 or 2k"""
_TERM: Final = re.compile(r"([+-]?)(?=[^+-])(\d*)([A-Za-z①-⑩]?)")


class Evaluator(Functions):
    """A field that evaluates expression trees; ``values`` replace variables, to evaluate at points."""

    def __init__(self, budget: Budget, values: Mapping[str, Value] | None = None) -> None:
        super().__init__(budget)
        self.values: dict[str, Value] = dict(values or {})
        self._point = bool(self.values)
        self._running: set[str] = set()
        """variables of the sums and products around the current term"""
        self._calls: dict[tuple[str, int], list[tuple[tuple[Value, ...], Value]]] = {}
        self._handlers: dict[str, Callable[[tuple[Node, ...]], Value]] = {
            "factorial": lambda args: self._factorial(args[0], 1),
            "factorial2": lambda args: self._factorial(args[0], 2),
            "round": lambda args: self._floor(Apply("add", (args[0], Number(Fraction(1, 2)))), 1),
            "floor": lambda args: self._floor(args[0], 1),
            "ceil": lambda args: self._floor(args[0], -1),
            "binom": self._binomial,
            "perm": self._permutations,
            "gamma": lambda args: self.gamma(self.value(args[0])),
            "log": lambda args: self.div(self.log(self.value(args[1])), self.log(self.value(args[0]))),
            "mod": self._modulo,
            "sum": lambda args: self._range(args, Fraction(0), self.add),
            "prod": lambda args: self._range(args, ONE, self.mul),
        }

    def value(self, node: Node) -> Value:
        """The value of an expression.

        Raises:
            LimitExceeded: a number would be too long, or the work too much.
            Timeout: the deadline has passed.
            Undefined: there is no value, as for a division by zero.
            Unsupported: not an expression, or one that has no exact form here.
        """
        self.budget.spend(1)
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Symbol):
            name = self._indexed(node.name) if self.values and "_" in node.name else node.name
            value = self.values.get(name)
            return self.variable(name) if value is None else value
        if isinstance(node, Constant):
            return self._constant(node.name)
        if isinstance(node, Apply):
            return self._apply(node.op, node.args)
        if isinstance(node, Quantity):
            return self.value(node.value)
        raise Unsupported(f"a {type(node).__name__.lower()} in a calculation")

    def _indexed(self, name: str) -> str:
        """The member of a sequence that a name such as a_k+1 means in a term of a sum over k."""
        base, _, index = name.partition("_")
        place = self._place(index) if _PLACE.fullmatch(index) else None
        if place is None:
            if any(variable in index for variable in self._running):
                raise Unsupported("an index of an unknown form")
            return name
        member = f"{base}_{place}"
        if self._point:
            self.values.setdefault(member, Fraction(zlib.crc32(member.encode()) % 997, 7))
        return member

    def _place(self, index: str) -> int | None:
        """The value of an index; None where a letter in it has no whole value."""
        total = 0
        for sign, factor, letter in _TERM.findall(index):
            value = self.values.get(letter, Fraction(1, 2)) if letter else Fraction(1)
            if not isinstance(value, Fraction) or value.denominator != 1:
                return None
            total += int(f"{sign}1") * int(factor or 1) * int(value)
        return total

    def _constant(self, name: str) -> Value:
        if name == "pi":
            return self.pi
        if name == "i":
            return self.i
        if name == "e":
            return self.gen("e")
        raise Undefined("infinity in a calculation")

    def _apply(self, op: str, args: tuple[Node, ...]) -> Value:
        if op in _SIMPLE or op == "mul":
            return self._sum_or_product(op, args)
        if op == "call":
            return self._call(args)
        if op in ("int", "lim"):
            raise Unsupported("an integral or a limit")
        if op == "div":
            return self.div(self.value(args[0]), self.value(args[1]))
        if op == "neg":
            return self.mul(Fraction(-1), self.value(args[0]))
        if op == "mixed":
            return self.add(self.value(args[0]), self.value(args[1]))
        if op == "pow":
            return self._power(args[0], args[1])
        if op == "root":
            index = self.value(args[1])
            if not isinstance(index, Fraction) or index == 0:
                raise Unsupported("a root of an unknown order")
            return self.power(self.value(args[0]), 1 / index)
        if op == "percent":
            return self.mul(Fraction(1, 100), self.value(args[0]))
        if op in self._handlers:
            return self._handlers[op](args)
        return self._function(op, args)

    def _call(self, args: tuple[Node, ...]) -> Value:
        """An unknown function: one variable for each distinct argument, or one number where points are evaluated."""
        function, argument = args
        if not isinstance(function, Symbol):
            raise Unsupported("a function without a name")
        arguments = tuple(map(self.value, argument.items if isinstance(argument, Tuple) else (argument,)))
        known = self._calls.setdefault((function.name, len(arguments)), [])
        for others, result in known:
            if all(self._same(one, other) for one, other in zip(arguments, others, strict=True)):
                return result
        count = sum(map(len, self._calls.values()))
        result = (
            Fraction(31 * count + 17, 2 * count + 3) if self._point else self.variable(f"{function.name}()#{count}")
        )
        known.append((arguments, result))
        return result

    def _same(self, one: Value, other: Value) -> bool:
        """Whether two arguments are equal: by their normal forms where these are unique."""
        if self._is_normal(one) and self._is_normal(other):
            return one == other
        return bool(self.is_zero(self.add(one, other, -1)))

    def _is_normal(self, value: Value) -> bool:
        self.budget.spend(1)
        if isinstance(value, Fraction):
            return True
        return value.den == {(): ONE} and not any(
            self._dependent(n) or n[0] == "Z" for mono in value.num for n, _ in mono
        )

    def _sum_or_product(self, op: str, args: tuple[Node, ...]) -> Value:
        """A long sum or product, by a loop along its left operands instead of recursion."""
        waiting = [(op, args[1])]
        left = args[0]
        while isinstance(left, Apply) and (left.op in _SIMPLE or left.op == "mul"):
            waiting.append((left.op, left.args[1]))
            left = left.args[0]
        total = self.value(left)
        for step, right in reversed(waiting):
            value = self.value(right)
            total = self.mul(total, value) if step == "mul" else self.add(total, value, _SIMPLE[step])
        return total

    def _power(self, base: Node, exponent: Node) -> Value:
        raised = self.value(exponent)
        if isinstance(raised, Fraction) and raised.denominator == 1 and abs(raised.numerator) > MAX_BITS:
            bottom = self.value(base)
            if bottom not in (0, 1, -1):
                raise LimitExceeded("a power with too many digits")
        return self.power(self.value(base), raised)

    def _function(self, op: str, args: tuple[Node, ...]) -> Value:
        if op in _TRIGONOMETRY or op in _HYPERBOLIC:
            return self._circular(op, args[0])
        values = [self.value(arg) for arg in args]
        if op == "deg":
            return values[0]
        if op in ("re", "im"):
            return self.parts(values[0])[int(op == "im")]
        if op in _INVERSE_HYPERBOLIC:
            return self._inverse_hyperbolic(op, values[0])
        if op == "exp":
            return self.exp(values[0])
        if op == "ln":
            return self.log(values[0])
        if op == "abs":
            return self.absolute(values[0])
        if op in ("arcsin", "arccos", "arctan"):
            return self.arc(op, values[0])
        if op in _RECIPROCAL:
            return self.arc(_RECIPROCAL[op], self.div(ONE, values[0]))
        if op in ("gcd", "lcm") and all(isinstance(v, Fraction) and v.denominator == 1 for v in values):
            whole = [int(v) for v in values if isinstance(v, Fraction)]
            return Fraction(math.gcd(*whole) if op == "gcd" else math.lcm(*whole))
        if op in ("max", "min"):
            best = values[0]
            for value in values[1:]:
                sign = self.sign(self.add(value, best, -1))
                best = value if (sign > 0) == (op == "max") and sign else best
            return best
        raise Unsupported(f"the operation {op}")

    def _circular(self, op: str, argument: Node) -> Value:
        angle = self._angle(argument)
        cosine, sine = self.circular(angle, hyperbolic=op in _HYPERBOLIC)
        name = op.rstrip("h") if op in _HYPERBOLIC else op
        top, bottom = {
            "sin": (sine, ONE), "cos": (cosine, ONE), "tan": (sine, cosine), "cot": (cosine, sine),
            "sec": (ONE, cosine), "csc": (ONE, sine),
        }[name]  # fmt: skip
        return self.div(top, bottom)

    def _angle(self, node: Node) -> Value:
        """An angle in radians; degree signs are converted."""
        if isinstance(node, Apply) and node.op == "deg":
            return self.mul(self.mul(Fraction(1, 180), self.pi), self.value(node.args[0]))
        if isinstance(node, Apply) and node.op in ("add", "sub"):
            return self.add(self._angle(node.args[0]), self._angle(node.args[1]), _SIMPLE[node.op])
        if isinstance(node, Apply) and node.op == "neg":
            return self.mul(Fraction(-1), self._angle(node.args[0]))
        if isinstance(node, Apply) and node.op == "mul" and any(_has_degrees(arg) for arg in node.args):
            return self.mul(self._angle(node.args[0]), self._angle(node.args[1]))
        if isinstance(node, Apply) and node.op == "div" and _has_degrees(node.args[0]):
            return self.div(self._angle(node.args[0]), self.value(node.args[1]))
        return self.value(node)

    def _factorial(self, node: Node, step: int) -> Value:
        n = self.value(node)
        if isinstance(n, Fraction) and n.denominator == 1:
            return Fraction(factorial(int(n), step))
        if step == 2:
            raise Unsupported("a double factorial of an expression")
        return self.gamma(self.add(n, ONE))

    def _binomial(self, args: tuple[Node, ...]) -> Value:
        n, k = self.value(args[0]), self.value(args[1])
        if isinstance(n, Fraction) and isinstance(k, Fraction) and n.denominator == k.denominator == 1:
            return Fraction(binomial(int(n), int(k)))
        if isinstance(k, Fraction) and k.denominator == 1 and 0 <= k <= 50:
            result: Value = ONE
            for j in range(int(k)):
                result = self.mul(result, self.mul(Fraction(1, j + 1), self.add(n, Fraction(j), -1)))
            return result
        gamma = [self.gamma(self.add(v, ONE)) for v in (n, k, self.add(n, k, -1))]
        return self.div(gamma[0], self.mul(gamma[1], gamma[2]))

    def _permutations(self, args: tuple[Node, ...]) -> Value:
        n, k = self.value(args[0]), self.value(args[1])
        if not (isinstance(n, Fraction) and isinstance(k, Fraction) and n.denominator == k.denominator == 1):
            raise Unsupported("permutations of an unknown number")
        return Fraction(binomial(int(n), int(k)) * (factorial(int(k)) if k <= n else 0))

    def _inverse_hyperbolic(self, op: str, x: Value) -> Value:
        """Inverse hyperbolic functions by logarithms."""
        if op == "arctanh":
            return self.mul(HALF, self.log(self.div(self.add(ONE, x), self.add(ONE, x, -1))))
        square = self.add(self.mul(x, x), ONE, 1 if op == "arcsinh" else -1)
        return self.log(self.add(x, self.power(square, HALF)))

    def gamma(self, value: Value) -> Value:
        """The gamma function, with the integer part of its argument as factors.

        Raises:
            LimitExceeded: the integer part of the argument is too large.
        """
        if isinstance(value, Fraction) and value.denominator == 1:
            if value <= 0:
                raise Undefined("the gamma function at a pole")
            return Fraction(factorial(int(value) - 1))
        constant = self.lift(value).num.get((), Fraction(0))
        steps = math.floor(constant)
        if abs(steps) > _MAX_STEPS:
            raise LimitExceeded("the factorial of a large number")
        base = self.add(value, Fraction(steps), -1)
        result = self.power(self.pi, HALF) if base == HALF else self.opaque("gamma", base)
        for k in range(abs(steps)):
            factor = self.add(base, Fraction(k if steps > 0 else -k - 1))
            result = self.mul(result, factor) if steps > 0 else self.div(result, factor)
        return result

    def _floor(self, node: Node, sign: int) -> Value:
        value = self.value(node)
        if self.is_variable(value):
            return self.opaque("floor" if sign > 0 else "ceil", value)
        return Fraction(sign * self.floor(self.mul(Fraction(sign), value)))

    def _modulo(self, args: tuple[Node, ...]) -> Value:
        a, n = self.value(args[0]), self.value(args[1])
        if isinstance(a, Fraction) and isinstance(n, Fraction) and n:
            return a % n
        raise Unsupported("a remainder of expressions")

    def _range(self, args: tuple[Node, ...], start: Value, combine: Callable[[Value, Value], Value]) -> Value:
        """A finite sum or product, term by term."""
        variable, low, high, body = args
        if not isinstance(variable, Symbol):
            raise Unsupported("a sum over no variable")
        if high == Constant("oo") or low == Apply("neg", (Constant("oo"),)):
            raise Unsupported("an infinite sum")
        first, last = self.value(low), self.value(high)
        if not isinstance(first, Fraction) or not isinstance(last, Fraction) or first.denominator != 1:
            raise Unsupported("a sum with unknown limits")
        if last - first >= MAX_RANGE:
            raise LimitExceeded("a sum of too many terms")
        before, outer = self.values.get(variable.name), self._running
        self._running = {*outer, variable.name}
        total = start
        for k in range(int(first), math.floor(last) + 1):
            self.values[variable.name] = Fraction(k)
            total = combine(total, self.value(body))
        self._running = outer
        if before is None:
            self.values.pop(variable.name, None)
        else:
            self.values[variable.name] = before
        return total


def _has_degrees(node: Node) -> bool:
    return isinstance(node, Apply) and (
        node.op == "deg" or (node.op in ("mul", "div", "add", "sub", "neg") and any(map(_has_degrees, node.args)))
    )
