"""Encoding of observations as the inputs of the networks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from zoo import InterfaceError, UsageError
from zoo_onpolicy.images.layout import SMALLEST, ImageLayout, is_bytes


class ObservationEncoder:
    """Turns observations [..., *shape] into state indices int64 [...] or vectors float32 [..., D].

    A Box is flattened, one of bytes (uint8 from 0 to 255) also divided by 255, unless convolutions read it; a Discrete
    space becomes state indices, or one-hot vectors where ``kind`` is "mlp"; a MultiDiscrete one the one-hot vectors of
    its parts, one after another, and a MultiBinary one zeros and ones.

    Args:
        space: of one observation.
        kind: of the network: "table", "mlp", "cnn", or "auto" (a table where observations are discrete, convolutions
            where they are images).
        images: whether there can be convolutions.

    Raises:
        InterfaceError: the space is of another kind, such as a mapping.
        UsageError: a table is asked for, but the observations are not discrete; or convolutions, and they are no
            images.
    """

    def __init__(self, space: spaces.Space[Any], kind: str, *, images: bool = False) -> None:
        if not isinstance(space, spaces.Discrete | spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
            raise InterfaceError(
                f"the observations are {space}: expected Box, Discrete, MultiDiscrete or MultiBinary.",
                "--env.flatten-observation true makes one array of any observation.",
            )
        self.discrete = isinstance(space, spaces.Discrete)
        """whether observations are states"""
        if kind == "table" and not self.discrete:
            raise UsageError(f"network.kind = 'table' needs discrete observations; these are {space}: use 'mlp'.")
        self.image = ImageLayout.of(space) if images and kind in ("auto", "cnn") else None
        """how images lie in the vectors, which are bytes then; None where convolutions do not read them"""
        if kind == "cnn" and self.image is None:
            needs = f"images of bytes, {SMALLEST} x {SMALLEST} or larger; these observations are {space}"
            raise UsageError(
                f"network.kind = 'cnn' needs {needs if images else 'an algorithm that has one'}: use 'mlp'."
            )
        self.as_indices = self.discrete and kind != "mlp"
        """whether observations are encoded as state indices"""
        self._parts = _parts(space) if isinstance(space, spaces.MultiDiscrete) else None
        """of each number of a vector of one-hot vectors: its part, and the value that it stands for"""
        if isinstance(space, spaces.Discrete):
            self.size = int(space.n)
        else:
            self.size = len(self._parts[0]) if self._parts is not None else math.prod(space.shape)
        """number of states, or D"""
        self.start = int(space.start) if isinstance(space, spaces.Discrete) else 0
        """the environment's number of the first state"""
        self._dims = len(space.shape or ())
        self._bytes = is_bytes(space)
        self._scale = np.float32(1 / 255 if self._bytes else 1)

    @property
    def plain(self) -> bool:
        """Whether encoding an observation merely flattens it."""
        return not (self.discrete or self._bytes or self._parts is not None)

    @property
    def dtype(self) -> type[np.generic]:
        """The type of encoded observations."""
        return np.int64 if self.as_indices else np.uint8 if self.image is not None else np.float32

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one encoded observation."""
        return () if self.as_indices else (self.size,)

    def __call__(self, obs: Any) -> NDArray[Any]:
        """Encode observations; the result never shares memory with ``obs``."""
        obs = np.asarray(obs)
        if self.discrete:
            states: NDArray[Any] = obs.astype(np.int64) - self.start
            return states if self.as_indices else (states[..., None] == np.arange(self.size)).astype(np.float32)
        flat = obs.reshape(*obs.shape[: obs.ndim - self._dims], -1)
        if self._parts is not None:
            part, value = self._parts
            return np.asarray(flat[..., part] == value, dtype=np.float32)
        if self.image is not None:
            return np.array(flat)
        vectors: NDArray[Any] = flat * self._scale if flat.dtype == np.uint8 else flat.astype(np.float32)
        return vectors


def _parts(space: spaces.MultiDiscrete) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The part of each of D possible values, and the value, int64[D]."""
    counts = space.nvec.ravel().astype(np.int64)
    first = np.asarray(space.start, dtype=np.int64).ravel()
    values = [np.arange(start, start + count) for start, count in zip(first, counts, strict=True)]
    return np.repeat(np.arange(len(counts)), counts), np.concatenate(values)
