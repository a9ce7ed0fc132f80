"""``check_environment``."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium
from gymnasium.utils.env_checker import check_env

from zoo.discovery.config import decode_fields
from zoo.discovery.constructors import parameters_of
from zoo.discovery.names import EnvName, resolve_env
from zoo.discovery.registration import Entry
from zoo.discovery.registry import Registry, discover
from zoo.testing.contract import Contract
from zoo.testing.environments.frequencies import check_model
from zoo.testing.environments.moments import COPIES, check_moments
from zoo.testing.environments.rollouts import check_same, check_snapshot, play
from zoo.testing.environments.signals import check_signals, check_vector
from zoo.testing.environments.stacks import check_stack
from zoo.testing.environments.tasks import check_tasks
from zoo.testing.options import check_options
from zoo.testing.registration import check_light
from zoo.training.environments.make_env import Recorder, make_env, offers_of

LIMIT = "max_episode_steps"
Env = gymnasium.Env[Any, Any]


@dataclass(frozen=True)
class Maker:
    """Builds one environment in all its forms."""

    contract: Contract
    name: EnvName
    options: Mapping[str, Any]

    def scalar(self, **changes: Any) -> Env:
        """One copy, as registered."""
        options = {**self.options, **self.name.arguments, **changes}
        with self.contract.during("building it"):
            if self.name.entry is None:
                return gymnasium.make(self.name.gym_id, disable_env_checker=True, **options)
            env: Env = self.name.entry.resolve()(**options)
            return env

    def vector(self, num_envs: int, **changes: Any) -> Recorder:
        """Many copies, as ``zoo train`` builds them."""
        with self.contract.during("building its vector form"):
            return make_env(self.name, {**self.options, **changes}, num_envs)

    @property
    def limited(self) -> bool:
        """Whether the length of an episode is an option."""
        entry = self.name.entry
        return LIMIT in self.options or (
            (entry is None or not entry.config) and LIMIT in parameters_of(self.name).kinds
        )


def check_environment(name: str, *, registry: Registry | None = None, **kwargs: Any) -> None:
    """Check an environment, registered or of gymnasium.

    What must hold: the registration and options modules are light; gymnasium's own checker passes; two copies
    with the same seed agree; the vector form resets in the same step and has the spaces of the single one, and a
    vector form of its own the same rewards and observations on average; what
    was declared with ``Offers`` is there; constraint signals come with every step, also where episodes have
    length 1 and 2; an exact model is a valid one, and rewards (diminishing ones by their visits), signals,
    frequencies of transitions and the states that end an episode match it in both forms;
    ``set_state(get_state())`` after a passage through a checkpoint goes on bit for bit; the same task twice has the
    same dynamics, and a restored environment meets the same tasks; where ``stacked`` is
    offered, members step together bit for bit as alone.

    Args:
        name: a registered environment, or a gymnasium id.
        registry: the plugins; by default all that are installed.
        kwargs: options of the environment.

    Raises:
        AssertionError: one sentence that names the plugin and what broke.
        UsageError: the environment is unknown, or refuses an option.
    """
    registry = registry if registry is not None else discover()
    env_name = resolve_env(name, registry)
    entry = env_name.entry
    contract = Contract.of(entry) if entry else Contract(f"environment {env_name.gym_id!r} of gymnasium")
    if entry is not None:
        check_light(contract, entry, registry)
        check_options(contract, entry)
    make = Maker(contract, env_name, _options(entry, kwargs))
    _check_gymnasium(contract, make.scalar)
    check_same(contract, play(contract, make.scalar(), seed=5), play(contract, make.scalar(), seed=5))
    with closing(make.vector(3)) as vector:
        if entry is not None and not kwargs:  # the registration speaks of the default options
            _check_offers(contract, entry, vector)
        check_vector(contract, make.scalar(), vector)
        offers = offers_of(vector)
        constrained, has_model, multitask = vector.constraints is not None, offers.tabular, offers.tasks
    if constrained:
        lengths: tuple[dict[str, Any], ...] = ({LIMIT: 1}, {LIMIT: 2}, {}) if make.limited else ({},)
        for changes in lengths:
            check_signals(contract, partial(make.scalar, **changes), make.vector(3, **changes))
    if has_model:
        check_model(contract, make.scalar(), make.vector(64))
    if entry is not None and entry.vector:
        check_moments(contract, make.scalar, make.vector(COPIES))
    check_snapshot(contract, make.scalar, make.vector)
    if make.limited:  # so that episodes end by their length, which a snapshot has to hold
        check_snapshot(contract, partial(make.scalar, **{LIMIT: 9}), partial(make.vector, **{LIMIT: 9}))
    if multitask:
        check_tasks(contract, make.scalar, make.vector)
    check_stack(contract, make.vector)


def _options(entry: Entry | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    config = entry.resolve_config() if entry else None
    if config is None:
        return dict(kwargs)
    chosen = decode_fields(config, kwargs)
    return {field.name: getattr(chosen, field.name) for field in dataclasses.fields(config)}


def _check_gymnasium(contract: Contract, make: Callable[[], Env]) -> None:
    env = make()
    for what, space in (("observation", env.observation_space), ("action", env.action_space)):
        contract.require(isinstance(space, gymnasium.Space), f"{what}_space is {space!r}, expected a gymnasium.Space")
    with warnings.catch_warnings(), contract.during("gymnasium's check_env"):
        warnings.simplefilter("ignore")  # advice on style; what is wrong is raised
        check_env(env.unwrapped, skip_render_check=True)
    env.close()


def _check_offers(contract: Contract, entry: Entry, vector: Recorder) -> None:
    vector_value = offers_of(vector)
    scalar_snapshot = vector_value.snapshot or all(hasattr(copy.unwrapped, "get_state") for copy in _copies(vector))
    for field in dataclasses.fields(entry.offers):
        declared, actual = getattr(entry.offers, field.name), getattr(vector_value, field.name)
        if field.name == "snapshot":
            actual = scalar_snapshot
        if declared is None:
            continue
        contract.require(
            declared == actual, f"it is registered with Offers({field.name}={declared!r}), and has {actual!r}"
        )


def _copies(vector: Recorder) -> list[Any]:
    copies = getattr(vector.env.unwrapped, "envs", None)
    return list(copies) if copies else [vector.env]
