"""Words of English that change what a sentence says; those of other languages are in ``languages``.

The closed classes (articles, prepositions, pronouns, auxiliaries, connectives) are listed as far as answers use them;
a word of no class counts as a noun or adjective. Words that retract a statement or attribute it to somebody else are
recognised by their stem.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from zoo_harp.checker import languages
from zoo_harp.checker.vocabulary import names

NEGATIONS: Final = frozenset(
    names(
        "not no never neither nor none nobody nothing cannot without hardly scarcely barely rarely seldom "
        "nowhere nexists "
        "notin ne neg lnot isnt arent wasnt cant doesnt dont wont nope"
    )
)
_HEDGES: Final = frozenset(
    names(
        "if unless whether suppose let assume might may could perhaps possibly maybe can than less more fewer "
        "greater "
        "least most under over above below beyond nearly almost about around approximately roughly any anything "
        "every "
        "forall exists undefined except but plus minus excluding besides otherwise instead rather either or "
        "wonder try up-to different-from distinct-from far-from close-to short-of anything-but "
        "everything-but all-but close near far merely formerly "
        "unlike imagine lest though although however si"
    )
)
"""words that bound, suppose, quantify or leave open"""
_FALSE: Final = re.compile(
    r"unequal|wrong\w*|incorrect\w*|false\w*|untrue|invalid\w*|inaccura\w*|mistak\w+|err|errs|erred|erroneous\w*|fails?|"
    r"failed|"
    r"failing|failures?|flaw\w*|reject\w*|exclud\w*|eliminat\w+|discard\w*|dismiss\w*|disqualif\w+|overrul\w+|"
    r"ruled|rule|"
    r"refut\w+|disprov\w+|den(?:y|ies|ied|ying|ial)|contradict\w*|impossib\w+|infeasib\w+|absurd\w*|misses|missed|nonsens\w+|bogus|"
    r"ridiculous|inadmissib\w+|unattain\w+|unreach\w+|unaccept\w+|unsuitab\w+|unsatisf\w+|implausib\w+|illegal|"
    r"doubt\w*|disput\w+|disagree\w*|question(?:able|ed)|guess\w*|conjectur\w+|speculat\w+|candidates?|tempt\w*|"
    r"traps?|"
    r"distractors?|decoys?|fake\w*|bluff\w*|jok\w+|kidding|lies?|lied|lying|pretend\w*|suppos\w+|assum\w+|hypothe\w+|"
    r"imagin(?:e|ed|ing)|alleg\w+|claim(?:s|ed|ing)?|sa(?:y|ys|id|ying)|thinks?|thought|thinking|believ\w+|argue\w*|"
    r"suggest\w*|insist\w*|swear\w*|swore|sworn|maintain(?:s|ed)|assert(?:s|ed)|report(?:s|ed)?|tells?|told|"
    r"writes?|wrote|"
    r"repl(?:y|ied|ies)|propos\w+|announc\w+|declar\w+|hint\w*|wish\w*|"
    r"approximations?|bounds?|bounded|overshoots?|undershoots?|over(?:count|estimate)\w*|under(?:count|estimate)\w*|"
    r"avoid\w*|forbid\w*|prohibit\w*|spurious|extraneous|retract\w*|withdr[ae]w\w*|misread\w*|miscount\w*|"
    r"miscalc\w+|mis(?:t|l|u|i)\w+|unsure|uncertain\w*|unclear|unlikely|unknown|oops|sorry|scrap(?:ped)?|"
    r"ignore\w*|disregard\w*|"
    r"lures?|naive|careless|overlook\w*|surpass\w*|exceed\w*|violat\w+|loses|"
    r"cross(?:ed)?|struck|ditch\w*|abandon\w*|bets?|conceiv\w+|supposedly|typos?|scratch|hypothetically"
)
_JUDGED: Final = frozenset(
    names(
        "correct right true answer solution so it valid possible work works allowed enough case integer hold holds "
        "acceptable permitted satisfy satisfies reach agree sure certain that this"
    )
)
"""words whose negation retracts a value"""


COMPARISONS: Final = frozenset(languages.COMPARISONS.replace(" ", "-").split("|"))
_SIGNS: Final = frozenset(",;:()?")


@lru_cache(maxsize=4096)
def is_negation(word: str) -> bool:
    """Whether ``word`` (lower case) negates."""
    if word in NEGATIONS or word in languages.NEGATIONS:
        return True
    if word.endswith(("n't", "n’t")) or word.startswith(("n'", "n’")):
        return True
    return word.endswith("'s") and word[:-2] in NEGATIONS


@lru_cache(maxsize=4096)
def is_false(word: str) -> bool:
    """Whether ``word`` (lower case) says that something is wrong, left out, only supposed or another's opinion."""
    return bool(_FALSE.fullmatch(word) or languages.FALSE.fullmatch(word))


@lru_cache(maxsize=4096)
def is_operator(word: str) -> bool:
    """Whether ``word`` (lower case) changes the meaning of a statement."""
    return word in _HEDGES or word in languages.HEDGES or word in COMPARISONS or is_negation(word) or is_false(word)


def denies(words: Iterable[str]) -> bool:
    """Whether a word that changes a statement is among ``words``."""
    return any(is_operator(word.lower()) for word in words)


def takes_back(words: Sequence[str]) -> bool:
    """Whether ``words`` (lower case) call something wrong: by a word for it, or by negating "right" and the like."""
    if any(map(is_false, words)):
        return True
    words = [word for word in words if word not in _SIGNS]
    negated = [at for at, word in enumerate(words) if is_negation(word)]
    return any(at + 1 == len(words) or not _JUDGED.isdisjoint(words[at + 1 : at + 4]) for at in negated)
