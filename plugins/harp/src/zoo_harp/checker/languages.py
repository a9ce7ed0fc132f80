"""Words that deny, bound or leave open a value in other languages than English, as far as models answer in them.

German, French, Spanish, Portuguese, Italian, Russian and a few words of Dutch, Polish, the Scandinavian languages,
Turkish, Czech, Indonesian, Greek, Arabic and Hebrew. Words that mean something else in English answers ("fast",
"falls", "sin") are left out. Chinese, Japanese and Korean have no spaces between words; ``extraction.wide`` reads them.
"""

from __future__ import annotations

import re
from typing import Final

from zoo_harp.checker.vocabulary import names

NEGATIONS: Final = frozenset(
    names(
        "nicht nein kein keine keiner keines keinen keinem keinesfalls keineswegs nie niemals nimmer weder ohne außer "
        "nichts niemand "
        "pas non jamais aucun aucune nul nulle sauf sans ni guère personne rien hormis excepté "
        "nunca jamás jamas tampoco ningún ningun ninguna ninguno nadie nada excepto salvo "
        "não nao jamais nem nenhum nenhuma ninguém exceto tampouco "
        "mai né nessun nessuno nessuna neanche nemmeno neppure tranne eccetto "
        "не нет ни никогда никак никто ничто нельзя кроме без вряд разве отнюдь "
        "niet geen nooit nee nigdy żaden żadna nie inte ej aldrig nej ikke aldri nei değil hiç není nikdy "
        "bukan tidak tak không δεν όχι μη ليس ليست لا غير לא אינו אינה"
    )
)
HEDGES: Final = frozenset(
    names(
        "vielleicht möglicherweise wahrscheinlich womöglich eventuell wenn oder höchstens mindestens weniger mehr "
        "beinahe ungefähr etwa sonst angeblich angenommen vermutlich entweder "
        "peut-être probablement ou moins presque environ sinon supposons "
        "quizás quizá sumo acaso menos más casi aproximadamente probablemente supongamos "
        "talvez quase provavelmente suponha "
        "forse meno più quasi circa probabilmente supponiamo oppure altrimenti "
        "может возможно вероятно наверное наверно если или либо меньше больше менее более почти около примерно иначе "
        "предположим пусть любой каждый всякий "
        "misschien mniej więcej może jeśli lub kanske eller belki veya možná mungkin ίσως"
    )
)
_STEMS: Final = (
    "falsch unwahr unmöglich irrtum irrtümlich irrig fehler inkorrekt ungültig widerleg bezweif unrichtig verkehrt "
    "faux fausse incorrect erron inexact invalid erreur impossible contredi trompeu "
    "falso falsa falsos falsas erróne equivocad inválid imposible mentira desacertad "
    "errad incorret impossível "
    "sbagliat errat scorrett impossibile errore "
    "неверн неправильн ложн ложь ошиб невозможн некорректн опроверг сомн неправд "
    "onjuist onwaar foutief verkeerd onmogelijk błęd błąd fałsz niepraw niemożliw felaktig osant forkert uriktig "
    "yanlış hatalı špatn nesprávn chybn salah λάθος λανθασμέν خطأ שגוי"
)
FALSE: Final = re.compile(rf"(?:{'|'.join(_STEMS.split())})\w*|fel|feil|fout")
"""stems of words that call something wrong"""
NOES: Final = frozenset(names("no nope nah nein non não nao нет nee nie nej nei hayır όχι لا לא"))
"""words that answer no to what was said before"""
COMPARISONS: Final = (
    "weniger als|kleiner als|größer als|mehr als|moins de|plus de|inférieure à|inférieur à|supérieure à|supérieur à|"
    "menos de|menos que|menor que|mayor que|más de|más que|menor do que|maior do que|menor que|maior que|"
    "meno di|più di|minore di|maggiore di|меньше чем|больше чем|не больше|не меньше"
)
"""phrases that bound what follows them"""
THIS: Final = frozenset(
    names(
        "das dies dieses es ça ce c'est c’est cela ceci ça eso esto es isso isto está questo quello ciò è это dit dat"
    )
)
"""words that begin a sentence about what was said before it"""
