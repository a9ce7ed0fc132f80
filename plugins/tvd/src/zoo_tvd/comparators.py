"""Comparators of TvD: no map, the true inverse, and maps computed without optimal transport.

None uses rewards. All but the identity and the oracle use the same uniform transitions of target and source as
``tvd-transition``, and finish after one update.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import NDArray

from zoo import Array, Context, Metrics, State, UsageError, lookup
from zoo_tvd.alternation import plan
from zoo_tvd.config import CloningConfig, MomentsConfig, TransferConfig
from zoo_tvd.cost import Cost
from zoo_tvd.maps.affine import RIDGE, Affine
from zoo_tvd.maps.base import Fit, Regression, UndoMap
from zoo_tvd.maps.mlp import MLP
from zoo_tvd.samples import Samples
from zoo_tvd.starts import root, whitened
from zoo_tvd.transfer import ConfigT, Transfer, restored_map

Floats = NDArray[np.float64]


class Identity(Transfer[TransferConfig]):
    """f(o) = o; one step is counted, since a run cannot be empty."""

    def update(self) -> Metrics:
        """End the run: there is no map to learn."""
        self.env_steps += 1
        self.done("there is no map to find")
        return self.common_metrics()


class _TrueInverse(UndoMap):
    """The true inverse of the environment's transformation."""

    kind = "oracle"

    def __init__(self, env: object) -> None:
        self._g = lookup(env, "transformation")  # type: ignore[arg-type]
        if self._g is None:
            raise UsageError("this environment has no known transformation: expected one such as tvd-grid.")

    def __call__(self, o: Floats) -> Floats:
        return np.asarray(self._g.inverse(o))

    def fitted(self, to: Regression) -> tuple[_TrueInverse, Fit]:
        return self, Fit(1, 1)

    def state(self) -> dict[str, object]:
        return {}

    @classmethod
    def restored(cls, state: object) -> _TrueInverse:
        raise NotImplementedError("the inverse is the environment's own")


class Oracle(Transfer[TransferConfig]):
    """f is the environment's own inverse of its transformation: an upper bound for all methods.

    Raises:
        UsageError: the environment has no known transformation.
    """

    def first_map(self) -> UndoMap:
        """The inverse of the transformation."""
        return _TrueInverse(self.ctx.env)

    def update(self) -> Metrics:
        """End the run; where the transformation is not invertible, ``identifiable`` is 0."""
        self.env_steps += 1
        known = lookup(self.ctx.env, "transformation")
        self.fit = Fit(int(known.invertible), 1)
        self.done("the inverse is known" if known.invertible else "the transformation is not invertible")
        return self.common_metrics()

    def load_state(self, state: State) -> None:
        """Continue from ``state``; the map is the environment's own."""
        own = self.f
        super().load_state({**state, "map": {"kind": "affine", "W": np.eye(1), "c": np.zeros(1)}})
        self.f = own


class ClosedForm(Transfer[ConfigT]):
    """A map in closed form from one batch of uniform transitions of each side."""

    def update(self) -> Metrics:
        """Collect samples of target and source, fit the map, and end the run."""
        rng = self.ctx.stream("tvd")
        self.source = self.observe_source(False, whole=False, rng=rng).merged()
        self.target = self.observe(False, whole=False, rng=rng).merged()
        self.learn(self.target, self.source)
        self.fit.warn_if_undetermined(f"the map of {type(self).__name__}")
        self.done("fitted in closed form")
        return self.common_metrics()

    @abstractmethod
    def learn(self, target: Samples, source: Samples) -> None:
        """Set ``f`` and ``fit`` from samples of target and source."""


