"""From a run's spec to live objects, and between those and a checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo.api import Algorithm, Batch, Context, State, unmet
from zoo.discovery.config import decode_fields
from zoo.discovery.names import EnvName, resolve_env
from zoo.discovery.registration import Entry, describe
from zoo.discovery.registry import Registry
from zoo.discovery.wrappers import wrapped
from zoo.errors import PluginError, RunError, UsageError, ZooError
from zoo.seeding import capture_torch, child_seed, restore_torch, seed_torch, stream
from zoo.training.environments.env_state import capture_env
from zoo.training.environments.make_env import Recorder, make_env, offers_of, problem_of
from zoo.training.environments.probe import Grade, grade
from zoo.training.evaluate_policy import ActError
from zoo.training.representations.behaviour import PolicyLoader
from zoo.training.representations.trainer import RepresentationTrainer, TrainerBatch
from zoo.training.storage.input_files import check_unchanged
from zoo.training.storage.spec import RunSpec


@dataclass(frozen=True, kw_only=True)
class RunContext(Context):
    """A Context that keeps the generators it hands out, so that the core can save and restore them."""

    learner: RunContext | None = None
    """the context of the representation that is trained or used here, with random streams of its own"""
    streams: dict[str, np.random.Generator] = field(default_factory=dict)

    def stream(self, name: str) -> np.random.Generator:
        """The generator called ``name``; the same object at every call."""
        if name not in self.streams:
            self.streams[name] = stream(self.seed, name)
        return self.streams[name]

    def reseed(self, seed: int) -> None:
        """Let ``rng`` and every stream handed out so far begin anew from ``seed``."""
        for name, generator in {"algo": self.rng, **self.streams}.items():
            generator.bit_generator.state = stream(seed, name).bit_generator.state

    def capture_random(self) -> State:
        """States of ``rng`` and of every stream handed out so far."""
        return {
            "rng": self.rng.bit_generator.state,
            "streams": {name: generator.bit_generator.state for name, generator in self.streams.items()},
            "learner": self.learner.capture_random() if self.learner is not None else None,
        }

    def restore_random(self, state: State) -> None:
        """Undo everything since ``capture_random`` returned ``state``."""
        self.rng.bit_generator.state = state["rng"]
        for name, saved in state["streams"].items():
            self.stream(name).bit_generator.state = saved
        if self.learner is not None:
            self.learner.restore_random(state["learner"])


@dataclass
class Components:
    """The components that a run's spec names, resolved and configured; shared by all its seeds."""

    spec: RunSpec
    entry: Entry
    env: EnvName
    cls: Any
    config: Any
    load_policy: PolicyLoader
    representation: Any = None
    representation_config: Any = None
    registry: Registry = field(default_factory=Registry)
    grade: Grade | None = None

    @classmethod
    def of(cls, spec: RunSpec, registry: Registry, *, load_policy: PolicyLoader, trust: bool = False) -> Components:
        """Resolve the names of ``spec``.

        Args:
            spec: what to build.
            registry: where to find it.
            load_policy: opens a run whose policy a representation follows.
            trust: allow an environment id that imports a module ("module:Id-v0").

        Raises:
            UsageError: a name is unknown, or an option does not fit.
            RunError: the environment's id would import a module and ``trust`` is off; or a file that the run reads is
                gone, or another one than when it began.
        """
        check_unchanged(spec)
        entry = registry.find(spec.algorithm, "algorithm", "representation")
        env = resolve_env(spec.environment, registry)
        if env.imports and not trust:
            raise RunError(
                f"this run's environment {env.gym_id!r} would import the module {env.imports!r}.",
                "Pass --trust if you know where the run is from.",
            )
        env.check_installed()
        env = wrapped(env, spec.env_config, registry)
        components = cls(spec, entry, env, entry.resolve(), _config(entry, spec.config), load_policy, registry=registry)
        if spec.representation:
            represented = registry.find(spec.representation["name"], "representation")
            components.representation = represented.resolve()
            components.representation_config = _config(represented, spec.representation["config"])
        return components

    def blame(self, error: BaseException, where: str = "") -> ZooError:
        """An error of the algorithm, with its plugin first; what is a sentence for people already stays as it is.

        Args:
            error: what was raised.
            where: the method that raised it, such as "update()".
        """
        if isinstance(error, ActError):
            cause = error.__cause__ or error
            what = f"failed in act(): {describe(cause)}"
        elif isinstance(error, ZooError):
            return error
        else:
            what = f"failed{f' in {where}' if where else ''}: {describe(error)}"
        blamed = PluginError(f"{self.owner} {what}", "--debug shows where.")
        blamed.__cause__ = error  # so that the run's log has its traceback
        return blamed

    def graded(self, env: Recorder) -> Grade:
        """How runs on this environment resume, found out once; ``env`` is one that is not stepped for that."""
        if self.grade is None:
            copies = min(2, self.spec.num_envs)
            hidden = capture_env(env.env) is None
            self.grade = Grade(False) if hidden else grade(lambda seed: self.make_env(copies, seed), self.env.owner)
        return self.grade

    @property
    def owner(self) -> str:
        """What messages call the algorithm: "ppo of plugin zoo-sb3 0.1.0"."""
        return f"{self.entry.name} of {self.entry.provider}"

    def make_env(self, num_envs: int, seed: int, render_mode: str | None = None) -> Recorder:
        """Copies of the environment, seeded and ready for ``reset()``; with a ``render_mode``, to be drawn."""
        kwargs = {name: value for name, value in self.spec.env_config.items() if name not in self.env.wrappers}
        config = self.env.entry.resolve_config() if self.env.entry else None
        if config is not None:
            options = decode_fields(config, kwargs)
            kwargs = {field.name: getattr(options, field.name) for field in dataclasses.fields(config)}
        env = make_env(self.env, kwargs, num_envs, render_mode)
        env.reset(seed=seed)
        return env

    def context(self, seed: int, device: str) -> RunContext:
        """The context of one seed, its environment and representation included."""
        env = self.make_env(self.spec.num_envs, child_seed(seed, "env"))
        check_needs(self.entry, self.env, env, self.registry)
        shared: dict[str, Any] = {"env": env, "budget": self.spec.steps, "device": device, "problem": problem_of(env)}
        learner = None
        if self.representation is not None or self.entry.kind == "representation":
            name = "representation"
            learner = RunContext(seed=child_seed(seed, name), rng=stream(seed, name), **shared)
        learned = None
        if self.representation is not None:
            learned = self.representation(learner, self.representation_config)
        return RunContext(
            seed=child_seed(seed, "algo"), rng=stream(seed, "algo"), representation=learned, learner=learner, **shared
        )

    def algorithm(self, ctx: RunContext) -> Algorithm[Any]:
        """The algorithm itself; a representation becomes one through its trainer."""
        if self.entry.kind == "algorithm":
            generator: Algorithm[Any] = self.cls(ctx, self.config)
            return generator
        return RepresentationTrainer.of(
            ctx, self.cls(ctx.learner, self.config), self.spec.collect or {}, self.load_policy
        )

    def batch(self, contexts: Sequence[RunContext]) -> Batch:
        """The algorithm for all these contexts at once; a batch of representations becomes one through its trainer."""
        if self.entry.kind == "algorithm":
            generator: Batch = self.cls.batch(contexts, self.config)
            return generator
        learners = self.cls.batch([ctx.learner for ctx in contexts], self.config)
        return TrainerBatch(contexts, learners, self.spec.collect or {}, self.load_policy)

    def members(self, seeds: Sequence[int], device: str) -> tuple[list[Member], Batch | None]:
        """One member for each seed, and the batch that advances them together where the algorithm offers one."""
        contexts = [self.context(seed, device) for seed in seeds]
        seed_torch(seeds[0])  # before anything is built: weights may come from torch's global generator
        if len(seeds) > 1 and offers_batch(self.cls):
            batch = self.batch(contexts)
            return [Member(ctx, batch.member(index)) for index, ctx in enumerate(contexts)], batch
        return [Member(ctx, self.algorithm(ctx)) for ctx in contexts], None


