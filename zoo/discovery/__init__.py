"""Discovery of plugins, their names and their options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.lazy import lazy_names

if TYPE_CHECKING:
    from zoo.discovery.config import decode_fields as decode_fields
    from zoo.discovery.config import encode_fields as encode_fields
    from zoo.discovery.guard import blaming as blaming
    from zoo.discovery.hooks import hookimpl as hookimpl
    from zoo.discovery.names import slug as slug
    from zoo.discovery.registration import NAME as NAME
    from zoo.discovery.registration import TARGET as TARGET
    from zoo.discovery.registration import Entry as Entry
    from zoo.discovery.registration import Registrar as Registrar
    from zoo.discovery.registration import describe as describe
    from zoo.discovery.registry import Registry as Registry
    from zoo.discovery.registry import discover as discover
    from zoo.discovery.values import plain as plain

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "config": ("decode_fields", "encode_fields"),
        "guard": ("blaming",),
        "hooks": ("hookimpl",),
        "names": ("slug",),
        "registration": ("Entry", "NAME", "Registrar", "TARGET", "describe"),
        "registry": ("Registry", "discover"),
        "values": ("plain",),
    },
)
