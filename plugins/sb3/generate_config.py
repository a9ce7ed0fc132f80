"""Write src/zoo_sb3/config/<family>.py from the constructors' signatures of the installed libraries.

Run it after an upgrade of stable-baselines3 or sb3-contrib. Names and defaults are the library's; types,
explanations and what is left out are decided here. A test compares the committed files with its output.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import sb3_contrib
import stable_baselines3

FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "on_policy": (
        "PPO, A2C, TRPO and recurrent PPO: learners from fresh rollouts",
        ("PPO", "A2C", "TRPO", "RecurrentPPO"),
    ),
    "value_based": ("DQN and QR-DQN: learners of action values", ("DQN", "QRDQN")),
    "soft_actor": ("SAC, TQC and CrossQ: maximum-entropy actor-critics", ("SAC", "TQC", "CrossQ")),
    "deterministic_actor": ("TD3 and DDPG: deterministic policy gradients", ("TD3", "DDPG")),
}
NETWORKS = {
    "ActorCriticNetwork": ("PPO", "A2C", "TRPO"),
    "RecurrentNetwork": ("RecurrentPPO",),
    "QNetwork": ("DQN",),
    "QuantileNetwork": ("QRDQN",),
    "SoftActorNetwork": ("SAC",),
    "TruncatedQuantileNetwork": ("TQC",),
    "BatchNormNetwork": ("CrossQ",),
    "DeterministicActorNetwork": ("TD3",),
    "SingleCriticNetwork": ("DDPG",),
}
# Bases hold the first fields that all their members have, so that options keep the library's order.
NETWORK_BASES = {
    "ActorAndCritic": ("Network with an actor and critics.", (
        "SoftActorNetwork", "TruncatedQuantileNetwork", "BatchNormNetwork", "DeterministicActorNetwork",
        "ActorCriticNetwork",
    )),
    "StochasticActor": ("Network with a squashed Gaussian actor.", ("SoftActorNetwork", "TruncatedQuantileNetwork")),
}  # fmt: skip
REPLAY_BASES = {
    "ReplayConfig": ("Options of learners from a replay buffer.", (
        "SACConfig", "TQCConfig", "CrossQConfig", "TD3Config", "DDPGConfig", "DQNConfig", "QRDQNConfig",
    )),
    "TargetNetworkConfig": ("Options of learners with a target network.", (
        "SACConfig", "TQCConfig", "TD3Config", "DDPGConfig", "DQNConfig", "QRDQNConfig",
    )),
    "NoisyActionConfig": (
        "Options of learners for box actions.",
        ("SACConfig", "TQCConfig", "TD3Config", "DDPGConfig"),
    ),
}  # fmt: skip
FAMILY_BASES = {
    "ValueConfig": ("Options of learners of action values.", ("DQNConfig", "QRDQNConfig")),
    "EntropyConfig": ("Options of maximum-entropy learners with a target network.", ("SACConfig", "TQCConfig")),
}
BASES = NETWORK_BASES | REPLAY_BASES | FAMILY_BASES
PARENTS = {
    "StochasticActor": "ActorAndCritic", "ActorCriticNetwork": "ActorAndCritic", "BatchNormNetwork": "ActorAndCritic",
    "DeterministicActorNetwork": "ActorAndCritic", "SingleCriticNetwork": "DeterministicActorNetwork",
    "RecurrentNetwork": "ActorCriticNetwork", "SoftActorNetwork": "StochasticActor",
    "TruncatedQuantileNetwork": "StochasticActor",
    "TargetNetworkConfig": "ReplayConfig", "NoisyActionConfig": "TargetNetworkConfig",
    "ValueConfig": "TargetNetworkConfig", "EntropyConfig": "NoisyActionConfig",
    "RecurrentPPOConfig": "PPOConfig", "DQNConfig": "ValueConfig", "QRDQNConfig": "ValueConfig",
    "SACConfig": "EntropyConfig", "TQCConfig": "EntropyConfig", "CrossQConfig": "ReplayConfig",
    "TD3Config": "NoisyActionConfig", "DDPGConfig": "NoisyActionConfig",
}  # fmt: skip
SHARED_TYPES = ("ActionNoise", "Checked", "EntropyCoefficient", "Policy", "Schedule", "TrainFrequency")
# The context, the run loop and the registered class decide these; classes and dictionaries are no options.
# SB3 offers optimize_memory_usage only if truncated episodes count as terminated, which no algorithm here does.
LEFT_OUT = {
    "self", "policy", "env", "policy_kwargs", "rollout_buffer_class", "rollout_buffer_kwargs",
    "replay_buffer_class", "replay_buffer_kwargs", "stats_window_size", "tensorboard_log", "verbose", "seed",
    "device", "_init_setup_model", "optimize_memory_usage",
}  # fmt: skip
LEFT_OUT_OF_NETWORK = LEFT_OUT | {
    "observation_space", "action_space", "lr_schedule", "use_sde", "features_extractor_class",
    "features_extractor_kwargs", "optimizer_class", "optimizer_kwargs", "lstm_kwargs",
}  # fmt: skip
TYPES = {
    "learning_rate": "Schedule", "clip_range": "Schedule", "clip_range_vf": "Schedule | None",
    "train_freq": "TrainFrequency", "action_noise": "ActionNoise | None",
    "target_entropy": 'float | Literal["auto"]', "net_arch": "tuple[int, ...] | None",
    "activation_fn": 'Literal["tanh", "relu", "elu", "leaky-relu", "silu"]',
    "batch_size": "int", "max_grad_norm": "float | None",
}  # fmt: skip
ACTIVATIONS = {"Tanh": "tanh", "ReLU": "relu"}
TEXT = {
    "learning_rate": "step size of the optimiser(s); two numbers decay linearly over the budget",
    "n_steps": "vector steps per rollout: each update uses n_steps * num_envs transitions",
    "batch_size": "transitions per gradient step",
    "n_epochs": "passes over each rollout",
    "gamma": "discount factor, in [0, 1]",
    "gae_lambda": "lambda of generalised advantage estimation, in [0, 1]; 1 is the Monte Carlo return",
    "clip_range": "epsilon of the clipped surrogate objective; two numbers decay linearly over the budget",
    "clip_range_vf": "clip the value function by as much, in the unit of the return; none: no clipping",
    "normalize_advantage": "standardise the advantages of each batch",
    "ent_coef": "weight of the entropy bonus",
    "vf_coef": "weight of the value loss",
    "max_grad_norm": "clip the norm of the gradient to this",
    "use_sde": "explore by noise that depends on the state (gSDE) instead of independent noise; box actions only",
    "sde_sample_freq": "vector steps between two draws of the gSDE noise; -1: once in a rollout",
    "use_sde_at_warmup": "explore by gSDE, not uniformly, before learning starts",
    "target_kl": "bound on the KL divergence of an update; none: no bound",
    "rms_prop_eps": "epsilon of RMSprop",
    "use_rms_prop": "RMSprop instead of Adam",
    "cg_max_steps": "most steps of the conjugate-gradient solver",
    "cg_damping": "added to the diagonal of the Fisher matrix",
    "line_search_shrinking_factor": "factor by which the line search shortens the step at each try, in [0, 1]",
    "line_search_max_iter": "most tries of the line search",
    "n_critic_updates": "passes of the critic over each rollout",
    "sub_sampling_factor": "estimate the natural gradient from one in this many transitions",
    "buffer_size": "transitions kept for replay, of all environments together",
    "learning_starts": "environment steps of random actions before learning starts",
    "tau": "step of the target networks towards the learned ones, in [0, 1]; 1: a copy",
    "train_freq": "vector steps between two training phases, or 'N episode'",
    "gradient_steps": "gradient steps per training phase; -1: as many as vector steps were taken",
    "replay_n_steps": "rewards summed before the bootstrap; 1 is the ordinary target",
    "target_update_interval": "environment steps between two updates of the target network",
    "gradient_target_update_interval": "gradient steps between two updates of the target networks",
    "exploration_fraction": "fraction of the budget over which epsilon decays",
    "exploration_initial_eps": "probability of a random action at the start",
    "exploration_final_eps": "probability of a random action once it has decayed",
    "action_noise": "noise added to the actions, in units of actions scaled to [-1, 1]; none: no noise",
    "soft_ent_coef": "entropy temperature alpha; auto: learned, from the initial value in 'auto VALUE' or 1",
    "target_entropy": "entropy a learned temperature aims at, in nats; auto: minus the number of action dimensions",
    "top_quantiles_to_drop_per_net": "the largest quantiles left out of the target, for each critic",
    "policy_delay": "critic steps per actor step",
    "target_policy_noise": "standard deviation of the noise on target actions",
    "target_noise_clip": "bound on the absolute noise on target actions",
    "net_arch": "units of each hidden layer, e.g. 64 64; none: SB3's choice for the algorithm",
    "activation_fn": "non-linearity between layers",
    "ortho_init": "orthogonal initial weights",
    "log_std_init": "initial logarithm of the standard deviation of the actions",
    "full_std": "with gSDE: one standard deviation for each feature and action, not for each action only",
    "use_expln": "with gSDE: a softplus-like standard deviation instead of the exponential",
    "squash_output": "with gSDE: squash the actions by tanh",
    "share_features_extractor": "one feature extractor for actor and critic",
    "normalize_images": "divide image pixels by 255",
    "clip_mean": "with gSDE: bound on the absolute mean of the actions",
    "n_critics": "number of critics; the target is their least (TQC: their pooled) estimate",
    "n_quantiles": "quantiles of the return that each critic estimates",
    "batch_norm": "normalise the critics' (and actor's) layers over batches",
    "batch_norm_momentum": "step of the running statistics of batch renormalisation, in [0, 1]",
    "batch_norm_eps": "added to the variance in batch renormalisation",
    "renorm_warmup_steps": "gradient steps of plain batch normalisation before renormalisation starts",
    "lstm_hidden_size": "units of each LSTM layer",
    "n_lstm_layers": "LSTM layers",
    "shared_lstm": "one LSTM for actor and critic; needs enable_critic_lstm false",
    "enable_critic_lstm": "an LSTM for the critic too",
}  # fmt: skip
CRITIC_ARCH = "units of each hidden layer of the critic(s); none: as the actor's"
NOISE_STD = "standard deviation of action_noise, in units of actions scaled to [-1, 1]"
KIND = "SB3's kind of policy; auto: by the observation space (images, dictionaries, or flat)"
NETWORK = "the network's shape"


class Field(NamedTuple):
    """One option, as source."""

    name: str
    kind: str
    default: str
    text: str


def learner(name: str) -> Any:
    """The library's class of that name."""
    return getattr(stable_baselines3, name, None) or getattr(sb3_contrib, name)


