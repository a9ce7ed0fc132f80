"""Requests for runs, and how presets and defaults complete one to a run's spec.

``zoo train`` and the cells of a suite come through here, so that the same options make the same run.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.discovery.config import decode_fields, encode, encode_fields, field_origins
from zoo.discovery.names import EnvName, find_algorithm, resolve_env
from zoo.discovery.presets import Preset, load_preset
from zoo.discovery.registration import Entry
from zoo.discovery.registry import Registry
from zoo.discovery.wrappers import options_of, wrapped, wrapper_values, wrappers_among
from zoo.errors import UsageError
from zoo.training.stop import StopRule
from zoo.training.storage.input_files import resolved
from zoo.training.storage.spec import UNIFORM, RunSpec

MOST_SEEDS = 100_000
MOST_COPIES = 100_000


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """One experiment as it was written: names and options, before presets and defaults.

    Attributes:
        algorithm: name of an algorithm or representation.
        environment: as on the command line.
        options: of the algorithm, as plain data; nested tables for nested dataclasses.
        env_options: of the environment.
        preset: a preset of the plugin; empty for its default.
        steps: budget in ``env_steps``; None for the preset's, or the algorithm's own.
        num_envs: copies of the environment; None for the preset's, or 1.
        eval_every: environment steps between evaluations; 0 for only the last one.
        eval_episodes: episodes of each evaluation; 0 for none.
        representation: a representation handed to the algorithm; empty for none.
        representation_options: its options.
        policy: for a representation: whom to follow.
        exact: for a representation: solve exactly.
        device: where tensors live.
        stop: rule on metrics by which a run ends early, such as "eval/return >= 475"; empty: none.
    """

    algorithm: str
    environment: str
    options: Mapping[str, Any] = field(default_factory=dict)
    env_options: Mapping[str, Any] = field(default_factory=dict)
    preset: str = ""
    steps: int | None = None
    num_envs: int | None = None
    eval_every: int = 0
    eval_episodes: int = 20
    representation: str = ""
    representation_options: Mapping[str, Any] = field(default_factory=dict)
    policy: str = UNIFORM
    exact: bool = False
    device: str = "cpu"
    stop: str = ""


_DEFAULTS = {name: getattr(RunRequest, name) for name in ("eval_every", "eval_episodes", "device", "stop")}


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A request with its components found and its preset read: what is left are the options themselves.

    Attributes:
        request: what was asked.
        entry: the algorithm or representation.
        env: the environment.
        represented: the representation that is handed to the algorithm.
        options: options by prefix ("" the algorithm's, "env", "representation"), the preset's values put in.
        bases: the same, with defaults only.
        preset: what it says.
    """

    request: RunRequest
    entry: Entry
    env: EnvName
    represented: Entry | None
    options: Mapping[str, Any]
    bases: Mapping[str, Any]
    preset: Preset

    @property
    def takes_any(self) -> bool:
        """Whether the environment has no dataclass and takes any keyword argument."""
        return self.env.entry is None or not self.env.entry.config


def draft(request: RunRequest, registry: Registry) -> Draft:
    """Find what ``request`` names.

    Raises:
        UsageError: a name or preset does not exist, or the preset's values do not fit.
    """
    entry = find_algorithm(request.algorithm, request.environment, registry)
    env = resolve_env(request.environment, registry)
    learners = registry.entries("algorithm", "representation")
    siblings = [other for other in learners if other.plugin == entry.plugin]
    preset = load_preset(entry, env.short, request.preset, siblings)
    where = f"option in preset {preset.name} of {entry.plugin}, {env.short}"
    represented = registry.find(request.representation, "representation") if request.representation else None
    options: dict[str, Any] = {}
    bases: dict[str, Any] = {}
    config = entry.default_config()
    if config is not None:
        bases[""] = config
        options[""] = decode_fields(type(config), preset.options, where=where)
    for prefix, owner in (("env", env.entry), ("representation", represented)):
        config = owner.default_config() if owner else None
        if config is not None:
            options[prefix] = bases[prefix] = config
    if "env" in options and preset.env:
        options["env"] = decode_fields(type(bases["env"]), preset.env, where=f"{where}, env")
    return Draft(
        request=request, entry=entry, env=env, represented=represented, options=options, bases=bases, preset=preset
    )


