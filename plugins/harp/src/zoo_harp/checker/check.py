"""One check from end to end, never raising on strings."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from zoo_harp.checker import simple
from zoo_harp.checker.algebra.values import UNDECIDED, Decision
from zoo_harp.checker.answers import parse, parse_pair, strip
from zoo_harp.checker.compare.compare import compare_answers
from zoo_harp.checker.compare.wording import same_words
from zoo_harp.checker.extraction.boxes import last_box, opened
from zoo_harp.checker.extraction.letters import extract_choice
from zoo_harp.checker.extraction.reader import anchors, extract, spoken
from zoo_harp.checker.latex.normalise import unescaped
from zoo_harp.checker.limits import MAX_ANSWER, Budget, LimitExceeded, NotDecided, Timeout
from zoo_harp.checker.tree import Text
from zoo_harp.checker.words import words_of

Kind: TypeAlias = Literal["auto", "short", "choice"]
DEFAULT_TIMEOUT: Final = 2.0
_REMARK: Final = re.compile(r"\s\((?=[A-Za-z])[^()]{3,80}\)\s*\.?$")
_CHOICE: Final = re.compile(r"\$?(?:\\(?:text|textbf|mathrm|mathbf)\{)?\(?([A-E])\)?\.?\}?\$?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one check.

    Attributes:
        correct: whether the response gives the gold answer.
        extracted: the answer found in the response, without delimiters; None if there is none.
        rule: the rule that decided, such as ``number``, ``interval``, ``unit``, ``timeout``, ``limit``, ``no-answer``.
        reason: an explanation in words; the rule again for ``timeout``, ``limit`` and ``no-answer``.
        seconds: wall time of the check, waiting included.
    """

    correct: bool
    extracted: str | None
    rule: str
    reason: str
    seconds: float

    @property
    def undecided(self) -> bool:
        """Whether the response was found neither right nor wrong: out of time, too large, or not provable."""
        return not self.correct and self.rule in UNDECIDED

    @property
    def outcome(self) -> Literal["right", "wrong", "undecided"]:
        """The verdict in one word."""
        return "right" if self.correct else "undecided" if self.undecided else "wrong"


def choice_letter(gold: str) -> str | None:
    """The letter A to E that a gold answer is, also in brackets or a text command; None if it is anything else."""
    match = _CHOICE.fullmatch("".join(gold[:MAX_ANSWER].split()))
    return match[1] if match else None


def check_gold(gold: object, name: str = "") -> str:
    """``gold`` as text; an integer becomes its digits.

    Raises:
        ValueError: it is not a string, or empty; ``name`` is the problem's identifier for the message.
    """
    where = f"problem {name}: " if name else ""
    if isinstance(gold, int) and not isinstance(gold, bool):
        return str(gold)
    if not isinstance(gold, str):
        raise ValueError(f"{where}the gold answer is {type(gold).__name__}: expected text.")
    if not strip(gold[:MAX_ANSWER]):
        raise ValueError(f"{where}the gold answer {gold[:40]!r} is empty: expected text.")
    return gold


def check_response(response: object, name: str = "") -> None:
    """Check that a response is text or None.

    Raises:
        TypeError: it is something else; ``name`` is the problem's identifier for the message.
    """
    if response is not None and not isinstance(response, str):
        where = f"problem {name}: " if name else ""
        raise TypeError(f"{where}the response is {type(response).__name__}: expected text or None.")


