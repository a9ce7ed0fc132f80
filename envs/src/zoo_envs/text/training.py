"""The tiny language model: a word-level tokenizer and a GPT-2 of two layers, trained here on the grammar's dialogues.

The result is a folder like those of the Hugging Face hub: config, safetensors, tokenizer. Nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import logging
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tokenizers
import torch
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from torch.nn.functional import cross_entropy

from zoo_envs.text import grammar
from zoo_envs.text.cache import cached
from zoo_envs.text.language import no_progress_bars

if TYPE_CHECKING:
    import transformers

__all__ = ["END", "Training", "train_or_load"]

END = "<end>"
"""what ends an utterance"""
_UNKNOWN = "<unknown>"
_STREAM = 0
"""of the grammar: dialogues to train on"""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Training:
    """What determines the tiny model, beside this module, the grammar, and the versions of libraries.

    Attributes:
        seed: of the corpus, the initial weights and the order of the dialogues.
        steps: gradient steps; 600 take about a minute on one core.
        batch: dialogues in each step.
        corpus: number of dialogues.
        turns: utterances in each.
        layers: of the transformer.
        width: of its vectors.
        heads: of its attention.
        positions: tokens that it can read at most.
        rate: largest step size of AdamW; it rises for a tenth of the steps, then falls to 0 as a half cosine.
    """

    seed: int = 0
    steps: int = 600
    batch: int = 32
    corpus: int = 6000
    turns: int = 6
    layers: int = 2
    width: int = 64
    heads: int = 4
    positions: int = 128
    rate: float = 4e-3


def train_or_load(root: Path, training: Training) -> Path:
    """Return the folder of the model that `training` describes, made at the first call.

    Args:
        root: the folder of all such models, see `zoo_envs.text.cache.folder`.
        training: what to train.
    """
    import transformers

    code = b"".join(Path(str(module.__file__)).read_bytes() for module in (grammar, sys.modules[__name__]))
    recipe = {
        **asdict(training),
        "code_sha256": hashlib.sha256(code).hexdigest(),
        **{module.__name__: module.__version__ for module in (np, tokenizers, torch, transformers)},
    }
    return cached(root, "language-model", recipe, lambda folder: _train(folder, training))


def _train(folder: Path, training: Training) -> None:
    import transformers

    drawn = grammar.dialogues(training.seed, _STREAM, training.corpus, training.turns)
    said = [[utterance.text for utterance in dialogue] for dialogue in drawn]
    tokenizer = _tokenizer(said)
    end = tokenizer.eos_token_id
    # Every utterance is followed by the end, and something must stand before the first word.
    lines = [[end, *(token for text in dialogue for token in (*tokenizer.encode(text), end))] for dialogue in said]
    longest = min(max(map(len, lines)), training.positions)
    ignored = -100
    corpus = torch.full((len(lines), longest), ignored)
    for row, line in zip(corpus, lines, strict=True):
        row[: len(line)] = torch.tensor(line[:longest])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        model = transformers.GPT2LMHeadModel(_config(len(tokenizer), end, training))
        _fit(model, corpus, ignored, training)
    with no_progress_bars():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _tokenizer(said: Sequence[Sequence[str]]) -> Any:
    import transformers

    vocab_size = sorted({word for dialogue in said for text in dialogue for word in text.split()})
    vocabulary = {token: number for number, token in enumerate([END, _UNKNOWN, *vocab_size])}
    core = tokenizers.Tokenizer(WordLevel(vocabulary, unk_token=_UNKNOWN))
    core.pre_tokenizer = WhitespaceSplit()
    tokenizer: Any = transformers.PreTrainedTokenizerFast
    return tokenizer(tokenizer_object=core, eos_token=END, unk_token=_UNKNOWN)


def _config(vocab_size: int, end: int, training: Training) -> transformers.GPT2Config:
    import transformers

    return transformers.GPT2Config(
        vocab_size=vocab_size,
        n_positions=training.positions,
        n_embd=training.width,
        n_layer=training.layers,
        n_head=training.heads,
        activation_function="gelu_pytorch_tanh",  # the same function as "gelu_new", in one operation
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=end,
        eos_token_id=end,
    )


def _fit(model: Any, corpus: torch.Tensor, ignored: int, training: Training) -> None:
    optimiser = torch.optim.AdamW(model.parameters(), lr=training.rate, betas=(0.9, 0.95), weight_decay=0.01)
    began = time.perf_counter()
    model.train()
    for step in range(training.steps):
        warm = min(1.0, (step + 1) / max(1, training.steps // 10))
        for group in optimiser.param_groups:
            group["lr"] = training.rate * warm * 0.5 * (1 + math.cos(math.pi * step / training.steps))
        batch = corpus[torch.randint(len(corpus), (training.batch,))]
        logits = model(input_ids=batch.clamp(min=0)).logits[:, :-1]
        loss: Any = cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten(), ignore_index=ignored)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step % 100 == 0:
            _logger.warning(
                "training the tiny language model: step %d of %d, %.2f nats for a token",
                step, training.steps, loss.item(),
            )  # fmt: skip
    _logger.warning("trained in %.0f s; the model is kept for the next time", time.perf_counter() - began)
