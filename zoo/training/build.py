"""From a specification to live objects, and between those and a checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo.api import Algorithm, Context, Representation, State, unmet
from zoo.discovery.config import decode_fields
from zoo.discovery.entry import Entry
from zoo.discovery.names import EnvName, resolve_env
from zoo.discovery.registry import Registry
from zoo.errors import RunError, UsageError
from zoo.seeding import child_seed, stream
from zoo.training.spec import RunSpec
from zoo.training.vector import Recorder, make_env, offers_of, problem_of


class RunContext(Context):
    """A Context that keeps the generators it hands out, so that the core can save and restore them."""

    _streams: dict[str, np.random.Generator]

    def stream(self, name: str) -> np.random.Generator:
        """The generator called ``name``; the same object at every call."""
        streams = self.__dict__.setdefault("_streams", {})
        if name not in streams:
            streams[name] = stream(self.seed, name)
        found: np.random.Generator = streams[name]
        return found

    def capture_streams(self) -> State:
        """States of ``rng`` and of every stream handed out so far."""
        streams = self.__dict__.get("_streams", {})
        return {
            "rng": self.rng.bit_generator.state,
            "streams": {name: made.bit_generator.state for name, made in streams.items()},
        }

    def restore_streams(self, state: State) -> None:
        """Undo everything since ``capture_streams`` returned ``state``."""
        self.rng.bit_generator.state = state["rng"]
        for name, saved in state["streams"].items():
            self.stream(name).bit_generator.state = saved


@dataclass
class Parts:
    """The components that a specification names, resolved and configured; shared by all its seeds."""

    spec: RunSpec
    entry: Entry
    env: EnvName
    cls: Any
    config: Any
    representation: Any = None
    representation_config: Any = None
    registry: Registry = field(default_factory=Registry)

    @classmethod
    def of(cls, spec: RunSpec, registry: Registry, *, trust: bool = False) -> Parts:
        """Resolve the names of ``spec``.

        Args:
            spec: what to build.
            registry: where to find it.
            trust: allow an environment id that imports a module ("module:Id-v0").

        Raises:
            UsageError: a name is unknown, or an option does not fit.
            RunError: the environment's id would import a module and ``trust`` is off.
        """
        entry = registry.find(spec.algorithm, "algorithm", "representation")
        env = resolve_env(spec.environment, registry)
        if env.imports and not trust:
            raise RunError(
                f"this run's environment {env.gym_id!r} would import the module {env.imports!r}.",
                "Pass --trust if you know where the run is from.",
            )
        parts = cls(spec, entry, env, entry.resolve(), _config(entry, spec.config), registry=registry)
        if spec.representation:
            found = registry.find(spec.representation["name"], "representation")
            parts.representation = found.resolve()
            parts.representation_config = _config(found, spec.representation["config"])
        return parts

    def make_env(self, num_envs: int, seed: int) -> Recorder:
        """Copies of the environment, seeded and ready for ``reset()``."""
        kwargs = self.spec.env_config
        config = self.env.entry.resolve_config() if self.env.entry else None
        if config is not None:
            kwargs = {f.name: getattr(decoded, f.name) for decoded in [decode_fields(config, kwargs)] for f in dataclasses.fields(config)}  # fmt: skip
        env = make_env(self.env, kwargs, num_envs)
        env.reset(seed=seed)
        return env

    def context(self, seed: int, device: str) -> RunContext:
        """The context of one seed, its environment and representation included."""
        env = self.make_env(self.spec.num_envs, child_seed(seed, "env"))
        check_needs(self.entry, self.env, env, self.registry)
        problem = problem_of(env)
        ctx = RunContext(
            env=env, seed=child_seed(seed, "algo"), rng=stream(seed, "algo"), budget=self.spec.steps,
            device=device, problem=problem,
        )  # fmt: skip
        if self.representation is None:
            return ctx
        learned = self.representation(_represent(ctx, seed), self.representation_config)
        return dataclasses.replace(ctx, representation=learned)

    def algorithm(self, ctx: Context) -> Algorithm[Any]:
        """The algorithm itself; a representation becomes one through its trainer."""
        if self.entry.kind == "algorithm":
            made: Algorithm[Any] = self.cls(ctx, self.config)
            return made
        from zoo.training.represent import RepresentationTrainer

        learned = self.cls(_represent(ctx, ctx.seed), self.config)
        return RepresentationTrainer(ctx, learned, self.spec.collect or {}, self.registry)


def _config(entry: Entry, values: Mapping[str, Any]) -> Any:
    cls = entry.resolve_config()
    return decode_fields(cls, values) if cls is not None else None


def _represent(ctx: Context, seed: int) -> Context:
    """The same context with the random streams of a representation."""
    return dataclasses.replace(ctx, seed=child_seed(seed, "representation"), rng=stream(seed, "representation"))


def check_needs(entry: Entry, name: EnvName, env: Recorder | None, registry: Registry) -> None:
    """Refuse an algorithm that the environment does not suit; before it is built if its offers are declared.

    Raises:
        UsageError: with what is missing, and which environments fit.
    """
    offers = offers_of(env) if env is not None else name.declared
    missing = unmet(entry.needs, offers) if offers is not None else []
    if missing:
        fitting = [other.name for other in registry.fitting(entry)]
        raise UsageError(
            f"{entry.name} needs an environment with {' and '.join(missing)}; {name.short} does not offer that.",
            f"These fit: {', '.join(fitting)}." if fitting else "No installed environment fits.",
        )


@dataclass
class Member:
    """One seed of a run in memory: what a checkpoint captures and restores."""

    ctx: RunContext
    algorithm: Algorithm[Any]

    @property
    def env(self) -> Recorder:
        """The training environment."""
        env = self.ctx.env
        assert isinstance(env, Recorder)  # noqa: S101  Parts.context made it
        return env

    def capture(self) -> State:
        """Everything needed to continue."""
        learned = self.ctx.representation
        return {
            "env_steps": self.algorithm.env_steps,
            "algorithm": self.algorithm.state(),
            "representation": learned.state() if learned is not None else None,
            "random": self.ctx.capture_streams(),
            "env": self.env.capture(),
        }

    def restore(self, state: State) -> bool:
        """Continue from ``capture()``; whether the environment, too, is exactly where it was."""
        exact = self.env.restore(state["env"])
        if not exact:
            fresh = child_seed(self.ctx.seed, f"resume at {state['env_steps']}")
            self.env.reset(seed=fresh)
        if self.ctx.representation is not None:
            self.ctx.representation.load_state(state["representation"])
        self.algorithm.load_state(state["algorithm"])
        self.algorithm.env_steps = state["env_steps"]
        self.ctx.restore_streams(state["random"])
        return exact


def representation_of(algorithm: Algorithm[Any]) -> Representation[Any] | None:
    """The representation that a trainer trains; None for an ordinary algorithm."""
    return getattr(algorithm, "representation", None)
