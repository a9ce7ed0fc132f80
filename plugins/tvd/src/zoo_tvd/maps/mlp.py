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
    """An affine part and a perceptron with tanh units beside it, which begins at zero.

    Attributes:
        affine: the affine part; its parameters are fitted too.
        layers: weights and biases by turns: [h, d_T], [h], [h, h], [h], [d_S, h], [d_S].
        centre, scale: observations enter the network as (o - centre) / scale, each [d_T].
        unit: what leaves it is multiplied by these, [d_S].
        moments: of Adam.
        steps: gradient steps of one fit.
        rate: their size.
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
        """The map that equals ``affine``, with fresh hidden units.

        Args:
            affine: where it begins.
            observations: of the target [N, d_T], for the scale of the inputs.
            unit: of the source's coordinates [d_S].
            rng: draws the hidden layers' weights.
            hidden: units in each hidden layer.
            steps: gradient steps of one fit.
            rate: their size.
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
        return np.asarray(self.affine(o) + self._bent(o))

    def _bent(self, o: Floats) -> Floats:
        """What the network adds to the affine part."""
        *_, last = self._hidden(o)
        return np.asarray((last @ self.layers[4].T + self.layers[5]) * self.unit)

    def _hidden(self, o: Floats) -> tuple[Floats, Floats, Floats]:
        W1, b1, W2, b2, _, _ = self.layers
        x = (o - self.centre) / self.scale
        first = np.tanh(x @ W1.T + b1)
        return x, first, np.tanh(first @ W2.T + b2)

    def fitted(self, to: Regression) -> tuple[Self, Fit]:
        """The affine part to what the network leaves over, then ``steps`` of Adam, whose moments carry over.

        Without the first, steps of a common size would not reach a map far from where f begins, such as another unit.
        """
        n, T, d_T = to.observations.shape
        left = replace(to, targets=to.targets - to.cost.features(self._bent(to.observations)))
        affine, fit = self.affine.fitted(left)
        found, flat = replace(self, affine=affine), to.observations.reshape(-1, d_T)
        for _ in range(self.steps):
            g = to.gradient(found(to.observations)).reshape(n * T, -1)
            found = found.stepped(found.pulled_back(flat, g))
        return found, fit

    def stepped(self, gradient: Floats) -> Self:
        """After one step of Adam against ``gradient`` [p]."""
        parameters, moments = self.moments.step(self.parameters, gradient, self.rate)
        return replace(self.moved(parameters), moments=moments)

    @property
    def parameters(self) -> Floats:
        """In units in which a step of a common size suits all: the affine part's outputs divided by ``unit``."""
        affine = [(self.affine.W * self.scale / self.unit[:, None]).ravel(), self.affine.c / self.unit]
        return np.concatenate([*affine, *(layer.ravel() for layer in self.layers)])

    def moved(self, parameters: Floats) -> Self:
        """This map with other parameters."""
        parts, at = [], 0
        for like in (self.affine.W, self.affine.c, *self.layers):
            parts.append(parameters[at : at + like.size].reshape(like.shape))
            at += like.size
        W, c, *layers = parts
        affine = Affine(W * self.unit[:, None] / self.scale, c * self.unit)
        return replace(self, affine=affine, layers=tuple(layers))

    def pulled_back(self, o: Floats, g: Floats) -> Floats:
        """By the chain rule, from the outputs to the first layer."""
        x, first, second = self._hidden(o)
        _, _, W2, _, W3, _ = self.layers
        out = g * self.unit
        down = (out @ W3) * (1 - second**2)
        under = (down @ W2) * (1 - first**2)
        parts = [out.T @ (o / self.scale), out.sum(0), under.T @ x, under.sum(0), down.T @ first, down.sum(0),
                 out.T @ second, out.sum(0)]  # fmt: skip
        return np.concatenate([part.ravel() for part in parts])

    def state(self) -> dict[str, Any]:
        """Everything, with the moments of Adam."""
        plain = {name: getattr(self, name) for name in ("centre", "scale", "unit", "steps", "rate")}
        layers = {str(index): layer for index, layer in enumerate(self.layers)}
        return {"affine": self.affine.state(), "layers": layers, "moments": self.moments.state(), **plain}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Self:
        """From ``state``."""
        layers = tuple(np.array(state["layers"][str(index)]) for index in range(6))
        arrays = {name: np.array(state[name]) for name in ("centre", "scale", "unit")}
        affine, moments = Affine.restored(state["affine"]), Adam.restored(state["moments"])
        return cls(affine, layers, moments=moments, steps=int(state["steps"]), rate=float(state["rate"]), **arrays)
