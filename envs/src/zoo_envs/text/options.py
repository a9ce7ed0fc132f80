"""Options of a text task, checked."""

from __future__ import annotations

from dataclasses import dataclass

from zoo_envs.validation import integer

__all__ = ["CONTEXT", "Options"]

CONTEXT = 3
"""default of ``context``"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """All that a task depends on; see `TextCompositeConfig` for the meanings."""

    language_model: str
    adapter: str | None
    prompts: str | None
    column: str
    chat_template: str | None
    reward_models: tuple[str, ...]
    context: int
    context_tokens: int
    new_tokens: int
    top_k: int | None
    seed: int
    cache: str | None
    device: str

    def __post_init__(self) -> None:
        """Check every range.

        Raises:
            ValueError: an option is outside its range.
        """
        given: object = self.reward_models
        if not isinstance(given, tuple | list) or not all(isinstance(name, str) for name in given):
            raise ValueError(f"reward_models must be a tuple of names, got {self.reward_models!r}")
        object.__setattr__(self, "reward_models", tuple(self.reward_models))
        for name in ("context", "context_tokens", "new_tokens"):
            integer(name, getattr(self, name), 1)
        integer("seed", self.seed, 0)
        if self.top_k is not None:
            integer("top_k", self.top_k, 2)
        for name, default in (("column", "prompt"), ("chat_template", None)):
            if self.prompts is None and getattr(self, name) != default:
                raise ValueError(f"{name} is of prompts of your own, which are not given: expected prompts = FILE, too")
        if self.prompts is not None and self.context != CONTEXT:
            raise ValueError(f"context is of the grammar's dialogues, and prompts = {self.prompts!r}: leave it out")
