"""Metrics for suites, offered through the hook ``zoo_derived``. ``points``: how many of the last updates to average."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from zoo import open_runs
from zoo_composite_rm.proxy.points import ProxyPoints, find_proxy_points
from zoo_composite_rm.proxy.runs import direction, names_of, paths_of


def _final(run: Any, of: str, points: float) -> float | None:
    values = run.series(of).values
    return float(np.mean(values[-int(points) :])) if values else None


def truth_at_means(run: Any, of: str, /, *, points: float = 16) -> float | None:
    """The truth of tiny-composite at the mean scores and the mean KL of the last updates.

    ``of`` is the metric with the KL. The mean over updates of the truth itself is lower where scores oscillate; a truth
    that is a mean over samples is not a function of mean scores, and is that mean here, too.
    """
    from zoo_envs.composite.oracle import utility

    truth = run.spec.env_config.get("truth", "policy")
    if truth == "sample":
        return _final(run, "evaluation/estimate", points)
    r1, r2, kl = (_final(run, name, points) for name in ("value/r1", "value/r2", of))
    if r1 is None or r2 is None or kl is None:
        return None
    return float(utility(r1, r2, kl, separable=truth == "separable"))


def distance_from_threshold(run: Any, of: str, /, *, points: float = 16) -> float | None:
    """How far the mean score of the reward model ``of``, over the last updates, is from its last threshold."""
    score, threshold = _final(run, f"value/{of}", points), _final(run, f"threshold/{of}", 1)
    return None if score is None or threshold is None else abs(score - threshold)


def peak_minus_final(run: Any, of: str, /, *, points: float = 16) -> float | None:
    """The largest value minus the mean of the last ones."""
    values = run.series(of).values
    return float(max(values) - np.mean(values[-int(points) :])) if values else None


def proxy_point(run: Any, of: str, /) -> float | None:
    """The individual proxy point of the reward model ``of``, from the run that follows it alone; see ``_points``."""
    points = _points(run)
    return None if points is None or of not in points.own else float(points.own[of].best[0])


def joint_proxy_point(run: Any, of: str, /) -> float | None:
    """The score of the reward model ``of`` at the joint proxy point; see ``_points``."""
    points = _points(run)
    return None if points is None else float(points.joint.best[points.names.index(of)])


def proxy_shift(run: Any, of: str, /) -> float | None:
    """How far the joint proxy point is above the individual one, in the score of ``of``; see ``_points``."""
    own, joint = proxy_point(run, of), joint_proxy_point(run, of)
    return None if own is None or joint is None else joint - own


def samples_with_search(run: Any, of: str, /) -> float | None:
    """Samples of this run and of the paths that its thresholds were found from; nm-ppo finds its own, without any.

    Paths are the finished runs of the algorithm ``of`` that weigh the scores, on the same environment with the same
    seed; where there are none it is None.
    """
    if run.algorithm == "nm-ppo":
        return float(run.step)
    alike = [other for other in _finished(run, of) if dict(other.spec.env_config) == dict(run.spec.env_config)]
    paths = [other.step for other in alike if other.spec.config["weights"]]
    return float(run.step + sum(paths)) if paths else None


def _finished(run: Any, algorithm: str) -> list[Any]:
    """The finished runs of an algorithm on the same environment with the same seed, which are folders of one name."""
    folders = sorted(run.path.parents[2].glob(f"{algorithm}/*/{run.path.name}"))
    found = open_runs(folders).runs if folders else []
    return [other for other in found if other.seed == run.seed and other.state == "finished"]


def _points(run: Any) -> ProxyPoints | None:
    """Proxy points from a run and its siblings: the same algorithm, environment and seed, with other weights.

    They are the runs beside it that differ in the option ``weights`` alone; None unless every reward model has its own.
    """
    own = _settings_but_weights(run)
    siblings = [other for other in _finished(run, run.algorithm) if _settings_but_weights(other) == own]
    names = names_of(run)
    if not set(names) <= {direction(other, names) for other in siblings}:
        return None
    return _found(tuple(other.path for other in siblings))


@lru_cache(maxsize=64)
def _found(siblings: tuple[Path, ...]) -> ProxyPoints:
    """The proxy points of these runs, which are finished and so do not change; several metrics of each ask for them."""
    names, paths = paths_of(open_runs(siblings).runs)
    return find_proxy_points(paths, names)


def _settings_but_weights(run: Any) -> dict[str, Any]:
    spec = run.spec
    options = {name: value for name, value in spec.config.items() if name != "weights"}
    return {**options, "env": dict(spec.env_config), "steps": spec.steps, "num_envs": spec.num_envs}
