"""The source policy and its environment from the option ``--source``."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from zoo import Context, UsageError, lookup
from zoo_tvd.source.base import SourcePolicy
from zoo_tvd.source.exact import ExactPolicy
from zoo_tvd.source.network import NetworkPolicy
from zoo_tvd.source.run import RunPolicy

EXACT = "exact"


def open_source(
    ctx: Context, source: str, *, bandwidth: float = 0.0, epsilon: float = 0.1
) -> tuple[SourcePolicy, Callable[[int], Any]]:
    """The policy, and a function that builds copies of its environment.

    Args:
        ctx: context of the target.
        source: "exact"; the folder of a run; a .zip of stable-baselines3 or a .safetensors; or ``package:file`` for a
            file inside a package.
        bandwidth: bandwidth of a smooth exact policy.
        epsilon: share of uniform actions in the probabilities of an exact policy or a network.

    Raises:
        UsageError: there is no such source, or it is for other actions.
    """
    own = lookup(ctx.env, "make_source")
    if source == EXACT:
        points = lookup(ctx.env, "source_states")
        if ctx.problem.model is None or points is None or own is None:
            raise UsageError(
                "source = exact needs an environment with an exact model whose states lie somewhere, such as tvd-grid: "
                "expected --source with a run, a .zip of stable-baselines3 or a .safetensors."
            )
        return ExactPolicy(ctx.problem.tabular, np.asarray(points), bandwidth=bandwidth, epsilon=epsilon), own
    path = _located(source)
    policy: SourcePolicy
    if path.is_dir():
        run = RunPolicy(path)
        policy, own = run, lambda copies: run.loaded.env(copies)
    elif path.suffix in (".zip", ".safetensors"):
        policy = NetworkPolicy(path, ctx.env.single_action_space, epsilon=epsilon)
    else:
        raise UsageError(
            f"source = {source}: expected 'exact', the folder of a run, a .zip of stable-baselines3 or a .safetensors."
        )
    if own is None:
        raise UsageError(
            f"this environment does not say what its source is, so there is nowhere to follow {source}: expected the "
            "folder of a run as the source, or an environment such as transformed."
        )
    _check_spaces(ctx, policy, own(1), source)
    return policy, own


def _located(source: str) -> Path:
    package, colon, inside = source.partition(":")
    path = Path(source)
    if colon and package.isidentifier() and not path.exists():
        try:
            path = Path(str(files(package).joinpath(inside)))
        except ModuleNotFoundError:
            raise UsageError(f"source = {source}: there is no package {package}.") from None
    if not path.exists():
        raise UsageError(
            f"source = {source}: there is no such file: expected 'exact', the folder of a run, a .zip of "
            "stable-baselines3 or a .safetensors."
        )
    return path


def _check_spaces(ctx: Context, policy: SourcePolicy, env: Any, source: str) -> None:
    there, here = env.single_action_space, ctx.env.single_action_space
    seen = env.single_observation_space
    env.close()
    if there != here:
        raise UsageError(f"source {source} acts in {there}, and the target in {here}: expected the same actions.")
    if seen.shape != (policy.d,):
        raise UsageError(f"source {source} observes {policy.d} numbers, and its environment shows {seen}.")
