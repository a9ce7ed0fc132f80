"""Action distributions as plain functions of the actor's outputs, with derivatives written out.

The outputs of the actor hold everything: logits for discrete actions, mean and log standard deviation for box
actions. For learning the transitions come last, [S, W, M] (S members, W outputs, M transitions): sums over a handful
of actions are then sums of long rows. Arrays used while acting have them first, [..., W].
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from zoo import Array, InterfaceError
from zoo_onpolicy.backend import namespace

_LOG_2PI = math.log(2 * math.pi)
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scored:
    """What the loss needs to know of M actions; arrays [S, M]."""

    log_prob: Array
    entropy: Array
    kl: Array | None
    """KL divergence from the reference distribution; None where there is no reference"""
    saved: tuple[Any, ...]
    """intermediate results for ``gradient``"""


class Distribution(ABC):
    """A family of action distributions on one action space."""

    outputs: int
    """W, the outputs of the actor"""
    learned: int
    """how many of them depend on the observation; the others are free parameters"""
    action_shape: tuple[int, ...]
    action_dtype: type[np.generic]
    encoded: int
    """E, the length of an action as ``encode`` returns it"""
    noise_name: str
    """the distribution of ``noise``, in words"""

    @abstractmethod
    def noise(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """The random numbers that ``sample`` needs for actions [*shape, *action_shape]."""

    @abstractmethod
    def sample(self, outputs: Floats, noise: Floats) -> NDArray[Any]:
        """Actions [..., *action_shape] for outputs [..., W]."""

    @abstractmethod
    def mode(self, outputs: Floats) -> NDArray[Any]:
        """The most probable actions [..., *action_shape] for outputs [..., W]."""

    @abstractmethod
    def to_env(self, actions: NDArray[Any]) -> NDArray[Any]:
        """Actions [..., *action_shape] in the form that the environment's action space has."""

    @abstractmethod
    def encode(self, actions: NDArray[Any]) -> Floats:
        """Actions [..., *action_shape] in the form that ``score`` expects, float32[..., E]."""

    @abstractmethod
    def score(self, outputs: Array, actions: Array, reference: Array | None = None) -> Scored:
        """Log probability, entropy and KL divergence from ``reference``.

        Args:
            outputs: outputs of the actor, [S, W, M].
            actions: encoded actions, [S, E, M].
            reference: outputs of the reference policy, [S, W, M].
        """

    @abstractmethod
    def gradient(self, scored: Scored, d_log_prob: Array, d_entropy: Array, d_kl: Array | None) -> Array:
        """The derivative by the outputs, [S, W, M], given those by log_prob, entropy and kl: [S, M] or [S, 1]."""


