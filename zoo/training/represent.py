"""Training a representation: the core collects transitions with a policy and calls ``update``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from zoo.api import Algorithm, Array, Context, Metrics, Outcome, Representation, Solvable, State, Transitions
from zoo.discovery.registry import Registry
from zoo.errors import InterfaceError, UsageError
from zoo.training.vector import arrived

STEPS_PER_UPDATE = 128
UNIFORM, GREEDY = "uniform", "greedy:"


class RepresentationTrainer(Algorithm[None]):
    """An Algorithm around a Representation.

    Args:
        ctx: environment and randomness.
        representation: what is trained; its ``ctx`` shares the environment.
        collect: "policy": "uniform", "greedy:GOAL" (shortest way to a state of a tabular environment) or the
            path of a run whose policy to follow; "exact": solve instead of learning.
        registry: to load a run with.

    Raises:
        UsageError: the policy cannot be had here, or "exact" without an exact solution.
    """

    def __init__(
        self, ctx: Context, representation: Representation[Any], collect: Mapping[str, Any], registry: Registry
    ) -> None:
        super().__init__(ctx, None)
        self.representation = representation
        self._policy = str(collect.get("policy", UNIFORM))
        self._exact = bool(collect.get("exact", False))
        self._leader: Algorithm[Any] | None = None
        self._table: NDArray[np.float64] | None = None  # action probabilities [S, A]
        self._solution: NDArray[np.float64] | None = None
        tabular = ctx.problem.model is not None
        if self._policy.startswith(GREEDY):
            self._table = _towards(ctx, self._policy.removeprefix(GREEDY))
        elif self._policy != UNIFORM:
            self._leader = _load_leader(Path(self._policy), registry)
        elif tabular:
            self._table = np.full((ctx.problem.tabular.num_states, ctx.num_actions), 1 / ctx.num_actions)
        if self._exact and not (isinstance(representation, Solvable) and self._table is not None):
            raise UsageError(
                "--exact needs a representation with an exact solution, a tabular environment, and the policy "
                "'uniform' or 'greedy:GOAL'."
            )
        if isinstance(representation, Solvable) and self._table is not None:
            self._solution = representation.solve(ctx.problem.tabular, self._table)
        self._obs, _ = ctx.env.reset()

    def update(self) -> Metrics:
        """Collect about 128 transitions and learn from them, or, if exact, install the solution."""
        if self._exact:
            return self._install()
        env = self.ctx.env
        rounds = max(1, STEPS_PER_UPDATE // env.num_envs)
        rows: dict[str, list[Array]] = {}
        for _ in range(rounds):
            action = self._choose(self._obs, self.ctx.stream("collect"))
            following, reward, terminated, truncated, infos = env.step(action)
            row = {
                "obs": self._obs, "action": action, "reward": reward, "next_obs": arrived(following, infos),
                "terminated": terminated, "truncated": truncated,
            }  # fmt: skip
            if "constraints" in infos:
                row["constraints"] = infos["constraints"]
            for name, values in row.items():
                rows.setdefault(name, []).append(values)
            self._obs = following
        self.env_steps += rounds * env.num_envs
        batch = Transitions(**{name: np.concatenate(values) for name, values in rows.items()})
        return {**self.representation.update(batch), **self._distance()}

    def _install(self) -> Metrics:
        representation = self.representation
        assert isinstance(representation, Solvable)  # noqa: S101  checked in __init__
        assert self._solution is not None  # noqa: S101
        learned = self._distance()
        representation.set_table(self._solution)
        self.env_steps = self.ctx.budget
        self.outcome = Outcome("converged", "the exact solution was installed", final=True)
        return {**{f"{name}_before": value for name, value in learned.items()}, **self._distance()}

    def _distance(self) -> dict[str, float]:
        """How far the learned table is from the exact one, where that is known."""
        if self._solution is None or not isinstance(self.representation, Solvable):
            return {}
        error = np.asarray(self.representation.table()) - self._solution
        return {"distance/max": float(np.abs(error).max()), "distance/rms": float(np.sqrt(np.mean(error**2)))}

    def _choose(self, obs: Array, rng: np.random.Generator) -> Array:
        if self._leader is not None:
            return self._leader.act(obs, greedy=False)
        if self._table is not None:
            cumulative = np.cumsum(self._table[np.asarray(obs)], axis=-1)
            return np.minimum((rng.random((len(obs), 1)) > cumulative).sum(-1), self._table.shape[1] - 1)
        space = self.ctx.env.single_action_space
        if isinstance(space, Discrete):
            return space.start + rng.integers(space.n, size=_count(obs))
        if isinstance(space, Box) and space.is_bounded():
            return rng.uniform(space.low, space.high, (_count(obs), *space.shape)).astype(space.dtype)
        raise InterfaceError(f"the policy 'uniform' needs discrete or bounded actions; these are {space}.")

    def restart(self) -> None:
        """Begin fresh episodes."""
        self._obs, _ = self.ctx.env.reset()

    def act(self, obs: Array, *, greedy: bool = True) -> Array:
        """Actions of the policy that collects; being judged does not change what is collected."""
        return self._choose(obs, self.ctx.stream("act"))

    def state(self) -> State:
        """The representation's state and where the environment was."""
        leader = self._leader.state() if self._leader is not None else None
        return {"representation": self.representation.state(), "obs": np.asarray(self._obs), "leader": leader}

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        self.representation.load_state(state["representation"])
        self._obs = state["obs"]
        if self._leader is not None:
            self._leader.load_state(state["leader"])


def _count(obs: Array) -> int:
    """How many observations a batch holds, also where each is a dictionary."""
    return len(next(iter(obs.values())) if isinstance(obs, Mapping) else obs)


def _towards(ctx: Context, goal: str) -> NDArray[np.float64]:
    """The policy that reaches the state ``goal`` soonest (in discounted time), as a table [S, A]."""
    if ctx.problem.model is None:
        raise UsageError(f"--policy greedy:{goal} needs a tabular environment.")
    model = ctx.problem.tabular
    if not (goal.isdigit() and int(goal) < model.num_states):
        raise UsageError(f"--policy greedy:{goal}: expected a state from 0 to {model.num_states - 1}.")
    from zoo.tabular import policy_iteration

    reward = np.zeros((model.num_states, model.num_actions))
    reward[int(goal)] = 1.0
    plan = policy_iteration(model, reward)
    return np.asarray(np.eye(model.num_actions)[plan.policy])


def _load_leader(path: Path, registry: Registry) -> Algorithm[Any]:
    if not path.exists():
        raise UsageError(f"--policy {path}: expected 'uniform', 'greedy:STATE' or the path of a run.")
    from zoo.training.restore import load_run

    return load_run(path, registry=registry).algorithm