def signature(function: Any) -> dict[str, inspect.Parameter]:
    """The parameters of a constructor, by name."""
    return dict(inspect.signature(function).parameters)


def policy_class(name: str) -> Any:
    """The policy that the learner uses for flat observations."""
    aliases = learner(name).policy_aliases
    return aliases.get("MlpPolicy") or aliases["MlpLstmPolicy"]


def _typed(name: str, parameter: inspect.Parameter, family: str) -> tuple[str, str]:
    """Type and default of one field, as source."""
    default = parameter.default
    if name == "activation_fn":
        return TYPES[name], f'"{ACTIVATIONS[default.__name__]}"'
    if name == "ent_coef" and family == "soft_actor":
        return "EntropyCoefficient", f'"{default}"'
    if name == "max_grad_norm" and default is not None:
        return "float", repr(float(default))
    kind = TYPES.get(name) or str(parameter.annotation)
    kind = kind if kind in TYPES.values() else kind.replace("<class '", "").replace("'>", "")
    if kind == "float" or (kind == "Schedule" and default is not None):
        default = float(default)
    return kind, f'"{default}"' if isinstance(default, str) else repr(default)


def network_fields(name: str) -> list[Field]:
    """Those of one network dataclass."""
    member = NETWORKS[name][0]
    fields = [Field("kind", "Policy", '"auto"', KIND)]
    for key, parameter in signature(policy_class(member).__init__).items():
        if key in LEFT_OUT_OF_NETWORK:
            continue
        kind, default = _typed(key, parameter, "")
        if key == "n_critics" and member == "DDPG":
            default = "1"  # DDPG's constructor puts it so, unless told otherwise
        fields.append(Field(key, kind, default, TEXT[key]))
        if key == "net_arch" and "dict" in str(parameter.annotation):
            fields.append(Field("critic_arch", TYPES["net_arch"], "None", CRITIC_ARCH))
    return fields


