"""Files of model responses: one JSON object per line.

=============== ============================================================= ==========
field           meaning                                                       required
=============== ============================================================= ==========
``id``          identifier of the problem, ``year/contest/number``            yes
``response``    the model's text, or null where there is none                 one of
``samples``     several of them: strings, nulls, or objects with              these two
                ``response``, ``finish_reason``, ``tokens``, ``correct``
``finish_reason`` how it ended; "stop" and the like are normal, any other    no: normal
                ("length", "max_tokens", "content_filter") makes it wrong
``tokens``      number of output tokens                                       no
``sample``      number of this sample, from 0; lines with the same problem    no: 0
                and run, and other numbers, are further samples
``layout``      "original", "dot", "paren" or "none" (choices not shown);     no: null
                null: a short answer was asked for
``shuffle``     number of the shuffle of the choices, from 1; 0: none         no: 0
``permutation`` published letters in the order they were shown, as "BCDEA"    if shuffled
``correct``     the verdict of another scorer, to compare with                no
=============== ============================================================= ==========

Other fields are ignored. Two other formats are read as they are: samples that lm-evaluation-harness logs (lines with
``doc`` and ``resps``), and logs of inspect_ai (``.eval`` or ``.json``; needs the extra ``inspect``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo_harp.evaluation.choices import IDENTITY, is_permutation
from zoo_harp.evaluation.jsonl import Line, Loaded, load, shown
from zoo_harp.names import LAYOUTS

FINISHED = frozenset(
    {"stop", "end_turn", "eos", "eos_token", "stop_sequence", "stop_sequences", "complete", "finished"}
)
"""finish reasons that mean a normal end, in lower case"""


@dataclass(frozen=True, order=True)
class Run:
    """How a model was asked: ``layout`` is empty for short answers, ``shuffle`` is 0 unless choices were shuffled."""

    layout: str = ""
    shuffle: int = 0

    @property
    def name(self) -> str:
        """Its name in the paper's tables: "short", "original", "shuffle 2", or "dot shuffle 2"."""
        if not self.layout:
            return "short"
        if not self.shuffle:
            return self.layout
        return f"shuffle {self.shuffle}" if self.layout == "original" else f"{self.layout} shuffle {self.shuffle}"


@dataclass(frozen=True, kw_only=True)
class Response:
    """One sample.

    Attributes:
        id: of the problem.
        run: how it was asked.
        sample: its number, from 0.
        text: what the model wrote; None where it wrote nothing.
        finished: whether it ended normally.
        tokens: output tokens, None if not recorded.
        order: published letters of the choices in the order they were shown.
        claimed: the verdict of another scorer, None if there is none.
        line: of the file.
    """

    id: str
    run: Run
    sample: int
    text: str | None
    finished: bool
    tokens: int | None
    order: str
    claimed: bool | None
    line: int


def load_responses(
    path: Path, *, known: Callable[[str], bool] | None = None, skip_bad: bool = False
) -> Loaded[Response]:
    """Read a file of responses.

    Args:
        path: the file: ``.jsonl``, ``.zip``, or a log of inspect_ai.
        known: whether there is a problem with an identifier; unset: all are accepted.
        skip_bad: skip bad lines and record their errors.

    Raises:
        DataError: with file, line and field: a field is wrong or missing, an identifier is unknown, a sample repeats.
    """
    seen: dict[tuple[str, Run, int], int] = {}

    def parse(line: Line) -> list[Response]:
        responses = _responses(line if "resps" not in line.values else _from_lm_eval(line))
        for response in responses:
            if known is not None and not known(response.id):
                line.fail("id", f"is {shown(response.id)}, and the dataset has no such problem.")
            key = (response.id, response.run, response.sample)
            if key in seen:
                line.fail(
                    "id", f"is {shown(response.id)} again, as on line {seen[key]}: expected another sample number, "
                    "layout or shuffle.",
                )  # fmt: skip
            seen[key] = line.number
        return responses

    if path.suffix in (".eval", ".json"):
        from zoo_harp.evaluation.inspect_log import lines

        loaded = Loaded(tuple(parse(line) for line in lines(path)))
    else:
        loaded = load(path, parse, skip_bad=skip_bad)
    return Loaded(tuple(response for group in loaded.items for response in group), loaded.skipped)


