"""The types that pass between the core and plugins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Array: TypeAlias = Any
"""a numpy array or a tensor"""
Metrics: TypeAlias = Mapping[str, float]
State: TypeAlias = Mapping[str, Any]
"""Nested mapping of names to tensors, numpy arrays, plain JSON data, or further mappings; no code."""
Space: TypeAlias = Literal["discrete", "box", "other"]
Subject: TypeAlias = Literal["algorithm", "representation", "file"]
