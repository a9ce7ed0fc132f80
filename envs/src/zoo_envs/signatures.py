"""Signatures of constructors that take their options from elsewhere, so that ``help`` and gymnasium show them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

__all__ = ["constructor_signature"]


def constructor_signature(leading: Mapping[str, object], options: Mapping[str, object]) -> inspect.Signature:
    """Return the signature with `leading`, which may be positional, then `options` by keyword; name to default."""
    either, keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature(
        [inspect.Parameter(name, either, default=default) for name, default in leading.items()]
        + [inspect.Parameter(name, keyword, default=default) for name, default in options.items()]
    )
