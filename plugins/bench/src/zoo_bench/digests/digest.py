"""The digest of a suite's results: what they depend on, as short hashes that can be committed beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from zoo import Run, UsageError
from zoo.discovery import Registry, encode_fields
from zoo.runs import evaluator_config
from zoo_bench.digests.code import DIGITS, Code, code_of, code_of_modules
from zoo_bench.digests.record import code_that_made, training_code
from zoo_bench.metrics import functions
from zoo_bench.schema import Cell, Claim, EvaluatorRequest, Metric, Suite

FORMAT = 1
_UNHASHED = ("id", "text", "where", "lines")
"""of a claim: what decides no verdict"""


@dataclass(frozen=True, kw_only=True)
class CellDigest:
    """What the results of one cell depend on.

    Attributes:
        key: of its runs.
        seeds: which, as "0:5" or "0,3,7".
        evaluators: hash of the options of each.
        code: hashes by plugin, of what trained ("training") and of each evaluator; None where it is not known.
    """

    key: str
    seeds: str
    evaluators: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, Code] | None = None


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What the committed results of a suite depend on.

    Attributes:
        cells: by "label on environment".
        metrics: hash of each metric's options, and of the code of its function where a plugin has it.
        claims: hash of what each claim says.
    """

    cells: Mapping[str, CellDigest]
    metrics: Mapping[str, str]
    claims: Mapping[str, str]

    def text(self) -> str:
        """As JSON, to be committed."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False) + "\n"


def digest_of_suite(suite: Suite, registry: Registry, root: Path | None = None) -> Digest:
    """The digest of a resolved suite.

    Args:
        suite: resolved.
        registry: all plugins.
        root: directory of its finished runs, whose records say which code made them; unset: the code of today.

    Raises:
        UsageError: the code of a cell or metric is not known; with its place in the suite.
    """
    cells = {}
    for index, cell in enumerate(suite.cells):
        name = f"{cell.label} on {cell.environment}"
        with _placed(suite, f"cells[{index}] ({name})"):
            cells[name] = _of_cell(cell, registry, root)
    known = functions(registry)
    metrics = {}
    for index, metric in enumerate(suite.used_metrics):
        with _placed(suite, f"metrics[{index}] ({metric.name})"):
            metrics[metric.name] = _of_metric(metric, getattr(known.get(metric.function), "target", ""), registry)
    return Digest(cells=cells, metrics=metrics, claims={claim.id: _of_claim(claim) for claim in suite.claims})


class _placed:
    """Errors within it begin with the suite and the place in it."""

    def __init__(self, suite: Suite, place: str) -> None:
        self._where = f"the digest of suite {suite.name} cannot be computed: {place}"

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UsageError):
            raise UsageError(f"{self._where}: {error.message}", error.hint) from error


def _of_cell(cell: Cell, registry: Registry, root: Path | None) -> CellDigest:
    if cell.spec is None:
        raise UsageError("it is not resolved: expected resolve_suite first.")
    found = [registry.find(request.name, "evaluator") for request in cell.evaluators]
    entries = {entry.name: entry for entry in found}
    code: Mapping[str, Code] | None
    if root is None:
        code = {"training": training_code(cell.spec, registry)}
        code |= {name: code_of([entry], registry) for name, entry in entries.items()}
    else:
        names = [entry.name for entry in entries.values()]
        specs = [cell.spec.with_seed(seed) for seed in cell.seeds]
        made = [code_that_made(Run(spec.folder(root), spec), names) for spec in specs]
        code = made[0] if all(one == made[0] for one in made) else None
    options = {request.name: _of_evaluator(request, cell, registry) for request in cell.evaluators}
    return CellDigest(key=cell.spec.key, seeds=seeds_as_text(cell.seeds), evaluators=options, code=code)


def _of_evaluator(request: EvaluatorRequest, cell: Cell, registry: Registry) -> str:
    """Hash of an evaluator's options; files stand for their content, which may lie elsewhere on another machine."""
    options = encode_fields(evaluator_config(registry.find(request.name, "evaluator"), request.options))
    content = (
        {path: cell.spec.config[name] for name, path in cell.spec.origins.items()} if cell.file and cell.spec else {}
    )
    return _hash({name: content.get(str(value), value) for name, value in (options or {}).items()})


def _of_metric(metric: Metric, target: str, registry: Registry) -> str:
    code = code_of_modules({target.partition(":")[0]: f"function {metric.function}"}, registry) if target else {}
    return _hash([metric.of, metric.function, dict(metric.options), code])


def _of_claim(claim: Claim) -> str:
    kept = asdict(claim)
    return _hash({name: value for name, value in kept.items() if name not in _UNHASHED})


def _hash(content: Any) -> str:
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:DIGITS]


def seeds_as_text(seeds: Sequence[int]) -> str:
    """Seeds as a suite writes them."""
    first, count = seeds[0], len(seeds)
    return (
        f"{first}:{first + count}" if tuple(seeds) == tuple(range(first, first + count)) else ",".join(map(str, seeds))
    )


def read_digest(file: Path) -> Digest:
    """A committed digest.

    Raises:
        UsageError: it cannot be read, or is none; with the path of the key that is wrong.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"{file} is not a digest of results: {error}.") from error
    whole = _mapping(document, file, "the document")
    if whole.get("format") != FORMAT:
        raise UsageError(f"{file}: format is {whole.get('format')!r}: expected {FORMAT}.")
    cells = {}
    for name, values in _mapping(whole.get("cells"), file, "cells").items():
        place = f"cells.{name}"
        cell = _mapping(values, file, place)
        if {*cell} != {one.name for one in fields(CellDigest)}:
            raise UsageError(f"{file}: {place} has {', '.join(cell)}: expected key, seeds, evaluators and code.")
        parts = None if cell["code"] is None else _mapping(cell["code"], file, f"{place}.code")
        code = parts and {part: _texts(value, file, f"{place}.code.{part}") for part, value in parts.items()}
        one = _texts({"key": cell["key"], "seeds": cell["seeds"]}, file, place)
        cells[name] = CellDigest(**one, evaluators=_texts(cell["evaluators"], file, f"{place}.evaluators"), code=code)
    return Digest(cells=cells, **{name: _texts(whole.get(name), file, name) for name in ("metrics", "claims")})


def _mapping(value: Any, file: Path, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{file}: {place} is {value!r:.80}: expected a JSON object.")
    return value


def _texts(value: Any, file: Path, place: str) -> dict[str, str]:
    for name, text in _mapping(value, file, place).items():
        if not isinstance(text, str):
            raise UsageError(f"{file}: {place}.{name} is {text!r:.80}: expected text.")
    return dict(value)


def joined(names: Iterable[str], most: int = 2) -> str:
    """The first names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
