"""Regularised policy optimisation on the tree: seeds and episodes as arrays, beside an object for each episode.

The peer is how published code of this kind is written: each episode has an environment of its own that is stepped in
Python, the policy is a row of a tensor, the gradient comes from autograd. One call is one update of one seed (of
twenty at once here), in which ten episodes are played. Further: the whole preset, and exact values of twenty policies.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from ratio import Table, arguments, compare, show
from zoo_envs.trees.two_rooms import Tree, TreeTask
from zoo_rpo.config import RPOConfig
from zoo_rpo.tabular.learner import Learner

from zoo.api import Context, Problem
from zoo.seeding import stream

SEEDS, EPISODES, UPDATES = 20, 10, 40
GAMMA, LAMBDA = 0.99, 0.1


def learner(regulariser: str, budget: int, **options: object) -> Learner:
    """Twenty seeds on type 1."""
    contexts = []
    for seed in range(SEEDS):
        env = SyncVectorEnv([Tree], autoreset_mode=AutoresetMode.SAME_STEP)
        problem = Problem(tasks=env.envs[0].unwrapped.tasks)
        contexts.append(Context(env=env, seed=seed, rng=stream(seed, "algo"), budget=budget, problem=problem))
    return Learner(contexts, RPOConfig(regulariser=regulariser, lam=LAMBDA, **options))  # type: ignore[arg-type]


def by_objects(updates: int) -> float:
    """Updates of one seed under KL(pi_0, pi), with an environment object for each episode; the last mean return."""
    rng, torch_rng = np.random.default_rng(0), torch.Generator().manual_seed(0)
    theta = torch.randn(24, 2, generator=torch_rng, requires_grad=True)
    V = torch.zeros(24, requires_grad=True)
    pi_0 = torch.full((24, 2), 0.5)
    task = TreeTask(goals=(21, 23), doors=(17,))
    optimiser = torch.optim.SGD([{"params": [theta], "lr": 1.0}, {"params": [V], "lr": 0.3}])
    mean = 0.0
    for _ in range(updates):
        loss, mean = torch.zeros(()), 0.0
        for _ in range(EPISODES):
            env = task.make()
            state, _ = env.reset(seed=int(rng.integers(2**31)))
            states, log_probs, penalties, rewards = [], [], [], []
            ended = False
            while not ended:
                policy = torch.distributions.Categorical(logits=theta[state])
                action = policy.sample()
                states.append(state)
                log_probs.append(policy.log_prob(action))
                default = torch.distributions.Categorical(probs=pi_0[state])
                penalties.append(torch.distributions.kl_divergence(default, policy))
                state, reward, ended, _, _ = env.step(int(action))
                rewards.append(reward)
            G = 0.0
            for t in reversed(range(len(rewards))):
                G = rewards[t] + GAMMA * G
                advantage = G - V[states[t]]
                loss = loss - advantage.detach() * log_probs[t] + LAMBDA * penalties[t] + advantage**2
            mean += sum(rewards) / EPISODES
        optimiser.zero_grad()
        (loss / EPISODES).backward()
        optimiser.step()
    return mean


def step(rounds: int) -> Table:
    """One update of one seed."""
    made = learner("kl-forward", 10**7, updates=10**6, log_every=UPDATES)

    def ours() -> float:
        return made.update()[0]["value"]

    table = compare({"arrays": ours, "objects": lambda: by_objects(2)}, rounds, title="updates on the tree")
    ours_each = table["arrays"].median / (UPDATES * SEEDS)
    theirs = table["objects"].median / 2
    table.notes["one update of one seed, arrays"] = f"{1e6 * ours_each:.1f} us"
    table.notes["one update of one seed, objects"] = f"{1e6 * theirs:.0f} us"
    table.notes["objects over arrays"] = f"{theirs / ours_each:.0f}"
    return table


def preset(rounds: int) -> Table:
    """Twenty seeds, twenty tasks, a hundred updates, ten episodes: the learner, without the command's logs."""

    def run(name: str) -> object:
        def whole() -> float:
            made = learner(name, 20_000)
            for _ in range(200):
                rows = made.update()
            return rows[0]["regret"]

        return whole

    names = ("tv", "kl-forward", "none")
    return compare({name: run(name) for name in names}, rounds, title="the preset tree-type1")  # type: ignore[misc]


def values(rounds: int) -> Table:
    """Exact values of twenty policies."""
    env, logits = TreeTask(goals=(21,), doors=(17,)).make(), np.random.default_rng(0).standard_normal((20, 24, 2))

    def one_by_one() -> list[float]:
        return [float(env.exact_value(one)) for one in logits]

    return compare(
        {"together": lambda: env.exact_value(logits), "one by one": one_by_one}, rounds, title="exact values"
    )


def main() -> None:
    parsed = arguments(__doc__ or "").parse_args()
    torch.set_num_threads(1)
    began = time.process_time()
    tables = [step(parsed.rounds), values(parsed.rounds), preset(parsed.rounds)]
    tables[-1].notes["CPU seconds of this script"] = f"{time.process_time() - began:.0f}"
    show(tables, as_json=parsed.json)


if __name__ == "__main__":
    main()
