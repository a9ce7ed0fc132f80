"""Human solutions, overlap with another collection, published counts, and the task for lm-evaluation-harness."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from zoo_harp.analysis.overlap import overlaps
from zoo_harp.analysis.solutions import length, solution_rows
from zoo_harp.evaluation.data import PUBLISHED, Dataset, load_dataset, published_counts, write_problems

from zoo.cli.main import main

SAMPLE = Path(str(files("zoo_harp").joinpath("data", "harp_sample.jsonl")))


@pytest.fixture(scope="module")
def problems():
    return list(load_dataset(SAMPLE).problems.values())


def test_numbers_and_lengths_of_solutions(problems):
    rows = solution_rows(problems)
    assert [row["group"] for row in rows] == ["all", *(f"L{level}" for level in sorted({p.level for p in problems}))]
    assert rows[0]["n"] == len(problems) == sum(row["n"] for row in rows[1:])
    words = sorted(min(len(text.split()) for text in p.solutions) for p in problems)
    assert words[0] <= rows[0]["words/q25"] <= rows[0]["words/median"] <= rows[0]["words/q75"] <= words[-1]


def test_tokens_beside_the_length_of_solutions(problems, tmp_path, capsys):
    from scipy.stats import spearmanr

    tokens = {p.id: 3 * min(map(length, p.solutions)) + k % 7 for k, p in enumerate(problems)}
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({"id": k, "response": "1", "tokens": t}) + "\n" for k, t in tokens.items()))
    assert main(["harp", "solutions", str(SAMPLE), "--responses", str(log), "--json"]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    expected = spearmanr([min(map(length, p.solutions)) for p in problems], [tokens[p.id] for p in problems]).statistic
    assert first["rho"] == pytest.approx(expected)
    assert first["tokens"] == pytest.approx(sum(tokens.values()) / len(tokens))
    assert main(["harp", "solutions", str(SAMPLE)]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[:3] == ["group", "n", "solutions"]


def test_overlap_finds_the_same_text_set_differently(problems, tmp_path, capsys):
    long = [p for p in problems if len(p.problem.split()) > 14][:2]
    texts = ["An unrelated text about something else, of which no eight words in a row occur.",
             long[0].problem.replace("$", "").upper(), " ".join(reversed(long[1].problem.split()))]  # fmt: skip
    overlapping = overlaps(problems, texts)
    assert [(one.problem, one.place) for one in overlapping] == [(long[0].id, 1)]
    other = tmp_path / "math.jsonl"
    other.write_text("".join(json.dumps({"problem": text}) + "\n" for text in texts))
    assert main(["harp", "overlap", str(SAMPLE), "--with", str(other)]) == 0
    assert f"1 of {len(problems)} problems overlap" in capsys.readouterr().out
    assert main(["harp", "overlap", str(SAMPLE), "--with", str(other), "--share", "2"]) == 2


def test_published_counts_are_only_asked_of_the_public_file(problems):
    assert published_counts(load_dataset(SAMPLE)) == []
    many = {f"{k}": replace(problems[0], number=k) for k in range(PUBLISHED["raw"])}
    lines = published_counts(Dataset(SAMPLE, many))
    assert any("published are 4780" in line for line in lines)


def test_a_file_with_the_published_counts_is_said_to_have_them(tmp_path, problems, capsys):
    """Made up of one problem, so that each count follows from how many of each kind are written."""
    one, mcq = problems[0], {"choices": dict.fromkeys("ABCDE", "1"), "answer_choice": "A"}
    kinds = [
        (197, {"level": 6, "contest": "AIME_I"}),
        (4780 - 197 - 3797, {"contest": "AIME_I"}),
        (3797, {"contest": "AMC_12A", **mcq}),
        (313, {"contest": "AMC_8", "multiple_choice_only": True, **mcq}),
        (310, {"contest": "USAMO", "level": 9, "answer": None}),
        (6, {"contest": "AHSME", "subject": "calculus"}),
    ]
    base = {"level": 1, "choices": None, "answer_choice": None}
    many = [replace(one, **{**base, **changed}) for count, changed in kinds for _ in range(count)]
    path = tmp_path / "public.jsonl"
    write_problems(path, [replace(problem, number=number) for number, problem in enumerate(many)])
    assert main(["harp", "data", str(path)]) == 0
    said = capsys.readouterr().out
    assert "the counts are those of the public file: raw 5409, short 4780, choice 4110, level 6 197." in said
    write_problems(path, [replace(problem, number=number, level=2) for number, problem in enumerate(many)])
    assert main(["harp", "data", str(path)]) == 0
    assert "level 6 has 0, published are 197." in capsys.readouterr().out


def test_the_task_for_lm_eval_is_written_once(tmp_path, capsys):
    out = tmp_path / "tasks"
    assert main(["harp", "lm-eval", str(SAMPLE), "--out", str(out)]) == 0
    text = (out / "harp.yaml").read_text(encoding="utf-8")
    assert json.dumps(str(SAMPLE.resolve())) in text
    assert "zoo_harp" in (out / "harp_task.py").read_text(encoding="utf-8")
    assert main(["harp", "lm-eval", str(SAMPLE), "--out", str(out)]) == 2
    assert "already exists" in capsys.readouterr().err
    assert main(["harp", "lm-eval", str(SAMPLE), "--out", str(out), "--force"]) == 0
    assert main(["harp", "lm-eval", str(tmp_path / "none.jsonl"), "--out", str(out), "--force"]) == 2


@pytest.mark.slow
def test_the_written_task_runs(tmp_path, monkeypatch, need):
    need("lm_eval")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    short = load_dataset(SAMPLE).split("short")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lm_eval
        from lm_eval.api.model import LM
        from lm_eval.tasks import TaskManager

        class Solver(LM):
            def generate_until(self, requests, disable_tqdm=False):
                golds = [request.doc["answer"] for request in requests]
                return [rf"It is $\boxed{{{gold}}}$." if k else "0 or so" for k, gold in enumerate(golds)]

            def loglikelihood(self, requests, disable_tqdm=False):
                raise NotImplementedError

            loglikelihood_rolling = loglikelihood

        assert main(["harp", "lm-eval", str(SAMPLE), "--out", str(tmp_path / "tasks")]) == 0
        manager = TaskManager(include_path=str(tmp_path / "tasks"), include_defaults=False)
        results = lm_eval.simple_evaluate(Solver(), tasks=["harp"], task_manager=manager, bootstrap_iters=0)
    scores = results["results"]["harp"]
    assert results["n-samples"]["harp"]["effective"] == len(short)
    assert scores["harp,none"] == pytest.approx(1 - 1 / len(short))
    assert scores["undecided,none"] == 0


@pytest.mark.slow
def test_a_failed_run_of_inspect_is_said_to_have_failed(tmp_path, capsys, need):
    need("inspect_ai")
    from inspect_ai.log import EvalConfig, EvalDataset, EvalError, EvalLog, EvalSpec, write_eval_log

    spec = EvalSpec(
        created="2026-01-01T00:00:00+00:00", task="harp", dataset=EvalDataset(), model="m", config=EvalConfig()
    )
    error = EvalError(message="the service is gone", traceback="", traceback_ansi="")
    path = tmp_path / "log.json"
    write_eval_log(EvalLog(status="error", eval=spec, error=error), str(path))
    assert main(["eval", str(path), "harp", "--dataset", str(SAMPLE)]) == 2
    assert "failed: the service is gone" in capsys.readouterr().err
