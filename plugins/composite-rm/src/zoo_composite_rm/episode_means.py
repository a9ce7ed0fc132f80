"""Means over the episodes of a rollout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from zoo_onpolicy.rollout import Rollout

from zoo import InterfaceError
from zoo_composite_rm.environment import Floats, Singles, Task

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Means:
    """Means over the episodes that ended in one rollout of S members (runs with one seed each); 0 where none did.

    Attributes:
        episodes: how many, [S].
        scores: of the N reward models, [S, N].
        kl: log pi - log pi0 of all tokens of the rollout over the number of these episodes, in nats, [S]: the sampled
            KL(pi || pi0) of a sequence, exactly where rollouts hold whole episodes.
        statistics: of ``info["evaluation"]``, [S, k].
        evaluation: the environment's evaluation at these means, [S], at zeros where no episode ended; None where it
            gives none.
    """

    episodes: NDArray[np.int64]
    scores: Floats
    kl: Floats
    statistics: Floats
    evaluation: Floats | None

    @classmethod
    def of(cls, rollout: Rollout, log_ratio: Singles, task: Task) -> Means:
        """The means of a rollout whose tokens have the log-ratios log pi - log pi0 [S, T, B]."""
        done = rollout.done
        episodes: NDArray[np.int64] = done.sum(axis=(1, 2))
        number = np.maximum(episodes, 1)
        scores = np.einsum("sntb,stb->sn", rollout.rewards[:, 1:], done, dtype=np.float64) / number[:, None]
        # Over all tokens: an episode cut by the end of the rollout counts in part here and in part in the next one.
        kl = log_ratio.sum(axis=(1, 2), dtype=np.float64) / number * (episodes > 0)
        statistics = np.zeros((len(done), len(task.evaluation_names)))
        if task.evaluation_names:
            evaluation_infos = rollout.infos["evaluation"]
            statistics = np.einsum("stbk,stb->sk", evaluation_infos, done, dtype=np.float64) / number[:, None]
        evaluation = None
        if task.evaluate is not None:
            rows = zip(scores, kl.tolist(), statistics, strict=True)
            evaluation = np.array([float(task.evaluate(*row)) for row in rows])
        return cls(episodes=episodes, scores=scores, kl=kl, statistics=statistics, evaluation=evaluation)


def checked_scores(rollout: Rollout, task: Task) -> Singles:
    """The scores [S, N, T, B] of a rollout, 0 before the last step of an episode.

    Raises:
        InterfaceError: a reward model scored an unfinished sequence.
    """
    scores: Singles = rollout.rewards[:, 1:]
    early = np.argwhere((scores != 0) & ~rollout.done[:, None])
    if early.size:
        _, model, _, copy = early[0]
        raise InterfaceError(
            f"copy {copy} of the environment gave a score of {task.names[model]!r} before the end of its sequence: "
            "expected 0 there."
        )
    return scores


def episode_ends(done: Bools) -> tuple[NDArray[np.int64], Floats]:
    """Where the episode of each transition ends, and the transition's share in it.

    Args:
        done: where an episode ended, [S, T, B].

    Returns:
        The step int64[S, T, B] of its end, T - 1 where that lies beyond the rollout, and its share float64[S, T, B]:
        1 / (the number of its episode's transitions in the rollout), and 0 where the end is not known.
    """
    T = done.shape[1]
    step = np.arange(T)[:, None]
    after = np.zeros_like(done)
    after[:, 1:] = done[:, :-1]
    begin = np.maximum.accumulate(np.where(after, step, 0), axis=1)
    end = np.minimum.accumulate(np.where(done, step, T)[:, ::-1], axis=1)[:, ::-1]
    share = np.where(end < T, 1.0 / (end - begin + 1), 0.0)
    return np.minimum(end, T - 1), share