def check(
    gold: str,
    response: str | None,
    *,
    kind: Kind = "auto",
    timeout_s: float = DEFAULT_TIMEOUT,
    problem: str = "",
) -> Verdict:
    """Whether ``response`` gives the answer ``gold``.

    Args:
        gold: the reference answer, LaTeX or plain text.
        response: a whole model output or a bare answer; None counts as unanswered.
        kind: ``short`` compares values, ``choice`` a letter A to E; ``auto`` compares values, and also accepts
            the letter where the gold answer is one.
        timeout_s: seconds for the whole check, at most 10.
        problem: identifier of the problem, for error messages.

    Returns:
        The verdict; any two strings get one. Answers that are too large are equal only as written (rule ``limit``).

    Raises:
        ValueError: the gold answer is empty or not a string, ``kind`` is unknown, or ``timeout_s`` is not positive.
        TypeError: the response is neither a string nor None.
    """
    began = time.perf_counter()
    gold = check_gold(gold, problem)
    if kind not in ("auto", "short", "choice"):
        raise ValueError(f"kind = {kind!r}: expected 'auto', 'short' or 'choice'.")
    if not timeout_s > 0:
        raise ValueError(f"timeout_s = {timeout_s}: expected a number of seconds above 0.")
    check_response(response, problem)
    if kind != "choice" and response is not None:
        one, answer = simple.fraction(simple.bare(gold)), simple.bare(response)
        other = simple.fraction(answer) if one is not None else None
        if one is not None and other is not None:
            same = one[0] * other[1] == other[0] * one[1]
            reason = "the same rational number" if same else "different rational numbers"
            return Verdict(same, answer, "number", reason, time.perf_counter() - began)
    letter = choice_letter(gold) if kind != "short" else None
    if kind == "choice" and letter is None:
        raise ValueError(f"the gold answer {gold[:40]!r} is not a choice: expected one letter from A to E.")
    extracted, decision = _decide(gold, response or "", letter, kind, Budget(timeout_s))
    return Verdict(decision.correct, extracted, decision.rule, decision.reason, time.perf_counter() - began)


def check_bool(gold: str, response: str | None) -> bool:
    """Whether ``response`` gives the answer ``gold``; a gold that is one letter from A to E is a choice.

    Raises:
        ValueError: the gold answer is empty or not a string.
        TypeError: the response is neither a string nor None.
    """
    return check(gold, response).correct


def _decide(gold: str, response: str, letter: str | None, kind: Kind, budget: Budget) -> tuple[str | None, Decision]:
    extracted: str | None = None
    try:
        if letter is not None:
            chosen = extract_choice(response)
            if chosen is not None or kind == "choice":
                if chosen is None:
                    return None, Decision(False, "no-answer", "no-answer")
                reason = "the same letter" if chosen == letter else "another letter"
                if chosen == letter or kind == "choice":
                    return chosen, Decision(chosen == letter, "choice", reason)
        if strip(response[:MAX_ANSWER]) == strip(gold[:MAX_ANSWER]) and len(response) < MAX_ANSWER > len(gold):
            return strip(response), Decision(True, "identical", "the same as written")
        extracted = extract(response, budget)
        if extracted is None:
            return None, Decision(False, "no-answer", "no-answer")
        decision = compare_texts(gold, extracted, budget)
        in_words = not decision.correct and len(response) < MAX_ANSWER and isinstance(parse(gold_text(gold)).tree, Text)
        said = spoken(response) if in_words else ""
        asked = said.rstrip("$*} ").endswith("?") and "?" not in gold
        if in_words and not asked and same_words(words_of(said), words_of(gold)):
            return strip(response), Decision(True, "text", "the same words")
        return extracted, decision
    except Timeout:
        return extracted, Decision(False, "timeout", "timeout")
    except (LimitExceeded, RecursionError, MemoryError, OverflowError):
        return extracted, Decision(False, "limit", "limit")
    except NotDecided as error:
        return extracted, Decision(False, "undecided", str(error))


def compare_texts(gold: str, answer: str, budget: Budget) -> Decision:
    """Compare two answers that are already extracted.

    Raises:
        LimitExceeded: a number would be too long, or the work too much.
        Timeout: the deadline has passed.
    """
    return compare_answers(*parse_pair(gold_text(gold), answer), budget)


def gold_text(gold: str) -> str:
    """The answer within a gold answer: the content of its box, the text after "the answer is", or all but a remark."""
    gold = unescaped(gold) if "\\\\" in gold else gold
    if "\\boxed" in gold or "\\fbox" in gold:
        box = last_box(gold)
        return opened(box.text) if box is not None else gold
    if len(gold) > MAX_ANSWER or not isinstance(parse(gold).tree, Text):
        return gold
    bare = _REMARK.sub("", gold)
    if bare != gold and bare.strip() and not isinstance(parse(bare).tree, Text):
        return bare
    return next((place.text for place in anchors(gold) if not isinstance(parse(place.text).tree, Text)), gold)
