"""Train the source policies in ``src/zoo_tvd/policies`` anew: PPO and SAC of stable-baselines3, two layers of 32 units.

``python plugins/tvd/train_policies.py``, with ``zoo-envs[dmc]``. Settings of PPO are those of rl-baselines3-zoo but for
the size of the network; a minute of CPU for CartPole-v1, and three each for Acrobot-v1 and the control suite's cartpole
balance. The files hold the weights of the actor and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import torch
import zoo_envs  # noqa: F401  registers the ids
from safetensors.numpy import save_file
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.env_util import make_vec_env

FOLDER = Path(__file__).parent / "src" / "zoo_tvd" / "policies"
TASKS: dict[str, tuple[int, int, dict[str, Any]]] = {
    "CartPole-v1": (8, 100_000, {"n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "gamma": 0.98, "n_epochs": 20,
                                 "learning_rate": 1e-3}),
    "Acrobot-v1": (16, 300_000, {"n_steps": 256, "gae_lambda": 0.94, "n_epochs": 4}),
}  # fmt: skip


BALANCE = {"tasks": "balance", "observe_task": 0, "action_repeat": 4}
"""of zoo/DMC-cartpole-family-v0; return 250 of 250 in each of four episodes"""


def export(model: PPO | SAC, layers: tuple[str, ...], name: str, **told: str) -> None:
    """Write the actor's weights."""
    weights = {part: tensor.detach().numpy() for part, tensor in model.policy.state_dict().items()}
    tensors = {
        f"{i}.{part}": weights[f"{layer}.{part}"] for i, layer in enumerate(layers) for part in ("weight", "bias")
    }
    save_file(tensors, FOLDER / f"{name}.safetensors", metadata=told)


def main() -> None:
    """Train and write each."""
    torch.set_num_threads(1)
    for task, (copies, steps, options) in TASKS.items():
        env = make_vec_env(task, copies, seed=0)
        ppo = PPO("MlpPolicy", env, ent_coef=0.0, seed=0, policy_kwargs={"net_arch": [32, 32]}, **options)
        layers = ("mlp_extractor.policy_net.0", "mlp_extractor.policy_net.2", "action_net")
        export(ppo.learn(steps), layers, task.lower(), kind="logits", activation="tanh")
    suite = gymnasium.make("zoo/DMC-cartpole-family-v0", disable_env_checker=True, **BALANCE)
    sac = SAC(
        "MlpPolicy", suite, learning_rate=1e-3, learning_starts=500, batch_size=128, gamma=0.98, seed=0,
        policy_kwargs={"net_arch": [32, 32]},
    )  # fmt: skip
    layers = ("actor.latent_pi.0", "actor.latent_pi.2", "actor.mu")
    export(sac.learn(12_500), layers, "dmc-cartpole-balance", kind="actions", activation="relu", squashed="true")


if __name__ == "__main__":
    main()
