"""Denials, bounds, questions and retractions in other languages, and affirmations beside them."""

from __future__ import annotations

import pytest
from zoo_harp import check

VALUES = [("7", "7"), (r"\frac{3}{4}", "0.75"), ("16\\pi", r"$16\pi$"), ("(2,7)", "$(2,7)$")]
AFFIRMED = [
    "Die Antwort ist {}.",
    "Antwort: {}",
    "La réponse est {}.",
    "Réponse : {}",
    "La respuesta es {}.",
    "Respuesta: {}",
    "A resposta é {}.",
    "La risposta è {}.",
    "Ответ: {}",
    "答案是{}。",
    "答案不是17，而是{}。",
    "答えは{}です。",
    "답은 {}입니다.",
]
DENIED = [
    "Die Antwort ist nicht {}.",
    "Die Antwort ist niemals {}.",
    "Die Antwort ist höchstens {}.",
    "Die Antwort ist {} oder 17.",
    "{} ist falsch.",
    "Ist die Antwort {}?",
    "Die Antwort ist {}. Nein, das stimmt nicht.",
    "Vielleicht {}.",
    "La réponse n'est pas {}.",
    "La réponse n'est jamais {}.",
    "{} est faux.",
    "La réponse est {}. Non, c'est faux.",
    "Peut-être {}.",
    "La respuesta no es {}.",
    "La respuesta nunca es {}.",
    "{} es incorrecto.",
    "¿Es {}?",
    "La respuesta es {}. Eso es falso.",
    "A resposta não é {}.",
    "{} está errado.",
    "Talvez {}.",
    "La risposta non è {}.",
    "{} è sbagliato.",
    "Ответ не {}.",
    "Ответ: не {}",
    "{} — неправильный ответ",
    "Ответ: {}. Это неверно.",
    "Ответ: {} или 17",
    "答案不是{}。",
    "{}不对。",
    "答案是{}吗？",
    "答案是{}，这是错误的。",
    "答案是{}。不对。",
    "答えは{}ではない。",
    "答えは{}です。違います。",
    "{}は間違いです。",
    r"\boxed{{{}}} — falsch!",
    r"\boxed{{{}}} (это неверно)",
    r"\boxed{{{}}} – c'est faux",
    "답은 {}이 아니다.",
    "답은 {}입니다. 틀렸습니다.",
]


@pytest.mark.parametrize("form", AFFIRMED)
def test_an_affirmation_is_read(form):
    assert [check(gold, form.format(answer)).correct for gold, answer in VALUES] == [True] * len(VALUES)


@pytest.mark.parametrize("form", DENIED)
def test_a_denial_is_none(form):
    assert [check(gold, form.format(answer)).correct for gold, answer in VALUES] == [False] * len(VALUES)


@pytest.mark.parametrize("sign", [r"\lnot ", r"\nexists x: ", r"\forall x: ", r"\exists x: ", "∀x: ", "¬"])
@pytest.mark.parametrize("form", ["{}so $x=7$", "{}No. 7", "{}thus 7", "{}the answer is 7", r"{}$\boxed{{7}}$"])
def test_a_sign_of_logic_before_a_value_is_no_label(sign, form):
    assert not check("7", form.format(sign)).correct


def test_a_formula_with_quantifiers_is_prose_as_any_other():
    assert check("7", r"Since $\forall n: a_n\le 7$ and $a_1=7$, the maximum is 7.").correct
