"""Several discrete actions at once against the joint distribution, enumerated; observations of several parts."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from zoo_onpolicy.distributions import MultiCategorical, distribution_on
from zoo_onpolicy.observations import ObservationEncoder

from zoo.errors import InterfaceError
from zoo.testing import check_algorithm

NVEC = [2, 3, 2]
SPACE = spaces.MultiDiscrete(NVEC, start=[0, 5, -1])
ALL = np.array(list(itertools.product(*map(range, NVEC))))
SHORT = {"n_steps": 16, "batch_size": 24, "n_epochs": 2}


class Locks(gymnasium.Env[Any, Any]):
    """Three dials, each to be set to the number that is shown; binary or not."""

    def __init__(self, binary: bool = False) -> None:
        nvec = [2, 2, 2] if binary else [3, 2, 4]
        kind: Any = spaces.MultiBinary(3) if binary else spaces.MultiDiscrete(nvec)
        self.observation_space, self.action_space, self.nvec = kind, kind, np.array(nvec)

    def _draw(self) -> Any:
        self.shown = self.np_random.integers(self.nvec).astype(self.observation_space.dtype)
        return self.shown.copy()

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return self._draw(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward = float((action == self.shown).mean())
        self.t += 1
        return self._draw(), reward, False, self.t >= 10, {}


for name, binary in (("Dials-v0", False), ("Switches-v0", True)):
    gymnasium.register(name, entry_point=Locks, kwargs={"binary": binary})


@pytest.fixture
def outputs() -> Any:
    return np.random.default_rng(0).normal(0, 1, (1, 7, len(ALL)))


def joint(outputs: Any) -> Any:
    """Probabilities [M, actions] of all combinations, by softmax of each part."""
    ends = np.cumsum(NVEC)
    parts = [np.exp(outputs[0, end - n : end]) for end, n in zip(ends, NVEC, strict=True)]
    parts = [part / part.sum(0) for part in parts]
    return np.stack([np.prod([part[i] for part, i in zip(parts, combo, strict=True)], axis=0) for combo in ALL], axis=1)


def test_scores_are_those_of_the_joint_distribution(outputs):
    family = distribution_on(SPACE)
    assert isinstance(family, MultiCategorical) and family.outputs == 7
    reference = np.random.default_rng(1).normal(0, 1, outputs.shape)
    encoded = np.swapaxes(family.encode(ALL)[None], 1, 2)
    scored = family.score(outputs, encoded, reference)
    p, q = joint(outputs), joint(reference)
    np.testing.assert_allclose(scored.log_prob[0], np.log(p[np.arange(len(ALL)), np.arange(len(ALL))]), rtol=1e-9)
    np.testing.assert_allclose(scored.entropy[0], -(p * np.log(p)).sum(1), rtol=1e-9)
    np.testing.assert_allclose(scored.kl[0], (p * np.log(p / q)).sum(1), rtol=1e-9)


def test_derivatives_are_difference_quotients(outputs):
    family, g = distribution_on(SPACE), np.random.default_rng(2)
    reference, encoded = g.normal(0, 1, outputs.shape), np.swapaxes(family.encode(ALL)[None], 1, 2)
    weights = [g.normal(0, 1, (1, len(ALL))) for _ in range(3)]

    def total(at: Any) -> Any:
        scored = family.score(at, encoded, reference)
        return sum((w * x).sum() for w, x in zip(weights, (scored.log_prob, scored.entropy, scored.kl), strict=True))

    found = family.gradient(family.score(outputs, encoded, reference), *weights)
    for index in np.ndindex(outputs.shape):
        step = np.zeros_like(outputs)
        step[index] = 1e-6
        quotient = (total(outputs + step) - total(outputs - step)) / 2e-6
        assert found[index] == pytest.approx(quotient, rel=1e-5, abs=1e-7)


def test_samples_have_the_joint_frequencies(outputs):
    family = distribution_on(SPACE)
    logits = np.broadcast_to(outputs[0, :, 0].astype(np.float32), (40_000, 7))
    actions = family.sample(logits, family.noise(np.random.default_rng(3), (40_000,)))
    p = joint(outputs)[0]
    counts = np.array([(actions == combo).all(1).mean() for combo in ALL])
    np.testing.assert_allclose(counts, p, atol=5 * np.sqrt(0.25 / 40_000))
    assert SPACE.contains(family.to_env(actions)[0])
    assert joint(outputs)[0].argmax() == np.flatnonzero((family.mode(logits[:1])[0] == ALL).all(1))[0]


def test_observations_of_several_parts_are_one_hot():
    encoder = ObservationEncoder(SPACE, "auto")
    assert encoder.shape == (7,) and not encoder.as_indices
    obs = np.array([[0, 5, -1], [1, 7, 0]])
    np.testing.assert_array_equal(encoder(obs), [[1, 0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 1, 0, 1]])
    grid = ObservationEncoder(spaces.MultiDiscrete([[2, 2], [2, 3]]), "auto")
    assert grid(np.array([[[0, 1], [1, 2]]])).tolist() == [[1, 0, 0, 1, 0, 1, 0, 0, 1]]
    assert ObservationEncoder(spaces.MultiBinary((2, 2)), "auto")(np.eye(2, dtype=np.int8)[None]).tolist() == [
        [1, 0, 0, 1]
    ]


@pytest.mark.parametrize("env", ["Dials-v0", "Switches-v0"])
def test_conformance(env):
    check_algorithm("ppo-native", env, steps=16 * 2 * 4, config=SHORT, num_envs=2)


def test_the_dials_are_set(build):
    for binary in (False, True):
        agent = build.solo(
            lambda b=binary: Locks(b), copies=8, n_steps=32, batch_size=64, n_epochs=10, learning_rate=0.01
        )
        for _ in range(40):
            agent.update()
        total, _ = agent.ctx.episode_return(agent.act)
        assert total > 9.5


def test_a_mapping_is_told_what_to_type():
    with pytest.raises(InterfaceError, match="expected Box, Discrete, MultiDiscrete or MultiBinary") as told:
        ObservationEncoder(spaces.Dict({"a": spaces.Discrete(2)}), "auto")
    assert "--env.flatten-observation true" in told.value.hint


def test_an_exported_policy_chooses_as_the_agent_does(build):
    torch = pytest.importorskip("torch")
    agent = build.solo("Dials-v0")
    agent.update()
    assert agent.policy_module() is None, "observations are encoded before the network"

    class Numbers(Locks):
        def __init__(self) -> None:
            super().__init__()
            self.observation_space = spaces.Box(0, 9, (3,), np.float32)

    agent = build.solo(Numbers)
    agent.update()
    obs = np.random.default_rng(0).uniform(0, 4, (50, 3)).astype(np.float32)
    np.testing.assert_array_equal(agent.policy_module()(torch.as_tensor(obs)).numpy(), agent.act(obs))
