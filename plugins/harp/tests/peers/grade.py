"""Verdicts of another package's grader: pairs of gold and response come in as JSON, true, false or null goes out.

Run by the tests with a Python that has the package: lighteval wants another version of a parser than math-verify does.
Usage: ``python grade.py lighteval|inspect_ai < pairs.json > verdicts.json``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence


def lighteval(pairs: Sequence[tuple[str, str]]) -> list[bool | None]:
    """Its extractive match with LaTeX and plain expressions on both sides, as its tasks of mathematics set it up."""
    from lighteval.metrics.dynamic_metrics import MultilingualExtractiveMatchMetric
    from lighteval.metrics.utils.extractive_match_utils import ExprExtractionConfig, LatexExtractionConfig
    from lighteval.models.model_output import ModelResponse
    from lighteval.tasks.requests import Doc

    targets = (LatexExtractionConfig(), ExprExtractionConfig())
    metric = MultilingualExtractiveMatchMetric(gold_extraction_target=targets, pred_extraction_target=targets)

    def verdict(gold: str, response: str) -> bool | None:
        try:
            doc = Doc(query="", choices=[gold], gold_index=0)
            return bool(metric.compute(doc=doc, model_response=ModelResponse(text=[response])))
        except Exception:  # whatever it raises counts as no verdict
            return None

    return [verdict(_marked(gold), _marked(response)) for gold, response in pairs]


def inspect_ai(pairs: Sequence[tuple[str, str]]) -> list[bool | None]:
    """Its scorer ``math``."""
    from inspect_ai.model import ModelName, ModelOutput
    from inspect_ai.scorer import Target, math
    from inspect_ai.solver import TaskState

    scorer = math()

    async def verdict(gold: str, response: str) -> bool | None:
        output = ModelOutput.from_content("none/none", response)
        state = TaskState(model=ModelName("none/none"), sample_id=0, epoch=1, input="", messages=[], output=output)
        try:
            score = await scorer(state, Target(gold))
        except Exception:  # it raises where it cannot read the gold
            return None
        return None if score is None else score.value in ("C", 1, True)

    async def verdicts() -> list[bool | None]:
        return [await verdict(gold, response) for gold, response in pairs]

    return asyncio.run(verdicts())


def _marked(text: str) -> str:
    """A bare answer in dollars: lighteval reads LaTeX nowhere else."""
    return text if any(mark in text for mark in ("$", "\\(", "\\[", "boxed", "answer", "Answer")) else f"${text}$"


if __name__ == "__main__":
    graders = {"lighteval": lighteval, "inspect_ai": inspect_ai}
    verdicts = graders[sys.argv[1]]([tuple(pair) for pair in json.load(sys.stdin)])
    json.dump(verdicts, sys.stdout)
