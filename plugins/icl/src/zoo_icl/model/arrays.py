"""Parameters by name: their initial values, and their import and export as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

TABLE_SCALE = 0.02
"""standard deviation of label and position tables"""
TRUNCATED_STD = 0.8796256610342398
"""standard deviation of a standard normal variable truncated at -2 and 2"""


def _fan_in(name: str, parameter: Tensor) -> int:
    """Fan-in of a weight: the number of inputs of each output."""
    *heads, inputs, _ = parameter.shape
    return heads[0] * inputs if name.endswith("W_o") else inputs


@torch.no_grad()
def initialise(model: nn.Module, generator: torch.Generator | None) -> None:
    """Tables: normal of scale 0.02, truncated at 2 standard deviations; weights: LeCun normal, truncated likewise.

    Biases and norms keep their defaults. LeCun: variance 1/fan_in, of the truncated variable, as in JAX.
    """
    for name, parameter in model.named_parameters():
        if not name.rpartition(".")[2].startswith("W_"):
            continue
        table = name in ("W_lab", "W_pos")
        scale = TABLE_SCALE if table else _fan_in(name, parameter) ** -0.5 / TRUNCATED_STD
        nn.init.trunc_normal_(parameter, 0.0, scale, -2.0 * scale, 2.0 * scale, generator=generator)


def to_arrays(model: nn.Module) -> dict[str, NDArray[Any]]:
    """A copy of every parameter, by name."""
    return {name: parameter.detach().cpu().numpy().copy() for name, parameter in model.named_parameters()}


@torch.no_grad()
def load_arrays(model: nn.Module, arrays: Mapping[str, Any]) -> None:
    """Set every parameter.

    Raises:
        ValueError: a name is missing, unknown, or has another shape; the model is then unchanged.
    """
    parameters = dict(model.named_parameters())
    for name in arrays:
        if name not in parameters:
            near = get_close_matches(name, parameters, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise ValueError(f"array {name!r} of shape {np.shape(arrays[name])} is not a parameter of this model{hint}")
    for name, parameter in parameters.items():
        if name not in arrays:
            raise ValueError(f"array {name!r} is missing: expected shape {tuple(parameter.shape)}, got none.")
        if np.shape(arrays[name]) != tuple(parameter.shape):
            raise ValueError(f"array {name!r}: shape {np.shape(arrays[name])}, expected {tuple(parameter.shape)}.")
    for name, parameter in parameters.items():
        parameter.copy_(torch.as_tensor(np.array(arrays[name])))
