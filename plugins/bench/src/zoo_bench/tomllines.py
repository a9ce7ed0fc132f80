"""A TOML document that remembers its lines, and tables of it that are read key by key, with types."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from zoo import UsageError, nearest

Place = tuple[str | int, ...]
Lines = Mapping[Place, int]
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"\n]*"|'[^'\n]*')(?:\s*\.\s*(?:[\w-]+|"[^"\n]*"|'[^'\n]*'))*)\s*""")
_PART = re.compile(r""""[^"\n]*"|'[^'\n]*'|[\w-]+""")
_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|\#[^\n]*|[\[\]{}]|\n''', re.DOTALL
)
_REQUIRED: Any = object()


class SuiteError(UsageError):
    """A suite's file is wrong; the message begins with the file and the line."""


def scan(text: str) -> dict[Place, int]:
    """The line (from 1) of each table and key of a valid TOML document; those of inline tables are left out."""
    found: dict[Place, int] = {(): 1}
    counts: dict[Place, int] = {}
    table: Place = ()
    for number, line in _statements(text):
        header = re.match(r"\s*(\[\[?)", line)
        key = _KEY.match(line, header.end() if header else 0)
        if key is None:
            continue
        place = tuple(part.strip("\"'") for part in _PART.findall(key[1]))
        if header is None:
            found.setdefault((*table, *place), number)
            continue
        *outer, last = place
        table = _inside(tuple(outer), counts)
        if header[1] == "[[":
            counts[*table, last] = counts.get((*table, last), -1) + 1
            found.setdefault((*table, last), number)
            table = (*table, last, counts[*table, last])
        else:
            table = _inside(place, counts)
        found[table] = number
    return found


