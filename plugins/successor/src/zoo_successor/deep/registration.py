"""Registration of the deep part, called by the plugin's ``zoo_register``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from zoo import Needs

if TYPE_CHECKING:
    from zoo import Registrar

_PAPER = "Moskovitz et al. 2023, A State Representation for Diminishing Rewards, arXiv:2309.03710"


def register(zoo: Registrar) -> None:
    """Register what can be used here: everything needs torch, lambda-sac also zoo-sb3."""
    if find_spec("torch") is None:
        return
    zoo.representation(
        "deep-lambda",
        "zoo_successor.deep.representation:DeepLambda",
        config="zoo_successor.deep.config:DeepLambdaConfig",
        summary="lambda features of scaled observations, by a network",
        needs=Needs(observation="box"),
        paper=_PAPER,
        presets="zoo_successor.deep:presets",
        steps=50_000,
    )
    zoo.algorithm(
        "lambda-ac",
        "zoo_successor.deep.actor_critic:LambdaActorCritic",
        config="zoo_successor.deep.config:LambdaACConfig",
        summary="recurrent actor-critic for rewards that diminish",
        needs=Needs(action="discrete", observation="discrete"),
        paper=_PAPER,
        presets="zoo_successor.deep:presets",
        steps=750_000,
    )
    if find_spec("zoo_sb3") is None:
        return
    zoo.algorithm(
        "lambda-sac",
        "zoo_successor.deep.sac:LambdaSoftActorCritic",
        config="zoo_successor.deep.sac_config:LambdaSACConfig",
        summary="soft actor-critic for rewards that diminish",
        needs=Needs(action="box", observation="box"),
        paper=_PAPER,
        presets="zoo_successor.deep:presets",
        steps=50_000,
    )
