"""Whether a sentence states that the answer is a value: a small grammar of assertion.

A value in prose is an answer only where its sentence is understood: a subject and a verb that links it to the value
("the area is 5", "we get 5", "so 5"), or the value and what is said of it ("5 is the minimum", "5 ways"). The words are
put into classes (``lexicon``), one letter each, and the string of letters must match one of these forms. A word of no
class can only be a noun, so that a verb nobody listed ("the book disputes 5") does not link; words that deny, bound,
suppose or quote are in no form. A box is the writer's own mark: its sentence needs no form, but must not deny it.
"""

from __future__ import annotations

import re
from itertools import dropwhile, pairwise
from typing import Final

from zoo_harp.checker.extraction.clauses import Words, beginning, sentence
from zoo_harp.checker.extraction.hedges import SUPERLATIVES, before_reason, is_conditional, is_open, stands_alone
from zoo_harp.checker.extraction.retraction import is_taken_back
from zoo_harp.checker.extraction.wide import is_asserted_wide, is_denied_wide, is_wide
from zoo_harp.checker.languages import THIS
from zoo_harp.checker.lexicon import COMPARISONS, is_false, is_negation, is_operator, takes_back
from zoo_harp.checker.vocabulary import names
from zoo_harp.checker.words import MULTIPLES

_SIMPLE: Final = re.compile(r"D?V?D?[NQFG]+(?:PD?[NQFG]+)*|F+(?:AF+)*|[SDTR]|F,D?[NQ].*,")
_HEAD: Final = re.compile(r"D?[NFGV]{0,5}Q[NQF]*")
_LINK: Final = re.compile(r"(?:M[VC]*)?(?:A(?:XFC)?[VC]*(?:DQ)?|L[VC]*(?:D?Q)?)$")
_ANSWER: Final = re.compile("(?:the )?(?:final )?answer|ответ|(?:also )?ist (?:die|das) (?:antwort|ergebnis|lösung)")
_LEAD: Final = re.compile(r"[CV,]*(?:P(?:T|S|D?[NQF]+),?)*[CV,]*")
_EMBEDS: Final = re.compile(
    r"[CV,]*(?:P(?:S|D?[NQF]+),?)*[CV,]*(?:(?:[SR]|D|D?[NQFG]+)?M?V*[EL]|[SR]?AV*(?:K|KE|E)|D?N?QA|E)T?"
)
_CONTRAST: Final = re.compile(r"(?:^|[AL])V*XF,?C$")
"""as in "not 6, but": the value after it is the one that is asserted"""
_ABOUT_LIARS: Final = re.compile(r"(?:D?[NS]+R[^,;:()]*|DX?N+)AV*$")
_PREDICATE: Final = re.compile(r"[MA]+V*(?:D?[NVFG]*Q|P)")
_CHANGES: Final = frozenset(names("squared cubed halves thirds quarters doubled tripled halved"))
_MULTIPLES: Final = frozenset(names("twice thrice double triple half times minus plus"))
_OTHER_THINGS: Final = frozenset(
    names("different other another page line section step exercise chapter figure table footnote")
)
_GOOD: Final = frozenset(names("correct right true enough sufficient possible optimal attainable best impossible"))
_BARRING: Final = COMPARISONS | frozenset(
    names("different-from distinct-from far-from than except excluding besides anything-but everything-but all-but")
)
_ASIDES: Final = (("(",), ("—",), ("–",), ("-",))
_THIS: Final = THIS | {"this", "that", "it", "which"}
_OTHERS: Final = frozenset(names("their his her your"))
_LIARS: Final = frozenset(names("statement statements sentence person student knight coin suspect claim equation"))
_CONCLUSIVE: Final = frozenset(
    names(
        "so thus hence therefore then finally consequently accordingly donc ainsi finalement entonces finalmente "
        "portanto então assim quindi dunque pertanto daher somit folglich deshalb demnach schließlich итак значит "
        "следовательно поэтому"
    )
)
_ALL: Final = (("all",), ("every",), ("any",), ("each",))
_NONE_OF_OTHERS: Final = frozenset(names("no nothing neither none nobody"))
_STATED: Final = frozenset(
    names(
        "does do works work remains remain cancels cancel vanishes vanish fits fit survives survive qualifies qualify "
        "divides divide repeats repeat"
    )
)
"""verbs after which nothing is left to say: the box is what the statement leads to"""
_RESETS: Final = _CONCLUSIVE | {"but"}
_SUPPOSED: Final = frozenset(names("if unless whether suppose assume let were had imagine lest neither either forall"))
_MODALS: Final = frozenset(names("can could may might cannot can't couldn't would"))
_VERBAL: Final = ("A", "M", "L", "V")
_OPENING: Final = frozenset(names("if such given after before until"))
_RESTATING: Final = tuple((word,) for word in names("about approximately roughly equivalently simply ,"))
_LOGIC: Final = re.compile(r"\\(?:forall|n?exists|lnot|neg|not)(?![A-Za-z])|[∀∃∄¬]")
_DELIMITED: Final = re.compile(r"\$[^$]{1,600}\$|\\\((?:[^\\]|\\(?!\))){1,600}\\\)")
_SHORT: Final = 100


