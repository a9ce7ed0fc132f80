"""The constraint spec of an environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SENSES", "ConstraintSpec"]

SENSES: tuple[str, ...] = ("<=", ">=", "==")


@dataclass(frozen=True, eq=False)
class ConstraintSpec:
    """Names, thresholds and senses of N constraints, in the order of ``info["constraints"]``.

    Attributes:
        names: N distinct names.
        thresholds: float64[N], read only, in the unit `unit`.
        senses: N of "<=", ">=", "==".
        unit: "step" (threshold of a per-step average) or "episode" (of a sum over an episode).
        discounted: whether the average or the sum is discounted.
    """

    names: tuple[str, ...]
    thresholds: NDArray[np.float64]
    senses: tuple[str, ...]
    unit: str = "step"
    discounted: bool = True

    def __post_init__(self) -> None:
        """Check the fields and make the thresholds read only.

        Raises:
            ValueError: lengths differ, a name repeats, a threshold is not finite, or a sense or the unit is
                unknown.
        """
        thresholds = np.array(self.thresholds, dtype=np.float64)
        names, senses = tuple(self.names), tuple(self.senses)
        if thresholds.shape != (len(names),) or len(senses) != len(names):
            raise ValueError(
                f"names, thresholds and senses must have one entry per constraint, got {len(names)} names, "
                f"thresholds of shape {thresholds.shape} and {len(senses)} senses"
            )
        if len(set(names)) != len(names):
            raise ValueError(f"constraint names must be distinct, got {list(names)}")
        for name, threshold, sense in zip(names, thresholds, senses, strict=True):
            if not np.isfinite(threshold):
                raise ValueError(f"the threshold of {name!r} must be finite, got {threshold}")
            if sense not in SENSES:
                raise ValueError(f"the sense of {name!r} must be one of {', '.join(SENSES)}, got {sense!r}")
        if self.unit not in ("step", "episode"):
            raise ValueError(f"unit must be 'step' or 'episode', got {self.unit!r}")
        thresholds.flags.writeable = False
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "senses", senses)
        object.__setattr__(self, "thresholds", thresholds)

    @property
    def has_cost(self) -> bool:
        """Whether ``info["cost"]`` exists: exactly one constraint, of sense "<="."""
        return self.senses == ("<=",)

    @property
    def signs(self) -> NDArray[np.float64]:
        """Internal signs s [N]: -1 for ">=", else +1, so that s_i (J_i - b_i) > 0 is a violation."""
        return np.array([-1.0 if sense == ">=" else 1.0 for sense in self.senses])

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        thresholds: Sequence[float] | NDArray[np.float64],
        senses: Sequence[str] | None = None,
        *,
        unit: str,
        discounted: bool,
    ) -> ConstraintSpec:
        """Return a spec from plain sequences; `senses` None means "<=" throughout."""
        return cls(
            tuple(names),
            np.asarray(thresholds, dtype=np.float64),
            ("<=",) * len(names) if senses is None else tuple(senses),
            unit,
            discounted,
        )
