"""Python functions as reward models, with the signature that TRL's trainers know.

``function(prompts, completions, **columns)`` is given lists of equal length, by keyword, and returns one number for
each completion. Prompts and completions are text, or lists of messages where the prompts are such; ``columns`` are the
other fields of the prompts' file, and ``completion_ids`` the tokens that were written.
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from zoo_envs.text.samples import RewardModel, Sample

__all__ = ["RESERVED", "FunctionModel", "RewardFunctionError", "registered", "reward_function"]

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
RESERVED = frozenset({"prompts", "completions", "completion_ids"})
"""what every function is given, so that no column may be called so"""


class RewardFunctionError(RuntimeError):
    """A reward function raised, or returned something else than one finite number for each completion."""

    names_owner = True
    """The message says whose fault it is, so that nobody else is named."""


class FunctionModel(RewardModel):
    """What a Python function says of each completion.

    Args:
        function: see the module's docstring.
        name: what messages call it.
        threshold: default threshold of its mean; None: one must be given.
        range: lowest and highest possible number.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        threshold: float | None = None,
        range: tuple[float, float] = (-math.inf, math.inf),
    ) -> None:
        self._function, self._name = function, name
        self.threshold = threshold  # type: ignore[misc]  # of this function, not of all
        self.range = range  # type: ignore[misc]
        parameters = list(inspect.signature(function).parameters.values())
        self._takes = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        self._takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self._needs = {p.name for p in parameters if p.name in self._takes and p.default is p.empty}

    @property
    def owner(self) -> str:
        """What messages call the function, with its file."""
        code = getattr(inspect.unwrap(self._function), "__code__", None)
        where = f" ({Path(code.co_filename).name}, line {code.co_firstlineno})" if code else ""
        return f"the reward function {self._name!r}{where}"

    def prepare(self, device: str, columns: Collection[str]) -> None:
        """Refuse prompts without the columns that the function needs.

        Raises:
            ValueError: naming the column, and those that are there.
        """
        for needed in sorted(self._needs - {*RESERVED, *columns}):
            near = difflib.get_close_matches(needed, columns, n=1)
            hint = f": did you mean {near[0]!r}?" if near else f", which have {', '.join(sorted(columns)) or 'none'}"
            raise ValueError(f"{self.owner} needs a column {needed!r} of the prompts{hint}")

    def score(self, samples: Sequence[Sample]) -> NDArray[np.float64]:
        """See RewardModel.

        Raises:
            RewardFunctionError: the function raised, or returned something else than n finite numbers.
        """
        given: dict[str, list[Any]] = {
            "prompts": [sample.asked() for sample in samples],
            "completions": [sample.answered() for sample in samples],
            "completion_ids": [list(sample.ids) for sample in samples],
        }
        given |= {name: [sample.columns[name] for sample in samples] for name in samples[0].columns}
        kept = given if self._takes_all else {name: rows for name, rows in given.items() if name in self._takes}
        try:
            returned = self._function(**kept)
        except Exception as error:  # a function of anybody's may raise anything
            raise RewardFunctionError(f"{self.owner} raised {type(error).__name__}: {error}") from error
        return self._checked(returned, len(samples))

    def _checked(self, returned: Any, count: int) -> NDArray[np.float64]:
        if not hasattr(returned, "__len__") or isinstance(returned, str | bytes | dict):
            raise RewardFunctionError(f"{self.owner} returned {type(returned).__name__}: expected a list of numbers")
        if len(returned) != count:
            raise RewardFunctionError(
                f"{self.owner} returned {len(returned)} numbers for {count} completions: expected one for each"
            )
        scores = np.empty(count)
        for place, value in enumerate(returned.tolist() if hasattr(returned, "tolist") else returned):
            try:
                scores[place] = float(value)
            except (TypeError, ValueError):
                scores[place] = math.nan
            if not math.isfinite(scores[place]):
                raise RewardFunctionError(
                    f"{self.owner} returned {value!r:.80} for completion {place} of {count}: expected a finite number"
                )
        return scores


_REGISTERED: dict[str, FunctionModel] = {}


def registered() -> dict[str, FunctionModel]:
    """Return the functions that were registered so far, by name."""
    return dict(_REGISTERED)


@overload
def reward_function(function: FunctionT) -> FunctionT: ...


@overload
def reward_function(
    *, name: str | None = None, threshold: float | None = None, range: tuple[float, float] = ...
) -> Callable[[FunctionT], FunctionT]: ...


def reward_function(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    threshold: float | None = None,
    range: tuple[float, float] = (-math.inf, math.inf),
) -> Any:
    """Register a function as the reward model of its name: ``@reward_function``, or with options in brackets.

    Args:
        function: with the signature ``function(prompts, completions, **columns) -> list[float]``.
        name: another name.
        threshold: default threshold of its mean; None: one must be given.
        range: lowest and highest possible number.

    Raises:
        ValueError: another function has this name already.
    """
    if function is None:
        return lambda decorated: _register(decorated, name, threshold, range)
    return _register(function, name, threshold, range)


def _register(function: FunctionT, name: str | None, threshold: float | None, range: tuple[float, float]) -> FunctionT:
    called = name or function.__name__
    made = FunctionModel(function, called, threshold, range)
    before = _REGISTERED.get(called)
    if before is not None and before.owner != made.owner:  # a file may be imported again
        raise ValueError(f"two reward functions have one name: {before.owner} and {made.owner}")
    _REGISTERED[called] = made
    return function
