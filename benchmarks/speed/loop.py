"""What the run loop costs: a bare loop over ``update()`` beside ``zoo train`` with logging, on CartPole PPO."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ratio import Table, arguments, compare, show

from zoo.discovery.registry import discover
from zoo.training.build import Parts
from zoo.training.callbacks import CallbackDispatcher, Silent
from zoo.training.loop import train_parts, train_seeds
from zoo.training.settings import Settings
from zoo.training.stop import Stop
from zoo.training.storage.spec import RunSpec


def measure(rounds: int, steps: int) -> list[Table]:
    """The same updates with and without the loop around them."""
    registry = discover()
    entry = registry.find("ppo", "algorithm")
    spec = RunSpec(
        algorithm=entry.qualified, kind="algorithm", plugin_version=entry.version, environment="gym:CartPole-v1",
        config={"n_steps": 128, "batch_size": 256, "n_epochs": 4}, steps=steps, num_envs=8, eval_episodes=0,
    )  # fmt: skip

    inside = 0.0
    cls = entry.resolve()

    class Timed(cls):  # type: ignore[misc, valid-type]
        """Adds up the CPU seconds of ``update``."""

        def update(self) -> Mapping[str, float]:
            nonlocal inside
            began = time.process_time()
            metrics: Mapping[str, float] = super().update()
            inside += time.process_time() - began
            return metrics

    def bare() -> None:
        (member,), _ = Parts.of(spec, registry).members([0], "cpu")
        while member.algorithm.env_steps < steps:
            member.algorithm.update()
        member.env.close()

    def looped() -> None:
        with tempfile.TemporaryDirectory() as root:
            train_seeds(spec, [0], registry, Settings(root=Path(root)), Silent(), Stop())

    functions: dict[str, Callable[[], object]] = {"bare loop over update()": bare, "zoo's run loop": looped}
    table = compare(functions, rounds, title=f"PPO on CartPole-v1, {steps} steps, 8 environments")
    table.notes["overhead, start and end of the run included"] = f"{100 * (table.rows[1].ratio - 1):.1f} %"
    parts = Parts.of(spec, registry)
    parts.cls = Timed
    began = time.process_time()
    with tempfile.TemporaryDirectory() as root:
        settings = Settings(root=Path(root))
        train_parts(parts, [0], settings, CallbackDispatcher(registry, Silent()), Stop())
    outside = time.process_time() - began - inside
    table.notes["CPU outside update(), in one run"] = f"{100 * outside / inside:.1f} %, goal at most 3 %"
    return [table]


if __name__ == "__main__":
    parser = arguments(__doc__ or "")
    parser.add_argument("--steps", type=int, default=16_384)
    parsed = parser.parse_args()
    show(measure(parsed.rounds, parsed.steps), as_json=parsed.json)
