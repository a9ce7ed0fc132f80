"""Our verdicts beside math-verify's: the real library, in its own process."""

from __future__ import annotations

import json

import pytest
from zoo_harp.backends import compare, math_verify
from zoo_harp.backends.compare import Comparison, Pair, report
from zoo_harp.backends.math_verify import OtherVerdict, Worker, marked, other_verdicts
from zoo_harp.checker import Verdict

from zoo.cli.main import main

PAIRS = [
    Pair("12", "The answer is $12$.", True),
    Pair(r"\frac12", r"\boxed{0.5}", True),
    Pair(r"22\text{ cm}", r"22\text{ km}", False),  # math-verify reads no units
    Pair("7", "8"),
]


def test_what_has_no_mark_is_set_in_dollars():
    assert [marked(text) for text in ("x", r"5\text{ cm}")] == ["$x$", r"$5\text{ cm}$"]
    for text in ("$x$", r"\(x\)", "Answer: x", r"\boxed{x}", "so there are 5"):
        assert marked(text) == text


def test_the_report_counts_what_it_is_given():
    def comparison(ours, theirs, correct):
        return Comparison(Pair("1", "2", correct), Verdict(ours, "2", "number", "", 0.25), theirs, 0.5)

    cells = [(True, True, True), (True, False, True), (True, None, True), (False, True, False), (False, False, None)]
    lines = report([comparison(*cell) for cell in cells])
    assert lines[1].split() == ["harp", "right", "1", "2"]
    assert lines[2].split() == ["harp", "wrong", "1", "1"]
    assert lines[3].startswith("They agree on 2 of 5; math-verify failed or timed out on 1,")
    assert lines[4] == "Total seconds: harp 1.250, math-verify 2.500."
    assert lines[5] == "As labelled: harp 4 of 4 (100.0 %), math-verify 1 of 4 (25.0 %)."
    assert [line.rpartition(": ")[2] for line in lines[6:]] == [
        "harp right (number), math-verify wrong, labelled right",
        "harp right (number), math-verify no verdict, labelled right",
        "harp wrong (number), math-verify right, labelled wrong",
    ]


def test_both_verdicts_on_every_pair(tmp_path, capsys, monkeypatch, need):
    need("math_verify")
    path = tmp_path / "pairs.jsonl"
    rows = [{"gold": p.gold, "response": p.response} | ({} if p.label is None else {"correct": p.label}) for p in PAIRS]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ["harp", "check", "--pairs", str(path), "--compare-backends", "--timeout-s", "10"]
    assert main([*asked, "--json"]) == 0
    compared = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Pair(**line["pair"]) for line in compared] == PAIRS
    assert [line["ours"]["correct"] for line in compared] == [True, True, False, False]
    assert [line["theirs"] for line in compared] == [True, True, True, False]
    monkeypatch.setattr(compare, "other_verdicts", lambda pairs, timeout_s: [OtherVerdict(True, 0.0)] * 4)
    assert main(asked) == 0
    assert "They agree on 2 of 4" in capsys.readouterr().out


@pytest.mark.slow
def test_a_late_opinion_is_none_and_its_process_ends(monkeypatch, need):
    need("math_verify")
    workers = []
    monkeypatch.setattr(math_verify, "Worker", lambda name: workers.append(Worker(name)) or workers[-1])
    opinions = list(other_verdicts([("2", "$9^{9^{9}}$")], timeout_s=0.001))
    assert [opinion.correct for opinion in opinions] == [None]
    assert [worker.process.poll() is not None for worker in workers] == [True]


def test_without_the_library_one_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(math_verify, "find_spec", lambda name: None)
    assert main(["harp", "check", "7", "8", "--compare-backends"]) == 2
    assert "pip install 'zoo-harp[math-verify]'" in capsys.readouterr().err
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"gold": "7", "response": "8", "correct": "yes"}\n')
    assert main(["harp", "check", "--pairs", str(path)]) == 2
    assert f"{path}:1: field 'correct'" in capsys.readouterr().err
