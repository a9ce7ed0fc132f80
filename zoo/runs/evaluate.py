"""Evaluating stored runs and files; a run is read, never trained, locked or changed."""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.api import EvalContext, Report
from zoo.discovery.config import decode_fields, encode_fields
from zoo.discovery.guard import blaming
from zoo.discovery.names import slug
from zoo.discovery.registration import Entry, describe
from zoo.discovery.registry import Registry, discover
from zoo.errors import InterfaceError, RunError, UsageError, ZooError
from zoo.runs.store import EVALUATIONS, Run, open_runs
from zoo.seeding import child_seed, stream
from zoo.training.evaluate_policy import ActError
from zoo.training.load import HasPath, LoadedRun, NoCheckpointError, load
from zoo.training.representations.trainer import RepresentationTrainer
from zoo.training.storage.files import is_folder, kind, replace_file, sealed, to_json

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Judge:
    """An evaluator ready to use: its entry, its options, and how to run it.

    Attributes:
        entry: the evaluator.
        config: an instance of its dataclass, or None if it has none.
        registry: plugins, to rebuild what the runs were made of.
        seed: root seed of the evaluation's own random streams; runs with different seeds have different streams.
        device: where tensors live.
        checkpoint: which one is judged: "newest", "best", or a step.
        trust: allow environment ids that import modules.
        debug: let exceptions of the evaluator through, with their traceback.
    """

    entry: Entry
    config: Any
    registry: Registry
    seed: int = 0
    device: str = "cpu"
    checkpoint: str | int = "newest"
    trust: bool = False
    debug: bool = False

    def run(self, run: Run) -> Evaluation:
        """Judge a checkpoint of a run: the newest sound one, unless another was asked for.

        Raises:
            UsageError: the evaluator judges something else, or refuses the run; or there is no such checkpoint.
            RunError: there is no sound checkpoint, or it does not fit the installed plugin.
            ZooError: the evaluator failed.
        """
        if self.entry.subject != run.spec.kind:
            wanted = "an algorithm" if self.entry.subject == "algorithm" else f"a {self.entry.subject}"
            raise UsageError(
                f"{run.path} is a run of the {run.spec.kind} {run.algorithm}, and evaluator "
                f"{self.entry.name!r} judges {wanted}."
            )
        loaded = self._load(run)
        env, seed = loaded.member.env, child_seed(self.seed, f"run with seed {run.seed}")
        loaded.draw_from(seed)
        subject: Any = loaded.algorithm
        if isinstance(subject, RepresentationTrainer):
            subject = subject.representation
        ctx = EvalContext(
            seed=child_seed(seed, self.entry.name),
            rng=stream(seed, self.entry.name),
            device=self.device,
            make_env=lambda count: loaded.components.make_env(count, child_seed(seed, "episodes")),
            problem=loaded.member.ctx.problem,
            spec=run.spec.to_json(),
            path=run.path,
        )
        try:
            report = self._judge(subject, ctx)
        except ActError as error:
            raise loaded.components.blame(error) from error
        finally:
            env.close()
        notes = [*([loaded.notice] if loaded.notice else []), *map(str, report.notes)]
        return Evaluation(path=run.path, judge=self, report=report, notes=notes, source=run, step=loaded.step)

    def file(self, path: Path, run: Run | None = None) -> Evaluation:
        """Judge a file.

        Args:
            path: the file.
            run: where the report is kept; unset: nowhere.

        Raises:
            UsageError: there is no such file, or the evaluator refuses it.
            ZooError: the evaluator failed.
        """
        if not path.is_file():
            raise UsageError(f"{path} is not a file, and evaluator {self.entry.name!r} judges files.")
        rng, seed = stream(self.seed, self.entry.name), child_seed(self.seed, self.entry.name)
        report = self._judge(path, EvalContext(seed=seed, rng=rng, device=self.device, path=path))
        notes = list(map(str, report.notes))
        if run is None:
            return Evaluation(path=path, judge=self, report=report, notes=notes)
        return Evaluation(path=run.path, judge=self, report=report, notes=notes, source=run, step=run.step)

    def _load(self, run: Run) -> LoadedRun:
        try:
            return load(run.path, self.checkpoint, registry=self.registry, device=self.device, trust=self.trust)
        except NoCheckpointError:
            raise
        except UsageError as error:
            raise RunError(f"{run.path} cannot be rebuilt: {error.message}", error.hint) from error
        except (ZooError, KeyboardInterrupt):
            raise
        except BaseException as error:  # whatever a plugin or its libraries do with a state or a device not theirs
            if self.debug and isinstance(error, Exception):
                raise
            raise RunError(
                f"the checkpoint in {run.path} cannot be loaded by {run.algorithm} of plugin "
                f"{run.spec.algorithm.partition('/')[0]} on device {self.device!r}: {describe(error)}",
                "--debug shows where; a run of another version of the plugin needs that version.",
            ) from error

    def _judge(self, subject: Any, ctx: EvalContext) -> Report:
        cls = self.entry.resolve()
        with blaming(self.entry.owner, debug=self.debug):
            report = cls(self.config).evaluate(subject, ctx)
        return _checked(report, self.entry)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One judgement of one run or file."""

    path: Path
    judge: Judge
    report: Report
    notes: list[str]
    source: Run | None = None
    step: int = 0

    @property
    def scores(self) -> Mapping[str, float]:
        """The scores of the report."""
        return self.report.scores

    def identity(self) -> dict[str, Any]:
        """The columns that identify it in a table."""
        if self.source is None:
            return {"file": str(self.path)}
        run = self.source
        return {"algorithm": run.algorithm, "environment": run.environment, "seed": run.seed}

    def to_json(self) -> dict[str, Any]:
        """The documented fields, and those that identify a run."""
        document = {
            "path": str(self.path),
            "subject": self.judge.entry.subject,
            "evaluator": self.judge.entry.qualified,
            "scores": dict(self.report.scores),
            "sampled": dict(self.report.sampled),
            "rows": [_plain(row) for row in self.report.rows],
            "notes": self.notes,
        }
        return document if self.source is None else document | self.identity() | {"step": self.step}

    def save(self) -> Path | None:
        """Store it in the run as ``evaluations/<evaluator>.json``, replacing an earlier one; without a run, nowhere.

        Of a checkpoint that was asked for, as ``<evaluator>@<step>.json``, beside that of the newest.

        Raises:
            RunError: the run cannot be written.
        """
        if self.source is None:
            return None
        entry = self.judge.entry
        of = "" if self.judge.checkpoint == "newest" else f"@{self.step}"
        path = self.path / EVALUATIONS / f"{slug(entry.name)}{of}.json"
        content = self.to_json()
        del content["path"]  # a run may be moved
        content |= {
            "format": FORMAT,
            "plugin_version": entry.version,
            "config": encode_fields(self.judge.config),
            "evaluation_seed": self.judge.seed,
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        if os.path.lexists(path.parent) and not is_folder(path.parent):
            raise RunError(f"{path.parent} is {kind(path.parent) or 'a file'}: expected a directory.")
        try:
            path.parent.mkdir(exist_ok=True)
            replace_file(path, to_json(sealed(content)))
        except OSError as error:
            raise RunError(f"{path} cannot be written: {error.strerror}.") from error
        return path


def evaluator_config(entry: Entry, options: Mapping[str, Any]) -> Any:
    """An instance of an evaluator's dataclass with these options, as plain data; None if it has none.

    Raises:
        UsageError: there is no such option, or its value does not fit.
    """
    cls = entry.resolve_config()
    if cls is not None:
        return decode_fields(cls, options, where=f"option of {entry.name}")
    if options:
        raise UsageError(f"evaluator {entry.name!r} has no options, and {next(iter(options))!r} was given.")
    return None


def evaluate(
    runs: Path | str | HasPath | Iterable[Path | str | HasPath],
    evaluator: str = "return",
    *,
    options: Mapping[str, Any] | None = None,
    checkpoint: str | int = "newest",
    seed: int = 0,
    device: str = "cpu",
    trust: bool = False,
    save: bool = False,
    registry: Registry | None = None,
) -> list[Evaluation]:
    """Judge stored runs, as ``zoo eval RUN... EVALUATOR`` does.

    Args:
        runs: a directory with runs beneath it, what ``zoo.train`` or ``zoo.open_runs`` gave, or several of these.
        evaluator: ``zoo list evaluators`` shows them.
        options: of the evaluator, as plain data.
        checkpoint: "newest", "best", or a step.
        seed: root seed of the evaluation.
        device: where tensors live.
        trust: allow environment ids that import modules.
        save: keep each report in its run, under ``evaluations``.
        registry: plugins to use; discovered if not given.

    Returns:
        One evaluation for each run, seeds in order: ``scores`` by name, ``report`` with rows and intervals, ``source``
        the run.

    Raises:
        ZooError: a name or an option is wrong, or a run cannot be read or judged.
    """
    registry = registry or discover()
    entry = registry.find(evaluator, "evaluator")
    judge = Judge(
        entry=entry,
        config=evaluator_config(entry, options or {}),
        registry=registry,
        seed=seed,
        device=device,
        trust=trust,
        checkpoint=checkpoint,
    )
    several = [runs] if isinstance(runs, (str, Path)) or hasattr(runs, "path") else runs
    catalogue = open_runs(run if isinstance(run, (str, Path)) else run.path for run in several)
    if catalogue.refused:
        raise RunError(catalogue.refused[0].reason)
    evaluations = [judge.run(run) for run in catalogue]
    for evaluation in evaluations if save else ():
        evaluation.save()
    return evaluations


def _checked(report: Any, entry: Entry) -> Report:
    """A report with plain, finite scores.

    Raises:
        InterfaceError: it is not a Report, or a score is not a finite number.
    """
    owner = f"evaluator {entry.name!r} of {entry.provider}"
    if not isinstance(report, Report):
        raise InterfaceError(f"{owner} returned a {type(report).__name__}: expected a zoo.Report.")
    scores: dict[str, float] = {}
    for name, value in report.scores.items():
        try:
            scores[name] = float(value)
        except (TypeError, ValueError):
            raise InterfaceError(f"{owner} gave the score {name!r} = {value!r}: expected a number.") from None
        if not math.isfinite(scores[name]):
            raise InterfaceError(f"{owner} gave the score {name!r} = {value}: expected a finite number.")
    sampled: dict[str, tuple[float, float] | None] = {}
    for name, ends in report.sampled.items():
        try:
            sampled[name] = None if ends is None else (float(ends[0]), float(ends[1]))
            sound = name in scores and (ends is None or ends[0] <= scores[name] <= ends[1])
        except (TypeError, ValueError, IndexError, KeyError):
            sound = False
        if not sound:
            raise InterfaceError(f"{owner} sampled {name!r} as {ends!r}: expected a score and its interval, or None.")
    return Report(scores=scores, rows=report.rows, notes=report.notes, sampled=sampled)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON data: numpy numbers and arrays as Python's, what is not finite as text."""
    return {str(name): _plain_value(value) for name, value in row.items()}


def _plain_value(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, (list, tuple)):
        return [_plain_value(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
