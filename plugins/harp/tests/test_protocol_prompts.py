"""Prompts hold the fixed strings; plans ask each question once, the same way every time."""

from __future__ import annotations

import dataclasses
import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from zoo_harp.evaluation.choices import shown_letter
from zoo_harp.evaluation.data import load_dataset
from zoo_harp.evaluation.responses import Run
from zoo_harp.names import FAMILIES
from zoo_harp.protocol.plan import Plan, questions
from zoo_harp.protocol.prompts import build, draw_shots, question

from zoo import UsageError

SAMPLE = str(resources.files("zoo_harp").joinpath("data/harp_sample.jsonl"))
PROBLEMS = load_dataset(Path(SAMPLE)).split("short")
CHOICES = {"A": "10", "B": "11", "C": "12", "D": "13", "E": "14"}
WITH_CHOICES = dataclasses.replace(PROBLEMS[0], choices=CHOICES, answer_choice="C")
HOPE = "I hope it is correct."


@pytest.mark.parametrize(
    ("family", "fixed", "stop"),
    [
        ("final-answer", f"Final Answer: The final answer is $answer$. {HOPE}", (HOPE,)),
        ("answer-line", "Answer:\n$ANSWER", ()),
        ("boxed", rf"Therefore, the final answer is: $\boxed{{answer}}$. {HOPE}", (HOPE,)),
        ("mcq", f"Final Answer: The final answer is ?. {HOPE}", (HOPE,)),
    ],
)
def test_fixed_strings(family, fixed, stop):
    run = Run("dot") if family == "mcq" else Run()
    prompt = build(WITH_CHOICES, family, run)
    (system, said), (user, asked) = prompt.messages
    assert (system, user) == ("system", "user")
    assert fixed in said
    assert asked.startswith(f"Problem:\n{WITH_CHOICES.problem}")
    assert prompt.stop == stop
    assert WITH_CHOICES.solutions[0] not in said + asked
    filled = build(WITH_CHOICES, family, run, prefill=True)
    assert filled.messages[-1] == ("assistant", "Solution:")


def test_a_family_goes_with_its_run():
    with pytest.raises(UsageError, match="expected mcq"):
        build(WITH_CHOICES, "boxed", Run("dot"))
    with pytest.raises(UsageError, match="expected final-answer"):
        build(WITH_CHOICES, "mcq", Run())


def test_choices_are_shown_as_the_run_says():
    assert question(WITH_CHOICES, Run("dot", 1), "EABCD").splitlines()[-5:] == [
        "A. 14",
        "B. 10",
        "C. 11",
        "D. 12",
        "E. 13",
    ]
    assert "(C) 12" in question(WITH_CHOICES, Run("paren"))
    assert "12" not in question(WITH_CHOICES, Run("none"))


@pytest.mark.parametrize("family", FAMILIES)
def test_worked_examples_are_read_as_right(family):
    from zoo_harp import check

    run = Run("dot") if family == "mcq" else Run()
    shot = dataclasses.replace(PROBLEMS[9], choices=CHOICES, answer_choice="D")
    messages = build(WITH_CHOICES, family, run, shots=[shot]).messages
    assert [role for role, _ in messages] == ["system", "user", "assistant", "user"]
    reply = messages[2][1]
    assert reply.startswith("Solution:\n")
    gold = "D" if family == "mcq" else shot.answer
    assert check(gold, reply, kind="choice" if family == "mcq" else "short").correct


def test_shots_share_the_label_and_are_never_the_question():
    rng = np.random.default_rng(0)
    for problem in PROBLEMS[:20]:
        by_level = draw_shots(problem, PROBLEMS, 3, "level", rng)
        by_subject = draw_shots(problem, PROBLEMS, 2, "subject", rng)
        assert {shot.level for shot in by_level} == {problem.level}
        assert {shot.subject for shot in by_subject} == {problem.subject}
        assert problem not in by_level + by_subject
        assert len(set(map(id, by_level))) == 3
    assert draw_shots(PROBLEMS[0], PROBLEMS[1:5], 4, "any", rng) == PROBLEMS[1:5]
    with pytest.raises(UsageError, match="7 examples of level 1 are needed"):
        draw_shots(PROBLEMS[0], PROBLEMS, 7, "level", rng)


@pytest.fixture
def choices_file(tmp_path):
    lines = [json.loads(line) for line in Path(SAMPLE).read_text(encoding="utf-8").splitlines()]
    path = tmp_path / "mcq.jsonl"
    lines = [{**line, "choices": CHOICES, "answer_choice": "C"} for line in lines]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def test_a_plan_asks_each_question_once_and_the_same_again(choices_file):
    plan = Plan(dataset=choices_file, split="choice", shuffles=3, samples=2, limit=5)
    asked = questions(plan)
    assert len({q.key for q in asked}) == len(asked) == 5 * 3 * 2
    assert [q.sample for q in asked] == sorted(q.sample for q in asked)
    assert [(q.key, q.prompt, q.order) for q in questions(plan)] == [(q.key, q.prompt, q.order) for q in asked]
    orders = {(q.problem.id, q.run): q.order for q in asked}
    assert all(q.order == orders[q.problem.id, q.run] for q in asked)
    for q in asked:
        assert f"{shown_letter('C', q.order)}) 12" in q.prompt.messages[-1][1] or q.run.layout != "paren"
        assert q.record()["permutation"] == q.order


def test_examples_never_come_from_the_dataset(tmp_path):
    with pytest.raises(UsageError, match="4 examples are needed"):
        questions(Plan(dataset=SAMPLE, shots=SAMPLE))
    lines = [json.loads(line) for line in Path(SAMPLE).read_text(encoding="utf-8").splitlines()[:6]]
    other = tmp_path / "shots.jsonl"
    other.write_text("".join(json.dumps({**line, "year": "1999"}) + "\n" for line in lines), encoding="utf-8")
    asked = questions(Plan(dataset=SAMPLE, shots=str(other), limit=3))
    assert all(len(q.prompt.messages) == 2 + 2 * 4 for q in asked)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"split": "chioce"}, "expected choice"),
        ({"prompt": "box"}, "expected boxed"),
        ({"samples": 0}, "at least 1"),
        ({"shuffles": 2}, "the split 'choice'"),
        ({"shuffles": 2, "split": "choice", "layout": "none"}, "a layout that shows them"),
        ({"align": "subjct"}, "expected subject"),
    ],
)
def test_bad_plans(options, words):
    with pytest.raises(UsageError, match=words):
        Plan(dataset=SAMPLE, **options)


def test_settings_follow_the_contents_of_files(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_bytes(Path(SAMPLE).read_bytes())
    before = Plan(dataset=str(path)).settings()
    assert before == Plan(dataset=SAMPLE, samples=4, limit=2).settings()
    path.write_bytes(path.read_bytes() + b"\n")
    assert Plan(dataset=str(path)).settings() != before
