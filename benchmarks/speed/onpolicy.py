"""Train PPO: seed-steps per CPU second beside stable-baselines3, metrics and episode statistics on everywhere.

Every function of a table takes the same number of seed-steps (environment steps, summed over seeds) with the same
network, optimiser and schedule: 8 copies, rollouts of 128 steps, 4 epochs, minibatches of 256. Ours runs on
environments that step all copies as one array; SB3 as it comes (DummyVecEnv with Monitor) and on the same array
environment, so that what the environment gives and what the learner gives can be told apart.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import gymnasium
import numpy as np
import torch
import zoo_envs  # noqa: F401  (registers the ids)
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from ratio import Table, arguments, compare, show
from stable_baselines3 import PPO as SB3
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.monitor import Monitor
from zoo_onpolicy.agent import PPO
from zoo_onpolicy.config import NetworkConfig, PPOConfig
from zoo_sb3.vecenv import GymnasiumVecEnv

from zoo.api import ConstraintSpec, Context, Problem
from zoo.seeding import stream
from zoo.training.vector import Recorder

COPIES, STEPS = 8, 128
OPTIONS: dict[str, Any] = {"n_steps": STEPS, "batch_size": 256, "n_epochs": 4, "ent_coef": 0.01}
HAZARD = "zoo/HazardGrid-v0"


class CartPole(VectorEnv[Any, Any, Any]):
    """gymnasium's CartPole-v1, all copies as one array, SAME_STEP; perhaps with two constraint signals.

    The signals are |position| / 2.4 and |angle| / 12 degrees of the state arrived in.
    """

    metadata: ClassVar[dict[str, Any]] = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, num_envs: int, *, signals: bool = False) -> None:
        single = gymnasium.make("CartPole-v1")
        self.num_envs, self.signals = num_envs, signals
        self.single_observation_space = single.observation_space
        self.single_action_space = single.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        if signals:
            self.constraint_spec = ConstraintSpec(
                names=("position", "angle"), thresholds=[0.2, 0.2], senses=("<=",) * 2
            )
        self.physics = np.zeros((4, num_envs))
        self.age = np.zeros(num_envs, dtype=np.int64)
        self.parts: Sequence[CartPole] = (self,)

    @classmethod
    def stacked(cls, members: Sequence[Self]) -> Self:
        """All members as one environment, in which each draws its own first states."""
        whole = cls(sum(member.num_envs for member in members), signals=members[0].signals)
        whole.parts, start = members, 0
        for member in members:
            columns = slice(start, start + member.num_envs)
            whole.physics[:, columns], whole.age[columns] = member.physics, member.age
            member.physics, member.age, start = whole.physics[:, columns], whole.age[columns], columns.stop
        return whole

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """A first state for every copy."""
        super().reset(seed=seed)
        self.begin(np.ones(self.num_envs, dtype=bool))
        return self.physics.T.astype(np.float32), {}

    def begin(self, where: NDArray[np.bool_]) -> None:
        """New episodes in these copies."""
        for part, rows in zip(self.parts, where.reshape(len(self.parts), -1), strict=True):
            if rows.any():
                part.physics[:, rows] = part.np_random.uniform(-0.05, 0.05, (4, int(rows.sum())))
        self.age[where] = 0

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Euler's method with a step of 0.02 s; the episode ends after 500 steps, 2.4 m off or 12 degrees tilted."""
        _, x_dot, theta, theta_dot = self.physics
        sine, cosine = np.sin(theta), np.cos(theta)
        push = (np.asarray(actions) * 20.0 - 10.0 + 0.05 * theta_dot * theta_dot * sine) / 1.1
        theta_acc = (9.8 * sine - cosine * push) / (0.5 * (4.0 / 3.0 - 0.1 * cosine * cosine / 1.1))
        x_acc = push - 0.05 * theta_acc * cosine / 1.1
        self.physics += 0.02 * np.stack([x_dot, x_acc, theta_dot, theta_acc])
        self.age += 1
        far, tilted = np.abs(self.physics[0]), np.abs(self.physics[2])
        terminated = (far > 2.4) | (tilted > np.pi / 15)
        truncated = (self.age >= 500) & ~terminated
        arrived = obs = self.physics.T.astype(np.float32)
        infos: dict[str, Any] = {"arrived": arrived}
        if self.signals:
            infos["constraints"] = np.stack([far / 2.4, tilted / (np.pi / 15)], axis=1, dtype=np.float32)
        done = terminated | truncated
        if done.any():
            self.begin(done)
            obs = self.physics.T.astype(np.float32)
            final = np.empty(self.num_envs, dtype=object)
            for copy in np.flatnonzero(done):
                final[copy] = arrived[copy]
            infos |= {"final_obs": final, "_final_obs": done}
        return obs, np.ones(self.num_envs), terminated, truncated, infos