def is_asserted(text: str, start: int, end: int) -> bool:
    """Whether the sentence around ``text[start:end]`` asserts that this text is the answer."""
    left, right = sentence(text, start, end)
    if is_wide(text, start, end):
        denied = any(map(is_operator, (*left.words, *right.words)))
        return is_asserted_wide(text, start, end) and not denied and not is_taken_back(text, end)
    if _is_formal(text, start) or ("would" in left.words and "if" in right.words):
        return False
    linked = _is_linked(left)
    if not linked or is_open(left, right, text[start:end]) or (linked == "alone" and not stands_alone(right)):
        return False
    return _goes_on(right, alone=linked == "alone") and not is_taken_back(text, end)


def _is_formal(text: str, start: int) -> bool:
    r"""Whether a sign of logic stands before a value outside of a formula, as in ``\nexists x: so $x=7$``."""
    alone = len(text) <= _SHORT and "\n" not in text
    before = text[0 if alone else beginning(text, start) : start]
    return bool(_LOGIC.search(_DELIMITED.sub(" ", before)))


def is_kept(text: str, start: int, end: int) -> bool:
    """Whether the words around a box leave it as the answer: its clause neither denies nor supposes it."""
    left, right = sentence(text, start, end)
    if is_taken_back(text, end) or is_conditional(left, right):
        return False
    since = _since_reset(left)
    clause = left.words[max(since, _last_stop(left.classes)) :]
    denied = any(is_negation(word) or is_false(word) or word in _BARRING for word in clause)
    if denied and not _is_linked(left) and not _describes(left) and not _states_of_others(left, clause):
        return False
    if clause[-1:] and clause[-1] in _MULTIPLES:
        return False
    if (
        _is_supposed(clause)
        or _is_mislabelled(left)
        or (is_wide(text, start, end) and is_denied_wide(text, start, end))
    ):
        return False
    near = re.split("[,;(C]", right.classes)[0]
    if "?" in near:
        return False
    rest = right.words[len(near) + 1 :]
    sign = right.words[len(near) : len(near) + 1]
    remark = rest[:5] if rest[:1] and rest[0] in _THIS else rest[:1]
    aside = sign in _ASIDES and any(map(is_operator, remark))
    goes_on = aside or rest[:1] in (("which",), ("but",), ("that",))
    return not takes_back(right.words[: len(near)]) and not (goes_on and takes_back(rest))


def _describes(left: Words) -> bool:
    """Whether falsehood describes whom or what a box names: "the one who lies is", "the false statement is"."""
    match = _ABOUT_LIARS.search(left.classes)
    if match is None:
        return False
    words = left.words[match.start() :]
    return "who" in words or not _LIARS.isdisjoint(words)


def _states_of_others(left: Words, clause: tuple[str, ...]) -> bool:
    """Whether a whole statement about other things ends in a colon before a box: "nothing smaller does:"."""
    others = list(
        dropwhile(lambda word: word not in _NONE_OF_OTHERS, (word for word in clause if word not in ("", ":")))
    )
    return (
        left.classes.endswith(":")
        and len(others) > 2
        and others[-1] in _STATED
        and not any(is_false(word) or is_negation(word) for word in others[1:])
    )


def _is_mislabelled(left: Words) -> bool:
    """Whether a label such as "Wrong:" stands before a box."""
    head, colon, tail = left.classes.rpartition(":")
    first = _last_stop(head)
    words = left.words[first : len(head)]
    if _states_of_others(left, words):
        return False
    if words[:1] in _ALL:  # "every term cancels:" is a statement, too
        words = words[1:]
    return bool(colon) and not tail and 1 < len(words) + any(map(is_false, words)) <= 4 and any(map(is_operator, words))


