"""Registration of the environments with `zoo`; see ``table``."""

from __future__ import annotations

from typing import Any, Protocol

import pluggy

from zoo_envs_plugin.table import TABLE, Row

__all__ = ["TABLE", "Row", "zoo_register"]

_hookimpl = pluggy.HookimplMarker("zoo")


class _Registrar(Protocol):
    def environment(
        self,
        name: str,
        target: str,
        *,
        vector: str = "",
        config: str = "",
        summary: str = "",
        offers: Any = ...,
    ) -> None: ...


@_hookimpl
def zoo_register(zoo: _Registrar) -> None:
    """Register every row of the table."""
    for row in TABLE:
        zoo.environment(
            row.name,
            row.target,
            vector=row.vector,
            config=row.config,
            summary=row.summary,
            offers=dict(row.offers),
        )