def difference_from_gymnasium() -> float:
    """Largest difference of any observation over 20 episodes of gymnasium's own environment."""
    ours, theirs = CartPole(1), gymnasium.make("CartPole-v1").unwrapped
    rng, worst = np.random.default_rng(0), 0.0
    for _ in range(20):
        theirs.reset(seed=int(rng.integers(2**31)))
        ours.physics[:, 0], done = theirs.state, False
        while not done:
            action = int(rng.integers(2))
            told = ours.step([action])
            obs, _, done, *_ = theirs.step(action)
            worst = max(worst, float(np.abs(told[4]["arrived"][0] - obs).max()))
            if bool(told[2][0]) != done:
                return float("inf")
    return worst


def ours(make: Callable[[], Any], seeds: int, calls: int, constraints: bool = False) -> Callable[[], object]:
    """``calls`` updates of that many seeds at once."""
    contexts = []
    for seed in range(seeds):
        vector = make()
        vector.reset(seed=seed)
        spec = vector.constraint_spec if constraints else None
        contexts.append(
            Context(env=Recorder(vector, spec), seed=seed, rng=stream(seed, "algo"), problem=Problem(constraints=spec))
        )
    batch = PPO.batch(contexts, PPOConfig(**OPTIONS, network=NetworkConfig()))

    def run() -> int:
        for _ in range(calls):
            told = batch.update()
            for ctx in contexts:
                ctx.env.drain()
        return len(told)

    return run


def sb3(env: Any, calls: int) -> Callable[[], object]:
    """``calls`` iterations of SB3's ``learn`` on one seed; it records its metrics and writes them nowhere."""
    model = SB3("MlpPolicy", env, policy_kwargs={"net_arch": [64, 64]}, seed=0, device="cpu", **OPTIONS)
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
        return CartPole(COPIES)

    array = CartPole(COPIES)
    array.reset(seed=0)
    functions: Mapping[str, Callable[[], object]] = {
        "ppo-native, eight seeds at once": ours(alone, 8, calls // 8),
        "ppo-native, one seed": ours(alone, 1, calls),
        "ppo-native, one seed, gymnasium's sync vector env": ours(synchronous, 1, calls),
        "SB3": sb3(make_vec_env("CartPole-v1", COPIES), calls),
        "SB3 on the array environment": sb3(GymnasiumVecEnv(Recorder(array, None)), calls),
    }
    table = compare(functions, rounds, title=f"PPO on CartPole-v1, {calls * COPIES * STEPS} seed-steps")
    notes(table, calls, {"ppo-native, one seed": (3, 5), "ppo-native, eight seeds at once": (8, 12)})
    table.notes["array environment, largest difference from gymnasium's"] = difference_from_gymnasium()
    return table


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
        "one head": ours(lambda: CartPole(COPIES, signals=True), 1, calls),
        "three heads": ours(lambda: CartPole(COPIES, signals=True), 1, calls, constraints=True),
    }
    table = compare(functions, rounds, title="CartPole with two constraint signals")
    table.notes["three heads over one, goal at most 1.15"] = round(table["three heads"].ratio, 3)
    return table


def notes(table: Table, calls: int, goals: Mapping[str, tuple[int, int]]) -> Table:
    """Seed-steps per second, and how many times SB3's they are, with the range over the rounds."""
    peer = table["SB3"]
    for row in table.rows:
        table.notes[f"{row.name}: thousand seed-steps per CPU second"] = round(
            calls * COPIES * STEPS / row.median / 1e3, 1
        )
    for name, (goal, aim) in goals.items():
        ratios = sorted(theirs / mine for mine, theirs in zip(table[name].seconds, peer.seconds, strict=True))
        table.notes[f"{name}: times SB3 (goal {goal}, aim {aim})"] = (
            f"{float(np.median(ratios)):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"
        )
    return table


TABLES = {"cartpole": (cartpole, 16), "grid": (grid, 16), "heads": (heads, 8)}


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
