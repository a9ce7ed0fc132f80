"""Reward model ``hf:<folder or name>``: any sequence classifier that transformers can load."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from zoo_envs.text.language import LOCAL_ONLY, load_failure, no_progress_bars
from zoo_envs.text.samples import RewardModel, Sample

__all__ = ["SequenceClassifier"]

_AT_ONCE = 32
"""samples that are scored together"""


class SequenceClassifier(RewardModel):
    """Reads prompt and text as a pair, or a conversation through its own chat template where it has one.

    A classifier with one output is a reward model of the usual kind, and the output is the score. Of one with several
    the score is the probability of the label that is named after a "#" (``hf:folder#positive``), else of the last.
    Samples of about the same length are scored together; where the tokenizer has no token to fill up with, those of
    the same length.
    """

    def __init__(self, argument: str, seed: int) -> None:
        """See RewardModel."""
        import transformers

        name, _, label = argument.partition("#")
        if not name:
            raise ValueError("the reward model 'hf' needs a folder or a name of the Hugging Face hub: 'hf:NAME'")
        with no_progress_bars():
            try:
                self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(name, **LOCAL_ONLY)
                self._model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
                    name, dtype=torch.float32, use_safetensors=True, **LOCAL_ONLY
                ).eval()
            except (OSError, ValueError, KeyError) as error:
                raise ValueError(load_failure("sequence classifier", name, error)) from error
        labels = {str(text): int(number) for number, text in self._model.config.id2label.items()}
        if label and label not in labels:
            raise ValueError(f"{name!r} has no label {label!r}: its labels are {', '.join(labels)}")
        self._label = labels[label] if label else len(labels) - 1
        self._single = len(labels) == 1
        self._fills = self._tokenizer.pad_token_id is not None
        self._tokenizer.padding_side = "right"
        if self._model.config.get_text_config().pad_token_id is None:
            # Causal classifiers look for the last token that is none of these.
            self._model.config.get_text_config().pad_token_id = self._tokenizer.pad_token_id if self._fills else -1

    def prepare(self, device: str, columns: Collection[str]) -> None:
        """See RewardModel."""
        self._model.to(device)

    @torch.no_grad()
    def score(self, samples: Sequence[Sample]) -> NDArray[np.float64]:
        """See RewardModel."""
        read = [self._read(sample) for sample in samples]
        logits = torch.empty(len(samples), self._model.config.num_labels, dtype=torch.float64)
        for rows in self._batches([len(tokens["input_ids"]) for tokens in read]):
            filled = self._tokenizer.pad([read[row] for row in rows], padding=self._fills, return_tensors="pt")
            logits[rows] = self._model(**filled.to(self._model.device)).logits.double().cpu()
        scores: NDArray[np.float64] = (logits if self._single else logits.softmax(-1))[:, self._label].numpy()
        return scores

    def _read(self, sample: Sample) -> dict[str, list[int]]:
        if sample.messages and self._tokenizer.chat_template:
            return dict(self._tokenizer.apply_chat_template([*sample.asked(), *sample.answered()]))
        return dict(self._tokenizer(" ".join(sample.context), sample.text, truncation=True))

    def _batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Numbers of the samples that are scored together."""
        batch: list[int] = []
        for row in sorted(range(len(lengths)), key=lambda row: lengths[row]):
            if batch and (len(batch) == _AT_ONCE or (not self._fills and lengths[row] != lengths[batch[0]])):
                yield batch
                batch = []
            batch.append(row)
        yield batch
