"""The answer inside of a response: anchors, boxes, formulas, the last number, in that order (docs/methods/harp.md).

Every search is one pass over the text with bounded look-ahead, so that the time grows linearly with the response.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from zoo_harp.checker.answers import parse, strip
from zoo_harp.checker.compare.figures import is_of_figure
from zoo_harp.checker.compare.wording import is_permuted
from zoo_harp.checker.extraction.assertions import denied_from, is_asserted, is_kept
from zoo_harp.checker.extraction.beside import is_changed, with_base, with_range
from zoo_harp.checker.extraction.boxes import Span, is_bounded, last_box, opened
from zoo_harp.checker.extraction.inline import formulas
from zoo_harp.checker.extraction.reply import reply
from zoo_harp.checker.limits import MAX_ANSWER, MAX_RESPONSE, Budget
from zoo_harp.checker.tree import Listing, Node, Quantity, Relation, Text, walk
from zoo_harp.checker.vocabulary import names
from zoo_harp.checker.words import NUMBER_WORDS

_ANCHOR: Final = re.compile(
    r"answers?[*_\s\"'`)\]}]{0,8}"
    r"(?:\b(?:is|are|equals|was|(?:must|should|would|will|has\s{1,4}to)\s{1,4}be)\b(?:\s{1,4}(?:simply|just|"
    r"therefore|thus|exactly|then|equal\s{1,4}to|given\s{1,4}by))?"
    r"|[:=：]|\s[-–—]\s)[:*_\s]{0,12}"
    r"|(?:答案|答え)\s?(?:是|为|為|は)?\s?[:：]?\s?|(?:答|답|정답)\s?(?:은|는)?\s?[:：]\s?|(?:답|정답)은\s?"
    r"|\b(?:Ответ|Antwort|Réponse|Respuesta|Resposta|Risposta)\s{0,2}:[*_\s]{0,4}",
    re.IGNORECASE,
)
_HEADING: Final = re.compile(r"^[#*_ \t]{0,8}(?:the )?(?:final )?answer[*_ \t]{0,8}$", re.IGNORECASE | re.MULTILINE)
_HOPE: Final = re.compile(r"\bI hope (?:it|this) is correct", re.IGNORECASE)
_JOINT: Final = re.compile(r"[}\s$]{0,4}(?:,|,?\s?(?:and|or|\\text\{ ?(?:and|or) ?\}))[\s$]{0,4}")
_MAX_SENTENCE: Final = 600
_BLANK_LINE: Final = re.compile(r"\n[ \t\r]{0,40}\n")
_SENTENCE: Final = re.compile(
    r"(?<!\b[ap]\.m)(?<!\bsq)(?<!\bcu)(?<!\bft)(?<!\.\.)\.[*_\"')]{0,4}(?=\s{1,4}[A-Z\\$*<]|\s{0,8}$|[ \t]{0,8}\n)"
)
_CLAUSE: Final = re.compile(
    r"[,;]?\s{1,4}(?:because|since|when|if|not|rather than|instead of|(?:but|and) not|so that|which|where|so|by|hence"
    r"|as (?:required|desired|follows))\b",
    re.IGNORECASE,
)
_ASIDE: Final = re.compile(
    r"[,;]?\s{1,4}\(?(?:or|which is|i\.e\.,?)?\s{0,4}(?:approximately|about|roughly)\s|\s\((?!mod|"
    r"base)(?=[A-Za-z]{3})",
    re.IGNORECASE,
)
_MATH: Final = re.compile(r"\\[()\[\]]|\\\$|\$\$?")
_NUMBER: Final = re.compile(
    r"(?<![\w.,\\^/])(?<!\w\()-?(?:\d+,\d{1,2}(?![\d,.])|\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)(?:/\d+)?(?:\\?%)?"
    r"(?:[kcdm]?m[²³])?(?![\w(^]|\.\d|/\d|,\d)"
)
_WORDS_OF_NUMBERS: Final = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_NUMERAL: Final = re.compile(
    rf"\b(?!one\b(?!-))(?:{_WORDS_OF_NUMBERS})(?:(?:[ -]|\sand\s)(?:{_WORDS_OF_NUMBERS}))*\b", re.IGNORECASE
)
"""a number in words; "one" alone is a pronoun"""
_GOES_ON: Final = re.compile(
    r"\s?(?:\+(?!\+)|\^|[×·/]|\\(?:cdot|times|pm|div)(?![A-Za-z]))"
    r"|(?:\\[,;: ]|[\s~]){0,4}\\(?:text|mathrm)\w{0,4}\s?\{[^{}]{0,40}\}\s?\^"
)
"""an operator after a number, which is then only a part of an expression that could not be read"""
_PROGRAM: Final = re.compile(
    r"__|%\(|\b(?:eval|exec|system|globals|subprocess)\b\s?[(.]|\blambda\s{1,4}\w{0,20}\s?:"
    r"|\bimport\s{1,4}(?:os|sys|subprocess|socket|shutil)\b|\bos\."
)
_CALL: Final = re.compile(r"\w\([^()]{0,200}\)")
_SHORT: Final = 100
_EMPTY_BOX: Final = re.compile(r"\\(?:boxed|fbox)\s?\{\s{0,8}\}")
_MARKED: Final = re.compile(r"answer|\\[bf]", re.IGNORECASE)
_MAX_ANCHORS: Final = 16
_MAX_FORMULAS: Final = 8
_MAX_CANDIDATES: Final = 12
_WINDOW: Final = 2_000
"""characters at the end in which numbers are looked for"""
_RATIO: Final = re.compile(
    r"\b(?:ratio|odds|proportion)\b[^.\n$\d]{0,80}\b(\d{1,9}(?:\sto\s\d{1,9}){1,3})(?![\w/^]|\.\d)"
)
_MARK: Final = re.compile(r"\s*\\(?:blacksquare|square|Box|qed|checkmark)\s*")
_PLURAL: Final = re.compile(r"\b(?:are|were|be|values|solutions|roots):?\s{0,4}$")
_LINE: Final = re.compile(r"(?:\\[A-Za-z]+|[^A-Za-z=\\]|[A-Za-z](?![A-Za-z])){1,100}")
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


def extract(response: str, budget: Budget | None = None) -> str | None:
    """The answer of a response, without delimiters; None if there is none.

    Raises:
        Timeout: the deadline of ``budget`` has passed.
    """
    text, tagged = reply(response[-MAX_RESPONSE:])
    reader = Reader(budget)
    lines = reader.lines(text) if "\n" in text else None
    if lines is not None:
        return lines
    bare = len(text) < _SHORT and not _MARKED.search(text)
    if bare and is_of_figure(text) and isinstance(parse(text).tree, Relation):
        return strip(text)
    bare = bare and not _has_words(parse(text).tree)
    if (tagged or bare) and not _has_empty_box(text) and reader.is_answer(text):
        return strip(text)
    return reader.extract(text)


def anchors(text: str) -> Iterator[Span]:
    """What follows "answer is", "answer:" and headings, the last first, up to a blank line."""
    spans = [match.span() for pattern in (_ANCHOR, _HEADING) for match in pattern.finditer(text)]
    for start, end in sorted(spans)[: -_MAX_ANCHORS - 1 : -1]:
        capture = text[end : end + MAX_ANSWER + 1].lstrip()
        blank = _BLANK_LINE.search(capture)
        capture = capture[: blank.start()] if blank else capture
        hope = _HOPE.search(capture)
        capture = capture[: hope.start()] if hope else capture
        if capture.strip(" .*_\n$"):
            yield Span(start, end, _unmarked(capture))


def _has_empty_box(text: str) -> bool:
    return "box" in text and _EMPTY_BOX.search(text) is not None


def _unmarked(capture: str) -> str:
    """Without a closing brace or bold mark whose opening one stands before the anchor."""
    capture = capture.strip()
    if capture.startswith("}"):
        capture = capture[1:].strip()
    for mark in ("**", "__"):
        if capture.count(mark) % 2:
            capture = capture.replace(mark, "", 1) if capture.startswith(mark) else "".join(capture.rsplit(mark, 1))
    return capture


def _trimmed(capture: str) -> list[str]:
    """Beginnings of the capture that may be the answer, in the order in which they are tried."""
    aside = _ASIDE.search(capture)
    capture = capture[: aside.start()] if aside and aside.start() else capture
    line = capture.split("\n", 1)[0]
    sentence = _SENTENCE.search(capture)
    beginnings = [capture[: sentence.start()]] if sentence else []
    beginnings.insert(
        0 if len(beginnings) == 0 or len(line) < len(beginnings[0]) else 1,
        line if line.count("{") == line.count("}") else "",
    )
    beginnings += [capture, line]
    for beginning in tuple(beginnings):
        clause = _CLAUSE.search(beginning)
        if (
            clause
            and clause.start()
            and not beginning[: clause.start()].endswith(" only")
            and not _VERB.search(beginning, clause.end())
        ):
            beginnings.append(beginning[: clause.start()])
    return [strip(beginning) for beginning in beginnings if strip(beginning)] or [""]


def _is_plain(tree: Node, text: str) -> bool:
    if isinstance(tree, Text):
        if "\\" in text and "$" not in text and not text.startswith("\\text"):
            return "\n" not in text and "\\boxed" not in text and not _PROSE.search(_COMMANDS.sub("", text))
        few = 0 < len(tree.words) <= 4 and "\n" not in text
        return few and not any(word in _STOP_WORDS or word[0].isdigit() for word in tree.words)
    if isinstance(tree, Quantity) and tree.unit is None:
        return len(text) < 60 and not _STOP_WORDS.intersection(text.lower().split())
    if isinstance(tree, Listing):
        if is_permuted(tree.items[-1]):
            return True
        in_words = {isinstance(item, Text) for item in tree.items}
        return len(in_words) == 1 and all(_is_plain(item, text) for item in tree.items)
    if isinstance(tree, Relation):
        return all(_is_plain(term, text) for term in tree.terms)
    return True


def _has_words(tree: Node) -> bool:
    """Whether there are words in an answer, other than "and permutations"."""
    return any(isinstance(node, Text) and not is_permuted(node) for node in walk(tree))


def delimited(text: str) -> Iterator[Span]:
    r"""``$..$``, ``$$..$$``, ``\(..\)`` and ``\[..\]`` with what they contain, in order."""
    opened, start, inside = "", 0, 0
    pairs = {r"\(": r"\)", r"\[": r"\]", "$": "$", "$$": "$$"}
    for match in _MATH.finditer(text):
        sign = match[0]
        if opened:
            if sign == pairs[opened]:
                yield Span(start, match.end(), text[inside : match.start()])
                opened = ""
        elif sign in pairs:
            opened, start, inside = sign, match.start(), match.end()


def spoken(response: str) -> str:
    """The sentence that a reply gives as its answer: the text after the last anchor, or all of it."""
    text, _ = reply(response[-MAX_RESPONSE:])
    anchor = next(anchors(text), None)
    return strip(anchor.text if anchor is not None else text)


class Reader:
    """Finds the answer in a reply; parsing candidates counts against the budget of the check."""

    def __init__(self, budget: Budget | None) -> None:
        self.budget = budget

    def extract(self, text: str) -> str | None:
        """The answer of a reply."""
        box = last_box(text)
        if box is None and _has_empty_box(text) and self.is_answer(_EMPTY_BOX.sub(" ", text)):
            return None  # the box is where the answer should be
        prose: Span | None = None
        for anchor in anchors(text):
            if box is not None and anchor.start < box.end:
                break
            answer = self.from_capture(anchor.text)
            if answer:
                start = max(text.find(answer, anchor.end), anchor.end)
                return self._beside(text, start, start + len(answer), answer)
            prose = prose or anchor
        if box is not None:
            kept = is_kept(text, box.start, box.end) and not is_bounded(text, box.start, box.end)
            if not kept or is_changed(text, box.end + 1, box.text):
                return None
            inside = self._inside(box.text)
            if not inside:
                return None
            return with_range(text, box.end + 1, with_base(text, box.start, box.end + 1, inside))
        whole = prose is None and len(text) <= MAX_ANSWER and self.is_answer(text)
        if whole and not _has_words(parse(text).tree):
            return strip(text)
        if len(text) > MAX_ANSWER and text.count(" ") + text.count("\n") < len(text) // 50:
            return text  # one expression beyond the limits, no prose
        answer = self._value(text, prose.start if prose is not None else 0)
        if answer is None and prose is not None:
            phrase = _trimmed(prose.text)[0]
            start = max(text.find(phrase, prose.end), prose.end)
            asked = phrase.rstrip("$*} ").endswith("?")
            answer = phrase if not asked and is_kept(text, start, start + len(phrase)) else None
        if answer is None and whole:
            answer = strip(text)
        predicate = _VERB.split(text)[-1]
        if (
            answer is None
            and predicate != text
            and self.is_answer(predicate)
            and not isinstance(parse(predicate).tree, Text)
        ):
            start = text.rindex(predicate)
            return strip(predicate) if is_asserted(text, start, len(text)) else None
        short = "\n" not in text.strip() and 0 < len(text.strip()) <= 200
        if answer is None and short and self._is_worded(text):
            answer = strip(text)
        return answer or None

    def lines(self, text: str) -> str | None:
        """The list that a reply of nothing but values is, each in a line of its own; None if it is more."""
        lines = [*dict.fromkeys(strip(line) for line in text.split("\n", _MAX_CANDIDATES) if line.strip())]
        bare = 1 < len(lines) <= _MAX_CANDIDATES and all(
            len(line) <= _SHORT and _LINE.fullmatch(line) for line in lines
        )
        return ", ".join(lines) if bare and all(map(self.is_answer, lines)) else None

    def _is_worded(self, text: str) -> bool:
        """Whether ``text`` is words, perhaps with numbers among them, and no mathematics."""
        tree = parse(text).tree
        return any(map(str.isalpha, tree.words)) if isinstance(tree, Text) else not any(map(str.isdigit, text))

    def is_answer(self, text: str) -> bool:
        """Whether ``text`` is an answer and not prose: it parses, or is a few words that are not a phrase."""
        text = strip(text)
        if not text or text.rstrip("$*} ").endswith("?"):
            return False
        if self.budget is not None:
            self.budget.check_time()
        answer = parse(text)
        return answer.limit or _is_plain(answer.tree, text)

    def _inside(self, text: str) -> str | None:
        """The content of a box: itself, or the answer of a sentence in it; boxes in it are opened."""
        text = opened(text)
        if len(text) <= MAX_ANSWER and not self.is_answer(text):
            plain = _FLAT_TEXT.sub(r"\1", text)
            value = _VERB.split(plain)[-1]
            if value != plain and self.is_answer(value) and not isinstance(parse(value).tree, Text):
                return strip(value) if is_asserted(plain, plain.rindex(value), len(plain)) else strip(text)
        return strip(text) or None

    def from_capture(self, capture: str) -> str | None:
        """The first beginning of the capture that reads as an answer."""
        for beginning in _trimmed(capture):
            if len(beginning) <= MAX_ANSWER and self.is_answer(beginning):
                return beginning
        return None

    def _value(self, text: str, first: int) -> str | None:
        """The last value behind ``first`` that its sentence asserts; none before a sentence that denies one."""
        for candidate in islice(self._candidates(text), _MAX_CANDIDATES):
            if candidate.start < first:
                break
            if is_asserted(text, candidate.start, candidate.end):
                return self._beside(text, candidate.start, candidate.end, candidate.text)
            first = max(first, denied_from(text, candidate.start, candidate.end))
        words = [Span(*word.span(), word[0]) for word in _NUMERAL.finditer(text, max(first, len(text) - _MAX_SENTENCE))]
        return next((word.text for word in reversed(words) if is_asserted(text, word.start, word.end)), None)

    @staticmethod
    def _beside(text: str, start: int, end: int, value: str) -> str | None:
        """A value with the base that is named beside it; None where the words around it deny or change it."""
        if not is_asserted(text, start, end) or is_changed(text, end, value):
            return None
        return with_range(text, end, with_base(text, start, end, value))

    def _candidates(self, text: str) -> Iterator[Span]:
        """What may be the answer: formulas in delimiters and lists of them, other formulas, numbers; the last first."""
        candidates = self._formulas(text)
        if not _PROGRAM.search(text[-_MAX_SENTENCE:]):
            window = len(text) - max(_WINDOW, MAX_ANSWER)
            candidates += self._numbers(text, [(p.start, p.end) for p in delimited(text) if p.end > window])
        for candidate in sorted(candidates, key=lambda candidate: (-candidate.end, candidate.start)):
            if self.is_answer(candidate.text):
                yield candidate

    def _formulas(self, text: str) -> list[Span]:
        """Formulas in delimiters, each with those that "or" joins to it, or a list that a plural announces."""
        candidates: list[Span] = []
        spans = [span for span in delimited(text) if 0 < len(span.text.strip()) <= MAX_ANSWER]
        spans = [span for span in spans if not _MARK.fullmatch(span.text)][-_MAX_CANDIDATES:]
        for last in range(len(spans)):
            joined = listed = [strip(spans[last].text)]
            first = spans[last]
            for span in reversed(spans[:last]):
                between = text[span.end : first.start]
                if not _JOINT.fullmatch(between):
                    break
                first, listed = span, [strip(span.text), *listed]
                if between.strip() == "or" and len(joined) == len(listed) - 1:
                    joined = listed
            plural = _PLURAL.search(text, max(0, first.start - _SHORT), first.start)
            candidates.append(Span(first.start, spans[last].end, ", ".join(listed if plural else joined)))
        return candidates

    def _numbers(self, text: str, delimited_spans: list[tuple[int, int]]) -> list[Span]:
        """Formulas without delimiters and numbers that stand alone."""
        candidates: list[Span] = []
        for formula, end in islice(formulas(text), _MAX_FORMULAS):
            if not _GOES_ON.match(text, end) and not isinstance(parse(formula).tree, Text):
                start = text.rfind(formula[:8], 0, end)
                candidates.append(Span(max(start, 0), len(text[:end].rstrip(".,;:!?")), strip(formula)))
        for ratio in _RATIO.finditer(text, max(0, len(text) - _MAX_SENTENCE)):
            candidates.append(Span(*ratio.span(1), ratio[1]))
        tail = max(0, len(text) - _WINDOW)
        blank = _CALL.sub(lambda call: " " * len(call[0]), text[tail:])
        for number in _NUMBER.finditer(blank):
            start, end = tail + number.start(), tail + number.end()
            inside = any(first <= start < last for first, last in delimited_spans) or any(
                p.start <= start < p.end for p in candidates
            )
            if not inside and not _GOES_ON.match(text, end):
                candidates.append(Span(start, end, number[0]))
        return candidates
