"""f(o) = W o + c + a network of two hidden layers: least squares for W and c, then Adam on the envelope gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from zoo_tvd.maps.adam import Adam
from zoo_tvd.maps.affine import Affine
from zoo_tvd.maps.base import Differentiable, Fit, Regression

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MLP(Differentiable):
    """The sum of an affine map and a perceptron with tanh units whose output is initially 0.

    Attributes:
        affine: the affine part; its parameters are fitted too.
        layers: weights and biases in turn: [h, d_T], [h], [h, h], [h], [d_S, h], [d_S].
        centre, scale: the input of the network is (o - centre) / scale, each [d_T].
        unit: scale of the network's outputs, [d_S].
        moments: the moments of Adam.
        steps: gradient steps of one fit.
        rate: step size.
    """

    affine: Affine
    layers: tuple[Floats, ...]
    centre: Floats
    scale: Floats
    unit: Floats
    moments: Adam
    steps: int = 100
    rate: float = 3e-3
    kind: ClassVar[str] = "mlp"

    @classmethod
    def beginning(
        cls, affine: Affine, observations: Floats, unit: Floats, rng: np.random.Generator, *, hidden: int, steps: int,
        rate: float,
    ) -> Self:  # fmt: skip
        """The map that initially equals ``affine``, with random hidden layers.

        Args:
            affine: the initial map.
            observations: of the target [N, d_T], for the scale of the inputs.
            unit: of the source's coordinates [d_S].
            rng: draws the hidden layers' weights.
            hidden: units in each hidden layer.
            steps: gradient steps of one fit.
            rate: step size.
        """
        d_S, d_T = affine.W.shape
        sizes = (d_T, hidden, hidden, d_S)
        layers: list[Floats] = []
        for index, (inputs, outputs) in enumerate(pairwise(sizes)):
            drawn = rng.standard_normal((outputs, inputs)) / np.sqrt(inputs)
            layers += [drawn * (index < 2), np.zeros(outputs)]
        spread = observations.std(axis=0)
        size = affine.W.size + d_S + sum(layer.size for layer in layers)
        scale = np.where(spread > 0, spread, 1.0)
        return cls(affine, tuple(layers), observations.mean(axis=0), scale, unit, Adam.fresh(size), steps, rate)

    def __call__(self, o: Floats) -> Floats:
        """The affine part plus the network."""
        return np.asarray(self.affine(o) + self._network_output(o))

    def _network_output(self, o: Floats) -> Floats:
        """The output of the network, which is added to the affine part."""
        *_, last = self._hidden(o)
        return np.asarray((last @ self.layers[4].T + self.layers[5]) * self.unit)

    def _hidden(self, o: Floats) -> tuple[Floats, Floats, Floats]:
        W1, b1, W2, b2, _, _ = self.layers
        x = (o - self.centre) / self.scale
        first = np.tanh(x @ W1.T + b1)
        return x, first, np.tanh(first @ W2.T + b2)

    def fitted(self, to: Regression) -> tuple[Self, Fit]:
        """Fit the affine part to the residual of the network, then take ``steps`` of Adam, whose moments are kept.

        Without the first, steps of one size would not reach a map far from the initial f, such as a change of units.
        """
        n, T, d_T = to.observations.shape
        left = replace(to, targets=to.targets - to.cost.features(self._network_output(to.observations)))
        affine, fit = self.affine.fitted(left)
        found, flat = replace(self, affine=affine), to.observations.reshape(-1, d_T)
        for _ in range(self.steps):
            g = to.gradient(found(to.observations)).reshape(n * T, -1)
            found = found.stepped(found.pulled_back(flat, g))
        return found, fit

    def stepped(self, gradient: Floats) -> Self:
        """The map after one step of Adam, given the ``gradient`` [p] of the loss."""
        parameters, moments = self.moments.step(self.parameters, gradient, self.rate)
        return replace(self.moved(parameters), moments=moments)

    @property
    def parameters(self) -> Floats:
        """All parameters, [p], scaled so that one step size suits all: the affine part's are divided by ``unit``."""
        affine = [(self.affine.W * self.scale / self.unit[:, None]).ravel(), self.affine.c / self.unit]
        return np.concatenate([*affine, *(layer.ravel() for layer in self.layers)])

    def moved(self, parameters: Floats) -> Self:
        """This map with other parameters."""
        parts, start = [], 0
        for like in (self.affine.W, self.affine.c, *self.layers):
            parts.append(parameters[start : start + like.size].reshape(like.shape))
            start += like.size
        W, c, *layers = parts
        affine = Affine(W * self.unit[:, None] / self.scale, c * self.unit)
        return replace(self, affine=affine, layers=tuple(layers))

    def pulled_back(self, o: Floats, g: Floats) -> Floats:
        """See Differentiable; by the chain rule, from the outputs to the first layer."""
        x, first, second = self._hidden(o)
        _, _, W2, _, W3, _ = self.layers
        d_out = g * self.unit
        d_second = (d_out @ W3) * (1 - second**2)
        d_first = (d_second @ W2) * (1 - first**2)
        parts = [d_out.T @ (o / self.scale), d_out.sum(0), d_first.T @ x, d_first.sum(0), d_second.T @ first,
                 d_second.sum(0), d_out.T @ second, d_out.sum(0)]  # fmt: skip
        return np.concatenate([part.ravel() for part in parts])

    def state(self) -> dict[str, Any]:
        """All parameters and scales, and the moments of Adam."""
        plain = {name: getattr(self, name) for name in ("centre", "scale", "unit", "steps", "rate")}
        layers = {str(index): layer for index, layer in enumerate(self.layers)}
        return {"affine": self.affine.state(), "layers": layers, "moments": self.moments.state(), **plain}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """The map stored in ``state``."""
        layers = tuple(np.array(state["layers"][str(index)]) for index in range(6))
        arrays = {name: np.array(state[name]) for name in ("centre", "scale", "unit")}
        affine, moments = Affine.restored(state["affine"]), Adam.restored(state["moments"])
        return cls(affine, layers, moments=moments, steps=int(state["steps"]), rate=float(state["rate"]), **arrays)
