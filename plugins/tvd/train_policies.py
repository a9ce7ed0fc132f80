"""Train the source policies in ``src/zoo_tvd/policies`` anew: PPO of stable-baselines3, two layers of 32 units.

``python plugins/tvd/train_policies.py``. Settings are those of rl-baselines3-zoo but for the size of the network; a
minute of CPU for CartPole-v1 and three for Acrobot-v1. The files hold the weights of the actor and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.numpy import save_file
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

FOLDER = Path(__file__).parent / "src" / "zoo_tvd" / "policies"
TASKS: dict[str, tuple[int, int, dict[str, Any]]] = {
    "CartPole-v1": (8, 100_000, {"n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "gamma": 0.98, "n_epochs": 20,
                                 "learning_rate": 1e-3}),
    "Acrobot-v1": (16, 300_000, {"n_steps": 256, "gae_lambda": 0.94, "n_epochs": 4}),
}  # fmt: skip


def export(model: PPO, file: Path) -> None:
    """Write the actor's weights."""
    weights = {name: tensor.numpy() for name, tensor in model.policy.state_dict().items()}
    layers = ("mlp_extractor.policy_net.0", "mlp_extractor.policy_net.2", "action_net")
    tensors = {
        f"{i}.{part}": weights[f"{layer}.{part}"] for i, layer in enumerate(layers) for part in ("weight", "bias")
    }
    save_file(tensors, file, metadata={"kind": "logits", "activation": "tanh"})


def main() -> None:
    """Train and write each."""
    torch.set_num_threads(1)
    for task, (copies, steps, options) in TASKS.items():
        env = make_vec_env(task, copies, seed=0)
        model = PPO("MlpPolicy", env, ent_coef=0.0, seed=0, policy_kwargs={"net_arch": [32, 32]}, **options)
        export(model.learn(steps), FOLDER / f"{task.lower()}.safetensors")


if __name__ == "__main__":
    main()
