"""Sentences as words with their classes: which stand before and after a value, and what part of speech each is.

A class is one letter, so that a sentence is a string in which regular expressions find phrases: D article, N noun or
adjective (every word that is not listed), Q noun for a mathematical quantity, G genitive, F formula or number, P
preposition, S pronoun, T "that", R relative pronoun, A form of "be", M modal verb, L verb that takes a value, W verb
that takes none, E verb of insight, K adjective of insight, C connective, B "because", V adverb that changes
nothing, X word that denies, bounds, supposes or quotes (``lexicon``); signs stand for themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from zoo_harp.checker.languages import COMPARISONS
from zoo_harp.checker.lexicon import is_operator
from zoo_harp.checker.vocabulary import FUNCTION_NAMES, PLAIN, names

FAR: Final = 600
"""characters of a sentence that are read, on either side"""
CLASSES: Final = {
    word: letter
    for letter, words in {
        "D": "the a an this these those its our my their his her your each both all such another "
        "der die das ein eine le la les un une el los las il lo o os",
        "A": "is are was were be been equals 's ist est es é è är sind sont son são jest равно равен это",
        "M": "must will should would shall",
        "L": "equal equaling gives give gave giving yields yield yielding gets get got getting obtain obtains "
        "obtained "
        "obtaining have has had having find finds found finding need needs needed require requires required take "
        "takes "
        "took cost costs make makes made contain contains pay pays paid earn earns earned use uses used receive "
        "receives "
        "received travel travels travelled traveled weigh weighs hold holds own owns buy buys bought sell sells "
        "sold eat "
        "eats ate walk walks walked win wins won score scores scored spend spends spent save saves saved lasts "
        "measures "
        "leaves leaving left becomes totals produces forms sees saw visits visited gains gained compute computes "
        "calculate calculates",
        "E": "follows proves see know knows conclude concludes deduce infer means mean implies imply implying "
        "show shows tells "
        "note notice realize verify confirm prove observe understand meaning conclusion",
        "C": "so thus hence therefore then finally consequently accordingly thereby and but now "
        "donc alors ainsi finalement enfin entonces pues luego finalmente portanto então assim quindi dunque allora "
        "pertanto infine daher somit folglich deshalb demnach schließlich damit итак значит следовательно поэтому",
        "B": "because since as",
        "S": "we i it he she they there you one what",
        "T": "that",
        "R": "which who whom whose where when",
        "P": "of in for on at by with from to per into between among modulo mod within during after before "
        "inside outside "
        "across through via upon out",
        "V": "exactly just only simply precisely indeed also clearly obviously overall altogether actually "
        "always easily "
        "definitely certainly again together however still",
        "K": "clear evident obvious known true apparent immediate easy straightforward",
        "W": "works work satisfies satisfy suffices suffice remains remain exists exist",
        "Q": "answer answers value values number numbers sum total product result results solution solutions "
        "count area "
        "areas volume perimeter length width height radius diameter distance speed age price cost angle measure "
        "probability chance remainder quotient difference ratio minimum maximum min max limit degree root roots "
        "coefficient coefficients constant average mean median mode range slope sequence term terms digit digits "
        "factor "
        "divisor multiple prime integer integers pair pairs triple triples tuple point coordinates coordinate vector "
        "matrix interval set function fraction percentage percent expression polynomial equation rank order index "
        "exponent base dimension amount quantity time day month year ways way time times least largest smallest "
        "greatest "
        "square squares cube cubes power powers norm determinant trace variance deviation expectation integral "
        "derivative inequality possibility",
    }.items()
    for word in words.split()
}
_TOKEN: Final = re.compile(
    r"(?<!\\)\$\$?[^$]{1,600}\$\$?|\\\((?:[^\\]|\\(?!\))){1,600}\\\)|\\\[(?:[^\\]|\\(?!\])){1,600}\\\]"
    r"|\\[()\[\],;:! ]|</?[A-Za-z]\w{0,9}>|(?P<bound>[<≤≥≠]=?|>=?(?=[\s$]{0,9}(?:\\text\w*\s?\{)?(?:$|[-−]?\d)))"
    r"|\\(?:begin|end)\{[a-z]{1,12}\*?\}|\.{2,}|\\(?P<command>[A-Za-z]+)|"
    r"(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)(?![\w(^])|(?P<sign>[,;:()?=—–]|\s-\s)|[*`\"“”{}#$>~|&\\]+|"
    r"[^\s,;:()?{}$*=&]+"
)
_THEREFORE: Final = re.compile(r"\$?\\therefore\s?\$?|=>|⇒|⟹")
_LOGIC: Final = str.maketrans({"∀": r"\forall ", "∃": r"\exists ", "∄": r"\nexists ", "¬": r"\neg "})
_CONTRARY: Final = re.compile(r"\b(?:contrary to|despite)\b[^,.;]{1,80},", re.IGNORECASE)
_QUANTIFIERS: Final = frozenset(names("forall exists nexists"))
_SIGNIFICANT: Final = re.compile(r"[\w+/^√π∞°%−×·≤≥≠±-]")
_DENYING: Final = frozenset(names("ne neq not neg lnot"))
_STYLES: Final = re.compile(
    r"text\w{0,6}|math\w{2,4}|quad|qquad|left|right|bf|rm|it|displaystyle|begin|end|fbox|boxed|therefore"
)
_PHRASES: Final = {
    phrase: letter
    for letter, phrases in {
        "V": "as claimed|as desired|as required|as stated|as expected|as wanted|as needed|as asserted|as "
        "announced|equal to|given by|none other than|nothing but|a total of|in total|in all|all in all|as follows",
        "M": "has to|have to|ought to",
        "C": "par conséquent|por tanto|por lo tanto|por conseguinte|di conseguenza|таким образом|"
        "as a result|in conclusion|in which case|in this case|in that case|in either case|in any case|in "
        "all cases",
        "S": "we can|you can|one can",
        "X": "different from|distinct from|up to|far from|close to|short of|"
        f"{COMPARISONS}|falls outside|falls short|fall short|at least|at most|at the very least|"
        "at the very most|"
        "would have been|could have been|might have been|should have been|must have been|used to be|"
        "anything but|everything but|all but",
        "E": "we can say|we can still say|i think|we think|i believe|we believe|easy to see|hard to see|"
        "difficult to see|turns out",
        "A": "to be|can only be",
        "L": "takes them|take them|took them|takes us|takes him|costs them|cost them|"
        "comes to|come to|came to|comes out to|turns out to|amounts to|amount to|reduces to|simplifies to|"
        "simplify to|"
        "evaluates to|sums to|sum to|adds up to|add up to|works out to|works out to be|comes out to be|turns out "
        "to be|gives us|gave us|leaves us with|leaving us with|brings us to|converges to|leads to|tends to|is "
        "equal to|"
        "lies in|lie in|belongs to|meet at|meets at|intersect at|intersects at|arrives at|arrive at|leaves at|"
        "starts at|ends at|increases by|increase by|decreases by|decrease by|rises by|drops by|grows by|to get|"
        "to obtain|to give|to yield|to find|"
        "on trouve|on obtient|se obtiene|obtenemos|obtemos|otteniamo|wir erhalten|man erhält|erhalten wir|"
        "получаем|we are left with|end up with|ends up with|is worth|differ by|differs by",
    }.items()
    for phrase in phrases.split("|")
}
_PHRASE: Final = re.compile(
    r"\b(?:(?:not|n't) (?=(?:hard|difficult) to see))?(" + "|".join(sorted(_PHRASES, key=len, reverse=True)) + r")\b",
    re.IGNORECASE,
)
END: Final = re.compile(
    r"(?<!\b[ap]\.m)(?<!\bsq)(?<!\bft)(?<!\.\.)[.!?][*_\"')]{0,4}(?=\s{1,4}[^\sa-z+^×·/]|\s{0,8}$)|\)(?=\s[A-Z][a-z])|\n"
)
_OPEN_LINE: Final = re.compile(r"(?:[a-z,:=(]|\\\w+)[ \t*]*$")
_UNENDED: Final = re.compile(r"[,:=(][ \t*]*$|(?:\b(?i:not|is|that|than|are)\b|n't)[ \t*]*$")
_FORMULAS: Final = re.compile(r"F(?:[()=]*,?[()=]*F)*(?:\)*(?=[,A-Z]|$))?")
_NOUN: Final = re.compile(r"(?<=D)L")
_NEW_SENTENCE: Final = re.compile(r"[\s$)\]\\}]{1,8}(?!I\b)[A-Z][a-z]{1,20}\s[a-z]")
_OPENED: Final = re.compile(r"(?:\$\$?|\\[(\[])\s?(?:\\displaystyle\s?)?$")
_CLOSED: Final = re.compile(r"[\s.,]{0,3}(?:\$\$?|\\[)\]])")
_DEMONSTRATIVE: Final = ("this", "these", "those")


@dataclass(frozen=True, slots=True)
class Words:
    """Words of a stretch of text in lower case, and a letter for the class of each."""

    words: tuple[str, ...]
    classes: str


def sentence(text: str, start: int, end: int) -> tuple[Words, Words]:
    """The words before and after a value in its sentence, without the delimiters around it."""
    opened, closed = _OPENED.search(text, max(0, start - 20), start), _CLOSED.match(text, end)
    if opened and closed:
        start, end = opened.start(), closed.end()
    following = END.search(text, end, end + FAR)
    after = text[end : following.start() + (following[0][0] == "?")] if following else text[end : end + FAR]
    if _NEW_SENTENCE.match(after):
        after = ""
    first = beginning(text, start)
    before = text[first:start]
    if first == start - FAR and before.count("$") % 2:  # cut within a formula
        before = before.partition("$")[2]
    return read_words(before), read_words(after)


def beginning(text: str, start: int) -> int:
    """Where the sentence begins in which ``start`` stands; a line that ends in the middle of a phrase goes on."""
    first = max(0, start - FAR)
    before = text[first:start]
    index = 0
    for stop in END.finditer(before):
        line = before[index : stop.start()]
        blank = before[stop.end() : stop.end() + 1] in ("\n", "#", "|") or line.lstrip().startswith("#")
        if stop[0] != "\n" or not (_UNENDED if blank else _OPEN_LINE).search(line):
            index = stop.end()
    return first + index


@lru_cache(maxsize=512)
def read_words(text: str) -> Words:
    """The words of a stretch of text, formulas as one, with their classes."""
    words: list[str] = []
    classes: list[str] = []
    for match in _TOKEN.finditer(
        _PHRASE.sub(
            lambda phrase: phrase[1].replace(" ", "-"),
            _THEREFORE.sub(" therefore ", _CONTRARY.sub("", text).replace("and/or", " or ").translate(_LOGIC)),
        )
    ):
        command, word, sign = match.group("command", "word", "sign")
        if match["bound"]:
            words.append("than")
            classes.append("X")
            continue
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
            if apostrophe and tail == "s" and CLASSES.get(head, "N") in "STR":
                words += [head, "is"]
                classes += [CLASSES[head], "A"]
                continue
            words.append(lower)
            classes.append(_class(lower, word))
        elif sign is not None:
            words.append(sign.strip())
            classes.append({"—": ",", "–": ",", "-": ","}.get(sign.strip(), sign.strip()))
        elif (
            not match[0].startswith(("<", r"\begin", r"\end"))
            and _SIGNIFICANT.search(match[0])
            and match[0].strip('*`"“”{}#$>~|\\')
        ):
            words.append("")
            classes.append("F")
    for index, word in enumerate(words[:-1]):
        if word in _DEMONSTRATIVE and classes[index + 1] in "ALMVEXS,;:)":
            classes[index] = "S"
        elif classes[index] == "D" and classes[index + 1] in "A,;:)P":  # no noun: the variable a, or German "das"
            classes[index] = "F" if word == "a" else "S"
    if words and words[-1] in _DEMONSTRATIVE:
        classes[-1] = "S"
    return _merged(words, _NOUN.sub("N", "".join(classes)))


def _merged(words: list[str], classes: str) -> Words:
    """Formulas that commas, brackets or equality signs join as one word; an equality sign that is left is a verb."""
    kept: list[str] = []
    letters: list[str] = []
    index = 0
    for run in _FORMULAS.finditer(classes):
        kept += [*words[index : run.start()], ""]
        letters += [classes[index : run.start()], "F"]
        index = run.end()
    return Words((*kept, *words[index:]), "".join([*letters, classes[index:]]).replace("=", "A"))


def _class(word: str, written: str) -> str:
    if word in FUNCTION_NAMES or word in PLAIN:
        return "F"
    if len(written) == 1 and written not in "aAIéèÈ":
        return "F" if word not in ("o", "e") else "N"
    listed = CLASSES.get(word) or _PHRASES.get(word.replace("-", " "))
    if listed is not None:
        return listed
    if is_operator(word):
        return "X"
    return "G" if word.endswith("'s") else "N"