class Moments(ClosedForm[MomentsConfig]):
    """f matches the mean and covariance of the states, or, per action, their mean displacement under each action.

    The first is the linear map of Monge between two Gaussians up to a rotation, T^(-1/2) then S^(1/2), and cannot tell
    a rotation of an isotropic cloud. The second is the regression W E[o' - o | a] = E[s' - s | a], W E[o] + c = E[s].
    """

    def learn(self, target: Samples, source: Samples) -> None:
        """Match the moments in closed form."""
        d = min(self.d_source, self.d_target)
        if not self.config.per_action:
            self.f = whitened(target, source, np.eye(self.d_source, self.d_target))
            rank = np.linalg.matrix_rank(target.moments()[1])
            self.fit = Fit(int(min(rank, d)), self.d_target)
            return
        space = self.ctx.env.single_action_space
        if not isinstance(space, Discrete):
            raise UsageError("per_action needs discrete actions.")
        (mean, T), (to, _) = target.moments(), source.moments()
        here, there = (_displacements(samples, space) for samples in (target, source))
        # Least norm in whitened coordinates of the target, so that what no action moves is left at rest.
        white = root(T, -0.5)
        W = (np.linalg.pinv(here @ white, rcond=1e-6) @ there).T @ white
        self.f = Affine(W, to - W @ mean)
        self.fit = Fit(int(np.linalg.matrix_rank(here @ white, tol=1e-6)), self.d_target)


def _displacements(samples: Samples, actions: Discrete) -> Floats:
    """E[s' - s | a] for each action, [A, d]; 0 for one never taken."""
    A, start = int(actions.n), int(actions.start)
    assert samples.actions is not None  # noqa: S101  collected with them
    displacement = samples.states[:, 1] - samples.states[:, 0]
    chosen = np.eye(A)[samples.actions[:, 0] - start] * samples.weights[:, None]
    mass = chosen.sum(axis=0)[:, None]
    return np.asarray(np.divide(chosen.T @ displacement, mass, out=np.zeros((A, samples.d)), where=mass > 0))


class LinearDynamics(ClosedForm[TransferConfig]):
    """f under which a linear model of the target moves as a linear model of the source does.

    With s' - s = A s + b_a fitted in the source, and o' - o = m_a(o) likewise in the target, f(o) = W o + c minimises
    the mean of |W m_a(o) - A (W o + c) - b_a|^2 over the target's samples: linear least squares in (W, c). Taking the
    model's displacement m rather than the sampled one matters where moves are blocked by chance, which would shrink W.
    """

    def learn(self, target: Samples, source: Samples) -> None:
        """Solve the three regressions: source model, target model, and the map."""
        d_T, d_S = self.d_target, self.d_source
        model, scale = self._model(source, source.states)
        A, b = model[:d_S].T, self._action_features(target) @ model[d_S:]
        mean, T = target.moments()
        white = root(T, -0.5)
        seen = (target.states - mean) @ white
        own, _ = self._model(target, seen)
        x = seen[:, 0]
        dx = x @ own[:d_T] + self._action_features(target) @ own[d_T:]
        # Residual k of a sample is sum_l W_kl dx_l - sum_jl A_kj W_jl x_l - sum_j A_kj c_j - b_k.
        design = np.einsum("kj,nl->nkjl", np.eye(d_S), dx) - np.einsum("kj,nl->nkjl", A, x)
        rows = np.concatenate([design.reshape(-1, d_S, d_S * d_T), np.broadcast_to(-A, (len(x), d_S, d_S))], axis=2)
        weight = np.sqrt(target.weights)[:, None] / scale
        X = (rows * weight[..., None]).reshape(-1, d_S * d_T + d_S)
        solution, _, rank, _ = np.linalg.lstsq(X, (b * weight).ravel(), rcond=RIDGE)
        W = solution[: d_S * d_T].reshape(d_S, d_T) @ white
        self.f = Affine(W, solution[d_S * d_T :] - W @ mean)
        self.fit = Fit(int(rank), d_S * d_T + d_S)

    def _model(self, samples: Samples, states: Floats) -> tuple[Floats, Floats]:
        """Coefficients [d + A, d] of the displacement by state and action, and its root mean square [d]."""
        displacement, root_ = states[:, 1] - states[:, 0], np.sqrt(samples.weights)[:, None]
        x = np.concatenate([states[:, 0], self._action_features(samples)], axis=1)
        found = np.linalg.lstsq(x * root_, displacement * root_, rcond=RIDGE)[0]
        return found, np.sqrt(samples.weights @ np.square(displacement)).clip(np.finfo(float).tiny)

    def _action_features(self, samples: Samples) -> Floats:
        """Actions as regressors: one-hot where they are discrete, else with a constant."""
        assert samples.actions is not None  # noqa: S101  collected with them
        taken = samples.actions[:, 0]
        space = self.ctx.env.single_action_space
        if isinstance(space, Discrete):
            return np.asarray(np.eye(self.ctx.num_actions)[taken - space.start])
        flat = taken.reshape(len(taken), -1)
        return np.concatenate([flat, np.ones((len(flat), 1))], axis=1)


