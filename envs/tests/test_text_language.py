"""The tiny model is made here, once and reproducibly; it reads windows as it would read texts one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from zoo_envs.text.language import OUTSIDE, Reference, WindowModel, load
from zoo_envs.text.samples import Sample
from zoo_envs.text.scorers import reward_models
from zoo_envs.text.training import END, Training, train_or_load
from zoo_envs.text.windows import window

BRIEF = Training(steps=2, batch=4, corpus=60, turns=3, width=16, heads=2, positions=40)
D = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_or_load(tmp_path_factory.mktemp("models"), BRIEF)


@pytest.fixture(scope="module")
def model(folder: Path) -> WindowModel:
    return load(str(folder), "cpu")[0]


@pytest.fixture(scope="module")
def texts(model: WindowModel) -> list[list[int]]:
    """Some begin as others do, or are the same."""
    rng = np.random.default_rng(0)
    drawn = [rng.integers(model.vocabulary, size=rng.integers(1, D + 1)).tolist() for _ in range(100)]
    return [*drawn, drawn[0], *(text[: len(text) // 2 + 1] for text in drawn[:30])]


@pytest.fixture(scope="module")
def windows(model: WindowModel, texts: list[list[int]]) -> np.ndarray[Any, Any]:
    return np.stack([window(text, D, model.vocabulary) for text in texts])


def test_training_is_reproducible_and_leaves_torch_alone(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = torch.random.get_rng_state()
    again = train_or_load(tmp_path, BRIEF)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert again.name == folder.name and "training the tiny language model: step 0 of 2" in caplog.text
    for file in folder.iterdir():
        assert file.suffix in (".json", ".safetensors")
        assert file.read_bytes() == (again / file.name).read_bytes()
    caplog.clear()
    assert train_or_load(tmp_path, BRIEF) == again and not caplog.text


def test_everything_that_matters_makes_another_model(tmp_path: Path, folder: Path) -> None:
    other = train_or_load(
        tmp_path, Training(steps=2, batch=4, corpus=60, turns=3, width=16, heads=2, positions=40, seed=1)
    )
    assert other.name != folder.name
    mine, its = (load(str(where), "cpu")[0].state_dict() for where in (folder, other))
    assert any(mine[name].shape != its[name].shape or not torch.equal(mine[name], its[name]) for name in mine)


def test_training_lowers_the_loss(folder: Path, tmp_path: Path) -> None:
    longer = train_or_load(tmp_path, Training(steps=40, batch=8, corpus=60, turns=3, width=16, heads=2, positions=40))

    def loss(where: Path) -> float:
        model, tokenizer = load(str(where), "cpu")
        line = tokenizer(f"{END} do you like the soup ? {END}", return_tensors="pt").input_ids
        with torch.no_grad():
            return float(model.model(input_ids=line, labels=line).loss)

    assert loss(longer) < loss(folder) - 0.3


def test_the_folder_is_one_that_transformers_loads(folder: Path) -> None:
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert tokenizer.decode(tokenizer.encode("do you like xyz ?")) == "do you like <unknown> ?"
    assert tokenizer.eos_token == END


def test_windows_are_read_as_texts_one_by_one(
    model: WindowModel, texts: list[list[int]], windows: np.ndarray[Any, Any]
) -> None:
    with torch.no_grad():
        found = model(torch.from_numpy(windows))
        for row, text in zip(found, texts, strict=True):
            alone = model.model(input_ids=torch.tensor([text])).logits[0, -1]
            torch.testing.assert_close(row, alone, atol=1e-5, rtol=1e-4)


def test_a_reading_model_is_never_in_training_mode(model: WindowModel) -> None:
    assert model.train() is model
    assert not any(module.training for module in model.modules() if module is not model)


def test_the_reference_is_restricted_and_renormalised(model: WindowModel, windows: np.ndarray[Any, Any]) -> None:
    with torch.no_grad():
        p = model(torch.from_numpy(windows)).softmax(-1).numpy().astype(float)
    every, few = Reference(model, None), Reference(model, 5)
    np.testing.assert_allclose(np.exp(every.logits(windows)), p, atol=1e-6)
    assert (every.top_k, few.top_k) == (None, 5) and Reference(model, model.vocabulary).top_k is None
    found = few.logits(windows)
    allowed = found > OUTSIDE
    assert (allowed.sum(-1) == 5).all()
    assert (np.where(allowed, p, 0).min(-1, where=allowed, initial=1) >= np.where(allowed, 0, p).max(-1)).all()
    assert found.dtype == np.float32 and (found[~allowed] == OUTSIDE).all()
    kept = np.where(allowed, p, 0)
    np.testing.assert_allclose(np.exp(found), kept / kept.sum(-1, keepdims=True), atol=1e-6)


def test_the_reference_takes_any_number_of_axes_and_floats(model: WindowModel, windows: np.ndarray[Any, Any]) -> None:
    few = Reference(model, 5)
    flat, shaped = few.logits(windows[:6]), few.logits(windows[:6].reshape(2, 3, D).astype(np.float32))
    assert shaped.shape == (2, 3, model.vocabulary)
    np.testing.assert_array_equal(shaped.reshape(flat.shape), flat)
    assert few.logits(windows[0]).shape == (model.vocabulary,)


def test_models_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="holds no language model that transformers can load"):
        load(str(tmp_path), "cpu")
    import huggingface_hub.utils

    # Whatever goes out to the network fails the test.
    monkeypatch.setattr(huggingface_hub.utils, "get_session", lambda: pytest.fail("something was to be downloaded"))
    with pytest.raises(ValueError, match="no folder 'zoo/none', and no language model of this name was downloaded"):
        load("zoo/none", "cpu")
    with pytest.raises(ValueError, match="no folder 'zoo/none', and no sequence classifier"):
        reward_models(["hf:zoo/none"], seed=0)


@pytest.fixture(scope="module")
def classifiers(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Random classifiers with one and with three labels."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = tokenizer.eos_token
    made = {}
    for labels in (1, 3):
        made[labels] = tmp_path_factory.mktemp("classifier")
        config = transformers.BertConfig(
            vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, num_labels=labels, max_position_embeddings=64,
        )  # fmt: skip
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model: Any = transformers.BertForSequenceClassification(config)
            torch.nn.init.normal_(model.classifier.weight)
        model.save_pretrained(made[labels])
        tokenizer.save_pretrained(made[labels])
    return made


def test_any_sequence_classifier_scores(classifiers: dict[int, Path]) -> None:
    import transformers

    names = [f"hf:{classifiers[1]}", *(f"hf:{classifiers[3]}{label}" for label in ("", "#LABEL_0", "#LABEL_1"))]
    single, last, zero, one = reward_models(names, seed=0).values()
    samples = [
        Sample(("do you like the tea ?", "i like the tea"), text, "", "inform")
        for text in ("it was hot now", "yes", "", "please bring the tea today")
    ]
    scores = last.score(samples)
    assert scores.shape == (4,) and len(set(scores.tolist())) == 4
    np.testing.assert_allclose(scores + zero.score(samples) + one.score(samples), 1.0)
    # One sample at a time: the others of the batch do not matter at all.
    for model in (single, last):
        assert model.score(samples[::-1]).tolist() == model.score(samples)[::-1].tolist()
    tokenizer = transformers.AutoTokenizer.from_pretrained(classifiers[1])
    model = transformers.AutoModelForSequenceClassification.from_pretrained(classifiers[1])
    read = tokenizer("do you like the tea ? i like the tea", "yes", return_tensors="pt")
    with torch.no_grad():
        assert single.score(samples)[1] == pytest.approx(float(model(**read).logits[0, 0]))
    with pytest.raises(ValueError, match="no label 'good': its labels are LABEL_0, LABEL_1, LABEL_2"):
        reward_models([f"hf:{classifiers[3]}#good"], seed=0)
