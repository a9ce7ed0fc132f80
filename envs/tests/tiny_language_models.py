"""Random causal language models, classifiers and a word-level tokenizer, as folders."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

WORDS = (
    *("the", "a", "cat", "dog", "sat", "ran", "on", "mat", "road", "please", "tell", "me", "why", "yes", "no", "how"),
    *("are", "you", "user", "assistant", "system", ":", "q"),
)
SPECIAL = ("<end>", "<pad>", "<unknown>")
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }} : {{ message['content'] }} {% endfor %}"
    "{% if add_generation_prompt %}assistant :{% endif %}"
)
KINDS = ("gpt2", "llama")
POSITIONS = 48


def tokenizer(*, pad: bool = True, template: str | None = TEMPLATE, words: int = 0) -> Any:
    """Words separated by blanks, at least ``words`` of them; text ends with <end>."""
    more = [f"word{number}" for number in range(len(SPECIAL) + len(WORDS), words)]
    known = {token: number for number, token in enumerate((*SPECIAL, *WORDS, *more))}
    core = tokenizers.Tokenizer(WordLevel(known, unk_token="<unknown>"))
    core.pre_tokenizer = WhitespaceSplit()  # type: ignore[assignment]
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<end>", unk_token="<unknown>", pad_token="<pad>" if pad else None
    )
    made.chat_template = template
    return made


def _config(kind: str, size: int, **options: Any) -> Any:
    if kind == "gpt2":
        return transformers.GPT2Config(
            vocab_size=size, n_positions=POSITIONS, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0,
            attn_pdrop=0.0, resid_pdrop=0.0, embd_pdrop=0.0, **options,
        )  # fmt: skip
    return transformers.LlamaConfig(
        vocab_size=size, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=POSITIONS, bos_token_id=0, eos_token_id=0, **options,
    )  # fmt: skip


def _saved(cls: Any, config: Any, folder: Path, seed: int, made: Any) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = cls(config)
        for parameter in model.parameters():  # far from uniform, so that a mistake shows
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    made.save_pretrained(folder)
    return folder


def language_model(folder: Path, kind: str, seed: int = 0, **options: Any) -> Path:
    """Write a causal language model and its tokenizer into ``folder``."""
    cls = {"gpt2": transformers.GPT2LMHeadModel, "llama": transformers.LlamaForCausalLM}[kind]
    made = tokenizer(**options)
    return _saved(cls, _config(kind, len(made)), folder, seed, made)


def classifier(folder: Path, kind: str, seed: int = 0, labels: int = 1, **options: Any) -> Path:
    """Write a reward model with one output, or a classifier with several, into ``folder``."""
    cls = {
        "gpt2": transformers.GPT2ForSequenceClassification, "llama": transformers.LlamaForSequenceClassification
    }[kind]  # fmt: skip
    made = tokenizer(**options)
    config = _config(kind, len(made), num_labels=labels, pad_token_id=made.pad_token_id)
    return _saved(cls, config, folder, seed, made)


def adapter(folder: Path, base: Path, seed: int = 0, **options: Any) -> Path:
    """Write a LoRA adapter of the language model in ``base`` into ``folder``; it changes what the model says."""
    import peft

    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    given: dict[str, Any] = {"r": 2, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft uses what transformers deprecates
        torch.manual_seed(seed)
        adapted = peft.get_peft_model(model, peft.LoraConfig(**{**given, **options}))
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.3)
        adapted.save_pretrained(folder)
    return folder
