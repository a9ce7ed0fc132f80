"""A study on disk: what it is about, its trials in sqlite, and going on where it was."""

from __future__ import annotations

import contextlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from zoo import UsageError, ZooError
from zoo.discovery import describe
from zoo.training import Stop
from zoo_tune.evaluate import PRUNED, Outcome, Trainer
from zoo_tune.space import Choices, Space, chosen_options

DEFINITION, STORAGE, LOCK = "study.json", "study.db", "lock"
_NAME = "zoo"
_VIOLATION, _FAILED, _ABANDONED = "violation", "failed", "abandoned"
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
_PRUNE_AFTER = 5
"""trials before the first is pruned"""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The study's folder, for this process alone.

    Raises:
        UsageError: another process works on it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}.") from error
    with file:
        try:
            _lock(file)
        except OSError:
            raise UsageError(f"another process works on the study in {folder}.") from None
        yield


def _lock(file: IO[str]) -> None:
    """Lock a file until it is closed; an OSError where another process has."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(frozen=True)
class TuningStudy:
    """A study that is open.

    Attributes:
        study: optuna's.
        space: what is searched.
        base: the configuration that it is searched around.
        seed: of the sampler.
        tolerance: violations up to this share of their thresholds count as kept.
    """

    study: optuna.Study
    space: Space
    base: Any
    seed: int
    tolerance: float

    @property
    def ended(self) -> list[FrozenTrial]:
        """Trials that are over, in order."""
        return [t for t in self.study.get_trials(deepcopy=False, states=_ENDED) if _ABANDONED not in t.user_attrs]

    @property
    def best(self) -> FrozenTrial | None:
        """The best complete trial that keeps the constraints; where none does, the one with the least violation."""
        complete = [trial for trial in self.ended if trial.state == TrialState.COMPLETE]
        sign = 1.0 if self.study.direction == optuna.study.StudyDirection.MAXIMIZE else -1.0
        return max(complete, key=lambda trial: (-self.excess(trial), sign * float(trial.value or 0.0)), default=None)

    def excess(self, trial: FrozenTrial) -> float:
        """By how much more than tolerated a trial violates its constraints; 0 where it keeps them."""
        return max(0.0, float(trial.user_attrs.get(_VIOLATION, 0.0)) - self.tolerance)

    def options(self, trial: FrozenTrial) -> dict[str, Any]:
        """The options of a trial, nested as in the configuration."""
        return chosen_options(self.base, trial.params)

    def search(
        self, trainer: Trainer, seeds: Sequence[int], trials: int, tell: Callable[[TuningStudy, FrozenTrial], None]
    ) -> Stop:
        """Bring the study to ``trials`` trials; the ``Stop`` says whether a signal ended it before."""
        while len(self.ended) < trials:
            stop = Stop()
            with stop.listening():
                trial = self._next()
                outcome = self._train(trial, trainer, seeds, stop)
            if stop.signal:
                return stop
            self._tell(trial, outcome)
            tell(self, self.ended[-1])
        return Stop()

    def _next(self) -> Trial:
        """The trial that a killed process left, or a new one; how it is drawn depends on the trials before alone."""
        self.study.sampler = optuna.samplers.TPESampler(
            seed=self.seed + len(self.ended), constraints_func=lambda trial: [self.excess(trial)]
        )
        left = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        for frozen in left:
            if set(frozen.params) == set(self.space):
                return Trial(self.study, frozen._trial_id)
            unfinished = Trial(self.study, frozen._trial_id)  # killed while it was drawn: it is drawn again
            unfinished.set_user_attr(_ABANDONED, True)
            self.study.tell(unfinished, state=TrialState.FAIL)
        if not self.ended and not self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            self.study.enqueue_trial(self._preset_point())
        trial = self.study.ask()
        for name, dimension in self.space.items():
            if isinstance(dimension, Choices):
                trial.suggest_categorical(name, dimension.values)
            elif dimension.whole:
                trial.suggest_int(name, int(dimension.low), int(dimension.high), log=dimension.log)
            else:
                trial.suggest_float(name, dimension.low, dimension.high, log=dimension.log)
        return trial

    def _preset_point(self) -> dict[str, Any]:
        """The configuration itself, as far as it lies within the space: the first trial."""
        point: dict[str, Any] = {}
        for name, dimension in self.space.items():
            value: Any = self.base
            for part in name.split("."):
                value = getattr(value, part)
            value = value[0] if isinstance(value, tuple) and value else value
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if isinstance(dimension, Choices):
                inside = value in dimension.values
            else:
                inside = number and dimension.low <= value <= dimension.high
            if inside:
                point[name] = value
        return point

    def _train(self, trial: Trial, trainer: Trainer, seeds: Sequence[int], stop: Stop) -> Outcome:
        known = {t.number: t for t in self.study.get_trials(deepcopy=False)}[trial.number].intermediate_values

        def report(index: int, value: float) -> bool:
            if index not in known:  # a resumed run may come by again
                trial.report(value, index)
            return trial.should_prune()

        if known and trial.should_prune():  # killed between the decision and its record
            return Outcome(stopped=PRUNED)
        try:
            return trainer.run(chosen_options(self.base, trial.params), seeds, stop, report)
        except KeyboardInterrupt:
            raise
        except ZooError as error:  # of these options: others may do
            return Outcome(failed=error.message)

    def _tell(self, trial: Trial, outcome: Outcome) -> None:
        if outcome.failed:
            trial.set_user_attr(_FAILED, outcome.failed)
            self.study.tell(trial, state=TrialState.FAIL)
        elif outcome.stopped == PRUNED:
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            trial.set_user_attr(_VIOLATION, outcome.violation)
            trial.set_user_attr("values", outcome.values)
            self.study.tell(trial, sum(outcome.values) / len(outcome.values))


def open_study(
    folder: Path, definition: Mapping[str, Any], space: Space, base: Any, *, seed: int, tolerance: float
) -> TuningStudy:
    """The study in ``folder``, made where there is none.

    Args:
        folder: held by this process.
        definition: everything that decides what trials mean, as plain data.
        space: what is searched.
        base: the configuration that it is searched around.
        seed: of the sampler.
        tolerance: of violations.

    Raises:
        UsageError: the folder holds another study, or a storage that is none.
    """
    _check_definition(folder, json.loads(json.dumps(definition)))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", module="optuna")
    try:
        study = optuna.create_study(
            storage=f"sqlite:///{folder / STORAGE}", study_name=_NAME, load_if_exists=True,
            direction="maximize" if definition["maximise"] else "minimize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_PRUNE_AFTER),
        )  # fmt: skip
        if len(optuna.get_all_study_names(study._storage)) > 1:
            raise UsageError(f"{folder / STORAGE} holds studies of others: expected --study with another directory.")
    except ZooError:
        raise
    except Exception as error:  # whatever sqlite and its layers say
        raise UsageError(
            f"{folder / STORAGE} is not a storage of optuna: {describe(error).partition('(')[0]}."
        ) from error
    return TuningStudy(study, space, base, seed, tolerance)


def _check_definition(folder: Path, definition: dict[str, Any]) -> None:
    path = folder / DEFINITION
    if not path.exists():
        if (folder / STORAGE).exists():
            raise UsageError(
                f"{folder / STORAGE} is the storage of another study: expected --study with a new directory."
            )
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(json.dumps(definition, indent=1) + "\n", encoding="utf-8")
        part.replace(path)
        return
    there: Any = None
    with contextlib.suppress(OSError, ValueError):
        there = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(there, dict):
        raise UsageError(f"{path} cannot be read: expected the definition of a study.")
    for name in dict.fromkeys([*definition, *there]):
        if there.get(name) != definition.get(name):
            raise UsageError(
                f"{folder} holds another study: its {name} is {_short(there.get(name))}, and "
                f"{_short(definition.get(name))} is asked for.",
                "--study DIR puts this one elsewhere.",
            )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
