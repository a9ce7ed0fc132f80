"""One set of options on some seeds: training, its number, and by how much constraints are violated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from zoo import Run, RunResult, ZooError, load, open_runs
from zoo.discovery import Registry
from zoo.runs import Judge
from zoo.tabular import Units
from zoo.training import (
    Pool,
    RunDir,
    RunRequest,
    RunSpec,
    Settings,
    Silent,
    Stop,
    TaskResult,
    WorkerTask,
    resolve,
    train_seeds,
)

CONSTRAINTS = "constraints/"
"""metrics of this prefix are scores of the evaluator ``constraints``, exact on tabular models"""
PRUNED = "pruned"


@dataclass(frozen=True)
class Outcome:
    """What came of one set of options.

    Attributes:
        values: the metric for each seed that was trained to its end.
        violation: largest violation of a constraint over the seeds, as a share of its threshold, or of the range of its
            value where the threshold is 0; 0 without constraints.
        stopped: "" or why it is not complete: "pruned", or the name of a signal.
        failed: what went wrong with a seed; empty where nothing did.
    """

    values: list[float] = field(default_factory=list)
    violation: float = 0.0
    stopped: str = ""
    failed: str = ""


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Trains sets of options in one way.

    Attributes:
        request: algorithm, environment and budget; its options are replaced by each set's.
        metric: a metric of the run, such as "eval/return", or "constraints/" and a score of that evaluator.
        reports: how many values a run reports while it trains.
        registry: all plugins.
        root: directory of the runs.
        trust: allow an environment id that imports a module.
        jobs: worker processes that share the seeds of a set; with several, nothing is pruned.
    """

    request: RunRequest
    metric: str
    reports: int
    registry: Registry
    root: Path
    trust: bool = True
    jobs: int = 1

    def with_reports(self, steps: int) -> Trainer:
        """The same with an evaluation for each report, where the metric is one of evaluations."""
        every = max(1, steps // self.reports) if self.metric.startswith("eval/") else 0
        return replace(self, request=replace(self.request, eval_every=every))

    def apart(self, root: Path, *, episodes: int) -> Trainer:
        """The same for judging: one evaluation, at the end, and runs in another directory."""
        return replace(self, root=root, request=replace(self.request, eval_every=0, eval_episodes=episodes))

    def spec(self, options: Mapping[str, Any]) -> RunSpec:
        """The spec of one set of options.

        Raises:
            UsageError: a value is refused.
        """
        return resolve(replace(self.request, options={**self.request.options, **options}), self.registry, origin="tune")

    def check(self, seed: int) -> None:
        """Build everything once, and make one update in a directory that is thrown away.

        Raises:
            UsageError: the environment does not offer what the algorithm needs, or the options do not fit it.
        """
        stop = Stop()
        stop.reason = "it is only a trial"
        with TemporaryDirectory() as folder:
            settings = Settings(root=Path(folder), trust=self.trust)
            train_seeds(self.spec({}), [seed], self.registry, settings, Silent(), stop)

    def run(
        self, options: Mapping[str, Any], seeds: Sequence[int], stop: Stop, report: Callable[[int, float], bool]
    ) -> Outcome:
        """Train seed after seed, continuing what is there.

        Args:
            options: of the algorithm, as plain data.
            seeds: root seeds.
            stop: asked to stop by signals.
            report: called with a count, from 0, and the metric at that moment; whether to go no further.

        Raises:
            UsageError: the options are refused.
        """
        spec = self.spec(options)
        if self.jobs > 1 and len(seeds) > 1:
            return self._run_together(spec, seeds, stop)
        outcome = Outcome()
        for number, seed in enumerate(seeds):
            reporter = _Reporter(self.metric, spec.steps, self.reports, number, report, stop)
            (result,) = train_seeds(
                spec, [seed], self.registry, Settings(root=self.root, trust=self.trust), reporter, stop
            )
            if stop.reason:
                return replace(outcome, stopped=stop.reason)
            outcome = self._with(outcome, result)
            if outcome.failed:
                break
        return outcome

    def _run_together(self, spec: RunSpec, seeds: Sequence[int], stop: Stop) -> Outcome:
        """All seeds at once, in worker processes; the first seed that fails, in order, is what is told."""
        problems: dict[int, ZooError] = {}
        together = _Results()

        def ended(end: TaskResult) -> None:
            if end.error is not None:
                problems.update(dict.fromkeys(end.task.seeds, end.error))

        settings = Settings(root=self.root, trust=self.trust)
        with Pool(min(self.jobs, len(seeds)), self.registry, settings) as pool:
            pool.run([WorkerTask(spec=spec, seeds=(seed,)) for seed in seeds], together, stop, ended)
        if stop.reason:
            return Outcome(stopped=stop.reason)
        outcome = Outcome()
        for seed in seeds:
            if seed in problems:
                return replace(outcome, failed=problems[seed].message)
            # What was finished before has nothing to tell: it is read, not trained.
            known = together.of.get(seed) or train_seeds(spec, [seed], self.registry, settings, Silent(), stop)[0]
            outcome = self._with(outcome, known)
            if outcome.failed:
                break
        return outcome

    def _with(self, outcome: Outcome, result: RunResult) -> Outcome:
        """The outcome with one more seed, or why there is none."""
        if result.status != "finished":
            return replace(outcome, failed=result.message or result.status)
        value, violation = self._judged(result)
        if value is None:
            return replace(outcome, failed=f"seed {result.seed} has no metric {self.metric!r}")
        return replace(outcome, values=[*outcome.values, value], violation=max(outcome.violation, violation))

    def _judged(self, result: RunResult) -> tuple[float | None, float]:
        """The metric at the end, and the violation."""
        scores = self._constraints(result) if self.metric.startswith(CONSTRAINTS) or "violation" in result.score else {}
        if self.metric.startswith(CONSTRAINTS):
            value = scores.get(self.metric.removeprefix(CONSTRAINTS))
        else:
            value = result.metrics.get(self.metric)
        violated = [name.partition("/")[2] for name in scores if name.startswith("violation/") and scores[name] > 0.0]
        units = self._units(result, scores, violated) if violated else {}
        return value, max((scores[f"violation/{name}"] / units[name] for name in violated), default=0.0)

    def _units(self, result: RunResult, scores: Mapping[str, float], violated: Sequence[str]) -> dict[str, float]:
        """What a violation is measured by: the threshold; where that is 0, the range of the value over all policies.

        Where no model tells that range, the value itself: it breaks a threshold of 0 wholly.
        """
        units = {name: abs(scores[f"threshold/{name}"]) for name in violated}
        if all(units.values()):
            return units
        problem = load(result, registry=self.registry, trust=self.trust).member.ctx.problem
        ranges: dict[str, float] = {}
        if problem.model is not None and problem.constraints is not None:
            ranges = dict(zip(problem.constraints.names, Units.of(problem.tabular).signals.tolist(), strict=True))
        return {name: unit or ranges.get(name) or abs(scores[f"value/{name}"]) for name, unit in units.items()}

    def _constraints(self, result: RunResult) -> Mapping[str, float]:
        entry = self.registry.find("constraints", "evaluator")
        judge = Judge(entry=entry, config=entry.default_config(), registry=self.registry, trust=self.trust)
        run: Run = next(iter(open_runs(result.path)))
        return judge.run(run).report.scores


class _Results(Silent):
    """Collects the results of runs by seed."""

    def __init__(self) -> None:
        self.of: dict[int, RunResult] = {}

    def finished(self, run: RunDir, result: RunResult) -> None:
        """As Callback."""
        self.of[result.seed] = result


class _Reporter(Silent):
    """Reports the metric at equal distances, and stops the run where that is asked for."""

    def __init__(
        self, metric: str, steps: int, reports: int, number: int, report: Callable[[int, float], bool], stop: Stop
    ) -> None:
        self._metric, self._every, self._reports = metric, max(1, steps // reports), reports
        self._first, self._report, self._stop = number * reports, report, stop
        self._done = 0

    def started(self, run: RunDir, step: int, notice: str) -> None:
        """As Callback; what was reported before a kill is known."""
        self._done = step // self._every

    def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
        """As Callback."""
        reached = min(step // self._every, self._reports)
        if self._metric not in metrics or reached <= self._done or reached >= self._reports:
            return
        self._done = reached
        if self._report(self._first + reached - 1, metrics[self._metric]):
            self._stop.reason = PRUNED
