"""gymnasium's environments that list their transitions: the model is theirs."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from zoo.tabular import InvalidCMDPError, from_transitions, listed_model, policy_iteration


@pytest.mark.parametrize(
    ("name", "options", "terminal", "value"),
    [
        # The shortest ways: 6 steps over the lake, 13 around the cliff; the slippery lake's optimum is well known.
        ("FrozenLake-v1", {"is_slippery": False}, [5, 7, 11, 12, 15], 0.99**5),
        ("FrozenLake-v1", {}, [5, 7, 11, 12, 15], 0.5420259),
        ("CliffWalking-v1", {}, [47], -(1 - 0.99**13) / 0.01),
        ("Taxi-v4", {}, [0, 85, 410, 475], None),
    ],
)
def test_models_are_those_of_the_environments(name, options, terminal, value) -> None:
    env = gymnasium.make(name, **options)
    model = listed_model(env)()
    assert np.flatnonzero(model.terminal).tolist() == terminal
    plan = policy_iteration(model)
    if value is not None:
        assert model.rho @ plan.value / (1 - model.gamma) == pytest.approx(value, abs=1e-6)
    # What the environment pays on the way agrees with what the model says it is worth.
    totals = []
    for episode in range(200):
        state, _ = env.reset(seed=episode)
        total, discount, done = 0.0, 1.0, False
        while not done and discount > 1e-6:
            state, reward, done, _, _ = env.unwrapped.step(int(plan.policy[state]))
            total, discount = total + discount * float(reward), discount * model.gamma
        totals.append(total)
    expected = model.rho @ plan.value / (1 - model.gamma)
    assert abs(np.mean(totals) - expected) <= 4 * np.std(totals) / np.sqrt(len(totals)) + 1e-3


def test_what_the_table_does_not_tell_all_of_is_not_offered() -> None:
    assert listed_model(gymnasium.make("Taxi-v4", fickle_passenger=True)) is None
    assert listed_model(gymnasium.make("CartPole-v1")) is None
    doubled = gymnasium.wrappers.TransformReward(gymnasium.make("FrozenLake-v1"), lambda reward: 2 * reward)
    assert listed_model(doubled) is None
    assert listed_model(gymnasium.wrappers.TimeLimit(gymnasium.make("FrozenLake-v1"), 10)) is not None


def test_tables_that_make_no_process_are_refused() -> None:
    with pytest.raises(InvalidCMDPError, match="state 1 ends some episodes and not others"):
        from_transitions({0: {0: [(0.5, 1, 0, True), (0.5, 1, 0, False)]}, 1: {0: [(1.0, 0, 1, False)]}}, [1, 0])
    with pytest.raises(InvalidCMDPError, match="cannot be read"):
        from_transitions({0: {0: [(1.0, 0)]}}, [1])
    with pytest.raises(InvalidCMDPError, match=r"outside 0\.\.0"):
        from_transitions({0: {0: [(1.0, 1, 0, False)]}}, [1])
    with pytest.raises(InvalidCMDPError, match=r"P\[0, 0\] sums to 0.5"):
        from_transitions({0: {0: [(0.5, 0, 0, False)]}}, [1])
