"""What the paper claims of models, on responses made up to have it: the figures that a user would look at."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest
from zoo_harp.config import HarpConfig
from zoo_harp.evaluation.evaluator import Harp

from zoo.api import EvalContext

SAMPLE = resources.files("zoo_harp") / "data" / "harp_sample.jsonl"
PROBLEMS = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
CHOICES = {"A": "10", "B": "11", "C": "12", "D": "13", "E": "14"}


def name(problem):
    return f"{problem['year']}/{problem['contest']}/{problem['number']}"


@pytest.fixture
def judged(tmp_path):
    """The rows of a file of responses, by run and group."""

    def judge(lines, problems):
        files = tmp_path / "responses.jsonl", tmp_path / "problems.jsonl"
        for file, objects in zip(files, (lines, problems), strict=True):
            file.write_text("".join(json.dumps(one) + "\n" for one in objects), encoding="utf-8")
        ctx = EvalContext(seed=0, rng=np.random.default_rng(0), path=files[0])
        report = Harp(HarpConfig(dataset=str(files[1]))).evaluate(files[0], ctx)
        return {(row["run"], row["group"]): row for row in report.rows}

    return judge


def test_tokens_and_accuracy_by_level(judged):
    """Harder problems take more tokens and fail more often."""
    taken = {1: 10, 2: 20, 3: 40, 4: 80, 5: 160, 6: 320}
    lines = [
        {"id": name(p), "response": r"\boxed{-1234}" if p["level"] > 4 else p["solution_1"],
         "tokens": taken[p["level"]] + 2 * (place % 2)}
        for place, p in enumerate(PROBLEMS)
    ]  # fmt: skip
    rows = judged(lines, PROBLEMS)
    means = [rows["short", f"L{level}"]["tokens/mean"] for level in taken]
    assert means == [
        np.mean([line["tokens"] for line, p in zip(lines, PROBLEMS, strict=True) if p["level"] == level])
        for level in taken
    ]
    assert means == sorted(means)
    assert [rows["short", f"L{level}"]["accuracy"] for level in taken] == [100.0] * 4 + [0.0] * 2
    assert "tokens if right/mean" in rows["short", "L4"]
    assert "tokens if right/mean" not in rows["short", "L6"]


def test_the_same_problems_in_two_forms(judged):
    """Two problems asked with and without choices, and a third without: beside each other on the two."""
    problems = [{**PROBLEMS[0], "choices": CHOICES, "answer_choice": "C", "number": number} for number in (1, 2)]
    problems.append({**PROBLEMS[0], "number": 3})
    lines = [{"id": name(p), "response": r"\boxed{-1234}" if place else p["solution_1"]}
             for place, p in enumerate(problems)]  # fmt: skip
    lines += [{"id": name(p), "response": "The answer is (C).", "layout": "original"} for p in problems[:2]]
    rows = judged(lines, problems)
    assert rows["short", "all"]["n"] == 3
    assert rows["short (both splits)", "all"]["n"] == rows["original (both splits)", "all"]["n"] == 2
    assert rows["short (both splits)", "all"]["accuracy"] == 50.0
    assert rows["original (both splits)", "all"]["accuracy"] == 100.0
    assert rows["original (both splits)", "all"]["Gemini 1.5 Pro/accuracy"] == 80.0
