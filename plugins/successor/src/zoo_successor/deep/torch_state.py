"""Modules and Adam as nested names of tensors, and back, in place, for checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


def module_state(module: nn.Module) -> dict[str, torch.Tensor]:
    """Copies of the parameters and buffers, on the CPU."""
    return {name: tensor.detach().cpu().clone() for name, tensor in module.state_dict().items()}


def load_module(module: nn.Module, state: Mapping[str, Any]) -> None:
    """Put ``module_state`` back; the tensors move to the module's device."""
    module.load_state_dict({name: torch.as_tensor(value) for name, value in state.items()})


def adam_state(optimizer: torch.optim.Adam) -> dict[str, dict[str, torch.Tensor]]:
    """Copies of the step count and the moments of each parameter, by its number; the step sizes are options."""
    slots: dict[int, dict[str, torch.Tensor]] = optimizer.state_dict()["state"]
    return {
        str(index): {name: tensor.detach().cpu().clone() for name, tensor in slot.items()}
        for index, slot in slots.items()
    }


def load_adam(optimizer: torch.optim.Adam, state: Mapping[str, Mapping[str, Any]]) -> None:
    """Put ``adam_state`` back."""
    slots = {
        int(index): {name: torch.as_tensor(value).clone() for name, value in slot.items()}
        for index, slot in state.items()
    }
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