def denied_from(text: str, start: int, end: int) -> int:
    """Where the sentence around a value begins if it denies or bounds anything, else 0."""
    left, right = sentence(text, start, end)
    return beginning(text, start) if any(map(is_operator, (*left.words, *before_reason(right)))) else 0


def _is_linked(left: Words) -> str:
    """How the words before a value link it to a subject: "linked", "alone" (there are none) or "" (not at all)."""
    classes = left.classes
    for index in range(len(classes), -1, -1):
        if index and not _opens(classes, index):
            continue
        clause = Words(left.words[index:], classes[index:])
        link = _clause(clause, classes[:index], left.words[index - 1] if index else "")
        if link and _leads(left, index):
            return link
    return ""


def _opens(classes: str, index: int) -> bool:
    """Whether a clause may begin at a word: behind a sign, a connective or "that", or with "which is" or "it is"."""
    before = classes[index - 1]
    if before == "C":
        return classes[index - 2 : index - 1] not in _VERBAL
    return (
        before in ",;:()TEL"
        or bool(re.match("R[AL]", classes[index:]))
        or (before == "F" and classes[index : index + 2] == "SA")
    )


def _clause(clause: Words, before: str, word: str) -> str:
    """How a clause before a value links it, after the sign or word that opens the clause."""
    classes, opener = clause.classes, before[-1:]
    lead = _LEAD.match(classes)
    if word == "but" and clause.words in ((), ("rather",)) and _CONTRAST.search(before):
        return "linked"
    if lead is not None and (_is_supposed(clause.words[: lead.end()]) or "between" in clause.words[: lead.end()]):
        return ""
    if lead is not None and lead.end() == len(classes):
        if classes and classes[-1] not in "CV,:Q":
            return ""
        if opener == "," and before[0] != "B" and set("AL(X") & set(before):
            return ""
        conclusive = opener in ("", ":") or any(w in _CONCLUSIVE for w in (word, *clause.words))
        return (
            "alone"
            if opener in ("T", "E")
            else "linked"
            if opener == ":"
            else "alone"
            if conclusive or opener in ","
            else ""
        )
    if _ANSWER.fullmatch(" ".join(clause.words)):
        return "linked"
    link = _LINK.search(classes)
    before_link = clause.words[link.start() - 1] if link is not None and link.start() else ""
    if link is None or before_link == "to" or is_negation(before_link):
        return ""
    if link[0][0] == "A" and clause.words[link.start()] in ("be", "been"):
        return ""
    for start in range(lead.end() if lead else 0, -1, -1):
        if _LEAD.fullmatch(classes, 0, start) and _is_subject(
            Words(clause.words[start : link.start()], classes[start : link.start()]),
            classes[link.start() :],
            clause.words[link.start()],
            opener,
        ):
            return "linked"
    return ""


def _is_subject(subject: Words, link: str, verb: str, opener: str) -> bool:
    """Whether words are what a value can be linked to."""
    words, classes = subject.words, subject.classes
    if (verb == "to-be" and "A" in classes) or (words and words[0] in MULTIPLES):
        return False
    if verb.startswith("to-") and verb != "to-be":
        return not any(map(is_operator, words))
    if not classes:
        return "L" in link and opener in (",", "C", "")
    plain = next((index for index, word in enumerate(words) if word in ("answer", "answers", "result", "value")), None)
    if (
        plain is not None
        and plain <= 4
        and (("L" in link and "-" not in verb) or words[0] in _OTHERS or "G" in classes[:plain])
    ):
        return False
    if _SIMPLE.fullmatch(classes) or (words[0].endswith("ing") and not set(classes) & set("ALXTM")):
        return True
    head = _HEAD.match(classes)
    if head is None:
        return False
    after = Words(words[head.end() :], classes[head.end() :])
    if after.words[:1] == ("not",) and not SUPERLATIVES.isdisjoint(words[: head.end()]):
        after = Words(after.words[1:], after.classes[1:])
    return _is_modifier(after)


def _is_modifier(after: Words) -> bool:
    """Whether words after a noun only say more about it: each verb has a word before it that opens its clause."""
    words, classes = after.words, after.classes
    if not classes:
        return True
    if classes[0] in "AMLV" or classes[-1] in "XTRD" or is_negation(words[0]) or is_negation(words[-1]):
        return False
    opened, verbs, modal = 0, 0, False
    for word, letter in zip(words, classes, strict=True):
        opened += letter in "TRBS" or word in _OPENING or (letter == "C" and opened > 0)
        verbs += letter in "AM" or word in _MODALS
        verbs -= letter == "A" and modal
        modal = letter == "M" or word in _MODALS
        if verbs > opened:
            return False
    changed = {"plus", "minus"}.intersection(words[-2:])
    return not changed and (words[0] == "of" or not any(map(is_false, words)))


