"""``zoo harp check``, ``explain`` and ``data`` on the command line, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from zoo_harp.evaluation.data import load_dataset

from zoo.cli.main import main

SAMPLE = str(resources.files("zoo_harp").joinpath("data/harp_sample.jsonl"))


def test_check_says_right_or_wrong(capsys):
    assert main(["harp", "check", r"\frac94", r"The answer is $2\frac14$."]) == 0
    assert capsys.readouterr().out.startswith(r"right  '2\\frac14'")
    assert main(["harp", "check", "C", "I choose (D).", "--kind", "choice", "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["correct"], verdict["extracted"]) == (False, "D")


def test_a_file_of_pairs(tmp_path, capsys):
    path = tmp_path / "pairs.jsonl"
    pairs = [("12", r"\boxed{12}"), ("12", r"\boxed{13}"), (r"\sqrt{45}", r"\boxed{3\sqrt5}")]
    path.write_text("".join(json.dumps({"gold": g, "response": r}) + "\n" for g, r in pairs))
    assert main(["harp", "check", "--pairs", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 of 3 right."
    path.write_text('{"gold": "1", "response": 1}\n')
    assert main(["harp", "check", "--pairs", str(path)]) == 2
    assert f"{path}:1: field 'response'" in capsys.readouterr().err


def test_explain_shows_both_sides(capsys):
    assert main(["harp", "explain", "(5,6]", "[5,6]"]) == 0
    out = capsys.readouterr().out
    assert "wrong" in out
    assert "(5,6]" in out
    assert main(["harp", "explain", "1", "\\boxed{\ud800\x1b[2J}"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_data_counts_and_writes_splits(tmp_path, capsys):
    out = tmp_path / "short.jsonl"
    assert main(["harp", "data", SAMPLE, "--split", "short", "--out", str(out)]) == 0
    said = capsys.readouterr().out.split()
    assert said[said.index("short") + 1] == "40"
    assert said[said.index("proof") + 1] == "0"
    assert len(load_dataset(out).problems) == 40


def test_solutions_are_checked_against_answers(tmp_path, capsys):
    assert main(["harp", "data", SAMPLE, "--check-solutions"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "43 of 43 solutions end in the answer."
    lines = Path(SAMPLE).read_text(encoding="utf-8").splitlines()[:2]
    path = tmp_path / "d.jsonl"
    path.write_text("\n".join([lines[0], json.dumps({**json.loads(lines[1]), "answer": "69"})]), encoding="utf-8")
    assert main(["harp", "data", str(path), "--check-solutions"]) == 0
    said = capsys.readouterr().out.splitlines()[-3:]
    assert said[0] == "2026/SAMPLE_L1/2, solution 1: '68', and the answer is '69'."
    assert said[2] == "1 of 3 solutions end in the answer."


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "harp"),
        (["chek"], "did you mean check"),
        (["check", "2"], "expected either GOLD and RESPONSE"),
        (["check", "2", "3", "4"], "one argument too many"),
        (["check", "", "3"], "gold answer"),
        (["check", "1", "1", "--knd", "short"], "did you mean --kind"),
        (["check", "1", "1", "--timeout-s", "0"], "timeout_s"),
        (["check", "1", "1", "--workers", "0"], "expected at least 1"),
        (["explain", "", "3"], "gold answer"),
        (["data", "missing.jsonl"], "missing.jsonl: cannot be read"),
        (["data", SAMPLE, "--split", "shrt"], "expected short"),
        (["run", "--model", "x/y"], "--dataset"),
        (["run", "--model", "x/y", "--dataset", SAMPLE, "--samples", "0"], "expected at least 1"),
        (["run", "--model", "x/y", "--dataset", SAMPLE, "--samples", "x"], "--samples"),
        (["run", "--model", "x/y", "--dataset", SAMPLE, "--top-p", "0"], "more than 0"),
        (["run", "--model", "x/y", "--dataset", SAMPLE, "--modle", "z"], "did you mean --model"),
    ],
)
def test_bad_requests_are_one_sentence(capsys, args, words):
    assert main(["harp", *args]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.startswith("zoo: ")
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["run", "check", "explain", "data"])
def test_every_help_has_examples(capsys, command):
    assert main(["harp", command, "--help"]) == 0
    assert f"examples:\n  zoo harp {command} " in capsys.readouterr().out


def test_the_command_s_registration_is_light():
    code = (
        "import sys, zoo_harp, zoo_harp.config, zoo_harp.cli\n"
        "print([m for m in ('numpy', 'scipy', 'sympy', 'gymnasium', 'torch', 'inspect_ai') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
