"""Sinks that send the metrics of every run to Weights & Biases or MLflow as well, where their variables ask for it."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from zoo import Sink, UsageError


def _wandb(run: Any) -> Any:
    """A writer, if ``WANDB_PROJECT`` is set."""
    if not os.environ.get("WANDB_PROJECT"):
        return None
    _need("wandb")
    from zoo_trackers.weights_and_biases import Tracked

    return Tracked(run)


def _mlflow(run: Any) -> Any:
    """A writer, if ``MLFLOW_TRACKING_URI`` or ``MLFLOW_EXPERIMENT_NAME`` is set."""
    if not (os.environ.get("MLFLOW_TRACKING_URI") or os.environ.get("MLFLOW_EXPERIMENT_NAME")):
        return None
    _need("mlflow")
    from zoo_trackers.mlflow import Tracked

    return Tracked(run)


def _need(package: str) -> None:
    """Raise ``UsageError`` where a package is not installed."""
    if importlib.util.find_spec(package) is None:
        raise UsageError(f"{package} is not installed: pip install 'zoo-trackers[{package}]'")


wandb, mlflow = Sink(_wandb), Sink(_mlflow)
