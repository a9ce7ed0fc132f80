"""What commands and words of LaTeX and plain text mean to the tokenizer."""

from __future__ import annotations

from typing import Final


def names(text: str) -> list[str]:
    """The words of ``text``: a long list in few lines."""
    return text.split()


FUNCTIONS: Final = frozenset(
    names(
        "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh log ln lg exp "
        "gcd lcm max min abs floor ceil det cis"
    )
)
FUNCTION_NAMES: Final = {
    **{name: name for name in FUNCTIONS},
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "cosec": "csc", "ceiling": "ceil", "cotan": "cot",
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
    "lceil": "ceil(", "rceil": "ceil)", "langle": "<(", "rangle": ")>", "land": "and", "wedge": "and", "lor": "or",
    "vee": "or", "circ": "deg", "degree": "deg", "%": "%", "{": "\\{", "}": "\\}", "lbrace": "\\{", "rbrace": "\\}",
    "lparen": "(", "rparen": ")", "lbrack": "[", "rbrack": "]", "\\": "\\\\", "|": "|", "over": "over", "slash": "/",
    "choose": "choose", "atop": "choose", "bmod": "bmod", "mod": "bmod", "pmod": "pmod", "prime": "'", "to": "to",
    "ldots": "...", "dots": "...", "cdots": "...", "dotsc": "...", "cr": "\\\\", "_": " ", "&": "&", "#": "#",
    "$": "dollar",
}  # fmt: skip
CONSTRUCTIONS: Final = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac", "flatfrac"), "frac"),
    **dict.fromkeys(("binom", "dbinom", "tbinom"), "binom"),
    "sqrt": "sqrt", "cbrt": "cbrt", "pi": "pi", "infty": "oo", "sum": "sum", "prod": "prod", "int": "int",
    "lim": "lim", "begin": "begin", "end": "end", "overline": "overline", "bar": "overline", "emptyset": "empty",
    "varnothing": "empty",
}  # fmt: skip
PLAIN: Final = {
    "sqrt": "sqrt", "cbrt": "cbrt", "pi": "pi", "Pi": "pi", "infinity": "oo", "Infinity": "oo", "inf": "oo", "oo": "oo",
    "infty": "oo", "choose": "choose",
}  # fmt: skip
SKIPPED: Final = frozenset(
    names(
        "displaystyle tiny small large Large LARGE huge Huge normalsize Rightarrow implies therefore "
        "longrightarrow rightarrow iff Longrightarrow textstyle scriptstyle limits nolimits quad qquad , "
        "; ! : > / - thinspace left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl "
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
