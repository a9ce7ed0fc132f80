"""The questions to ask: one for each problem, run, and sample."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo import UsageError, nearest, stream
from zoo_harp.evaluation.choices import permutation
from zoo_harp.evaluation.data import Dataset, Problem, load_dataset
from zoo_harp.evaluation.responses import Run
from zoo_harp.names import ALIGNS, FAMILIES, LAYOUTS, Align, Family
from zoo_harp.protocol.prompts import Prompt, build, draw_shots

Key = tuple[str, Run, int]
"""identifier of the problem, run, number of the sample"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The settings that determine the questions.

    Attributes:
        dataset: file of problems.
        split: "short" or "choice".
        prompt: family; empty: "final-answer", or "mcq" for choices.
        layout: of the choices.
        shuffles: ask this many times with shuffled choices instead of the published order.
        samples: of each question.
        limit: ask only the first problems; 0: all.
        seed: of shuffles and examples.
        prefill: send the beginning of the reply.
        shots: file of solved examples, in the schema of the problems; empty: none.
        shot_count: how many of them before each question.
        align: what examples share with the question: "any" (nothing), "level" or "subject".
    """

    dataset: str
    split: str = "short"
    prompt: str = ""
    layout: str = "original"
    shuffles: int = 0
    samples: int = 1
    limit: int = 0
    seed: int = 0
    prefill: bool = False
    shots: str = ""
    shot_count: int = 4
    align: str = "any"

    def __post_init__(self) -> None:
        """Check every range."""
        for name, known in (
            ("split", ("short", "choice")), ("layout", LAYOUTS), ("align", ALIGNS), ("prompt", ("", *FAMILIES)),
        ):  # fmt: skip
            value = getattr(self, name)
            if value not in known:
                near = nearest(value, known) or [item for item in known if item]
                raise UsageError(f"no {name} called {value!r}: expected {' or '.join(near)}.")
        for name, least in (("shuffles", 0), ("samples", 1), ("limit", 0), ("seed", 0), ("shot_count", 1)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} = {getattr(self, name)}: expected at least {least}.")
        if self.shuffles and (self.split != "choice" or self.layout == "none"):
            raise UsageError("shuffles need choices: expected the split 'choice', and a layout that shows them.")

    @property
    def family(self) -> Family:
        """The family of prompts."""
        return self.prompt or ("mcq" if self.split == "choice" else "final-answer")  # type: ignore[return-value]

    @property
    def runs(self) -> list[Run]:
        """The runs: how the problems are asked."""
        if self.split == "short":
            return [Run()]
        numbers = range(1, self.shuffles + 1) if self.shuffles else (0,)
        return [Run(self.layout, number) for number in numbers]

    def settings(self) -> dict[str, Any]:
        """The settings that a continued run must share with its beginning: options, and digests of the files."""
        named = asdict(self)
        del named["limit"], named["samples"], named["shuffles"]  # asking for more goes on with what is there
        return named | {name: _digest(Path(named[name])) for name in ("dataset", "shots") if named[name]}


@dataclass(frozen=True)
class Question:
    """One question to a model.

    Attributes:
        problem: the problem to ask.
        run: how to ask it.
        sample: number of the sample.
        order: of the choices.
        prompt: the messages to send.
    """

    problem: Problem
    run: Run
    sample: int
    order: str
    prompt: Prompt

    @property
    def key(self) -> Key:
        """The key that identifies the question."""
        return self.problem.id, self.run, self.sample

    def record(self) -> dict[str, Any]:
        """The fields of its line in a file of responses that are known before it is asked."""
        fields: dict[str, Any] = {"id": self.problem.id, "sample": self.sample}
        if self.run.layout:
            fields |= {"layout": self.run.layout, "shuffle": self.run.shuffle, "permutation": self.order}
        return fields


def questions(plan: Plan) -> list[Question]:
    """Every question of a plan; sample after sample, so that a run that is cut off has whole samples.

    Raises:
        UsageError: no problem is in the split, or examples are missing; ``DataError`` for bad files.
    """
    dataset = load_dataset(Path(plan.dataset))
    problems = dataset.split(plan.split)[: plan.limit or None]
    if not problems:
        raise UsageError(f"{plan.dataset} has no problem of the split {plan.split!r}.")
    pool = _pool(plan, dataset)
    return list(_questions(plan, problems, pool))


def _questions(plan: Plan, problems: Sequence[Problem], pool: Sequence[Problem]) -> Iterator[Question]:
    align: Align = plan.align  # type: ignore[assignment]
    prompts: dict[tuple[str, Run], tuple[str, Prompt]] = {}
    for sample in range(plan.samples):
        for run in plan.runs:
            for problem in problems:
                if (problem.id, run) not in prompts:
                    rng = stream(plan.seed, f"shots of {problem.id}")
                    shots = draw_shots(problem, pool, plan.shot_count, align, rng) if plan.shots else []
                    order = permutation(problem, plan.seed, run.shuffle)
                    prompt = build(problem, plan.family, run, order=order, shots=shots, prefill=plan.prefill)
                    prompts[problem.id, run] = order, prompt
                order, prompt = prompts[problem.id, run]
                yield Question(problem, run, sample, order, prompt)


def _pool(plan: Plan, dataset: Dataset) -> list[Problem]:
    """The examples: none that is in the dataset, whether asked or not, so that no answer leaks."""
    if not plan.shots:
        return []
    examples = load_dataset(Path(plan.shots)).split(plan.split)
    return [shot for shot in examples if shot.id not in dataset.problems]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def settings_text(settings: dict[str, Any]) -> str:
    """Settings as they are stored."""
    return json.dumps(settings, indent=1, sort_keys=True) + "\n"
