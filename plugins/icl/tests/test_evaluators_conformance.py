"""Every evaluator keeps the core's promises on the plugin's own learner."""

from __future__ import annotations

import pytest

from zoo.testing import check_evaluator

LEARNER = {"d_model": 8, "n_heads": 2, "batch_size": 32, "log_sequences": 32, "eval_size": 20}


@pytest.mark.parametrize("name", ["icl-induction", "icl-ablation", "icl-clamped", "icl-transience", "icl-wiring"])
def test_conformance(name):
    check_evaluator(
        name, ("icl-transformer", "icl-exemplars"), config={"sequences": 50}, subject_config=LEARNER, steps=64
    )