def _leads(left: Words, index: int) -> bool:
    """Whether the words before a clause leave it a statement: "we see that", or a clause of their own."""
    if index == 0:
        return True
    before, opener = left.classes[:index], left.classes[index - 1]
    if opener == "T" and left.words[index - 2 : index - 1] == ("to-find",):
        return not any(is_negation(word) or is_false(word) for word in left.words[:index])
    if opener in "TEL":
        first = max(_last_stop(before), _after_connective(before))
        supposed = _is_supposed(left.words[first:index])
        return not supposed and bool(_EMBEDS.fullmatch(before, first)) and _leads(left, first)
    words = left.words[:index]
    if opener == "C" and (
        "between" in words or is_negation("".join(words[-2:-1])) or "".join(words[-2:-1]) in _BARRING
    ):
        return False
    if opener == ":":
        return not any(map(is_operator, words[_last_stop(before[:-1]) :]))
    since = _since_reset(Words(words, before))
    if _is_supposed(words[since:]):
        return False
    return words[:1] in (("since",), ("because",), ("as",), ("after",)) or not any(map(is_false, words[since:]))


def _goes_on(right: Words, *, alone: bool) -> bool:
    """Whether what follows a value in its sentence leaves it: nouns, a reason or condition, or "is the answer"."""
    if "?" in right.classes:
        return False
    words = before_reason(right)
    classes = right.classes[: len(words)]
    nouns = 0
    for index, (word, letter) in enumerate(zip(words, classes, strict=True)):
        rest = words[index:]
        if letter in ",(" and words[index + 1 : index + 2] in ((), ("as",)):
            return True
        if word in ("not", "rather", "instead") and index <= nouns + 1:
            return len(rest) <= 4 and not takes_back(rest)
        if letter in ",;:(CTRB" or (word == "if" and not classes[:index].endswith("V")):
            follows_or = any(word == "or" and rest[k + 1 : k + 2] == ("",) for k, word in enumerate(rest))
            if word == "and" and right.classes[index + 1 : index + 2] == "X":
                return rest[1] == "not" and not takes_back(rest)
            modulus = letter == "(" and {"mod", "modulo"}.intersection(rest[1:2])
            return not (takes_back(rest) or "unless" in rest or follows_or or modulus)
        if word == "or" and words[index + 1 : index + 2] in _RESTATING:
            return True
        if word in _CHANGES or (word == "times" and rest[1:]):
            return False
        if (
            letter == "X"
            or word in ("mod", "modulo")
            or (letter == "F" and (index == 0 or words[index - 1] == "times"))
        ):
            return False
        if letter in "AML":
            predicate = _PREDICATE.match(classes, index) or _GOOD.intersection(rest[1:3])
            changed = any(
                (is_operator(word) and not (word in SUPERLATIVES and before == "the")) or word in _OTHER_THINGS
                for before, word in pairwise(("", *rest))
            )
            return bool(nouns or (alone and predicate)) and not changed
        if (letter == "S" and index == 0) or (letter == "D" and nouns == 1 and classes[index - 1] == "N"):
            return False
        nouns += letter in "NQG"
        if letter == "W":
            return not any(map(is_operator, rest))
    return not takes_back(words)


def _last_stop(classes: str) -> int:
    """The position after the last sign that ends a clause."""
    return max(classes.rfind(sign) for sign in ",;:(") + 1


def _after_connective(classes: str) -> int:
    """The position after the last connective."""
    return classes.rfind("C") + 1


def _since_reset(left: Words) -> int:
    """Where a new statement begins after the last connective: "everyone says 4, but", "4 fails, so"."""
    resets = (index for index, word in enumerate(left.words) if word in _RESETS)
    return max((index + 1 for index in resets if not index or not is_negation(left.words[index - 1])), default=0)


def _is_supposed(words: tuple[str, ...]) -> bool:
    """Whether ``words`` suppose or quantify what follows ("for all x,"); "if we add" does neither."""
    if words[:1] == ("for",) and words[1:2] in _ALL:
        return True
    return any(
        word in _SUPPOSED and not (word == "if" and following in ("we", "you", "i", "one"))
        for word, following in pairwise((*words, ""))
    )
