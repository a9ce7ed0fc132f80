"""Clamps: which entries of which hook points to replace, and by which values.

At a hook point the forward pass continues with ``where(mask, value, computed)``, in training and in evaluation.
Everything downstream is computed from that. A constant value lets no gradient through the entries it replaces. A value
from a first pass with the same weights carries its gradient.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol, Self

from torch import Tensor

from zoo_icl.clamps import heads as of_heads
from zoo_icl.hooks import Cache, Edit, Hooks, resolve

LABELS, EXEMPLARS, QUERY = frozenset({"labels"}), frozenset({"exemplars"}), frozenset({"query"})
EVERY = LABELS | EXEMPLARS | QUERY
"""kinds of positions: odd ones, even ones but the last, and the last; each position is of one kind"""


class Transformer(Protocol):
    """The part of a transformer that clamps use, ``zoo_icl.model.ICLTransformer``."""

    depth: int
    n_heads: int
    d_model: int
    n_outputs: int
    hook_points: tuple[str, ...]

    def __call__(self, x: Tensor, y: Tensor, record: Any = None, clamps: Any = (), *, detach: bool = True) -> Any:
        """Logits at the query, with ``record`` also the recorded hook points."""

    def project(self, layer: int, h: Tensor, weight: str, *, rotated: bool = False) -> Tensor:
        """Queries, keys or values [B, H, T, hd] that one block computes from ``h`` [B, T, d]."""

    def compute_logits(self, h: Tensor, hook: Hooks, start: int = 0) -> Tensor:
        """Logits [B, K] from the residual stream ``h`` [B, T, d] before block ``start``."""

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether its parameters are trained."""


class ClampConflictError(ValueError):
    """Two clamps write the same entry of the same hook point."""


@dataclass(frozen=True)
class Region:
    """Entries at one hook point: heads, rows and columns by kind, where its tensor has such axes."""

    hook: str
    heads: frozenset[int] | None = None
    """None: all"""
    rows: frozenset[str] = EVERY
    columns: frozenset[str] = EVERY

    def overlaps(self, other: Region) -> bool:
        """Whether the two regions have an entry in common."""
        heads = self.heads is None or other.heads is None or self.heads & other.heads
        return bool(self.hook == other.hook and heads and self.rows & other.rows and self.columns & other.columns)


@dataclass(frozen=True, eq=False)
class Call:
    """The forward call that a clamp acts on; B sequences of N pairs, T = 2N+1 tokens."""

    model: Transformer
    x: Tensor
    """exemplars [B, N+1, D]"""
    y: Tensor
    """labels of the context [B, N]"""
    target: Tensor | None
    """labels of the queries [B], if they were given"""
    live: Cache
    """activations of the clamp's first pass, with their graph"""

    @property
    def tokens(self) -> int:
        """T."""
        return 2 * self.y.shape[1] + 1

    def heads(self, heads: str, layer: int) -> Tensor:
        """Mask of these heads of ``layer``, bool [H, 1, 1]."""
        return of_heads.mask(heads, layer, self.model.n_heads, self.x.device)


class Clamp(ABC):
    """An intervention, as a value: subclasses are frozen dataclasses, safe to pickle, compare and reuse.

    A field called ``heads`` is text such as ``"0:0,0:3"`` (layer:head) and is checked here.
    """

    overridable: ClassVar[bool] = False
    """whether other clamps may write the same entries; their values are then used"""
    first_pass_clamps: ClassVar[tuple[type[Clamp], ...]] = ()
    """kinds of clamps that also act in the first pass whose values this one uses"""

    def __post_init__(self) -> None:
        """Check the heads' spelling."""
        if named := getattr(self, "heads", ""):
            of_heads.by_layer(named)

    def __str__(self) -> str:
        """The text that ``zoo_icl.clamps.parse`` reads."""
        arguments = [(f.name, getattr(self, f.name), f.default) for f in fields(self)]  # type: ignore[arg-type]
        words = [
            _format(value) if name == "heads" else f"{name}={_format(value)}"
            for name, value, d in arguments
            if value != d
        ]
        return f"{type(self).__name__}({', '.join(words)})"

    @abstractmethod
    def regions(self) -> tuple[Region, ...]:
        """The entries that it replaces."""

    @abstractmethod
    def edits(self, call: Call) -> Iterator[Edit]:
        """The values for one call."""

    def reads(self, model: Transformer) -> tuple[str, ...]:
        """Hook points whose values ``edits`` needs from a first pass without the other clamps."""
        return ()

    def same_pass_reads(self) -> tuple[str, ...]:
        """Hook points whose values ``edits`` needs from the clamped pass itself."""
        return ()

    def check(self, model: Transformer) -> None:
        """Check that the model has the layers, heads and hook points.

        Raises:
            ValueError: naming layer and head.
            KeyError: an unknown hook point, with the nearest names.
        """
        if named := getattr(self, "heads", ""):
            of_heads.check(named, model.depth, model.n_heads, str(self))
        for region in self.regions():
            resolve(region.hook, model.hook_points)


def _format(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_fraction(name: str, value: float) -> None:
    """Check that a value is in [0, 1].

    Raises:
        ValueError: it is not.
    """
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} = {value}: expected 0 to 1.")


def attention_regions(
    heads: str, hook: str, rows: frozenset[str] = EVERY, columns: frozenset[str] = EVERY
) -> tuple[Region, ...]:
    """One region for each layer of ``heads``, at ``blocks.{l}.attn.{hook}``."""
    layers = of_heads.by_layer(heads).items()
    return tuple(Region(f"blocks.{layer}.attn.{hook}", which, rows, columns) for layer, which in layers)
