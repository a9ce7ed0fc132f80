"""Several clamps at once: which may stand together, and what they do to one forward pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias, Union

from torch import Tensor

from zoo_icl.clamps.base import Call, Clamp, ClampConflictError, Transformer
from zoo_icl.clamps.text import parse, split
from zoo_icl.taps import Cache, Edit

Clamping: TypeAlias = Union[Clamp, str, "Clamps", Iterable[Union[Clamp, str, "Clamps"]]]
"""a clamp, a text such as ``"Layer1()+Copy(1:3)"``, a composition, or several of these"""


@dataclass(frozen=True)
class Clamps:
    """Clamps that act together, in any order.

    Raises:
        ClampConflictError: two of them write the same entry of the same tap. Clamps that preserve yield to others.
    """

    members: tuple[Clamp, ...] = ()

    def __post_init__(self) -> None:
        """Look for conflicts."""
        for one, other in combinations(self.members, 2):
            if one.yields != other.yields:
                continue
            for mine in one.regions():
                if any(mine.meets(theirs) for theirs in other.regions()):
                    raise ClampConflictError(f"{one} and {other} both write {mine.tap}: only one of them can.")

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.members)

    def __str__(self) -> str:
        """The text that ``compose`` reads."""
        return "+".join(map(str, self.members))

    def edits(
        self, model: Transformer, x: Tensor, y: Tensor, target: Tensor | None
    ) -> tuple[Mapping[str, Sequence[Edit]], frozenset[str]]:
        """What to replace in one forward pass, by tap, and the taps that these edits read while it runs.

        Runs the live first pass that clamps ask for, once for all who ask for the same.

        Raises:
            ValueError: layers or heads that the model lacks, or sequences that a clamp is not defined for.
        """
        needs: dict[tuple[Clamp, ...], set[str]] = {}
        kept: dict[int, tuple[Clamp, ...]] = {}
        for index, clamp in enumerate(self.members):
            clamp.check(model)
            if taps := clamp.reads(model):
                kept[index] = tuple(other for other in self.members if isinstance(other, clamp.through))
                needs.setdefault(kept[index], set()).update(taps)
        live: dict[tuple[Clamp, ...], Cache] = {}
        for others, needed in needs.items():
            _, live[others] = model(x, y, record=needed, clamps=others, detach=False)
        edits: dict[str, list[Edit]] = {}
        for index, clamp in sorted(enumerate(self.members), key=lambda item: not item[1].yields):
            cache = live[kept[index]] if index in kept else {}
            for edit in clamp.edits(Call(model, x, y, target, cache)):
                edits.setdefault(edit.tap, []).append(edit)
        return edits, frozenset(tap for clamp in self.members for tap in clamp.holds())


def compose(clamps: Clamping) -> Clamps:
    """One composition of all that is given; a composition is returned as it is.

    Raises:
        ClampConflictError: two write the same entry.
        ValueError: a text is no clamp.
    """
    if isinstance(clamps, Clamps):
        return clamps
    if isinstance(clamps, str):
        return Clamps(tuple(parse(part) for part in split(clamps)))
    if isinstance(clamps, Clamp):
        return Clamps((clamps,))
    return Clamps(tuple(member for part in clamps for member in compose(part).members))
