"""An algorithm that advances many seeds at once, and an observer of every run."""

from zoo import Needs, hookimpl


@hookimpl
def zoo_register(zoo):
    """Register the algorithm."""
    zoo.algorithm(
        "stacked",
        "zoo_good_batch.agent:Stacked",
        config="zoo_good_batch.config:StackedConfig",
        summary="many seeds in one array",
        needs=Needs(action="discrete"),
        steps=256,
    )


def note(run, line):
    """Append a line to the run's own notebook."""
    with (run.path / "heard.txt").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


@hookimpl
def zoo_run_started(run):
    """Heard."""
    note(run, f"started {run.seed}")


@hookimpl
def zoo_metrics(run, step, metrics):
    """Heard."""
    note(run, f"metrics {step} {' '.join(sorted(metrics))}")


@hookimpl
def zoo_checkpoint(path, run):
    """Heard."""
    note(run, f"checkpoint {path.name}")


@hookimpl
def zoo_run_finished(run, status):
    """Heard."""
    note(run, f"ended {status}")
