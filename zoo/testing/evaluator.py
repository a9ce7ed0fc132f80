"""``check_evaluator``."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from zoo.api import EvalContext, Report
from zoo.discovery.config import decode_fields
from zoo.discovery.registration import Entry
from zoo.discovery.registry import Registry, discover
from zoo.errors import UsageError
from zoo.seeding import child_seed, stream
from zoo.testing.compare import difference
from zoo.testing.contract import Contract
from zoo.testing.global_generators import global_generators_unused
from zoo.testing.harness import Harness
from zoo.testing.options import check_options
from zoo.testing.registration import check_light
from zoo.testing.updates import advance
from zoo.training.build import Member
from zoo.training.representations.trainer import RepresentationTrainer

SEED = 7


def check_evaluator(
    name: str,
    subject: tuple[str, str] | Path | str,
    *,
    config: Any = None,
    subject_config: Any = None,
    steps: int | None = None,
    registry: Registry | None = None,
) -> None:
    """Check a registered evaluator on one subject.

    What must hold: the registration and options modules are light; the report is a ``Report`` with at least one
    score, all scores finite, and rows and notes that can be written as JSON; the subject is left as it was; two
    evaluations with the same seed agree in every score and row; no global random generator is used.

    Args:
        name: bare or qualified name of the evaluator.
        subject: names of an algorithm (or representation) and an environment, which are trained for a few
            updates; or, for an evaluator of files, a path.
        config: the evaluator's options: a dataclass, or some of its fields as a mapping.
        subject_config: options of the algorithm or representation that is judged.
        steps: budget of the training; by default the registered one, cut off after a few updates.
        registry: the plugins; by default all that are installed.

    Raises:
        AssertionError: one sentence that names the plugin and what broke.
        UsageError: a name is unknown, or the subject is not of the kind that the evaluator judges.
    """
    registry = registry if registry is not None else discover()
    entry = registry.find(name, "evaluator")
    contract = Contract.of(entry)
    check_light(contract, entry, registry)
    with contract.during("importing it"):
        evaluator_class = entry.resolve()
    check_options(contract, entry)
    cls = entry.resolve_config()
    chosen = config
    if not dataclasses.is_dataclass(config) and cls is not None:
        chosen = decode_fields(cls, config or {})
    build = partial(evaluator_class, chosen)
    if entry.subject == "file":
        if isinstance(subject, tuple):
            raise UsageError(f"{entry.name} judges files: expected a path, not {subject!r}.")
        _judge_file(contract, build, Path(subject))
    elif isinstance(subject, tuple):
        _judge_trained(contract, entry, build, subject, subject_config, steps, registry)
    else:
        raise UsageError(f"{entry.name} judges an {entry.subject}: expected its name and that of an environment.")


def _judge_file(contract: Contract, build: Callable[[], Any], path: Path) -> None:
    def judge() -> dict[str, Any]:
        context = EvalContext(seed=SEED, rng=stream(SEED, "evaluator"), path=path)
        return _checked(contract, build, path, context)

    before = _digest(path)
    first, second = judge(), judge()
    contract.require(_digest(path) == before, f"it changed {path.name}, which it was to judge")
    _check_same(contract, first, second)


def _digest(path: Path) -> str:
    files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    return "".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)


def _judge_trained(
    contract: Contract,
    entry: Entry,
    build: Callable[[], Any],
    subject: tuple[str, str],
    config: Any,
    steps: int | None,
    registry: Registry,
) -> None:
    judged = registry.find(subject[0], "representation" if entry.subject == "representation" else "algorithm")
    harness = Harness.of(
        contract, judged, subject[1], registry, steps=steps, config=config, env_config=None, num_envs=1
    )
    with harness.member(0) as member:
        advance(harness, member, harness.limit)
        saved = harness.round_trip([member])[0]
        reports = []
        for _ in range(2):
            reports.append(_checked(contract, build, _subject(member), _context(harness, member)))
            problem = difference(saved["algorithm"], member.capture()["algorithm"], generators=False)
            contract.require(not problem, f"it changed what it was to judge: {problem}")
            harness.restore(member, saved)
        _check_same(contract, *reports)


def _subject(member: Member) -> Any:
    algorithm = member.algorithm
    return algorithm.representation if isinstance(algorithm, RepresentationTrainer) else algorithm


def _context(harness: Harness, member: Member) -> EvalContext:
    return EvalContext(
        seed=SEED,
        rng=stream(SEED, "evaluator"),
        make_env=lambda count: harness.components.make_env(count, child_seed(SEED, "eval")),
        problem=member.ctx.problem,
        spec=harness.components.spec.to_json(),
    )


def _checked(contract: Contract, build: Callable[[], Any], subject: Any, context: EvalContext) -> dict[str, Any]:
    with contract.during("evaluate()"), global_generators_unused(contract, "evaluate()"):
        report = build().evaluate(subject, context)
    contract.require(
        isinstance(report, Report), f"evaluate() returned a {type(report).__name__}, expected a zoo.Report"
    )
    contract.require(report.scores, "its report has no scores")
    for name, score in report.scores.items():
        contract.require(isinstance(name, str) and name, f"score name {name!r} is not a non-empty string")
        number = isinstance(score, (int, float)) or getattr(score, "shape", None) == ()
        contract.require(number and math.isfinite(score), f"score {name!r} is {score!r}, expected a finite number")
    contract.require(
        all(isinstance(row, Mapping) for row in report.rows), "a row of its report is not a mapping of names to values"
    )
    with contract.during("writing its report as JSON"):
        plain = {
            "scores": {name: float(score) for name, score in report.scores.items()},
            "rows": [dict(row) for row in report.rows],
            "notes": [str(note) for note in report.notes],
        }
        loaded: dict[str, Any] = json.loads(json.dumps(plain, allow_nan=False))
    return loaded


def _check_same(contract: Contract, first: dict[str, Any], second: dict[str, Any]) -> None:
    problem = difference(first, second)
    contract.require(not problem, f"two evaluations with the same seed differ: {problem}")
