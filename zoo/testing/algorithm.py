"""``check_algorithm``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.discovery.registry import Registry, discover
from zoo.testing.acting import check_act
from zoo.testing.batch import check_batch
from zoo.testing.contract import Contract
from zoo.testing.harness import Harness
from zoo.testing.options import check_options
from zoo.testing.registration import check_light, check_presets
from zoo.testing.updates import check_resume
from zoo.training.build import offers_batch


def check_algorithm(
    name: str,
    env: str,
    *,
    steps: int | None = None,
    config: Any = None,
    env_config: Mapping[str, Any] | None = None,
    registry: Registry | None = None,
    num_envs: int = 1,
) -> None:
    """Check a registered algorithm on one environment.

    What must hold: the registration and options modules import nothing heavy; the target resolves; the options
    are a frozen keyword-only dataclass, documented, that survives the command line and JSON; its presets fit;
    metrics are finite; ``env_steps`` grows; two runs with the same seed agree; no global random generator is
    used; ``act`` returns valid actions, leaves the state alone and does not change what is learned; the state
    survives a checkpoint; a run resumed from the disk equals an uninterrupted one bit for bit; and, where
    ``batch`` is offered, its members follow their solo runs and resume alone and together.

    Args:
        name: bare or qualified name of the algorithm.
        env: a registered environment or a gymnasium id that can be restored (Snapshot).
        steps: budget of every run of the check; by default the registered budget, cut off after 6 updates.
            Give it to cover what begins late, such as learning after a warm-up.
        config: the options: a dataclass, or some of its fields as a mapping; by default all defaults.
        env_config: options of the environment.
        registry: the plugins; by default all that are installed.
        num_envs: copies of the environment.

    Raises:
        AssertionError: one sentence that names the plugin and what broke.
        UsageError: the algorithm is unknown.
    """
    registry = registry if registry is not None else discover()
    entry = registry.find(name, "algorithm")
    contract = Contract.of(entry)
    check_light(contract, entry, registry)
    with contract.during("importing it"):
        entry.resolve()
    check_options(contract, entry)
    check_presets(contract, entry, registry)
    harness = Harness.of(
        contract, entry, env, registry, steps=steps, config=config, env_config=env_config, num_envs=num_envs
    )
    expected = check_resume(harness)
    check_act(harness, expected)
    if offers_batch(harness.components.cls):
        check_batch(harness)
