"""The checker in lm-evaluation-harness: importing this module registers a filter and a metric, both called ``harp``.

In a task's YAML file, with a Python function beside it that imports this module::

    metric_list:
      - metric: harp
    filter_list:
      - name: extract
        filter: [{function: harp}, {function: take_first}]

``zoo harp lm-eval`` writes a task for the short answers of a file of problems, for which none of this is needed.
The metric alone takes whole responses; the filter is for those who want the extracted answers in the logged samples.
Needs the extra ``lm-eval``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lm_eval.api.filter import Filter
from lm_eval.api.registry import register_filter, register_metric


@register_filter("harp")  # type: ignore[untyped-decorator, unused-ignore]
class ExtractAnswer(Filter):  # type: ignore[misc, unused-ignore]
    """Replaces each response by the answer in it, boxed so that it is read again as it is; by "" if there is none.

    Args:
        field: of the document, that holds the reference answer.
        timeout_s: for one check.
    """

    def __init__(self, field: str = "answer", timeout_s: float = 2.0) -> None:
        self.field = field
        self.timeout_s = timeout_s

    def apply(self, resps: Iterable[Sequence[str]], docs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """Responses of each document to answers of each document, in the same order."""
        from zoo_harp import check

        def extract(gold: str, response: str) -> str:
            answer = check(gold, response, timeout_s=self.timeout_s).extracted
            return rf"$\boxed{{{answer}}}$" if answer else ""

        return [
            [extract(str(doc[self.field]), response) for response in responses]
            for responses, doc in zip(resps, docs, strict=True)
        ]


@register_metric(  # type: ignore[untyped-decorator, unused-ignore]
    metric="undecided", higher_is_better=False, aggregation="mean", output_type="generate_until"
)
def undecided(references: Sequence[str], predictions: Sequence[str], **options: Any) -> float:
    """Share of predictions on which the checker is undecided; in [0, 1]. Arguments as of ``harp``."""
    from zoo_harp import check

    pairs = list(zip(references, predictions, strict=True))
    return sum(check(str(gold), str(response), **options).undecided for gold, response in pairs) / max(1, len(pairs))


@register_metric(  # type: ignore[untyped-decorator, unused-ignore]
    metric="harp", higher_is_better=True, aggregation="mean", output_type="generate_until"
)
def harp(references: Sequence[str], predictions: Sequence[str], **options: Any) -> float:
    """Share of predictions that are right, each against the reference at its place; in [0, 1].

    Args:
        references: reference answers.
        predictions: responses, or answers from the filter.
        options: of ``zoo_harp.check``: ``kind``, ``timeout_s``.
    """
    from zoo_harp import check

    pairs = list(zip(references, predictions, strict=True))
    return sum(check(str(gold), str(response), **options).correct for gold, response in pairs) / max(1, len(pairs))


def process_docs(dataset: Any) -> Any:
    """The documents that ask for a short answer: no proofs, no calculus, none that need their choices."""

    def asked(doc: Mapping[str, Any]) -> bool:
        proof = str(doc["contest"]).endswith("MO")
        return not (
            proof or doc.get("multiple_choice_only") or doc.get("subject") == "calculus" or doc["answer"] is None
        )

    return dataset.filter(asked)


def process_results(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    """Whether the response is right, and whether the checker is undecided about it, each 0 or 1."""
    from zoo_harp import check

    verdict = check(str(doc["answer"]), str(results[0]), kind="short")
    return {"harp": float(verdict.correct), "undecided": float(verdict.undecided)}
