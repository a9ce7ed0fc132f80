"""Registration of the environments with `zoo`; see ``table``."""

from __future__ import annotations

from typing import Any, Protocol

import pluggy

from zoo_envs_plugin.table import TABLE, WRAPPERS, Row

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
        family: bool = ...,
    ) -> None: ...

    def wrapper(self, name: str, target: str, *, summary: str, vector: str = "", offers: Any = ...) -> None: ...


@_hookimpl
def zoo_register(zoo: _Registrar) -> None:
    """Register every row of the table, and the wrappers."""
    for row in TABLE:
        zoo.environment(
            row.name,
            row.target,
            vector=row.vector,
            config=row.config,
            summary=row.summary,
            offers=dict(row.offers),
            family=row.family,
        )
    options = "zoo_envs.wrapping.options"
    zoo.wrapper(
        "constraint", f"{options}:constraint", vector=f"{options}:constraint_vector", offers={"constraints": True},
        summary='a limit such as "abs(action[0]) <= 0.5", on parts of observation, action or info; several with ";"',
    )  # fmt: skip
    for name, summary in WRAPPERS.items():
        zoo.wrapper(name, f"{options}:{name.replace('-', '_')}", summary=summary)
