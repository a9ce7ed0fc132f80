"""Options of the learner; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ICLTransformerConfig"]


@dataclass(frozen=True, kw_only=True)
class ICLTransformerConfig:
    """Options of ``icl-transformer``: the model, Adam, clamps, and when to evaluate."""

    d_model: int = 64
    """width of the residual stream"""
    n_heads: int = 8
    """attention heads in each block"""
    depth: int = 2
    """number of blocks"""
    mlp_ratio: float | None = None
    """width of each MLP in multiples of d_model; none: attention only"""
    pos: Literal["rope", "ape", "sinusoidal"] = "rope"
    """positions: rotary, learned, or fixed sinusoids"""
    rope_base: float = 10_000.0
    """base of the rotary angles"""
    sinusoid_base: float = 30.0
    """base of the sinusoids' angles"""
    norm: Literal["layernorm", "none"] = "layernorm"
    """normalisation before each sublayer and the output"""
    dtype: Literal["float32", "float64"] = "float32"
    """precision of weights and activations"""
    learning_rate: float = 1e-4
    """constant step size of Adam (0.9, 0.999, 1e-8)"""
    batch_size: int = 128
    """sequences in one gradient step"""
    weight_decay: float = 0.0
    """decoupled decay of every array, each step by learning_rate times this"""
    l2: float = 0.0
    """weight in the loss of the sum of all squared parameters"""
    norm_sum: float = 0.0
    """weight in the loss of the sum of the norms, not squared, of all arrays, as in the authors' code"""
    clamp: tuple[str, ...] = ()
    """clamps in force whenever the model runs, such as "PrevToken(0:0)" "Ablate(1:0,1:1)" """
    log_sequences: int = 2048
    """sequences of one update, whose mean loss is one row of the metrics; whole batches, at least one"""
    eval_size: int = 1000
    """sequences of each evaluation set, which are drawn once"""
    eval_growth: float = 1.25
    """evaluate again when the sequences seen have grown by this factor, above 1"""
    eval_change: float = 0.1
    """and whenever the training loss has moved by this many nats since the last evaluation; 0: never for that"""

    def __post_init__(self) -> None:
        """Check every range."""
        for name in ("learning_rate", "batch_size", "log_sequences", "eval_size"):
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise ValueError(f"{name} is {value}: expected a number above 0.")
        for name in ("weight_decay", "l2", "norm_sum", "eval_change"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} is {value}: expected a number of at least 0.")
        if not self.eval_growth > 1:
            raise ValueError(f"eval_growth is {self.eval_growth}: expected a factor above 1.")
