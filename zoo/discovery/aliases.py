"""Aliases of options: their names in other libraries."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

from zoo.errors import UnknownNameError, UsageError, nearest

ALIASES: dict[str, tuple[str, ...]] = {
    "steps": (
        "timesteps", "total-timesteps", "num-timesteps", "n-timesteps", "total-steps", "num-steps", "max-steps",
        "train-steps", "env-steps", "budget", "iterations", "max-iterations", "num-iterations", "updates", "frames",
    ),
    "num-envs": ("n-envs", "nenvs", "n-env", "num-env", "envs", "num-environments", "parallel-envs", "copies"),
    "seed": ("random-seed", "rng-seed", "random-state"),
    "seeds": ("num-seeds", "n-seeds", "trials", "repeats"),
    "jobs": ("workers", "num-workers", "n-workers", "n-jobs", "processes", "num-processes", "parallel", "cpus"),
    "device": ("gpu", "cuda", "cpu", "use-cuda"),
    "dir": ("output", "out", "out-dir", "outdir", "output-dir", "logdir", "log-dir", "save-dir", "run-dir", "path"),
    "checkpoint-every": ("save-every", "save-freq", "checkpoint-freq", "checkpoint-interval", "save-interval"),
    "eval-every": ("eval-freq", "eval-interval", "evaluate-every"),
    "eval-episodes": ("n-eval-episodes", "num-eval-episodes", "test-episodes"),
    "resume": ("continue", "restore", "load", "restart"),
    "time-limit": ("timeout", "max-time", "max-seconds"),
    "quiet": ("silent", "verbose", "no-progress", "progress"),
    "learning-rate": ("lr", "step-size", "alpha"),
    "lr": ("learning-rate",),
    "eta": ("lr", "learning-rate", "step-size"),
    "gamma": ("discount", "discount-factor"),
    "batch-size": ("batch", "bs", "minibatch-size"),
    "n-epochs": ("epochs", "num-epochs", "update-epochs"),
    "n-steps": ("rollout-length", "horizon", "rollout-steps"),
    "clip-range": ("clip", "clip-coef", "epsilon-clip", "cliprange"),
    "ent-coef": ("entropy", "entropy-coef", "entropy-coefficient"),
    "gae-lambda": ("lam", "lambda"),
    "buffer-size": ("replay-size", "memory-size", "buffer"),
    "hidden": ("hidden-sizes", "hidden-size", "layers", "net-arch"),
}  # fmt: skip
"""Name of an option to its names in other libraries; an option counts only where the command has it."""
_ARGUMENTS = {"env", "env-id", "environment", "env-name", "task", "game", "algo", "algorithm", "agent", "model"}


class UnknownOptionError(UnknownNameError):
    """An unknown option; the message has the nearest ones, and those that other libraries call so."""

    def __init__(self, flag: str, own: Iterable[str], others: Iterable[str] = (), hint: str = "") -> None:
        own = sorted(own)
        others = sorted(set(others) - set(own))
        near = suggestions(flag, own, others)
        there = [*own, *others]
        if flag.lstrip("-").replace("_", "-") in _ARGUMENTS:
            words = "what is trained, and on what, is typed without a flag, as in zoo train ppo CartPole-v1."
        elif near:
            words = f"did you mean {' or '.join(near)}?"
        else:
            words = f"there {'is' if len(there) == 1 else 'are'} {', '.join(there)}." if there else "there is none."
        UsageError.__init__(self, f"no option called {flag!r}: {words}", hint)
        self.name = flag
        self.near = near


def suggestions(flag: str, own: Iterable[str], others: Iterable[str] = ()) -> list[str]:
    """Up to three options that may have been meant: what others call so, else the nearest, zoo's own before equals.

    Args:
        flag: as it was typed, with its hyphens.
        own: the options of the command itself.
        others: those of plugins.
    """
    own, others = list(own), list(others)
    typed = flag.lstrip("-").replace("_", "-").lower()
    meant = [f"--{name}" for name, called in ALIASES.items() if typed in called]
    candidates = [option for option in [*own, *others] if option in meant]
    if candidates:
        return list(dict.fromkeys(candidates))[:3]
    spelled = {option.lstrip("-"): option for option in [*others, *own]}  # hyphens would make all alike
    near = nearest(typed, spelled)
    near.sort(key=lambda name: (-round(SequenceMatcher(None, typed, name).ratio(), 1), spelled[name] not in own))
    return [spelled[name] for name in near]
