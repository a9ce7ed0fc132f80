"""The registered representations: conformance, exact tables by brute force, batches, and their interface."""

from __future__ import annotations

import numpy as np
import pytest
from zoo_envs.grids.basic_grid import BasicGridVector
from zoo_envs.grids.four_rooms import FourRoomsVector
from zoo_successor.config import LambdaConfig, SRConfig
from zoo_successor.learning.tables import FR, SR, Lambda

from zoo import Context, DiminishingRewards, Grid, InterfaceError, Problem, Transitions, UsageError
from zoo.tabular import TabularCMDP
from zoo.testing import check_representation

CLASSES = {"sr": (SR, SRConfig, 1.0), "fr": (FR, SRConfig, 0.0), "lambda": (Lambda, LambdaConfig, 0.5)}


def context(env, seed=0):
    model = TabularCMDP.from_model(env.model())
    diminishing = getattr(env, "diminishing", None)
    env.reset(seed=seed)
    return Context(
        env=env, seed=seed, rng=np.random.default_rng(seed),
        problem=Problem(
            model=lambda: model,
            diminishing=None if diminishing is None else DiminishingRewards.of(diminishing),
            grid=Grid.of(env.grid),
        ),
    )  # fmt: skip


def make(name, env=None, **fields):
    cls, config, _ = CLASSES[name]
    return cls(context(BasicGridVector(num_envs=2) if env is None else env), config(**fields))


@pytest.mark.parametrize(
    ("name", "fields"), [("sr", {"init": "zero"}), ("fr", {"action_values": True, "power": 0.6}), ("lambda", {})]
)
def test_conformance(name, fields):
    check_representation(name, "four-rooms", config=fields, steps=256, num_envs=4)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("actions", [False, True])
def test_solution_is_the_sum_over_paths(name, actions):
    """A deterministic policy: follow it and add up, in plain Python."""
    representation, lam = make(name, action_values=actions), CLASSES[name][2]
    model, gamma = representation.ctx.problem.tabular, representation.gamma
    S, A = model.r.shape
    following = np.asarray(model.P).argmax(-1)
    chosen = np.random.default_rng(5).integers(A, size=S)
    found = representation.solve(model, np.eye(A)[chosen])
    for s in range(S):
        for a in range(A) if actions else [None]:
            truth, counts, t = np.zeros(S), np.zeros(S), s
            for k in range(300):
                truth[t] += gamma**k * lam ** counts[t]
                counts[t] += 1
                t = following[t, chosen[t] if k or a is None else a]
            np.testing.assert_allclose(found[s] if a is None else found[s, a], truth, atol=1e-8)


@pytest.mark.parametrize("init", ["identity", "zero"])
@pytest.mark.parametrize("name", CLASSES)
def test_a_terminal_state_has_its_one_visit_learned_or_solved(name, init):
    representation = make(name, FourRoomsVector(num_envs=1), init=init)
    end = int(np.flatnonzero(representation.ctx.problem.tabular.terminal)[0])
    model = representation.ctx.problem.tabular
    exact = representation.solve(model, np.full(model.r.shape, 0.25))
    for table in (exact, representation.table()):
        np.testing.assert_allclose(table[end], np.eye(len(table))[end], atol=1e-12)


def test_the_three_are_one_column_scaling_apart():
    tables = {name: make(name) for name in CLASSES}
    model = tables["sr"].ctx.problem.tabular
    M, F, Phi = (one.solve(model, np.full(model.r.shape, 0.25)) for one in tables.values())
    d = np.diag(M)
    np.testing.assert_allclose(F, M / d, atol=1e-12)
    np.testing.assert_allclose(Phi, M / (0.5 + 0.5 * d), atol=1e-12)


def test_value_with_counts_is_the_value_of_what_remains():
    representation = make("lambda")
    representation.set_table(np.random.default_rng(0).random((16, 16)))
    w, counts = np.arange(16.0), np.arange(16) % 3
    expected = [sum(representation.table()[s, j] * w[j] * 0.5 ** counts[j] for j in range(16)) for s in range(16)]
    np.testing.assert_allclose(representation.value(w, counts), expected)
    np.testing.assert_allclose(representation.value(w), representation.table() @ w)


def test_action_values_through_the_model_are_those_of_a_table_with_actions():
    plain, full = make("lambda"), make("lambda", action_values=True)
    model = plain.ctx.problem.tabular
    policy = np.random.default_rng(1).dirichlet(np.ones(4), size=16)
    plain.set_table(plain.solve(model, policy))
    full.set_table(full.solve(model, policy))
    w, states = np.linspace(-1, 1, 16), np.array([3, 0, 15])
    np.testing.assert_allclose(plain.q(states, w), full.q(states, w), atol=1e-12)
    np.testing.assert_allclose((full.table() * policy[..., None]).sum(1), plain.table(), atol=1e-12)


def test_columns_and_features_are_parts_of_the_table():
    plain, full = make("sr"), make("sr", action_values=True)
    rng = np.random.default_rng(2)
    plain.set_table(rng.random((16, 16)))
    full.set_table(rng.random((16, 4, 16)))
    np.testing.assert_array_equal(plain.columns([2, 7]), plain.table()[:, [2, 7]])
    np.testing.assert_array_equal(full.columns([2]), full.table()[:, :, [2]])
    np.testing.assert_array_equal(plain.features(np.array([5, 5])), plain.table()[[5, 5]])
    np.testing.assert_array_equal(full.features(np.array([5]), np.array([3])), full.table()[[5], [3]])
    np.testing.assert_allclose(full.features(np.array([5])), full.table()[5].mean(0)[None])


