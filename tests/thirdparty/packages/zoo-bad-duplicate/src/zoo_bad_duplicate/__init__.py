"""Uses a name that zoo-good-plain has as well."""

from zoo import hookimpl


@hookimpl
def zoo_register(zoo):
    """A clash, which matters only to those who use the bare name."""
    zoo.algorithm(
        "wanderer",
        "zoo_good_plain.agent:Wanderer",
        config="zoo_good_plain.config:WandererConfig",
        summary="the same name again",
        steps=256,
    )
