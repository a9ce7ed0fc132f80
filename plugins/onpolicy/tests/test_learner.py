"""What the learner makes of a rollout: heads, bootstraps, objectives, early stops, devices, seeds at once."""

from __future__ import annotations

import copy

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from zoo_onpolicy.agent import PPO, OnPolicy
from zoo_onpolicy.learner import Learner, explained_variance
from zoo_onpolicy.loss import standardised
from zoo_onpolicy.objective import Objective

from zoo.api import Explicit
from zoo.errors import InterfaceError, UsageError


def collected(learner):
    rollout = learner.collector.collect(learner.network, [ctx.rng for ctx in learner.contexts])
    learner.estimate(rollout)
    return rollout


class Both(Objective):
    """Reward minus twice the constraint's advantage; counts transitions in its state."""

    def __init__(self, members):
        self.seen = [0] * members
        self.minibatches = []

    def mix(self, advantages, index):
        self.minibatches.append((advantages, index))
        return advantages[:, 0] - 2 * advantages[:, 1]

    def finish(self, rollout):
        for member in range(len(self.seen)):
            self.seen[member] += rollout.terminated[member].size
        return [{"train/seen": float(seen)} for seen in self.seen]

    def state(self, member):
        return {"seen": self.seen[member]}

    def load_state(self, member, state):
        self.seen[member] = state["seen"]


class Mixed(OnPolicy):
    @classmethod
    def make_objective(cls, contexts, config):
        return Both(len(contexts))


def test_there_is_a_head_for_the_reward_and_each_constraint(build, chain):
    learner = build.solo(chain).learner
    rollout = collected(learner)
    assert learner.heads == ("reward", "left")
    assert rollout.rewards.shape == (1, 2, 16, 3)
    np.testing.assert_array_equal(rollout.rewards[0, 1], rollout.actions[0] == 0)
    assert rollout.values.shape == rollout.advantages.shape == rollout.rewards.shape
    row = learner.update()[0]
    assert {"loss/value/reward", "loss/value/left", "train/explained_variance/left"} <= row.keys()


def test_the_first_head_learns_what_a_single_head_would(build, chain):
    """Actor and critics of a table share nothing, so further heads change nothing, unless the norm is clipped."""

    class Unconstrained(chain):
        constraint_spec = None

    runs = [build.solo(env, max_grad_norm=1e9, learning_rate=0.05) for env in (chain, Unconstrained)]
    for _ in range(3):
        first, second = (run.update() for run in runs)
        for name in ("loss/policy", "loss/value/reward", "train/entropy", "train/approx_kl"):
            assert first[name] == pytest.approx(second[name], rel=1e-4, abs=1e-6)


def test_values_at_a_time_limit_are_those_of_the_final_observation_and_zero_at_a_terminal_one(build, chain):
    learner = build.solo(chain, n_steps=40).learner
    learner.network.parameters.flat += np.random.default_rng(0).normal(size=learner.network.parameters.flat.shape)
    rollout = collected(learner)
    limit = rollout.truncated & ~rollout.terminated
    assert limit.sum() > 3
    assert rollout.terminated.sum() > 3
    table = learner.network.parameters.views["table"][0]
    # Replay what the environment did: the observation after each action is the place moved by it.
    place = rollout.obs[0] + np.where(rollout.actions[0] == 1, 1, -1)
    after = table[np.clip(place, 0, 3), 2:].transpose(2, 0, 1) * ~rollout.terminated[0]
    np.testing.assert_allclose(rollout.next_values[0], after, rtol=1e-5)


