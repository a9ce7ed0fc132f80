"""The card of an exported agent: what it is, what it was made with, and what it reached."""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium import spaces

import zoo
from zoo import LoadedRun, Run

FORMAT = 1


def make_card(run: Run, loaded: LoadedRun) -> dict[str, Any]:
    """Everything about the agent but its tensors, as JSON data."""
    spec, env = run.spec, loaded.member.env
    start = run.starts[-1] if run.starts else {}
    return {
        "format": FORMAT,
        "zoo": zoo.__version__,
        "algorithm": spec.algorithm,
        "plugin_version": spec.plugin_version,
        "options": spec.config,
        "environment": spec.environment,
        "environment_options": spec.env_config,
        "spaces": {
            "observation": space_json(env.single_observation_space),
            "action": space_json(env.single_action_space),
        },
        "constraints": _constraints(env),
        "seed": spec.seed,
        "key": spec.key,
        "step": loaded.step,
        "steps": spec.steps,
        "num_envs": spec.num_envs,
        "versions": {"python": start.get("python"), **(start.get("packages") or {})},
        "metrics": run.last,
        "evaluations": {name: report["scores"] for name, report in run.evaluations.items()},
    }


def space_json(space: gymnasium.Space[Any]) -> dict[str, Any]:
    """A space as JSON data: its kind, and what decides its elements; bounds that are not finite are text."""
    kind = type(space).__name__
    if isinstance(space, spaces.Discrete):
        return {"kind": kind, "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.Box):
        bounds = {name: [_bound(number) for number in getattr(space, name).ravel()] for name in ("low", "high")}
        bounds = {name: numbers[:1] if len(set(numbers)) == 1 else numbers for name, numbers in bounds.items()}
        return {"kind": kind, "shape": list(space.shape), "dtype": str(space.dtype), **bounds}
    if isinstance(space, spaces.Dict):
        return {"kind": kind, "spaces": {name: space_json(part) for name, part in space.items()}}
    if isinstance(space, spaces.Tuple):
        return {"kind": kind, "spaces": [space_json(part) for part in space]}
    return {"kind": kind, "text": str(space)}


def _bound(number: Any) -> float | str:
    value = float(number)
    return value if abs(value) < float("inf") else str(value)


def _constraints(env: Any) -> list[dict[str, Any]]:
    spec = env.constraints
    if spec is None:
        return []
    parts = zip(spec.names, spec.senses, spec.thresholds, strict=True)
    return [{"name": name, "sense": sense, "threshold": float(bound)} for name, sense, bound in parts]