def transitions(rng, shape, S=16, A=4):
    return Transitions(
        obs=rng.integers(S, size=shape), action=rng.integers(A, size=shape), reward=np.zeros(shape),
        next_obs=rng.integers(S, size=shape), terminated=rng.random(shape) < 0.2, truncated=np.zeros(shape, dtype=bool),
    )  # fmt: skip


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("actions", [False, True])
def test_a_batch_of_seeds_is_its_members_bit_for_bit(name, actions):
    cls, config, _ = CLASSES[name]
    config = config(action_values=actions, power=0.6, alpha=1.0)
    contexts = [context(BasicGridVector(num_envs=2), seed) for seed in range(3)]
    whole = cls.batch(contexts, config)
    alone = [cls(ctx, config) for ctx in contexts]
    assert len(whole) == 3
    rng = np.random.default_rng(3)
    for _ in range(3):
        batch = transitions(rng, (3, 6))
        rows = whole.update(batch)
        for n, one in enumerate(alone):
            own = Transitions(**{k: getattr(batch, k)[n] for k in
                                 ("obs", "action", "reward", "next_obs", "terminated", "truncated")})  # fmt: skip
            assert one.update(own) == rows[n]
            np.testing.assert_array_equal(whole.member(n).table(), one.table())
            np.testing.assert_array_equal(whole.member(n).visits, one.visits)


def test_restoring_a_member_reaches_the_batch():
    contexts = [context(BasicGridVector(num_envs=2), seed) for seed in range(2)]
    whole = SR.batch(contexts, SRConfig())
    saved = {name: np.array(value) for name, value in whole.member(1).state().items()}
    batch = transitions(np.random.default_rng(0), (2, 4))
    whole.update(batch)
    moved = whole.member(1).table().copy()
    whole.member(1).load_state(saved)
    whole.update(batch)
    np.testing.assert_array_equal(whole.member(1).table(), moved)
    assert whole.member(0).visits.sum() == 2 * whole.member(1).visits.sum()


def test_copies_learn_step_by_step_and_not_all_at_once():
    """Two rounds of one copy: the second must see what the first has learned."""
    representation = SR(context(BasicGridVector(num_envs=1)), SRConfig(alpha=1.0, gamma=0.5))
    zeros = np.zeros(2, dtype=bool)
    representation.update(Transitions(
        obs=np.array([1, 0]), action=np.zeros(2, dtype=int), reward=np.zeros(2), next_obs=np.array([2, 1]),
        terminated=zeros, truncated=zeros,
    ))  # fmt: skip
    assert representation.table()[0, [0, 1, 2]].tolist() == [1.0, 0.5, 0.25]


def test_the_next_action_is_averaged_with_the_frequencies_seen():
    learner = SR(context(BasicGridVector(num_envs=1)), SRConfig(alpha=1.0, gamma=0.5, action_values=True))
    zeros = np.zeros(1, dtype=bool)

    def show(s, a, t):
        learner.update(Transitions(
            obs=np.array([s]), action=np.array([a]), reward=np.zeros(1), next_obs=np.array([t]), terminated=zeros,
            truncated=zeros,
        ))  # fmt: skip

    for s, a, t in ((1, 2, 7), (1, 2, 7), (1, 2, 7), (1, 0, 9)):
        show(s, a, t)
    seen = np.eye(16)[1] + 0.5 * (0.75 * np.eye(16)[7] + 0.25 * np.eye(16)[9])
    np.testing.assert_allclose(learner.features(np.array([1]))[0], seen)
    show(3, 1, 1)
    np.testing.assert_allclose(learner.table()[3, 1], np.eye(16)[3] + 0.5 * seen)


def test_lambda_comes_from_the_option_then_the_environment_then_a_half():
    assert set(make("lambda", lam=0.2).lam) == {0.2}
    assert set(make("lambda", BasicGridVector(num_envs=1, lam=0.8)).lam) == {0.8}
    assert set(make("lambda", FourRoomsVector(num_envs=1)).lam) == {0.5}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lam": 1.2}, r"lambda = 1.2: expected a number in \[0, 1\]"),
        ({"gamma": 1.0}, r"gamma = 1.0: expected a number in \[0, 1\)"),
        ({"alpha": 0.0}, r"alpha = 0.0: expected a number in \(0, 1\]"),
        ({"power": 2.0}, r"power = 2.0"),
    ],
)
def test_options_out_of_range(fields, message):
    with pytest.raises(UsageError, match=message):
        LambdaConfig(**fields)


def test_bad_states_and_tables_are_refused():
    representation = make("sr")
    with pytest.raises(InterfaceError, match=r"integers in \[0, 16\)"):
        representation.features(np.array([16]))
    with pytest.raises(InterfaceError, match="are no states"):
        representation.features(np.array([0.5]))
    with pytest.raises(UsageError, match=r"shape \(3, 3\): expected \(16, 16\)"):
        representation.set_table(np.eye(3))
