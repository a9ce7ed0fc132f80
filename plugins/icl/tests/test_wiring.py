"""Wiring: chance by a closed form, ablation by weights set to zero, and the table that the evaluator makes of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import beta
from zoo_envs.icl.environment import ICLExemplarsVector
from zoo_icl.evaluators.config import WiringConfig
from zoo_icl.evaluators.subject import draw, task
from zoo_icl.evaluators.wiring import Wiring
from zoo_icl.model import ICLTransformer
from zoo_icl.probes import composition_score, induction_strength
from zoo_icl.probes.wiring import chance_composition, fans, strengths_without

from zoo import Algorithm, EvalContext, UsageError

ANY = {"previous": 1e-9, "induction": 1e-9}


def context():
    return EvalContext(
        seed=3,
        rng=np.random.default_rng(3),
        make_env=lambda copies: ICLExemplarsVector(
            copies, class_split=(6, 0, 6), dim=8, num_labels=4, pair_split=(4, 2, 0)
        ),
    )


def built(**options):
    generator = torch.Generator().manual_seed(1)
    return ICLTransformer(8, 4, d_model=16, n_heads=2, dtype=torch.float64, generator=generator, **options)


class Trained(Algorithm):
    """Trained with a head of the first block ablated."""

    def __init__(self):
        self.model, self.clamps, self.env_steps = built(), ("Ablate(0:1)",), 0

    def update(self):
        return {}

    def act(self, obs, *, greedy=True):
        return np.zeros(len(obs), dtype=np.int64)

    def state(self):
        return {}

    def load_state(self, state):
        pass


@pytest.mark.parametrize("width", [3, 8, 40])
def test_chance_is_the_length_of_a_random_direction(width):
    """Of heads of one dimension the score is |u_1| for u even on the sphere: u_1^2 is Beta(1/2, (d - 1) / 2)."""
    rng = np.random.default_rng(0)
    w_o, w_k = rng.normal(size=(2, 1, width)), rng.normal(size=(3, width, 1))
    found = chance_composition(w_o, w_k, 0.9, 4000, rng)
    assert found.shape == (3, 2)
    assert found == pytest.approx(math.sqrt(beta.ppf(0.9, 0.5, (width - 1) / 2)), rel=0.04)


def test_heads_that_have_nothing_to_do_with_another_exceed_it_as_often_as_it_says():
    rng = np.random.default_rng(1)
    w_o, w_k = rng.normal(size=(30, 4, 16)), rng.normal(size=(30, 16, 4))
    above = composition_score(w_o, w_k) > chance_composition(w_o, w_k, 0.9, 300, rng)
    assert above.mean() == pytest.approx(0.1, abs=0.04)
    w_k[7] = w_o[3].T  # reads exactly what the other writes
    assert (composition_score(w_o, w_k) > chance_composition(w_o, w_k, 0.99, 300, rng))[7, 3]


def test_ablation_is_that_of_weights_set_to_zero():
    model = built()
    ctx = context()
    batch = draw(task(ctx), "train", 60, ctx)
    found = strengths_without(model, batch, 2, batch_size=17)
    for head in range(2):
        arrays = model.to_arrays()
        silenced = {name: np.array(values) for name, values in arrays.items()}
        silenced["blocks.0.attn.W_o"][head] = 0.0
        other = built()
        other.load_arrays(silenced)
        with torch.no_grad():
            _, cache = other(batch.x, batch.y, record="blocks.1.attn.pattern")
        expected = induction_strength(cache["blocks.1.attn.pattern"], torch.as_tensor(batch.y)).heads
        assert found[:, head] == pytest.approx(expected.numpy(), abs=1e-12)


def test_fans_count_edges_of_rows_and_of_columns():
    edges = np.array([[1, 1, 0], [1, 0, 0]], dtype=bool)
    assert fans(edges) == (1.5, 1.0)
    assert all(math.isnan(fan) for fan in fans(edges[:0]))


def test_scores_are_those_of_the_rows():
    model = built()
    report = Wiring(WiringConfig(sequences=60, rotations=50, **ANY)).evaluate(model, context())
    assert len(report.rows) == 4
    induction = {row["head"] for row in report.rows if row["strength"] >= 1e-9}
    previous = {row["reads"] for row in report.rows if row["excess"] >= 1e-9}
    assert (report.scores["heads/induction"], report.scores["heads/previous"]) == (len(induction), len(previous))
    for way in ("composition", "ablation"):
        pairs = [row for row in report.rows if row["head"] in induction and row["reads"] in previous]
        edges = sum(row[f"by {way}"] for row in pairs)
        if pairs:
            assert report.scores[f"fan_in/{way}"] == pytest.approx(edges / len(induction))
            assert report.scores[f"fan_out/{way}"] == pytest.approx(edges / len(previous))
    for row in report.rows:
        assert row["by composition"] == (row["composition"] > row["chance"])
        assert row["by ablation"] == (row["strength without"] < 0.9 * row["strength"])


def test_nothing_is_wired_where_there_are_no_heads_of_a_kind():
    report = Wiring(WiringConfig(sequences=40, rotations=5, previous=0.99)).evaluate(built(), context())
    assert report.scores["heads/previous"] == 0.0
    assert not any(name.startswith("fan") for name in report.scores)
    assert report.notes == ["there are no heads of one kind, so nothing is wired."]


def test_what_cannot_be_wired_is_refused_in_a_sentence():
    config = WiringConfig(sequences=20, rotations=2)
    with pytest.raises(UsageError, match="at least two"):
        Wiring(config).evaluate(built(depth=1), context())
    with pytest.raises(UsageError, match="need a model with heads"):
        Wiring(config).evaluate(lambda x, y: np.zeros((len(x), 4)), context())
    with pytest.raises(UsageError, match="0:1"):
        Wiring(config).evaluate(Trained(), context())
    for wrong in ({"share": 1.0}, {"rotations": 0}, {"previous": 0.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            WiringConfig(**wrong)
