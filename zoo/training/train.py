"""``zoo.train``: from names and options to runs, from Python as from the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from zoo.discovery.registry import Registry, discover
from zoo.errors import UsageError
from zoo.terminal.notebook import in_notebook
from zoo.training.callbacks import Callback, Silent
from zoo.training.loop import train_seeds
from zoo.training.progress import Terminal
from zoo.training.request import RunRequest, resolve
from zoo.training.settings import Cadence, RunResult, Settings
from zoo.training.stop import Stop
from zoo.training.workers.executor import LOCAL, Executor
from zoo.training.workers.seeds import train_parallel


def train(
    algorithm: str,
    environment: str,
    *,
    seeds: int | Iterable[int] = 0,
    options: Mapping[str, Any] | None = None,
    env_options: Mapping[str, Any] | None = None,
    preset: str = "",
    steps: int | None = None,
    num_envs: int | None = None,
    eval_every: int = 0,
    eval_episodes: int = 20,
    representation: str = "",
    representation_options: Mapping[str, Any] | None = None,
    policy: str = "uniform",
    exact: bool = False,
    device: str = "cpu",
    stop: str = "",
    root: Path | str = "runs",
    resume: Literal["auto", "never"] = "auto",
    checkpoint_every: float = 30.0,
    time_limit: float = 0.0,
    jobs: int | None = None,
    executor: str = LOCAL,
    executor_options: Mapping[str, str] | None = None,
    threads: int = 1,
    callback: Callback | None = None,
    registry: Registry | None = None,
) -> list[RunResult]:
    """Train, as ``zoo train ALGORITHM ENVIRONMENT`` does: the same arguments make the same runs.

    The same call again continues where it was, or returns what is finished already. An interrupt (Ctrl-C, SIGTERM)
    saves and returns what has been reached. ::

        results = zoo.train("reload", "two-state", seeds=range(5), options={"eta": "auto"})
        agent = zoo.load(results[0].path).algorithm

    Args:
        algorithm: an algorithm or a representation; ``zoo list`` shows them.
        environment: a registered name, or any gymnasium id.
        seeds: a root seed, or several.
        options: of the algorithm, as plain data; nested mappings for nested options.
        env_options: of the environment.
        preset: a preset of the plugin; empty for its default for this environment.
        steps: budget in the algorithm's ``env_steps``; None for the preset's, or the algorithm's own.
        num_envs: copies of the environment; None for the preset's, or 1.
        eval_every: steps between evaluations; 0 for only the last one.
        eval_episodes: episodes of each evaluation; 0 for none.
        representation: a representation that is handed to the algorithm; empty for none.
        representation_options: its options.
        policy: for a representation, the policy to follow: "uniform", "greedy:STATE", or the path of a run.
        exact: for a representation, whether to solve exactly, where the environment is tabular.
        device: where tensors live, such as "cpu" or "cuda:1".
        stop: rule by which a run ends before its budget, such as "eval/return >= 475"; see ``zoo train --stop``.
        root: directory of all runs.
        resume: "auto" continues what is there; "never" sets it aside and starts afresh.
        checkpoint_every: seconds between checkpoints; more where saving would take more than a tenth of the time.
        time_limit: seconds after which to save and stop; 0 for none.
        jobs: workers that share the seeds; None: one, or all that a cluster has. A script that asks for several
            keeps the call below ``if __name__ == "__main__":``, as multiprocessing has it.
        executor: "local", or what a plugin offers: "dask", "ray" and "slurm" are in zoo-bench.
        executor_options: of the executor, such as {"scheduler": "tcp://host:8786"}.
        threads: threads of torch.
        callback: called at each update, checkpoint and end of a run; None: progress in a notebook, else nothing.
        registry: plugins to use; discovered if not given.

    Returns:
        One result for each seed, in order. A run that failed is a result with the status "failed" and a message.

    Raises:
        UsageError: a name, an option or a value is wrong; nearest names are named.
        ZooError: no run could be started or written.
    """
    chosen = [seeds] if isinstance(seeds, int) else list(dict.fromkeys(seeds))
    if not chosen or not all(isinstance(seed, int) and seed >= 0 for seed in chosen):
        raise UsageError(f"seeds is {seeds!r}: expected a whole number of 0 or more, or several.")
    if not isinstance(executor, str) or not isinstance(executor_options or {}, Mapping):
        raise UsageError(f"executor is {executor!r} with {executor_options!r}: expected a name, and options by name.")
    if resume not in ("auto", "never"):
        raise UsageError(f"resume is {resume!r}: expected 'auto' or 'never'; zoo train --resume RUN continues a run.")
    for name, value in (("algorithm", algorithm), ("environment", environment)):
        if not isinstance(value, str):
            raise UsageError(
                f"{name} is {value!r}: expected its name, or module:Id-v0 for an environment of one's own."
            )
    steps, num_envs, jobs = (
        None if value is None else _whole(name, value, 1)
        for name, value in (("steps", steps), ("num_envs", num_envs), ("jobs", jobs))
    )
    eval_every, eval_episodes = _whole("eval_every", eval_every, 0), _whole("eval_episodes", eval_episodes, 0)
    registry = registry or discover()
    request = RunRequest(
        algorithm=algorithm, environment=environment, options=options or {}, env_options=env_options or {},
        preset=preset, steps=steps, num_envs=num_envs, eval_every=eval_every, eval_episodes=eval_episodes,
        representation=representation, representation_options=representation_options or {}, policy=policy,
        exact=exact, device=device, stop=stop,
    )  # fmt: skip
    spec = resolve(request, registry, origin="python")
    settings = Settings(
        root=Path(root), resume=resume, checkpoint=Cadence(seconds=checkpoint_every), time_limit=time_limit,
        threads=threads, trust=True,  # a module that the caller names is asked for
    )  # fmt: skip
    asked = Stop(time_limit)
    with asked.listening(), ExitStack() as stack:
        if callback is None:
            callback = stack.enter_context(Terminal(spec, len(chosen))) if in_notebook() else Silent()
        by = Executor(name=executor, options=dict(executor_options or {}), jobs=jobs)
        if by.serves(len(chosen)):
            return train_parallel(spec, chosen, registry, settings, callback, asked, by)
        return train_seeds(spec, chosen, registry, settings, callback, asked)


def _whole(name: str, value: Any, least: int) -> int:
    """A whole number; 1e5 is one.

    Raises:
        UsageError: it is none, or too small.
    """
    whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1
    if not whole or value < least:
        raise UsageError(f"{name} is {value!r}: expected a whole number of {least} or more.")
    return int(value)
