"""What stands right behind a value and makes it another one, or one of several: "(or 41)", "in base 7", "squared"."""

from __future__ import annotations

import re
from typing import Final

from zoo_harp.checker.algebra.evaluate import Evaluator
from zoo_harp.checker.algebra.values import as_decimal
from zoo_harp.checker.answers import parse
from zoo_harp.checker.compare.numbers import compare_expressions
from zoo_harp.checker.limits import Budget, NotDecided
from zoo_harp.checker.tree import EXPRESSIONS, Quantity
from zoo_harp.checker.words import NUMBER_WORDS

_FAR: Final = 120
_IDLE: Final = " \n$}.*)]\\"
"""signs behind a value that say nothing"""
_CLOSED: Final = r"(?:[\s$}*_~]|\\[)\],;:! ]|\\q?quad(?![A-Za-z])){0,12}"
_TEXT: Final = r"(?:\\(?:text|mathrm|mbox)\w{0,3}\s?\{\s?)?"
_VALUE: Final = (
    r"(?:[\s$({*~]|\\[(\[,;:! ]|\\(?:boxed|fbox|text|left|mathbf|q?quad)(?![A-Za-z])|[A-Za-z]\s?=\s?){0,12}"
    r"(?P<%s>[-−]?[\d.√π]|[-−]?\\(?:[dt]?frac|sqrt|pi|infty)(?![A-Za-z]))"
)
_ONE, _JOINED = (_VALUE % name for name in ("value", "joined"))
_ADVERBS: Final = (
    r"(?:\s{0,2}(?:maybe|perhaps|possibly|even|else|alternatively|is it|it is|it could be|could be|might be"
    r"|rather|just)[\s,]{1,3}){0,2}"
)
_OTHER_VALUE: Final = re.compile(
    rf"{_CLOSED}[,;.–—-]{{0,2}}{_CLOSED}[(\[]?{_TEXT}\s?[(\[]?(?:(?:or|and/or|vs\.?|versus|oder|ou|o|или|eller|lub)(?![A-Za-z])"
    rf"{_ADVERBS}"
    rf"|(?:maybe|perhaps|possibly|alternatively|probably|otherwise)(?:\s(?:it is|it's|is))?[\s,]{{0,3}})"
    rf"\s{{0,2}}\}}?{_ONE}"
    rf"|{_CLOSED}(?:/|\|)\s?{_CLOSED}(?:(?P<beside>[-−]?\d)|\\boxed)|{_CLOSED}\\lor(?![A-Za-z]){_JOINED}",
    re.IGNORECASE,
)
_SAME: Final = re.compile(
    rf"{_CLOSED}[,;]?{_CLOSED}[(\[]?{_TEXT}\s?or\s{{1,3}}(?:about|approximately|roughly|equivalently|simply|\$?\s?\\approx|≈)",
    re.IGNORECASE,
)
_WORDS: Final = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_COUNT: Final = rf"(?:[\s$({{~]|\\[( ]){{0,6}}(?:[-−]?\d|(?:{_WORDS})\b|[b-hj-z](?![a-z]))"
_CHANGED: Final = re.compile(
    rf"{_CLOSED}[,(]?{_CLOSED}{_TEXT}\s?(?:"
    rf"(?:squared|cubed|factorial|doubled|tripled|halved|dozens?|score|gross)\b"
    rf"|(?:hundred|thousand|million|billion|trillion|lakh|crore)s?\b(?!-)"
    rf"|(?:plus|minus|times|choose|divided\sby|multiplied\sby|to\sthe\spower|less\sthan|more\sthan)\b{_COUNT}"
    rf"|(?:raised)\sto\b|(?:plus\sor\sminus|give\sor\stake|plus-minus)\b|within{_COUNT}|±|\\pm(?![A-Za-z])"
    rf"|(?:\\?%|per\s?cent|percent)\}}?{_CLOSED}{_TEXT}\s?(?:of|off|less|more)\b[^.;\n]{{0,40}}?[\s$\\({{}}]\d"
    rf"|(?:or|and)\s(?:more|less|fewer|greater|above|below|so)\b"
    rf")",
    re.IGNORECASE,
)
"""scales and operations in words behind a value"""
_PART: Final = re.compile(rf"{_CLOSED}{_TEXT}\s?of\b[^.;\n]{{0,40}}?[\s$\\({{}}]\d", re.IGNORECASE)
_MARKED: Final = re.compile(r"(?:\\?%|per\s?cent)[\s$}]{0,4}$", re.IGNORECASE)
_BASES: Final = {"binary": 2, "ternary": 3, "octal": 8, "decimal": 10, "duodecimal": 12, "hexadecimal": 16, "hex": 16}
_BASE: Final = re.compile(
    rf"{_CLOSED}(?:[,(]|_\s?\{{?\s?)?{_CLOSED}{_TEXT}\s?(?:(?:written|expressed|given|read|when written)\s)?"
    rf"(?:(?:in\s)?(?:the\s)?base[\s-]{{0,2}}\}}?\s?"
    rf"(?:[$({{]|\\\()?\s?(?P<base>\d{{1,2}}|{_WORDS})|in\s(?P<name>{'|'.join(_BASES)})"
    rf"|(?<=\()(?P<named>{'|'.join(_BASES)})(?=\)))(?!\w|\.\d)",
    re.IGNORECASE,
)
_BASE_BEFORE: Final = re.compile(
    r"(?:(?:^|[.,;:(\n]|\b(?:so|thus|hence|then|answer|result|value|number|sum|product|it|written|expressed))\s{0,3}in\s"
    rf"(?:base[\s-]{{0,2}}(?:\$|\\\()?\s?(?P<base>\d{{1,2}}|{_WORDS})|(?P<name>{'|'.join(_BASES)}))[\s$]{{0,2}}(?:notation)?,?"
    rf"|\b(?:base[\s-](?P<of>\d{{1,2}}|{_WORDS})|(?P<called>{'|'.join(_BASES)}))\s"
    r"(?:answer|result|value|representation|expansion|form|number|numeral))[^.;\n\d]{0,60}$",
    re.IGNORECASE,
)
_CHUNK: Final = re.compile(
    r"(?:[-−]\s?)?(?:\\[A-Za-z]+(?:\[\d\])?(?:\{[^{}]{0,40}\}){0,2}|\\%|[\d./^%°]|(?<=\d)[A-Za-z](?![A-Za-z]))+(?<!\.)"
)
_SECONDS: Final = 0.2
_ASIDE: Final = re.compile(rf"{_CLOSED}\(([^()\n]{{1,60}})\)")
_HEDGED: Final = re.compile(
    r"^(?=[^\d]*\d)(?=.*(?:\?|\b(?:also|could|may|might|possible|possibly|maybe|perhaps|alternatively|or)\b))",
    re.IGNORECASE,
)
"""a remark in brackets that offers another number"""
_DIGITS: Final = re.compile(r"\d")
_ANOTHER: Final = re.compile(rf"{_CLOSED}(?:,|;|&|and\b){_CLOSED}(-?\d[\d.]*){_CLOSED}(?:\.\s|\.?$|\n)")
_RANGE: Final = re.compile(
    rf"{_CLOSED}[,;(]?{_CLOSED}((?:{_TEXT}(?:where|with|for)\b|[a-zA-Z]\s?(?:\\in|\\ge|\\le|>|<|∈)|[$(]\s?[a-zA-Z]\s?(?:\\in|\\g|>|∈))"
    r"[^.;\n]{1,80}?)\)?(?=[.;\n]|,\s[a-z]{3}|$)"
)
_LETTERED: Final = re.compile(r"(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])|[a-z]\\pi|\\pi\s?[a-z]|\d[a-z]")
_ROUND: Final = re.compile(r"\\[()]")
_FACTORIAL: Final = re.compile(r"[\s$}]{0,4}!")
_PROSE: Final = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{2,}")
"""words, after which the sign is an exclamation"""
_NUMERAL: Final = re.compile(r"\d[0-9A-F]*")


