"""Figures that plugins add to ``zoo plot`` through the hook ``zoo_plots``."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo import PluginError, Run, ZooError
from zoo.discovery import NAME, TARGET, Registry, blaming, describe
from zoo.runs import labels
from zoo_bench.plots.curves import Axis
from zoo_bench.plots.learning_curves import Scale, styled
from zoo_bench.plots.legend import legend_above
from zoo_bench.plots.palette import Dash, colour, dashes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class FigureOptions:
    """What a plugin's figure is asked for.

    Attributes:
        metrics: names after ``--metric``; empty if none were given.
        axis: "steps" or "wall" (seconds).
        log: "auto", "yes" or "no".
    """

    metrics: tuple[str, ...] = ()
    axis: Axis = "steps"
    log: Scale = "auto"

    def colour(self, algorithm: str) -> str:
        """The one colour of an algorithm in every figure, as ``#RRGGBB``."""
        return colour(algorithm)

    def dashes(self, names: Sequence[str]) -> list[Dash]:
        """A line style for each of these curves of one figure, so that those of one colour differ."""
        return dashes(names)

    def labels(self, groups: Sequence[list[Run]]) -> list[str]:
        """A name for each group of runs that differ only in their seed: the algorithm, and what tells it apart."""
        return labels(groups)

    def legend_above(self, figure: Figure, handles: Sequence[Any], texts: Sequence[str], most: int) -> None:
        """One legend above all panels, in at most ``most`` columns, for which the figure grows."""
        legend_above(figure, handles, texts, most)


@dataclass(frozen=True, kw_only=True)
class PluginFigure:
    """A figure by its name: a plugin's function ``(runs, options) -> matplotlib Figure``, not yet imported."""

    name: str
    plugin: str
    target: str

    @property
    def summary(self) -> str:
        """First line of the function's docstring; the reason if it cannot be imported."""
        try:
            function = self._load()
        except PluginError as error:
            return error.message
        return (getattr(function, "__doc__", None) or "").strip().partition("\n")[0]

    def draw(self, runs: Sequence[Run], options: FigureOptions) -> Figure:
        """Call the function, with the zoo's settings of matplotlib in force.

        Raises:
            PluginError: it cannot be imported, fails, or returns something else than a figure.
            UsageError: matplotlib is not installed.
        """
        with styled():
            from matplotlib.figure import Figure

            function = self._load()
            with blaming(self._owner):
                found = function(list(runs), options)
        if not isinstance(found, Figure):
            raise PluginError(f"{self._owner} returned {found!r}, expected a matplotlib Figure.")
        return found

    @property
    def _owner(self) -> str:
        return f"figure {self.name!r} of plugin {self.plugin} ({self.target})"

    def _load(self) -> Callable[..., Any]:
        module, _, attribute = self.target.partition(":")
        try:
            found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
            return found
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise PluginError(f"{self._owner} cannot be loaded: {describe(error)}") from error


def find_figures(registry: Registry, *, problems: list[str] | None = None) -> dict[str, PluginFigure]:
    """Figures by name; one whose name two plugins use is called ``plugin/name``.

    Args:
        registry: all plugins.
        problems: plugins whose hook fails are left out, and a sentence about each is appended here.
    """
    offered: list[PluginFigure] = []
    for plugin, figures in registry.answers("zoo_plots", "figures", problems):
        try:
            offered += [_checked(name, target, plugin) for name, target in dict(figures).items()]
        except Exception as error:  # what it answered may be anything, too
            registry.leave_out(plugin, "figures", error, problems)
    names = [figure.name for figure in offered]
    named = {figure.name if names.count(figure.name) == 1 else f"{figure.plugin}/{figure.name}": figure
             for figure in offered}  # fmt: skip
    return dict(sorted(named.items()))


def drawable(figures: Sequence[PluginFigure], runs: Sequence[Run]) -> list[str]:
    """Names of those figures that ``runs`` have the data of: each is drawn, and not kept."""
    names = []
    for figure in figures:
        with contextlib.suppress(ZooError):
            figure.draw(runs, FigureOptions())
            names.append(figure.name)
    return names


def _checked(name: str, target: str, plugin: str) -> PluginFigure:
    if not (isinstance(name, str) and NAME.fullmatch(name)):
        raise ValueError(f"figure {name!r}: expected a name of lower-case letters, digits and hyphens")
    if not (isinstance(target, str) and TARGET.fullmatch(target)):
        raise ValueError(f"figure {name!r} has the target {target!r}: expected 'module:function'")
    return PluginFigure(name=name, plugin=plugin, target=target)
