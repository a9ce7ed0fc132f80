"""sympy expressions built node by node from our tree, never from text. Runs in the worker only."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

from zoo_harp.checker.limits import MAX_BITS, LimitExceeded, Unsupported
from zoo_harp.checker.tree import Apply, Constant, Node, Number, Quantity, Symbol, Tuple, walk
from zoo_harp.checker.vocabulary import names


def _functions() -> dict[str, Callable[..., Any]]:
    import sympy as sp  # type: ignore[import-untyped]

    direct = names(
        "sin cos tan cot sec csc sinh cosh tanh coth sech csch exp floor binomial gcd lcm factorial factorial2 gamma "
        "re im"
    )
    return {
        **{name: getattr(sp, name) for name in direct},
        "add": lambda a, b: a + b,
        "mixed": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "percent": lambda a: a / 100,
        "deg": lambda a: a * sp.pi / 180,
        "root": lambda a, n: sp.root(a, n),
        "log": lambda b, a: sp.log(a) / sp.log(b),
        "ln": sp.log,
        "abs": sp.Abs,
        "ceil": sp.ceiling,
        "binom": sp.binomial,
        "max": sp.Max,
        "min": sp.Min,
        "mod": sp.Mod,
        "arcsin": sp.asin,
        "arccos": sp.acos,
        "arctan": sp.atan,
        "arccot": sp.acot,
        "arcsec": sp.asec,
        "arccsc": sp.acsc,
        "arcsinh": sp.asinh,
        "arccosh": sp.acosh,
        "arctanh": sp.atanh,
    }


_BIG: Final = frozenset(("sum", "prod", "int", "lim"))
_TOLERANCE: Final = 1e-6
"""relative; numbers of integrals and sums are only used to reject"""


def build(node: Node) -> Any:
    """The sympy expression of an expression tree.

    Raises:
        LimitExceeded: a power or factorial would be too long.
        Unsupported: there is none.
    """
    import sympy as sp

    if isinstance(node, Number):
        return sp.Rational(node.value.numerator, node.value.denominator)
    if isinstance(node, Symbol):
        return sp.Symbol(node.name, real=True)
    if isinstance(node, Constant):
        return {"pi": sp.pi, "e": sp.E, "i": sp.I, "oo": sp.oo}[node.name]
    if isinstance(node, Quantity):
        return build(node.value)
    if not isinstance(node, Apply):
        raise Unsupported("not an expression")
    if node.op in _BIG:
        if _runs_in_index(node):
            raise Unsupported("members of a sequence")
        if node.op == "lim":
            return _limit(node.args)
        operator = {"sum": sp.Sum, "prod": sp.Product, "int": sp.Integral}[node.op]
        if len(node.args) == 2:
            variable, body = (build(arg) for arg in node.args)
            return operator(body, variable)
        variable, low, high, body = (build(arg) for arg in node.args)
        return operator(body, (variable, low, high))
    if node.op == "call":
        function, argument = node.args
        if not isinstance(function, Symbol):
            raise Unsupported("a function without a name")
        arguments = argument.items if isinstance(argument, Tuple) else (argument,)
        return sp.Function(function.name, real=True)(*map(build, arguments))
    args = [build(arg) for arg in node.args]
    if node.op == "pow":
        base, exponent = args
        if base.is_Rational and exponent.is_Rational:
            size = Fraction(int(base.p), int(base.q))
            if (size.numerator.bit_length() + size.denominator.bit_length()) * abs(float(exponent)) > MAX_BITS:
                raise LimitExceeded("a power with too many digits")
        return base**exponent
    if node.op in ("factorial", "factorial2", "binom") and args[0].is_number and abs(args[0]) > 5000:
        raise LimitExceeded("the factorial of a large number")
    functions = _functions()
    if node.op in ("gcd", "lcm") and not all(arg.is_Integer for arg in args):
        # sympy's are those of polynomials: gcd(a, b) would be 1.
        return sp.Function(node.op, real=True)(*sorted(args, key=str))
    if node.op not in functions:
        raise Unsupported(f"the operation {node.op}")
    return functions[node.op](*args)


def _runs_in_index(node: Apply) -> bool:
    """Whether a name below has the bound variable in its index, so that it is no constant."""
    variable = getattr(node.args[0], "name", "")
    return any(isinstance(part, Symbol) and variable in part.name.partition("_")[2] for part in walk(node))


def _limit(args: tuple[Node, ...]) -> Any:
    import sympy as sp

    variable, point, body = args
    side = "+-"
    if isinstance(point, Apply) and point.op == "side":
        point, sign = point.args
        side = getattr(sign, "name", "+")
    return sp.limit(build(body), build(variable), build(point), side)


def prepare(part: str) -> str:
    """Load sympy, or ("sums") the table that its first sum makes, which takes longer than most proofs; its version."""
    import sympy as sp

    if part == "sums":
        k = sp.Symbol("k", real=True)
        series = sp.Sum(sp.Rational(1, 5) ** k, (k, 0, sp.oo))
        _differ(sp.simplify(series.doit()), series)
    return str(sp.__version__)


def prove(a: Node, b: Node, variable: str = "") -> bool | None:
    """True if the difference is shown to be zero, False if it is shown not to be, else None.

    Numerical values come first: they reject quickly what simplification would take long for. They never accept.

    Args:
        a: an expression.
        b: another expression.
        variable: where given, the difference only has to be free of it.
    """
    import sympy as sp

    try:
        left, right = build(a), build(b)
        if variable:
            # On the positive half line, where log x and log |x| are equal.
            x = sp.Symbol(variable, positive=True)
            rate = sp.simplify(sp.diff((left - right).subs(sp.Symbol(variable, real=True), x), x))
            return True if rate == 0 else False if _differ(rate, sp.Integer(0)) else None
        if left == right:
            return True
        if _differ(left, right):
            return False
        difference = sp.simplify((left - right).doit())
    except (LimitExceeded, Unsupported, NotImplementedError):
        return None
    if difference == 0:
        return True
    if difference.is_number:
        return False if difference.is_zero is False or difference.is_nonzero else difference.is_zero
    return None


def _differ(left: Any, right: Any) -> bool:
    """Whether numbers show that both differ, at a point where there are variables."""
    import sympy as sp

    names = sorted(left.free_symbols | right.free_symbols, key=str)
    point = {name: sp.Rational(7 + 4 * k, 5 + 2 * k) for k, name in enumerate(names)}
    try:
        values = [complex(sp.N(side.subs(point), 20)) for side in (left, right)]
    except (ArithmeticError, TypeError, ValueError, AttributeError, NotImplementedError, RecursionError):
        return False
    if not all(math.isfinite(part) for value in values for part in (value.real, value.imag)):
        return False
    if names and any(abs(value.imag) > _TOLERANCE * abs(value) for value in values):
        return False  # a point outside of the domain is no evidence
    return abs(values[0] - values[1]) > _TOLERANCE * max(map(abs, values))
