"""Rows of a prompt file or a data set on disk, each a prompt and what else is known of it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gymnasium.error import DependencyNotInstalled

from zoo_envs.text.rewards.functions import RESERVED
from zoo_envs.text.samples import Messages

__all__ = ["MOST_BYTES", "MOST_PROMPTS", "Row", "read_rows"]

MOST_BYTES = 512 * 2**20
"""size of the largest file that is read"""
MOST_PROMPTS = 1_000_000
_PLAIN = (str, int, float, bool, type(None))


class Row(NamedTuple):
    """One prompt.

    Attributes:
        where: "line 3" of a file, or "row 2" of a data set.
        text: the prompt, if it is a text, else empty.
        messages: the prompt, if it is a conversation, else empty.
        columns: the other fields.
    """

    where: str
    text: str
    messages: Messages
    columns: Mapping[str, Any]


def read_rows(path: str, column: str) -> list[Row]:
    """Return the prompts of a file or a folder, all with the same columns.

    Args:
        path: a file of JSON Lines (``.jsonl``, ``.ndjson`` or ``.json``), one of text with a prompt on each line that
            is not empty, or a folder written by ``datasets.Dataset.save_to_disk``.
        column: the field of the prompt: a text, or a list of messages with "role" and "content".

    Raises:
        ValueError: there is no such file, it is too large, or a line is not a prompt; the message names the line.
        DependencyNotInstalled: it is a folder, and datasets is not installed.
    """
    place = Path(path)
    if place.is_dir():
        found = _of_dataset(place)
    elif place.is_file():
        if place.stat().st_size > MOST_BYTES:
            raise ValueError(f"{path} has more than {MOST_BYTES} bytes: expected a smaller file of prompts")
        found = _of_json(place) if place.suffix in (".jsonl", ".json", ".ndjson") else _of_text(place, column)
    else:
        raise ValueError(f"there is no file or folder {path!r}: expected prompts, as .jsonl, as text, or as a data set")
    rows: list[Row] = []
    for where, fields in found:
        if len(rows) == MOST_PROMPTS:
            raise ValueError(f"{path} has more than {MOST_PROMPTS} prompts: expected fewer")
        row = _row(f"{where} of {path}", fields, column)
        if rows and row.columns.keys() != rows[0].columns.keys():
            differing = sorted(row.columns.keys() ^ rows[0].columns.keys())[0]
            has, lacks = (row, rows[0]) if differing in row.columns else (rows[0], row)
            raise ValueError(f"{lacks.where} has no field {differing!r}, which {has.where} has: expected equal fields")
        rows.append(row)
    if not rows:
        raise ValueError(f"{path} has no prompt")
    return rows


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """The lines that are not blank, as text, each with its number."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError as error:
                raise ValueError(f"line {number} of {path} is not UTF-8 text") from error
            if text:
                yield f"line {number}", text


def _of_text(path: Path, column: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for where, text in _lines(path):
        yield where, {column: text}


def _of_json(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for where, text in _lines(path):
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{where} of {path} is not JSON: expected an object on each line ({error})") from error
        if not isinstance(fields, dict):
            raise ValueError(f"{where} of {path} is {text[:40]!r}: expected a JSON object with the fields of a prompt")
        yield where, fields


def _of_dataset(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if (path / "dataset_dict.json").is_file():
        splits = sorted(file.parent.name for file in path.glob("*/dataset_info.json")) or ["train"]
        raise ValueError(f"{path} is a data set of several splits: expected one of {', '.join(splits)}, such as "
                         f"{path / splits[0]}")  # fmt: skip
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise DependencyNotInstalled(
            "a data set on disk needs datasets, which is not installed: pip install 'zoo-envs[datasets]'"
        ) from error
    try:
        dataset = datasets.Dataset.load_from_disk(str(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = " ".join(str(error).split())[:200]
        raise ValueError(f"the folder {str(path)!r} is no data set written by save_to_disk: {why}") from error
    for number, fields in enumerate(dataset):
        yield f"row {number}", fields


def _row(where: str, fields: Mapping[str, Any], column: str) -> Row:
    if column not in fields:
        near = difflib.get_close_matches(column, fields, n=1)
        hint = f"the nearest is {near[0]!r}, by column" if near else f"it has {', '.join(map(repr, fields)) or 'none'}"
        raise ValueError(f"{where} has no field {column!r}: {hint}")
    columns = {name: value for name, value in fields.items() if name != column}
    if taken := sorted(columns.keys() & RESERVED):
        raise ValueError(f"{where} has a field {taken[0]!r}, which reward functions are given anyway: rename it")
    if other := [name for name, value in columns.items() if not _is_plain(value)]:
        raise ValueError(f"{where}: the field {other[0]!r} is {type(columns[other[0]]).__name__}: expected JSON")
    prompt = fields[column]
    if isinstance(prompt, str) and prompt.strip():
        return Row(where, prompt, (), columns)
    if isinstance(prompt, list) and prompt and all(_is_message(message) for message in prompt):
        return Row(where, "", tuple(prompt), columns)
    raise ValueError(
        f"{where}: the field {column!r} is {json.dumps(prompt, default=repr)[:60]}: expected a text, or a list of "
        'messages such as {"role": "user", "content": "hello"}'
    )


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(key), str) for key in ("role", "content"))


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return isinstance(value, _PLAIN)
