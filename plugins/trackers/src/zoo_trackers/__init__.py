"""Sinks that send the metrics of every run to Weights & Biases or MLflow as well, where their variables ask for it."""

from __future__ import annotations

import os
from typing import Any

from zoo import Sink


def _wandb(run: Any) -> Any:
    """A writer, if ``WANDB_PROJECT`` is set."""
    if not os.environ.get("WANDB_PROJECT"):
        return None
    from zoo_trackers.weights_and_biases import Tracked

    return Tracked(run)


def _mlflow(run: Any) -> Any:
    """A writer, if ``MLFLOW_TRACKING_URI`` or ``MLFLOW_EXPERIMENT_NAME`` is set."""
    if not (os.environ.get("MLFLOW_TRACKING_URI") or os.environ.get("MLFLOW_EXPERIMENT_NAME")):
        return None
    from zoo_trackers.mlflow import Tracked

    return Tracked(run)


wandb, mlflow = Sink(_wandb), Sink(_mlflow)
