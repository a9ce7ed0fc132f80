"""One environment of several tasks."""

from zoo import Offers, hookimpl


@hookimpl
def zoo_register(zoo):
    """Register it."""
    zoo.environment(
        "corridors",
        "zoo_corridors.environment:Corridors",
        summary="walk to the end of a corridor that pays today",
        offers=Offers(action="discrete", observation="discrete", tasks=True, snapshot=True),
    )
