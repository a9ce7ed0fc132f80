"""``zoo table --check`` as a user types it: what was changed is named, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plugins.bench.tests.conftest import LAB, bench_environment

SUITE = """
[[cells]]
label = "walk"
algorithm = "walker"
environment = "two-state"
seeds = "0:5"
steps = 30
eval_episodes = 0
options = { height = 2.0 }
evaluators = [{ name = "drawn", options = { value = 1.0 } }]
[[cells]]
label = "other"
algorithm = "walker"
environment = "two-state"
seeds = "0:5"
steps = 20
eval_episodes = 0
[[metrics]]
name = "score"
of = "drawn.value"
[[metrics]]
name = "err"
of = "err"
function = "min"
[[claims]]
id = "drawn"
text = "it is worth something"
left = { label = "walk", metric = "score" }
relation = ">="
right = 0.5
source = "paper"
where = "abstract"
setting = "paper"
[[claims]]
id = "ends"
text = "it ends low"
left = { label = "other", metric = "err" }
relation = "<"
right = 1.0
source = "ours"
"""


class Lab:
    """A suite, a plugin and committed results, each of which a test may change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plugin = shutil.copy(LAB, folder / LAB.name)
        self.suite = folder / "trial.toml"
        self.suite.write_text(SUITE)
        self.results = folder / "results"
        self.results.mkdir()

    def zoo(self, *args: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "zoo.cli.main", "--plugin", str(self.plugin), *map(str, args)]
        return subprocess.run(
            command, cwd=self.folder, env=bench_environment(), capture_output=True, text=True, timeout=120, check=False
        )

    def commit(self, runs: str = "runs") -> None:
        for form, ending in (("raw", "raw.csv"), ("digest", "digest.json")):
            done = self.zoo("table", self.suite, "--dir", runs, "--format", form)
            assert done.returncode == 0, done.stderr
            (self.results / f"trial.{ending}").write_text(done.stdout)

    def check(self) -> tuple[int, list[tuple[str, str]]]:
        done = self.zoo("table", "--check", self.suite, "--from", self.results, "--json")
        assert done.returncode in (0, 1), done.stderr
        (found,) = json.loads(done.stdout)["suites"]
        return done.returncode, [(one["part"], one["text"]) for one in found["stale"]]

    def change(self, old: str, new: str) -> None:
        assert old in self.suite.read_text()
        self.suite.write_text(self.suite.read_text().replace(old, new))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digest")
    lab = Lab(folder)
    assert lab.zoo("bench", lab.suite, "--quiet").returncode == 0
    lab.commit()
    return folder


@pytest.fixture
def lab(made: Path, tmp_path: Path) -> Lab:
    shutil.copytree(made, tmp_path / "lab")
    lab = Lab.__new__(Lab)
    lab.folder = tmp_path / "lab"
    lab.plugin, lab.suite, lab.results = lab.folder / LAB.name, lab.folder / "trial.toml", lab.folder / "results"
    return lab