def test_an_earlier_critic_can_judge_the_same_transitions(build, chain):
    """What optimistic updates need: the advantages of the previous iteration's critic."""

    class Optimistic(Objective):
        previous = None

        def advantages(self, rollout):
            before = self.learner.network.parameters.flat if self.previous is None else self.previous
            values, next_values = self.learner.compute_values(rollout, before)
            old = self.learner.gae(rollout.signals, values, next_values, rollout.done)
            self.previous = self.learner.network.parameters.flat.copy()
            return 2 * rollout.advantages - old

    learner = Learner([build.context(chain)], build.config(learning_rate=0.05), Optimistic())
    rollout = collected(learner)
    np.testing.assert_allclose(learner.objective.advantages(rollout), rollout.advantages, rtol=1e-5)
    learner.improve(rollout)
    moved = collected(learner)
    found = learner.objective.advantages(moved)
    now, learner.network.parameters.flat[:] = learner.network.parameters.flat.copy(), 0.0
    learner.estimate(moved)  # zero values were those of the start, which the learner had at the first iteration
    assert np.abs(now).max() > 0
    fresh = moved.advantages.copy()
    learner.network.parameters.flat[:] = now
    learner.estimate(moved)
    np.testing.assert_allclose(found, 2 * moved.advantages - fresh, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("adv_norm", ["mixed", "each", "none"])
def test_an_objective_gets_every_transition_of_an_epoch_and_is_followed(build, chain, adv_norm):
    run = Mixed(build.context(chain), build.config(adv_norm=adv_norm, n_epochs=1, learning_rate=0.05))
    learner, objective = run.learner, run.learner.objective
    rollout = collected(learner)
    flat = rollout.advantages.reshape(1, 2, -1)
    steps = list(learner._minibatches(rollout))
    assert sorted(np.concatenate([batch.index[0] for batch in steps]).tolist()) == list(range(48))
    for batch in steps:
        np.testing.assert_array_equal(batch.advantages[0], flat[0][:, batch.index[0]])
        np.testing.assert_array_equal(batch.obs[0], rollout.obs.reshape(-1)[batch.index[0]])
        np.testing.assert_array_equal(
            batch.returns[0, 0], (flat + rollout.values.reshape(flat.shape))[0, 0, batch.index[0]]
        )
    weights = learner._coefficients()
    learner.gradient(steps[0], weights)
    seen, _ = objective.minibatches[-1]
    expected = standardised(steps[0].advantages) if adv_norm == "each" else steps[0].advantages
    np.testing.assert_allclose(seen, expected)
    followed = seen[:, 0] - 2 * seen[:, 1]
    if adv_norm == "mixed":
        followed = (followed - followed.mean()) / (followed.std(ddof=1) + 1e-8)
    # At the first step ratios are 1: the gradient by the logits is -A (1{a} - p) / M, summed by state.
    batch, grad = steps[0], np.zeros((4, 2))
    for state, one_hot, a in zip(batch.obs[0], batch.actions[0].T, followed[0], strict=True):
        grad[state] -= a * (one_hot - 0.5) / batch.obs.shape[1]
    np.testing.assert_allclose(learner.network.parameters.gradients["table"][0, :, :2], grad, atol=1e-5)


def test_reported_numbers_of_an_objective_and_its_memory_are_kept(build, chain):
    first, second = (Mixed(build.context(chain, seed), build.config()) for seed in (0, 1))
    assert first.update()["train/seen"] == 48
    second.load_state(first.state())
    assert second.update()["train/seen"] == 96


@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1", "chain"])
@pytest.mark.parametrize("reference_kl", [0.0, 0.5])
def test_seeds_at_once_learn_what_each_would_alone(build, chain, env, reference_kl):
    env = chain if env == "chain" else env
    options = {"learning_rate": (3e-3, 1e-3), "reference_kl": reference_kl, "ent_coef": 0.01, "budget": 1000}
    batch = build.batch(env, (3, 4, 5), **options)
    alone = [build.solo(env, seed, **options) for seed in (3, 4, 5)]
    for _ in range(3):
        rows = batch.update()
        for row, run in zip(rows, alone, strict=True):
            expected = run.update()
            assert row.keys() == expected.keys()
            np.testing.assert_allclose(list(row.values()), list(expected.values()), rtol=1e-3, atol=1e-5)
    for member, run in enumerate(alone):
        np.testing.assert_allclose(batch.member(member).state()["weights"], run.state()["weights"], rtol=0, atol=1e-5)
        assert batch.member(member).env_steps == run.env_steps == 144
    weights = [run.state()["weights"] for run in alone]
    assert np.abs(weights[0] - weights[1]).max() > 1e-3


def test_members_stop_early_each_for_itself(build):
    options = {"target_kl": 1e-3, "learning_rate": 3e-3, "n_epochs": 6}
    batch, alone = build.batch("CartPole-v1", (0, 1, 2, 3), **options), []
    for seed in (0, 1, 2, 3):
        run = build.solo("CartPole-v1", seed, **options)
        run.update()
        alone.append(run)
    batch.update()
    clocks = [run.learner.adam.t[0] for run in alone]
    assert len(set(clocks)) > 1
    assert min(clocks) < 12
    assert batch.member(0).learner.adam.t.tolist() == clocks
    for member, run in enumerate(alone):
        np.testing.assert_allclose(batch.member(member).state()["weights"], run.state()["weights"], atol=1e-5)


@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1", "chain"])
def test_torch_on_another_device_learns_the_same(build, chain, env):
    env = chain if env == "chain" else env
    config = build.config(reference_kl=0.1, clip_range_vf=0.3, ent_coef=0.01)
    contexts = [build.context(env) for _ in range(2)]
    elsewhere = copy.copy(contexts[1])
    object.__setattr__(elsewhere, "device", "cpu:0")  # any name but "cpu" is torch's business
    ours, theirs = Learner(contexts[:1], config), Learner([elsewhere], config)
    for _ in range(2):
        expected, found = ours.update()[0], theirs.update()[0]
        np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-3, atol=1e-5)
    assert type(theirs.network.parameters.flat).__module__ == "torch"
    np.testing.assert_allclose(theirs.state(0)["weights"], ours.state(0)["weights"], atol=1e-5)
    theirs.load_state(0, ours.state(0))
    obs = np.zeros((1, 2), np.int64) if env is chain else np.ones((1, 2, ours.encoder.size), np.float32)
    np.testing.assert_allclose(theirs.network.act(obs), ours.network.act(obs), atol=1e-6)


