"""TextComposite, both forms: episodes, scores, the reference, snapshots, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
import zoo_envs  # noqa: F401  (registers the ids)
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from zoo_envs.text.environment import TextComposite, TextCompositeVector
from zoo_envs.text.grammar import dialogues
from zoo_envs.text.language import load
from zoo_envs.text.overlap import NGram
from zoo_envs.text.training import Training, train_or_load

BRIEF = Training(steps=2, batch=4, corpus=300, turns=3, width=16, heads=2, positions=40)


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = train_or_load(tmp_path_factory.mktemp("models"), BRIEF)
    return {"language_model": str(folder), "context": 2, "context_tokens": 16, "new_tokens": 5}


def test_gymnasium_finds_nothing_wrong(options: dict[str, Any]) -> None:
    check_env(gymnasium.make("zoo/TextComposite-v0", **options).unwrapped, skip_render_check=True)
    copies = gymnasium.make_vec("zoo/TextComposite-v0", num_envs=2, vectorization_mode="vector_entry_point", **options)
    assert isinstance(copies, TextCompositeVector)


def test_an_episode_from_its_parts(options: dict[str, Any]) -> None:
    env = TextComposite(**options, render_mode="ansi")
    tokenizer = load(options["language_model"], "cpu")[1]
    obs, info = env.reset(seed=4)
    assert info == {} and obs in env.observation_space and obs.shape == (21,)
    context, so_far = env.render().split(" / ")[:2], env.render().split(" / ")[2]
    assert so_far == "\n"
    (asked,) = {d for d in dialogues(0, 3, 1024, 3) if [u.text for u in d[:2]] == context}
    tokens = tokenizer.encode(f"<end> {context[0]} <end> {context[1]} <end>")[-16:]
    assert [token for token in obs.tolist() if token != len(tokenizer)] == tokens

    written = tokenizer.encode(asked[2].text)[:3]
    for step, token in enumerate([*written, tokenizer.eos_token_id]):
        logits = env.reference_logits(obs)
        assert logits.shape == (len(tokenizer),) and np.exp(logits).sum() == pytest.approx(1, abs=1e-5)
        obs, reward, terminated, truncated, info = env.step(token)
        assert obs[-1] == token and not truncated and terminated == (step == 3)
        assert info["constraints"].dtype == info["evaluation"].dtype == np.float32
        if not terminated:
            assert reward == 0 and not info["constraints"].any() and not info["evaluation"].any()
    text = " ".join(asked[2].text.split()[:3])
    assert env.render() == " / ".join([*context, text]) + "\n"
    ngram = NGram("", 0).score([asked_sample(text, asked[2].text)])[0]
    assert info["constraints"][0] == pytest.approx(ngram) and ngram > 0.5
    assert 0 <= info["constraints"][1] <= 1 and reward == pytest.approx(info["constraints"].sum())
    assert info["evaluation"][0] == pytest.approx(2 * 3 / (3 + len(asked[2].text.split())))
    with pytest.raises(ResetNeeded, match="complete"):
        env.step(0)


def asked_sample(text: str, reference: str) -> Any:
    from zoo_envs.text.samples import Sample

    return Sample((), text, reference, "inform")


def test_length_ends_an_episode_too(options: dict[str, Any]) -> None:
    env = TextComposite(**options)
    env.reset(seed=0)
    ends = [env.step(5)[2] for _ in range(5)]
    assert ends == [False] * 4 + [True]


def test_copies_score_each_episode_by_itself(options: dict[str, Any]) -> None:
    """Scores do not depend on the batch: the same episodes in another order have the same scores in that order."""
    env, other = TextCompositeVector(6, **options), TextCompositeVector(6, **options)
    env.reset(seed=0)
    order = np.array([3, 1, 5, 0, 4, 2])
    state = env.get_state()
    other.set_state({**state, **{key: state[key][order] for key in ("state", "prompt", "written")}})
    rng = np.random.default_rng(0)
    for _ in range(5):
        actions = rng.integers(1, env.single_action_space.n, size=6)  # 0 ends
        *_, reward, ended, _, infos = env.step(actions)
        *_, reward_other, _, _, infos_other = other.step(actions[order])
        assert reward_other.tolist() == reward[order].tolist()
        for key in ("constraints", "evaluation"):
            assert infos_other[key].tolist() == infos[key][order].tolist()
        if ended.any():  # what begins anew draws other prompts
            break
    assert ended.any() and infos["constraints"][ended].all(axis=0).any() and infos["constraints"].shape == (6, 2)


def test_what_learners_ask_for(options: dict[str, Any]) -> None:
    env = TextCompositeVector(3, **options, top_k=4)
    obs, _ = env.reset(seed=1)
    assert env.evaluation_names == ("lexical", "diversity")
    assert env.constraint_ranges.tolist() == [[0, 1], [0, 1]]
    assert 0 <= env.evaluate(np.array([0.2, 0.4]), 0.3, np.array([0.3, 0.4])) <= 1
    assert env.top_k == 4 and TextCompositeVector(1, **options).top_k is None
    allowed = env.reference_logits(obs) > -1e4
    assert (allowed.sum(-1) == 4).all()
    assert env.reference_model() is env.reference_model()
    assert not any(parameter.requires_grad for parameter in env.reference_model().parameters())

    mine, its = env.language_model(), env.language_model()
    before = env.reference_logits(obs)
    with torch.no_grad():
        for parameter in mine.parameters():
            assert parameter.requires_grad
            parameter.zero_()
    assert env.reference_logits(obs).tolist() == before.tolist()
    found = its(torch.from_numpy(obs)).log_softmax(-1).detach().numpy()
    ratio = before - found
    assert np.ptp(ratio[0, allowed[0]]) < 1e-5  # the same model, renormalised


def test_thresholds_are_by_name(options: dict[str, Any]) -> None:
    env = TextComposite(**options, thresholds={"intent": 0.7}, sense="==")
    spec = env.constraint_spec
    assert spec.names == ("ngram", "intent") and spec.senses == ("==", "==")
    assert (spec.unit, spec.discounted) == ("episode", False)
    assert spec.thresholds.tolist() == [NGram.threshold, 0.7]
    assert TextComposite(**options, reward_models=("intent",)).constraint_spec.names == ("intent",)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"thresholds": (0.2, 0.4)}, "thresholds must be a mapping"),
        ({"thresholds": {"intnt": 0.2}}, "'intnt', which is none of the reward models ngram, intent"),
        ({"thresholds": {"ngram": float("nan")}}, "thresholds.'ngram'. must be a finite number"),
        ({"sense": "<="}, "sense must be"),
        ({"reward_models": "ngram"}, "must be a tuple of names"),
        ({"reward_models": ("nope",)}, "no reward model 'nope'"),
        ({"context": 0}, "context must be an integer of at least 1"),
        ({"new_tokens": 0}, "new_tokens must be"),
        ({"context_tokens": 36}, "must be at most 40, which .* can read, got 41"),
        ({"top_k": 1}, "top_k must be an integer of at least 2"),
        ({"seed": -1}, "seed must be"),
        ({"render_mode": "human"}, "render_mode"),
        ({"language_model": "/nowhere/at/all"}, "no folder '/nowhere/at/all'"),
    ],
)
def test_arguments_that_are_refused(options: dict[str, Any], wrong: dict[str, Any], message: str) -> None:
    for form in (TextComposite, TextCompositeVector):
        with pytest.raises(ValueError, match=message):
            form(**{**options, **wrong})


def test_a_snapshot_continues_and_a_wrong_one_changes_nothing(options: dict[str, Any]) -> None:
    env, twin = (TextCompositeVector(4, **options) for _ in range(2))
    env.reset(seed=2)
    env.step(np.arange(4))
    state = env.get_state()
    twin.set_state(state)
    rng = np.random.default_rng(1)
    for _ in range(8):
        actions = rng.integers(env.single_action_space.n, size=4)
        for mine, its in zip(env.step(actions)[:4], twin.step(actions)[:4], strict=True):
            assert mine.tolist() == its.tolist()
    for key, value in (("state", state["state"][:2]), ("prompt", np.full(4, 1024)), ("written", None), ("rng", {})):
        kept = twin.get_state()
        with pytest.raises(ValueError, match=f"snapshot entry '{key}'"):
            twin.set_state({**state, key: value})
        assert twin.get_state()["state"].tolist() == kept["state"].tolist()
    with pytest.raises(ResetNeeded):
        TextCompositeVector(1, **options).get_state()


def test_without_the_extra_the_error_names_it() -> None:
    code = (
        "import sys, zoo_envs.text.environment as e\n"
        "assert 'torch' not in sys.modules\n"
        "sys.modules['torch'] = None\n"
        "try: e.TextComposite()\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert (
        told.startswith("DependencyNotInstalled text-composite needs torch") and "pip install 'zoo-envs[text]'" in told
    )


def test_the_default_model_is_trained_into_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoo_envs.text.task as task

    monkeypatch.setattr(task, "Training", lambda seed: Training(seed=seed, steps=1, batch=2, corpus=20, width=16))
    env = TextComposite(cache=str(tmp_path))
    (made,) = tmp_path.iterdir()
    assert json.loads((made / "recipe.json").read_text(encoding="utf-8"))["seed"] == 0
    assert env.reset(seed=0)[0].shape == (52,)
