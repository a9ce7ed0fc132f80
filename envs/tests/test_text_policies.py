"""Any causal language model as policy: GPT-2 and Llama, with and without an adapter, with a key-value cache."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.error import DependencyNotInstalled
from zoo_envs.text.environment import TextCompositeVector
from zoo_envs.text.language import WindowModel, load
from zoo_envs.text.transformer.key_values import CachedReader

from envs.tests import tiny_language_models as tiny

D = 20


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: tiny.language_model(tmp_path_factory.mktemp(kind), kind) for kind in tiny.KINDS}


@pytest.fixture(scope="module", params=tiny.KINDS)
def model(request: pytest.FixtureRequest, folders: dict[str, Path]) -> WindowModel:
    return load(str(folders[request.param]), "cpu")[0]


def texts_in_turn(V: int, copies: int = 5, steps: int = 24) -> list[torch.Tensor]:
    """Windows [B, D] that grow by a token at each step, but for those that begin anew, or are full and slide."""
    rng = np.random.default_rng(0)
    rows = [rng.integers(V, size=length).tolist() for length in rng.integers(1, 9, size=copies)]
    found = []
    for step in range(steps):
        if step:
            for row in rows:
                row.append(int(rng.integers(V)))
        if step % 4 == 3:
            rows[step % copies] = rng.integers(V, size=rng.integers(1, 9)).tolist()
        padded = [[V] * (D - len(row[-D:])) + row[-D:] for row in rows]
        found.append(torch.tensor(padded))
    return found


@torch.no_grad()
def test_the_cache_changes_nothing_but_the_time(model: WindowModel) -> None:
    reader = model.reader(D)
    assert isinstance(reader, CachedReader)
    for windows in texts_in_turn(model.vocabulary):
        found, expected = model.logits(reader.hidden(windows)), model(windows)
        torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_what_grows_is_not_read_again(model: WindowModel, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    inside = CachedReader._read

    def counted(self: CachedReader, tokens: torch.Tensor, **further: Any) -> torch.Tensor:
        read.append(tokens.numel())
        return inside(self, tokens, **further)

    monkeypatch.setattr(CachedReader, "_read", counted)
    reader = model.reader(D)
    V = model.vocabulary
    start = torch.tensor([[V] * (D - 4) + [1, 2, 3, 4]] * 3)
    reader.hidden(start)
    assert read == [9, 3]  # three tokens of each before the last, then the last ones
    reader.hidden(torch.cat([start[:, 1:], torch.tensor([[5], [6], [7]])], 1))
    assert read[2:] == [3]
    reader.hidden(start)  # none of them has grown
    assert read[3:] == [9, 3]


@torch.no_grad()
def test_a_model_that_sees_a_part_of_the_window_has_no_cache(folders: dict[str, Path]) -> None:
    model = load(str(folders["llama"]), "cpu")[0]
    assert isinstance(model.reader(D), CachedReader)
    model.model.config.sliding_window = D
    assert model.reader(D) is model and isinstance(model.reader(D - 1), CachedReader)
    model.model.config.sliding_window, model.model.config.layer_types = None, ["full_attention", "linear_attention"]
    assert model.reader(D) is model


def test_a_copy_trains_apart_from_the_reference(folders: dict[str, Path]) -> None:
    env = TextCompositeVector(
        2, language_model=str(folders["llama"]), context=1, context_tokens=16, new_tokens=4, reward_models=("ngram",)
    )
    assert env.observation_space.shape == (2, 20)
    fresh, reference = env.language_model(), env.reference_model()
    named = dict(reference.named_parameters())
    for name, parameter in fresh.named_parameters():
        assert parameter.requires_grad and parameter.data_ptr() != named[name].data_ptr()
        assert not named[name].requires_grad


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # of peft itself
@pytest.mark.parametrize("kind", tiny.KINDS)
def test_an_adapter_alone_is_trained_and_the_rest_shared(kind: str, folders: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("peft")
    base = folders[kind]
    folder = tiny.adapter(tmp_path / "lora", base)
    plain, adapted = load(str(base), "cpu")[0], load(str(base), "cpu", str(folder))[0]
    windows = texts_in_turn(plain.vocabulary)[5]
    with torch.no_grad():
        assert not torch.allclose(plain(windows), adapted(windows), atol=1e-2)
        import peft
        import transformers

        whole = peft.PeftModel.from_pretrained(transformers.AutoModelForCausalLM.from_pretrained(base), folder).eval()
        texts = [row[row < plain.vocabulary] for row in windows]
        expected = torch.stack([whole(input_ids=text[None]).logits[0, -1] for text in texts])
        torch.testing.assert_close(adapted(windows), expected, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(adapted.logits(adapted.reader(D).hidden(windows)), expected, atol=1e-5, rtol=1e-4)
    env = TextCompositeVector(
        2, language_model=str(base), adapter=str(folder), context=1, context_tokens=16, new_tokens=4
    )
    fresh, reference = env.language_model(), dict(env.reference_model().named_parameters())
    for name, parameter in fresh.named_parameters():
        assert parameter.requires_grad == ("lora_" in name)
        assert (parameter.data_ptr() == reference[name].data_ptr()) == ("lora_" not in name)
        assert not reference[name].requires_grad


def test_adapters_that_are_refused(folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("peft")
    mine = tiny.adapter(tmp_path / "lora", folders["llama"])
    with pytest.raises(ValueError, match=r"made for the model '.*llama0', not for '.*gpt20': expected an adapter"):
        load(str(folders["gpt2"]), "cpu", str(mine))
    renamed = shutil.copytree(mine, tmp_path / "renamed")
    config = json.loads((renamed / "adapter_config.json").read_text(encoding="utf-8"))
    (renamed / "adapter_config.json").write_text(
        json.dumps({**config, "base_model_name_or_path": folders["gpt2"].name})
    )
    with pytest.raises(ValueError, match="renamed' does not fit the model"):
        load(str(folders["gpt2"]), "cpu", str(renamed))
    (renamed / "adapter_config.json").write_text(json.dumps({**config, "peft_type": "IA3"}))
    with pytest.raises(ValueError, match="an adapter of the kind 'IA3': expected 'LORA'"):
        load(str(folders["llama"]), "cpu", str(renamed))
    (renamed / "adapter_model.safetensors").rename(renamed / "adapter_model.bin")
    with pytest.raises(ValueError, match=r"no adapter_model.safetensors in '.*renamed'"):
        load(str(folders["llama"]), "cpu", str(renamed))
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(DependencyNotInstalled, match=r"peft, which is not installed: pip install 'zoo-envs\[lora\]'"):
        load(str(folders["llama"]), "cpu", str(mine))


def test_only_safetensors_without_code_are_loaded(folders: dict[str, Path], tmp_path: Path) -> None:
    pickled = shutil.copytree(folders["gpt2"], tmp_path / "pickled")
    weights = load(str(pickled), "cpu")[0].model.state_dict()
    (pickled / "model.safetensors").unlink()
    torch.save(weights, pickled / "pytorch_model.bin")
    with pytest.raises(ValueError, match="holds no language model that transformers can load"):
        load(str(pickled), "cpu")
    remote = shutil.copytree(folders["gpt2"], tmp_path / "remote")
    config = json.loads((remote / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}}
    (remote / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (remote / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').write('')\n", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no language model that transformers can load"):
        load(str(remote), "cpu")
    assert not (tmp_path / "ran").exists()
