"""Options of the evaluators; imports neither numpy nor torch, so that help texts are quick."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BatchConfig:
    """Options that all these evaluators share."""

    sequences: int = 1000
    """sequences of each evaluation set, drawn afresh"""
    batch_size: int = 1000
    """sequences in one forward pass; does not change the results"""

    def __post_init__(self) -> None:
        """Check every range."""
        for name in ("sequences", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: expected an integer of at least 1.")


@dataclass(frozen=True, kw_only=True)
class InductionConfig(BatchConfig):
    """Options of ``icl-induction``."""

    sets: tuple[str, ...] = ()
    """evaluation sets (default: all that the environment has)"""
    dense: bool = False
    """add the set "dense", every sequence of training classes and label pairs (two pairs in context, relabelled)"""
    patterns: bool = False
    """keep each head's mean pattern in the report, for zoo plot icl-patterns"""
    film: str = ""
    """write an animation of the circuit, one frame for each kept checkpoint, to this file, a .gif"""


@dataclass(frozen=True, kw_only=True)
class AblationConfig(BatchConfig):
    """Options of ``icl-ablation``."""

    set: str = "train"
    """evaluation set on which the model is judged"""
    block: int | None = None
    """block whose heads are ablated (default: the last)"""


@dataclass(frozen=True, kw_only=True)
class ClampedConfig(BatchConfig):
    """Options of ``icl-clamped``."""

    set: str = "train"
    """evaluation set on which the model is judged"""
    clamps: tuple[str, ...] = ()
    """clamps, one of them at a time, each as in "Layer1()+Copy(1:3)" (default: those that isolate a subcircuit)"""
    checkpoints: bool = True
    """judge all kept checkpoints of the run, too, one row for each"""


@dataclass(frozen=True, kw_only=True)
class WiringConfig(BatchConfig):
    """Options of ``icl-wiring``."""

    previous: float = 0.1
    """attention to the previous token, above even attention's, from which a head counts as a previous-token head"""
    induction: float = 0.1
    """induction strength from which a head counts as an induction head"""
    share: float = 0.1
    """of its strength that a head must lose without another to be said to read it, in (0, 1)"""
    rotations: int = 200
    """random rotations that a composition score is held against"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        if self.rotations < 1:
            raise ValueError(f"rotations = {self.rotations}: expected an integer of at least 1.")
        for name in ("previous", "induction", "share"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise ValueError(f"{name} = {getattr(self, name)}: expected a number between 0 and 1.")


@dataclass(frozen=True, kw_only=True)
class TransienceConfig(BatchConfig):
    """Options of ``icl-transience``."""

    icl: str = "icl/in_context_acc"
    """logged accuracy that may be transient"""
    flip: str = "flip/in_context_acc"
    """logged accuracy under flipped labels"""
    loss: str = "train/loss"
    """logged loss whose phase change is sought"""
    floor: float = math.log(2.0)
    """nats of the plateau, above 0: ln 2 where two labels in the context are told from the others"""

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        if not (math.isfinite(self.floor) and self.floor > 0.0):
            raise ValueError(f"floor = {self.floor}: expected a number above 0.")
