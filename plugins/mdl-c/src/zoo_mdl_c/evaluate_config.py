"""Options of the judge of default policies; loads neither numpy nor torch."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DefaultPolicyEvaluatorConfig"]


@dataclass(frozen=True, kw_only=True)
class DefaultPolicyEvaluatorConfig:
    """Options of mdl-c-default."""

    export: str | None = None
    """folder for default.safetensors (the pruned weights) and default.json (the report); none: no files"""