def is_finished(reason: str | None) -> bool:
    """Whether a finish reason means a normal end; an unknown reason does not, a missing one does."""
    return reason is None or reason.strip().lower() in FINISHED


def _responses(line: Line) -> list[Response]:
    run, order = _run(line)
    first = line.whole("sample", 0) if "sample" in line.values else 0
    return [
        Response(
            id=line.text("id"),
            run=run,
            sample=first + number,
            text=_optional(inner, "response", str, "a string or null", prefix),
            finished=is_finished(_optional(inner, "finish_reason", str, "a string or null", prefix)),
            tokens=_tokens(inner, prefix),
            order=order,
            claimed=_optional(inner, "correct", bool, "true, false or null", prefix),
            line=line.number,
        )
        for number, (prefix, inner) in enumerate(_samples(line))
    ]


def _samples(line: Line) -> Iterable[tuple[str, Line]]:
    """Each sample of the line as an object of its own, and what its fields are called in messages."""
    if ("response" in line.values) == ("samples" in line.values):
        line.fail("response", "or 'samples' is needed, and not both.")
    if "response" in line.values:
        return [("", line)]
    samples = line.values["samples"]
    if not isinstance(samples, list) or not samples:
        line.fail("samples", f"is {shown(samples)}: expected a list that is not empty.")
    return [(f"samples[{number}].", _sample(line, number, sample)) for number, sample in enumerate(samples)]


def _sample(line: Line, number: int, sample: Any) -> Line:
    if sample is None or isinstance(sample, str):
        sample = {"response": sample}
    if not isinstance(sample, dict) or "response" not in sample:
        line.fail(f"samples[{number}]", f"is {shown(sample)}: expected a string, null, or an object with 'response'.")
    return Line(line.path, line.number, sample)


def _optional(line: Line, field: str, kind: type, expected: str, prefix: str) -> Any:
    value = line.values.get(field)
    if value is not None and not isinstance(value, kind):
        line.fail(prefix + field, f"is {shown(value)}: expected {expected}.")
    return value


def _tokens(line: Line, prefix: str) -> int | None:
    value = line.values.get("tokens")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        line.fail(f"{prefix}tokens", f"is {shown(value)}: expected a whole number of at least 0, or null.")
    return int(value)


def _run(line: Line) -> tuple[Run, str]:
    layout = line.values.get("layout")
    if layout is not None and layout not in LAYOUTS:
        line.fail("layout", f"is {shown(layout)}: expected {', '.join(LAYOUTS)} or null.")
    shuffle = line.whole("shuffle", 0) if line.values.get("shuffle") is not None else 0
    order = line.values.get("permutation")
    if shuffle and layout is None:
        line.fail("shuffle", f"is {shuffle}, and no choices were shown: expected a layout.")
    if order is None:
        if shuffle:
            line.fail("permutation", "is missing: shuffled choices need the order in which they were shown.")
        order = IDENTITY
    if not isinstance(order, str) or not is_permutation(order):
        line.fail("permutation", f"is {shown(order)}: expected each of the letters A to E once, as in 'BCDEA'.")
    return Run(layout or "", shuffle), order


def _from_lm_eval(line: Line) -> Line:
    """A sample logged by lm-evaluation-harness, ``--log_samples``: the texts are ``resps[0]``, one for each repeat."""
    doc, resps = line.values.get("doc"), line.values["resps"]
    if not isinstance(doc, dict) or not all(key in doc for key in ("year", "contest", "number")):
        line.fail("doc", "lacks one of the fields 'year', 'contest' and 'number' of a problem of HARP.")
    if not isinstance(resps, list) or not resps or not isinstance(resps[0], list):
        line.fail("resps", f"is {shown(resps)}: expected a list of lists of texts.")
    values = {"id": f"{doc['year']}/{doc['contest']}/{doc['number']}", "samples": resps[0]}
    return Line(line.path, line.number, values)
