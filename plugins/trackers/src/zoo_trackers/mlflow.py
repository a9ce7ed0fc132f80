"""One run in MLflow."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

FILE = "mlflow.json"
"""the file in a run directory that says which run there this is, so that a resumed run goes on in the same one"""
_MOST_METRICS, _MOST_PARAMS, _LONGEST = 1000, 100, 6000
"""in one request, and characters of a parameter, as MLflow's interface has it"""
_STATUS = {"finished": "FINISHED", "failed": "FAILED"}


class Tracked:
    """Rows are held until a checkpoint, so that what is done again after a crash is there once."""

    def __init__(self, run: Any) -> None:
        self._client = MlflowClient()
        self._held: list[Metric] = []
        file, address = run.path / FILE, str(self._client.tracking_uri)
        known = _read(file)
        if known.get("tracking_uri") == address:
            self._id = known["run_id"]
            self._client.update_run(self._id, status="RUNNING")
            return
        algorithm, environment = run.spec.short
        tags = {"zoo.path": str(run.path), "zoo.key": run.spec.key}
        title = f"{algorithm} {environment} seed {run.seed}"
        self._id = self._client.create_run(self._experiment(), tags=tags, run_name=title).info.run_id
        file.write_text(json.dumps({"tracking_uri": address, "run_id": self._id}), encoding="utf-8")
        self._describe(run.spec)

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "zoo")
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self._client.create_experiment(name))

    def _describe(self, spec: Any) -> None:
        """Record what decides the run as parameters."""
        data = spec.to_json()
        options = {name: data[name] for name in ("algorithm", "environment", "seed", "steps", "num_envs")}
        options |= spec.config | {f"env.{name}": value for name, value in spec.env_config.items()}
        params = [Param(name, str(value)[:_LONGEST]) for name, value in options.items()]
        for first in range(0, len(params), _MOST_PARAMS):
            self._client.log_batch(self._id, params=params[first : first + _MOST_PARAMS])

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Hold one row, at ``step`` environment steps and the present time."""
        now = int(time.time() * 1000)
        self._held += [Metric(name, float(value), now, step) for name, value in metrics.items()]

    def saved(self) -> None:
        """Send what is held."""
        for first in range(0, len(self._held), _MOST_METRICS):
            self._client.log_batch(self._id, metrics=self._held[first : first + _MOST_METRICS])
        self._held.clear()

    def close(self, status: str) -> None:
        """Send what is held, and end the run there."""
        self.saved()
        self._client.set_terminated(self._id, _STATUS.get(status, "KILLED"))


def _read(file: Path) -> dict[str, str]:
    """What an earlier start wrote; empty where there was none."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) and isinstance(known.get("run_id"), str) else {}
