"""Train PPO: seed-steps per CPU second beside stable-baselines3, metrics and episode statistics on everywhere.

Every function of a table takes the same number of seed-steps (environment steps, summed over seeds) with the same
network, optimiser and schedule: 8 copies, rollouts of 128 steps, 4 epochs, minibatches of 256. Ours runs on
environments that step all copies as one array; SB3 as it comes (DummyVecEnv with Monitor) and on the same array
environment, so that what the environment gives and what the learner gives can be told apart. That cart-pole is
gymnasium's CartPole-v1 bit for bit is tested where it is defined.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from ratio import Table, arguments, compare, show
from stable_baselines3 import PPO as SB3
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.monitor import Monitor
from zoo_envs.batched import Move
from zoo_envs.control.cart_pole import MAX_ANGLE, MAX_POSITION, CartPoleVector
from zoo_onpolicy.agent import PPO
from zoo_onpolicy.config import NativeConfig, NetworkConfig
from zoo_sb3.vecenv import GymnasiumVecEnv

from zoo.api import ConstraintSpec, Context, Problem
from zoo.seeding import stream
from zoo.training.environments.make_env import Recorder

COPIES, STEPS = 8, 128
OPTIONS: dict[str, Any] = {"n_steps": STEPS, "batch_size": 256, "n_epochs": 4, "ent_coef": 0.01}
HAZARD = "zoo/HazardGrid-v0"
EIGHT, ONE = "zoo train ppo-native cart-pole --seeds 0:8", "zoo train ppo-native cart-pole --seeds 0"


class Signals(CartPoleVector):
    """Cart-pole with two constraint signals: |position| / 2.4 m and |angle| / 12 degrees of the state arrived in."""

    constraint_spec = ConstraintSpec(names=("position", "angle"), thresholds=[0.2, 0.2], senses=("<=",) * 2)

    def _advance(self, actions: NDArray[np.integer[Any]]) -> Move:
        move = super()._advance(actions)
        share = np.abs(move.arrived[:, [0, 2]]) / np.array([MAX_POSITION, MAX_ANGLE])
        return move._replace(signals={"constraints": share.astype(np.float32)})


class Pictures(gymnasium.Env[NDArray[np.uint8], Any]):
    """One of 64 random pictures [4, 84, 84] at each step, so that the time is the learner's."""

    observation_space = gymnasium.spaces.Box(0, 255, (4, 84, 84), np.uint8)
    action_space = gymnasium.spaces.Discrete(6)
    pictures = np.random.default_rng(0).integers(0, 256, (64, 4, 84, 84), dtype=np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Begin with the first picture."""
        super().reset(seed=seed)
        self.number = 0
        return self.pictures[0], {}

    def step(self, action: Any) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Show the next one."""
        self.number += 1
        return self.pictures[self.number % 64], float(action == self.number % 6), False, self.number == 100, {}


def ours(
    make: Callable[[], Any], seeds: int, calls: int, constraints: bool = False, **options: Any
) -> Callable[[], object]:
    """``calls`` updates of that many seeds at once."""
    contexts = []
    for seed in range(seeds):
        vector = make()
        vector.reset(seed=seed)
        spec = vector.constraint_spec if constraints else None
        contexts.append(
            Context(env=Recorder(vector, spec), seed=seed, rng=stream(seed, "algo"), problem=Problem(constraints=spec))
        )
    batch = PPO.batch(contexts, NativeConfig(**OPTIONS, **options, network=NetworkConfig()))

    def run() -> int:
        for _ in range(calls):
            told = batch.update()
            for ctx in contexts:
                ctx.env.drain()
        return len(told)

    return run


def sb3(env: Any, calls: int, policy: str = "MlpPolicy") -> Callable[[], object]:
    """``calls`` iterations of SB3's ``learn`` on one seed; it records its metrics and writes them nowhere."""
    model = SB3(policy, env, policy_kwargs={"net_arch": [64, 64]}, seed=0, device="cpu", **OPTIONS)
    model.set_logger(Logger(None, []))

    def run() -> object:
        return model.learn(calls * COPIES * STEPS, reset_num_timesteps=False)

    return run


def cartpole(rounds: int, calls: int) -> Table:
    """CartPole-v1, 64-64 tanh."""

    def synchronous() -> Any:
        return gymnasium.make_vec(
            "CartPole-v1", COPIES, vectorization_mode="sync", vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP}
        )

    def alone() -> Any:
        return CartPoleVector(COPIES)

    array = alone()
    array.reset(seed=0)
    functions: Mapping[str, Callable[[], object]] = {
        "ppo-native, eight seeds at once": ours(alone, 8, calls // 8),
        "ppo-native, one seed": ours(alone, 1, calls),
        "ppo-native, one seed, gymnasium's sync vector env": ours(synchronous, 1, calls),
        "SB3": sb3(make_vec_env("CartPole-v1", COPIES), calls),
        "SB3 on the array environment": sb3(GymnasiumVecEnv(Recorder(array, None)), calls),
    }
    table = compare(functions, rounds, title=f"PPO on CartPole-v1, {calls * COPIES * STEPS} seed-steps")
    return notes(table, calls, {"ppo-native, one seed": (3, 5), "ppo-native, eight seeds at once": (8, 12)})


def command(rounds: int, calls: int) -> Table:
    """``zoo train ppo-native cart-pole`` as a process of its own: start, checkpoints and logs included, no evaluation.

    SB3's time is that of ``learn`` alone, without starting Python or importing torch.
    """
    options = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    options += [f"--steps={calls * COPIES * STEPS}", f"--num-envs={COPIES}", "--eval-episodes=0", "--quiet"]

    def train(seeds: str) -> Callable[[], object]:
        def run() -> None:
            with tempfile.TemporaryDirectory() as folder:
                zoo = [sys.executable, "-m", "zoo.cli.main", "train", "ppo-native", "cart-pole", "--seeds", seeds]
                subprocess.run([*zoo, *options, "--dir", folder], check=True, stdout=subprocess.DEVNULL)

        return run

    functions = {
        EIGHT: train("0:8"),
        ONE: train("0"),
        "SB3": sb3(make_vec_env("CartPole-v1", COPIES), calls),
    }
    table = compare(functions, rounds, title=f"the command, {calls * COPIES * STEPS} steps of each seed")
    return notes(table, calls, {ONE: (3, 5), EIGHT: (8, 12)}, {EIGHT: 8})


def grid(rounds: int, calls: int) -> Table:
    """HazardGrid 8 x 8: softmax tables; SB3 has one-hot observations and its 64-64 network."""

    def alone() -> Any:
        return gymnasium.make_vec(HAZARD, COPIES, vectorization_mode="vector_entry_point")

    singles = make_vec_env(lambda: Monitor(gymnasium.make(HAZARD)), COPIES)
    functions: Mapping[str, Callable[[], object]] = {
        "ppo-native tables, sixteen seeds at once": ours(alone, 16, calls // 16),
        "ppo-native table, one seed": ours(alone, 1, calls),
        "SB3": sb3(singles, calls),
    }
    table = compare(functions, rounds, title=f"PPO on HazardGrid 8 x 8, {calls * COPIES * STEPS} seed-steps")
    return notes(
        table, calls, {"ppo-native table, one seed": (15, 15), "ppo-native tables, sixteen seeds at once": (75, 75)}
    )


def heads(rounds: int, calls: int) -> Table:
    """What two constraint signals cost: three value heads instead of one."""
    functions = {
        "one head": ours(lambda: Signals(COPIES), 1, calls),
        "three heads": ours(lambda: Signals(COPIES), 1, calls, constraints=True),
    }
    table = compare(functions, rounds, title="CartPole with two constraint signals")
    table.notes["three heads over one, goal at most 1.15"] = round(table["three heads"].ratio, 3)
    return table


def norm(rounds: int, calls: int) -> Table:
    """What running statistics of observations and returns cost."""
    functions = {
        "plain": ours(lambda: CartPoleVector(COPIES), 1, calls),
        "normalised": ours(lambda: CartPoleVector(COPIES), 1, calls, norm_obs=True, norm_reward=True),
    }
    table = compare(functions, rounds, title="CartPole with normalised observations and rewards")
    table.notes["normalised over plain, goal at most 1.05"] = round(table["normalised"].ratio, 3)
    return table


def images(rounds: int, calls: int) -> Table:
    """Pictures of 84 x 84 with four channels, by the same convolutions."""

    def synchronous() -> Any:
        autoreset = {"autoreset_mode": AutoresetMode.SAME_STEP}
        return gymnasium.vector.SyncVectorEnv([Pictures] * COPIES, **autoreset)

    functions = {
        "ppo-native": ours(synchronous, 1, calls), "SB3": sb3(make_vec_env(Pictures, COPIES), calls, "CnnPolicy"),
    }  # fmt: skip
    table = compare(functions, rounds, title=f"PPO on pictures, {calls * COPIES * STEPS} steps")
    return notes(table, calls, {"ppo-native": (0.83, 1)})


def notes(
    table: Table, calls: int, goals: Mapping[str, tuple[float, float]], seeds: Mapping[str, int] = MappingProxyType({})
) -> Table:
    """Seed-steps per second, and how many times SB3's they are, with the range over the rounds.

    Args:
        table: the times.
        calls: iterations of each seed.
        goals: name of a row to the least ratio, and to the ratio aimed at.
        seeds: how many seeds' steps a row took, where it is not one's.
    """
    peer = table["SB3"]
    for row in table.rows:
        steps = seeds.get(row.name, 1) * calls * COPIES * STEPS
        table.notes[f"{row.name}: thousand seed-steps per CPU second"] = round(steps / row.median / 1e3, 1)
    for name, (goal, aim) in goals.items():
        pairs = zip(table[name].seconds, peer.seconds, strict=True)
        ratios = sorted(seeds.get(name, 1) * theirs / mine for mine, theirs in pairs)
        table.notes[f"{name}: times SB3 (goal {goal}, aim {aim})"] = (
            f"{float(np.median(ratios)):.2g} ({ratios[0]:.2g} to {ratios[-1]:.2g})"
        )
    return table


TABLES = {
    "cartpole": (cartpole, 16),
    "command": (command, 100),
    "grid": (grid, 16),
    "heads": (heads, 8),
    "norm": (norm, 8),
    "images": (images, 1),
}


def main() -> None:
    """Run the comparisons and print them."""
    parser: argparse.ArgumentParser = arguments(__doc__ or "")
    parser.add_argument("--only", choices=TABLES, help="one of the comparisons")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [options.only] if options.only else list(TABLES)
    show([make(options.rounds, calls) for make, calls in map(TABLES.get, chosen)], as_json=options.json)


if __name__ == "__main__":
    main()