def offers_batch(cls: Any) -> bool:
    """Whether a class of algorithms or representations can advance many seeds at once."""
    return callable(getattr(cls, "batch", None))


def _config(entry: Entry, values: Mapping[str, Any]) -> Any:
    cls = entry.resolve_config()
    return decode_fields(cls, values) if cls is not None else None


def check_needs(entry: Entry, name: EnvName, env: Recorder | None, registry: Registry) -> None:
    """Refuse an algorithm that the environment does not suit; before it is built if its offers are declared.

    Raises:
        UsageError: with what is missing, and which environments fit.
    """
    offers = offers_of(env) if env is not None else name.declared
    missing = unmet(entry.needs, offers) if offers is not None else []
    if missing:
        others = registry.fitting(entry)
        depends = name.entry in others  # its offers depend on its options
        fitting = [other.name for other in others if other is not name.entry]
        hints = (
            f"zoo train {entry.name} {name.short} --help lists its options." if depends else "",
            f"These fit: {', '.join(fitting)}." if fitting else "",
            _wrapper_hint(missing, registry),
            _gymnasium_hint(entry, name.short),
        )
        raise UsageError(
            f"{entry.name} needs an environment with {' and '.join(missing)}; {name.short} does not offer that"
            f"{' with these options' if depends else ''}.",
            " ".join(filter(None, hints)) or "No installed environment fits.",
        )


def _wrapper_hint(missing: Sequence[str], registry: Registry) -> str:
    flags = [f"--env.{entry.name}" for entry in registry.entries("wrapper") if entry.offers.constraints]
    return f"{' or '.join(flags)} puts them on any environment." if flags and missing == ["constraints"] else ""


def _gymnasium_hint(entry: Entry, refused: str) -> str:
    known = {"discrete": "CartPole-v1", "box": "Pendulum-v1"}.get(entry.needs.action or "discrete")
    if entry.needs.constraints or entry.needs.tabular or entry.needs.tasks or known in (None, refused):
        return ""
    return f"gymnasium's environments with {entry.needs.action or 'any'} actions fit, such as {known}."


@dataclass
class Member:
    """One seed of a run in memory: what a checkpoint captures and restores."""

    ctx: RunContext
    algorithm: Algorithm[Any]

    @property
    def env(self) -> Recorder:
        """The training environment."""
        env = self.ctx.env
        assert isinstance(env, Recorder)  # noqa: S101  Components.context made it
        return env

    def capture(self) -> State:
        """Everything needed to continue."""
        learned = self.ctx.representation
        return {
            "env_steps": self.algorithm.env_steps,
            "algorithm": self.algorithm.state(),
            "representation": learned.state() if learned is not None else None,
            "random": self.ctx.capture_random(),
            "torch": capture_torch(),
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
        if not exact:
            self.algorithm.restart()
        self.ctx.restore_random(state["random"])
        restore_torch(state["torch"])
        return exact
