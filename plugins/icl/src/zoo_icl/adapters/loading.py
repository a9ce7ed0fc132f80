"""A causal language model from a directory of Hugging Face transformers: weights as safetensors, nothing executed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import UsageError
from zoo_icl.adapters.attention import EAGER, text_config

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
_WEIGHTS = "*.safetensors"
_PICKLES = ("*.bin", "*.pt", "*.pth")


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A model and what its directory says about tokens.

    Attributes:
        model: in float32, without dropout, with eager attention.
        tokenizer: None: the directory has none.
        known: ids of ordinary tokens.
        start: the id that begins a text; None: there is none.
    """

    model: Any
    tokenizer: Any
    known: NDArray[np.int64]
    start: int | None

    @property
    def context(self) -> int | None:
        """Tokens at most; None: not known."""
        longest: int | None = getattr(text_config(self.model), "max_position_embeddings", None)
        return longest


def load_model(directory: Path, device: str = "cpu") -> LanguageModel:
    """Read ``directory``.

    Raises:
        UsageError: transformers is missing, or there is no causal language model in it that can be read safely.
    """
    try:
        import transformers
    except ImportError as error:
        raise UsageError(
            "models of Hugging Face need transformers, which is not installed.", "pip install 'zoo-icl[hf]'"
        ) from error
    if not directory.is_dir():
        raise UsageError(f"{directory} is not a directory: expected one that save_pretrained has written.")
    if not (directory / "config.json").is_file():
        ours = (directory / "spec.json").is_file()
        raise UsageError(
            f"{directory} has no config.json: expected a directory that save_pretrained has written.",
            f"It is a run of zoo: zoo eval {directory} icl-induction judges its heads." if ours else "",
        )
    with _quiet(), _one_sentence(directory):
        config = transformers.AutoConfig.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
    if getattr(config, "is_encoder_decoder", False):
        raise UsageError(
            f"{directory} holds a model with an encoder and a decoder, {config.model_type}: expected a causal language "
            "model."
        )
    if type(config) not in transformers.AutoModelForCausalLM._model_mapping:
        raise UsageError(f"{directory} holds no causal language model, but {config.model_type}.")
    _check_weights(directory)
    with _quiet(), _one_sentence(directory):
        model, loading = transformers.AutoModelForCausalLM.from_pretrained(
            directory, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype="float32",
            attn_implementation=EAGER, output_loading_info=True,
        )  # fmt: skip
    if missing := sorted(loading["missing_keys"]):
        raise UsageError(
            f"{directory} lacks the weights of {len(missing)} parameters, such as {missing[0]}: expected all."
        )
    try:
        model.to(device)
    except (RuntimeError, AssertionError) as error:  # torch built without the device raises the latter
        raise UsageError(f"there is no device {device!r} here: expected one such as cpu.") from error
    tokenizer = None
    if any((directory / name).is_file() for name in _TOKENIZER_FILES):
        with _quiet(), _one_sentence(directory):
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                directory, local_files_only=True, trust_remote_code=False
            )
    return LanguageModel(model.eval(), tokenizer, *_ordinary(model, tokenizer))


def _check_weights(directory: Path) -> None:
    """Refuse directories without weights that can be read safely."""
    if any(directory.glob(_WEIGHTS)):
        return
    if pickles := sorted(path.name for pattern in _PICKLES for path in directory.glob(pattern)):
        raise UsageError(
            f"{directory} has its weights in {pickles[0]}, a pickle, which runs code where it is read: expected "
            "model.safetensors.",
            "model.save_pretrained(DIR) writes it.",
        )
    raise UsageError(f"{directory} has no weights: expected model.safetensors beside config.json.")


def _ordinary(model: Any, tokenizer: Any) -> tuple[NDArray[np.int64], int | None]:
    """Ids that are not special, and the one that begins a text."""
    config = text_config(model)
    count = int(config.vocab_size)
    if tokenizer is None:
        special = {getattr(config, f"{which}_token_id", None) for which in ("bos", "eos", "pad")}
        start = getattr(config, "bos_token_id", None)
    else:
        count = min(count, len(tokenizer))
        added = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
        special, start = {*tokenizer.all_special_ids, *added}, tokenizer.bos_token_id
    flat = [index for each in special for index in (each if isinstance(each, list) else [each]) if index is not None]
    return np.setdiff1d(np.arange(count), flat), start


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' warnings and progress bars."""
    from transformers.utils import logging as of_transformers

    verbosity, bars = of_transformers.get_verbosity(), of_transformers.is_progress_bar_enabled()
    of_transformers.set_verbosity(logging.CRITICAL)
    of_transformers.disable_progress_bar()
    try:
        yield
    finally:
        of_transformers.set_verbosity(verbosity)
        if bars:
            of_transformers.enable_progress_bar()


@contextmanager
def _one_sentence(directory: Path) -> Iterator[None]:
    """Whatever transformers raises inside, as one sentence."""
    try:
        yield
    except Exception as error:  # of another library: it may be anything
        first = (str(error).strip().splitlines() or ["no message"])[0].rstrip(".")
        raise UsageError(f"{directory} cannot be read by transformers: {type(error).__name__}: {first}.") from error
