"""``zoo/Tabular-v0``: any CMDP, given as arrays or in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo_envs.tabular.env import TabularEnv
from zoo_envs.tabular.io import load_model
from zoo_envs.tabular.model import TabularModel
from zoo_envs.tabular.vector_env import TabularVectorEnv

__all__ = ["Tabular", "TabularVector"]


def _model_of(model: Any, path: str | Path) -> TabularModel:
    if (model is None) == (str(path) == ""):
        raise ValueError(
            "expected either path (--env.path FILE, an .npz or .json file) or, in Python, model (an object with P, r, "
            "gamma, rho, c, b, senses, names)"
        )
    return load_model(path) if model is None else TabularModel.of(model)


class Tabular(TabularEnv):
    """``zoo/Tabular-v0``: any constrained Markov decision process, given as arrays or in a file.

    Actions and observations: indices into the arrays. Rewards r[s, a] and constraint signals c[k, s, a] are the
    model's. Ends: terminated in its terminal states, if it has any; truncated after `max_episode_steps`. Options:
    `path`, an .npz or .json file, or `model`, an object with P, r, gamma, rho, c, b, senses, names. Optimum:
    `zoo.tabular.solve_lp`.
    """

    def __init__(
        self,
        *,
        path: str | Path = "",
        model: Any = None,
        max_episode_steps: int | None = 200,
        render_mode: str | None = None,
    ) -> None:
        """Sample `model` (see `TabularModel.of`) or the model in the file `path` (see `load_model`).

        Raises:
            ValueError: neither or both are given, or it is not a CMDP.
        """
        super().__init__(_model_of(model, path), max_episode_steps=max_episode_steps, render_mode=render_mode)


class TabularVector(TabularVectorEnv):
    """``zoo/Tabular-v0``, `num_envs` copies."""

    def __init__(
        self,
        num_envs: int = 1,
        *,
        path: str | Path = "",
        model: Any = None,
        max_episode_steps: int | None = 200,
        render_mode: str | None = None,
    ) -> None:
        """See `Tabular` and `TabularVectorEnv`."""
        super().__init__(_model_of(model, path), num_envs, max_episode_steps=max_episode_steps, render_mode=render_mode)
