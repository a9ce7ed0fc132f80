"""The learner: its optimiser, its schedule, what it logs, refuses and keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.icl.environment import ICLExemplars, ICLExemplarsVector
from zoo_icl.clamps import compose
from zoo_icl.config import ICLTransformerConfig
from zoo_icl.model import ICLTransformer
from zoo_icl.sequences import task_of
from zoo_icl.training.adam import FlatAdam
from zoo_icl.training.agent import ICLTransformerLearner
from zoo_icl.training.gradients import gradients
from zoo_icl.training.schedule import Schedule

from zoo import Context, UsageError
from zoo.cli.main import main
from zoo.testing import check_algorithm

SMALL: dict[str, Any] = {"log_sequences": 128, "eval_size": 40, "batch_size": 32, "d_model": 16, "n_heads": 2}
ENV: dict[str, Any] = {"class_split": (8, 0, 4), "dim": 6}


@contextmanager
def learner(
    budget: int = 1000, seed: int = 0, env: dict[str, Any] | None = None, **options: Any
) -> Iterator[ICLTransformerLearner]:
    vector = ICLExemplarsVector(1, **(ENV | (env or {})))
    ctx = Context(env=vector, seed=seed, rng=np.random.default_rng(seed), budget=budget)
    yield ICLTransformerLearner(ctx, ICLTransformerConfig(**(SMALL | options)))
    vector.close()


@pytest.mark.parametrize(
    ("options", "env"),
    [
        ({}, {}),
        ({"clamp": ["PrevToken(0:0)", "Ablate(1:1)"], "l2": 1e-3, "dtype": "float64"}, {}),
        (
            {"mlp_ratio": 2.0, "pos": "ape", "weight_decay": 0.1},
            {"labels": "mod", "num_labels": 4, "p_bursty": 0.8, "noise": 0.1},
        ),
    ],
    ids=["by-hand", "clamped", "mixture"],
)
def test_keeps_the_contract_of_algorithms(options: dict[str, Any], env: dict[str, Any]) -> None:
    check_algorithm("icl-transformer", "icl-exemplars", config=SMALL | options, env_config=ENV | env)


def test_the_small_preset_learns() -> None:
    """Preset ih-tiny: accuracy of at least .95 at 24k sequences; held-out pairs above guessing in context."""
    with learner(
        budget=24_000, env={"class_split": (50, 0, 100), "dim": 64}, learning_rate=1e-3, d_model=64, n_heads=8,
        log_sequences=8192, eval_size=500, eval_growth=100.0, eval_change=0.0,
    ) as made:  # fmt: skip
        while made.env_steps < 24_000:
            metrics = made.update()
    assert made.env_steps == 24_000
    assert metrics["seen/acc"] >= 0.95
    assert metrics["relabel_val/in_context_acc"] > 0.7
    assert metrics["heads/max_induction_strength"] > 0.3


@pytest.mark.parametrize("penalty", [{}, {"weight_decay": 0.3}, {"l2": 0.02}, {"norm_sum": 0.05}])
def test_adam_is_that_of_torch_on_the_penalised_loss(penalty: dict[str, float]) -> None:
    ours, theirs = (ICLTransformer(5, 3, d_model=8, n_heads=2, dtype=torch.float64) for _ in range(2))
    theirs.load_arrays(ours.to_arrays())
    flat = FlatAdam(ours, 0.01, **penalty)
    reference = torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=penalty.get("weight_decay", 0.0))
    rng = np.random.default_rng(0)
    for _ in range(5):
        x = torch.from_numpy(rng.normal(size=(7, 3, 5)))
        y = torch.from_numpy(rng.integers(0, 3, (7, 3)))
        flat.zero()
        torch.autograd.backward(F.cross_entropy(ours(x, y), y[:, -1]))
        flat.step()
        reference.zero_grad()
        loss = F.cross_entropy(theirs(x, y), y[:, -1])
        loss = loss + penalty.get("l2", 0.0) * sum((p**2).sum() for p in theirs.parameters())
        norms = [p.pow(2).sum().sqrt() for p in theirs.parameters() if p.detach().any()]
        torch.autograd.backward(loss + penalty.get("norm_sum", 0.0) * sum(norms))
        reference.step()
    for name, array in theirs.to_arrays().items():
        np.testing.assert_allclose(ours.to_arrays()[name], array, rtol=1e-7, atol=1e-9, err_msg=name)


def test_both_ways_to_the_gradient_agree() -> None:
    model = ICLTransformer(5, 3, d_model=8, n_heads=2, mlp_ratio=2.0, dtype=torch.float64)
    flat = FlatAdam(model, 0.01)
    nothing = (compose("PreserveValues()"),)  # a clamp that changes nothing, to take the way of clamped models
    x, y = torch.randn(9, 3, 5, dtype=torch.float64), torch.randint(0, 3, (9, 3))
    loss, logits = gradients(model, flat, ())(x, y)
    found = flat.gradient.clone()
    flat.gradient.fill_(9.0)
    again, same = gradients(model, flat, nothing)(x, y)
    torch.testing.assert_close(loss.double(), again)
    torch.testing.assert_close(logits, same)
    assert found.abs().max() > 0.01
    torch.testing.assert_close(found, flat.gradient)


@settings(max_examples=40)
@given(
    growth=st.floats(1.05, 3), change=st.floats(0.01, 0.5), losses=st.lists(st.floats(0, 3), min_size=2, max_size=60)
)
def test_looks_are_never_far_apart(growth: float, change: float, losses: list[float]) -> None:
    schedule = Schedule(growth, change)
    seen: list[tuple[int, float]] = []
    for number, loss in enumerate(losses, start=1):
        if schedule.due(100 * number, loss):
            seen.append((100 * number, loss))
        last, at = seen[-1]
        assert 100 * number < growth * last or 100 * number == last
        assert abs(loss - at) < change or loss == at
    assert seen[0] == (100, losses[0])


def test_looks_are_rare_while_nothing_happens() -> None:
    schedule = Schedule(1.25, 0.1)
    looks = [n for n in range(1, 2001) if schedule.due(n, 0.7)]
    assert 20 < len(looks) < 40  # log(2000) / log(1.25) = 34, fewer where whole numbers are too coarse
    assert looks[-1] > 1600


def test_metrics_are_finite_and_named_by_set_and_head() -> None:
    with learner(eval_change=0.0, eval_growth=3.0) as made:
        first = made.update()
        assert {"train/loss", "train/acc", "seen/loss", "icl/in_context_acc", "relabel_val/acc"} <= set(first)
        assert {"heads/1.1/induction_strength", "heads/0.0/prev_token_strength"} <= set(first)
        assert first["heads/max_induction_strength"] == max(first[f"heads/1.{h}/induction_strength"] for h in (0, 1))
        assert "seen/out_context_acc" not in first  # the target is always in the context
        assert np.isfinite(list(first.values())).all()
        assert set(made.update()) == {"train/loss", "train/acc"}


def test_the_budget_is_met_to_the_batch() -> None:
    with learner(budget=300) as made:
        made.update()
        assert made.env_steps == 128
        made.update()
        made.update()
        assert made.env_steps == 320  # the last batch is whole


def test_evaluation_sets_stay_and_depend_on_the_seed_alone() -> None:
    with learner(seed=1) as one, learner(seed=1, learning_rate=0.5) as same, learner(seed=2) as other:
        before = {name: x.clone() for name, (x, _) in one.sets.sets.items()}
        one.update()
        for name, (x, _) in one.sets.sets.items():
            assert torch.equal(x, before[name]) and torch.equal(x, same.sets.sets[name][0])
            assert not torch.equal(x, other.sets.sets[name][0])
        assert one.sets.metrics(one.model, ()) == one.sets.metrics(one.model, ())
        assert not torch.equal(one.model.W_ex, other.model.W_ex)


def test_acting_reads_the_sequence_out_of_the_observation() -> None:
    with learner() as made:
        env = ICLExemplarsVector(20, **ENV)
        obs, _ = env.reset(seed=3)
        batch = env.batch
        assert batch is not None
        logits = made.model(batch.x, batch.y)
        np.testing.assert_array_equal(made.act(obs), logits.argmax(-1).numpy())


def test_acting_leaves_out_the_clamp_that_knows_the_answer() -> None:
    with learner(clamp=("Induction(1:0)", "Ablate(0:1)")) as made:
        env = ICLExemplarsVector(20, **ENV)
        obs, _ = env.reset(seed=3)
        batch = env.batch
        assert batch is not None
        logits = made.model(batch.x, batch.y, clamps="Ablate(0:1)")
        np.testing.assert_array_equal(made.act(obs), logits.argmax(-1).numpy())
        made.update()  # with the answer, while it learns


def test_a_clamp_stops_the_gradient_of_what_it_replaces() -> None:
    with learner(clamp=("Ablate(1:1)",)) as made:
        before = made.model.to_arrays()
        made.update()
        after = made.model.to_arrays()
        values = "blocks.1.attn.W_v"
        np.testing.assert_array_equal(after[values][1], before[values][1])
        assert (after[values][0] != before[values][0]).any()


def test_the_task_is_found_through_copies() -> None:
    single = SyncVectorEnv([lambda: ICLExemplars(**ENV)], autoreset_mode=AutoresetMode.SAME_STEP)
    assert task_of(single).input_dim == 6
    with pytest.raises(UsageError, match="and CartPoleEnv does not: icl-exemplars does"):
        task_of(SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")], autoreset_mode=AutoresetMode.SAME_STEP))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"clamp": ("PrevTok(0:0)",)}, "PrevToken"),
        ({"clamp": ("Induction(1:2)",)}, "layer 1 has no head 2"),
        ({"clamp": ("Ablate(2:0)",)}, "layer"),
        ({"clamp": ("PrevToken(0:0)", "PrevToken(0:0, strength=0.5)")}, "only one of them can"),
        ({"n_heads": 3}, "16 is not divisible by n_heads = 3"),
        ({"d_model": 6, "n_heads": 2}, "rope needs an even number"),
    ],
)
def test_models_and_clamps_that_cannot_be_are_requests_gone_wrong(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words), learner(**options):
        pass


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"learning_rate": 0.0}, "learning_rate is 0.0: expected a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"l2": -1.0}, "l2 is -1.0: expected a number of at least 0"),
        ({"eval_growth": 1.0}, "eval_growth is 1.0: expected a factor above 1"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ICLTransformerConfig(**options)


def test_a_loss_that_is_no_number_ends_the_run_and_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--log-sequences", "64", "--batch-size", "32", "--eval-size", "10", "--steps", "640"]
    how = ["--learning-rate", "1e300", "--dtype", "float64", "--dir", str(tmp_path), "--json", "--quiet"]
    status = main(["train", "icl-transformer", "icl-exemplars", *size, *how])
    assert status == 1
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["status"] == "failed" and "train/loss" in run["message"]
    assert list(Path(run["path"], "failed").glob("step-*/tensors.safetensors"))
