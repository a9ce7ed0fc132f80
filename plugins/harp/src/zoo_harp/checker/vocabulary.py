"""What commands and words of LaTeX and plain text mean to the tokenizer."""

from __future__ import annotations

from typing import Final


def names(text: str) -> list[str]:
    """The words of ``text``: a long list in few lines."""
    return text.split()


FUNCTIONS: Final = frozenset(
    names(
        "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh log ln lg exp "
        "coth sech csch arcsinh arccosh arctanh gcd lcm max min abs floor ceil det cis re im tr"
    )
)
FUNCTION_NAMES: Final = {
    **{name: name for name in FUNCTIONS},
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "cosec": "csc", "ceiling": "ceil", "cotan": "cot",
    "tg": "tan", "ctg": "cot", "cotg": "cot", "arctg": "arctan", "arcctg": "arccot", "arccotg": "arccot",
    "arccosec": "arccsc", "arsinh": "arcsinh", "arcosh": "arccosh", "artanh": "arctanh", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "Re": "re", "Im": "im", "Tr": "tr", "trace": "tr",
}  # fmt: skip
GREEK: Final = frozenset(
    names(
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho "
        "sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi "
        "Omega ell"
    )
)
COMMAND_OPS: Final = {
    "le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=", "lt": "<", "gt": ">",
    "ne": "!=", "neq": "!=", "cdot": "*", "times": "*", "ast": "*", "div": "/", "cup": "cup", "cap": "cap",
    "setminus": "minus", "backslash": "minus", "in": "in", "pm": "pm", "mp": "mp", "approx": "~", "equiv": "mod",
    "colon": ":", "mid": "mid", "vert": "|", "lvert": "|(", "rvert": "|)", "lfloor": "floor(", "rfloor": "floor)",
    "lceil": "ceil(", "rceil": "ceil)", "langle": "<(", "rangle": ")>", "land": "land", "wedge": "land", "lor": "lor",
    "vee": "lor", "circ": "deg", "degree": "deg", "%": "%", "{": "\\{", "}": "\\}", "lbrace": "\\{", "rbrace": "\\}",
    "lparen": "(", "rparen": ")", "lbrack": "[", "rbrack": "]", "\\": "\\\\", "|": "|", "over": "over", "slash": "/",
    "choose": "choose", "atop": "choose", "bmod": "bmod", "mod": "bmod", "pmod": "pmod", "prime": "'", "to": "to",
    "ldots": "...", "dots": "...", "cdots": "...", "dotsc": "...", "cr": "\\\\", "_": " ", "&": "&", "#": "#",
    "$": "dollar", "textdollar": "dollar", "euro": "euro", "texteuro": "euro", "EUR": "euro",
    **dict.fromkeys(("Rightarrow", "implies", "rightarrow", "longrightarrow", "Longrightarrow"), "=>"),
    **dict.fromkeys(("iff", "Leftrightarrow", "Longleftrightarrow"), "<=>"),
    "crossproduct": "cross", "pounds": "pound sterling",
    "textsterling": "pound sterling", "yen": "yen", "textyen": "yen", "rupee": "rupee",
}  # fmt: skip
CONSTRUCTIONS: Final = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac", "flatfrac"), "frac"),
    **dict.fromkeys(("binom", "dbinom", "tbinom"), "binom"),
    "sqrt": "sqrt", "cbrt": "cbrt", "pi": "pi", "infty": "oo", "sum": "sum", "prod": "prod", "int": "int",
    "lim": "lim", "perm": "perm", "Re": "re", "Im": "im",
    "begin": "begin", "end": "end", "overline": "overline", "bar": "overline", "emptyset": "empty",
    "varnothing": "empty",
}  # fmt: skip
CURRENCIES: Final = frozenset(("dollar", "euro", "pound sterling", "yen", "rupee", "ruble", "won"))
"""signs of money, as the tokenizer names them and as units are named"""
PLAIN: Final = {
    "sqrt": "sqrt", "cbrt": "cbrt", "pi": "pi", "Pi": "pi", "infinity": "oo", "Infinity": "oo", "inf": "oo", "oo": "oo",
    "infty": "oo", "choose": "choose",
}  # fmt: skip
SKIPPED: Final = frozenset(
    names(
        "displaystyle tiny small large Large LARGE huge Huge normalsize therefore textstyle scriptstyle limits "
        "nolimits quad qquad , ; ! : > / - thinspace left right middle big Big bigg Bigg bigl bigr Bigl Bigr "
        "biggl biggr Biggl "
        "Biggr bigm Bigm rm it bf sf tt mathstrut strut noindent newline nonumber hfill allowbreak "
        "nobreakspace space displaylimits par bold"
    )
) | {" ", "\n", "\t"}
SKIPPED_WITH_GROUP: Final = frozenset(
    ["hspace", "vspace", "mspace", "label", "tag", "color", "phantom", "hphantom", "vphantom", "hskip"]
)
TEXT: Final = frozenset(
    names("text textbf textit textrm textsf texttt textnormal textup mbox hbox emph mathrm operatorname mathsf mathtt")
)
BARE: Final = frozenset(
    names(
        "mathbf boldsymbol mathit mathcal mathfrak mathscr vec hat bm underline boxed fbox mathop "
        "ensuremath mathbin overrightarrow widehat tilde bf textcolor"
    )
)
