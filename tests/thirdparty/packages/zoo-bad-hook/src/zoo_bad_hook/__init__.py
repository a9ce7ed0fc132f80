"""Asks a hook for an argument that it does not have."""

from zoo import hookimpl


@hookimpl
def zoo_register(zoo):
    """Sound in itself, and must not count."""
    zoo.algorithm("never-there", "x:Y", config="x:Z", summary="of a plugin that fails")


@hookimpl
def zoo_metrics(run, step, metric):
    """The argument is called metrics."""
