"""``check_representation``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.api import Representation, Solvable
from zoo.discovery.registry import Registry, discover
from zoo.testing.acting import SIZES
from zoo.testing.batch import check_batch
from zoo.testing.compare import copied, difference
from zoo.testing.contract import Contract
from zoo.testing.global_generators import global_generators_unused
from zoo.testing.harness import Harness
from zoo.testing.options import check_options
from zoo.testing.registration import check_light, check_presets
from zoo.testing.updates import advance, check_resume
from zoo.training.build import Member, offers_batch
from zoo.training.representations.trainer import RepresentationTrainer


def check_representation(
    name: str,
    env: str,
    *,
    steps: int | None = None,
    config: Any = None,
    env_config: Mapping[str, Any] | None = None,
    registry: Registry | None = None,
    num_envs: int = 1,
) -> None:
    """Check a registered representation, trained with the uniform policy on one environment.

    What must hold is what holds for an algorithm (see ``check_algorithm``; acting apart; ``batch`` included where it
    is offered), and: ``features`` are
    finite floats [B, dim] and change nothing; where ``solve`` is offered and the environment is tabular, the
    solution has the shape of ``table()``, is the same twice, can be installed and read back, and further
    learning with it leaves it finite.

    Args:
        name: bare or qualified name of the representation.
        env: a registered environment or a gymnasium id that can be restored (Snapshot).
        steps: budget of every run of the check; by default the registered budget, cut off after 6 updates.
        config: the options: a dataclass, or some of its fields as a mapping; by default all defaults.
        env_config: options of the environment.
        registry: the plugins; by default all that are installed.
        num_envs: copies of the environment.

    Raises:
        AssertionError: one sentence that names the plugin and what broke.
        UsageError: the representation is unknown.
    """
    registry = registry if registry is not None else discover()
    entry = registry.find(name, "representation")
    contract = Contract.of(entry)
    check_light(contract, entry, registry)
    with contract.during("importing it"):
        entry.resolve()
    check_options(contract, entry)
    check_presets(contract, entry, registry)
    harness = Harness.of(
        contract, entry, env, registry, steps=steps, config=config, env_config=env_config, num_envs=num_envs
    )
    check_resume(harness)
    if offers_batch(harness.components.cls):
        check_batch(harness)
    with harness.member(0) as member:
        advance(harness, member, 1)
        _check_features(harness, member)
        _check_solution(harness, member)


def _representation(member: Member) -> Representation[Any]:
    trainer = member.algorithm
    assert isinstance(trainer, RepresentationTrainer)  # noqa: S101  Components.algorithm made it
    return trainer.representation


def _check_features(harness: Harness, member: Member) -> None:
    contract, representation = harness.contract, _representation(member)
    dim = getattr(representation, "dim", None)
    contract.require(isinstance(dim, int) and dim > 0, f"dim is {dim!r}, expected a positive integer")
    before = copied({"representation": representation.state()})
    for size in SIZES:
        env = harness.components.make_env(size, 0)
        obs, _ = env.reset()
        env.close()
        with contract.during("features()"), global_generators_unused(contract, "features()"):
            features = np.asarray(representation.features(obs))
        contract.require(
            features.shape == (size, dim),
            f"features() of {size} observations has shape {features.shape}, expected {(size, dim)}",
        )
        contract.require(features.dtype.kind == "f", f"features() returned {features.dtype}, expected floats")
        contract.require(np.isfinite(features).all(), "features() returned a number that is not finite")
    problem = difference(before, {"representation": representation.state()}, generators=False)
    contract.require(not problem, f"features() changed the state: {problem}")


def _check_solution(harness: Harness, member: Member) -> None:
    contract, representation = harness.contract, _representation(member)
    if not isinstance(representation, Solvable) or member.ctx.problem.model is None:
        return
    model = member.ctx.problem.tabular
    uniform = np.full((model.num_states, model.num_actions), 1 / model.num_actions)
    learned = _table(representation)
    with contract.during("solve()"):
        solution = np.asarray(representation.solve(model, uniform))
        repeated = np.asarray(representation.solve(model, uniform))
    contract.require(
        solution.shape == learned.shape,
        f"solve() returned shape {solution.shape}, expected that of table(), {learned.shape}",
    )
    contract.require(np.isfinite(solution).all(), "solve() returned a number that is not finite")
    contract.require(np.array_equal(solution, repeated), "solve() twice gave two solutions")
    contract.require(np.array_equal(_table(representation), learned), "solve() changed table(): it must only return")
    with contract.during("set_table()"):
        representation.set_table(solution.copy())
    far = float(np.abs(_table(representation) - solution).max())
    contract.require(
        far <= 1e-6 * np.abs(solution).max(), f"table() is {far:.3g} from the table that set_table() was given"
    )
    advance(harness, member, 1)
    contract.require(np.isfinite(_table(representation)).all(), "learning from the exact solution left it not finite")


def _table(representation: Solvable) -> NDArray[np.float64]:
    return np.array(representation.table(), dtype=np.float64)
