"""Chat templates: from a prompt to the text that the model reads.

They are rendered in the sandbox of transformers. Two things differ from there: a field that a template prints and the
prompt does not have is an error, where jinja writes nothing; and there is no date, so that prompts stay as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo_envs.text.prompts.rows import Row

if TYPE_CHECKING:
    import transformers

__all__ = ["TOKENIZER", "ChatTemplate"]

TOKENIZER = "tokenizer"
"""stands for the template that the tokenizer has"""
_MOST_BYTES = 2**20


class ChatTemplate:
    """A template of jinja, with the names that chat templates use.

    Args:
        tokenizer: of the language model.
        which: `TOKENIZER`, or a file.

    Raises:
        ValueError: there is no such template, or it is not one.
    """

    def __init__(self, tokenizer: transformers.PreTrainedTokenizerBase, which: str) -> None:
        import jinja2
        from transformers.utils import chat_template_utils

        source, self._name = _source(tokenizer, which), "the tokenizer's" if which == TOKENIZER else repr(which)
        self._tokenizer = tokenizer

        class Missing(jinja2.Undefined):
            """A field that is not there: it may be asked for, and not printed."""

            def __str__(self) -> str:
                return self._fail_with_undefined_error()

        self._failures = (
            jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError
        )  # fmt: skip
        try:
            shared = chat_template_utils._compile_jinja_template(source).environment
            self._environment = shared.overlay(undefined=Missing)
            self._template = self._environment.from_string(source)
        except jinja2.TemplateSyntaxError as error:
            raise ValueError(
                f"the chat template {self._name} is not a template of jinja: {error.message} (line {error.lineno})"
            ) from error

    def render(self, row: Row) -> str:
        """Return the text of a prompt, up to where the assistant begins to speak.

        Raises:
            ValueError: the prompt lacks a field that is printed, or the template refuses it.
        """
        messages = row.messages or ({"role": "user", "content": row.text},)
        given: dict[str, Any] = {
            **self._tokenizer.special_tokens_map,
            **row.columns,
            "messages": [dict(message) for message in messages],
            "tools": None,
            "documents": None,
            "add_generation_prompt": True,
            "strftime_now": self._environment.undefined(name="strftime_now"),
        }
        try:
            return str(self._template.render(given))
        except self._failures as error:
            why = " ".join(str(error).split())[:200]
            raise ValueError(f"{row.where} does not suit the chat template {self._name}: {why}") from error


def _source(tokenizer: transformers.PreTrainedTokenizerBase, which: str) -> str:
    if which == TOKENIZER:
        try:
            return str(tokenizer.get_chat_template())
        except ValueError as error:
            raise ValueError(
                "the tokenizer has no chat template, which prompts that are conversations need: chat_template names a "
                "file with one"
            ) from error
    path = Path(which)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"the chat template {which!r} has more than {_MOST_BYTES} bytes: expected a smaller file")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the chat template {which!r} cannot be read: expected 'tokenizer', or a file") from error
