"""The answer inside of a response: anchors, boxes, formulas, the last number, in that order (section 4).

Every search is one pass over the text with bounded look-ahead, so that the time grows linearly with the response.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from zoo_harp.checker.answers import parse, strip
from zoo_harp.checker.inline import formulas
from zoo_harp.checker.limits import MAX_ANSWER, MAX_RESPONSE
from zoo_harp.checker.tree import Listing, Node, Quantity, Relation, Text
from zoo_harp.checker.vocabulary import names

_BRACES: Final = re.compile(r"\\(?:boxed|fbox|framebox)(?![A-Za-z])[ \t]{0,8}(\{?)|\\.|[{}]", re.DOTALL)
_BETWEEN: Final = re.compile(r"[}\s$]{0,4}(?:,|,?\s?(?:and|or|\\text\{ ?(?:and|or) ?\}))[\s$]{0,4}")
_BARE_BOX: Final = re.compile(r"[^\s$.,;]{1,200}")
_ANCHOR: Final = re.compile(
    r"answers?[*_\s\"'`)\]}]{0,8}"
    r"(?:\b(?:is|are|equals|was|(?:must|should|would|will|has\s{1,4}to)\s{1,4}be)\b(?:\s{1,4}(?:simply|just|therefore|thus|exactly|then|equal\s{1,4}to|given\s{1,4}by))?"
    r"|[:=：]|\s[-–—]\s)[:*_\s]{0,12}",
    re.IGNORECASE,
)
_HEADING: Final = re.compile(r"^[#*_ \t]{0,8}(?:the )?(?:final )?answer[*_ \t]{0,8}$", re.IGNORECASE | re.MULTILINE)
_HOPE: Final = re.compile(r"\bI hope (?:it|this) is correct", re.IGNORECASE)
_BLANK_LINE: Final = re.compile(r"\n[ \t\r]{0,40}\n")
_SENTENCE: Final = re.compile(
    r"(?<!\b[ap]\.m)(?<!\bsq)(?<!\bcu)(?<!\bft)(?<!\.\.)\.[*_\"')]{0,4}(?=\s{1,4}[A-Z\\$*<]|\s{0,8}$|[ \t]{0,8}\n)"
)
_CLAUSE: Final = re.compile(
    r"[,;]?\s{1,4}(?:because|since|when|if|not|so that|which|where|so|as (?:required|desired|follows)|by|hence)\b",
    re.IGNORECASE,
)
_ASIDE: Final = re.compile(
    r"[,;]?\s{1,4}\(?(?:or|which is|i\.e\.,?)?\s{0,4}(?:approximately|about|roughly)\s|\s\((?!mod|base)(?=[A-Za-z]{3})",
    re.IGNORECASE,
)
_MATH: Final = re.compile(r"\\[()\[\]]|\\\$|\$\$?")
_NUMBER: Final = re.compile(
    r"(?<![\w.,\\^/])(?<!\w\()-?(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)(?:/\d+)?(?:\\?%)?(?![\w(^]|\.\d|/\d|,\d)"
)
_PROGRAM: Final = re.compile(
    r"__|\b(?:eval|exec|system|lambda|globals|subprocess)\b|\bimport\s{1,4}(?:os|sys|subprocess|socket|shutil)\b|\bos\."
)
_CALL: Final = re.compile(r"\w\([^()]{0,200}\)")
_SHORT: Final = 100
_MARKED: Final = re.compile(r"answer|\\[bf]", re.IGNORECASE)
_MAX_ANCHORS: Final = 16
_MAX_FORMULAS: Final = 8
_MAX_ITEMS: Final = 12
_MARK: Final = re.compile(r"\s*\\(?:blacksquare|square|Box|qed|checkmark)\s*")
_ABOUT: Final = re.compile(r"\(\s{0,4}(?:about|approximately|roughly|or about|i\.e\.)\s{1,4}$")
_PLURAL: Final = re.compile(r"\b(?:are|were|be|values|solutions|roots):?\s{0,4}$")
_COMMANDS: Final = re.compile(r"\\[A-Za-z]+")
_PROSE: Final = re.compile(r"[A-Za-z]{4}")
_FLAT_TEXT: Final = re.compile(r"\\text[a-z]{0,6}\{([^{}]{0,400})\}")
_VERB: Final = re.compile(r" (?:is|are|equals) ")
_STOP_WORDS: Final = frozenset(
    names(
        "above below as follows shown correct incorrect this that these those it we i you he she they in "
        "on of with clear is are was which given found known unique obtained wrong right following "
        "because since hope my your can cannot not be would"
    )
)

_LETTER: Final = re.compile(
    r"(?:\\(?:text[a-z]{0,6}|mathrm|mathbf|rm|bf|boxed|fbox)(?![a-z])|[\s{($*_`\"'\[:]|option\b|choice\b|\\[(\[]){0,24}"
    r"(?<![A-Za-z\\])([A-Ea-e])(?![A-Za-z])(?P<after>.{0,40})",
    re.DOTALL | re.IGNORECASE,
)
_PROSE_AFTER: Final = re.compile(r"\s{1,8}(?!because|since|as\b|is\b|for\b|and\b|or\b|with\b)[a-z]{2,}")
_REJECTED: Final = re.compile(
    r"[\s})$.*]{0,12}(?:is|are|cannot be|can't be)\s{1,8}(?:wrong|incorrect|not|false|impossible)\b"
)
_SECOND: Final = re.compile(
    r"[\s})$.*]{0,12}(?:,|\bor\b|\band\b|\\text\{\s{0,4}(?:or|and)\s{0,4}\}|/)[\s({$*]{0,12}"
    r"(?:\\text\w{0,6}\s?\{\s?\(?)?([A-E])(?![A-Za-z])"
)
_JOINED: Final = re.compile(r"(?<![\w\\'])\(?([A-E])\)?,?\s{1,4}(?:and|or)\s{1,4}$")
_LAST_LETTER: Final = re.compile(r"\(([A-E])\)|(?<![\w\\'])([A-E])(?![\w'])(?=[.)*\s]{0,8}$)")


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of the response: its text, and from where to where it lies."""

    start: int
    end: int
    text: str


