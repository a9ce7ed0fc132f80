"""Reward models that users bring: functions with TRL's signature, and sequence classifiers, in batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from zoo_envs.text.environment import TextComposite
from zoo_envs.text.rewards import RewardFunctionError, functions, reward_function
from zoo_envs.text.rewards.functions import FunctionModel
from zoo_envs.text.samples import Sample
from zoo_envs.text.scorers import reward_models
from zoo_envs.text.sequence_classifier import SequenceClassifier

from envs.tests import tiny_language_models as tiny

SAMPLES = [
    Sample(("tell me",), text, "", "", columns={"answer": answer}, ids=(4, 5))
    for text, answer in (("the cat", "cat"), ("a dog sat on the mat", "cat"), ("", "dog"))
]
CHAT = ({"role": "user", "content": "why"},)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a registry of its own."""
    monkeypatch.setattr(functions, "_REGISTERED", {})


def test_a_function_is_called_as_by_trl() -> None:
    seen: dict[str, Any] = {}

    @reward_function
    def overlap(prompts: list[str], completions: list[str], answer: list[str], **kwargs: Any) -> list[float]:
        seen.update(kwargs, prompts=prompts, completions=completions)
        return [float(word in text.split()) for text, word in zip(completions, answer, strict=True)]

    assert overlap([], [], []) == []  # the function itself stays as it is
    (model,) = reward_models(["overlap"], seed=0).values()
    assert model.score(SAMPLES).tolist() == [1.0, 0.0, 0.0]
    assert seen["prompts"] == ["tell me"] * 3 and seen["completions"][0] == "the cat"
    assert seen["completion_ids"] == [[4, 5]] * 3


def test_conversations_are_given_as_messages() -> None:
    seen: list[Any] = []

    @reward_function(name="polite")
    def something(prompts: list[Any], completions: list[Any]) -> Any:
        seen.extend([prompts, completions])
        return torch.ones(len(completions))

    (model,) = reward_models(["polite"], seed=0).values()
    assert model.score([SAMPLES[0]._replace(messages=CHAT)]).tolist() == [1.0]
    assert seen == [[[{"role": "user", "content": "why"}]], [[{"role": "assistant", "content": "the cat"}]]]
    seen[0][0][0]["content"] = "changed"
    assert CHAT[0]["content"] == "why"


def returning(value: Any) -> Callable[..., Any]:
    def mine(completions: list[str]) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    return mine


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.0, 2.0], "returned 2 numbers for 3 completions: expected one for each"),
        ([1.0, math.nan, 2.0], "returned nan for completion 1 of 3: expected a finite number"),
        ([1.0, math.inf, 2.0], "returned inf for completion 1 of 3"),
        ([None, 1.0, 2.0], "returned None for completion 0 of 3"),
        ([1.0, 2.0, "x"], "returned 'x' for completion 2 of 3"),
        ([[1.0], [2.0], [3.0]], r"returned \[1.0\] for completion 0 of 3"),
        (None, "returned NoneType: expected a list of numbers"),
        ("abc", "returned str: expected a list of numbers"),
        (np.ones((3, 2)), r"returned \[1.0, 1.0\] for completion 0"),
        (KeyError("x"), "raised KeyError: 'x'"),
    ],
)
def test_what_a_function_must_not_do_is_reported_under_its_name(value: Any, message: str) -> None:
    model = FunctionModel(returning(value), "mine")
    owner = r"the reward function 'mine' \(test_text_functions.py, line \d+\) "
    with pytest.raises(RewardFunctionError, match=owner + message) as told:
        model.score(SAMPLES)
    assert told.value.names_owner


def test_any_sequence_of_numbers_will_do() -> None:
    for value in ([1, True, np.float32(2)], (1, 1, 2), np.array([1, 1, 2]), torch.tensor([1.0, 1.0, 2.0])):
        assert FunctionModel(returning(value), "mine").score(SAMPLES).tolist() == [1.0, 1.0, 2.0]