def _inside(names: Sequence[str], counts: Mapping[Place, int]) -> Place:
    """The place that a header names: below the newest element of each array of tables on the way."""
    place: Place = ()
    for name in names:
        place = (*place, name)
        if place in counts:
            place = (*place, counts[place])
    return place


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line at which a statement may begin: not within a string or brackets."""
    number, depth, start, first = 1, 0, 0, 1
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in ("[", "{"):
            depth += 1
        elif word in ("]", "}"):
            depth -= 1
        elif word == "\n":
            if start >= 0:
                yield first, text[start : token.start()]
            number += 1
            start, first = (token.end(), number) if depth == 0 else (-1, number)
        else:
            number += word.count("\n")
    if start >= 0:
        yield first, text[start:]


class Document:
    """A TOML file that can say in which line something is wrong.

    Raises:
        SuiteError: the text is not TOML.
    """

    def __init__(self, text: str, shown: str) -> None:
        self.shown = shown
        self.lines: dict[Place, int] = {}
        self._by_table: dict[Place, list[tuple[Place, int]]] = {}
        try:
            self.values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            at = re.search(r" \(at line (\d+), column \d+\)| \(at end of document\)", str(error))
            line = f", line {at[1] or len(text.splitlines())}" if at else ""
            sentence = str(error).removesuffix(at[0] if at else "")
            raise SuiteError(f"{shown}{line} is not valid TOML: {sentence[:1].lower()}{sentence[1:]}.") from error
        self.lines = scan(text)

    def line(self, place: Place) -> int:
        """The line of a key or table, or of the nearest one around it."""
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def below(self, place: Place) -> Sequence[tuple[Place, int]]:
        """Places and lines among which are all those of a table."""
        if not self._by_table:
            for item in self.lines.items():
                self._by_table.setdefault(item[0][:2], []).append(item)
        return self._by_table.get(place, ()) if len(place) == 2 else list(self.lines.items())

    def error(self, place: Place, message: str, hint: str = "") -> SuiteError:
        """What is wrong, with the file and line first."""
        return SuiteError(f"{self.shown}, line {self.line(place)}: {message}", hint)

    def tables(self, name: str) -> list[Table]:
        """The tables of an array of tables; empty if there is none."""
        found = self.values.get(name, [])
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise self.error((name,), f"{name} is not an array of tables: write [[{name}]] above each.")
        return [Table(self, (name, index), item, f"[[{name}]]") for index, item in enumerate(found)]


class Table:
    """One table, read key by key; ``close`` complains about the keys that nobody asked for."""

    def __init__(self, document: Document, place: Place, values: Mapping[str, Any], name: str) -> None:
        self.document = document
        self.place = place
        self.values = values
        self.name = name
        self._known: list[str] = []

    def fail(self, key: str, message: str, hint: str = "") -> NoReturn:
        """Raise what is wrong with a key, or with the table itself for ""."""
        raise self.document.error((*self.place, key) if key else self.place, message, hint)

    def lines(self) -> dict[str, int]:
        """Lines of the table's keys, dotted; "" is its own."""
        size = len(self.place)
        inside = {place[size:]: line for place, line in self.document.below(self.place) if place[:size] == self.place}
        return {".".join(map(str, place)): line for place, line in inside.items()} | {
            "": self.document.line(self.place)
        }

    def written(self, key: str) -> bool:
        """Whether the key was written; it counts as known from now on."""
        self._known.append(key)
        return key in self.values

    def _take(self, key: str, default: Any, expected: str, *kinds: type) -> Any:
        if not self.written(key):
            if default is _REQUIRED:
                self.refuse_missing_key(key)
            return default
        value = self.values[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            self.fail(key, f"{key} is {value!r}: expected {expected}.")
        return value

    def text(self, key: str, default: str = _REQUIRED) -> str:
        """A string; not empty if it is required."""
        value = str(self._take(key, default, "a text", str))
        if default is _REQUIRED and not value:
            self.fail(key, f"{key} is empty: expected a text.")
        return value

    def choice(self, key: str, choices: Sequence[str], default: str = _REQUIRED) -> str:
        """One of several texts."""
        value = self.text(key, default)
        if value not in choices:
            near = [] if len(choices) < 6 else nearest(value, choices)
            self.fail(key, f"{key} is {value!r}: expected one of {', '.join(filter(None, near or choices))}.")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """``true`` or ``false``."""
        return bool(self._take(key, default, "true or false", bool))

    def number(self, key: str, default: float = _REQUIRED) -> float:
        """A finite number."""
        value = float(self._take(key, default, "a number", int, float))
        if value - value != 0.0:
            self.fail(key, f"{key} is {value}: expected a finite number.")
        return value

    def whole_number(self, key: str, default: int | None, least: int = 0) -> int | None:
        """A whole number, also written as ``1e6``."""
        value = self._take(key, default, "a whole number", int, float)
        if value is None:
            return None
        if value != value // 1 or value < least:
            self.fail(key, f"{key} is {value!r}: expected a whole number, {least} or more.")
        return int(value)

    def texts(self, key: str, default: Sequence[str] = _REQUIRED) -> tuple[str, ...]:
        """A list of strings."""
        value = self._take(key, default, "a list of texts", list, tuple)
        if not all(isinstance(item, str) for item in value):
            self.fail(key, f"{key} is {value!r}: expected a list of texts.")
        return tuple(value)

    def mapping(self, key: str) -> dict[str, Any]:
        """A table of options; empty if it was left out."""
        return dict(self._take(key, {}, "a table, such as { name = 1 }", dict))

    def numbers(self, key: str) -> dict[str, float]:
        """A table of numbers; empty if it was left out."""
        inner = self.subtable(key, self.mapping(key), f"{key} of {self.name}")
        return {name: inner.number(name) for name in inner.values}

    def subtable(self, key: str, values: Mapping[str, Any], name: str) -> Table:
        """A table inside this one."""
        return Table(self.document, (*self.place, key), values, name)

    def require(self, *keys: str) -> None:
        """Complain about all of these keys that are missing, at once."""
        missing = [key for key in keys if key not in self.values]
        if missing:
            self.refuse_missing_key(*missing)

    def refuse_missing_key(self, *missing: str) -> NoReturn:
        """Required keys are missing: if one similar to the first is there instead, that is the better thing to say."""
        near = [key for key in self.values if nearest(key, missing[:1])]
        if near:
            self.fail(near[0], f"{self.name} has no key {near[0]!r}: did you mean {missing[0]!r}?")
        self.fail("", f"{self.name} lacks the key{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))}.")

    def refuse_unknown_keys(self) -> None:
        """Complain about a key that is not known.

        Raises:
            SuiteError: naming the nearest known keys.
        """
        for key in self.values:
            if key not in self._known:
                known = sorted(set(self._known))
                near = nearest(key, known)
                there = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(known)}."
                self.fail(key, f"{self.name} has no key {key!r}: {there}")
