r"""Prompts: four families, in our words around the fixed strings that extraction looks for.

The fixed strings are HARP's and Minerva's: ``Problem:``, ``Solution:``, ``Final Answer: The final answer is ... I hope
it is correct.``, ``Answer:``, ``Therefore, the final answer is: $\boxed{...}$. I hope it is correct.``
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from zoo import UsageError
from zoo_harp.evaluation.choices import IDENTITY, layout_text, shown_letter
from zoo_harp.evaluation.data import Problem
from zoo_harp.evaluation.responses import Run
from zoo_harp.names import FAMILIES, Align, Family, Layout

Role = Literal["system", "user", "assistant"]

HOPE = "I hope it is correct."
PREFIX = "Solution:"
_TASK = "You will be given a problem from a mathematics competition. Work through it step by step"
_SYSTEM: dict[Family, str] = {
    "final-answer": f"{_TASK}, then close with exactly this line, with your result in place of the word answer:\n"
    f"Final Answer: The final answer is $answer$. {HOPE}",
    "answer-line": f"{_TASK}. The last line of your reply must give the result alone, without a box, in this form:\n"
    "Answer:\n$ANSWER",
    "boxed": f"{_TASK}, then close with exactly this sentence, with your result in the box:\n"
    rf"Therefore, the final answer is: $\boxed{{answer}}$. {HOPE}",
    "mcq": f"{_TASK}, decide which of the choices is right, then close with exactly this line, where a single letter "
    f"from A to E takes the place of the question mark:\nFinal Answer: The final answer is ?. {HOPE}",
}
_CLOSING: dict[Family, str] = {
    "final-answer": f"Final Answer: The final answer is ${{}}$. {HOPE}",
    "answer-line": "Answer:\n{}",
    "boxed": rf"Therefore, the final answer is: $\boxed{{{{{{}}}}}}$. {HOPE}",
    "mcq": f"Final Answer: The final answer is {{}}. {HOPE}",
}


@dataclass(frozen=True)
class Prompt:
    """The messages that are sent to a model.

    Attributes:
        messages: role and text of each; the last is the assistant's where its beginning is given.
        stop: strings at which the model may stop.
    """

    messages: tuple[tuple[Role, str], ...]
    stop: tuple[str, ...]


def question(problem: Problem, run: Run, order: str = IDENTITY) -> str:
    r"""The user's text: ``Problem:\n{problem}``, and the choices below it where the run shows them."""
    layout: Layout = run.layout or "none"  # type: ignore[assignment]
    choices = layout_text(problem, layout, order)
    return "\n".join(["Problem:", problem.problem, *([choices] if choices else [])])


def build(
    problem: Problem,
    family: Family,
    run: Run,
    *,
    order: str = IDENTITY,
    shots: Sequence[Problem] = (),
    prefill: bool = False,
) -> Prompt:
    """The prompt for one problem.

    Args:
        problem: what to ask.
        family: which of the four; "mcq" goes with choices, and only with them.
        run: short answer or choices, and their layout.
        order: of the choices.
        shots: solved examples, shown before as turns of their own.
        prefill: send the beginning of the reply, ``Solution:``, as HARP does; many services refuse that, so it is off
            unless asked for, and the system text asks for it instead.

    Raises:
        UsageError: the family does not go with the run.
    """
    if (family == "mcq") != bool(run.layout):
        expected = "mcq" if run.layout else " or ".join(name for name in FAMILIES if name != "mcq")
        raise UsageError(f"prompt {family!r} does not go with a run of {run.name!r}: expected {expected}.")
    system = _SYSTEM[family] if prefill else f'{_SYSTEM[family]}\nBegin your reply with "{PREFIX}".'
    messages: list[tuple[Role, str]] = [("system", system)]
    for shot in shots:
        messages += [("user", question(shot, run)), ("assistant", f"{PREFIX}\n{worked(shot, family)}")]
    messages.append(("user", question(problem, run, order)))
    if prefill:
        messages.append(("assistant", PREFIX))
    return Prompt(tuple(messages), (HOPE,) if family != "answer-line" else ())


def worked(problem: Problem, family: Family) -> str:
    """The first solution of an example, with the closing sentence of the family.

    Raises:
        UsageError: the example has no answer of that kind.
    """
    answer = problem.answer_choice if family == "mcq" else problem.answer
    if answer is None:
        raise UsageError(f"example {problem.id} has no {'choices' if family == 'mcq' else 'answer'}.")
    shown = shown_letter(answer, IDENTITY) if family == "mcq" else answer.strip().strip("$")
    return f"{problem.solutions[0]}\n{_CLOSING[family].format(shown)}"


def draw_shots(
    problem: Problem, pool: Sequence[Problem], count: int, align: Align, rng: np.random.Generator
) -> list[Problem]:
    """Examples for one problem: of its level or subject if asked for, never the problem itself.

    Args:
        problem: what will be asked.
        pool: examples to draw from; the caller leaves out what is evaluated.
        count: how many.
        align: "any", or what examples must share with the problem.
        rng: where they are drawn from; with as many examples as are wanted and "any", their order is the pool's.

    Raises:
        UsageError: there are too few.
    """
    fitting = [
        shot
        for shot in pool
        if shot.id != problem.id and (align == "any" or _label(shot, align) == _label(problem, align))
    ]
    if len(fitting) < count:
        share = "" if align == "any" else f" of {align} {_label(problem, align)}"
        raise UsageError(f"{count} examples{share} are needed for {problem.id}, and there are {len(fitting)}.")
    indices = rng.choice(len(fitting), size=count, replace=False) if len(fitting) > count else np.arange(count)
    return [fitting[index] for index in indices]


def _label(problem: Problem, align: Align) -> int | str:
    return problem.level if align == "level" else problem.subject
