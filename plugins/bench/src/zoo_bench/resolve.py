"""Suites completed with the installed plugins: names resolved, options checked, the spec of a run for each cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from zoo import UnknownNameError, UsageError
from zoo.discovery import Registry
from zoo.runs import evaluator_config
from zoo.training import RunSpec, resolve
from zoo_bench.files import locate, sha256_of
from zoo_bench.metrics import functions
from zoo_bench.schema import Cell, Suite
from zoo_bench.tomllines import SuiteError


def resolve_suite(suite: Suite, registry: Registry) -> Suite:
    """The suite with the spec of each cell.

    Raises:
        SuiteError: a package or file is missing, a name or option is none of the installed plugins', an evaluator
            judges something else, or two cells ask for reports of the same runs that exclude each other; with the line.
    """
    _check_packages(suite, suite.packages, registry, suite.lines.get("packages", 1))
    known = functions(registry)
    for metric in suite.metrics:
        if metric.function not in known:
            error = UnknownNameError("function of metrics", metric.function, known)
            line = metric.lines.get("function", 1)
            raise SuiteError(f"{suite.path}, line {line}: {error.message}")
    cells = tuple(_resolved(cell, suite, registry) for cell in suite.cells)
    _check_judges(suite, cells)
    return replace(suite, cells=cells)


def _resolved(cell: Cell, suite: Suite, registry: Registry) -> Cell:
    named = {"algorithm": cell.request.algorithm, "environment": cell.environment}
    if cell.file:
        cell, named = _file_resolved(cell, suite), {}
    for key, name in named.items():
        plugin, slash, _ = name.rpartition("/")
        if slash and (key == "algorithm" or any(char.islower() for char in plugin[:1])):
            line = cell.lines.get(key) or cell.lines.get("environments") or cell.lines[""]
            _check_packages(suite, [plugin] if ":" not in name else [], registry, line)
    try:
        spec = cell.spec or resolve(cell.request, registry)
        for request in cell.evaluators:
            entry = registry.find(request.name, "evaluator")
            if entry.subject != spec.kind:
                raise UsageError(
                    f"evaluator {request.name!r} judges kind {entry.subject!r}, and this cell is of kind {spec.kind!r}."
                )
            evaluator_config(entry, request.options)
    except UsageError as error:
        raise SuiteError(f"{suite.path}, line {_blamed(error, cell)}: {error.message}", error.hint) from error
    return replace(cell, spec=spec)


def _file_resolved(cell: Cell, suite: Suite) -> Cell:
    """The cell with absolute paths, and with a spec that has the content of its files in its key."""
    where, content = {}, {}

    def found(name: str, key: str, line: str) -> str:
        path = locate(name, suite.path.parent)
        if path is None:
            raise SuiteError(
                f"{suite.path}, line {cell.lines.get(line, cell.lines[''])}: there is no file {name!r}: expected a "
                "path relative to the suite, or package:folder/file."
            )
        where[key], content[key] = str(path), sha256_of(path)
        return str(path)

    file = found(cell.file, "file", "file")
    evaluators = []
    for request in cell.evaluators:
        options = dict(request.options)
        for name, value in options.items():
            if isinstance(value, Mapping) and [*value] == ["file"]:
                options[name] = found(str(value["file"]), f"{request.name}.{name}", "evaluators")
        evaluators.append(replace(request, options=options))
    spec = RunSpec(
        algorithm=f"file/{cell.request.algorithm}", kind="file", plugin_version="", environment=cell.environment,
        config=content, origins=where, steps=1, eval_episodes=0,
    )  # fmt: skip
    return replace(cell, file=file, evaluators=tuple(evaluators), spec=spec)


def _check_judges(suite: Suite, cells: Iterable[Cell]) -> None:
    """Refuse two cells whose common runs the same evaluator would judge with different options, in turns forever."""
    seen: dict[tuple[str, int, str], tuple[Mapping[str, Any], Cell]] = {}
    for cell in cells:
        for request in cell.evaluators:
            for seed in cell.seeds:
                key = cell.spec.key if cell.spec else ""
                options, first = seen.setdefault((key, seed, request.name), (request.options, cell))
                if options != request.options:
                    raise SuiteError(
                        f"{suite.path}, line {cell.lines.get('evaluators', cell.lines[''])}: {cell.label!r} and "
                        f"{first.label!r} are the same runs, and {request.name!r} judges them with different options: "
                        "a run keeps one report of each evaluator."
                    )


def _check_packages(suite: Suite, packages: Iterable[str], registry: Registry, line: int) -> None:
    installed = {plugin.plugin: plugin for plugin in registry.plugins}
    for package in packages:
        if package not in installed:
            raise SuiteError(
                f"{suite.path}, line {line}: suite {suite.name!r} needs the package {package}, which is not installed.",
                f"pip install {package}",
            )
        if installed[package].state == "failed":
            raise SuiteError(
                f"{suite.path}, line {line}: suite {suite.name!r} needs the package {package}, which failed to load: "
                f"{installed[package].reason}",
                "zoo plugins --check shows more.",
            )


def _blamed(error: UsageError, cell: Cell) -> int:
    """The line to blame: that of the key or value that the error names, else the cell's own."""
    lines: Mapping[str, int] = cell.lines
    name = error.name if isinstance(error, UnknownNameError) else ""
    for prefix in ("options", "env_options", "representation_options"):
        if name and f"{prefix}.{name}" in lines:
            return lines[f"{prefix}.{name}"]
    written = {
        "algorithm": cell.request.algorithm,
        "environment": cell.environment,
        "environments": cell.environment,
        "preset": cell.request.preset,
        "representation": cell.request.representation,
    }
    for key, value in written.items():
        if name and name == value and key in lines:
            return lines[key]
    holders = {
        "options": cell.request.options,
        "env_options": cell.request.env_options,
        "representation_options": cell.request.representation_options,
    }
    for key, values in holders.items():
        for option in values:
            if option == name or f"{option!r}" in error.message:
                return lines.get(f"{key}.{option}") or lines.get(key) or lines[""]
    for request in cell.evaluators:
        words = (f"evaluator {request.name!r}", *request.options)
        if request.name == name or name in request.options or any(word in error.message for word in words):
            return lines.get("evaluators", lines[""])
    return lines[""]