def config_fields(name: str, family: str) -> list[Field]:
    """Those of one algorithm's dataclass."""
    network = next(key for key, members in NETWORKS.items() if name in members)
    fields = [Field("network", network, f"field(default_factory={network})", NETWORK)]
    for key, parameter in signature(learner(name).__init__).items():
        if key in LEFT_OUT:
            continue
        text = key
        if key == "n_steps" and family != "on_policy":
            text = "replay_n_steps"
        if family == "soft_actor" and key == "ent_coef":
            text = "soft_ent_coef"
        if family == "soft_actor" and key == "target_update_interval":
            text = "gradient_target_update_interval"
        fields.append(Field(key, *_typed(key, parameter, family), TEXT[text]))
        if key == "action_noise":
            fields.append(Field("action_noise_std", "float", "0.1", NOISE_STD))
    return fields


def shared_fields(members: list[list[Field]]) -> list[Field]:
    """The first fields, as far as all members have the same: with the widest type, and the first one's default."""
    shared = []
    for alike in zip(*members, strict=False):
        if len({(field.name, field.text) for field in alike}) > 1:
            break
        kind, default = max((field.kind for field in alike), key=len), alike[0].default
        if alike[0].name == "network":
            kind, default = "Checked", "field(default_factory=Checked)"
        shared.append(alike[0]._replace(kind=kind, default=default))
    return shared


