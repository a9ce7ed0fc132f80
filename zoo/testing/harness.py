"""Building what is checked, through the same components as ``zoo train``."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.api import Batch, Metrics, State
from zoo.discovery.config import encode, encode_fields
from zoo.discovery.names import resolve_env
from zoo.discovery.registration import Entry
from zoo.discovery.registry import Registry
from zoo.testing.compare import copied
from zoo.testing.contract import Contract
from zoo.training.build import Components, Member
from zoo.training.load import components_of
from zoo.training.storage import checkpoint
from zoo.training.storage.spec import RunSpec

UPDATES = 6
"""updates of a reference run when no number of steps is given"""


@dataclass(frozen=True)
class Harness:
    """One algorithm or representation on one environment, buildable any number of times.

    Attributes:
        contract: names the owner in failures.
        components: what ``zoo train`` would build from.
        limit: updates at most; 0 for as many as the budget has.
    """

    contract: Contract
    components: Components
    limit: int

    @classmethod
    def of(
        cls,
        contract: Contract,
        entry: Entry,
        env: str,
        registry: Registry,
        *,
        steps: int | None,
        config: Any,
        env_config: Mapping[str, Any] | None,
        num_envs: int,
    ) -> Harness:
        """Resolve names and options.

        Args:
            contract: names the owner in failures.
            entry: the algorithm or representation.
            env: a registered environment or a gymnasium id.
            registry: where to find it.
            steps: budget of every run; None for that of the registration, cut off after a few updates.
            config: the dataclass, or some of its fields as a mapping, or None for the defaults.
            env_config: options of the environment.
            num_envs: copies of the environment.
        """
        fields = encode_fields(config) if dataclasses.is_dataclass(config) else encode(dict(config or {}))
        with contract.during(f"building it for {env!r}"):
            spec = RunSpec(
                algorithm=entry.qualified,
                kind=entry.kind,
                plugin_version=entry.version,
                environment=resolve_env(env, registry).name,
                env_config=encode(dict(env_config or {})),
                config=fields,
                collect={"policy": "uniform", "exact": False} if entry.kind == "representation" else None,
                steps=steps if steps is not None else entry.steps,
                num_envs=num_envs,
                eval_episodes=0,
            )
            return cls(contract, components_of(spec, registry, trust=True), 0 if steps is not None else UPDATES)

    @contextmanager
    def members(self, *seeds: int) -> Iterator[tuple[list[Member], Batch | None]]:
        """Fresh members for these seeds, batched where the algorithm offers it; closed afterwards."""
        with self.contract.during("building it"):
            made, batch = self.components.members(seeds, "cpu")
        try:
            yield made, batch
        finally:
            for member in made:
                member.env.close()

    @contextmanager
    def member(self, seed: int) -> Iterator[Member]:
        """One fresh member."""
        with self.members(seed) as (made, _):
            yield made[0]

    def round_trip(self, members: Sequence[Member]) -> list[State]:
        """What comes back from real checkpoints of these members on disk."""
        with tempfile.TemporaryDirectory(prefix="zoo-check-") as folder, self.contract.during("saving its state"):
            return [self._saved(Path(folder, str(number)), member) for number, member in enumerate(members)]

    def _saved(self, folder: Path, member: Member) -> State:
        checkpoint.save(folder, 1, *checkpoint.pack(member.capture()))
        loaded: State = checkpoint.load(folder, 1)
        return loaded

    def restore(self, member: Member, state: State) -> None:
        """Continue from ``save``.

        Raises:
            AssertionError: the environment cannot be restored, so that exactness cannot be judged.
        """
        with self.contract.during("load_state() of its own saved state"):
            exact = member.restore(copied(state))
        self.contract.require(
            exact,
            f"exact resume cannot be judged on {self.components.env.short}, which offers no snapshot: check on another",
        )


def metrics_difference(expected: Sequence[Metrics], actual: Sequence[Metrics]) -> str:
    """The first metric that differs between two runs, as a phrase; empty if none does."""
    for number, (one, other) in enumerate(zip(expected, actual, strict=False), start=1):
        if one.keys() != other.keys():
            return f"update {number} has the metrics {', '.join(other)}, expected {', '.join(one)}"
        for name, value in one.items():
            if value != other[name]:
                return f"metric {name!r} of update {number} is {other[name]!r}, expected {value!r}"
    if len(expected) != len(actual):
        return f"there were {len(actual)} updates, expected {len(expected)}"
    return ""
