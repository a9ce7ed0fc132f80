"""Characters to plain LaTeX: unicode signs become commands, and digit groups are joined."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from zoo_harp.checker.limits import MAX_ANSWER, LimitExceeded
from zoo_harp.checker.vocabulary import names

_SUPER: Final = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ", "0123456789+-=()ni", strict=True))
_SUB: Final = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₓₙ", "0123456789+-=()aexn", strict=True))
_INVISIBLE: Final = (
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\x00"
)
_BOARD: Final = dict(zip("ℝℤℕℚℂ", "RZNQC", strict=True))
_SIGNS: Final = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "‒": "-", "×": r"\times ", "÷": r"\div ", "·": r"\cdot ",
    "⋅": r"\cdot ", "•": r"\cdot ", "∙": r"\cdot ", "∗": "*", "√": r"\sqrt ", "∛": r"\cbrt ", "∞": r"\infty ",
    "∠": r"\angle ", "∡": r"\angle ", "△": r"\triangle ",
    "≤": r"\le ", "≥": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ", "≠": r"\ne ", "±": r"\pm ", "∓": r"\mp ",
    "°": r"\degree ", "º": r"\degree ", "∘": r"\circ ", "∪": r"\cup ", "∩": r"\cap ", "∅": r"\emptyset ",
    "∈": r"\in ", "∖": r"\setminus ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ",
    "≈": r"\approx ", "≡": r"\equiv ", "∑": r"\sum ", "∏": r"\prod ", "∫": r"\int ", "⟨": r"\langle ",
    "⇒": r"\Rightarrow ", "⟹": r"\Rightarrow ", "⇔": r"\iff ", "⟺": r"\iff ",
    "⟩": r"\rangle ", "∧": r"\land ", "∨": r"\lor ", "→": r"\to ", "…": r"\ldots ", "⁄": "/", "∕": "/", "∶": ":",
    "ø": r"\emptyset ", "Ø": r"\emptyset ", "′": "'", "’": "'", "‘": "'", "“": '"', "”": '"', "∣": "|", "∆": r"\Delta ",
    "¢": r"\text{ cents}", "µ": r"\mu ", "€": r"\euro ", "£": r"\pounds ", "¥": r"\yen ", "₹": r"\rupee ",
    "∀": r"\forall ", "∃": r"\exists ", "∄": r"\nexists ", "¬": r"\neg ", "∉": r"\notin ", "″": "''",
}  # fmt: skip
_GREEK: Final = {
    chr(code): f"\\{name.lower() if small else name.capitalize()} "
    for small, first in ((True, 0x3B1), (False, 0x391))
    for code, name in zip(
        range(first, first + 25),
        names(
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho - "
            "sigma tau upsilon phi chi psi omega"
        ),
        strict=True,
    )
    if name != "-"
}
_VULGAR: Final = {
    chr(code): f"\\frac{{{top}}}{{{bottom}}}"
    for code in (0xBC, 0xBD, 0xBE, *range(0x2150, 0x215F), 0x2189)
    for top, _, bottom in [unicodedata.normalize("NFKC", chr(code)).partition("⁄")]
}
_BEFORE: Final = str.maketrans(
    {
        **dict.fromkeys(_INVISIBLE, ""),
        **_VULGAR,
        **{sign: f"\\mathbb{{{letter}}}" for sign, letter in _BOARD.items()},
        "º": r"\degree ",
        "′": "'",
        "″": "''",
        "…": r"\ldots ",
        "µ": r"\mu ",
    }
)
_AFTER: Final = str.maketrans({**_SIGNS, **_GREEK, "ϕ": r"\phi ", "ς": r"\sigma "})
_RAISED: Final = re.compile(f"[{''.join(_SUPER)}]+")
_LOWERED: Final = re.compile(f"[{''.join(_SUB)}]+")

_GAP: Final = r"(?:(?:\{,\}|,)\\! ?|\{,\}|,|\\[!, ]|~|\{,\\!\})"
_THOUSANDS: Final = re.compile(rf"(?<![\d.,])(?<!\d\{{)[1-9]\d{{0,2}}(?:{_GAP}\d{{3}})+(?!\d)(?!,\d)(?!\{{,\}}\d)")
_WIDE: Final = re.compile(r"[1-9]\d{0,2}(?:(?:\{,\}|,)[ ~]?(?:\\[!, ])?[ ~]?\d{3})+")
_SPACED: Final = re.compile(r"(?<![\d.,^_/] )(?<![\d.,^_/])[1-9]\d{0,2}(?: \d{3})+(?![\d/])(?! \d)")
_POINTED: Final = re.compile(r"(?<![\w.,])[1-9]\d{0,2}(?:\.\d{3}){2,}(?![\w.,])")
"""two points or more separate groups of thousands, one is decimal"""
_JOINTS: Final = re.compile(r"[^\d]")
_DECIMAL_COMMA: Final = re.compile(r"(?<=\d)\{,\}(?=\d)")
_LOOSE_COMMA: Final = re.compile(r"[ ]{0,4}\{[ ]{0,4},[ ]{0,4}\}[ ]{0,4}")
_DOTS: Final = re.compile(r"\s{0,4},\s{0,4}(?:\\[lc]?dots|\.\.\.)")
_POINT: Final = re.compile(r"(?<=\d)\{\.\}(?=\d)")
_ORDINAL: Final = re.compile(r"(?<=\d)(?:st|nd|rd|th|\^\{?(?:\\text\{)?(?:st|nd|rd|th)\}{0,2})(?![A-Za-z}])")
_INTERVAL: Final = re.compile(
    r"((?<!\\sqrt)\[|(?<![\w})])\]|(?<=\\left)\]|(?<=\\c[ua]p)\])([^\[\]()]{1,80}[,;][^\[\]()]{1,80})(\]|(?<!\\sqrt)\[)"
)
_ROW_SPACE: Final = re.compile(r"\\\\\s{0,4}\[-?[\d.]{1,8}\s{0,4}(?:pt|em|ex|cm|mm|in)\]")
_TIMES_TEN: Final = re.compile(r"(?<=\d)\s*[xX]\s*(?=10\s*\^)")
_SET_ON: Final = r"\\(?:vec|mathbf|overrightarrow|boldsymbol|bm|hat)(?![A-Za-z])"
_CROSS: Final = re.compile(
    rf"({_SET_ON}\s*(?:\{{\s?[A-Za-z][^{{}}]{{0,8}}\}}|[A-Za-z])\s*|^\s*[A-Z]\s*(?=\\times\s*[A-Z]\s*$))"
    rf"\\times(?=\s*{_SET_ON}\s*\{{?\s?[A-Za-z]|\s*[A-Z]\s*$)"
)
"""a product of vectors or of sets, whose order counts"""
_FACTORIAL: Final = re.compile(r"(?<=\d)!=")
"""5!=120 is an equation, n!=5 is not"""
_CHOOSE: Final = re.compile(
    r"(?<![\w}])(?:\{\}\s*)?[_^]?\{?(\d+)\}?\s*(?:\\(?:text|mathrm)\{([CP])\}|([CP]))\s*_?\{?(\d+)\}?(?!\w)"
)
_COUNT: Final = r"(?:\{(\d+)\}|(\d))"
_INDEXED: Final = re.compile(
    rf"(?<![\w\\}}])(?:\\(?:text|mathrm|rm)\s?\{{?([CAP])\}}?|([CAP]))\s?(?:_{_COUNT}\s?\^{_COUNT}|\^{_COUNT}\s?_{_COUNT})(?![\w(])"
)
_DOTTED: Final = re.compile(r"(\d*\.\d*)\\dot\s?\{?(\d)\}?(\d*)\\dot\s?\{?(\d)\}?")
_BASED_TEXT: Final = re.compile(r"\\(?:text|mathrm|mathtt|textrm)\s?\{\s?([0-9A-F]+)\s?\}(?=\s?_)")
_ESCAPED: Final = re.compile(
    r"(?<!\\)\\(?=\\(?:boxed|frac|dfrac|tfrac|text|left|right|sqrt|leq?|geq?|pi|cup|infty|cdot|times|circ|begin|end)(?![A-Za-z]))"
)
_GLUED: Final = re.compile(r"\\q?quad(?=[A-Za-z])")
_OVERLINED: Final = re.compile("((?:\\w\u0305)+)")
_MARKED_DOT: Final = re.compile("(\\d)\u0307")


def clean(text: str) -> str:
    """``text`` in ASCII LaTeX as far as its signs are known.

    Raises:
        LimitExceeded: it is, or becomes, longer than ``MAX_ANSWER`` characters.
    """
    if len(text) > MAX_ANSWER:
        raise LimitExceeded("an answer of too many characters")
    if not text.isascii() or "\x00" in text:
        text = unicode_to_latex(text)
    if "\\\\" in text or "quad" in text:
        text = _GLUED.sub(r"\\quad ", unescaped(text))
    if "," in text or "\\" in text or " " in text or "{" in text or "~" in text or text.count(".") > 1:
        text = _join_groups(text)
    if "!=" in text:
        text = _FACTORIAL.sub("! =", text)
    if "\\times" in text:
        text = _CROSS.sub(r"\1\\crossproduct ", text)
    if "10" in text:
        text = _TIMES_TEN.sub(r"\\times ", text)
    if "[" in text or "]" in text:
        text = _INTERVAL.sub(_turned, text)
    if "t" in text or "d" in text:
        text = _ORDINAL.sub("", text)
    if "C" in text or "P" in text or "A" in text:
        text = _INDEXED.sub(_counted, _CHOOSE.sub(_chosen, text))
    if "dot" in text:
        text = _DOTTED.sub(r"\1\\overline{\2\3\4}", text)
    if "_" in text and "\\" in text:
        text = _BASED_TEXT.sub(r"\1", text)
    if len(text) > MAX_ANSWER:
        raise LimitExceeded("an answer of too many characters")
    return text


def unescaped(text: str) -> str:
    """``text`` with one backslash before commands that have two, as in text that was quoted once too often."""
    return _ESCAPED.sub("", text)


def _chosen(match: re.Match[str]) -> str:
    """``5C2`` and ``5P2`` as commands."""
    top, kind, plain, bottom = match.groups()
    return rf"\{'binom' if (kind or plain) == 'C' else 'perm'}{{{top}}}{{{bottom}}}"


def _counted(match: re.Match[str]) -> str:
    """``C_8^3``, the other order too, and ``A_5^3`` as commands; other indices stay as they are."""
    kind, *counts = (group for group in match.groups() if group)
    low, high = sorted(map(int, counts))
    if kind != "C" and low == high:
        return match[0]
    return rf"\{'binom' if kind == 'C' else 'perm'}{{{high}}}{{{low}}}"


def wide_number(text: str) -> str | None:
    """The digits of a number whose groups stand apart, as in "1, 234, 567", which may also be a list; else None."""
    return _JOINTS.sub("", text) if _WIDE.fullmatch(text.strip()) else None


def _turned(match: re.Match[str]) -> str:
    """An interval whose open ends are brackets turned outwards, with round ones."""
    left, inner, right = match.groups()
    return ("(" if left == "]" else left) + inner + (")" if right == "[" else right)


def unicode_to_latex(text: str) -> str:
    """Superscripts and vulgar fractions first: compatibility forms alone would make ``y²`` into ``y2``."""
    text = text.translate(_BEFORE)
    text = _OVERLINED.sub(lambda run: rf"\overline{{{run[1].replace(chr(0x305), '')}}}", text)
    text = _MARKED_DOT.sub(r"\\dot{\1}", text)
    text = _RAISED.sub(lambda run: "^{" + "".join(_SUPER[c] for c in run[0]) + "}", text)
    text = _LOWERED.sub(lambda run: "_{" + "".join(_SUB[c] for c in run[0]) + "}", text)
    return unicodedata.normalize("NFKC", text).translate(_AFTER)


def _join_groups(text: str) -> str:
    text = _THOUSANDS.sub(_join, _LOOSE_COMMA.sub("{,}", text))
    text = _SPACED.sub(lambda match: match[0].replace(" ", ""), text)
    text = _POINTED.sub(lambda match: match[0].replace(".", ""), text)
    return _POINT.sub(".", _DECIMAL_COMMA.sub(".", _ROW_SPACE.sub(r"\\\\", text)))


def _join(match: re.Match[str]) -> str:
    """The digits alone; but ``(1,200)`` and ``{1,200}`` on their own are a pair."""
    text, (first, last) = match.string, match.span()
    bare = set(re.sub(r"\d", "", match[0])) == {","}
    opened = text[:first].rstrip().endswith(("(", "[", r"\{"))
    closed = text[last:].lstrip().startswith((")", "]", r"\}", r"\right"))
    if bare and ((opened and closed) or _DOTS.match(text, last)):
        return match[0]
    before = text[:first]
    inside = any(before.count(left) > before.count(right) for left, right in ("()", "[]"))
    if bare and inside and before.endswith("/"):
        return match[0]  # (1/10,101/20) is a pair
    return _JOINTS.sub("", match[0])
