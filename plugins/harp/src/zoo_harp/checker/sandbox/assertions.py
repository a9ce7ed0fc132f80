"""Whether a sentence states that the answer is a value: a small grammar of assertion.

A value in prose is an answer only where its sentence is understood: a subject and a verb that links it to the value
("the area is 5", "we get 5", "so 5"), or the value and what is said of it ("5 is the minimum", "5 ways"). The words are
put into classes (``lexicon``), one letter each, and the letters must spell one of these forms. A word of no class can
only be a noun, so that a verb nobody listed ("the book disputes 5") does not link; what denies, bounds, supposes or
quotes is in no form. A box is the writer's own mark: its sentence needs no form, but must not deny it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from zoo_harp.checker.lexicon import is_false, is_negation, is_operator, takes_back
from zoo_harp.checker.vocabulary import FUNCTION_NAMES, PLAIN, names

_FAR: Final = 600
"""characters of a sentence that are looked at, on either side"""
_CLASSES: Final = {
    word: letter
    for letter, words in {
        "D": "the a an this these those its our my their his her your each both all such another "
        "der die das ein eine le la les un une el los las il lo o os",
        "A": "is are was were be been equals 's ist est es é è är sind sont son são jest равно равен это",
        "M": "must will should would shall",
        "L": "equal equaling gives give gave giving yields yield yielding gets get got getting obtain obtains obtained "
        "obtaining have has had having find finds found finding need needs needed require requires required take takes "
        "took cost costs make makes made contain contains pay pays paid earn earns earned use uses used receive receives "
        "received travel travels travelled traveled weigh weighs hold holds own owns buy buys bought sell sells sold eat "
        "eats ate walk walks walked win wins won score scores scored spend spends spent save saves saved lasts measures "
        "leaves leaving left becomes totals produces forms sees saw visits visited gains gained compute computes calculate calculates",
        "E": "follows proves see know knows conclude concludes deduce infer means mean implies imply implying show shows tells "
        "note notice realize verify confirm prove observe understand meaning conclusion",
        "C": "so thus hence therefore then finally consequently accordingly thereby and but now",
        "B": "because since as",
        "S": "we i it he she they there you one what",
        "T": "that",
        "R": "which who whom whose where when",
        "P": "of in for on at by with from to per into between among modulo mod within during after before inside outside "
        "across through via upon out",
        "V": "exactly just only simply precisely indeed also clearly obviously overall altogether actually always easily "
        "definitely certainly again together however still",
        "K": "clear evident obvious known true apparent immediate easy straightforward",
        "W": "works work satisfies satisfy suffices suffice remains remain exists exist",
        "Q": "answer answers value values number numbers sum total product result results solution solutions count area "
        "areas volume perimeter length width height radius diameter distance speed age price cost angle measure "
        "probability chance remainder quotient difference ratio minimum maximum min max limit degree root roots "
        "coefficient coefficients constant average mean median mode range slope sequence term terms digit digits factor "
        "divisor multiple prime integer integers pair pairs triple triples tuple point coordinates coordinate vector "
        "matrix interval set function fraction percentage percent expression polynomial equation rank order index "
        "exponent base dimension amount quantity time day month year ways way time times least largest smallest greatest "
        "square squares cube cubes power powers norm determinant trace variance deviation expectation integral derivative inequality possibility",
    }.items()
    for word in words.split()
}
_TOKEN: Final = re.compile(
    r"(?<!\\)\$\$?[^$]{1,600}\$\$?|\\\((?:[^\\]|\\(?!\))){1,600}\\\)|\\\[(?:[^\\]|\\(?!\])){1,600}\\\]"
    r"|\\[()\[\],;:! ]|</?\w{1,10}>|\.{2,}|\\(?P<command>[A-Za-z]+)|(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)(?![\w(^])|(?P<sign>[,;:()?=—–]|\s-\s)|[*`\"“”{}#$>~|&\\]+|[^\s,;:()?{}$*=&]+"
)
_THEREFORE: Final = re.compile(r"\$?\\therefore\s?\$?")
_QUANTIFIERS: Final = frozenset(names("forall exists nexists"))
_SIGNIFICANT: Final = re.compile(r"[\w+/^√π∞°%−×·≤≥≠±-]")
_DENYING: Final = frozenset(names("ne neq not neg lnot"))
_STYLES: Final = re.compile(
    r"text\w{0,6}|math\w{2,4}|quad|qquad|left|right|bf|rm|it|displaystyle|begin|end|fbox|boxed|therefore"
)
_PHRASES: Final = {
    phrase: letter
    for letter, phrases in {
        "V": "as claimed|as desired|as required|as stated|as expected|as wanted|as needed|as asserted|as announced|equal to|given by|none other than|nothing but|a total of|in total|in all|all in all|as follows",
        "M": "has to|have to|ought to",
        "C": "as a result|in conclusion|in which case|in this case|in that case|in either case|in any case|in all cases",
        "S": "we can|you can|one can",
        "X": "at least|at most|at the very least|at the very most|would have been|could have been|might have been|"
        "should have been|must have been|used to be|anything but|everything but|all but",
        "E": "we can say|we can still say|i think|we think|i believe|we believe|easy to see|hard to see|difficult to see|turns out",
        "A": "to be",
        "L": "comes to|come to|came to|comes out to|turns out to|amounts to|amount to|reduces to|simplifies to|simplify to|"
        "evaluates to|sums to|sum to|adds up to|add up to|works out to|works out to be|comes out to be|turns out to be|gives us|gave us|leaves us with|leaving us with|brings us to|converges to|leads to|tends to|is equal to|"
        "lies in|lie in|belongs to|meet at|meets at|intersect at|intersects at|arrives at|arrive at|leaves at|starts at|ends at|to get|to obtain|to give|to yield|to find|we are left with|end up with|ends up with|is worth",
    }.items()
    for phrase in phrases.split("|")
}
_PHRASE: Final = re.compile(
    r"\b(?:(?:not|n't) (?=(?:hard|difficult) to see))?(" + "|".join(sorted(_PHRASES, key=len, reverse=True)) + r")\b",
    re.IGNORECASE,
)
_END: Final = re.compile(
    r"(?<!\b[ap]\.m)(?<!\bsq)(?<!\bft)(?<!\.\.)[.!?][*_\"')]{0,4}(?=\s{1,4}[^\sa-z]|\s{0,8}$)|\)(?=\s[A-Z][a-z])|\n"
)
_OPEN_LINE: Final = re.compile(r"(?:[a-z,:=(]|\\\w+)[ \t*]*$")
_UNENDED: Final = re.compile(r"[,:=(][ \t*]*$|(?:\b(?i:not|is|that|than|are)\b|n't)[ \t*]*$")
_FORMULAS: Final = re.compile(r"F(?:[()=]*,?[()=]*F)*(?:\)*(?=[,A-Z]|$))?")
_LETTER: Final = re.compile(r"D(?=[A,;:)P]|$)")
"""an article before no noun is the variable a"""
_NOUN: Final = re.compile(r"(?<=D)L")
_NEW_SENTENCE: Final = re.compile(r"[\s$)\]\\}]{1,8}(?!I\b)[A-Z][a-z]{1,20}\s[a-z]")
_OPENED: Final = re.compile(r"(?:\$\$?|\\[(\[])\s?(?:\\displaystyle\s?)?$")
_CLOSED: Final = re.compile(r"[\s.,]{0,3}(?:\$\$?|\\[)\]])")
_SIMPLE: Final = re.compile(r"D?V?[NQFG]+(?:PD?[NQFG]+)*|F+(?:AF+)*|[SDTR]|F,D?[NQ].*,")
_HEAD: Final = re.compile(r"D?[NFGV]{0,5}Q[NQF]*")
_LINK: Final = re.compile(r"M?(?:A(?:XFC)?[VC]*(?:DQ)?|L[VC]*(?:D?Q)?)$")
_LEAD: Final = re.compile(r"[CV,]*(?:PD?[NQF]+,?)*[CV,]*")
_EMBEDS: Final = re.compile(
    r"[CV,]*(?:P(?:S|D?[NQF]+),?)*[CV,]*(?:(?:[SR]|D|D?[NQFG]+)?M?V*[EL]|[SR]?AV*(?:K|KE|E)|D?N?QA|E)T?"
)
_PREDICATE: Final = re.compile(r"[MA]+V*(?:D?[NVFG]*Q|P)")
_GOOD: Final = frozenset(names("correct right true enough sufficient possible optimal attainable best impossible"))
_BARRING: Final = frozenset(names("than anything-but everything-but all-but"))
_OTHERS: Final = frozenset(names("their his her your"))
_CONCLUSIVE: Final = frozenset(names("so thus hence therefore then finally consequently accordingly"))
_RESETS: Final = _CONCLUSIVE | {"but"}
_SUPPOSED: Final = frozenset(names("if unless whether suppose assume let were had imagine lest neither either forall"))
_MODALS: Final = frozenset(names("can could may might cannot can't couldn't would"))
_CLOSERS: Final = frozenset(
    names(
        "qed done end hope checked verified finished thanks thank cheers good let best great proof note see completes"
    )
)
"""words that a sentence of at most three words after the answer may begin with"""
_VERBAL: Final = ("A", "M", "L", "V")
_OPENING: Final = frozenset(names("if such given after before until"))
_DEMONSTRATIVE: Final = ("this", "these", "those")
_SUPERLATIVES: Final = frozenset(names("smallest largest least greatest first last only number numbers integers"))
_RESTATING: Final = tuple((word,) for word in names("about approximately roughly equivalently simply ,"))
_POINTED: Final = re.compile(r"(?:[^,]{1,3},|[CVX]|ET?|PNN?,?)*")
_POINTERS: Final = tuple((word,) for word in names("it this that these those which"))
_POINTING: Final = frozenset(names("i answer wait actually above my mine which no oops hmm unfortunately value"))


_NEAR: Final = 3
_WIDE: Final = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_WIDE_STOP: Final = re.compile(r"[.!?。！？\n]")
_WIDE_LINK: Final = re.compile(
    r"(?:^|[是为為は有得于於到要需がも은는이가共即答案計计값수率率:：,，=]|所以|因此|从而|故|よって|したがって|すなわち|ゆえに|그러므로|따라서|즉)[\s$*\\(\[{]*$"
)
_WIDE_OPERATOR: Final = re.compile(
    "不(?!同)|[非没沒無无未否错錯误誤違超若吗嗎か或]|ない|ませ|아니|않|없|틀|오답|보다|미만|이상|이하|초과|만약|만일|最多|最少|至多|至少|以上|以下|大于|大於|"
    "小于|小於|多于|少于|如果|假设|假設|假如|可能|大约|大約|大概|もし|約|间|間"
)


@dataclass(frozen=True, slots=True)
class Words:
    """Words of a stretch of text in lower case, and a letter for the class of each."""

    words: tuple[str, ...]
    classes: str


def is_asserted(text: str, start: int, end: int) -> bool:
    """Whether the sentence around ``text[start:end]`` states that the answer is what stands there."""
    left, right = _sentence(text, start, end)
    if _WIDE.search(text, max(0, start - _NEAR), end + _NEAR):
        return _is_asserted_wide(text, start, end)
    if "would" in left.words and "if" in right.words:
        return False
    linked = _is_linked(left)
    return bool(linked) and _goes_on(right, alone=linked == "alone") and not is_taken_back(text, end)


def _is_asserted_wide(text: str, start: int, end: int) -> bool:
    """The same for Chinese, Japanese and Korean: a linking sign before the value, nothing that denies or bounds beside it."""
    first = max(
        (stop.end() for stop in _WIDE_STOP.finditer(text, max(0, start - _FAR), start)), default=max(0, start - _FAR)
    )
    following = _WIDE_STOP.search(text, end, end + _FAR)
    last = following.end() if following else end + _FAR
    before, after = text[first:start], text[end:last]
    clause = re.split("[,，;；]", before)[-1]
    denied = _WIDE_OPERATOR.search(clause) or _WIDE_OPERATOR.search(after) or "?" in after or "？" in after
    return not denied and bool(_WIDE_LINK.search(clause) or _WIDE_LINK.search(before))


def is_kept(text: str, start: int, end: int) -> bool:
    """Whether the words around a box leave it as the answer: its clause neither denies nor supposes it."""
    left, right = _sentence(text, start, end)
    if "?" in right.classes[:1] or is_taken_back(text, end):
        return False
    since = _since_reset(left)
    clause = left.words[max(since, _last_stop(left.classes)) :]
    if any(is_negation(word) or is_false(word) or word in _BARRING for word in clause) and not _is_linked(left):
        return False
    if _is_supposed(left.words[since:]):
        return False
    near = re.split("[,;(C]", right.classes)[0]
    rest = right.words[len(near) + 1 :]
    return not takes_back(right.words[: len(near)]) and not (
        rest[:1] and rest[0] in ("which", "but", "that") and takes_back(rest)
    )


def denied_from(text: str, start: int, end: int) -> int:
    """Where the sentence around a value begins if it denies or bounds anything, else 0."""
    left, right = _sentence(text, start, end)
    return _begin(text, start) if any(map(is_operator, (*left.words, *right.words))) else 0


def is_taken_back(text: str, end: int) -> bool:
    """Whether a sentence after the one that ends behind ``end`` takes it back: "But that is wrong.", "Scratch that."."""
    stop = _END.search(text, end)
    return stop is not None and any(map(_takes_back, _END.split(text[stop.end() : stop.end() + _FAR])))


def _takes_back(sentence: str) -> bool:
    """Whether a sentence speaks of what was said before it, and against it; of a few words only thanks and the like do not."""
    read = _read(sentence)
    words = [word for word in read.words if word[:1].isalpha()]
    if not words or not set(read.classes) - set("VF,.()"):
        return False
    if len(words) <= 3 and words[0] not in _CLOSERS and "F" not in read.classes:
        return True
    if is_negation(read.words[-1]):
        return True
    at = _POINTED.match(read.classes).end()  # type: ignore[union-attr]
    pointing = not _POINTING.isdisjoint(words[:4]) or read.words[at : at + 1] in _POINTERS
    return pointing and any(is_negation(word) or is_false(word) for word in words)


def _sentence(text: str, start: int, end: int) -> tuple[Words, Words]:
    """The words before and after a value in its sentence, without the delimiters around it."""
    opened, closed = _OPENED.search(text, max(0, start - 20), start), _CLOSED.match(text, end)
    if opened and closed:
        start, end = opened.start(), closed.end()
    following = _END.search(text, end, end + _FAR)
    after = text[end : following.start() + (following[0][0] == "?")] if following else text[end : end + _FAR]
    if _NEW_SENTENCE.match(after):
        after = ""
    return _read(text[_begin(text, start) : start]), _read(after)


def _begin(text: str, start: int) -> int:
    """Where the sentence begins in which ``start`` stands; a line that ends in the middle of a phrase goes on."""
    first = max(0, start - _FAR)
    before = text[first:start]
    at = 0
    for stop in _END.finditer(before):
        line = before[at : stop.start()]
        blank = before[stop.end() : stop.end() + 1] in ("\n", "#", "|") or line.lstrip().startswith("#")
        if stop[0] != "\n" or not (_UNENDED if blank else _OPEN_LINE).search(line):
            at = stop.end()
    return first + at


@lru_cache(maxsize=512)
def _read(text: str) -> Words:
    words: list[str] = []
    classes: list[str] = []
    for found in _TOKEN.finditer(
        _PHRASE.sub(lambda phrase: phrase[1].replace(" ", "-"), _THEREFORE.sub(" therefore ", text))
    ):
        command, word, sign = found.group("command", "word", "sign")
        if command is not None:
            if command in _DENYING:
                words.append("not")
                classes.append("X")
            elif command in _QUANTIFIERS:
                words.append("forall")
                classes.append("X")
            elif command == "colon":
                words.append(":")
                classes.append(":")
            elif not _STYLES.fullmatch(command):
                words.append("")
                classes.append("F")
        elif word is not None:
            lower = word.lower().replace("’", "'")
            head, apostrophe, tail = lower.partition("'")
            if apostrophe and tail == "s" and _CLASSES.get(head, "N") in "STR":
                words += [head, "is"]
                classes += [_CLASSES[head], "A"]
                continue
            words.append(lower)
            classes.append(_class(lower, word))
        elif sign is not None:
            words.append(sign.strip())
            classes.append({"—": ",", "–": ",", "-": ","}.get(sign.strip(), sign.strip()))
        elif found[0][0] != "<" and _SIGNIFICANT.search(found[0]) and found[0].strip('*`"“”{}#$>~|\\'):
            words.append("")
            classes.append("F")
    for at, word in enumerate(words[:-1]):
        if word in _DEMONSTRATIVE and classes[at + 1] in "ALMVEXS,":
            classes[at] = "S"
    if words and words[-1] in _DEMONSTRATIVE:
        classes[-1] = "S"
    return _merged(words, _LETTER.sub("F", _NOUN.sub("N", "".join(classes))))


def _merged(words: list[str], classes: str) -> Words:
    """Formulas that commas, brackets or equality signs join as one word; an equality sign that is left is a verb."""
    kept: list[str] = []
    letters: list[str] = []
    at = 0
    for run in _FORMULAS.finditer(classes):
        kept += [*words[at : run.start()], ""]
        letters += [classes[at : run.start()], "F"]
        at = run.end()
    return Words((*kept, *words[at:]), "".join([*letters, classes[at:]]).replace("=", "A"))


def _class(word: str, written: str) -> str:
    if word in FUNCTION_NAMES or word in PLAIN:
        return "F"
    if len(written) == 1 and written not in "aAIé":
        return "F" if word not in ("o", "e") else "N"
    listed = _CLASSES.get(word) or _PHRASES.get(word.replace("-", " "))
    if listed is not None:
        return listed
    if is_operator(word):
        return "X"
    return "G" if word.endswith("'s") else "N"


def _is_linked(left: Words) -> str:
    """How the words before a value link it to a subject: "linked", "alone" where there are none, "" where they do not."""
    classes = left.classes
    for at in range(len(classes), -1, -1):
        if at and (
            classes[at - 1] not in ",;:()CTEL" or (classes[at - 1] == "C" and classes[at - 2 : at - 1] in _VERBAL)
        ):
            continue
        clause = Words(left.words[at:], classes[at:])
        how = _clause(clause, classes[:at], left.words[at - 1] if at else "")
        if how and _leads(left, at):
            return how
    return ""


def _clause(clause: Words, before: str, word: str) -> str:
    """How a clause before a value links it, after the sign or word that opens the clause."""
    classes, opener = clause.classes, before[-1:]
    lead = _LEAD.match(classes)
    if lead is not None and lead.end() == len(classes):
        if opener == "," and set("AL(") & set(before):
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
    link = _LINK.search(classes)
    before_link = clause.words[link.start() - 1] if link is not None and link.start() else ""
    if link is None or before_link == "to" or is_negation(before_link):
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
    if verb == "to-be" and "A" in classes:
        return False
    if verb.startswith("to-") and verb != "to-be":
        return not any(map(is_operator, words))
    if not classes:
        return "L" in link and opener in (",", "C", "")
    plain = next((at for at, word in enumerate(words) if word in ("answer", "answers", "result", "value")), None)
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
    if after.words[:1] == ("not",) and not _SUPERLATIVES.isdisjoint(words[: head.end()]):
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


def _leads(left: Words, at: int) -> bool:
    """Whether the words before a clause leave it a statement: they embed it ("we see that"), or are a clause of their own."""
    if at == 0:
        return True
    before, opener = left.classes[:at], left.classes[at - 1]
    if opener == "T" and left.words[at - 2 : at - 1] == ("to-find",):
        return not any(is_negation(word) or is_false(word) for word in left.words[:at])
    if opener in "TEL":
        first = max(_last_stop(before), _after_connective(before))
        return bool(_EMBEDS.fullmatch(before, first)) and _leads(left, first)
    words = left.words[:at]
    if opener == ":":
        return not any(map(is_operator, words[_last_stop(before[:-1]) :]))
    since = _since_reset(Words(words, before))
    if _is_supposed(words[since:]):
        return False
    return words[:1] in (("since",), ("because",), ("as",)) or not any(map(is_false, words[since:]))


def _goes_on(right: Words, *, alone: bool) -> bool:
    """Whether what follows a value in its sentence leaves it: nouns, a reason or condition, or "is the answer"."""
    words, classes = right.words, right.classes
    if "?" in classes:
        return False
    nouns = 0
    for at, (word, letter) in enumerate(zip(words, classes, strict=True)):
        rest = words[at:]
        if word in ("because", "since") or (
            letter in ",(" and words[at + 1 : at + 2] in (("because",), ("since",), ("as",))
        ):
            return True
        if word in ("not", "rather", "instead") and at <= nouns + 1:
            return len(rest) <= 4 and not takes_back(rest)
        if letter in ",;:(CTRB" or (word == "if" and not classes[:at].endswith("V")):
            follows_or = any(word == "or" and rest[k + 1 : k + 2] == ("",) for k, word in enumerate(rest))
            if word == "and" and right.classes[at + 1 : at + 2] == "X":
                return rest[1] == "not" and not takes_back(rest)
            modulus = letter == "(" and {"mod", "modulo"}.intersection(rest[1:2])
            return not (takes_back(rest) or "unless" in rest or follows_or or modulus)
        if word == "or" and words[at + 1 : at + 2] in _RESTATING:
            return True
        if letter == "X" or word in ("mod", "modulo") or (letter == "F" and (at == 0 or words[at - 1] == "times")):
            return False
        if letter in "AML":
            predicate = _PREDICATE.match(classes, at) or _GOOD.intersection(rest[1:3])
            changed = any(is_operator(word) or word in ("different", "other", "another") for word in rest)
            return bool(nouns or (alone and predicate)) and not changed
        if (letter == "S" and at == 0) or (letter == "D" and nouns == 1 and classes[at - 1] == "N"):
            return False
        nouns += letter in "NQG"
        if letter == "W":
            return not any(map(is_operator, rest))
    return not takes_back(words)


def _last_stop(classes: str) -> int:
    """Behind the last sign that ends a clause."""
    return max(classes.rfind(sign) for sign in ",;:(") + 1


def _after_connective(classes: str) -> int:
    """Behind the last connective."""
    return classes.rfind("C") + 1


def _since_reset(left: Words) -> int:
    """Behind the last word after which a statement stands on its own: "everyone says 4, but", "4 fails, so"."""
    return max((at + 1 for at, word in enumerate(left.words) if word in _RESETS), default=0)


def _is_supposed(words: tuple[str, ...]) -> bool:
    """Whether a word among ``words`` makes what follows a supposition; "if we add" makes none."""
    return any(
        word in _SUPPOSED and not (word == "if" and words[at + 1 : at + 2] in (("we",), ("you",), ("i",), ("one",)))
        for at, word in enumerate(words)
    )
