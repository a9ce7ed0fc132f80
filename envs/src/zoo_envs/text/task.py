"""Shared by both forms of the environment: prompts, the frozen reference, reward models and evaluation."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo_envs.text.cache import folder
from zoo_envs.text.grammar import dialogues
from zoo_envs.text.language import Reference, WindowModel, load
from zoo_envs.text.options import Options
from zoo_envs.text.quality import Quality
from zoo_envs.text.samples import RewardModel, Sample
from zoo_envs.text.scorers import reward_models
from zoo_envs.text.training import Training, train_or_load
from zoo_envs.text.windows import appended, window

if TYPE_CHECKING:
    import transformers

__all__ = ["LOCAL", "TextTask", "text_task"]

LOCAL = "local"
"""name of the tiny model that is trained here"""
_STREAM = 3
"""stream of the grammar whose dialogues are the prompts"""
_PROMPTS = 1024

Tokens = NDArray[np.int64]


class TextTask:
    """Prompts that a policy continues token by token, and scores of the finished continuations.

    Args:
        options: of the task.

    Attributes:
        reference: the frozen language model.
        rewards: the reward models, N.
        padding: V, the padding of a window, which is not a token; tokens are 0 to V-1.
        width: D, the length of a window.

    Raises:
        ValueError: a model cannot be loaded, or an option does not fit it.
    """

    def __init__(self, options: Options) -> None:
        self._limit = options.new_tokens
        self.width = options.context_tokens + options.new_tokens
        self.rewards: list[RewardModel] = reward_models(options.reward_models, options.seed)
        self._quality = Quality(options.seed)
        self._model, self._tokenizer = _language_model(options)
        self.padding = self._model.vocabulary
        readable = getattr(self._model.model.config, "max_position_embeddings", self.width)
        if self.width > readable:
            raise ValueError(
                f"context_tokens + new_tokens must be at most {readable}, which {options.language_model!r} can read, "
                f"got {self.width}"
            )
        self.reference = Reference(self._model, options.top_k)
        self._end = int(self._tokenizer.eos_token_id)
        drawn = dialogues(options.seed, _STREAM, _PROMPTS, options.context + 1)
        self._samples = [
            Sample(tuple(said.text for said in dialogue[:-1]), "", dialogue[-1].text, dialogue[-1].intent)
            for dialogue in drawn
        ]
        self.prompts: Tokens = np.stack(
            [self._prompt(asked.context, options.context_tokens) for asked in self._samples]
        )
        """windows int64[prompts,D] with which episodes begin"""

    def _prompt(self, context: tuple[str, ...], most: int) -> Tokens:
        tokens = [self._end]
        for text in context:
            tokens += [*self._tokenizer.encode(text, add_special_tokens=False), self._end]
        return window(tokens[-most:], self.width, self.padding)

    def write(self, windows: Tokens, written: Tokens, tokens: Tokens) -> tuple[Tokens, NDArray[np.bool_]]:
        """Append `tokens` [n] to `windows` [n,D] that have `written` [n] already.

        Returns:
            The windows, and which episodes end by it, bool[n]: by the token that ends an utterance, or by length.
        """
        return appended(windows, tokens), (tokens == self._end) | (written + 1 >= self._limit)

    def score(
        self, prompts: Tokens, windows: Tokens, written: Tokens, ended: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return the scores float64[n,N] and the evaluation float32[n,2] of episodes; 0 where not `ended`.

        Args:
            prompts: their numbers, [n].
            windows: as they are now, [n,D].
            written: how many tokens the policy wrote, [n].
            ended: bool[n].
        """
        scores = np.zeros((len(windows), len(self.rewards)))
        evaluation = np.zeros((len(windows), 2), dtype=np.float32)
        rows = np.flatnonzero(ended)
        if rows.size:
            samples = [
                self._samples[prompts[row]]._replace(text=self.text(windows[row], int(written[row]))) for row in rows
            ]
            scores[rows] = np.stack([model.score(samples) for model in self.rewards], axis=1)
            evaluation[rows] = self._quality.measure(samples)
        return scores, evaluation

    def text(self, window: Tokens, written: int) -> str:
        """Return the last `written` tokens of `window` as text, without the end."""
        tokens = window[self.width - written :]
        kept = tokens[tokens != self._end].tolist()
        found = self._tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(found).strip()

    def line(self, prompt: int, window: Tokens, written: int) -> str:
        """Return the context and the text so far as one line."""
        return " / ".join([*self._samples[prompt].context, self.text(window, written)]) + "\n"


@lru_cache(maxsize=8)
def text_task(options: Options) -> TextTask:
    """Return the task of `options`; environments with the same options share it, for it never changes."""
    return TextTask(options)


@lru_cache(maxsize=4)
def _loaded(name: str, device: str) -> tuple[WindowModel, transformers.PreTrainedTokenizerBase]:
    return load(name, device)


def _language_model(options: Options) -> tuple[WindowModel, transformers.PreTrainedTokenizerBase]:
    name = options.language_model
    if name == LOCAL:
        name = str(train_or_load(folder(options.cache), Training(seed=options.seed)))
    return _loaded(name, options.device)
