"""Clamps: a declared region of taps, and the values that go there.

At a tap the pass goes on with ``where(mask, value, computed)``, in training and in evaluation alike, and whatever lies
downstream is computed from that. A constant value lets no gradient through the entries it replaces. A value that comes
from a live first pass, with the same weights, carries its gradient.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol, Self

from torch import Tensor

from zoo_icl.clamps import heads as of_heads
from zoo_icl.taps import Cache, Edit, Taps, resolve

LABELS, EXEMPLARS, QUERY = frozenset({"labels"}), frozenset({"exemplars"}), frozenset({"query"})
EVERY = LABELS | EXEMPLARS | QUERY
"""kinds of positions: odd ones, even ones but the last, and the last; each position is of one kind"""


class Transformer(Protocol):
    """What a clamp may use of the transformer that it acts on, ``zoo_icl.model.ICLTransformer``."""

    depth: int
    n_heads: int
    d_model: int
    n_outputs: int
    taps: tuple[str, ...]

    def __call__(self, x: Tensor, y: Tensor, record: Any = None, clamps: Any = (), *, detach: bool = True) -> Any:
        """Logits at the query, with ``record`` also the recorded taps."""

    def projected(self, layer: int, h: Tensor, weight: str, *, rotated: bool = False) -> Tensor:
        """Queries, keys or values [B, H, T, hd] that one block makes of ``h`` [B, T, d]."""

    def computed(self, h: Tensor, tap: Taps, start: int = 0) -> Tensor:
        """Logits [B, K] from the residual stream ``h`` [B, T, d] before block ``start``."""

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Whether its parameters learn."""


class ClampConflictError(ValueError):
    """Two clamps write the same entry of the same tap."""


@dataclass(frozen=True)
class Region:
    """Entries of one tap: heads, rows and columns by kind, where the tap has such axes."""

    tap: str
    heads: frozenset[int] | None = None
    """None: all"""
    rows: frozenset[str] = EVERY
    columns: frozenset[str] = EVERY

    def meets(self, other: Region) -> bool:
        """Whether the two share an entry."""
        heads = self.heads is None or other.heads is None or self.heads & other.heads
        return bool(self.tap == other.tap and heads and self.rows & other.rows and self.columns & other.columns)


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
    """what the clamp's first pass recorded, with its graph"""

    @property
    def tokens(self) -> int:
        """T."""
        return 2 * self.y.shape[1] + 1

    def heads(self, heads: str, layer: int) -> Tensor:
        """Mask of these heads of ``layer``, bool [H, 1, 1]."""
        return of_heads.mask(heads, layer, self.model.n_heads, self.x.device)


class Clamp(ABC):
    """An intervention, as a value: subclasses are frozen dataclasses, safe to pickle, compare and use again.

    A field called ``heads`` is text such as ``"0:0,0:3"`` (layer:head) and is checked here.
    """

    yields: ClassVar[bool] = False
    """whether other clamps may write the same entries, and then win"""
    through: ClassVar[tuple[type[Clamp], ...]] = ()
    """kinds of clamps that also act in this one's first pass"""

    def __post_init__(self) -> None:
        """Check the heads' spelling."""
        if named := getattr(self, "heads", ""):
            of_heads.by_layer(named)

    def __str__(self) -> str:
        """The text that ``zoo_icl.clamps.parse`` reads."""
        arguments = [(f.name, getattr(self, f.name), f.default) for f in fields(self)]  # type: ignore[arg-type]
        words = [
            _word(value) if name == "heads" else f"{name}={_word(value)}" for name, value, d in arguments if value != d
        ]
        return f"{type(self).__name__}({', '.join(words)})"

    @abstractmethod
    def regions(self) -> tuple[Region, ...]:
        """What it writes."""

    @abstractmethod
    def edits(self, call: Call) -> Iterator[Edit]:
        """The values for one call."""

    def reads(self, model: Transformer) -> tuple[str, ...]:
        """Taps of a live first pass that ``edits`` needs, if any."""
        return ()

    def holds(self) -> tuple[str, ...]:
        """Taps of the running pass that ``edits`` needs, if any."""
        return ()

    def check(self, model: Transformer) -> None:
        """Refuse a model that lacks the layers, heads or taps.

        Raises:
            ValueError: naming layer and head.
            KeyError: an unknown tap, with the nearest names.
        """
        if named := getattr(self, "heads", ""):
            of_heads.check(named, model.depth, model.n_heads, str(self))
        for region in self.regions():
            resolve(region.tap, model.taps)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def unit(name: str, value: float) -> None:
    """Refuse what is not in [0, 1].

    Raises:
        ValueError: saying so.
    """
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} = {value}: expected 0 to 1.")


def attention(
    heads: str, tap: str, rows: frozenset[str] = EVERY, columns: frozenset[str] = EVERY
) -> tuple[Region, ...]:
    """One region for each layer of ``heads``, at ``blocks.{l}.attn.{tap}``."""
    layers = of_heads.by_layer(heads).items()
    return tuple(Region(f"blocks.{layer}.attn.{tap}", which, rows, columns) for layer, which in layers)
