"""Exact representations of a known policy and model: one matrix inverse, and what follows from it."""

from __future__ import annotations

from zoo_successor.exact.representations import (
    Factorisation,
    SingularRepresentationError,
    backup,
    columns,
    derivative,
    diagonal,
    diminishing,
    features,
    first_occupancy,
    from_successor,
    policy_chain,
    state_action,
    successor,
    to_successor,
    utility,
    value,
)

__all__ = [
    "Factorisation",
    "SingularRepresentationError",
    "backup",
    "columns",
    "derivative",
    "diagonal",
    "diminishing",
    "features",
    "first_occupancy",
    "from_successor",
    "policy_chain",
    "state_action",
    "successor",
    "to_successor",
    "utility",
    "value",
]
