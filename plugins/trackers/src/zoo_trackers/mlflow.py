"""One run in MLflow."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from zoo_trackers.identity import Identity

FILE = "mlflow.json"
_MOST_METRICS, _MOST_PARAMS, _LONGEST = 1000, 100, 6000
"""in one request, and characters of a parameter, as MLflow's interface has it"""
_STATUS = {"finished": "FINISHED", "failed": "FAILED"}


class Tracked:
    """Rows are held until a checkpoint, so that none is there which a resumed run does again."""

    def __init__(self, run: Any) -> None:
        self._client = MlflowClient()
        self._identity = Identity(run, FILE)
        address = str(self._client.tracking_uri)
        if self._identity.known.get("tracking_uri") == address:
            self._id = self._identity.known["run_id"]
            self._client.update_run(self._id, status="RUNNING")
        else:
            self._id = self._create(run)
            self._identity.write(tracking_uri=address, run_id=self._id, rows=0)
        self._rows: list[Mapping[str, float]] = [*self._identity.undelivered()]

    def _create(self, run: Any) -> str:
        """A run there, with what decides it as parameters."""
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "zoo")
        found = self._client.get_experiment_by_name(name)
        experiment = found.experiment_id if found else self._client.create_experiment(name)
        algorithm, environment = run.spec.short
        tags = {"zoo.path": str(run.path), "zoo.key": run.spec.key}
        title = f"{algorithm} {environment} seed {run.seed}"
        identity = str(self._client.create_run(experiment, tags=tags, run_name=title).info.run_id)
        data = run.spec.to_json()
        options = {name: data[name] for name in ("algorithm", "environment", "seed", "steps", "num_envs")}
        options |= run.spec.config | {f"env.{name}": value for name, value in run.spec.env_config.items()}
        params = [Param(name, str(value)[:_LONGEST]) for name, value in options.items()]
        for first in range(0, len(params), _MOST_PARAMS):
            self._client.log_batch(identity, params=params[first : first + _MOST_PARAMS])
        return identity

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Hold one row, at ``step`` environment steps."""
        self._rows.append({"step": step, **metrics})

    def saved(self) -> None:
        """Send what is held; it is there when this returns."""
        now = int(time.time() * 1000)
        metrics = [
            Metric(name, float(value), now, int(row["step"]))
            for row in self._rows
            for name, value in row.items()
            if name != "step"
        ]
        for first in range(0, len(metrics), _MOST_METRICS):
            self._client.log_batch(self._id, metrics=metrics[first : first + _MOST_METRICS])
        self._identity.delivered(len(self._rows))
        self._rows.clear()

    def close(self, status: str) -> None:
        """Send what is held, and end the run there."""
        self.saved()
        self._client.set_terminated(self._id, _STATUS.get(status, "KILLED"))