def extract(response: str) -> str | None:
    """The answer of a response, without delimiters; None if there is none."""
    text = response[-MAX_RESPONSE:]
    if len(text) < _SHORT and not _MARKED.search(text) and _is_answer(text):
        return strip(text)
    box = last_box(text)
    prose: str | None = None
    for anchor in anchors(text):
        if box is not None and anchor.start < box.end:
            break
        found = _from_capture(anchor.text)
        if found:
            return found
        prose = prose or anchor.text
    if box is not None:
        return _inside(box.text)
    if prose is not None:
        found = _last_value(prose)
        if found:
            return found
    if len(text) <= MAX_ANSWER and _is_answer(text):
        return strip(text)
    if len(text) > MAX_ANSWER and text.count(" ") + text.count("\n") < len(text) // 50:
        return text  # one expression beyond the limits, no prose
    formula = _last_formula(text)
    found = formula.text if formula else _last_number(text)
    if found is None and prose is not None:
        found = _trimmed(prose)[0]
    if found is None and "\n" not in text.strip() and 0 < len(text.strip()) <= 200:
        found = strip(text)
    return found or None


def extract_choice(response: str) -> str | None:
    """The letter A to E that a response chooses; None if there is none, or two are joined by "or" and "and"."""
    text = response[-MAX_RESPONSE:]
    box = last_box(text)
    for anchor in anchors(text):
        if box is not None and anchor.start < box.end:
            break
        letter = _letter(anchor.text[:200])
        if letter is not None:
            return letter or None
    if box is not None:
        return _letter(box.text[:200]) or None
    if len(text) <= 200:
        letter = _letter(text)
        if letter is not None:
            return letter or None
    for formula in reversed(list(_formulas(text))):
        letter = _letter(formula.text[:200])
        if letter is not None:
            return letter or None
    last = None
    for found in _LAST_LETTER.finditer(text):
        last = found
    if last is None:
        return None
    letter = last[1] or last[2]
    joined = _JOINED.search(text, max(0, last.start() - _SHORT), last.start())
    return letter if joined is None or joined[1] == letter else None


def _letter(text: str) -> str | None:
    """The letter that ``text`` begins with; empty if two different ones are joined, None if it begins with none."""
    found = _LETTER.match(text)
    if found is None:
        return None
    letter, after = found[1].upper(), found["after"]
    glued = text[: found.start(1)].rstrip()[-1:]
    if glued not in ("(", "{", "*", "$", "[") and (
        _PROSE_AFTER.match(after) or (found[1].islower() and after.strip(" .)*"))
    ):
        return None
    if _REJECTED.match(after):
        return None
    second = _SECOND.match(after)
    if second and second[1].upper() != letter:
        return ""
    return letter


