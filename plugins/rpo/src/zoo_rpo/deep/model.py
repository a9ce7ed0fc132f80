"""A perceptron as the model of a learned default policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from zoo_onpolicy.adam import Adam
from zoo_onpolicy.networks import Parameters, Perceptron

from zoo import Array

__all__ = ["PerceptronModel"]

_GAIN = 0.01
"""scale of the last layer at the start: nearly the same distribution for every observation"""


class PerceptronModel:
    """A perceptron with its optimiser (Adam); all its outputs, log standard deviations too, depend on the observation.

    Args:
        sizes: units of the input, the hidden layers and the outputs.
        activation: "tanh" or "relu".
        learning_rate: step size of Adam.
        rng: draws the initial weights.
    """

    def __init__(self, sizes: tuple[int, ...], activation: str, learning_rate: float, rng: np.random.Generator) -> None:
        self._perceptron = Perceptron("default", sizes, activation)
        self._parameters = Parameters(1, self._perceptron.shapes(), "cpu")
        self._perceptron.initialise(self._parameters, 0, _GAIN, rng)
        self._adam = Adam(self._parameters.flat, "cpu")
        self._rate = np.array([learning_rate])

    def outputs(self, obs: Array) -> Array:
        """Outputs [..., W] for observations [..., D]."""
        flat = np.asarray(obs, dtype=np.float32).reshape(1, -1, obs.shape[-1])
        outputs = self._perceptron.forward(flat, self._parameters.views)
        return np.ascontiguousarray(outputs[0].T).reshape(*obs.shape[:-1], -1)

    def step(self, obs: Array, gradient: Array) -> None:
        """Take one step of Adam, given the derivatives [B, W] of the loss with respect to the outputs."""
        views, gradients = self._parameters.views, self._parameters.gradients
        self._perceptron.forward(np.asarray(obs, dtype=np.float32)[None], views, keep=True)
        self._perceptron.backward(np.asarray(gradient.T[None], dtype=np.float32), views, gradients)
        self._adam.step(self._parameters.gradient, self._rate)

    def state(self) -> Mapping[str, Any]:
        """The weights, and the moments of Adam."""
        return {"weights": self._parameters.flat[0].copy(), "adam": self._adam.state(0)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state``."""
        self._parameters.flat[0] = state["weights"]
        self._adam.load_state(0, state["adam"])