class Cloning(ClosedForm[CloningConfig]):
    """Behaviour cloning: states are matched by transport at the identity, then a network learns the matched actions.

    The plan is that of the transition cost at the identity. The label of a target state is the mean of the source
    policy's actions over its matches; beyond 2,000 distinct samples, the action in the nearest source state. The new
    policy is a perceptron; the source policy does not change.
    """

    maps_states = False

    def __init__(self, ctx: Context, config: CloningConfig) -> None:
        super().__init__(ctx, config)
        if self.d_source != self.d_target:
            raise UsageError(
                f"tvd-cloning needs the same number of coordinates on both sides: the source has {self.d_source}, and "
                f"the target {self.d_target}."
            )
        self.clone: UndoMap | None = None
        self._space: Any = ctx.env.single_action_space

    def learn(self, target: Samples, source: Samples) -> None:
        """Match the states, then train the network."""
        cost = Cost.of("transition", source, lam_a=300.0, lam_d=10.0)
        matched = plan(self.f, target, source, cost, rng=self.ctx.stream("tvd")).coupling
        source_actions = self._source_actions(source)
        if matched is None:  # too many samples for the exact solver: the nearest state's action
            from scipy.spatial import cKDTree

            unit = cost.unit
            nearest = cKDTree(source.states[:, 0] / unit).query(target.states[:, 0] / unit)[1]
            labels = source_actions[nearest]
        else:
            labels = matched.barycentres(source_actions)
        o = target.states[:, :1]
        plain = Cost("state", np.eye(1), np.ones(source_actions.shape[1]))
        first = Affine(np.zeros((source_actions.shape[1], self.d_target)), labels.mean(axis=0))
        config = self.config
        clone = MLP.beginning(
            first, o[:, 0], plain.unit, self.ctx.stream("tvd"), hidden=config.hidden, steps=config.inner_steps,
            rate=config.inner_rate,
        )  # fmt: skip
        self.clone, self.fit = clone.fitted(Regression(o, labels[:, None], target.weights, plain))

    def _source_actions(self, source: Samples) -> Floats:
        """The source policy's actions in the source states: one-hot [m, A], or continuous [m, k]."""
        actions = self.policy_source.act(source.states[:, 0])
        space = self.ctx.env.single_action_space
        if isinstance(space, Discrete):
            return np.asarray(np.eye(self.ctx.num_actions)[actions - space.start])
        return np.asarray(actions, dtype=np.float64).reshape(len(actions), -1)

    def push(self, obs: Array) -> Array:
        """Actions [B, ...] of the cloned policy; before it is trained, the source policy's."""
        if self.clone is None:
            return super().push(obs)
        out, space = self.clone(np.asarray(obs, dtype=np.float64)), self._space
        if isinstance(space, Discrete):
            return out.argmax(axis=1) + space.start
        return np.clip(out.reshape(len(out), *space.shape), space.low, space.high).astype(space.dtype)

    def state(self) -> State:
        """See Transfer; with the cloned policy."""
        clone = None if self.clone is None else {"kind": self.clone.kind, **self.clone.state()}
        return {**super().state(), "clone": clone}

    def load_state(self, state: State) -> None:
        """Continue from ``state``."""
        super().load_state(state)
        self.clone = None if state["clone"] is None else restored_map(state["clone"])
