"""The user's prompts as samples to be finished, and as the windows with which episodes begin."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo_envs.text.prompts.rows import Row, read_rows
from zoo_envs.text.prompts.template import TOKENIZER, ChatTemplate
from zoo_envs.text.samples import Sample

if TYPE_CHECKING:
    import transformers

__all__ = ["Prompts"]


class Prompts:
    """Prompts of a file or a data set on disk.

    Args:
        path: see `read_rows`.
        column: see `read_rows`.
        chat_template: "tokenizer", the tokenizer's own; or a file; None: the tokenizer's for conversations, and texts
            are read as they are.
        tokenizer: of the language model.
        longest: tokens that a prompt may have.
        padding: what stands before them.

    Attributes:
        samples: one for each, without its text.
        tokens: int32[prompts, longest] at the right end, `padding` before them.
        columns: names of the further fields.
        digest: of all of this; a run goes on with the same prompts only.

    Raises:
        ValueError: a prompt cannot be read, does not suit the template, or is too long; the message names its line.
    """

    def __init__(
        self, path: str, column: str, chat_template: str | None, tokenizer: transformers.PreTrainedTokenizerBase,
        longest: int, padding: int,
    ) -> None:  # fmt: skip
        rows = read_rows(path, column)
        self.columns = tuple(rows[0].columns)
        self.samples = [Sample(_context(row), "", "", "", messages=row.messages, columns=row.columns) for row in rows]
        which = chat_template or (TOKENIZER if any(row.messages for row in rows) else None)
        template = None if which is None else ChatTemplate(tokenizer, which)
        filled = [template if chat_template is not None or row.messages else None for row in rows]
        texts = [row.text if used is None else used.render(row) for row, used in zip(rows, filled, strict=True)]
        lists: list[list[int]] = [[]] * len(rows)
        for raw in (True, False):  # a template writes the special tokens itself
            numbers = [number for number, used in enumerate(filled) if (used is None) == raw]
            if numbers:
                read = tokenizer([texts[number] for number in numbers], add_special_tokens=raw).input_ids
                for number, tokens in zip(numbers, read, strict=True):
                    lists[number] = tokens
        lengths = [len(tokens) for tokens in lists]
        if 0 in lengths:
            raise ValueError(f"{rows[lengths.index(0)].where} has no token of the language model's tokenizer")
        over = next((number for number, length in enumerate(lengths) if length > longest), None)
        if over is not None:
            raise ValueError(
                f"{rows[over].where} has {lengths[over]} tokens, and context_tokens = {longest}: expected at least "
                f"{max(lengths)}, the length of the longest prompt"
            )
        self.tokens: NDArray[np.int32] = np.full((len(rows), longest), padding, np.int32)
        for window, tokens in zip(self.tokens, lists, strict=True):
            window[longest - len(tokens) :] = tokens
        seen = hashlib.sha256(repr([(row.text, row.messages, row.columns) for row in rows]).encode())
        seen.update(self.tokens.tobytes())
        self.digest = seen.hexdigest()


def _context(row: Row) -> tuple[str, ...]:
    return tuple(message["content"] for message in row.messages) if row.messages else (row.text,)
