"""Tokens as actions: what is kept of each is its log probability and entropy, never a row of the vocabulary's length.

An action is a row of numbers: the token, and, where only some are possible, those. The actor's outputs, as the learner
keeps them, are what the loss needs to know of that token.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from zoo_onpolicy.backend import namespace
from zoo_onpolicy.distributions import Distribution, Scored

from zoo import Array
from zoo_composite_rm.language.scoring import drawn

Floats = NDArray[np.float32]


class Tokens(Distribution):
    """Discrete actions whose outputs are [S, W, M]: log probability, entropy, and maybe the KL from a reference.

    Args:
        space: of the tokens.
        possible: k, how many tokens are possible at a step; None: all.
        kl: whether the outputs have the KL divergence from a reference policy.
    """

    action_dtype = np.int64

    def __init__(self, space: spaces.Discrete, possible: int | None, *, kl: bool = False) -> None:
        self.outputs = self.learned = 3 if kl else 2
        self.encoded = 1 + (possible or 0)
        self.action_shape = (self.encoded,)
        self.start = int(space.start)

    def noise(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[Any]:
        """One uniform number in [0, 1) for each token, float64."""
        return rng.random(shape)

    def sample(self, outputs: Floats, noise: NDArray[Any]) -> NDArray[Any]:
        """Actions [B, E] for logits [B, V], of which those of impossible tokens are not given."""
        actions = np.zeros((len(outputs), self.encoded), np.int64)
        actions[:, 0] = drawn(torch.from_numpy(outputs), None, torch.from_numpy(noise)).numpy()
        return actions

    def mode(self, outputs: Floats) -> NDArray[Any]:
        """The most probable actions [B, E] for logits [B, V]."""
        return np.repeat(outputs.argmax(-1)[:, None], self.encoded, axis=1)

    def to_env(self, actions: NDArray[Any]) -> NDArray[Any]:
        """The tokens [...] of actions [..., E]."""
        tokens: NDArray[Any] = actions[..., 0] + self.start
        return tokens

    def encode(self, actions: NDArray[Any]) -> Floats:
        """The numbers of the tokens, which single precision has exactly up to 2^24."""
        return actions.astype(np.float32)

    def score(self, outputs: Array, actions: Array, reference: Array | None = None) -> Scored:
        """See Distribution; the outputs say it already."""
        return Scored(outputs[:, 0], outputs[:, 1], outputs[:, 2] if outputs.shape[1] > 2 else None, ())

    def gradient(self, scored: Scored, d_log_prob: Array, d_entropy: Array, d_kl: Array | None) -> Array:
        """See Distribution."""
        parts = [d_log_prob, d_entropy] if d_kl is None else [d_log_prob, d_entropy, d_kl]
        zeros = d_log_prob * 0
        return namespace(zeros).stack([part + zeros for part in parts], 1)