def test_a_reference_keeps_the_policy_near_its_start(build, chain):
    free, held = (build.solo(chain, learning_rate=0.05, n_epochs=8, reference_kl=kl) for kl in (1e-9, 10.0))
    for _ in range(4):
        apart = [run.update()["train/reference_kl"] for run in (free, held)]
    assert apart[1] < 0.2 * apart[0]


def test_an_objective_may_bring_its_own_reference(build, chain):
    class Biased(Objective):
        def reference(self, rollout):
            outputs = np.zeros_like(rollout.outputs)
            outputs[..., 1] = 2.0
            return outputs

    config = build.config(learning_rate=0.1, n_epochs=10, reference_kl=50.0)
    learner = Learner([build.context(chain)], config, Biased())
    for _ in range(10):
        learner.update()
    logits = learner.network.parameters.views["table"][0, :3, :2]
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], 2.0, atol=0.2)


@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1", "chain"])
def test_resuming_is_exact_and_acting_changes_nothing(build, chain, env):
    env = chain if env == "chain" else env
    options = {"reference_kl": 0.1, "copies": 2, "budget": 400, "learning_rate": (1e-2, 0.0)}
    whole = build.solo(env, 1, **options)
    whole.update()
    state, random = whole.state(), whole.ctx.rng.bit_generator.state
    env_states = copy.deepcopy(whole.ctx.env)
    resumed = build.solo(env, 2, **options)
    object.__setattr__(resumed.ctx, "env", env_states)
    resumed = type(resumed)(resumed.ctx, resumed.config)
    resumed.load_state(copy.deepcopy(state))
    resumed.env_steps = whole.env_steps
    resumed.ctx.rng.bit_generator.state = random
    obs = whole.ctx.env.observation_space.sample()
    for _ in range(2):
        whole.act(obs, greedy=False)
        assert whole.update() == resumed.update()
    np.testing.assert_array_equal(whole.state()["weights"], resumed.state()["weights"])
    np.testing.assert_array_equal(whole.state()["adam"]["v"], resumed.state()["adam"]["v"])


def test_sampled_actions_are_drawn_anew_and_go_on_where_they_were(build):
    whole, other = build.solo("Pendulum-v1", 1), build.solo("Pendulum-v1", 2)
    obs = np.zeros((4, 3), np.float32)
    first = whole.act(obs, greedy=False)
    assert not np.array_equal(first, whole.act(obs, greedy=False))
    other.load_state(copy.deepcopy(whole.state()))
    np.testing.assert_array_equal(other.act(obs, greedy=False), whole.act(obs, greedy=False))
    lacking = {name: part for name, part in whole.state().items() if name != "act"}
    with pytest.raises(InterfaceError, match="not saved by PPO with these options in this environment: 'act'"):
        other.load_state(lacking)


def test_restart_begins_with_fresh_episodes(build):
    run = build.solo("Pendulum-v1", n_steps=1)

    def ages():
        run.update()
        return [env.get_wrapper_attr("_elapsed_steps") for env in run.ctx.env.unwrapped.envs]

    assert [ages(), ages()] == [[1] * 3, [2] * 3]
    run.restart()
    assert ages() == [1] * 3


