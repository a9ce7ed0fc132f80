"""Slurm, by submitit: an array of jobs, each with many tasks, so that what waits in the queue waits once."""

from __future__ import annotations

import contextlib
import io
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import submitit

from zoo import UsageError
from zoo.training import Settings, WorkerTask
from zoo_bench.executors.slurm_queue import Queue
from zoo_bench.executors.worker import perform

JOBS_PER_PLACE = 4
"""Jobs for each of ``--jobs``: the more, the more even; each costs a start of Python and of its plugins."""
_MARGIN_SECONDS = 120
"""So long before the time limit of a job, or at half of a short one, its worker saves and ends; what is left is given
out again."""
_LOOK_SECONDS = {"local": 0.1, "slurm": 2.0}
_DEFAULT_MINUTES = 60
_NUMBERS = ("time", "cpus_per_task", "gpus_per_node")


def start(jobs: int | None, options: Mapping[str, str], settings: Settings) -> SlurmEngine:
    """Prepare an array of jobs; nothing is submitted yet.

    Raises:
        UsageError: there is no Slurm on this machine, or an option is no number.
    """
    cluster = options.get("cluster", "slurm")
    if cluster not in _LOOK_SECONDS:
        raise UsageError(f"--executor-option cluster={cluster}: expected slurm or local.")
    parameters: dict[str, Any] = {name: value for name, value in options.items() if name != "cluster"}
    for name in _NUMBERS:
        if name in parameters:
            if not parameters[name].isdecimal() or int(parameters[name]) < 1:
                unit = "minutes, a whole number" if name == "time" else "a whole number"
                raise UsageError(f"--executor-option {name}={parameters[name]}: expected {unit} of 1 or more.")
            parameters[name] = int(parameters[name])
    minutes = parameters.setdefault("time", _DEFAULT_MINUTES)
    if "setup" in parameters:
        parameters["setup"] = [parameters["setup"]]
    folder = settings.root.absolute() / ".sweeps" / f"jobs-{time.time_ns()}"
    if cluster == "slurm" and not (shutil.which("sbatch") and shutil.which("srun")):
        raise UsageError(
            "--executor slurm needs the commands sbatch and srun, which are not on this machine.",
            "--executor-option cluster=local tries the same with processes of this machine.",
        )
    executor = submitit.AutoExecutor(folder=folder / "%j", cluster=cluster)
    defaults = {"job_name": "zoo-bench", "cpus_per_task": 1, "array_parallelism": jobs or 1}
    named = {f"slurm_{name}": value for name, value in {**defaults, **parameters}.items()}
    executor.update_parameters(timeout_min=minutes, **named)
    return SlurmEngine(executor, folder, jobs or 1, cluster, max(60.0 * minutes - _MARGIN_SECONDS, 30.0 * minutes))


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes that start in the block ignore Ctrl-C, which every process of a terminal gets; the sweep stops them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class SlurmEngine:
    """As ``Engine``."""

    def __init__(self, executor: Any, folder: Any, jobs: int, cluster: str, seconds: float) -> None:
        self.seconds = seconds
        self._executor, self._folder, self._jobs, self._cluster = executor, folder, jobs, cluster
        self._running: dict[Future[str], Any] = {}
        self._queue = Queue()
        self._looked = 0.0
        self._failed = False

    def bundles(self, tasks: Sequence[WorkerTask]) -> list[list[WorkerTask]]:
        """As Engine: dealt out in turn, so that each has its share of the long ones, which come first."""
        count = min(len(tasks), self._jobs * JOBS_PER_PLACE)
        return [list(tasks[first::count]) for first in range(count)]

    def room(self, sent: int) -> int:
        """As Engine: Slurm keeps its own queue, and how many of an array run at once."""
        self._look()
        return self._jobs - sent if self._cluster == "local" else 10**6

    def _look(self) -> None:
        """Settle the futures of jobs that have ended."""
        if time.monotonic() - self._looked < _LOOK_SECONDS[self._cluster]:
            return
        self._looked = time.monotonic()
        for future, job in list(self._running.items()):
            if not self._ended(job):
                continue
            del self._running[future]
            try:
                future.set_result(self._result(job))
            except Exception as error:
                self._failed = True
                future.set_exception(error)

    def _ended(self, job: Any) -> bool:
        """Whether a job has left its result, or is gone without."""
        if self._cluster == "local":
            return bool(job.done())
        if job.paths.result_pickle.exists():
            return True
        return self._queue.state(job.job_id) == "GONE"

    def _result(self, job: Any) -> str:
        if self._cluster == "slurm" and not job.paths.result_pickle.exists():
            raise submitit.core.utils.UncompletedJobError(f"job {job.job_id} is gone, and has left no result")
        found: str = job.result()
        return found

    def submit(self, requests: Sequence[str]) -> list[Future[str]]:
        """As Engine: one array."""
        heard = io.StringIO()  # submitit passes on what sbatch says
        try:
            with (
                contextlib.redirect_stderr(heard),
                _deaf_to_interrupts() if self._cluster == "local" else contextlib.nullcontext(),
                self._executor.batch(),
            ):
                jobs = [self._executor.submit(perform, request) for request in requests]
        except submitit.core.utils.FailedJobError as error:
            said = [line.removeprefix("sbatch: error: ") for line in heard.getvalue().splitlines() if line.strip()]
            raise UsageError(
                f"sbatch refused the jobs: {said[0].rstrip('.') if said else 'no reason given'}."
            ) from error
        futures: list[Future[str]] = [Future() for _ in jobs]
        self._running.update(zip(futures, jobs, strict=True))
        return futures

    def withdraw(self, future: Future[str]) -> bool:
        """As Engine: jobs that wait in the queue are cancelled."""
        job = self._running.get(future)
        if job is None or self._cluster == "local" or self._queue.state(job.job_id) != "PENDING":
            return False
        job.cancel(check=False)
        del self._running[future]
        return True

    def died(self, error: BaseException) -> bool:
        """As Engine: no result, and the job is gone."""
        return isinstance(error, submitit.core.utils.UncompletedJobError)

    def close(self) -> None:
        """As Engine; the logs of jobs are kept where one failed."""
        if not self._failed:
            shutil.rmtree(self._folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                self._folder.parent.rmdir()