def last_box(text: str) -> Place | None:
    """The last box that is not empty and lies in no other box, with those that commas, "and" or "or" join to it."""
    stack: list[tuple[int, int]] = []
    best: Place | None = None
    closed: list[tuple[int, int, int]] = []
    for found in _BRACES.finditer(text):
        sign = found[0]
        if sign[0] == "\\" and len(sign) > 4:
            if found[1]:
                stack.append((found.end(), found.start()))
            elif found.end() < len(text):
                bare = _BARE_BOX.match(text, found.end())
                if bare and bare[0][0] not in "}\\":
                    closed.append((found.start(), found.end(), bare.end()))
        elif sign == "{":
            stack.append((-1, -1))
        elif sign == "}" and stack:
            inside, start = stack.pop()
            if inside >= 0:
                while closed and closed[-1][0] > start:
                    closed.pop()
                closed.append((start, inside, found.start()))
    for start, inside, end in reversed(closed):
        if not _has_content(text[inside : min(end, inside + MAX_ANSWER + 1)]):
            continue
        if best is None:
            best = Place(start, end, text[inside:end])
        elif _BETWEEN.fullmatch(text, end, best.start) and best.end - start <= MAX_ANSWER:
            best = Place(start, best.end, f"{text[inside:end]}, {best.text}")
        else:
            break
    return best


def _has_content(text: str) -> bool:
    return bool(re.sub(r"\\(?:text\w*|boxed|fbox|,|;|!|quad)|[\s{}$~]", "", text))


def _inside(text: str) -> str | None:
    """The content of a box: itself, or the answer of a sentence in it; boxes in it are opened."""
    while "\\boxed" in text or "\\fbox" in text:
        start, inside, end = _first_box(text)
        if inside < 0:
            break
        text = text[:start] + text[inside:end] + text[end + 1 :]
    if len(text) <= MAX_ANSWER:
        found = _ANCHOR.search(text)
        if found and found.end() < len(text):
            inner = _from_capture(_opened(text[found.end() :]))
            if inner:
                return inner
        if not _is_answer(text):
            value = _VERB.split(_FLAT_TEXT.sub(r"\1", text))[-1]
            if value and _is_answer(value) and not isinstance(parse(value).tree, Text):
                return strip(value)
    return strip(text) or None


def _first_box(text: str) -> tuple[int, int, int]:
    found = re.search(r"\\(?:boxed|fbox)\s{0,8}\{", text)
    if found is None:
        return -1, -1, -1
    depth = 1
    for brace in re.finditer(r"\\.|[{}]", text[found.end() :], re.DOTALL):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return found.start(), found.end(), found.end() + brace.start()
    return -1, -1, -1


def anchors(text: str) -> Iterator[Place]:
    """What follows "answer is", "answer:" and headings, the last first, up to a blank line."""
    places = [(found.start(), found.end()) for found in _ANCHOR.finditer(text)]
    places += [(found.start(), found.end()) for found in _HEADING.finditer(text)]
    for start, end in sorted(places)[: -_MAX_ANCHORS - 1 : -1]:
        capture = text[end : end + MAX_ANSWER + 1].lstrip()
        blank = _BLANK_LINE.search(capture)
        capture = capture[: blank.start()] if blank else capture
        hope = _HOPE.search(capture)
        capture = capture[: hope.start()] if hope else capture
        if capture.strip(" .*_\n$"):
            yield Place(start, end, _opened(capture))


def _opened(capture: str) -> str:
    """Without a closing brace or bold mark whose opening one stands before the anchor."""
    capture = capture.strip()
    if capture.startswith("}"):
        capture = capture[1:].strip()
    for mark in ("**", "__"):
        if capture.count(mark) % 2:
            capture = capture.replace(mark, "", 1) if capture.startswith(mark) else "".join(capture.rsplit(mark, 1))
    return capture


