"""``zoo icl heads`` from end to end: directories as save_pretrained writes them, and requests that are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from plugins.icl.tests.language_models import MODELS, VOCABULARY, build, hybrid, transformers
from zoo.cli.main import main

tokenizers = pytest.importorskip("tokenizers")
WORDS = ["<s>", "</s>", "<pad>", *(f"w{index}" for index in range(VOCABULARY - 3))]


def save(directory: Path, model: Any, *, tokenizer: bool = True) -> str:
    model.save_pretrained(directory)
    if tokenizer:
        words = tokenizers.Tokenizer(
            tokenizers.models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<pad>")
        )
        words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
        words.post_processor = tokenizers.processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 0)])
        transformers.PreTrainedTokenizerFast(
            tokenizer_object=words, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
        ).save_pretrained(directory)
    return str(directory)


def document(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["icl", "heads", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_every_architecture_has_every_score(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    window = {"sliding_window": 16} if "sliding_window" in MODELS[name] else {}
    found = document([save(tmp_path, build(name, **window)), "--period", "10", "--sequences", "4"], capsys)
    assert [entry["head"] for entry in found["heads"]] == [f"{layer}:{head}" for layer in (0, 1) for head in range(4)]
    for entry in found["heads"]:
        for score in ("prefix", "copying", "previous", "duplicate", "loss"):
            assert np.isfinite(entry[score]["mean"]) and entry[score]["sem"] > 0.0 and entry[score]["n"] == 4
    assert found["tokens"] == 80 and found["induction_heads"] == []
    assert found["sentence"].startswith("no induction head: prefix matching is highest at ")
    sees = "layer 0 sees the last 16 tokens alone."
    expected = {
        "Gemma2": [sees],
        "GptOss": ["layers 0, 1 give a part of the attention to a sink, not to a token.", sees],
    }
    assert found["notes"] == expected.get(name, [])


def test_prompts_are_read_with_their_tokenizer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save(tmp_path / "model", build("Llama"))
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("w1 w2 w3 w1 w2\n\nw5 w6 w7 w8 w9 w5\n")
    found = document([model, "--prompts", str(prompts)], capsys)
    assert (found["sequences"], found["tokens"]) == (2, 11)
    assert found["losses"]["predictable"]["n"] == 1 and found["losses"]["other"]["n"] == 2
    assert main(["icl", "heads", model, "--prompts", str(prompts), "--show", "previous"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"2 prompts of {prompts}."
    assert lines[1] == "attention to the token before; layer by head:"
    assert lines[2].split() == ["0", "1", "2", "3"] and [line.split()[0] for line in lines[3:5]] == ["0", "1"]
    assert lines[-1].startswith("no induction head: ")


def test_layers_that_do_not_attend_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document([save(tmp_path, hybrid()), "--scores", "prefix,copying", "--period", "8"], capsys)
    assert {entry["head"].partition(":")[0] for entry in found["heads"]} == {"1", "3"}
    assert "layers 0, 2 do not attend." in found["notes"]


def test_without_a_tokenizer_random_tokens_will_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save(tmp_path, build("Llama", bos_token_id=7), tokenizer=False)
    found = document([model, "--scores", "prefix"], capsys)
    assert found["notes"] == ["there is no tokenizer: special tokens are those that config.json names."]


def t5(directory: Path) -> str:
    config = transformers.T5Config(vocab_size=VOCABULARY, d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    return save(directory, transformers.T5ForConditionalGeneration(config))


def mamba(directory: Path) -> str:
    config = transformers.MambaConfig(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=1)
    return save(directory, transformers.MambaForCausalLM(config))


def without(directory: Path, *names: str) -> str:
    save(directory, build("GPT2"))
    for name in names:
        (directory / name).unlink()
    return str(directory)


def pickled(directory: Path) -> str:
    without(directory, "model.safetensors")
    torch.save(build("GPT2").state_dict(), directory / "pytorch_model.bin")
    return str(directory)


def incomplete(directory: Path) -> str:
    model = build("Llama")
    weights = {name: weight for name, weight in model.state_dict().items() if "layers.1.self_attn.q_proj" not in name}
    model.save_pretrained(directory, state_dict=weights)
    return str(directory)


def corrupt(directory: Path) -> str:
    save(directory, build("GPT2"))
    (directory / "model.safetensors").write_bytes(b"\0" * 100)
    return str(directory)


@pytest.mark.parametrize(
    ("make", "arguments", "words"),
    [
        (lambda _: "nowhere", [], "nowhere is not a directory"),
        (lambda d: without(d, "config.json"), [], "has no config.json"),
        (lambda d: without(d, "model.safetensors"), [], "has no weights: expected model.safetensors"),
        (pickled, [], "in pytorch_model.bin, a pickle"),
        (incomplete, [], "lacks the weights of 1 parameters, such as model.layers.1.self_attn.q_proj.weight"),
        (corrupt, [], "cannot be read by transformers"),
        (t5, [], "a model with an encoder and a decoder, t5"),
        (mamba, [], "MambaForCausalLM gives no attention patterns"),
        (lambda d: save(d, build("GPT2"), tokenizer=False), ["--prompts", "PROMPTS"], "has no tokenizer"),
        (
            lambda d: save(d, build("GPT2")),
            ["--prompts", "LONG"],
            "line 2 of {} is 71 tokens long: the context of this",
        ),
        (lambda d: save(d, build("GPT2")), ["--prompts", "SHORT"], "line 1 of {} has 1 ordinary token: expected"),
        (lambda d: save(d, build("GPT2")), ["--prompts", "EMPTY"], "{} has no prompts"),
        (lambda d: save(d, build("GPT2")), ["--prompts", "MISSING"], "{} cannot be read"),
        (lambda d: save(d, build("GPT2")), ["--prompts", "BINARY"], "{} is not a text in UTF-8"),
        (lambda d: save(d, build("GPT2")), ["--prompts", "PROMPTS", "--seed", "1"], "--seed is about random tokens"),
        (lambda d: save(d, build("GPT2")), ["--period", "40"], "--period 40 makes sequences of 81 tokens"),
        (lambda d: save(d, build("GPT2")), ["--period", "1"], "at least 2 tokens"),
        (lambda d: save(d, build("GPT2")), ["--scores", "prefx"], "there is no score 'prefx'"),
        (lambda d: save(d, build("GPT2")), ["--scores", "prefix", "--show", "loss"], "not among --scores prefix"),
        (lambda d: save(d, build("GPT2")), ["--clamp", "Ablate(5:1)"], "layer 5 does not attend"),
        (lambda d: save(d, build("GPT2")), ["--clamp", "Ablte(1:1)"], "did you mean Ablate?"),
        (lambda d: save(d, build("GPT2")), ["--clamp", "Copy(1:1)"], "is about exemplars and labels"),
        (lambda d: save(d, build("GPT2")), ["--device", "gpu"], "there is no device 'gpu' here"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_status_2(
    make: Any, arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {
        "PROMPTS": b"w1 w2 w1",
        "LONG": b"w1 w2\n" + b"w3 " * 70,
        "SHORT": b"w1",
        "EMPTY": b"\n\n",
        "BINARY": b"\xff",
    }
    for name, content in texts.items():
        (tmp_path / name).write_bytes(content)
    arguments = [str(tmp_path / word) if word in texts or word == "MISSING" else word for word in arguments]
    model = make(tmp_path / "model")
    capsys.readouterr()
    assert main(["icl", "heads", model, *arguments]) == 2
    out, told = capsys.readouterr()
    assert words.replace("{}", "".join(arguments[-1:])) in told and told.startswith("zoo: ") and "Traceback" not in told
    assert not out


def previous_token_gpt2(tokens: int, positions: int) -> Any:
    """Head 0 of layer 0, made by hand, looks one back and notes the token; the attention of layer 1 is random.

    The stream holds position, token, note and answer side by side, one-hot; the logits are the answer. (A GPT-2 of this
    size that learns all of it from these sequences learns another circuit, in which layer 0 moves tokens by five.)
    """
    place, token, note, answer = (
        slice(start, start + size)
        for start, size in ((0, positions), *((positions + i * tokens, tokens) for i in range(3)))
    )
    width = positions + 3 * tokens
    options = {"vocab_size": tokens, "n_embd": width, "n_layer": 2, "n_head": 2, "n_positions": positions, "n_inner": 8}
    dropout = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            **options, **dropout, initializer_range=0.05, tie_word_embeddings=False, bos_token_id=0, eos_token_id=0
        )
    )
    body = model.transformer
    by_hand = [body.wpe, body.wte, body.h[0].attn, body.h[0].mlp, body.h[1].mlp, model.lm_head]
    with torch.no_grad():
        for parameter in (parameter for module in by_hand for parameter in module.parameters()):
            parameter.zero_()
        body.wpe.weight[:, place] = torch.eye(positions)
        body.wte.weight[:, token] = torch.eye(tokens)
        model.lm_head.weight[:, answer] = 4.0 * torch.eye(tokens)
        weight = body.h[0].attn.c_attn.weight
        weight[place, :positions] = 2.0 * torch.eye(positions).roll(-1, 1)
        weight[place, width : width + positions] = torch.eye(positions)
        weight[token, 2 * width : 2 * width + tokens] = torch.eye(tokens)
        body.h[0].attn.c_proj.weight[:tokens, note] = torch.eye(tokens)
    return model


def train_second_layer(model: Any, tokens: int, positions: int, steps: int) -> None:
    """On random tokens that repeat after a random while; layer 1 does not read positions."""
    generator = torch.Generator().manual_seed(0)
    attention = model.transformer.h[1].attn
    optimiser = torch.optim.Adam(attention.parameters(), lr=0.01)
    for _ in range(steps):
        period, between = (int(torch.randint(*ends, (), generator=generator)) for ends in ((4, 13), (0, 6)))
        copy, other = (torch.randint(1, tokens, (32, length), generator=generator) for length in (period, between))
        ids = torch.cat((torch.zeros(32, 1, dtype=torch.long), copy, other, copy), 1)
        logits = model(ids, use_cache=False).logits[:, -period:-1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1 - period :].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        attention.c_attn.weight.data[:positions] = 0.0


@pytest.mark.slow
def test_an_induction_head_that_was_trained_is_found_and_taken_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    model = previous_token_gpt2(24, 32)
    before = document([save(tmp_path / "before", model, tokenizer=False), "--period", "10"], capsys)
    assert before["induction_heads"] == [] and before["losses"]["predictable"]["mean"] > 2.5
    train_second_layer(model, 24, 32, 300)
    directory = save(tmp_path / "after", model, tokenizer=False)
    found = document([directory, "--period", "10"], capsys)
    (name,) = found["induction_heads"]
    assert name.startswith("1:") and found["losses"]["predictable"]["mean"] < 0.2
    assert found["sentence"].startswith(f"an induction head at {name}: prefix matching .9")
    heads = {entry["head"]: entry for entry in found["heads"]}
    assert heads["0:0"]["previous"]["mean"] > 0.99 and heads[name]["copying"]["mean"] > 0.9
    other = f"1:{1 - int(name[-1])}"
    assert heads[name]["loss"]["mean"] > 10 * abs(heads[other]["loss"]["mean"])
    without = document([directory, "--period", "10", "--clamp", f"Ablate({name})"], capsys)
    assert without["induction_heads"] == [] and without["sentence"].startswith("no induction head")
    assert np.isclose(
        without["losses"]["predictable"]["mean"], found["losses"]["predictable"]["mean"] + heads[name]["loss"]["mean"]
    )