def test_columns_that_a_function_needs(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    @reward_function(threshold=0.5)
    def right(completions: list[str], answer: list[str]) -> list[float]:
        return [float(a == b) for a, b in zip(completions, answer, strict=True)]

    model = tiny.language_model(tmp_path_factory.mktemp("policy"), "gpt2")
    path = tmp_path / "prompts.jsonl"
    options: dict[str, Any] = {
        "language_model": str(model), "prompts": str(path), "new_tokens": 2, "reward_models": ("right",)
    }  # fmt: skip
    path.write_text('{"prompt": "why", "answers": "no"}\n', encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"'right' \(.*\) needs a column 'answer' of the prompts: did you mean 'answers'"
    ):
        TextComposite(**options)
    path.write_text('{"prompt": "why", "x": "no"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="needs a column 'answer' of the prompts, which have x"):
        TextComposite(**options)
    path.write_text('{"prompt": "why", "answer": "no"}\n', encoding="utf-8")
    env = TextComposite(**options)
    assert env.constraint_spec.thresholds.tolist() == [0.5]
    env.reset(seed=0)
    no = tiny.tokenizer().convert_tokens_to_ids("no")
    assert [env.step(token)[1] for token in (no, 0)] == [0.0, 1.0]


def test_names() -> None:
    @reward_function
    def mine(completions: list[str]) -> list[float]:
        return [0.0] * len(completions)

    assert list(reward_models(["mine", "its=mine", "other=ngram"], seed=0)) == ["mine", "its", "other"]
    reward_function(mine)  # a file that is imported again
    with pytest.raises(
        ValueError, match=r"two reward functions have one name: the reward function 'mine' \(.*\) and the"
    ):
        reward_function(name="mine")(returning(1))
    with pytest.raises(ValueError, match="'mine' is a function, which takes no argument, got 'x'"):
        reward_models(["mine:x"], seed=0)
    with pytest.raises(
        ValueError, match=r"no reward model 'mien': did you mean 'mine'\?; a file .* is given by --plugin"
    ):
        reward_models(["mien"], seed=0)
    with pytest.raises(ValueError, match="distinct"):
        reward_models(["mine", "mine=ngram"], seed=0)
    reward_function(name="ngram")(returning(1))
    with pytest.raises(ValueError, match=r"'ngram' .* has the name of a reward model that is installed"):
        reward_models(["ngram"], seed=0)


def test_a_function_of_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "short_reward.py").write_text(
        "def short(completions, **columns):\n    return [-float(len(text)) for text in completions]\n", encoding="utf-8"
    )
    info = tmp_path / "short_reward-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: short-reward\nVersion: 1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[zoo_envs.reward_models]\nshort = short_reward:short\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert reward_models(["short"], seed=0)["short"].score(SAMPLES).tolist() == [-7.0, -20.0, 0.0]


def spoken(count: int) -> list[Sample]:
    rng = np.random.default_rng(0)
    return [
        Sample(("tell me", "why"), " ".join(rng.choice(tiny.WORDS, size=int(rng.integers(0, 12)))), "", "")
        for _ in range(count)
    ]


@pytest.mark.parametrize("kind", tiny.KINDS)
@pytest.mark.parametrize("pad", [True, False])
def test_classifiers_score_in_batches_what_they_score_alone(
    kind: str, pad: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny.classifier(tmp_path, kind, pad=pad, template=None)
    (model,) = reward_models([f"hf:{folder}"], seed=0).values()
    assert isinstance(model, SequenceClassifier)
    model.prepare("cpu", ())
    sizes: list[int] = []
    inside = model._model.forward
    monkeypatch.setattr(
        model._model, "forward", lambda **given: (sizes.append(len(given["input_ids"])), inside(**given))[1]
    )
    samples = spoken(70)
    scores = model.score(samples)
    assert sum(sizes) == 70 and (sizes == [32, 32, 6] if pad else len(sizes) <= 12)
    direct = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    read = tiny.tokenizer()
    for sample, score in zip(samples, scores.tolist(), strict=True):
        tokens = torch.tensor([read.encode(f"tell me why {sample.text}")])
        with torch.no_grad():
            alone = direct(input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits
        assert score == pytest.approx(float(alone[0, 0]), rel=1e-4, abs=1e-5)
    np.testing.assert_allclose(model.score(samples[::-1])[::-1], scores, rtol=1e-5, atol=1e-6)


def test_a_classifier_reads_a_conversation_through_its_own_template(tmp_path: Path) -> None:
    folder = tiny.classifier(tmp_path, "llama")
    (model,) = reward_models([f"mine=hf:{folder}"], seed=0).values()
    sample = Sample(("why",), "yes no", "", "", messages=CHAT)
    direct = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokens = torch.tensor([tiny.tokenizer().encode("user : why assistant : yes no")])
    with torch.no_grad():
        alone = float(direct(input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits[0, 0])
    assert model.score([sample])[0] == pytest.approx(alone, rel=1e-4)
    assert model.score([sample._replace(messages=())])[0] != pytest.approx(alone, rel=1e-3)
