"""The training loop of one or many seeds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from zoo.api import Batch, Metrics
from zoo.discovery.registry import Registry
from zoo.errors import RunError, TrainingFailed, UsageError, ZooError
from zoo.training.build import Components, Member, offers_batch
from zoo.training.callbacks import Callback, CallbackDispatcher
from zoo.training.load import StoredState, components_of, newest
from zoo.training.runner import HEARTBEAT_SECONDS, Runner
from zoo.training.settings import RunResult, Settings, stored_result
from zoo.training.stop import Stop, StopRule
from zoo.training.storage import checkpoint
from zoo.training.storage.completeness import contradiction
from zoo.training.storage.interval import Interval
from zoo.training.storage.run_dir import SPEC, RunDir
from zoo.training.storage.spec import RunSpec


def train_seeds(
    spec: RunSpec, seeds: Sequence[int], registry: Registry, settings: Settings, callback: Callback, stop: Stop
) -> list[RunResult]:
    """Bring the runs of ``spec`` with these seeds to their end, continuing what is there.

    Seeds of an algorithm that offers a batch advance together; others one after the other. What is finished
    already is left alone and reported as it is.

    Returns:
        One result for each seed, in order.

    Raises:
        ZooError: no run could be started or written; runs that failed while training are results instead, and so are
            those that could not be started beside others that could.
    """
    components = components_of(spec, registry, trust=settings.trust)
    prepare_torch(settings)
    observers = CallbackDispatcher(registry, callback)
    groups = [list(seeds)] if len(seeds) > 1 and offers_batch(components.cls) else [[seed] for seed in seeds]
    results: list[RunResult] = []
    problems: dict[int, ZooError] = {}
    for group in groups:
        try:
            results += train_components(components, group, settings, observers, stop)
        except UsageError:  # the same for every seed
            raise
        except ZooError as error:  # of this seed: the later ones are run all the same
            problems |= dict.fromkeys(group, error)
        if stop.asked():
            break
    results += not_started(spec, problems, settings, having=bool(results))
    if components.grade is not None and components.grade.notice:
        observers.notices.append(components.grade.notice)
    for notice in observers.notices:
        sys.stderr.write(f"zoo: {notice}\n")
    by_seed = {result.seed: result for result in results}
    return [by_seed[seed] for seed in seeds if seed in by_seed]


def not_started(
    spec: RunSpec, problems: Mapping[int, ZooError], settings: Settings, *, having: bool
) -> list[RunResult]:
    """Results for seeds that could not be started.

    Raises:
        ZooError: none could; the first problem.
    """
    if problems and not having:
        raise next(iter(problems.values()))
    return [
        RunResult(
            path=spec.with_seed(seed).folder(settings.root), seed=seed, status="failed", steps=0, metrics={},
            message=" ".join(filter(None, (error.message, error.hint))),
        )
        for seed, error in problems.items()
    ]  # fmt: skip


def prepare_torch(settings: Settings) -> None:
    """Threads and determinism, if an algorithm has brought torch in."""
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(settings.threads)
        if settings.deterministic:
            torch.use_deterministic_algorithms(True)


def train_components(
    components: Components, seeds: Sequence[int], settings: Settings, callback: Callback, stop: Stop
) -> list[RunResult]:
    """Train these seeds together; as ``train_seeds``, with the components already resolved."""
    runs = {
        seed: RunDir(spec.folder(settings.root), spec) for seed in seeds for spec in [components.spec.with_seed(seed)]
    }
    done = finished_seeds(components.spec, seeds, settings)
    finished = [stored_result(runs[seed]) for seed in done]
    pending = [seed for seed in seeds if seed not in done]
    if not pending:
        return finished
    with ExitStack() as stack:
        members, batch = _members(components, pending)  # before anything is written: a request may turn out impossible
        StopRule(components.spec.stop).check(components.spec.short[1], members[0].env.constraints)
        runners = []
        for seed, member in zip(pending, members, strict=True):
            stack.callback(member.env.close)
            if settings.resume == "never" and os.path.lexists(runs[seed].path / SPEC):
                runs[seed].move_away()
            run = RunDir.create(settings.root, runs[seed].spec)
            runners.append(stack.enter_context(Runner(run, components, settings, callback)))
        graded = components.graded(members[0].env)
        for runner, member, stored in zip(runners, members, _common(runners), strict=True):
            member.env.restorable = graded.exact
            runner.notices += [graded.notice] if graded.notice else []
            runner.begin(member, stored)
        _drive(runners, batch, components, settings, stop)
        return finished + [runner.result for runner in runners if runner.result]


def finished_seeds(spec: RunSpec, seeds: Sequence[int], settings: Settings) -> list[int]:
    """Those of ``seeds`` whose runs are finished and are to be left alone.

    Raises:
        RunError: a run says that it is finished, and what is in it says otherwise.
    """
    if settings.resume != "auto":
        return []
    finished = []
    for seed in seeds:
        run = RunDir(spec.with_seed(seed).folder(settings.root), spec.with_seed(seed))
        status = run.status()
        if status["state"] != "finished":
            continue
        problem = contradiction(RunDir.open(run.path), status)
        if problem:
            raise RunError(
                f"{run.path} says that it is finished, and {problem}.",
                "zoo show RUN --verify tells more; --resume never starts afresh and keeps the old run.",
            )
        finished.append(seed)
    return finished


def _members(components: Components, seeds: Sequence[int]) -> tuple[list[Member], Batch | None]:
    try:
        return components.members(seeds, components.spec.device)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin's constructor may raise anything
        raise components.blame(error) from error


def _common(runners: Sequence[Runner]) -> list[StoredState]:
    """The newest sound checkpoint of each runner; in a batch, of the newest step that all of them have."""
    among: set[int] | None = None
    while True:
        stored = [newest(runner.run, resume=True, among=among) for runner in runners]
        if len({stored_state.step for stored_state in stored}) == 1:
            return stored
        least = min(stored_state.step for stored_state in stored)
        shared = set.intersection(*(set(checkpoint.steps(runner.run.checkpoints)) for runner in runners))
        among = {step for step in shared if step <= least}
        if not among:
            return [StoredState(notice="seeds had no common checkpoint; starting again.") for _ in runners]


def _drive(
    runners: Sequence[Runner], batch: Batch | None, components: Components, settings: Settings, stop: Stop
) -> None:
    """Update until every runner has used its budget, is final, has failed, or is asked to stop.

    The members of a batch resume from a step that all of them have saved, so they are saved together.
    """
    active = [(index, runner) for index, runner in enumerate(runners) if not _complete(runner)]
    saving, heartbeat = Interval(settings.checkpoint.seconds), Interval(HEARTBEAT_SECONDS)
    while active:
        try:
            rows = _updated(runners, batch, components)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever a plugin raises ends its runs, and no others
            if settings.debug and isinstance(error, Exception):
                raise
            for _, runner in active:
                runner.fail(components.blame(error, "update()"))
            return
        wanting: list[Runner] = []
        recorded = [(index, runner) for index, runner in active if _guarded(runner, _record, rows[index], wanting)]
        stopping = stop.asked()
        if saving.due or stopping or wanting:
            with saving.timed():
                active = [(index, runner) for index, runner in recorded if _guarded(runner, _save, stop, stopping)]
        else:
            active = recorded
        if heartbeat.due:
            with heartbeat.timed():
                active = [(index, runner) for index, runner in active if _guarded(runner, Runner.heartbeat)]


def _guarded(runner: Runner, action: Callable[..., bool | None], *args: Any) -> bool:
    """Whether ``action(runner, *args)`` leaves the runner going; what is raised ends its run and no others."""
    try:
        return action(runner, *args) is not False
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # evaluating and saving call the plugin, too
        if runner.settings.debug and isinstance(error, Exception) and not isinstance(error, ZooError):
            raise
        runner.fail(runner.components.blame(error))
        return False


def _record(runner: Runner, metrics: Metrics, wanting: list[Runner]) -> None:
    """Log an update, and evaluate where that is due; who wants to be saved then is added to ``wanting``."""
    runner.record(metrics)
    runner.evaluate_if_due(last=runner.over)
    if runner.calls_for_checkpoint:
        wanting.append(runner)


def _save(runner: Runner, stop: Stop, stopping: bool) -> bool:
    """Save; close the run where it is over or is to stop. Whether it goes on."""
    runner.checkpoint()
    over = runner.over
    if over or stopping:
        runner.close("finished" if over else "interrupted", "" if over else stop.reason)
    return not (over or stopping)


def _complete(runner: Runner) -> bool:
    """Whether a runner has nothing left to do: killed, perhaps, between its last checkpoint and its end."""
    if not (runner.resumed and runner.over):
        return False
    try:
        runner.close("finished")
    except RunError as error:
        runner.fail(error)
    return True


def _updated(runners: Sequence[Runner], batch: Batch | None, components: Components) -> Sequence[Metrics]:
    """The metrics of one update of every member."""
    if batch is None:
        return [runners[0].member.algorithm.update()]
    rows = batch.update()
    if len(rows) != len(runners):
        raise TrainingFailed(f"update() of a batch of {len(runners)} {components.owner} gave {len(rows)} metrics.")
    return rows
