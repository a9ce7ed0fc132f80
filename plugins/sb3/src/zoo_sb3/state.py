"""The state of an SB3 model as nested dictionaries of tensors, arrays and plain data, saved and restored in place.

Together with the random streams and the environment's own state this is all that the next update depends
on. The rollout buffer is left out: every update refills it from the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.noise import ActionNoise, VectorizedActionNoise

from zoo import RingBuffer

COUNTERS = (
    "num_timesteps", "_n_updates", "_episode_num", "_current_progress_remaining", "_n_calls",
    "exploration_rate",
)  # fmt: skip
REPLAY_ARRAYS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def capture(model: BaseAlgorithm) -> dict[str, Any]:
    """A copy of everything that ``model`` needs to continue; arrays of its replay buffer may be shared with it."""
    names, variables = model._get_torch_save_params()
    parts = {name: attrgetter(name)(model) for name in names}
    state: dict[str, Any] = {
        "modules": {
            name: {key: _copy(tensor) for key, tensor in part.state_dict().items()}
            for name, part in parts.items()
            if isinstance(part, torch.nn.Module)
        },
        "optimizers": {
            name: _optimizer(part) for name, part in parts.items() if isinstance(part, torch.optim.Optimizer)
        },
        "variables": {name: _copy(attrgetter(name)(model)) for name in variables},
        "counters": {name: _plain(getattr(model, name)) for name in COUNTERS if hasattr(model, name)},
        "last_obs": _arrays(model._last_obs),
        "last_episode_starts": _arrays(model._last_episode_starts),
    }
    noises = [noise.noise_prev.copy() for noise in _noises(model) if hasattr(noise, "noise_prev")]
    if noises:
        state["noise"] = np.stack(noises)
    if getattr(model, "_last_lstm_states", None) is not None:
        (h_pi, c_pi), (h_vf, c_vf) = model._last_lstm_states  # type: ignore[attr-defined]
        state["lstm"] = {"h_pi": _copy(h_pi), "c_pi": _copy(c_pi), "h_vf": _copy(h_vf), "c_vf": _copy(c_vf)}
    if getattr(model, "replay_buffer", None) is not None:
        state["replay"] = _replay(model.replay_buffer, model.num_timesteps // model.n_envs)  # type: ignore[attr-defined]
    return state


def restore(model: BaseAlgorithm, state: Mapping[str, Any]) -> None:
    """Load ``state``, as ``capture`` returned it, into a model built with the same options.

    Raises:
        AttributeError, KeyError, RuntimeError, ValueError: it was saved from another algorithm or network, or
            with another number of environments.
    """
    for name, tensors in state["modules"].items():
        module = attrgetter(name)(model)
        module.load_state_dict({key: torch.as_tensor(value) for key, value in tensors.items()})
    for name, saved in state["optimizers"].items():
        _restore_optimizer(attrgetter(name)(model), saved)
    for name, tensor in state.get("variables", {}).items():
        with torch.no_grad():
            attrgetter(name)(model).copy_(torch.as_tensor(tensor))
    for name, value in state["counters"].items():
        setattr(model, name, value)
    model._last_obs = _arrays(state["last_obs"])
    model._last_episode_starts = _arrays(state["last_episode_starts"])
    if "noise" in state:
        for noise, previous in zip(_noises(model), _arrays(state["noise"]), strict=True):
            noise.noise_prev = previous  # type: ignore[attr-defined]
    if "lstm" in state:
        saved = {name: torch.as_tensor(value).to(model.device).clone() for name, value in state["lstm"].items()}
        model._last_lstm_states = type(model._last_lstm_states)(  # type: ignore[attr-defined]
            (saved["h_pi"], saved["c_pi"]), (saved["h_vf"], saved["c_vf"])
        )
    if "replay" in state:
        _restore_replay(model.replay_buffer, state["replay"])  # type: ignore[attr-defined]


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().cpu().clone()


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _arrays(value: Any) -> Any:
    """A copy of one array, of a mapping of arrays, or None."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {key: np.array(item) for key, item in value.items()}
    return np.array(value)


def _noises(model: BaseAlgorithm) -> list[ActionNoise]:
    noise = model.action_noise
    if isinstance(noise, VectorizedActionNoise):
        return noise.noises
    return [] if noise is None else [noise]


def _optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    saved = optimizer.state_dict()
    return {
        "state": {
            str(index): {key: _copy(value) if isinstance(value, torch.Tensor) else value for key, value in slot.items()}
            for index, slot in saved["state"].items()
        },
        "groups": [
            {key: list(value) if isinstance(value, tuple) else value for key, value in group.items()}
            for group in saved["param_groups"]
        ],
    }


def _restore_optimizer(optimizer: torch.optim.Optimizer, saved: Mapping[str, Any]) -> None:
    slots = {
        int(index): {
            key: torch.as_tensor(value).clone() if isinstance(value, (torch.Tensor, np.ndarray)) else value
            for key, value in slot.items()
        }
        for index, slot in saved.get("state", {}).items()
    }
    groups = [
        {key: tuple(value) if key == "betas" else value for key, value in group.items()} for group in saved["groups"]
    ]
    optimizer.load_state_dict({"state": slots, "param_groups": groups})


def _replay(buffer: ReplayBuffer, added: int) -> dict[str, Any]:
    """The buffer after ``added`` transitions of each environment.

    As ``RingBuffer`` its arrays are not copied, and the core writes only their new rows; that needs rows in order.
    """
    size = buffer.buffer_size
    rows = size if buffer.full else buffer.pos
    in_order = buffer.pos == added % size and buffer.full == (added >= size) and not buffer.optimize_memory_usage

    def rows_of(array: Any) -> Any:
        return RingBuffer(array, added, size) if in_order else array[:rows].copy()

    arrays: dict[str, Any] = {}
    for name in REPLAY_ARRAYS:
        array = getattr(buffer, name, None)
        if isinstance(array, Mapping):
            arrays[name] = {key: rows_of(part) for key, part in array.items()}
        elif array is not None:
            arrays[name] = rows_of(array)
    return {"position": int(buffer.pos), "full": bool(buffer.full), "arrays": arrays}


def _restore_replay(buffer: ReplayBuffer, saved: Mapping[str, Any]) -> None:
    buffer.pos, buffer.full = int(saved["position"]), bool(saved["full"])
    for name, array in saved["arrays"].items():
        target = getattr(buffer, name)
        pairs = (
            [(target[key], part) for key, part in array.items()] if isinstance(array, Mapping) else [(target, array)]
        )
        for array_of_buffer, part in pairs:
            stored = part.array[: part.rows] if isinstance(part, RingBuffer) else np.asarray(part)
            array_of_buffer[: len(stored)] = stored