def is_changed(text: str, end: int, value: str) -> bool:
    """Whether what follows a value computes with it, scales it, or offers another one beside it."""
    after = text[end : end + _FAR]
    if not after.strip(_IDLE):
        return False
    if _FACTORIAL.match(after) and not _PROSE.search(text, max(0, end - _FAR), end) and not _PROSE.search(after):
        return True
    if _CHANGED.match(after) or (_MARKED.search(value) and _PART.match(after)):
        return True
    aside = _ASIDE.match(after)
    offered = _DIGITS.search(aside[1]) if aside is not None and _HEDGED.search(aside[1]) else None
    if aside is not None and offered is not None and not _is_same(aside[1][offered.start() :], value):
        return True
    listed = _ANOTHER.match(after)
    if listed is not None and "\\boxed" in text[max(0, end - _FAR) : end] and not _is_same(listed[1], value):
        return True
    other = _OTHER_VALUE.match(after)
    return other is not None and not _SAME.match(after) and not _is_same(after[_start(other) :], value)


def _start(other: re.Match[str]) -> int:
    """Where the other value begins."""
    return next((other.start(name) for name in ("value", "joined", "beside") if other[name]), other.end())


def _is_same(after: str, value: str) -> bool:
    """Whether the value at the beginning of ``after`` is the same number in another form, perhaps rounded."""
    chunk = _CHUNK.match(after)
    one, other = parse(value).tree, parse(chunk[0] if chunk else "").tree
    if isinstance(one, Quantity):
        one = one.value
    if not isinstance(one, EXPRESSIONS) or not isinstance(other, EXPRESSIONS):
        return False
    budget = Budget(_SECONDS)
    try:
        if compare_expressions(one, other, budget).correct:
            return True
        rounded = as_decimal(other)
        if rounded is None:
            return False
        field = Evaluator(budget)
        gap = field.number(field.add(field.value(one), rounded.value, -1), 64)
        return bool(abs(gap) < 0.51 * 10.0**-rounded.decimals)
    except (NotDecided, OverflowError):
        return False


def with_base(text: str, start: int, end: int, value: str) -> str:
    """The numeral ``value`` with the base that the words beside it name, unless it is ten."""
    if (not start and not text[end : end + _FAR].strip(_IDLE)) or not _NUMERAL.fullmatch(value):
        return value
    match = _BASE.match(text, end, end + _FAR) or _BASE_BEFORE.search(text, max(0, start - _FAR), start)
    if match is None:
        return value
    word = next(name for name in match.groupdict().values() if name).lower()
    base = int(word) if word.isdigit() else _BASES.get(word) or _number(word)
    return value if base == 10 or not base else f"{value}_{{{base}}}"


def with_range(text: str, end: int, value: str) -> str:
    """``value`` with the clause in prose behind it that names the range of its letters, where it can be read."""
    if not text[end : end + _FAR].strip(_IDLE) or not _LETTERED.search(value):
        return value
    match = _RANGE.match(text, end, end + _FAR)
    if match is None:
        return value
    clause = match[1] + "$" * (match[1].count("$") % 2)
    said = f"${value}$, {clause}" if "\\(" not in clause else f"${value}$, {_ROUND.sub('$', clause)}"
    answer = parse(said)
    return said if answer.domains or answer.unread else value


def _number(word: str) -> int:
    names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return names.index(word) if word in names else 0
