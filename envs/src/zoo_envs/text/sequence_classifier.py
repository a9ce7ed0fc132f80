"""Reward model ``hf:<folder or name>``: any sequence classifier that transformers can load."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from zoo_envs.text.language import load_failure, no_progress_bars
from zoo_envs.text.samples import RewardModel, Sample

__all__ = ["SequenceClassifier"]


class SequenceClassifier(RewardModel):
    """Reads the context and the text as a pair.

    A classifier with one output is a reward model of the usual kind, and the output is the score. Of one with several
    the score is the probability of the label that is named after a "#" (``hf:folder#positive``), else of the last.
    """

    def __init__(self, argument: str, seed: int) -> None:
        """See RewardModel."""
        import transformers

        name, _, label = argument.partition("#")
        if not name:
            raise ValueError("the reward model 'hf' needs a folder or a name of the Hugging Face hub: 'hf:NAME'")
        with no_progress_bars():
            try:
                self._tokenizer = transformers.AutoTokenizer.from_pretrained(name)
                self._model = transformers.AutoModelForSequenceClassification.from_pretrained(name).eval()
            except (OSError, ValueError, KeyError) as error:
                raise ValueError(load_failure("sequence classifier", name, error)) from error
        labels = {str(text): int(number) for number, text in self._model.config.id2label.items()}
        if label and label not in labels:
            raise ValueError(f"{name!r} has no label {label!r}: its labels are {', '.join(labels)}")
        self._label = labels[label] if label else len(labels) - 1
        self._single = len(labels) == 1

    @torch.no_grad()
    def score(self, samples: Sequence[Sample]) -> NDArray[np.float64]:
        """See RewardModel."""
        # One at a time: padding to the longest of a batch would let rounding depend on the others.
        rows = [self._logits(sample) for sample in samples]
        logits = torch.cat(rows).double()
        scores: NDArray[np.float64] = (logits if self._single else logits.softmax(-1))[:, self._label].numpy()
        return scores

    def _logits(self, sample: Sample) -> torch.Tensor:
        read = self._tokenizer(" ".join(sample.context), sample.text, truncation=True, return_tensors="pt")
        logits: torch.Tensor = self._model(**read).logits
        return logits