class Categorical(Distribution):
    """Discrete actions; the outputs are logits [S, A, M]."""

    action_shape = ()
    action_dtype = np.int64
    noise_name = "standard Gumbel"

    def __init__(self, space: spaces.Discrete) -> None:
        self.outputs = self.learned = self.encoded = int(space.n)
        self.start = int(space.start)

    def noise(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Gumbel noise: the argmax of logits and noise is a sample of the softmax."""
        # In double precision: in single, one draw in some ten million is exactly 0 and would win whatever the logits.
        noise: Floats = -np.log(rng.standard_exponential((*shape, self.outputs))).astype(np.float32)
        return noise

    def sample(self, outputs: Floats, noise: Floats) -> NDArray[Any]:
        """See Distribution."""
        actions: NDArray[Any] = (outputs + noise).argmax(axis=-1)
        return actions

    def mode(self, outputs: Floats) -> NDArray[Any]:
        """See Distribution; of equally probable actions the lowest."""
        actions: NDArray[Any] = outputs.argmax(axis=-1)
        return actions

    def to_env(self, actions: NDArray[Any]) -> NDArray[Any]:
        """See Distribution."""
        return actions + self.start if self.start else actions

    def encode(self, actions: NDArray[Any]) -> Floats:
        """One-hot."""
        one_hot: Floats = (actions[..., None] == np.arange(self.outputs)).astype(np.float32)
        return one_hot

    def score(self, outputs: Array, actions: Array, reference: Array | None = None) -> Scored:
        """See Distribution."""
        log_p, p = _log_softmax(outputs)
        log_prob = (log_p * actions).sum(1)
        entropy = -(p * log_p).sum(1)
        if reference is None:
            return Scored(log_prob, entropy, None, (log_p, p, actions))
        log_ratio = log_p - _log_softmax(reference)[0]
        return Scored(log_prob, entropy, (p * log_ratio).sum(1), (log_p, p, actions, log_ratio))

    def gradient(self, scored: Scored, d_log_prob: Array, d_entropy: Array, d_kl: Array | None) -> Array:
        """See Distribution."""
        log_p, p, actions, *log_ratio = scored.saved
        inner = log_p + scored.entropy[:, None]
        inner *= -d_entropy[:, None]
        inner -= d_log_prob[:, None]
        if scored.kl is not None and d_kl is not None:
            inner += (log_ratio[0] - scored.kl[:, None]) * d_kl[:, None]
        inner *= p
        inner += actions * d_log_prob[:, None]
        return inner


def _log_softmax(logits: Array) -> tuple[Array, Array]:
    """Logarithms of the probabilities, and the probabilities, along axis 1."""
    xp = namespace(logits)
    log_p = logits - xp.amax(logits, 1)[:, None]
    p = xp.exp(log_p)
    total = p.sum(1)[:, None]
    p /= total
    log_p -= xp.log(total)
    return log_p, p


class MultiCategorical(Distribution):
    """Several discrete actions at once, independent given the observation; the outputs are their logits in a row.

    Args:
        space: of MultiDiscrete actions, or of MultiBinary ones, each a choice between 0 and 1.
    """

    action_dtype = np.int64
    noise_name = Categorical.noise_name

    def __init__(self, space: spaces.MultiDiscrete | spaces.MultiBinary) -> None:
        if isinstance(space, spaces.MultiBinary):
            counts = np.full(space.shape, 2).ravel()
            self.start = np.zeros(len(counts), np.int64)
        else:
            counts, self.start = space.nvec.ravel(), np.asarray(space.start, np.int64).ravel()
        self.space = space
        self.parts = [Categorical(spaces.Discrete(int(count))) for count in counts]
        ends = np.cumsum(counts).tolist()
        self.spans = [slice(end - part.outputs, end) for end, part in zip(ends, self.parts, strict=True)]
        self.outputs = self.learned = self.encoded = int(ends[-1])
        self.action_shape = (len(self.parts),)

    def split(self, array: Array) -> list[Array]:
        """The parts of an array [S, W, M]."""
        return [array[:, span] for span in self.spans]

    def noise(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Gumbel noise, as for one discrete action."""
        noise: Floats = -np.log(rng.standard_exponential((*shape, self.outputs))).astype(np.float32)
        return noise

    def sample(self, outputs: Floats, noise: Floats) -> NDArray[Any]:
        """See Distribution."""
        return self.mode(outputs + noise)

    def mode(self, outputs: Floats) -> NDArray[Any]:
        """See Distribution; of equally probable actions the lowest."""
        return np.stack([outputs[..., span].argmax(axis=-1) for span in self.spans], axis=-1)

    def to_env(self, actions: NDArray[Any]) -> NDArray[Any]:
        """See Distribution."""
        shaped = (actions + self.start).reshape(*actions.shape[:-1], *self.space.shape)
        return shaped.astype(self.space.dtype)

    def encode(self, actions: NDArray[Any]) -> Floats:
        """One-hot, part after part."""
        return np.concatenate([part.encode(actions[..., i]) for i, part in enumerate(self.parts)], axis=-1)

    def score(self, outputs: Array, actions: Array, reference: Array | None = None) -> Scored:
        """See Distribution."""
        references = [None] * len(self.parts) if reference is None else self.split(reference)
        columns = zip(self.parts, self.split(outputs), self.split(actions), references, strict=True)
        scored = [part.score(*of_part) for part, *of_part in columns]
        kls = [part.kl for part in scored if part.kl is not None]
        log_prob, entropy = sum(part.log_prob for part in scored), sum(part.entropy for part in scored)
        return Scored(log_prob, entropy, sum(kls) if kls else None, tuple(scored))

    def gradient(self, scored: Scored, d_log_prob: Array, d_entropy: Array, d_kl: Array | None) -> Array:
        """See Distribution."""
        rows = [
            part.gradient(of_part, d_log_prob, d_entropy, d_kl)
            for part, of_part in zip(self.parts, scored.saved, strict=True)
        ]
        return namespace(d_log_prob).concat(rows, 1)


class Gaussian(Distribution):
    """Box actions with independent components; the outputs are mean and log standard deviation [S, 2 D, M].

    As in stable-baselines3 the standard deviation does not depend on the observation, and samples are clipped to
    the bounds on their way to the environment only.
    """

    action_dtype = np.float32
    noise_name = "standard normal"

    def __init__(self, space: spaces.Box) -> None:
        self.learned = self.encoded = math.prod(space.shape)
        self.outputs = 2 * self.learned
        self.action_shape = (self.learned,)
        self.space = space

    def noise(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Standard normal."""
        return rng.standard_normal((*shape, self.learned), dtype=np.float32)

    def sample(self, outputs: Floats, noise: Floats) -> NDArray[Any]:
        """See Distribution."""
        mean, log_std = outputs[..., : self.learned], outputs[..., self.learned :]
        return mean + np.exp(log_std) * noise

    def mode(self, outputs: Floats) -> NDArray[Any]:
        """See Distribution."""
        return outputs[..., : self.learned]

    def to_env(self, actions: NDArray[Any]) -> NDArray[Any]:
        """See Distribution."""
        shaped = actions.reshape(*actions.shape[:-1], *self.space.shape)
        clipped = np.clip(shaped, self.space.low, self.space.high)
        return np.asarray(clipped, dtype=self.space.dtype)

    def encode(self, actions: NDArray[Any]) -> Floats:
        """The actions as sampled, before any clipping."""
        return actions

    def score(self, outputs: Array, actions: Array, reference: Array | None = None) -> Scored:
        """See Distribution."""
        xp = namespace(outputs)
        mean, log_std = outputs[:, : self.learned], outputs[:, self.learned :]
        inverse = xp.exp(-log_std)
        z = (actions - mean) * inverse
        sum_log_std = log_std.sum(1)
        constant = 0.5 * self.learned * _LOG_2PI
        log_prob = (z * z).sum(1) * -0.5 - sum_log_std - constant
        entropy = sum_log_std + (constant + 0.5 * self.learned)
        if reference is None:
            return Scored(log_prob, entropy, None, (z, inverse))
        mean_0, log_std_0 = reference[:, : self.learned], reference[:, self.learned :]
        precision = xp.exp(-2 * log_std_0)
        gap, spread = (mean - mean_0) * precision, xp.exp(2 * log_std) * precision
        kl = (log_std_0 - log_std + 0.5 * (spread + gap * (mean - mean_0)) - 0.5).sum(1)
        return Scored(log_prob, entropy, kl, (z, inverse, gap, spread))

    def gradient(self, scored: Scored, d_log_prob: Array, d_entropy: Array, d_kl: Array | None) -> Array:
        """See Distribution."""
        z, inverse, *to_reference = scored.saved
        d_log_prob = d_log_prob[:, None]
        d_mean = d_log_prob * z * inverse
        d_log_std = d_log_prob * (z * z - 1) + d_entropy[:, None]
        if d_kl is not None and to_reference:
            gap, spread = to_reference
            d_mean += d_kl[:, None] * gap
            d_log_std += d_kl[:, None] * (spread - 1)
        return namespace(z).concat([d_mean, d_log_std], 1)


def distribution_on(space: spaces.Space[Any], *, several: bool = True) -> Distribution:
    """The family that suits an action space.

    Args:
        space: of the actions.
        several: whether several discrete actions at once are admitted.

    Raises:
        InterfaceError: it is of another kind.
    """
    if isinstance(space, spaces.Discrete):
        return Categorical(space)
    if several and isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        return MultiCategorical(space)
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        return Gaussian(space)
    expected = "Discrete, MultiDiscrete, MultiBinary" if several else "Discrete"
    raise InterfaceError(f"the actions are {space}: expected {expected} or a Box of real numbers.")
