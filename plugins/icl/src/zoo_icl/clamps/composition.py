"""Several clamps at once: which may be combined, and what they change in one forward pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias, Union

from torch import Tensor

from zoo_icl.clamps.base import Call, Clamp, ClampConflictError, Transformer
from zoo_icl.clamps.text import parse, split
from zoo_icl.hooks import Cache, Edit

Clamping: TypeAlias = Union[Clamp, str, "Clamps", Iterable[Union[Clamp, str, "Clamps"]]]
"""a clamp, a text such as ``"Layer1()+Copy(1:3)"``, a composition, or several of these"""


@dataclass(frozen=True)
class Clamps:
    """Clamps that act together, in any order.

    Raises:
        ClampConflictError: two of them write the same entry; ``Preserve`` clamps are overridden instead.
    """

    members: tuple[Clamp, ...] = ()

    def __post_init__(self) -> None:
        """Look for conflicts."""
        for one, other in combinations(self.members, 2):
            if one.overridable != other.overridable:
                continue
            for mine in one.regions():
                if any(mine.overlaps(theirs) for theirs in other.regions()):
                    raise ClampConflictError(f"{one} and {other} both write {mine.hook}: only one of them can.")

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.members)

    def __str__(self) -> str:
        """The text that ``compose`` reads."""
        return "+".join(map(str, self.members))

    def edits(
        self, model: Transformer, x: Tensor, y: Tensor, target: Tensor | None
    ) -> tuple[Mapping[str, Sequence[Edit]], frozenset[str]]:
        """The edits of one forward pass, by hook point, and the hook points whose values they read in that pass.

        Runs the first pass that clamps need, once for all that need the same one.

        Raises:
            ValueError: layers or heads that the model lacks, or sequences that a clamp is not defined for.
        """
        needs: dict[tuple[Clamp, ...], set[str]] = {}
        kept: dict[int, tuple[Clamp, ...]] = {}
        for index, clamp in enumerate(self.members):
            clamp.check(model)
            if hook_points := clamp.reads(model):
                kept[index] = tuple(other for other in self.members if isinstance(other, clamp.first_pass_clamps))
                needs.setdefault(kept[index], set()).update(hook_points)
        live: dict[tuple[Clamp, ...], Cache] = {}
        for others, needed in needs.items():
            _, live[others] = model(x, y, record=needed, clamps=others, detach=False)
        edits: dict[str, list[Edit]] = {}
        for index, clamp in sorted(enumerate(self.members), key=lambda item: not item[1].overridable):
            cache = live[kept[index]] if index in kept else {}
            for edit in clamp.edits(Call(model, x, y, target, cache)):
                edits.setdefault(edit.hook, []).append(edit)
        return edits, frozenset(hook for clamp in self.members for hook in clamp.same_pass_reads())


def compose(clamps: Clamping) -> Clamps:
    """One composition of all that is given; a composition is returned as it is.

    Raises:
        ClampConflictError: two write the same entry.
        ValueError: a text is not a clamp.
    """
    if isinstance(clamps, Clamps):
        return clamps
    if isinstance(clamps, str):
        return Clamps(tuple(parse(part) for part in split(clamps)))
    if isinstance(clamps, Clamp):
        return Clamps((clamps,))
    return Clamps(tuple(member for part in clamps for member in compose(part).members))
