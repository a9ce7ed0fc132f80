"""The command line that does what a cell of a suite does."""

from __future__ import annotations

import json
import shlex
import typing
from collections import abc
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from zoo.discovery import Registry, plain
from zoo.training import UNIFORM, draft
from zoo_bench.schema import Cell, EvaluatorRequest


def train_command(cell: Cell, seed: int, root: Path, registry: Registry) -> list[str]:
    """The arguments of ``zoo`` that train one seed of a cell: the same run, by the same key.

    Args:
        cell: what to run.
        seed: root seed.
        root: directory of all runs.
        registry: all plugins.
    """
    request = cell.request
    command = [*_plugins(registry), "train", request.algorithm, cell.environment]
    flags: dict[str, Any] = {
        "preset": request.preset, "steps": request.steps, "num-envs": request.num_envs,
        "eval-every": request.eval_every, "representation": request.representation,
        "stop": request.stop,
    }  # fmt: skip
    for name, value in flags.items():
        if value:
            command += [f"--{name}", str(value)]
    if request.eval_episodes != 20:
        command += ["--eval-episodes", str(request.eval_episodes)]
    if request.policy != UNIFORM:
        command += ["--policy", request.policy]
    if request.exact:
        command.append("--exact")
    drafted = draft(request, registry)
    for prefix, options in (
        ("", request.options), ("env", request.env_options), ("representation", request.representation_options),
    ):  # fmt: skip
        part = drafted.options.get(prefix)
        command += _flags(f"{prefix}." if prefix else "", options, None if part is None else type(part))
    return [*command, "--seed", str(seed), *_where(root)]


def eval_command(subject: Path, request: EvaluatorRequest, registry: Registry) -> list[str]:
    """The arguments of ``zoo`` that let one evaluator judge a run or a file."""
    config = registry.find(request.name, "evaluator").resolve_config()
    return [*_plugins(registry), "eval", str(subject), request.name, *_flags("", request.options, config)]


def shown(arguments: Sequence[str]) -> str:
    """A command as it is typed."""
    return shlex.join(["zoo", *arguments])


def _plugins(registry: Registry) -> list[str]:
    return [word for file in registry.files for word in ("--plugin", str(file))]


def _where(root: Path) -> list[str]:
    return [] if root == Path("runs") else ["--dir", str(root)]


def _flags(prefix: str, options: Mapping[str, Any], cls: type | None) -> Iterator[str]:
    """Options as flags: JSON for keywords of an environment without a dataclass, else as tyro reads them."""
    hints = typing.get_type_hints(cls) if cls is not None else {}
    for name, value in options.items():
        flag = f"--{prefix}{name}".replace("_", "-")
        hint = hints.get(name)
        if cls is None:
            yield from (flag, value if isinstance(value, str) and plain(value) == value else json.dumps(value))
        elif isinstance(value, Mapping) and any(get_origin(kind) is abc.Mapping for kind in (hint, *get_args(hint))):
            yield from (flag, *(str(word) for item in value.items() for word in item))
        elif isinstance(value, Mapping):
            inner = {key: item for key, item in value.items() if key != "type"}
            yield from _flags(f"{prefix}{name}.", inner, hint if isinstance(hint, type) else object)
        elif isinstance(value, bool) and hint is bool:
            yield flag if value else f"--{prefix}no-{name}".replace("_", "-")
        elif isinstance(value, (list, tuple)):
            yield from (flag, *map(str, value))
        else:
            yield from (flag, str(value))
