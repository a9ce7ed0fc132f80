"""Language models of the user's own: every algorithm, exact resume, the cache, and how much memory a rollout takes."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from zoo_composite_rm.language import Reference, Tokens
from zoo_composite_rm.language_learner import LanguageLearner
from zoo_composite_rm.proxy.agent import NMPPO
from zoo_composite_rm.proxy.config import NMConfig
from zoo_envs.text.environment import TextCompositeVector
from zoo_envs.text.language import WindowModel
from zoo_envs.text.rewards import reward_function

from envs.tests import tiny_language_models as tiny
from zoo import UsageError
from zoo.testing import check_algorithm, check_environment

ALGORITHMS = ("ppo-sum", "ppo-sat", "mu-ppo", "xi-ppo", "all-ppo")
SHORT = {"n_steps": 5, "batch_size": 10, "n_epochs": 2, "learning_rate": 1e-3}


@reward_function(threshold=0.2, range=(0.0, 1.0))
def animals(completions: list[Any], **columns: Any) -> list[float]:
    """The share of words that are animals."""
    return [sum(word in ("cat", "dog") for word in _words(said)) / max(1, len(_words(said))) for said in completions]


@reward_function(threshold=3.0, range=(0.0, 99.0))
def length(completions: list[Any], target: list[int], **columns: Any) -> list[float]:
    """How near the number of words is to what the prompt wants."""
    return [99.0 - abs(len(_words(said)) - wanted) for said, wanted in zip(completions, target, strict=True)]


def _words(said: Any) -> list[str]:
    return str(said if isinstance(said, str) else said[0]["content"]).split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prompts, two language models, an adapter and a reward model."""
    place = tmp_path_factory.mktemp("own")
    for kind in tiny.KINDS:
        tiny.language_model(place / kind, kind)
    tiny.classifier(place / "reward", "gpt2", seed=3)
    rows = [
        {"prompt": [{"role": "user", "content": asked}], "target": number}
        for number, asked in enumerate(("why", "tell me why", "how are you", "the cat sat on the mat", "yes"))
    ]
    (place / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return place


def options(folder: Path, kind: str, **further: Any) -> dict[str, Any]:
    return {
        "language_model": str(folder / kind), "prompts": str(folder / "prompts.jsonl"), "context_tokens": 12,
        "new_tokens": 4, "reward_models": ("animals", "length", f"taste=hf:{folder / 'reward'}"),
        "thresholds": {"taste": 0.0}, **further,
    }  # fmt: skip


@pytest.mark.parametrize("kind", tiny.KINDS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_learns_and_resumes_bit_for_bit(algorithm: str, kind: str, folder: Path) -> None:
    top_k = 5 if kind == "llama" else None
    check_algorithm(
        algorithm, "text-composite", config=SHORT, env_config=options(folder, kind, top_k=top_k), steps=60, num_envs=4
    )


def test_the_kit_accepts_prompts_and_rewards_of_ones_own(folder: Path) -> None:
    check_environment("text-composite", **options(folder, "llama", top_k=5))


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # of peft itself
def test_an_adapter_is_trained_alone_and_resumes(folder: Path, build: Any) -> None:
    pytest.importorskip("peft")
    given = options(folder, "llama", adapter=str(tiny.adapter(folder / "lora", folder / "llama")))
    made = build.one("XiPPO", TextCompositeVector(4, **given), n_steps=5, batch_size=10)
    names = set(made.learner.network.parameters.views)
    assert names and all("lora_" in name or name.startswith(("hidden_layer.", "value_heads.")) for name in names)
    before = made.learner.network.parameters.flat.copy()
    frozen = [p.clone() for p in made.objective.task.reference_log_prob.__self__.model.parameters()]
    made.update()
    assert (made.learner.network.parameters.flat != before).mean() > 0.5
    after = made.objective.task.reference_log_prob.__self__.model.parameters()
    assert all((old == new).all() for old, new in zip(frozen, after, strict=True))
    check_algorithm("mu-ppo", "text-composite", config=SHORT, env_config=given, steps=60, num_envs=4)


def collected(build: Any, env: TextCompositeVector, **given: Any) -> Any:
    made = build.one("XiPPO", env, n_steps=12, batch_size=24, **given)
    learner = made.learner
    assert isinstance(learner, LanguageLearner)
    return learner.collector.collect(learner.network, [ctx.rng for ctx in learner.contexts])


@pytest.mark.parametrize("kind", tiny.KINDS)
@pytest.mark.parametrize("top_k", [None, 5])
def test_the_cache_samples_the_same_tokens(
    kind: str, top_k: int | None, folder: Path, build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_cache = collected(build, TextCompositeVector(6, **options(folder, kind, top_k=top_k)))
    monkeypatch.setattr(WindowModel, "reader", lambda self, width: self)
    without = collected(build, TextCompositeVector(6, **options(folder, kind, top_k=top_k)))
    np.testing.assert_array_equal(with_cache.actions, without.actions)
    np.testing.assert_array_equal(with_cache.rewards, without.rewards)
    np.testing.assert_allclose(with_cache.outputs, without.outputs, atol=1e-4)
    assert with_cache.done.any(axis=(0, 1)).all() and with_cache.actions.shape[-1] == 1 + (top_k or 0)


def test_tokens_are_drawn_from_the_policy() -> None:
    """Frequencies against probabilities, and against numpy's own inverse of the cumulated distribution."""
    logits = np.random.default_rng(0).normal(size=(1, 7)).astype(np.float32) * 2
    p = np.exp(logits[0].astype(float)) / np.exp(logits[0].astype(float)).sum()
    tokens = Tokens(gymnasium.spaces.Discrete(7), None)
    noise = tokens.noise(np.random.default_rng(1), (40_000,))
    drawn = tokens.to_env(tokens.sample(np.repeat(logits, len(noise), 0), noise))
    expected = np.searchsorted(np.cumsum(p), noise, side="right")
    assert (drawn == expected).mean() > 0.999
    frequency = np.bincount(drawn, minlength=7) / len(drawn)
    assert (np.abs(frequency - p) < 4.5 * np.sqrt(p * (1 - p) / len(drawn))).all()
    certain = np.full((3, 7), -1e4, np.float32)
    certain[:, 4] = 0.0
    assert tokens.to_env(tokens.sample(certain, np.array([0.0, 0.5, np.nextafter(1.0, 0.0)]))).tolist() == [4, 4, 4]
    assert tokens.to_env(tokens.mode(certain)).tolist() == [4, 4, 4]


def test_a_rollout_takes_memory_by_its_tokens_and_not_by_the_vocabulary(tmp_path: Path, build: Any) -> None:
    """Peaks of what numpy allocates in an update but for the weights, with vocabularies of 60 and 6,000 tokens."""
    peaks = {}
    for words in (60, 6_000):
        place = tiny.language_model(tmp_path / str(words), "gpt2", words=words)
        env = TextCompositeVector(
            16, language_model=str(place), context=1, context_tokens=8, new_tokens=8, reward_models=("ngram",)
        )
        made = build.one("PPOSum", env, n_steps=32, batch_size=16, n_epochs=1)
        learner = made.learner
        tracemalloc.start()
        rollout = learner.collector.collect(learner.network, [ctx.rng for ctx in learner.contexts])
        learner.estimate(rollout)
        peaks[words] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        held = sum(array.nbytes for array in vars(rollout).values() if isinstance(array, np.ndarray))
        tokens = 32 * 16
        assert held < 200 * tokens, held  # windows of 16 numbers, and some thirty more of each token
    assert peaks[6_000] < 1.5 * peaks[60] < 0.1 * 32 * 16 * 6_000 * 4


def test_the_divergence_from_the_reference_needs_no_stored_logits(folder: Path, build: Any) -> None:
    env = TextCompositeVector(4, **options(folder, "gpt2"))
    made = build.one("PPOSum", env, n_steps=5, batch_size=10, reference_kl=0.5)
    first, later = made.update(), [made.update() for _ in range(3)][-1]
    assert 0 <= first["train/reference_kl"] < 0.1 and later["train/reference_kl"] > 0


def test_seeds_together_learn_what_each_learns_alone(folder: Path, build: Any) -> None:
    pair = build.batch("MuPPO", lambda: TextCompositeVector(4, **options(folder, "gpt2")), (0, 1), n_steps=4)
    alone = build.one("MuPPO", TextCompositeVector(4, **options(folder, "gpt2")), seed=1, n_steps=4)
    assert pair.update()[1] == pytest.approx(alone.update(), rel=1e-4, abs=1e-5)


def test_a_search_of_thresholds_needs_a_truth(folder: Path, build: Any) -> None:
    context = build.context(TextCompositeVector(4, **options(folder, "gpt2")))
    with pytest.raises(UsageError, match="evaluate"):
        NMPPO(context, NMConfig(n_steps=5))
    grammar = {"language_model": str(folder / "gpt2"), "context": 1, "context_tokens": 12, "new_tokens": 4}
    made = NMPPO(build.context(TextCompositeVector(4, **grammar)), NMConfig(n_steps=5, batch_size=10))
    assert np.isfinite(list(made.update().values())).all()


def test_log_probabilities_are_right_in_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = TextCompositeVector(4, **options(folder, "gpt2"))
    obs = env.reset(seed=0)[0]
    actions = np.arange(4)[:, None]
    reference = Reference.of(env)
    expected = np.take_along_axis(env.reference_logits(obs), actions, -1)[:, 0]
    np.testing.assert_allclose(reference.log_prob(obs, actions), expected, atol=1e-5)
    monkeypatch.setattr("zoo_composite_rm.language.reference._LOGITS_AT_ONCE", 30)
    np.testing.assert_allclose(reference.log_prob(obs, actions), expected, atol=1e-5)
