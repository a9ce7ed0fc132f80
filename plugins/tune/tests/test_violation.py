"""How much of a violation counts, whatever its unit, and where the threshold is 0."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zoo_tune.evaluate import Trainer

import zoo
from zoo import discover
from zoo.tabular import Units
from zoo.training import RunRequest


def violation(tmp_path: Path, factor: float, threshold: float) -> tuple[float, float]:
    """As tuning judges a policy that is not trained, and by hand from the model."""
    model = {
        "P": [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]], "r": [[1.0, 0.0], [0.0, 0.5]], "gamma": 0.9,
        "rho": [1.0, 0.0], "c": [[[factor, 0.0], [0.0, factor]]], "b": [threshold * factor], "sense": [1],
        "eq": [False], "names": ["signal"],
    }  # fmt: skip
    file = tmp_path / f"model-{factor}-{threshold}.json"
    file.write_text(json.dumps(model))
    (result,) = zoo.train("reload", "tabular", env_options={"path": str(file)}, steps=1, eval_episodes=1, root=tmp_path)
    request = RunRequest(algorithm="reload", environment="tabular", env_options={"path": str(file)}, steps=1)
    trainer = Trainer(request=request, metric="constraints/value", reports=1, registry=discover(), root=tmp_path)
    _, judged = trainer._judged(result)
    loaded: Any = zoo.load(result)
    cmdp = loaded.member.ctx.problem.tabular
    (evaluation,) = zoo.evaluate(result, "constraints")
    unit = abs(cmdp.b[0]) if threshold else Units.of(cmdp).signals[0]
    return judged, evaluation.scores["violation/signal"] / unit


@pytest.mark.parametrize("threshold", [0.0, 0.1])
def test_a_violation_has_no_unit(threshold: float, tmp_path: Path) -> None:
    shares = [violation(tmp_path, factor, threshold) for factor in (1e-6, 1.0, 1e6)]
    for judged, by_hand in shares:
        assert judged == pytest.approx(by_hand, rel=1e-9) and judged > 0.01
    np.testing.assert_allclose([judged for judged, _ in shares], shares[1][0], rtol=1e-6)


def test_without_a_model_any_violation_of_zero_is_a_whole_one(tmp_path: Path) -> None:
    trainer = Trainer(
        request=RunRequest(algorithm="gda", environment="two-state"), metric="x", reports=1, registry=discover(),
        root=tmp_path,
    )  # fmt: skip
    (result,) = zoo.train("ppo-native", "cart-pole", steps=32, num_envs=2, eval_episodes=0, root=tmp_path)
    scores = {"threshold/a": 0.0, "value/a": 1e-9, "threshold/b": 2.0, "value/b": 3.0}
    assert trainer._units(result, scores, ["a", "b"]) == {"a": 1e-9, "b": 2.0}
