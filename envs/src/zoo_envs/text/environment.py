"""TextComposite: a language model writes the next utterance of a dialogue, and several reward models score it.

The task is that of arXiv:2310.04373, with a grammar of this package in place of DailyDialog
(docs/methods/composite-rm.md, section 9). The true quality of an utterance is reported for evaluation, and is never
part of the reward.

This module is light: torch and transformers are imported when an environment is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import DependencyNotInstalled, ResetNeeded
from numpy.typing import NDArray

from zoo_envs.batched import CopiesEnv, Info, Move
from zoo_envs.tabular.constraints import ConstraintSpec
from zoo_envs.tabular.lookup import batched_metadata, checked_render_mode, metadata, restored_generator, snapshot_entry
from zoo_envs.text.options import CONTEXT, Options
from zoo_envs.text.quality import evaluate
from zoo_envs.text.rewards.thresholds import constraints
from zoo_envs.validation import integer

if TYPE_CHECKING:
    from zoo_envs.text.language import WindowModel
    from zoo_envs.text.task import TextTask

__all__ = ["TextComposite", "TextCompositeVector"]

_REWARD_MODELS = ("ngram", "intent")


class _Task:
    """What the single and the batched environment share."""

    constraint_spec: ConstraintSpec
    """constraints on the reward models' mean scores of an episode, undiscounted"""
    _task: TextTask

    @property
    def constraint_ranges(self) -> NDArray[np.float64]:
        """Lowest and highest possible score of each reward model, float64[N,2]."""
        return np.array([model.range for model in self._task.rewards.values()])

    @property
    def evaluation_names(self) -> tuple[str, ...]:
        """Names of the entries of ``info["evaluation"]``; none, and no such entry, where prompts are given."""
        return self._task.evaluation_names

    def reference_logits(self, observations: NDArray[Any]) -> NDArray[np.float32]:
        """Return log pi0 of each next token, float32[...,V], for `observations` [...,D]; -1e4 where it is 0."""
        return self._task.reference.logits(observations)

    @property
    def top_k(self) -> int | None:
        """How many of the reference's most probable next tokens are possible; None: all."""
        return self._task.reference.top_k

    def reference_model(self) -> WindowModel:
        """Return the frozen reference's language model, a torch module that reads observations."""
        return self._task.reference.model

    def language_model(self, device: str | None = None) -> WindowModel:
        """Return a fresh copy of the reference's language model to be trained, on `device` or the reference's."""
        return self._task.reference.model.fresh(device)

    @property
    def evaluate(self) -> Callable[[NDArray[np.floating], float, NDArray[np.floating]], float] | None:
        """Mean scores [N], KL in nats and mean statistics [2] to the quality of a policy; None where prompts are given.

        The quality is in [0, 1], half lexical similarity, half diversity; scores and KL are unused.
        """
        return _quality if self._task.evaluation_names else None


def _quality(scores: NDArray[np.floating], kl: float, statistics: NDArray[np.floating]) -> float:
    return evaluate(statistics)


