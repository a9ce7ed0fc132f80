"""One algorithm and one representation."""

from zoo import Needs, hookimpl


@hookimpl
def zoo_register(zoo):
    """Register both."""
    zoo.algorithm(
        "wanderer",
        "zoo_good_plain.agent:Wanderer",
        config="zoo_good_plain.config:WandererConfig",
        summary="tries actions at random and remembers which paid",
        needs=Needs(action="discrete"),
        steps=256,
    )
    zoo.representation(
        "successor-rows",
        "zoo_good_plain.rows:SuccessorRows",
        config="zoo_good_plain.config:RowsConfig",
        summary="successor representation, one row a state",
        needs=Needs(observation="discrete"),
        steps=12_800,
    )