def test_actions_are_within_bounds_greedy_is_the_mean_and_samples_differ(build):
    run = build.solo("Pendulum-v1", network={"log_std_init": 2.0})
    obs = np.zeros((50, 3), np.float32)
    drawn = run.act(obs, greedy=False)
    assert drawn.shape == (50, 1)
    assert drawn.dtype == np.float32
    assert set(np.unique(np.sign(drawn))) == {-1.0, 1.0}
    assert np.abs(drawn).max() == 2.0
    assert np.ptp(run.act(obs)) == 0
    images = spaces.Box(0, 255, (4, 4, 3), np.uint8)

    class Pixels(gymnasium.Env):
        observation_space, action_space = images, spaces.Discrete(2, start=5)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return np.full((4, 4, 3), 255, np.uint8), {}

        def step(self, action):
            assert action in (5, 6)
            return np.full((4, 4, 3), 51, np.uint8), 0.0, False, False, {}

    run = build.solo(Pixels)
    run.update()
    assert run.learner.collector.obs.shape == (1, 3, 48)
    np.testing.assert_allclose(run.learner.collector.obs, 0.2, rtol=1e-6)
    assert set(run.act(np.zeros((9, 4, 4, 3), np.uint8), greedy=False)) <= {5, 6}


def test_discrete_observations_may_go_through_a_perceptron(build, chain):
    run = build.solo(chain, network={"kind": "mlp"})
    run.update()
    np.testing.assert_array_equal(run.learner.encoder([2, 0]), [[0, 0, 1, 0], [1, 0, 0, 0]])


@pytest.mark.parametrize("kind", ["table", "mlp"])
def test_a_policy_on_states_is_a_table_of_the_probabilities_it_acts_with(build, chain, kind):
    batch = build.batch(chain, (0, 1), network={"kind": kind, "policy_gain": 1.0}, learning_rate=0.05)
    batch.update()
    rollout = collected(batch.member(0).learner)
    for index in range(2):
        member = batch.member(index)
        table = member.policy()
        np.testing.assert_allclose(table.sum(axis=1), 1.0)
        states = rollout.obs[index] if kind == "table" else rollout.obs[index].argmax(-1)
        np.testing.assert_allclose(table[states, rollout.actions[index]], np.exp(rollout.log_prob[index]), rtol=1e-4)
        np.testing.assert_array_equal(table.argmax(axis=1), member.act(np.arange(4)))
        assert isinstance(member, Explicit)
    assert np.abs(batch.member(0).policy() - batch.member(1).policy()).max() > 1e-3
    assert not isinstance(build.solo("CartPole-v1"), Explicit)


def test_mistakes_are_one_sentence(build, chain):
    with pytest.raises(UsageError, match=r"needs discrete observations.*use 'mlp'"):
        build.solo("CartPole-v1", network={"kind": "table"})
    with pytest.raises(UsageError, match=r"vf_coef has 3 numbers: expected one, or one for each of .* reward, left"):
        build.solo(chain, vf_coef=(1.0, 2.0, 3.0))
    with pytest.raises(UsageError, match=r"gamma = 1\.5"):
        build.config(gamma=1.5)
    with pytest.raises(UsageError, match="batch_size = 0"):
        build.config(batch_size=0)
    with pytest.raises(UsageError, match="net_arch = 0"):
        build.config(network={"net_arch": (64, 0)})
    with pytest.raises(InterfaceError, match="update the batch"):
        build.batch(chain, (0, 1)).member(0).update()
    with pytest.raises(InterfaceError, match="not saved by PPO with these options"):
        build.solo(chain).load_state(build.solo("CartPole-v1").state())

    class Tuples(chain):
        observation_space = spaces.Tuple([spaces.Discrete(2)])

    class Flags(chain):
        action_space = spaces.Box(0, 3, (2,), np.int64)

    with pytest.raises(InterfaceError, match="expected Discrete, MultiDiscrete, MultiBinary or a Box of real numbers"):
        build.solo(Flags)

    class Silent(chain):
        def step(self, action):
            return (*super().step(action)[:4], {})

    with pytest.raises(InterfaceError, match=r'no info\["constraints"\]'):
        PPO(build.context(Silent, recorded=False), build.config()).update()


@pytest.mark.parametrize(
    ("left", "total", "share"), [(1.0, 4.0, 0.75), (8.0, 4.0, -1.0), (1.0, 0.0, 0.0), (1.0, 1e-310, 0.0)]
)
def test_the_explained_variance_is_finite(left, total, share):
    assert explained_variance(left, total) == share