class TextComposite(_Task, gymnasium.Env[Any, Any]):
    """``zoo/TextComposite-v0``, one copy: write the next utterance of a dialogue; several reward models score it.

    Actions: the next token. Observations: windows int64[D], the tokens of the last utterances and of what was written
    so far at the right end, V before them. Rewards: the sum of the scores at the end, 0 before it. Ends: terminated
    with the token that ends an utterance, or the last of `new_tokens`. Each step's info has "constraints" float32[N],
    the scores, and "evaluation" float32[2]; both are 0 before the last step. Options: see `TextCompositeConfig`. No
    optimum is known.
    """

    metadata = metadata("ansi")

    def __init__(
        self,
        *,
        language_model: str = "local",
        adapter: str | None = None,
        prompts: str | None = None,
        column: str = "prompt",
        chat_template: str | None = None,
        reward_models: tuple[str, ...] = _REWARD_MODELS,
        thresholds: Mapping[str, float] | None = None,
        sense: Literal[">=", "=="] = ">=",
        context: int = CONTEXT,
        context_tokens: int = 32,
        new_tokens: int = 20,
        top_k: int | None = None,
        seed: int = 0,
        cache: str | None = None,
        device: str = "cpu",
        render_mode: str | None = None,
    ) -> None:
        """Make one copy. The first environment with the model "local" trains it, which takes a minute.

        Args:
            language_model: "local", a folder, or a name in the Hugging Face hub's cache, of a causal language model.
            adapter: folder of a LoRA adapter of it, which alone is trained; None: the whole model is.
            prompts: a file or a data set on disk, see `zoo_envs.text.prompts.rows`; None: the grammar's dialogues.
            column: the field of the prompt there.
            chat_template: "tokenizer", or a file; None: the tokenizer's for conversations, none for texts.
            reward_models: names of registered functions or of entry points in the group ``zoo_envs.reward_models``,
                with ":argument"; "NAME=" before it gives it another name.
            thresholds: of the mean scores, by name of reward model; by default the reward model's own.
            sense: sense of all constraints.
            context: of the grammar, utterances before the one to be written, at least 1.
            context_tokens: how many of their last tokens are read, at least 1; prompts may not have more.
            new_tokens: tokens after which an episode ends, at least 1.
            top_k: only the reference's `top_k` most probable tokens are possible, at least 2; None: all.
            seed: seed of the grammar and the local model (not of the sampled episodes), at least 0.
            cache: folder of the local model; None: ZOO_ENVS_CACHE, else the system's cache folder.
            device: torch device of the reference model.
            render_mode: None or "ansi".

        Raises:
            ValueError: an argument is outside its range, or a model cannot be loaded.
            DependencyNotInstalled: torch, transformers or tokenizers is missing.
        """
        options = Options(
            language_model=language_model, adapter=adapter, prompts=prompts, column=column,
            chat_template=chat_template, reward_models=reward_models, context=context, context_tokens=context_tokens,
            new_tokens=new_tokens, top_k=top_k, seed=seed, cache=cache, device=device,
        )  # fmt: skip
        self._task = _task(options)
        self.constraint_spec = constraints(self._task.rewards, thresholds, sense)
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        self.observation_space, self.action_space = _spaces(self._task)
        self._prompt = np.zeros(1, dtype=np.int64)
        self._written = np.zeros(1, dtype=np.int64)
        self._window: NDArray[np.int64] | None = None
        self._ended = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Draw a prompt."""
        super().reset(seed=seed)
        self._prompt = self.np_random.integers(self._task.prompts, size=1)
        self._written[:] = 0
        self._window = self._task.begin(self._prompt)
        self._ended = False
        return self._window[0].copy(), {}

    def step(self, action: int | np.integer[Any]) -> tuple[NDArray[np.int64], float, bool, bool, dict[str, Any]]:
        """Append the token `action`.

        Raises:
            ResetNeeded: `reset` was never called, or the utterance is complete.
            ValueError: `action` is not a token.
        """
        before = self._current()
        if self._ended:
            raise ResetNeeded("call reset() first: the utterance is complete")
        token = integer("action", action, 0, self._task.padding - 1)
        self._window, ended = self._task.write(before, self._written, np.array([token]))
        self._written += 1
        self._ended = bool(ended[0])
        scores, evaluation = self._task.score(self._prompt, self._window, self._written, ended)
        info = {"constraints": scores[0].astype(np.float32)}
        if self.evaluation_names:
            info["evaluation"] = evaluation[0]
        return self._window[0].copy(), float(scores.sum()), self._ended, False, info

    def render(self) -> Any:
        """Return context and text so far, between slashes, as a line ("ansi"), or None where no mode was chosen."""
        if self.render_mode is None:
            return None
        return self._task.line(int(self._prompt[0]), self._current()[0], int(self._written[0]))

    def get_state(self) -> dict[str, Any]:
        """Return everything needed to continue: {"state": the window, "prompt", "written", "ended", "rng"}.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        return {
            "state": self._current()[0].copy(),
            "prompt": int(self._prompt[0]),
            "written": int(self._written[0]),
            "ended": int(self._ended),
            "rng": self.np_random.bit_generator.state,
            **_named_prompts(self._task),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment.
        """
        window, prompt, written = _restored(self._task, state, ())
        ended = snapshot_entry(state, "ended", (), 2)
        self.np_random = restored_generator(state)
        self._window, self._prompt, self._written = window[None], prompt[None], written[None]
        self._ended = bool(ended)

    def _current(self) -> NDArray[np.int64]:
        if self._window is None:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        return self._window


class TextCompositeVector(_Task, CopiesEnv):
    """``zoo/TextComposite-v0``, `num_envs` copies; see `TextComposite` and `CopiesEnv`.

    ``infos["constraints"]`` is float32[n,N], ``infos["evaluation"]`` float32[n,2].
    """

    metadata = batched_metadata("ansi")
    STATE_ARRAYS = ("_state", "_prompt", "_written")

    def __init__(
        self,
        num_envs: int = 1,
        *,
        language_model: str = "local",
        adapter: str | None = None,
        prompts: str | None = None,
        column: str = "prompt",
        chat_template: str | None = None,
        reward_models: tuple[str, ...] = _REWARD_MODELS,
        thresholds: Mapping[str, float] | None = None,
        sense: Literal[">=", "=="] = ">=",
        context: int = CONTEXT,
        context_tokens: int = 32,
        new_tokens: int = 20,
        top_k: int | None = None,
        seed: int = 0,
        cache: str | None = None,
        device: str = "cpu",
        render_mode: str | None = None,
    ) -> None:
        """Make `num_envs` copies; arguments and errors as of `TextComposite`."""
        options = Options(
            language_model=language_model, adapter=adapter, prompts=prompts, column=column,
            chat_template=chat_template, reward_models=reward_models, context=context, context_tokens=context_tokens,
            new_tokens=new_tokens, top_k=top_k, seed=seed, cache=cache, device=device,
        )  # fmt: skip
        self._task = _task(options)
        self.constraint_spec = constraints(self._task.rewards, thresholds, sense)
        super().__init__(num_envs, *_spaces(self._task))
        self.render_mode = checked_render_mode(render_mode, self.metadata["render_modes"])
        # The state of a copy is its window, as the observation is.
        self._state = np.full((self.num_envs, self._task.width), -1, dtype=np.int64)
        self._prompt = np.zeros(self.num_envs, dtype=np.int64)
        self._written = np.zeros(self.num_envs, dtype=np.int64)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Draw a prompt for every copy; `seed` starts the one random stream anew."""
        super().reset(seed=seed)
        self._begin(np.ones(self.num_envs, dtype=np.bool_))
        return self._observe(self._state), {}

    def render(self) -> tuple[Any, ...] | None:
        """Return every copy rendered as by `TextComposite.render`, or None where no mode was chosen."""
        if self.render_mode is None:
            return None
        shown = zip(self._prompt.tolist(), self._current(), self._written.tolist(), strict=True)
        return tuple(self._task.line(*copy) for copy in shown)

    def get_state(self) -> dict[str, Any]:
        """Return all needed to continue: {"state": int64[n,D], "prompt": int64[n], "written": int64[n], "rng"}.

        Raises:
            ResetNeeded: there is nothing to continue yet.
        """
        return {
            "state": self._current().copy(),
            "prompt": self._prompt.copy(),
            "written": self._written.copy(),
            "rng": self.np_random.bit_generator.state,
            **_named_prompts(self._task),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned; on an error nothing changes.

        Raises:
            ValueError: `state` is not a snapshot of this environment with this number of copies.
        """
        windows, prompts, written = _restored(self._task, state, (self.num_envs,))
        self.np_random = restored_generator(state)
        self._state[:], self._prompt[:], self._written[:] = windows, prompts, written

    def _advance(self, actions: NDArray[np.integer[Any]]) -> Move:
        task, before = self._task, self._current()
        arrived, ended = task.write(before, self._written, self._checked(actions))
        self._written += 1
        # Each member of a stack by itself: what is scored together may decide how a model rounds.
        parts = np.split(np.arange(self.num_envs), len(self._stacked) or 1)
        found = [task.score(self._prompt[part], arrived[part], self._written[part], ended[part]) for part in parts]
        scores, evaluation = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        self._state[:] = arrived
        any_ended = bool(ended.any())
        if any_ended:
            self._begin(ended)
        signals: Info = {"constraints": scores.astype(np.float32)}
        if self.evaluation_names:
            signals["evaluation"] = evaluation
        return Move(
            arrived, scores.sum(1), ended, np.zeros_like(ended), ended.copy() if any_ended else None, signals, {}
        )

    def _begin(self, where: NDArray[np.bool_]) -> None:
        """Start a new episode in the copies `where` bool[n]."""
        members = self._stacked or (self,)
        counts = where.reshape(len(members), -1).sum(1).tolist()
        prompts = self._task.prompts
        # Generators are looked up anew: resetting or restoring a member may have replaced its own.
        drawn = [member.np_random.integers(prompts, size=count) for member, count in zip(members, counts, strict=True)]
        self._prompt[where] = np.concatenate(drawn)
        self._written[where] = 0
        self._state[where] = self._task.begin(self._prompt[where])

    def _current(self) -> NDArray[np.int64]:
        if self._state[0, 0] < 0:
            raise ResetNeeded("call reset() first: the environment has no state yet")
        return self._state

    def _differs_only_in_seed(self, other: Any) -> bool:
        # Thresholds and sense decide nothing that a step returns.
        return type(self) is type(other) and self.num_envs == other.num_envs and self._task is other._task

    def _observe(self, state: NDArray[np.int64]) -> NDArray[np.int64]:
        return state.copy()


def _task(options: Options) -> TextTask:
    try:
        from zoo_envs.text.task import text_task
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("zoo_envs"):
            raise
        raise DependencyNotInstalled(
            f"text-composite needs {error.name}, which is not installed: pip install 'zoo-envs[text]'"
        ) from error
    return text_task(options)


def _spaces(task: TextTask) -> tuple[spaces.Box, spaces.Discrete]:
    return spaces.Box(0, task.padding, shape=(task.width,), dtype=np.int64), spaces.Discrete(task.padding)


def _named_prompts(task: TextTask) -> dict[str, str]:
    return {"prompts": task.digest} if task.digest else {}


def _restored(
    task: TextTask, state: Mapping[str, Any], copies: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    if state.get("prompts", "") != task.digest:
        raise ValueError("the snapshot is of other prompts: the file, its template or the tokenizer has changed")
    windows = snapshot_entry(state, "state", (*copies, task.width), task.padding + 1)
    prompts = snapshot_entry(state, "prompt", copies, task.prompts)
    return windows, prompts, snapshot_entry(state, "written", copies, task.width)
