"""``zoo new-plugin``: write a plugin package that installs, trains and passes its own tests."""

from __future__ import annotations

import argparse
import re
import shutil
import string
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import zoo
from zoo.cli.document import emit
from zoo.cli.parser import CommandOptions, CommandParser
from zoo.discovery.registration import KINDS, NAME
from zoo.discovery.registry import Registry
from zoo.errors import RunError, UsageError

_SUFFIX = ".template"
_KINDS = (*KINDS, "suite")
_SUMMARIES = {
    "algorithm": "cross-entropy method on linear policies, to be replaced by your own method",
    "representation": "successor representation by temporal differences, to be replaced by your own",
    "environment": "corridor whose shortest way crosses a hazard, to be replaced by your own task",
    "evaluator": "mean return of the worst episodes, to be replaced by your own score",
    "suite": "two algorithms on one problem, with a claim that is judged, to be replaced by your own experiments",
}
_LIBRARIES = {"suite": "zoo-bench>=0.1"}
_TRIES = {
    "algorithm": ["zoo train {name} CartPole-v1"],
    "representation": ["zoo train {name} FrozenLake-v1", "zoo train {name} two-state --exact"],
    "environment": ["zoo list algorithms --for {name}", "zoo train reload {name}"],
    "evaluator": ["zoo train ppo CartPole-v1 --steps 20000", "zoo eval runs/CartPole-v1 {name}"],
    "suite": ["zoo bench {name}", "zoo table {name}"],
}


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parser = _parser()
    if not args:
        print(parser.format_help(), end="")
        return 2
    parsed = parser.parse_args(args)
    names = _names(parsed.name, parsed.kind)
    _check_free(names, options.registry())
    folder: Path = parsed.dir / names["distribution"]
    written = write(parsed.kind, names, folder)
    steps = [f"cd {folder}", "pip install -e '.[test]'", "pytest"]
    steps += [line.format(name=names["name"]) for line in _TRIES[parsed.kind]]
    if parsed.json:
        emit({"path": str(folder), "files": written, "next": steps})
        return 0
    print(f"{folder} is a plugin with the {parsed.kind} {names['name']!r}:")
    print("".join(f"  {name}\n" for name in written))
    print("Type next:")
    print("".join(f"  {line}\n" for line in steps), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        prog="zoo new-plugin",
        description="Write a small, complete package with one component that works: change it into yours.\n"
        "It is called zoo-NAME, installs with pip, and its tests run the conformance kit.",
        examples=[
            "zoo new-plugin my-method --kind algorithm",
            "zoo new-plugin my-task --kind environment --dir plugins",
        ],
    )
    parser.add_argument("name", metavar="NAME", help="lower case, digits and hyphens: what zoo train will call it")
    parser.add_argument(
        "--kind", choices=_KINDS, required=True, help="what it has; further kinds go into its module by hand"
    )
    parser.add_argument("--dir", type=Path, default=Path(), metavar="DIR", help="where to put the package (default: .)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _names(name: str, kind: str) -> dict[str, str]:
    """Every spelling of the plugin's name that a template may use.

    Raises:
        UsageError: it is not a name; the message has the nearest one.
    """
    plain = re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9]+", "-", name.lower())).strip("-").lstrip("0123456789-")
    if not NAME.fullmatch(name) or name != plain:
        nearest = f", such as {plain}" if plain else ""
        raise UsageError(
            f"{name!r} is not a name for a plugin: expected lower-case letters, digits and hyphens{nearest}."
        )
    bare = name.removeprefix("zoo-")
    if not bare or bare == "zoo":
        raise UsageError(f"{name!r} is not a name for a plugin: expected more than 'zoo', such as zoo-my-method.")
    class_name = "".join(part.capitalize() for part in bare.split("-"))
    if class_name in zoo.__all__:
        raise UsageError(
            f"a class called {class_name} would hide zoo.{class_name}: expected another name than {bare!r}."
        )
    return {
        "name": bare,
        "distribution": f"zoo-{bare}",
        "package": f"zoo_{bare.replace('-', '_')}",
        "class_name": class_name,
        "summary": _SUMMARIES[kind],
        "core_version": zoo.__version__,
        "library": _LIBRARIES.get(kind, "numpy>=2.0"),
    }


def _check_free(names: Mapping[str, str], registry: Registry) -> None:
    for plugin in registry.plugins:
        if plugin.plugin == names["distribution"]:
            raise UsageError(f"a plugin called {plugin.plugin} is installed already: expected a new name.")
    for entry in registry.entries():
        if entry.name == names["name"]:
            raise UsageError(
                f"{entry.plugin} has the {entry.kind} {entry.name!r} already: expected a new name.",
                "zoo list shows all names that are taken.",
            )


def write(kind: str, names: Mapping[str, str], folder: Path) -> list[str]:
    """Fill in the templates of ``kind``; the folder appears whole or not at all.

    Returns:
        The files written, relative to ``folder``.

    Raises:
        UsageError: the folder exists.
        RunError: it cannot be written.
    """
    if folder.exists():
        raise UsageError(f"{folder} exists already: expected a new folder.", "Choose another name, or another --dir.")
    templates = files("zoo").joinpath("templates")
    made = {}
    for source in ("common", kind):
        for path, text in _texts(templates.joinpath(source), PurePosixPath()):
            target = str(path).removesuffix(_SUFFIX).replace("src/package", f"src/{names['package']}")
            target = target.replace("suites/name", f"suites/{names['name']}")
            made[target] = string.Template(text).substitute(names)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        for name, text in made.items():
            file = unfinished / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        unfinished.rename(folder)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise RunError(f"{folder} cannot be written: {error.strerror}.") from error
    return sorted(made)


def _texts(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _texts(item, path / item.name)
        elif item.name.endswith(_SUFFIX):
            yield path / item.name, item.read_text(encoding="utf-8")
