"""The policy of a stored run of zoo."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import zoo
from zoo_tvd.source.base import SourcePolicy

Floats = NDArray[np.float64]


class RunPolicy(SourcePolicy):
    """The greedy policy of a stored run."""

    def __init__(self, path: Path) -> None:
        """Load the newest checkpoint of the run at ``path``.

        Raises:
            UsageError: there is no such run, its observations are not vectors, or a package it needs is not installed.
        """
        self.path = path
        try:
            self.loaded = zoo.load(path)
        except zoo.ZooError as error:
            raise zoo.UsageError(f"source {path} cannot be loaded: {error.message}", error.hint) from error
        self._algorithm = self.loaded.algorithm
        space = self.loaded.member.env.single_observation_space
        shape = getattr(space, "shape", None)
        if shape is None or len(shape) != 1 or not np.issubdtype(space.dtype, np.floating):
            raise zoo.UsageError(f"source {path} observes {space}: expected vectors of numbers, a Box of one axis.")
        self.d = int(shape[0])
        self._dtype = space.dtype

    def act(self, states: Floats) -> NDArray[Any]:
        """Greedy actions."""
        return np.asarray(self._algorithm.act(states.astype(self._dtype), greedy=True))

    def digest(self) -> str:
        """SHA-256 of the run's spec and of the checkpoint that was loaded; evaluations of the run do not change it."""
        found = hashlib.sha256()
        checkpoint = self.path / "checkpoints" / f"step-{self.loaded.step:012d}"
        for file in (self.path / "spec.json", *sorted(checkpoint.glob("*"))):
            found.update(str(file.relative_to(self.path)).encode() + b"\0" + file.read_bytes())
        return found.hexdigest()
