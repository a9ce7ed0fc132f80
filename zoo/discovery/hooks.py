"""The hooks a plugin may implement. Their signatures may gain arguments and never lose any."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from zoo.api import Metrics
    from zoo.discovery.registration import Registrar

PROJECT = "zoo"
hookimpl = pluggy.HookimplMarker(PROJECT)
_hookspec = pluggy.HookspecMarker(PROJECT)


class HookSpecs:
    """Each method is one hook; implementations may take fewer arguments."""

    @_hookspec
    def zoo_register(self, zoo: Registrar) -> None:
        """Called once at discovery: say which components this plugin has. Import nothing heavy."""

    @_hookspec
    def zoo_run_started(self, run: Any) -> None:
        """The run directory exists and nothing has been trained yet. ``run`` has ``path``, ``spec``, ``seed``."""

    @_hookspec
    def zoo_metrics(self, run: Any, step: int, metrics: Metrics) -> None:
        """Metrics of one update were written; ``step`` is the algorithm's ``env_steps``."""

    @_hookspec
    def zoo_checkpoint(self, run: Any, path: Path) -> None:
        """A checkpoint was published at ``path``."""

    @_hookspec
    def zoo_run_finished(self, run: Any, status: str) -> None:
        """The run ended as "finished", "failed" or "interrupted"."""

    @_hookspec
    def zoo_suites(self) -> list[str]:  # type: ignore[empty-body]
        """Suites for ``zoo bench`` that this plugin ships: ``"package:folder/file.toml"``."""

    @_hookspec
    def zoo_derived(self) -> Mapping[str, str]:  # type: ignore[empty-body]
        """Functions for metrics of suites: name to ``"module:function"``, called as ``function(run, of, **options)``.

        ``run`` is a ``zoo.runs.store.Run``; the result is a number, or None if the run cannot tell.
        """

    @_hookspec
    def zoo_plots(self) -> Mapping[str, str]:  # type: ignore[empty-body]
        """Figures for ``zoo plot NAME RUN...``: name to ``"module:function"``, called as ``function(runs, options)``.

        ``runs`` is a list of ``zoo.runs.store.Run``; ``options`` is a ``FigureOptions`` of zoo-bench:
        what was asked for, and colours, labels and legends as of all others. The result is a
        ``matplotlib.figure.Figure``, made without ``pyplot``.
        """
