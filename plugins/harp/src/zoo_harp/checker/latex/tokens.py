"""LaTeX and plain text to tokens, in one linear pass.

A token is a tuple ``(kind, value, spaced)``; ``spaced`` says whether white space stood before it. Kinds: ``num`` (a
numeral as written), ``rep`` (a repeating decimal, its two parts joined by ``|``), ``based`` (digits before a base),
``let`` (one letter), ``word``, ``cmd`` (a function or construction), ``set`` (a set with a name) and ``op``.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from zoo_harp.checker.limits import MAX_NESTING, LimitExceeded
from zoo_harp.checker.units import is_unit
from zoo_harp.checker.vocabulary import (
    BARE,
    COMMAND_OPS,
    CONSTRUCTIONS,
    FUNCTION_NAMES,
    GREEK,
    PLAIN,
    SKIPPED,
    SKIPPED_WITH_GROUP,
    TEXT,
)
from zoo_harp.checker.words import is_word

Token: TypeAlias = tuple[str, str, bool]

OPENERS: Final = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "<(": ")>", "floor(": "floor)", "ceil(": "ceil)",
                  "|(": "|)"}  # fmt: skip

_PATTERN: Final = re.compile(
    r"(?P<space>[\s~]+)"
    r"|(?P<rep>\d*\.\d*)\\(?:overline|bar|dot)\s*(?:\{\s*(?P<block>\d+)\s*\}|(?P<digit>\d))"
    r"|(?P<rep2>\d*\.\d*)\((?P<block2>\d+)\)"
    r"|(?P<based>(?:\d|[A-F](?=[A-F]*+\d))[0-9A-F]*+(?:\.[0-9A-F]++)?)(?=\s{0,9}_)"
    r"|(?P<based2>(?=\d++[a-f])\d[0-9a-f]*+)(?=_(?:16|\{16\}))"
    r"|(?P<sci>(?:\d+(?:\.\d+)?|\.\d+)[eE][+-]?\d+)(?![\w.])"
    r"|(?P<num>\d+(?:\.\d+)?|\.\d+)"
    r"|\\(?P<cmd>[A-Za-z]+\*?|.)"
    r"|(?P<word>[A-Za-z]+)"
    r"|(?P<op><=|>=|=<|!=|==|\*\*|!!|\.\.\.|.)",
    re.DOTALL,
)
_ENDS: Final = re.compile(r"\s?([A-Z](?:_\d|')?)\s?([A-Z](?:_\d|')?)\s?")
_FUNCTION: Final = re.compile(r"\s*(?:\(|[A-Za-z](?![A-Za-z])|\\[a-z]+)")
_VECTORS: Final = frozenset(("mathbf", "hat", "widehat", "boldsymbol", "vec", "overrightarrow", "bm"))
"""what is set on i, j and k where they are vectors"""
_OPS: Final = {"**": "^", "==": "=", "=<": "<=", "`": "'"}


def tokenise(text: str) -> list[Token]:
    """Tokens of ``text``, the output of ``clean``.

    Raises:
        LimitExceeded: brackets are nested deeper than ``MAX_NESTING``.
    """
    tokens: list[Token] = []
    _scan(_mark_prose(text), tokens)
    tokens = _without_lonely_braces(tokens)
    depth = 0
    for kind, value, _ in tokens:
        if kind == "op":
            if value in OPENERS:
                depth += 1
                if depth > MAX_NESTING:
                    raise LimitExceeded("brackets nested too deeply")
            elif value in _CLOSERS:
                depth -= 1
    return tokens


_CLOSERS: Final = frozenset(OPENERS.values())


def _without_lonely_braces(tokens: list[Token]) -> list[Token]:
    """``{-}`` is a minus sign."""
    lonely = [
        position
        for position in range(1, len(tokens) - 1)
        if tokens[position - 1][1] == "{"
        and tokens[position + 1][1] == "}"
        and tokens[position][1] in ("-", "+", "=", ":", "<", ">", "*")
    ]
    for position in reversed(lonely):
        tokens[position - 1 : position + 2] = [tokens[position]]
    return tokens


def _mark_prose(text: str) -> str:
    r"""Text outside of ``$...$`` is prose: wrap it as ``\text``. A single ``$`` before a digit is money."""
    if "$" not in text:
        return text
    parts = re.split(r"(?<!\\)\$\$?", text)
    if len(parts) % 2 == 0:
        return _money(text)
    return "".join(
        part if inside % 2 or not part.strip() or not part.isascii() or _unbalanced(part) else rf"\text{{{part}}}"
        for inside, part in enumerate(parts)
    )


def _money(text: str) -> str:
    return re.sub(r"(?<!\\)\$(?!\s*[\d.])", "", re.sub(r"(?<!\\)\$(?=\s*[\d.])", r"\\$", text))


def _unbalanced(part: str) -> bool:
    return part.count("{") != part.count("}") or "\\" in part


def _group(text: str, start: int) -> tuple[str, int]:
    """Content of the brace group at or after ``start``, or one character, and where it ends."""
    while start < len(text) and text[start].isspace():
        start += 1
    if start >= len(text) or text[start] != "{":
        return text[start : start + 1], min(start + 1, len(text))
    depth = 0
    for position in range(start, len(text)):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return text[start + 1 : position], position + 1
    return text[start + 1 :], len(text)


def _scan(text: str, tokens: list[Token], *, prose: bool = False) -> None:
    """Append the tokens of ``text``; in prose a letter is a word."""
    position, spaced = 0, False
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            position += 1
            continue
        kind = match.lastgroup
        position = match.end()
        if kind == "space":
            spaced = True
            continue
        if kind in ("block", "digit"):
            tokens.append(("rep", f"{match['rep']}|{match[kind]}", spaced))
        elif kind == "block2":
            tokens.append(("rep", f"{match['rep2']}|{match['block2']}", spaced))
        elif kind == "based2":
            tokens.append(("based", match["based2"].upper(), spaced))
        elif kind == "cmd":
            position = _command(match["cmd"].rstrip("*"), text, position, tokens, spaced)
            # A skipped command counts as white space.
            spaced = bool(match["cmd"] in SKIPPED)
            continue
        elif kind == "word":
            _letters(match["word"], tokens, spaced, prose)
        elif kind == "op":
            value = match["op"]
            if value != "$":
                tokens.append(("op", _OPS.get(value, value), spaced))
        elif kind is not None:
            tokens.append((kind, match[kind], spaced))
        spaced = False


def _command(name: str, text: str, position: int, tokens: list[Token], spaced: bool) -> int:
    """Append what the command means; returns where scanning goes on."""
    if name in ("left", "right"):
        rest = text[position:].lstrip()[:1]
        if rest == ".":
            return text.index(".", position) + 1
        if rest == "|":
            tokens.append(("op", "|(" if name == "left" else "|)", spaced))
            return text.index("|", position) + 1
    elif name in SKIPPED:
        pass
    elif name in TEXT:
        inner, position = _group(text, position)
        if inner.strip() in ("i", "e", "d") and name.startswith("math"):
            tokens.append(("let", inner.strip(), spaced))
        elif inner:
            _scan(" " + inner if spaced else inner, tokens, prose=name not in ("operatorname",))
    elif name in SKIPPED_WITH_GROUP or name == "textcolor":
        _, position = _group(text, position)
    elif name == "mathbb":
        inner, position = _group(text, position)
        letter = inner.strip()
        tokens.append(
            ("set", letter, spaced) if letter in ("R", "Z", "N", "Q", "C") else ("let", letter[:1] or "?", spaced)
        )
    elif name in BARE:
        inner, end = _group(text, position)
        ends = _ENDS.fullmatch(inner) if name in ("vec", "overrightarrow") else None
        if ends is not None:  # the vector from A to B is B - A
            tokens += [("op", "(", spaced), ("let", f"→{ends[2]}", False), ("op", "-", False)]
            tokens += [("let", f"→{ends[1]}", False), ("op", ")", False)]
            return end
        unit = inner.strip().lstrip("\\").removesuffix("math") if name in _VECTORS else ""
        if unit in ("i", "j", "k"):
            tokens.append(("let", f"unit {unit}", spaced))
            position = end
    elif name == "circ" and _composes(tokens, text, position):
        tokens.append(("op", "compose", spaced))
    elif name in COMMAND_OPS:
        tokens.append(("op", COMMAND_OPS[name], spaced))
    elif name in FUNCTION_NAMES:
        tokens.append(("cmd", FUNCTION_NAMES[name], spaced))
    elif name in ("begin", "end"):
        inner, position = _group(text, position)
        tokens.append(("cmd", f"{name} {inner.strip().rstrip('*')}", spaced))
        if name == "begin" and inner.strip() == "array" and text[position : position + 1] == "{":
            _, position = _group(text, position)
    elif name in CONSTRUCTIONS:
        tokens.append(("cmd", CONSTRUCTIONS[name], spaced))
    elif name in GREEK or (len(name) == 1 and name.isalpha()):
        tokens.append(("let", name, spaced))
    else:
        tokens.append(("word", name, spaced))
    return position


def _composes(tokens: list[Token], text: str, position: int) -> bool:
    """Whether a small circle stands between two functions, and is no degree sign."""
    before = [value for _, value, _ in tokens[-2:]]
    raised = before[-1:] in (["^"], ["{"]) or not tokens
    function = not raised and (tokens[-1][0] == "let" or before[-1] in (")", "'"))
    return function and bool(_FUNCTION.match(text, position))


def _after_value(tokens: list[Token]) -> bool:
    """Whether a unit may stand here: after something that is not an operator."""
    return bool(tokens) and (tokens[-1][0] != "op" or tokens[-1][1] in (")", "}", "|", "/", ".", "deg"))


def _letters(run: str, tokens: list[Token], spaced: bool, prose: bool) -> None:
    """A run of letters: a connective, function, word, or a product of variables."""
    lower = run.lower()
    if lower in ("and", "or"):
        tokens.append(("op", lower, spaced))
    elif run in FUNCTION_NAMES:
        tokens.append(("cmd", FUNCTION_NAMES[run], spaced))
    elif run in PLAIN:
        command = PLAIN[run]
        tokens.append(("op" if command == "choose" else "cmd", command, spaced))
    elif run in ("mod", "percent", "percentage", "pct"):
        tokens.append(("op", "bmod" if run == "mod" else "%", spaced))
    elif lower in ("degree", "degrees"):
        tokens.append(("op", "deg", spaced))
    elif not prose and run in GREEK:
        tokens.append(("let", run, spaced))
    elif not prose and (
        (len(run) == 2 and run.isupper() and bool(tokens) and tokens[-1][1] in ("{", "/", ":"))
        or len(run) == 1
        or not is_word(run)
        or (len(run) == 2 and is_unit(run) and not _after_value(tokens))
    ):
        tokens.append(("let", run[0], spaced))
        tokens.extend(("let", letter, False) for letter in run[1:])
    else:
        tokens.append(("word", run, spaced))