CHANGES = {
    "an option": ("height = 2.0", "height = 3.0", ("cells", "walk on two-state were run with other options")),
    "a remark": ("steps = 20\n", "steps = 20 # as ever\n", None),
    "seeds": ('seeds = "0:5"\nsteps = 20', 'seeds = "0:6"\nsteps = 20', ("seeds", "other seeds of other on two-state")),
    "a metric": ('function = "min"', 'function = "max"', ("metrics", "other metrics: err")),
    "a claim": ("right = 1.0", "right = 0.9", ("claims", "other claims: ends")),
    "words of a claim": ("it ends low", "it ends very low", None),
    "an evaluator": ("value = 1.0 }", "value = 1.5 }", ("evaluators", "other evaluators of walk on two-state")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_suite_is_named(lab: Lab, change: str) -> None:
    old, new, expected = CHANGES[change]
    lab.change(old, new)
    assert lab.check() == ((1, [expected]) if expected else (0, []))


def test_a_change_of_code_is_named_and_one_of_remarks_is_not(lab: Lab) -> None:
    plugin = Path(lab.plugin)
    plugin.write_text(plugin.read_text().replace('"""Kills', '# why\n\n    """Really kills'))
    assert lab.check() == (0, [])
    plugin.write_text(plugin.read_text().replace("self.config.height / self.env_steps", "1.0 / self.env_steps"))
    assert lab.check() == (1, [("code", "the code of bench_lab is another (2 of 2 cells)")])


def test_runs_made_anew_prove_that_new_code_changes_no_number(lab: Lab) -> None:
    plugin = Path(lab.plugin)
    plugin.write_text(plugin.read_text().replace("self.env_steps += 10", "self.env_steps = self.env_steps + 10"))
    digest, raw = lab.results / "trial.digest.json", lab.results / "trial.raw.csv"
    prove = ("table", lab.suite, "--format", "digest", "--from", raw, "--proof", "proof")
    nothing = lab.zoo(*prove)
    assert nothing.returncode == 2 and "proof has no finished run of suite trial" in nothing.stderr
    assert lab.zoo("bench", lab.suite, "--first", "1", "--dir", "proof", "--quiet").returncode == 0
    done = lab.zoo(*prove)
    assert done.returncode == 0, done.stderr
    digest.write_text(done.stdout)
    assert lab.check() == (0, [])
    plugin.write_text(plugin.read_text().replace("self.config.height / self", "2.0 * self.config.height / self"))
    shutil.rmtree(lab.folder / "proof")
    assert lab.zoo("bench", lab.suite, "--first", "1", "--dir", "proof", "--quiet").returncode == 0
    refused = lab.zoo(*prove)
    assert refused.returncode == 2 and "are not those committed: expected the same, up to rounding" in refused.stderr


def test_runs_of_two_codes_are_of_no_known_one(lab: Lab) -> None:
    plugin = Path(lab.plugin)
    plugin.write_text(plugin.read_text().replace("self.env_steps += 10", "self.env_steps = self.env_steps + 10"))
    run = next((lab.folder / "runs").rglob("seed-3"))
    shutil.rmtree(run)
    assert lab.zoo("bench", lab.suite, "--quiet").returncode == 0
    lab.commit()
    assert ("code", "which code made 1 of 2 cells is not known") in lab.check()[1]


def test_without_a_digest_nothing_is_known(lab: Lab) -> None:
    (lab.results / "trial.digest.json").unlink()
    ((part, text),) = lab.check()[1]
    assert part == "digest" and "what made the results is not known" in text


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda text: text.replace('"key": "', '"key": 3, "was": "', 1), "cells.walk on two-state has"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "format is 2: expected 1"),
        (lambda text: text[:50], "is not a digest of results"),
        (
            lambda text: text.replace('"seeds": "0:5"', '"seeds": 5'),
            "cells.walk on two-state.seeds is 5: expected text",
        ),
    ],
)
def test_a_broken_digest_is_one_sentence_with_the_key(lab: Lab, break_it, sentence: str) -> None:  # type: ignore[no-untyped-def]
    file = lab.results / "trial.digest.json"
    file.write_text(break_it(file.read_text()))
    done = lab.zoo("table", "--check", lab.suite, "--from", lab.results)
    assert done.returncode == 2 and sentence in done.stderr and "Traceback" not in done.stderr


def test_code_that_is_not_there_is_one_sentence_with_the_key(lab: Lab) -> None:
    plugin = Path(lab.plugin)
    plugin.write_text(plugin.read_text() + "\nthis is no Python\n")
    done = lab.zoo("table", "--check", lab.suite, "--from", lab.results)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_equal_numbers_that_were_sampled_are_not_exact(lab: Lab) -> None:
    def verdict(name: str) -> dict[str, object]:
        done = lab.zoo("table", lab.suite, "--format", "json")
        (found,) = [one for one in json.loads(done.stdout)["claims"] if one["claim"] == name]
        return dict(found)

    found = verdict("drawn")
    assert found["verdict"] == "inconclusive at 5 seeds" and "that were sampled prove nothing" in str(found["sentence"])
    assert verdict("ends")["verdict"] == "as before"  # nothing was sampled there
    lab.change("value = 1.0 }", "value = 1.0, width = 0.2 }")
    assert lab.zoo("bench", lab.suite, "--quiet").returncode == 0
    found = verdict("drawn")
    assert found["verdict"] == "reproduced" and "exactly" not in str(found["sentence"])
    lab.change("width = 0.2 }", "width = 2.0 }")
    assert lab.zoo("bench", lab.suite, "--quiet").returncode == 0
    assert verdict("drawn")["verdict"] == "inconclusive at 5 seeds"


def test_seeds_are_judged_by_draws_of_their_own(lab: Lab) -> None:
    reports = [json.loads(file.read_text()) for file in (lab.folder / "runs").rglob("evaluations/drawn.json")]
    assert len(reports) == 5 and len({report["scores"]["seed"] for report in reports}) == 5
    assert all(report["sampled"] == {"value": None, "seed": None} for report in reports)


def test_failed_seeds_leave_a_verdict_incomplete(lab: Lab) -> None:
    raw = lab.results / "trial.raw.csv"
    lines = raw.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("other,two-state,1,", "other,two-state,4,"))]
    kept += [f"other,two-state,{seed},,,,,failed,it diverged" for seed in (1, 4)]
    raw.write_text("\n".join(kept) + "\n")
    done = lab.zoo("table", lab.suite, "--from", raw, "--strict")
    assert done.returncode == 1
    assert "zoo: claim ends is incomplete at 3 of 5 seeds: other on two-state has no value" in done.stderr
