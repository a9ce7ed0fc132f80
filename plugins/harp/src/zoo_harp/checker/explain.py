"""The reason for a verdict: both parsed answers side by side."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from zoo_harp.checker.answers import Answer, parse, parse_pair
from zoo_harp.checker.check import DEFAULT_TIMEOUT, Kind, Verdict, check, gold_text
from zoo_harp.checker.tree import show

_WIDTH = 46


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict with the two trees it compared; ``str`` writes a table.

    Attributes:
        verdict: as ``check`` gives it.
        gold: the gold answer as parsed.
        answer: the extracted answer as parsed; None if there is none.
    """

    verdict: Verdict
    gold: Answer
    answer: Answer | None

    def __str__(self) -> str:
        """Rows of text, parsed tree, and the rule that decided."""
        rows = [("", "gold", "response"), ("answer", self.gold.text, self.answer.text if self.answer else "(none)")]
        rows.append(("tree", show(self.gold.tree), show(self.answer.tree) if self.answer else ""))
        lines = []
        for name, left, right in rows:
            columns = [textwrap.wrap(_printable(side), _WIDTH) or [""] for side in (left, right)]
            for k in range(max(map(len, columns))):
                cells = [column[k] if k < len(column) else "" for column in columns]
                lines.append(f"{name if k == 0 else '':<8}{cells[0]:<{_WIDTH + 2}}{cells[1]}".rstrip())
        verdict = "correct" if self.verdict.correct else "wrong"
        lines.append(f"{'verdict':<8}{verdict}, rule {self.verdict.rule}: {self.verdict.reason}")
        return "\n".join(lines)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[:2000])


def explain(gold: str, response: str | None, *, kind: Kind = "auto", timeout_s: float = DEFAULT_TIMEOUT) -> Explanation:
    """Check, and return the parsed answers with the verdict.

    Raises:
        ValueError: as ``check``.
        TypeError: as ``check``.
    """
    verdict = check(gold, response, kind=kind, timeout_s=timeout_s)
    if verdict.extracted is None:
        return Explanation(verdict, parse(gold_text(gold)), None)
    return Explanation(verdict, *parse_pair(gold_text(gold), verdict.extracted))
