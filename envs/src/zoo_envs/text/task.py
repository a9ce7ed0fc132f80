"""Shared by both forms of the environment: prompts, the frozen reference, reward models and evaluation."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo_envs.text.cache import folder
from zoo_envs.text.grammar import Utterance, dialogues
from zoo_envs.text.language import Reference, WindowModel, load
from zoo_envs.text.options import Options
from zoo_envs.text.prompts.windows import Prompts
from zoo_envs.text.quality import NAMES, Quality
from zoo_envs.text.samples import Sample
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
_GRAMMAR_COLUMNS = ("reference", "intent")
"""what reward functions are told of each of them"""

Tokens = NDArray[np.int64]


class TextTask:
    """Prompts that a policy continues token by token, and scores of the finished continuations.

    Args:
        options: of the task.

    Attributes:
        reference: the frozen language model.
        rewards: the reward models, N, by name.
        padding: V, the padding of a window, which is not a token; tokens are 0 to V-1.
        width: D, the length of a window.
        evaluation_names: of what measures the true quality; none where the prompts are not the grammar's.
        digest: of the prompts, where they are not the grammar's; else empty.

    Raises:
        ValueError: a model or a prompt cannot be loaded, or an option does not fit it.
    """

    def __init__(self, options: Options) -> None:
        self._limit = options.new_tokens
        self.width = options.context_tokens + options.new_tokens
        self.rewards = reward_models(options.reward_models, options.seed)
        own = options.prompts is not None
        for name, reward in self.rewards.items():
            if own and getattr(reward, "grammar", False):  # another package's class may know only the rest
                raise ValueError(
                    f"the reward model {name!r} compares with the grammar's dialogues, and prompts = "
                    f"{options.prompts!r}: expected reward_models that can score them"
                )
        model, self._tokenizer = _language_model(options)
        self.padding = model.vocabulary
        readable = getattr(model.model.config.get_text_config(), "max_position_embeddings", self.width)
        if self.width > readable:
            raise ValueError(
                f"context_tokens + new_tokens must be at most {readable}, which {options.language_model!r} can read, "
                f"got {self.width}"
            )
        self.reference = Reference(model, options.top_k)
        self._end = int(self._tokenizer.eos_token_id)
        self._ends = np.array(sorted({self._end, *model.ends}))
        self.evaluation_names: tuple[str, ...] = () if own else NAMES
        self._quality = None if own else Quality(options.seed)
        self._longest = options.context_tokens
        columns: tuple[str, ...] = _GRAMMAR_COLUMNS
        if options.prompts is not None:
            given = Prompts(
                options.prompts, options.column, options.chat_template, self._tokenizer, self._longest, self.padding
            )
            self._samples, self._tokens, columns, self.digest = given.samples, given.tokens, given.columns, given.digest
        else:
            drawn = dialogues(options.seed, _STREAM, _PROMPTS, options.context + 1)
            self._samples = [_sample(dialogue) for dialogue in drawn]
            self._tokens = np.stack([self._read(asked.context) for asked in self._samples])
            self.digest = ""
        for reward in self.rewards.values():
            if hasattr(reward, "prepare"):
                reward.prepare(options.device, columns)

    @property
    def prompts(self) -> int:
        """How many prompts there are."""
        return len(self._tokens)

    def begin(self, prompts: Tokens) -> Tokens:
        """Return the windows int64[n,D] with which episodes of these prompts [n] begin."""
        windows = np.full((len(prompts), self.width), self.padding, dtype=np.int64)
        windows[:, self._limit :] = self._tokens[prompts]
        return windows

    def _read(self, context: tuple[str, ...]) -> Tokens:
        tokens = [self._end]
        for text in context:
            tokens += [*self._tokenizer.encode(text, add_special_tokens=False), self._end]
        return window(tokens, self._longest, self.padding)

    def write(self, windows: Tokens, written: Tokens, tokens: Tokens) -> tuple[Tokens, NDArray[np.bool_]]:
        """Append `tokens` [n] to `windows` [n,D] that have `written` [n] already.

        Returns:
            The windows, and which episodes end by it, bool[n]: by the token that ends an utterance, or by length.
        """
        return appended(windows, tokens), np.isin(tokens, self._ends) | (written + 1 >= self._limit)

    def score(
        self, prompts: Tokens, windows: Tokens, written: Tokens, ended: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return the scores float64[n,N] and the evaluation float32[n,k] of episodes; 0 where not `ended`.

        Args:
            prompts: their numbers, [n].
            windows: as they are now, [n,D].
            written: how many tokens the policy wrote, [n].
            ended: bool[n].
        """
        scores = np.zeros((len(windows), len(self.rewards)))
        evaluation = np.zeros((len(windows), len(self.evaluation_names)), dtype=np.float32)
        rows = np.flatnonzero(ended)
        if rows.size:
            samples = [self._finished(int(prompts[row]), windows[row], int(written[row])) for row in rows]
            scores[rows] = np.stack([model.score(samples) for model in self.rewards.values()], axis=1)
            if self._quality is not None:
                evaluation[rows] = self._quality.measure(samples)
        return scores, evaluation

    def _finished(self, prompt: int, window: Tokens, written: int) -> Sample:
        ids = self._written(window, written)
        return self._samples[prompt]._replace(text=self._decoded(ids), ids=tuple(ids))

    def _written(self, window: Tokens, written: int) -> list[int]:
        """The last `written` tokens of `window`, without the end."""
        tokens = window[self.width - written :]
        kept: list[int] = tokens[~np.isin(tokens, self._ends)].tolist()
        return kept

    def _decoded(self, tokens: list[int]) -> str:
        found = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(found).strip()

    def line(self, prompt: int, window: Tokens, written: int) -> str:
        """Return the context and the text so far as one line."""
        said = [*self._samples[prompt].context, self._decoded(self._written(window, written))]
        return " / ".join(" ".join(text.split()) for text in said) + "\n"


def _sample(dialogue: tuple[Utterance, ...]) -> Sample:
    """What is asked of the policy: to say what the last utterance of a dialogue says."""
    last = dialogue[-1]
    columns = dict(zip(_GRAMMAR_COLUMNS, (last.text, last.intent), strict=True))
    return Sample(tuple(said.text for said in dialogue[:-1]), "", last.text, last.intent, columns=columns)


@lru_cache(maxsize=8)
def text_task(options: Options) -> TextTask:
    """Return the task of `options`; environments with the same options share it, for it never changes."""
    return TextTask(options)


@lru_cache(maxsize=4)
def _loaded(name: str, device: str, adapter: str | None) -> tuple[WindowModel, transformers.PreTrainedTokenizerBase]:
    return load(name, device, adapter)


def _language_model(options: Options) -> tuple[WindowModel, transformers.PreTrainedTokenizerBase]:
    name = options.language_model
    if name == LOCAL:
        name = str(train_or_load(folder(options.cache), Training(seed=options.seed)))
    return _loaded(name, options.device, options.adapter)
