"""The answer checker: extraction, normalisation, a bounded parser, exact arithmetic, and sympy in a killable process.

The modules in the order of a check: ``extraction`` -> ``answers`` (``normalise``, ``tokens``, ``parser``, ``tree``) ->
``compare``, which
leaves expressions to ``values`` (``evaluate``, ``functions``, ``decide``, ``exact``), inequalities to ``intervals``
and equations to ``equations``. Nothing here imports sympy; only the worker process does.
"""

from __future__ import annotations

from zoo_harp.checker.batch import Batch, check_many
from zoo_harp.checker.check import Verdict, check, check_bool, choice_letter, compare_texts
from zoo_harp.checker.explain import Explanation, explain
from zoo_harp.checker.workers.pool import warm_up

__all__ = [
    "Batch",
    "Explanation",
    "Verdict",
    "check",
    "check_bool",
    "check_many",
    "choice_letter",
    "compare_texts",
    "explain",
    "warm_up",
]
