"""Default policies: the vote by hand, its floor, distillation, masks, and their states."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from zoo_rpo.defaults import BETA_MIN, DefaultPolicy, Distilled, Frozen, MajorityVote, MaskedInput, Uniform
from zoo_rpo.distributions import FLOOR, Categorical, DiagonalGaussian
from zoo_rpo.models import Table, TorchModel
from zoo_rpo.regularisers import KLForward, KLReverse

from zoo import UsageError


def chooses(*actions: int) -> Any:
    """A policy that nearly always takes these actions in the states 0, 1, ..."""
    return lambda states: Categorical(5 * np.eye(3)[np.array(actions)[states]])


def test_the_vote_by_hand() -> None:
    vote = MajorityVote(states=3, actions=3, tau=10.0)
    states = np.array([0, 1])
    for policy in (chooses(0, 2), chooses(1, 2), chooses(0, 2)):
        vote.observe_task(policy, states)
    np.testing.assert_allclose(vote.mean[:2], [[2 / 3, 1 / 3, 0], [0, 0, 1]])
    beta = np.exp(-3 / 10)
    odds = np.exp(vote.mean / np.array([[beta], [beta], [1.0]]))
    np.testing.assert_allclose(vote.distribution(np.arange(3)).p, odds / odds.sum(-1, keepdims=True), rtol=1e-9)
    assert vote.count.tolist() == [3, 3, 0]


def test_counts_of_states_and_of_tasks() -> None:
    each, all_ = MajorityVote(2, 3), MajorityVote(2, 3, count="global")
    for vote in (each, all_):
        vote.observe_task(chooses(1, 1), np.array([0, 1]))
        vote.observe_task(chooses(1, 1), np.array([0]))
    np.testing.assert_allclose(each.beta, np.exp([-0.2, -0.1]))
    np.testing.assert_allclose(all_.beta, np.exp([-0.2, -0.2]))


def test_states_that_the_policy_never_visits_may_be_left_out() -> None:
    vote = MajorityVote(2, 3, visited_only=True, min_visits=1.0)
    vote.observe_task(chooses(1, 1), np.array([0, 1]), np.array([1.0, 0.99]))
    assert vote.count.tolist() == [1, 0]


def test_ten_thousand_tasks_stay_finite() -> None:
    vote = MajorityVote(1, 2)
    vote.count[:], vote.mean[0] = 10_000, [0.4, 0.6]
    assert vote.beta.tolist() == [BETA_MIN]
    p = vote.distribution(np.array([0])).p
    assert np.isfinite(p).all() and p[0, 0] == pytest.approx(FLOOR, rel=1e-4) and p.sum() == pytest.approx(1)


def test_the_vote_prefers_what_most_policies_do(rng: np.random.Generator) -> None:
    votes = rng.integers(3, size=(40, 5))
    vote = MajorityVote(5, 3)
    for row in votes:
        vote.observe_task(chooses(*row), np.arange(5))
    shares = np.stack([(votes == a).mean(0) for a in range(3)], -1)
    np.testing.assert_allclose(vote.mean, shares, atol=1e-12)
    assert (vote.distribution(np.arange(5)).p.argmax(-1) == shares.argmax(-1)).all()


@pytest.mark.parametrize("regulariser", [KLForward(), KLReverse()])
def test_distilled_finds_the_weighted_optimum(regulariser: Any) -> None:
    """With two teachers in one state: under KL(q, p) the normalised geometric mean, under KL(p, q) the mean."""
    teachers, weights = np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([0.75, 0.25])
    default = Distilled(Table(1, 2, learning_rate=0.5), regulariser=regulariser)
    for _ in range(2000):
        default.update(np.array([0, 0]), Categorical(np.log(teachers)), weights)
    mean = weights @ teachers
    geometric = np.exp(weights @ np.log(teachers))
    expected = mean if isinstance(regulariser, KLReverse) else geometric / geometric.sum()
    np.testing.assert_allclose(default.distribution(np.array([0])).p[0], expected, atol=1e-6)


def test_distilled_with_a_module_of_torch_and_gaussians(rng: np.random.Generator) -> None:
    torch.manual_seed(0)
    module = torch.nn.Linear(2, 2)
    model = TorchModel(module, torch.optim.Adam(module.parameters(), lr=0.05))
    default = Distilled(model, DiagonalGaussian)
    obs = torch.as_tensor(rng.standard_normal((64, 2)), dtype=torch.float32)
    teacher = DiagonalGaussian(torch.stack([obs[:, 0] - obs[:, 1], torch.full((64,), -0.5)], 1))
    before = float(teacher.kl(default.distribution(obs)).mean())
    for _ in range(150):
        default.update(obs, teacher)
    after = float(teacher.kl(default.distribution(obs)).mean())
    assert after < 0.01 < before
    other = torch.nn.Linear(2, 2)
    copy = Distilled(TorchModel(other, torch.optim.Adam(other.parameters(), lr=0.05)), DiagonalGaussian)
    copy.load_state(default.state())
    for one in (default, copy):
        one.update(obs, teacher)
    assert torch.equal(module.weight, other.weight)


def test_joined_tables_learn_what_they_would_alone(rng: np.random.Generator) -> None:
    def build() -> list[Distilled]:
        return [Distilled(Table(3, 2, 0.5), scale=2.0) for _ in range(4)]

    together, alone = build(), build()
    whole = Distilled.stacked(together)
    assert whole is not None
    for _ in range(5):
        policy, weights = rng.standard_normal((4, 3, 2)), rng.random((4, 3))
        whole.update(np.arange(12), Categorical(policy.reshape(12, 2)), weights.reshape(-1))
        for member, default in enumerate(alone):
            default.update(np.arange(3), Categorical(policy[member]), weights[member])
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one.state()["rows"], other.state()["rows"])


def test_masks() -> None:
    inner = Distilled(Table(4, 2, learning_rate=1.0))
    masked = MaskedInput(inner, keep=[3], states=4)
    masked.update(np.array([1, 3]), Categorical.of(np.array([[0.9, 0.1], [0.1, 0.9]])))
    p = masked.distribution(np.arange(4)).p[:, 0]
    assert p[0] == p[1] == p[2] > 0.5 > p[3]
    seen: list[Any] = []

    class Noting(Uniform):
        def distribution(self, obs: Any) -> Any:
            seen.append(obs)
            return super().distribution(obs)

    vectors = MaskedInput(Noting(actions=2, dims=1), keep=slice(1, 3))
    vectors.distribution(np.arange(8.0).reshape(2, 4))
    assert seen[0].tolist() == [[1.0, 2.0], [5.0, 6.0]]
    with pytest.raises(UsageError, match="expected numbers of the 4 states"):
        MaskedInput(inner, keep=[4], states=4)


@pytest.mark.parametrize("visits", [None, [3.0, 2.0, 2.0, 0.0]])
def test_a_vote_behind_a_mask_counts_what_looks_alike_once(visits: Any) -> None:
    """States 0 to 2 look alike: each task has one vote of theirs, that of the action they take most often."""
    vote = MajorityVote(4, 3)
    masked = MaskedInput(vote, keep=[3], states=4)
    masked.observe_task(chooses(0, 1, 1, 2), np.arange(4), None if visits is None else np.array(visits))
    masked.observe_task(chooses(1, 1, 1, 2), np.array([2, 3]))
    assert vote.count.tolist() == [2, 0, 0, 2]
    assert vote.mean[0].tolist() == [0, 1, 0] and vote.mean[3].tolist() == [0, 0, 1]
    p = masked.distribution(np.arange(4)).p
    assert (p[0] == p[1]).all() and (p.argmax(-1) == [1, 1, 1, 2]).all()


def test_visits_of_states_that_look_alike_are_summed() -> None:
    vote = MajorityVote(4, 3, visited_only=True, min_visits=1.0)
    MaskedInput(vote, [3], 4).observe_task(chooses(0, 1, 1, 2), np.arange(4), np.array([0.7, 0.2, 0.2, 0.9]))
    assert vote.count.tolist() == [1, 0, 0, 0] and vote.mean[0].tolist() == [1, 0, 0]


def test_a_frozen_default_comes_back_from_its_state() -> None:
    source = Frozen(np.array([[0.8, 0.2], [0.5, 0.5]]))
    other = Frozen(np.array([[0.1, 0.9], [0.5, 0.5]]))
    other.load_state(source.state())
    assert np.array_equal(source.distribution(np.arange(2)).p, other.distribution(np.arange(2)).p)


def test_frozen_is_floored_and_uniform_is_uniform() -> None:
    p = Frozen(np.array([[1.0, 0.0]])).distribution(np.array([0, 0])).p
    assert p.shape == (2, 2) and (p[:, 1] > 0).all()
    found = Uniform(actions=3, dims=1).distribution(np.zeros((5, 7)))
    assert found.p.shape == (5, 3)


@pytest.mark.parametrize(
    "default", [MajorityVote(3, 3), Distilled(Table(3, 3, 0.3)), MaskedInput(Distilled(Table(3, 3, 0.3)), [0], 3)]
)
def test_states_survive(default: DefaultPolicy) -> None:
    policy = chooses(0, 1, 2)
    default.observe_task(policy, np.arange(3))
    default.update(np.arange(3), policy(np.arange(3)))
    saved = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in default.state().items()}
    before = default.distribution(np.arange(3)).p
    default.update(np.arange(3), chooses(2, 2, 2)(np.arange(3)))
    default.observe_task(chooses(2, 2, 2), np.arange(3))
    assert not np.array_equal(before, default.distribution(np.arange(3)).p)
    default.load_state(json.loads(json.dumps(saved)))
    assert np.array_equal(before, default.distribution(np.arange(3)).p)


@pytest.mark.parametrize("name", ["divergences", "distributions", "regularisers", "defaults"])
def test_examples_in_docstrings(name: str) -> None:
    import doctest
    import importlib

    found = doctest.testmod(importlib.import_module(f"zoo_rpo.{name}"))
    assert found.attempted and not found.failed


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: MajorityVote(2, 2, count="bogus"), "count is 'bogus': expected state or global"),
        (lambda: MajorityVote(2, 2, tau=0.0), "tau = 0.0: expected a number above 0"),
        (lambda: MajorityVote(2, 2, tau=float("nan")), "tau = nan: expected a number above 0"),
        (lambda: MajorityVote(2, 2, min_visits=-1.0), "min_visits = -1.0: expected a number of at least 0"),
        (lambda: MajorityVote(0, 2), "states = 0: expected at least 1"),
        (lambda: MajorityVote(2, 0), "actions = 0: expected at least 1"),
        (lambda: Uniform(0), "actions = 0: expected at least 1"),
        (lambda: MajorityVote(3, 3).observe_task(chooses(0, 1, 2), np.array([1, 0, 1])), "obs has state 1 2 times"),
        (lambda: MajorityVote(3, 3).observe_task(chooses(0, 1, 2), np.array([1]), np.ones(2)), "visits have shape"),
        (lambda: Frozen(np.array([[np.nan, 1.0]])), "policy holds a NaN"),
        (lambda: Frozen(np.array([[-0.5, 1.5]])), "policy holds -0.5"),
        (lambda: Frozen(np.array([[0.5, 0.6]])), "the sum of policy differs from 1 by 0.1"),
        (
            lambda: Frozen(np.array([0.5, 0.5])),
            r"policy is a ndarray of shape \[2\]: expected a function, or a numpy array",
        ),
        (lambda: Frozen(torch.tensor([[0.5, 0.5]])), r"policy is a Tensor of shape \[1, 2\]: expected a function, or"),
    ],
)
def test_what_no_default_can_be_made_of_is_refused(make: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make()
