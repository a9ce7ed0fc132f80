"""Registers something that is no class."""

from zoo import hookimpl

NOT_A_CLASS = 42


@hookimpl
def zoo_register(zoo):
    """Looks sound until it is used."""
    zoo.algorithm(
        "hollow",
        "zoo_bad_target:NOT_A_CLASS",
        config="zoo_good_plain.config:WandererConfig",
        summary="a number in place of a class",
    )
