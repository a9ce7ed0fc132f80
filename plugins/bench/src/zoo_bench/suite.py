"""Suites as TOML files: finding and reading them."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Any, cast, get_args

from zoo import UnknownNameError, UsageError
from zoo.discovery import Registry
from zoo.training import UNIFORM, RunRequest, parse_seeds
from zoo_bench.schema import (
    STATISTICS,
    Better,
    Cell,
    Claim,
    EvaluatorRequest,
    Failed,
    Metric,
    PublishedClaim,
    Reference,
    ReferenceKind,
    Relation,
    Scale,
    Setting,
    Source,
    Suite,
    Term,
    level_of,
)
from zoo_bench.tomllines import Document, SuiteError, Table

__all__ = [
    "Cell", "RunRequest", "Claim", "EvaluatorRequest", "Metric", "Reference", "Suite", "SuiteError", "SuiteSource",
    "Term", "find_suites", "load_suite", "open_suite",
]  # fmt: skip
FOLDER = Path("benchmarks")
_TABLES = ("suite", "cells", "metrics", "references", "claims", "published")
_RELATIONS = ("<", ">", "<=", ">=", "within")


@dataclass(frozen=True)
class SuiteSource:
    """Where a suite is: a file of the user, or one inside a plugin."""

    name: str
    file: Traversable
    plugin: str = ""

    def load(self) -> Suite:
        """Read it; as ``load_suite``."""
        return load_suite(self.file)


def find_suites(
    registry: Registry, folder: Path = FOLDER, *, problems: list[str] | None = None
) -> dict[str, SuiteSource]:
    """Suites by name: the TOML files in ``folder``, and those that plugins ship (hook ``zoo_suites``).

    A plugin's suite whose name is taken is called ``plugin/name``.

    Args:
        registry: all plugins.
        folder: where to look; it need not exist.
        problems: plugins whose hook fails are left out, and a sentence about each is appended here.
    """
    found = {file.stem: SuiteSource(file.stem, file) for file in sorted(folder.glob("*.toml"))}
    shipped: list[SuiteSource] = []
    for plugin, places in registry.answers("zoo_suites", "suites", problems):
        try:
            shipped += [_shipped(place, plugin) for place in places]
        except Exception as error:  # what it answered may be anything, too
            registry.leave_out(plugin, "suites", error, problems)
    bare = [source.name for source in shipped]
    for source in sorted(shipped, key=lambda source: (source.name, source.plugin)):
        alone = bare.count(source.name) == 1 and source.name not in found
        found[source.name if alone else f"{source.plugin}/{source.name}"] = source
    return found


def _shipped(place: str, plugin: str) -> SuiteSource:
    package, _, inside = place.partition(":")
    file = importlib.resources.files(package).joinpath(inside)
    if not file.is_file():
        raise FileNotFoundError(f"there is no {inside} in {package}")
    return SuiteSource(file.name.removesuffix(".toml"), file, plugin)


def open_suite(
    name: str, registry: Registry, *, what: str = "suite", also: Iterable[str] = (), hint: str = ""
) -> Suite:
    """The suite of a command line: a TOML file, or the name of one.

    Args:
        name: of the suite, or a path that ends in ".toml".
        registry: all plugins.
        what: what was expected, for the error.
        also: further names to suggest from.
        hint: the error's second sentence.

    Raises:
        UnknownNameError: no suite has the name.
        SuiteError: as ``load_suite``.
    """
    if name.endswith(".toml"):
        return load_suite(Path(name))
    found = find_suites(registry)
    if name not in found:
        raise UnknownNameError(what, name, [*found, *also], hint)
    return found[name].load()


def load_suite(file: Traversable) -> Suite:
    """Read a suite; names of plugins are not looked up yet.

    Args:
        file: usually a Path.

    Raises:
        SuiteError: the file is missing, is not TOML, or says something that is not a suite; with the line.
    """
    try:
        document = Document(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SuiteError(f"suite {file} cannot be read: {reason}.") from error
    whole = Table(document, (), document.values, "a suite")
    for name in _TABLES:
        whole.written(name)
    whole.refuse_unknown_keys()
    head = whole.subtable("suite", whole.mapping("suite"), "[suite]")
    name = file.name.removesuffix(".toml")
    cells = [cell for table in document.tables("cells") for cell in _cells(table)]
    if not cells:
        raise document.error((), f"suite {name} has no [[cells]].")
    suite = Suite(
        name=name,
        title=head.text("title", name),
        summary=" ".join(head.text("summary", "").split()),
        paper=head.text("paper", ""),
        packages=head.texts("packages", ()),
        lines=head.lines(),
        path=Path(str(file)),
        cells=tuple(cells),
        metrics=tuple(_metric(table) for table in document.tables("metrics")),
    )
    head.refuse_unknown_keys()
    _unique(document, suite)
    suite = replace(suite, references=tuple(_reference(table, suite) for table in document.tables("references")))
    claims = tuple(_claim(table, suite) for table in document.tables("claims"))
    ids = [claim.id for claim in claims]
    for index, claim in enumerate(claims):
        if claim.id in ids[:index]:
            raise document.error(("claims", index, "id"), f"two claims are called {claim.id!r}.")
    suite = replace(suite, claims=claims)
    return replace(suite, published=tuple(_published(table, suite) for table in document.tables("published")))


def _cells(table: Table) -> list[Cell]:
    if table.written("file"):
        return [_file_cell(Table(table.document, table.place, table.values, "[[cells]] with a file"))]
    algorithm = table.text("algorithm")
    one, several = table.text("environment", ""), table.texts("environments", ())
    if bool(one) == bool(several):
        table.fail("environments" if one else "", "[[cells]] needs either environment or environments, and not both.")
    cells = [
        Cell(
            label=table.text("label", algorithm),
            environment=environment,
            seeds=_seeds(table),
            evaluators=_evaluators(table),
            quick=table.boolean("quick", False),
            lines=table.lines(),
            request=RunRequest(
                algorithm=algorithm,
                environment=environment,
                options=table.mapping("options"),
                env_options=table.mapping("env_options"),
                preset=table.text("preset", ""),
                steps=table.whole_number("steps", None, 1),
                num_envs=table.whole_number("num_envs", None, 1),
                eval_every=table.whole_number("eval_every", 0) or 0,
                eval_episodes=table.whole_number("eval_episodes", 20) or 0,
                representation=table.text("representation", ""),
                representation_options=table.mapping("representation_options"),
                policy=table.text("policy", UNIFORM),
                exact=table.boolean("exact", False),
                stop=table.text("stop", ""),
            ),
        )
        for environment in (several or (one,))
    ]
    table.refuse_unknown_keys()
    return cells


def _file_cell(table: Table) -> Cell:
    file, evaluators = table.text("file"), _evaluators(table)
    if not evaluators:
        table.fail("evaluators" if "evaluators" in table.values else "", f"nothing judges {file}: expected evaluators.")
    name = PurePosixPath(file.rpartition(":")[2]).stem
    environment = table.text("environment", evaluators[0].name)
    cell = Cell(
        label=table.text("label", name),
        environment=environment,
        request=RunRequest(algorithm=name, environment=environment),
        file=file,
        evaluators=evaluators,
        quick=table.boolean("quick", False),
        lines=table.lines(),
    )
    table.refuse_unknown_keys()
    return cell


def _seeds(table: Table) -> tuple[int, ...]:
    value: Any = table.values.get("seeds", "0") if table.written("seeds") else "0"
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, list) and value:
        value = ",".join(map(str, value))
    try:
        return parse_seeds(str(value))
    except ValueError:
        table.fail("seeds", f'seeds is {value!r}: expected "A:B" with A < B, or a list such as [0, 3, 7].')


def _evaluators(table: Table) -> tuple[EvaluatorRequest, ...]:
    found = table.values.get("evaluators", []) if table.written("evaluators") else []
    if not isinstance(found, list):
        table.fail("evaluators", f"evaluators is {found!r}: expected a list such as [{{ name = 'return' }}].")
    requests = []
    for item in found:
        if isinstance(item, str):
            item = {"name": item}
        if not isinstance(item, dict):
            table.fail("evaluators", f"evaluators has {item!r}: expected a name, or a table such as {{ name = ... }}.")
        inner = table.subtable("evaluators", item, "an evaluator of [[cells]]")
        requests.append(EvaluatorRequest(name=inner.text("name"), options=inner.mapping("options")))
        inner.refuse_unknown_keys()
    names = [request.name for request in requests]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        table.fail("evaluators", f"evaluators names {twice[0]!r} twice.")
    return tuple(requests)


def _metric(table: Table) -> Metric:
    table.require("name", "of")
    metric = Metric(
        name=table.text("name"),
        of=table.text("of"),
        function=table.text("function", "last"),
        options=table.numbers("options"),
        unit=table.text("unit", ""),
        precision=table.whole_number("precision", 3, 1) or 3,
        better=cast(Better, table.choice("better", ("lower", "higher", ""), "")),
        lines=table.lines(),
    )
    table.refuse_unknown_keys()
    return metric


def _reference(table: Table, suite: Suite) -> Reference:
    table.require("label", "environment", "metric", "value", "kind", "source")
    reference = Reference(
        label=table.choice("label", suite.labels),
        environment=table.choice("environment", suite.environments),
        metric=table.text("metric"),
        value=table.number("value"),
        kind=cast(ReferenceKind, table.choice("kind", get_args(ReferenceKind))),
        source=table.text("source"),
        note=table.text("note", ""),
    )
    table.refuse_unknown_keys()
    if suite.cell(reference.label, reference.environment) is None:
        table.fail("environment", f"there is no cell {reference.label!r} on {reference.environment!r}.")
    return reference


def _claim(table: Table, suite: Suite) -> Claim:
    table.require("id", "text", "left", "relation", "right", "source")
    scale = cast(Scale, table.choice("scale", ("difference", "ratio"), "difference"))
    left = _term(table, "left", suite)
    right = _term(table, "right", suite) if isinstance(table.values.get("right"), dict) else table.number("right")
    terms = (left, right) if isinstance(right, Term) else (left,)
    claim = Claim(
        id=table.text("id"),
        text=table.text("text"),
        left=left,
        relation=cast(Relation, table.choice("relation", _RELATIONS)),
        right=right,
        scale=scale,
        margin=table.number("margin", 1.0 if scale == "ratio" else 0.0),
        environments=_claimed(table, terms, suite),
        paired=table.boolean("paired", True),
        source=cast(Source, table.choice("source", get_args(Source))),
        where=table.text("where", ""),
        setting=cast(Setting, table.choice("setting", get_args(Setting), "")),
        statistic=_statistic(table),
        failed=cast(Failed, table.choice("failed", get_args(Failed), "incomplete")),
        lines=table.lines(),
    )
    least = 1.0 if scale == "ratio" else 0.0
    if claim.relation == "within" and claim.margin < least:
        table.fail("margin", f"margin is {claim.margin}: expected at least {least} for the relation 'within'.")
    if claim.of_a_paper and not (claim.setting and claim.where):
        table.fail("", f'claim {claim.id!r} is a paper\'s: expected where, such as "abstract", and setting.')
    if claim.failed == "worst" and claim.relation == "within":
        table.fail("failed", "failed is 'worst', and the relation 'within' has no worst value: expected < > <= >=.")
    if level_of(claim.statistic) is not None and scale == "ratio":
        table.fail("scale", "scale is 'ratio', and statistic is a share: expected a difference of shares.")
    table.refuse_unknown_keys()
    return claim


def _statistic(table: Table) -> str:
    found = table.text("statistic", "iqm")
    if level_of(found) is not None:
        return found
    return table.choice("statistic", (*STATISTICS, "share-above(NUMBER)"), "iqm")


def _published(table: Table, suite: Suite) -> PublishedClaim:
    table.require("number", "text", "source", "where")
    row = PublishedClaim(
        number=table.whole_number("number", 0, 1) or 0,
        part=table.text("part", ""),
        text=table.text("text"),
        source=cast(Source, table.choice("source", ("paper", "paper-code"))),
        where=table.text("where"),
        claims=table.texts("claims", ()),
        missing=table.text("missing", ""),
    )
    if not row.claims and not row.missing:
        table.fail("", f"claim {row.number} is judged by nothing: expected claims, or missing to say what is.")
    known = {claim.id: claim for claim in suite.claims}
    for name in row.claims:
        if name not in known:
            error = UnknownNameError("claim in this suite", name, known)
            raise table.document.error((*table.place, "claims"), error.message, error.hint)
        if known[name].source not in ("paper", "paper-code"):
            table.fail("claims", f"claim {name!r} is of source {known[name].source!r}: expected paper or paper-code.")
    table.refuse_unknown_keys()
    return row


def _term(table: Table, key: str, suite: Suite) -> Term:
    inner = table.subtable(key, table.mapping(key), f"{key} of [[claims]]")
    if not inner.values:
        table.fail(key if key in table.values else "", f"{key} is missing: expected {{ label = ..., metric = ... }}.")
    term = Term(label=inner.choice("label", suite.labels), metric=inner.text("metric"))
    inner.refuse_unknown_keys()
    return term


def _claimed(table: Table, terms: Iterable[Term], suite: Suite) -> tuple[str, ...]:
    """Where a claim holds: the environments it names, or all on which every term has a cell."""
    named: Any = table.values.get("environments", "all") if table.written("environments") else "all"
    if named == "all":
        found = tuple(env for env in suite.environments if all(suite.cell(term.label, env) for term in terms))
        if not found:
            table.fail("left", f"no environment has cells of {' and '.join(repr(term.label) for term in terms)}.")
        return found
    found = table.texts("environments")
    if not found:
        table.fail("environments", 'environments is empty: expected "all", or a list of names.')
    for env in found:
        if env not in suite.environments:
            raise _located(UnknownNameError("environment in this suite", env, suite.environments), table)
        for term in terms:
            if suite.cell(term.label, env) is None:
                table.fail("environments", f"there is no cell {term.label!r} on {env!r}.")
    return found


def _located(error: UsageError, table: Table) -> SuiteError:
    return table.document.error((*table.place, "environments"), error.message, error.hint)


def _unique(document: Document, suite: Suite) -> None:
    seen: dict[tuple[str, str], Cell] = {}
    for cell in suite.cells:
        other = seen.setdefault((cell.label, cell.environment), cell)
        if other is not cell:
            raise SuiteError(
                f"{document.shown}, line {cell.lines['']}: the cell of line {other.lines['']} is also called "
                f"{cell.label!r} on {cell.environment!r}: give one of them another label."
            )
    names = [metric.name for metric in suite.metrics]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise document.error(("metrics", index, "name"), f"two metrics are called {name!r}.")
