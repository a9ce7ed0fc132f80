"""The reply within a model's output: without its thinking, the tokens of chat templates and what was written after it.

One pass of each search over the text. Text inside the thinking is ignored, whether the thinking is closed,
still open, or only its end is there because a template had opened it.
"""

from __future__ import annotations

import re
from typing import Final

from zoo_harp.checker.latex.normalise import unescaped

_NAMES: Final = (
    r"(?:think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis|seed:think|antml:thinking)"
)
_OPENED: Final = re.compile(
    rf"<{_NAMES}>|<\|im_start\|>\s{{0,4}}think\b|◁think▷|<\|begin_of_thought\|>|<\|begin_of_thinking\|>|\[THINK\]|<unused94>thought",
    re.IGNORECASE,
)
_CLOSED: Final = re.compile(
    rf"</{_NAMES}>|<\|im_start\|>\s{{0,4}}answer\b|◁/think▷|<\|end_of_thought\|>|<\|end_of_thinking\|>|\[/THINK\]|<unused95>",
    re.IGNORECASE,
)
_CHANNEL: Final = re.compile(r"<\|channel\|>\s{0,4}final\b[^<]{0,40}<\|message\|>")
_OTHER_CHANNEL: Final = re.compile(r"<\|channel\|>\s{0,4}(?:analysis|commentary)\b")
_TURN: Final = re.compile(
    r"<\|im_end\|>|<\|eot_id\|>|<\|endoftext\|>|<\|end_of_text\|>|<\|return\|>|<\|end\|>|<end_of_turn>|</s>|<eos>"
    r"|<\|(?:im_start|start_header_id|start)\|>\s{0,4}(?:user|system|human)|<start_of_turn>\s{0,4}user|<\|(?:user|observation)\|>"
    r"|\[INST\]|<｜end▁of▁sentence｜>|<｜User｜>|<\|END_OF_TURN_TOKEN\|>",
    re.IGNORECASE,
)
_TOKEN: Final = re.compile(
    r"<\|(?:im_start|start|start_header_id|start_of_role)\|>\s{0,4}(?:assistant|model)?(?:<\|(?:end_header_id|end_of_role|message)\|>)?"
    r"|<start_of_turn>\s{0,4}(?:model|assistant)|<\|(?:assistant|begin_of_text|begin_of_solution|end_of_solution|message|eom_id)\|>"
    r"|<s>|<bos>|<pad>|\[/INST\]|<｜(?:Assistant|begin▁of▁sentence)｜>",
    re.IGNORECASE,
)
_ANSWER: Final = re.compile(r"<(/?)(?:answer|final_answer|final|finalanswer)>", re.IGNORECASE)
_NEXT_TASK: Final = re.compile(
    r"\n[#*\s]{0,8}(?:Problem|Question|Exercise|User|Human|Instruction|Input|Q)\b[^\n:]{0,20}:", re.IGNORECASE
)
_ANSWERED: Final = re.compile(r"answer\b[^\n]{0,20}?(?:is\b|[:=])|\\boxed|I hope (?:it|this) is correct", re.IGNORECASE)
_STRUCK: Final = re.compile(
    r"<(s|del|strike)>[^<]{0,400}</\1>|(?<![\w$}~])~~(?=[^\s\\~])[^~\n]{1,400}~~(?![\w~])"
    r"|~~(?=\\boxed|\$)[^~\n]{1,400}~~(?![\w~])|^[ \t]{0,8}%[^\n]*|\\color\s?\{white\}[^\n]*"
    r"|(?<![\d\\])[ \t]{0,8}(?<![\d\\]\s)(?<!\\)%[^\n]{0,400}?\\boxed[^\n]*"
    r"|\\(?:verb|lstinline|mintinline)\*?([^\w\s*])[^\n]{0,400}?\2"
    r"|\\iffalse(?![A-Za-z]).*?(?:\\fi(?![A-Za-z])|\Z)|\\if(?:0|x|num).*?(?:\\fi(?![A-Za-z])|\Z)"
    r"|\\begin\s?\{(comment|verbatim|lstlisting)\*?\}.*?(?:\\end\s?\{\3\*?\}|\Z)",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_STRIKING: Final = re.compile(
    r"\\(?:[bxh]?cancel(?:to\s?\{[^{}]{0,40}\})?|sout|st|xout|h?phantom|textst|strikeout|textcolor\s?\{white\}|(?:re)?newcommand\s?\{?\\[A-Za-z]{1,20}\}?(?:\[\d\])?)(?![A-Za-z])\s?\{"
)
_BRACE: Final = re.compile(r"(?<!\\)[{}]")
_STRUCK_SIGN: Final = re.compile("[^\\W_][\u0335-\u0338\u20d2\u20d3\u20d8\u20e0\u20e5\u20eb]")
"""text that is rendered struck out, or not at all"""
_WIDE: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_BESIDE: Final = re.compile(
    f"(?<=[{_WIDE}])(?=[-\\w\\\\$(√±−])(?![{_WIDE}])|(?<=[\\w\\\\$)%°.!?:;,])(?<![{_WIDE}])(?=[{_WIDE}])"
)
_JOINED: Final = re.compile(
    r"(?<=[\w)}$])\s{0,4}(?:(或者?|または|もしくは|또는)|和|与|與|及|および|及び|그리고)\s{0,4}(?=[-−\d$(√\\A-Za-z])"
)
"""words for "and" and "or" before a formula"""
_STOPS: Final = str.maketrans({"。": ". ", "，": ", ", "、": ", ", "：": ": ", "；": "; ", "？": "? ", "！": "! "})
_BOLD: Final = re.compile(r"(?<![\w*\\])\*\*(?=[^\s*])([^*\n]{1,80}?)(?<=[^\s*])\*\*(?![\w*])")
_BULLET: Final = re.compile(r"^[ \t]{0,8}[-+*•][ \t]{1,4}(?=\*\*)", re.MULTILINE)
_MATHEMATICAL: Final = re.compile(
    r"[^A-Za-z]*(?:[A-Za-z](?:_\w+)?\s{0,2}[=<>≤≥]\s{0,2})?[-−+$\\\d(√π][^A-Za-z]{0,60}[.:]?"
)


def reply(output: str) -> tuple[str, bool]:
    """The part of an output that is its reply, and whether tags say that all of it is the answer."""
    text = _without_struck(unescaped(output) if "\\\\" in output else output)
    if "<" in text or "[" in text or "◁" in text:
        text = _without_template(_without_thinking(text))
        answer = _last_answer(text)
        if answer is not None:
            return answer, True
    return _plain(_before_next_task(text)), False


def _without_struck(text: str) -> str:
    """Without comments, and without what is struck out."""
    if "<!--" in text:
        first, *rest = text.split("<!--")
        text = first + "".join(part.partition("-->")[2] for part in rest)
    if any(sign in text for sign in ("<", "~~", "\\", "%")):
        text = _without_commands(_STRUCK.sub(" ", text))
    return text if text.isascii() else _STRUCK_SIGN.sub("", text)


def _without_commands(text: str) -> str:
    """Without the groups that a command strikes out, whatever braces are in them; one that is open goes to the end."""
    kept: list[str] = []
    position = 0
    while (match := _STRIKING.search(text, position)) is not None:
        kept.append(text[position : match.start()])
        depth, position = 1, len(text)
        for brace in _BRACE.finditer(text, match.end()):
            depth += 1 if brace[0] == "{" else -1
            if not depth:
                position = brace.end()
                break
    return " ".join([*kept, text[position:]]) if kept else text


def _without_thinking(text: str) -> str:
    final = _last(_CHANNEL, text)
    if final is not None:
        return text[final.end() :]
    other = _OTHER_CHANNEL.search(text)
    if other is not None:
        return text[: other.start()]
    closed = _last(_CLOSED, text)
    if closed is not None:
        text = text[closed.end() :]
    opened = _OPENED.search(text)
    return text[: opened.start()] if opened is not None else text


def _without_template(text: str) -> str:
    """Up to the end of the first turn that has content."""
    start = 0
    for match in _TURN.finditer(text):
        if _TOKEN.sub("", text[start : match.start()]).strip():
            return _TOKEN.sub("", text[start : match.start()])
        start = match.end()
    return _TOKEN.sub("", text[start:])


def _last_answer(text: str) -> str | None:
    """What the last answer tags enclose, also where they are not closed; None if there is nothing."""
    content: str | None = None
    start = -1
    for match in _ANSWER.finditer(text):
        if match[1]:
            if start >= 0 and text[start : match.start()].strip():
                content = text[start : match.start()]
            start = -1
        else:
            start = match.end()
    if start >= 0 and text[start:].strip():
        content = text[start:]
    return content.strip() if content is not None else None


def _before_next_task(text: str) -> str:
    """Without further problems that a model generates after its answer, as base models do."""
    if "\n" not in text:
        return text
    answered = _ANSWERED.search(text)
    following = _NEXT_TASK.search(text, answered.end()) if answered is not None else None
    return text[: following.start()] if following is not None else text


def _plain(text: str) -> str:
    """Formulas in bold as formulas, and a space where digits touch letters of scripts that have none."""
    if "**" in text:
        text = _BOLD.sub(_formula, _BULLET.sub("", text))
    return spaced(text)


def spaced(text: str) -> str:
    """``text`` with a space between Chinese, Japanese or Korean letters and other signs."""
    return text if text.isascii() else _BESIDE.sub(" ", _JOINED.sub(_joined, text)).translate(_STOPS)


def _joined(match: re.Match[str]) -> str:
    return " or " if match[1] else " and "


def _formula(match: re.Match[str]) -> str:
    inner = match[1]
    return f"${inner.rstrip('.:')}$" if "$" not in inner and _MATHEMATICAL.fullmatch(inner) else match[0]


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    last = None
    for match in pattern.finditer(text):
        last = match
    return last