def class_source(name: str, text: str, parent: str, inherited: list[Field], fields: list[Field]) -> str:
    """One dataclass; of what it inherits, which comes first, it has only what differs."""
    lines = [f'@dataclass(frozen=True, kw_only=True)\nclass {name}({parent}):\n    """{text}"""\n\n']
    for place, field in enumerate(fields):
        own = f"    {field.name}: {field.kind} = {field.default}\n"
        if place >= len(inherited):
            lines.append(f'{own}    """{field.text}"""\n')
        elif field != inherited[place]:
            lines.append(own)
    return "".join(lines)


def module_source(title: str, classes: list[str]) -> str:
    """A module of dataclasses, with what it imports."""
    body = "\n\n".join(classes)

    def used(names: Iterable[str]) -> list[str]:
        return sorted(n for n in names if re.search(rf"[(: ={{]{n}\b", body) and f"class {n}(" not in body)

    places = {"checks": used(SHARED_TYPES), "network": used(NETWORKS), "replay": used(REPLAY_BASES)}
    lines = [
        f'"""Options of {title}.\n\nWritten by generate_config.py: change that instead.\n"""\n',
        "from __future__ import annotations\n",
        f"from dataclasses import dataclass{', field' if 'field(' in body else ''}",
        *(["from typing import Literal"] if "Literal[" in body else []),
        "",
        *(f"from zoo_sb3.config.{place} import {', '.join(names)}" for place, names in places.items() if names),
        "\n",
    ]
    return "\n".join(lines) + "\n" + body


def sources() -> dict[str, str]:
    """File name to content of every generated module."""
    fields = {name: network_fields(name) for name in NETWORKS}
    texts = {name: f"Network of {', '.join(users)}." for name, users in NETWORKS.items()}
    for family, (_, members) in FAMILIES.items():
        fields |= {f"{name}Config": config_fields(name, family) for name in members}
        texts |= {f"{name}Config": f"Options of {name}." for name in members}
    for base, (text, members) in BASES.items():
        fields[base], texts[base] = shared_fields([fields[member] for member in members]), text

    def written(title: str, names: Iterable[str]) -> str:
        made = []
        for name in names:
            parent = PARENTS.get(name, "Checked")
            made.append(class_source(name, texts[name], parent, fields.get(parent, []), fields[name]))
        return module_source(title, made)

    files = {
        "network.py": written("the networks", (*NETWORK_BASES, *NETWORKS)),
        "replay.py": written("learners from a replay buffer: what several families share", REPLAY_BASES),
    }
    for family, (title, members) in FAMILIES.items():
        names = [f"{name}Config" for name in members]
        inside = dict.fromkeys(PARENTS[name] for name in names if name in PARENTS)
        files[f"{family}.py"] = written(title, [base for base in inside if base in FAMILY_BASES] + names)
    return files


if __name__ == "__main__":
    folder = Path(__file__).parent / "src" / "zoo_sb3" / "config"
    for file, text in sources().items():
        (folder / file).write_text(text, encoding="utf-8", newline="\n")