def _trimmed(capture: str) -> list[str]:
    """The capture, and shorter and shorter beginnings of it."""
    aside = _ASIDE.search(capture)
    capture = capture[: aside.start()] if aside and aside.start() else capture
    ways = [capture]
    sentence = _SENTENCE.search(capture)
    if sentence:
        ways.insert(0, capture[: sentence.start()])
    line = capture.split("\n", 1)[0]
    ways.insert(0 if line.count("{") == line.count("}") else len(ways), line)
    for way in tuple(ways):
        clause = _CLAUSE.search(way)
        if clause and clause.start():
            ways.append(way[: clause.start()])
    return [strip(way) for way in ways if strip(way)] or [""]


def _from_capture(capture: str) -> str | None:
    """The first beginning of the capture that reads as an answer."""
    for way in _trimmed(capture):
        if len(way) <= MAX_ANSWER and _is_answer(way):
            return way
    first = _trimmed(capture)[0]
    places = list(_formulas(first))
    return _last_value(first) if len(places) == 1 and _is_answer(places[0].text) else None


def _is_answer(text: str) -> bool:
    """Whether ``text`` is an answer and not prose: it parses, or is a few words that are no phrase of the language."""
    text = strip(text)
    if not text:
        return False
    found = parse(text)
    return found.limit or _is_plain(found.tree, text)


def _is_plain(tree: Node, text: str) -> bool:
    if isinstance(tree, Text):
        if "\\" in text and "$" not in text and not text.startswith("\\text"):
            return "\n" not in text and "\\boxed" not in text and not _PROSE.search(_COMMANDS.sub("", text))
        few = 0 < len(tree.words) <= 4 and "\n" not in text
        return few and not any(word in _STOP_WORDS or word[0].isdigit() for word in tree.words)
    if isinstance(tree, Quantity) and tree.unit is None:
        return len(text) < 60 and not _STOP_WORDS.intersection(text.lower().split())
    if isinstance(tree, Listing):
        in_words = {isinstance(item, Text) for item in tree.items}
        return len(in_words) == 1 and all(_is_plain(item, text) for item in tree.items)
    if isinstance(tree, Relation):
        return all(_is_plain(term, text) for term in tree.terms)
    return True


def _formulas(text: str) -> Iterator[Place]:
    r"""``$..$``, ``$$..$$``, ``\(..\)`` and ``\[..\]`` with what they contain, in order."""
    opened, start, inside = "", 0, 0
    pairs = {r"\(": r"\)", r"\[": r"\]", "$": "$", "$$": "$$"}
    for found in _MATH.finditer(text):
        sign = found[0]
        if opened:
            if sign == pairs[opened]:
                yield Place(start, found.end(), text[inside : found.start()])
                opened = ""
        elif sign in pairs:
            opened, start, inside = sign, found.start(), found.end()


def _last_formula(text: str) -> Place | None:
    """The last formula that is an answer, with those that "or" joins to it, or a list that a plural announces."""
    places = [place for place in _formulas(text) if 0 < len(place.text.strip()) <= MAX_ANSWER]
    places = [place for place in places if not _MARK.fullmatch(place.text)]
    while len(places) > 1 and _ABOUT.search(text, max(0, places[-1].start - _SHORT), places[-1].start):
        places.pop()
    if not places or not _is_answer(places[-1].text):
        return None
    joined = listed = [strip(places[-1].text)]
    first = places[-1]
    for place in places[-2:-_MAX_ITEMS:-1]:
        between = text[place.end : first.start]
        if not _BETWEEN.fullmatch(between):
            break
        first, listed = place, [strip(place.text), *listed]
        if between.strip() == "or" and len(joined) == len(listed) - 1:
            joined = listed
    plural = _PLURAL.search(text, max(0, first.start - _SHORT), first.start)
    return Place(first.start, places[-1].end, ", ".join(listed if plural else joined))


def _last_value(prose: str) -> str | None:
    """The last formula or number of a sentence, whichever comes later."""
    formula, number = _last_formula(prose), _last_number(prose)
    if formula is None or number is None:
        return formula.text if formula else number
    return formula.text if formula.end >= prose.rfind(number) else number


def _last_number(text: str) -> str | None:
    """The last number that stands alone, with the formula around it."""
    if _PROGRAM.search(text):
        return None
    best = None
    for found in _NUMBER.finditer(_CALL.sub(lambda call: " " * len(call[0]), text)):
        best = found
    for formula, end in islice(formulas(text), _MAX_FORMULAS):
        if best is not None and end < best.end():
            break
        if _is_answer(formula) and not isinstance(parse(formula).tree, Text):
            return strip(formula)
    return best[0] if best else None
