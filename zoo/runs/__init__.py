"""From run directories to a judgement: reading, evaluating, comparing and drawing stored runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.lazy import lazy_names

if TYPE_CHECKING:
    from zoo.runs.evaluate import Judge as Judge
    from zoo.runs.evaluate import evaluator_config as evaluator_config
    from zoo.runs.labelling import labels as labels
    from zoo.runs.labelling import options as options
    from zoo.runs.sheet import columns_of as columns_of
    from zoo.runs.sheet import number as number
    from zoo.runs.sheet import table as table
    from zoo.runs.store import Catalogue as Catalogue
    from zoo.runs.store import Refused as Refused
    from zoo.runs.store import Run as Run
    from zoo.runs.store import Series as Series
    from zoo.runs.store import distinct as distinct
    from zoo.runs.store import open_run as open_run
    from zoo.runs.store import open_runs as open_runs

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "evaluate": ("Judge", "evaluator_config"),
        "labelling": ("labels", "options"),
        "sheet": ("columns_of", "number", "table"),
        "store": ("Catalogue", "Refused", "Run", "Series", "distinct", "open_run", "open_runs"),
    },
)
