"""HARP for inspect_ai: a task, a solver and a scorer, registered through its entry-point group ``inspect_ai``.

``inspect eval zoo_harp/harp --model NAME -T dataset=HARP.jsonl``; ``zoo harp run`` adds the journal, with which a
run that was killed continues where it stopped. Needs the extra ``inspect``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
)
from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, grouped, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver

from zoo_harp.evaluation.choices import shown_letter
from zoo_harp.evaluation.responses import is_finished
from zoo_harp.evaluation.scoring import Kind
from zoo_harp.protocol.journal import Journal
from zoo_harp.protocol.plan import Plan, Question, questions

MAX_TOKENS = 2048
"""the paper's limit for most models; 4096 for Llama 3.1 405B, 8192 for reasoning models"""
_MESSAGES = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


def generation(samples: int, temperature: float | None = None, top_p: float | None = None) -> dict[str, float]:
    """Sampling: greedy for one sample, temperature 1 and top_p 0.95 for several."""
    if temperature is None:
        temperature = 0.0 if samples == 1 else 1.0
    if top_p is None and temperature > 0:
        top_p = 0.95
    return {"temperature": temperature, **({} if top_p is None else {"top_p": top_p})}


@task  # type: ignore[untyped-decorator, unused-ignore]
def harp(dataset: str, max_tokens: int = MAX_TOKENS, **options: Any) -> Task:
    """The benchmark as a task of inspect_ai.

    Args:
        dataset: file of problems.
        max_tokens: limit of one response.
        options: fields of ``zoo_harp.protocol.plan.Plan``, such as ``split="choice"``.
    """
    plan = Plan(dataset=dataset, **options)
    return task_of(questions(plan), generation(plan.samples), max_tokens=max_tokens)


def task_of(
    asked: Sequence[Question], sampling: dict[str, float], *, max_tokens: int, journal: Journal | None = None
) -> Task:
    """The task of asking these questions; responses go to the journal as they come."""
    stop = sorted({text for question in asked for text in question.prompt.stop})
    return Task(
        dataset=MemoryDataset([_sample(question) for question in asked], name="harp"),
        solver=ask(journal),
        scorer=harp_scorer(),
        config=GenerateConfig(
            max_tokens=max_tokens,
            stop_seqs=stop or None,
            temperature=sampling["temperature"],
            top_p=sampling.get("top_p"),
        ),
        name="harp",
    )


def _sample(question: Question) -> Sample:
    messages: list[ChatMessage] = [_MESSAGES[role](content=text) for role, text in question.prompt.messages]
    problem = question.problem
    gold = (problem.answer_choice if question.run.layout else problem.answer) or ""
    return Sample(
        id=f"{problem.id} {question.run.name} {question.sample}",
        input=messages,
        target=shown_letter(gold, question.order) if question.run.layout else gold,
        metadata={"record": question.record(), "level": f"L{problem.level}", "subject": problem.subject},
    )


@solver  # type: ignore[untyped-decorator, unused-ignore]
def ask(journal: Journal | None = None) -> Solver:
    """One call of the model; its response is written to the journal first of all."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state = await generate(state)
        if journal is not None:
            journal.add(response_record(state))
        return state

    return solve


def response_record(state: TaskState) -> dict[str, Any]:
    """The line of one answered sample in a file of responses."""
    output = state.output
    usage = output.usage
    return {
        **state.metadata["record"],
        "response": output.completion,
        "finish_reason": output.stop_reason,
        "tokens": usage.output_tokens if usage is not None else None,
        "model": output.model,
    }


@scorer(metrics=[grouped(accuracy(), "level"), stderr()])  # type: ignore[untyped-decorator, unused-ignore]
def harp_scorer(timeout_s: float = 2.0) -> Scorer:
    """Right or wrong by the checker; a response that did not end normally is wrong."""

    async def score(state: TaskState, target: Target) -> Score:
        from zoo_harp import check

        if not is_finished(state.output.stop_reason):
            return Score(value=INCORRECT, explanation="unfinished")
        kind: Kind = "choice" if "layout" in state.metadata["record"] else "short"
        verdict = await asyncio.to_thread(check, target.text, state.output.completion, kind=kind, timeout_s=timeout_s)
        return Score(
            value=CORRECT if verdict.correct else INCORRECT, answer=verdict.extracted,
            explanation=f"{verdict.rule}: {verdict.reason}",
        )  # fmt: skip

    return score
