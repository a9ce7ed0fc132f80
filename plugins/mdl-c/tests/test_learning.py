"""What is learned: figures, suites and derived metrics on a stored run; off-policy forms in the small (slow)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import zoo_mdl_c
from zoo_bench.schema import Term
from zoo_bench.suite import find_suites
from zoo_mdl_c import figures
from zoo_mdl_c.derived import by_task, held_out_auc, task_auc, task_jump_start, tasks_to_recover

from zoo import UsageError, discover
from zoo.testing import check_evaluator


def run_of(values: list[list[float]], **config: int) -> Any:
    """A stored run with these values, a list for each task."""
    rows = [{"v": value, "task/number": float(k)} for k, task in enumerate(values) for value in task]
    return SimpleNamespace(
        rows=[*rows, {"other": 1.0}], algorithm="mdl-c", seed=0, evaluations={}, spec=SimpleNamespace(config=config)
    )


def test_metrics_over_tasks() -> None:
    run = run_of([[0.0, 1.0], [0.5, 1.0], [0.0, 0.2], [0.4, 0.9], [0.7, 1.0]])
    assert [part.tolist() for part in by_task(run, "v", 1)] == [[0.0], [0.5], [0.0], [0.4], [0.7]]
    assert task_auc(run, "v", first=1, last=3) == pytest.approx((0.75 + 0.1) / 2)
    assert task_auc(run, "v", first=9) is None
    assert task_jump_start(run, "v") == pytest.approx((0.5 + 0 + 0.4 + 0.7) / 4)
    assert tasks_to_recover(run, "v") is None
    run = run_of([part.tolist() for part in by_task(run, "v")], rule_change=2, held_out=1)
    options = {"before": 2, "updates": 2}
    assert tasks_to_recover(run, "v", **options) == 2  # .625 - .02 is reached by the second task after the change, .65
    assert tasks_to_recover(run, "v", **options, margin=-0.3) is None
    assert held_out_auc(run, "v") == pytest.approx(0.85)
    assert task_auc(run, "v", first=3) == pytest.approx(0.65)  # the last task is held out
    assert task_auc(run, "v", last=5) is None


def test_a_figure_without_anything_to_show_says_so() -> None:
    options = SimpleNamespace(metrics=[], colour=lambda name: "C0")
    for figure in (figures.learning, figures.sparsity, figures.default):
        with pytest.raises(UsageError, match="no run"):
            figure([SimpleNamespace(rows=[], metrics=[], evaluations={}, algorithm="x")], options)


def test_the_suite_is_found_and_reads() -> None:
    suite = find_suites(discover())["mdl-c"].load()
    assert {claim.source for claim in suite.claims} == {"paper", "ours"}
    told = [claim for claim in suite.claims if claim.id.startswith(("compression", "rule-change"))]
    assert len(told) == 9
    assert all("third-party review" in claim.where and "third-party review" in claim.text for claim in told)
    recovery = [claim.right.label for claim in told if isinstance(claim.right, Term) and "recover" in claim.left.metric]
    assert recovery == [f"{label} (rule change)" for label in ("rpo", "manual-ia", "po")]
    assert all(min(cell.seeds) >= 100 for cell in suite.cells)
    for name, target in (zoo_mdl_c.zoo_derived() | zoo_mdl_c.zoo_plots()).items():
        module, _, attribute = target.partition(":")
        assert callable(getattr(__import__(module, fromlist=[attribute]), attribute)), name


def test_the_judge_of_default_policies() -> None:
    config = {"n_steps": 10, "task_updates": 1, "replay_steps": 2}
    check_evaluator("mdl-c-default", ("mdl-c", "four-rooms-goals"), subject_config=config, steps=20)