def complete(
    drafted: Draft,
    chosen: Mapping[str, Any],
    given: Mapping[str, str],
    registry: Registry,
    env_config: Mapping[str, Any],
    origin: str,
) -> RunSpec:
    """The run's spec, with seed 0.

    Args:
        drafted: what was asked for.
        chosen: final options by prefix, as ``drafted.options``.
        given: the options that the user gave (dotted), to their origin.
        registry: all plugins.
        env_config: keyword arguments of an environment without a dataclass, and options of wrappers.
        origin: what to call the origin of everything the user gave: "cli" or "suite".

    Raises:
        UsageError: the environment does not offer what the algorithm needs, or an argument is for another kind.
    """
    from zoo.training.build import check_needs  # numpy and gymnasium, which reading a suite does not need

    request, entry, represented = drafted.request, drafted.entry, drafted.represented
    wrappers = wrappers_among(env_config, drafted.env, registry)
    wrapping = wrapper_values(wrappers, env_config, typed=origin == "cli")
    check_needs(entry, wrapped(drafted.env, wrapping, registry), None, registry)
    if entry.kind == "algorithm" and (request.exact or request.policy != UNIFORM):
        flag = "--exact" if request.exact else "--policy"
        raise UsageError(f"{flag} is for representations, and {entry.name} is an algorithm: leave it out.")
    origins: dict[str, str] = {}
    for prefix, config in chosen.items():
        dotted = f"{prefix}." if prefix else ""
        fields = field_origins(config, drafted.bases[prefix], "preset")
        origins |= {dotted + name: where for name, where in fields.items()}
    origins |= dict.fromkeys((name.partition(".")[0] for name in given if "." in name), origin)
    origins |= dict(given)
    own = {name: value for name, value in env_config.items() if name not in wrapping}
    if drafted.takes_any:
        origins |= dict.fromkeys((f"env.{name}" for name in drafted.preset.env), "preset")
        own = _keywords(drafted, own, registry, typed=origin == "cli")
    origins |= dict.fromkeys((f"env.{name}" for name in env_config), origin)
    origins |= {name: origin for name, default in _DEFAULTS.items() if getattr(request, name) != default}
    evaluated = any(name.startswith("eval/") for name, *_ in StopRule(request.stop).conditions)
    if evaluated and not (request.eval_every and request.eval_episodes):
        raise UsageError(f"--stop {request.stop!r} needs evaluations while it trains: expected --eval-every N as well.")
    chosen, files = resolved(chosen)
    sizes: dict[str, Any] = {"steps": entry.steps, "num_envs": 1}
    for name, default in sizes.items():
        requested = getattr(request, name)
        origins[name] = origin if requested is not None else "preset" if name in drafted.preset.run else "default"
        sizes[name] = requested if requested is not None else int(drafted.preset.run.get(name, default))
    if not 1 <= sizes["num_envs"] <= MOST_COPIES:
        raise UsageError(
            f"num_envs is {sizes['num_envs']}: expected from 1 to {MOST_COPIES} copies of the environment."
        )
    return RunSpec(
        algorithm=entry.qualified,
        kind=entry.kind,
        plugin_version=entry.version,
        environment=drafted.env.name,
        env_config={**own, **encode_fields(chosen.get("env")), **wrapping},
        config=encode_fields(chosen.get("")),
        representation={"name": represented.qualified, "config": encode_fields(chosen.get("representation"))}
        if represented
        else None,
        collect={"policy": request.policy, "exact": request.exact} if entry.kind == "representation" else None,
        **sizes,
        eval_every=request.eval_every,
        eval_episodes=request.eval_episodes,
        device=request.device,
        stop=request.stop,
        origins=origins,
        files=files,
    )


def _keywords(drafted: Draft, requested: Mapping[str, Any], registry: Registry, *, typed: bool) -> dict[str, Any]:
    """Keyword arguments of an environment without a dataclass, the preset's included, as its constructor takes them."""
    if not requested and not drafted.preset.env:
        return {}
    from zoo.discovery.constructors import parameters_of

    parameters, where = parameters_of(drafted.env), f"option of {drafted.env.short}"
    also = options_of(registry)
    return {**parameters.read(drafted.preset.env, where), **parameters.read(requested, where, typed=typed, also=also)}


def resolve(request: RunRequest, registry: Registry, *, origin: str = "suite") -> RunSpec:
    """The spec that a request, the preset and the defaults add up to; seed 0.

    Raises:
        UsageError: a name, an option or a value is wrong; nearest names are named.
    """
    drafted = draft(request, registry)
    requested = {"": request.options, "env": request.env_options, "representation": request.representation_options}
    env_config: Mapping[str, Any] = {}
    if drafted.takes_any:
        env_config = {name: encode(value) for name, value in requested.pop("env").items()}
    else:
        wrappers = wrappers_among(request.env_options, drafted.env, registry)
        env_config = {name: request.env_options[name] for name in wrappers}
        requested["env"] = {name: value for name, value in request.env_options.items() if name not in wrappers}
    owners = {"": drafted.entry.name, "env": drafted.env.short, "representation": request.representation}
    chosen = dict(drafted.options)
    given: dict[str, str] = {}
    for prefix, values in requested.items():
        if not values:
            continue
        if prefix not in chosen:
            name = next(iter(values))
            raise UsageError(f"{owners[prefix] or 'no representation'} has no options, and {name!r} was given.")
        base = chosen[prefix]
        chosen[prefix] = decode_fields(type(base), _merged(base, values), base, f"option of {owners[prefix]}")
        given |= dict.fromkeys((f"{prefix}.{name}" if prefix else name for name in values), origin)
    return complete(drafted, chosen, given, registry, env_config, origin)


def _merged(base: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """``values``, with what a nested table leaves out taken from the dataclass in ``base``, as flags do."""
    merged: dict[str, Any] = {}
    for name, value in values.items():
        inner = getattr(base, name, None)
        if isinstance(value, Mapping) and dataclasses.is_dataclass(inner) and not isinstance(inner, type):
            same = value.get("type", type(inner).__name__) == type(inner).__name__
            value = {**encode(inner), **_merged(inner, value)} if same else dict(value)
        merged[name] = value
    return merged


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds from ``"A:B"`` (A up to, not including, B) or a list ``"0,3,7"``.

    Raises:
        ValueError: the text is neither, or means more than ``MOST_SEEDS``.
    """
    span = re.fullmatch(r"(\d{1,18}):(\d{1,18})", text, re.ASCII)
    if span and int(span[1]) < int(span[2]):
        if int(span[2]) - int(span[1]) > MOST_SEEDS:
            raise ValueError(f"{text!r} are {int(span[2]) - int(span[1])} seeds: expected at most {MOST_SEEDS}")
        return tuple(range(int(span[1]), int(span[2])))
    if re.fullmatch(r"\d{1,18}(,\d{1,18})*", text, re.ASCII):
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    shown = text if len(text) <= 40 else f"{text[:37]}..."
    raise ValueError(f"{shown!r} is not a set of seeds: expected A:B with A < B, or 0,3,7, whole numbers below 10^18")
