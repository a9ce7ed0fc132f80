"""From the text of an answer to its tree, with the text kept for comparing words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from zoo_harp.checker.latex.applied import applied
from zoo_harp.checker.latex.cursor import ParseError
from zoo_harp.checker.latex.domains import Domain, read_domains
from zoo_harp.checker.latex.normalise import clean
from zoo_harp.checker.latex.parser import Parser
from zoo_harp.checker.latex.tokens import Token, tokenise
from zoo_harp.checker.latex.trailing import conclusion, without_clause
from zoo_harp.checker.lexicon import denies
from zoo_harp.checker.limits import MAX_CACHED, LimitExceeded
from zoo_harp.checker.tree import Clock, Node, Relation, Symbol, Text, Tuple
from zoo_harp.checker.vocabulary import BARE, GREEK, SKIPPED, TEXT, names
from zoo_harp.checker.words import CONDITIONS, MULTIPLES, words_of

_CLOCK: Final = re.compile(r"(\d{1,2})(?:\s?:\s?([0-5]\d))?\s*(?:([ap])\.?\s?m\.?|o'?clock)", re.IGNORECASE)
_EARLY: Final = re.compile(r"(0\d):([0-5]\d)")
"""hours with a zero in front are those of a clock of 24 hours"""
_NAMED_TIMES: Final = {"noon": Clock(12, 0, "pm"), "midnight": Clock(12, 0, "am")}
_FLAT: Final = re.compile(r"\\(?:text\w*|mathrm|mbox|,|;|:|!|quad|left|right| )|[{}$~]")
_LABEL: Final = re.compile(r"(?:[A-Za-z\s'_{}()|$.~,;:!\\-]|(?<=[A-Za-z0-9_{])\d|\^(?=\{?\\circ))*[A-Za-z}\s)|$\d]")
"""what may stand before an equality sign as a name: words, letters with indices, commands, and no operator"""
_CAPITALS: Final = re.compile("[A-Z]{2}")
_POINT: Final = re.compile(r"\(\s?([A-Za-z](?:\s?,\s?[A-Za-z]){1,5})\s?\)\s{0,4}$")
"""coordinates with names at the end of a label in words"""
_LABEL_WORDS: Final = re.compile(r"[A-Za-z']+")
_LABEL_COMMANDS: Final = re.compile(r"\\([A-Za-z]+)")
_SIGNS: Final = frozenset(names("ge le geq leq geqslant leqslant lt gt in notin equiv approx subset subseteq"))
"""commands that make what stands before an equality sign a statement and no name"""
_NAMING: Final = (
    TEXT | BARE | SKIPPED | GREEK
    | frozenset(names("Pr angle measuredangle triangle overline circ square parallel odot arc"))
)  # fmt: skip
"""commands that may stand in a name"""
_TRAILING: Final = ".,;: \t\n\r"
_LINE_BREAK: Final = re.compile(r"^(?:\\\\)+(?![A-Za-z])")
_BOLD: Final = re.compile(r"^(\*\*|__|\*|`)(.+)\1$", re.DOTALL)
_WRAPPED: Final = re.compile(r"^\\(?:boxed|fbox|framebox)\s*\{(.*)\}$", re.DOTALL)
_DELIMITERS: Final = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), (r"\displaystyle", ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """One side of a comparison."""

    text: str
    """as extracted, without delimiters"""
    tokens: tuple[Token, ...]
    tree: Node
    """a ``Text`` where the answer cannot be read as mathematics"""
    limit: bool
    """whether it was too large to parse; the tree is then only its words"""
    domains: tuple[tuple[str, Domain], ...] = ()
    """letters whose range a clause at the end names, and that range"""
    exists: bool = False
    """whether that clause speaks of some values only"""
    unread: tuple[str, ...] = ()
    """the clause at the end, where it could not be read"""

    @property
    def written(self) -> tuple[str, ...]:
        """The tokens without white space: equal for answers that are written alike."""
        return (*(value for _, value, _ in self.tokens), *map(str, self.domains), *self.unread)


def strip(text: str) -> str:
    """``text`` without surrounding white space, math delimiters, bold marks, boxes and trailing punctuation."""
    return _cached_strip(text) if len(text) <= MAX_CACHED else _strip(text)


def _strip(text: str) -> str:
    while True:
        before = text
        text = text.strip()
        if not text.endswith(("...", "!", "p.m.", "a.m.", r"\.", r"\ldots")):
            text = text.rstrip(_TRAILING) if not text.endswith(("\\,", "\\;", "\\:")) else text[:-2]
        if text.startswith("\\\\") or text.endswith("\\"):
            text = _LINE_BREAK.sub("", text.rstrip("\\"))
        match = _BOLD.match(text)
        if match and match[1] not in match[2]:
            text = match[2]
        for left, right in _DELIMITERS:
            if text.startswith(left) and text.endswith(right) and len(text) > len(left) + len(right):
                inner = text[len(left) : len(text) - len(right)]
                if (left != "$" or "$" not in inner) and (left[0] != "\\" or left not in inner):
                    text = inner
                    break
        match = _WRAPPED.match(text)
        if match and _balanced(match[1]):
            text = match[1]
        if text == before:
            return text if text.strip("$ ") else ""


_cached_strip = lru_cache(maxsize=4096)(_strip)


def _balanced(text: str) -> bool:
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def parse(
    text: str,
    *,
    letters_as_units: bool = False,
    functions: frozenset[str] = frozenset(),
    segments: frozenset[str] = frozenset(),
) -> Answer:
    """Parse an answer; never fails: what cannot be read as mathematics becomes a ``Text``.

    Args:
        text: the answer.
        letters_as_units: read a letter after a number as a unit where it can be one.
        functions: letters that are functions, so that a bracket after them holds an argument.
        segments: pairs of capitals that name segments.
    """
    return (_cached_parse if len(text) <= MAX_CACHED else _parse)(text, letters_as_units, functions, segments)


def parse_pair(gold: str, response: str) -> tuple[Answer, Answer]:
    """Both answers of a comparison; a letter that both show to be a function is one in both."""
    pair = parse(gold), parse(response)
    segments: frozenset[str] = frozenset()
    if (_CAPITALS.search(gold) or _CAPITALS.search(response)) and _segments(*pair):
        segments = _segments(*pair)
        pair = parse(gold, segments=segments), parse(response, segments=segments)
    functions = applied(*(answer.tokens for answer in pair)) if "(" in gold or "(" in response else frozenset()
    if not functions:
        return pair
    return tuple(parse(side, functions=functions, segments=segments) for side in (gold, response))  # type: ignore[return-value]


def _segments(*answers: Answer) -> frozenset[str]:
    """Names of segments, such as AB beside CD: pairs of capitals, of which none stands alone and two are one answer."""
    found: set[str] = set()
    several = False
    for answer in answers:
        tokens, position, here = answer.tokens, 0, 0
        while position < len(tokens):
            run = position
            while (
                run < len(tokens) and tokens[run][0] == "let" and tokens[run][1].isupper() and len(tokens[run][1]) == 1
            ):
                run += 1
                if run < len(tokens) and tokens[run][2]:
                    break
            if run - position not in (0, 2) or (
                run < len(tokens) and run > position and tokens[run][1] in ("_", "(", "'")
            ):
                return frozenset()
            if run > position:
                found.add(tokens[position][1] + tokens[position + 1][1])
                here += 1 + (tokens[run : run + 1] != () and tokens[run][1] == "^")
            position = max(run, position + 1)
        several = several or here > 1
    return frozenset(found) if several else frozenset()


def _joined(tokens: Sequence[Token], segments: frozenset[str]) -> list[Token]:
    """Tokens with two capitals of a segment as one name, read in either direction unless the answers have both."""
    joined: list[Token] = []
    position = 0
    while position < len(tokens):
        name = "".join(value for _, value, _ in tokens[position : position + 2])
        if name in segments and tokens[position][0] == "let":
            name = (
                name if name[::-1] in segments and name[0] != name[1] and _both(tokens, name) else "".join(sorted(name))
            )
            joined.append(("let", name, tokens[position][2]))
            position += 2
        else:
            joined.append(tokens[position])
            position += 1
    return joined


def _both(tokens: Sequence[Token], name: str) -> bool:
    """Whether a name and its reverse stand in one answer, as products of matrices do."""
    pairs = {a[1] + b[1] for a, b in pairwise(tokens)}
    return name in pairs and name[::-1] in pairs


def _parse(text: str, letters_as_units: bool, functions: frozenset[str], segments: frozenset[str]) -> Answer:
    text = strip(text)
    tokens: tuple[Token, ...] = ()
    try:
        cleaned = clean(text)
        clock = _clock(cleaned)
        written = tokenise(cleaned)
        written = _joined(written, segments) if segments else written
        tokens = tuple(without_clause(written))
        if clock is not None:
            return Answer(text, tokens, clock, False)
        tree = Parser(conclusion(tokens), letters_as_units=letters_as_units, functions=functions).answer()
    except ParseError:
        return Answer(text, tokens, _after_label(cleaned) or Text(words_of(cleaned)), False)
    except (LimitExceeded, RecursionError):
        return Answer(text, tokens, Text(words_of(text[:4000])), True)
    clause = written[len(tokens) :]
    domains = read_domains(clause) if clause else ()
    unread = tuple(value for _, value, _ in clause) if domains is None else ()
    exists = any(value.lower() == "some" for _, value, _ in clause)
    return Answer(text, tokens, tree, False, domains or (), exists, unread)


_cached_parse = lru_cache(maxsize=4096)(_parse)


def clear_caches() -> None:
    """Empty the caches, for measuring."""
    _cached_strip.cache_clear()
    _cached_parse.cache_clear()


def _after_label(text: str) -> Node | None:
    """An equation whose left side is words, such as an angle's name; None if it is not one."""
    label, sign, value = text.rpartition("=")
    if not sign or len(label) > 200 or not _LABEL.fullmatch(label):
        return None
    named = [word.lower() for word in _LABEL_WORDS.findall(label)]
    if (
        denies(named)
        or not (CONDITIONS | MULTIPLES | _SIGNS).isdisjoint(named)
        or len(named) > 8
        or not _NAMING.issuperset(_LABEL_COMMANDS.findall(label))
        or named[:1] in (["for"], ["let"])
    ):
        return None
    try:
        tree = Parser(tokenise(value)).answer()
    except (ParseError, LimitExceeded, RecursionError):
        return None
    if isinstance(tree, Text | Relation):
        return None
    point = _POINT.search(label)
    if point is not None:
        letters = tuple(Symbol(letter.strip()) for letter in point[1].split(","))
        return Relation(("=",), (Tuple("(", letters, ")"), tree))
    return Relation(("=",), (Text(words_of(label)), tree))


def _clock(text: str) -> Clock | None:
    if text.startswith("0") and (early := _EARLY.fullmatch(text)):
        return Clock(int(early[1]), int(early[2]), "am")
    if len(text) > 60 or not any(part in text for part in ("m", "M", "k", "noon")):
        return None
    flat = " ".join(_FLAT.sub(" ", text).split()).lower()
    match = _CLOCK.fullmatch(flat)
    if match is None:
        named = [time for word, time in _NAMED_TIMES.items() if flat in (word, f"12 {word}", f"12:00 {word}")]
        return named[0] if named else None
    hours, minutes, half = int(match[1]), int(match[2] or 0), match[3]
    return Clock(hours, minutes, f"{half.lower()}m" if half else None) if hours <= 24 else None
