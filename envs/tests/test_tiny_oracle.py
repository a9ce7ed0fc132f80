"""The exact oracle of TinyComposite against known values, dynamic programmes, optimisers and sampling."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax
from zoo_envs.composite.oracle import Exact, TinyOracle, tiny_oracle, utility
from zoo_envs.composite.tiny_composite import TinyCompositeVector

Floats = NDArray[np.float64]
REFERENCE = np.array(
    [
        [0.30, 0.25, 0.05, 0.20, 0.20],
        [0.40, 0.10, 0.10, 0.15, 0.25],
        [0.35, 0.20, 0.05, 0.20, 0.20],
        [0.30, 0.20, 0.10, 0.10, 0.30],
        [0.45, 0.20, 0.10, 0.20, 0.05],
        [0.40, 0.20, 0.10, 0.15, 0.15],
    ]
)
SCORED = np.array([[0, 1, 1, 0, 0], [0, 0, 1, 1, 0]]) / 8  # what each token adds to r1 and r2


@pytest.fixture(scope="module")
def oracle() -> TinyOracle:
    return tiny_oracle()


def network(seed: int) -> Callable[[NDArray[np.float32]], Floats]:
    """A random policy that looks at the whole observation, not near the reference."""
    g = np.random.default_rng(seed)
    first, second = g.normal(size=(19, 16)), g.normal(size=(16, 5))
    return lambda obs: np.tanh(obs @ first) @ second


def walk(policy: Callable[[NDArray[np.float32]], Floats]) -> tuple[float, float, float]:
    """E r1, E r2 and KL by pushing mass forward over (previous token, counts), KL by the chain rule."""
    mass: dict[tuple[int, ...], float] = {(5, 0, 0, 0, 0, 0): 1.0}
    kl = 0.0
    for t in range(8):
        states = np.array(list(mass))
        obs = np.hstack([np.eye(8)[[t] * len(states)], np.eye(6)[states[:, 0]], states[:, 1:] / 8])
        log_p = log_softmax(policy(obs.astype(np.float32)), axis=1)
        following: dict[tuple[int, ...], float] = {}
        for (last, *counts), weight, row in zip(mass, mass.values(), log_p, strict=True):
            kl += weight * float(np.exp(row) @ (row - np.log(REFERENCE[last])))
            for a in range(5):
                key = (a, *(n + (k == a) for k, n in enumerate(counts)))
                following[key] = following.get(key, 0.0) + weight * float(np.exp(row[a]))
        mass = following
    r1, r2 = sum(weight * (SCORED @ np.array(state[1:])) for state, weight in mass.items())
    return float(r1), float(r2), kl


def chain(mu: Any) -> tuple[float, Floats]:
    """log Z and E r of pi0 exp(mu.r) / Z, by messages along the chain of tokens."""
    factor = REFERENCE * np.exp(np.asarray(mu) @ SCORED)
    forward, back = [factor[5]], [np.ones(5)]
    for _ in range(7):
        forward.append(forward[-1] @ factor[:5])
        back.append(factor[:5] @ back[-1])
    Z = float(forward[-1].sum())
    marginals = sum(f * b for f, b in zip(forward, back[::-1], strict=True)) / Z
    return float(np.log(Z)), SCORED @ marginals


def truth(mu: Any) -> float:
    log_Z, r = chain(mu)
    return float(utility(*r, np.dot(mu, r) - log_Z))


@pytest.mark.parametrize("seed", [0, 1])
def test_any_policy_against_a_forward_pass(oracle: TinyOracle, seed: int) -> None:
    exact = oracle.evaluate(network(seed))
    np.testing.assert_allclose([exact.r1, exact.r2, exact.kl], walk(network(seed)), rtol=1e-9)


def test_the_mean_quality_is_that_of_all_sequences(oracle: TinyOracle) -> None:
    """Against a sum over sequences written out one token at a time."""
    halves = list(product(range(5), repeat=4))
    r = np.array([SCORED[:, half].sum(axis=1) for half in halves])
    after = np.array([[np.prod(REFERENCE[(a, *half[:-1]), half]) for half in halves] for a in range(6)])
    # The last token of the first half is the previous one of the second.
    p = after[5][:, None] * after[[half[-1] for half in halves]]
    d = r[:, None] + r[None] - 0.5
    q = 1 - 2 * (d[..., 0] ** 2 + d[..., 1] ** 2 + 1.2 * d[..., 0] * d[..., 1])
    expected = float((p * q).sum())
    assert oracle.evaluate(np.log(REFERENCE)[oracle.observations[:, 8:14].argmax(1)]).quality == pytest.approx(expected)
    assert oracle.tilted((0.0, 0.0)).quality == pytest.approx(expected)


def scores_law(oracle: TinyOracle, log_prob: Floats) -> Floats:
    """The joint law [9, 9] of 8 r1 and 8 r2."""
    law = np.zeros((9, 9))
    np.add.at(law, tuple((oracle.r * 8).astype(int)), np.exp(log_prob))
    return law


def test_scores_are_independent_where_asked_and_only_there(oracle: TinyOracle) -> None:
    apart = tiny_oracle(independent=True)
    np.testing.assert_allclose(np.exp(apart.log_pi0).sum(), 1.0, rtol=1e-12)
    for mu in ([0.0, 0.0], [7.0, -3.0]):
        laws = []
        for one in (apart, oracle):
            log_p = one.log_pi0 + mu @ one.r
            law = scores_law(one, log_p - np.log(np.exp(log_p).sum()))
            laws.append(np.abs(law - law.sum(1, keepdims=True) * law.sum(0)).max())
        assert laws[0] < 1e-12 < 1e-3 < laws[1]
    # About as easy to score as with the other reference.
    near, far = apart.tilted((0.0, 0.0)), oracle.tilted((0.0, 0.0))
    np.testing.assert_allclose([near.r1, near.r2], [far.r1, far.r2], atol=0.03)


def loss(mu: Any, oracle: TinyOracle, separable: bool) -> float:
    exact = oracle.tilted(mu)
    return -float(utility(exact.r1, exact.r2, exact.kl, separable=separable))


def test_what_moves_proxy_points(oracle: TinyOracle) -> None:
    """Without correlated scores and without a product in the truth the points agree; either lowers the joint one."""
    shift = {}
    for independent in (False, True):
        one = tiny_oracle(independent=independent)
        for separable in (False, True):
            joint = one.joint_proxy_point(separable=separable)[1]
            best = minimize(loss, [5.0, 5.0], (one, separable), method="Nelder-Mead", options={"fatol": 1e-14})
            there = one.tilted(best.x)
            np.testing.assert_allclose([joint.r1, joint.r2], [there.r1, there.r2], atol=1e-5)
            own = [one.proxy_point(d, separable=separable)[1] for d in ((1.0, 0.0), (0.0, 1.0))]
            shift[independent, separable] = np.array([joint.r1 - own[0].r1, joint.r2 - own[1].r2])
    assert np.abs(shift[True, True]).max() < 1e-6
    np.testing.assert_allclose(shift[False, True], [-0.015, -0.0115], atol=5e-4)
    np.testing.assert_allclose(shift[True, False], [-0.073, -0.069], atol=5e-4)
    np.testing.assert_allclose(shift[False, False], [-0.080, -0.073], atol=5e-4)


def test_a_policy_is_a_function_or_its_values(oracle: TinyOracle) -> None:
    assert oracle.evaluate(network(3)) == oracle.evaluate(network(3)(oracle.observations))
    shifted = network(3)(oracle.observations) + np.arange(2311)[:, None]
    assert oracle.evaluate(shifted).kl == pytest.approx(oracle.evaluate(network(3)).kl, rel=1e-9)


def test_against_sampling_the_environment(oracle: TinyOracle) -> None:
    policy, g, n = network(5), np.random.default_rng(0), 20_000
    env = TinyCompositeVector(n)
    obs, _ = env.reset(seed=0)
    ratio = np.zeros(n)
    for _ in range(8):
        log_p = log_softmax(policy(obs), axis=1)
        actions = (np.exp(log_p).cumsum(1)[:, :4] < g.random((n, 1))).sum(1)
        obs, _, _, _, infos = env.step(actions)
        ratio += log_p[np.arange(n), actions] - infos["ref_logprob"]
    samples = np.column_stack([infos["constraints"].astype(float), ratio])
    exact = oracle.evaluate(policy)
    error = samples.std(0) / np.sqrt(n)
    assert (np.abs(samples.mean(0) - [exact.r1, exact.r2, exact.kl]) < 4 * error).all()
    assert error[0] < 2e-3 and error[2] < 2e-2


def test_observations_are_all_and_each_once(oracle: TinyOracle) -> None:
    possible = [
        [*np.eye(8)[sum(counts)], *np.eye(6)[last], *np.array(counts) / 8]
        for counts in product(range(8), repeat=5)
        if sum(counts) < 8
        for last in ([k for k in range(5) if counts[k]] or [5])
    ]
    assert oracle.observations.shape == (2311, 19) and oracle.observations.dtype == np.float32
    assert sorted(possible) == sorted(oracle.observations.tolist())
    assert (np.diff(oracle.observations[:, :8].argmax(1)) >= 0).all()


# Section 9: E r1, E r2, U and KL as printed there.
ROWS: dict[str, tuple[Callable[[TinyOracle], Exact], tuple[float, float, float, float]]] = {
    "reference": (lambda o: o.evaluate(lambda x: np.log(REFERENCE[x[:, 8:14].argmax(1)])), (0.2791, 0.2509, 0.6463, 0)),
    "r1 + r2": (lambda o: o.proxy_point((1, 1))[1], (0.460, 0.438, 0.9202, 1.26)),
    "joint": (lambda o: o.joint_proxy_point()[1], (0.4555, 0.4429, 0.9203, 1.26)),
    "joint x 0.9": (lambda o: o.project((0.4555 * 0.9, 0.4429 * 0.9))[1], (0.40995, 0.39861, 0.9042, 0.74)),
    "joint x 1.1": (lambda o: o.project((0.4555 * 1.1, 0.4429 * 1.1))[1], (0.50105, 0.48719, 0.9042, 1.91)),
    "well past": (lambda o: o.project((0.602, 0.581))[1], (0.602, 0.581, 0.7582, 3.76)),
    "all tokens 2": (
        lambda o: o.evaluate(np.tile([-np.inf, -np.inf, 0, -np.inf, -np.inf], (2311, 1))),
        (1, 1, 1 - 2 * 0.8 - 0.05 * -np.log(0.1 * 0.05**7), 23.27),
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_the_table_of_exact_values(oracle: TinyOracle, row: str) -> None:
    compute, (r1, r2, U, kl) = ROWS[row]
    exact = compute(oracle)
    np.testing.assert_allclose([exact.r1, exact.r2], [r1, r2], atol=6e-4)
    np.testing.assert_allclose(exact.U, U, rtol=0, atol=6e-5)
    assert exact.kl == pytest.approx(kl, abs=6e-3)


# A coarse search has .538 and .518: U is flat there, and these are the maxima themselves.
@pytest.mark.parametrize(
    ("direction", "r", "U"), [((1, 0), (0.5355, 0.2836), 0.8537), ((0, 1), (0.3087, 0.5155), 0.8635)]
)
def test_individual_proxy_points(
    oracle: TinyOracle, direction: tuple[int, int], r: tuple[float, float], U: float
) -> None:
    mu, exact = oracle.proxy_point(direction)
    found = minimize_scalar(lambda x: -truth(x * np.array(direction)), bounds=(0, 64), method="bounded")
    np.testing.assert_allclose(mu, found.x * np.array(direction), atol=1e-3)
    np.testing.assert_allclose(exact.U, -found.fun, rtol=0, atol=1e-9)
    np.testing.assert_allclose([exact.r1, exact.r2], r, atol=6e-5)
    np.testing.assert_allclose(exact.U, U, rtol=0, atol=6e-5)


MU = st.tuples(*[st.floats(-20, 20)] * 2)
INSIDE = st.tuples(*[st.floats(0.02, 0.98)] * 2)


@settings(max_examples=50, deadline=None)
@given(mu=MU)
def test_tilted_against_messages_along_the_chain(mu: tuple[float, float]) -> None:
    exact, (log_Z, r) = tiny_oracle().tilted(mu), chain(mu)
    np.testing.assert_allclose([exact.r1, exact.r2], r, rtol=1e-10)
    assert exact.kl == pytest.approx(np.dot(mu, r) - log_Z, abs=1e-10)


def test_tilted_against_the_enumeration(oracle: TinyOracle) -> None:
    mu = np.array([3.0, -7.0])
    log_weight = oracle.log_pi0 + mu @ oracle.r
    enumerated, tilted = oracle.expect(log_weight - np.log(np.exp(log_weight).sum())), oracle.tilted(mu)
    for name in ("r1", "r2", "kl", "U"):
        assert getattr(enumerated, name) == pytest.approx(getattr(tilted, name), rel=1e-10)


@settings(max_examples=50, deadline=None)
@given(theta=INSIDE)
def test_projection_attains_its_thresholds(theta: tuple[float, float]) -> None:
    mu, exact = tiny_oracle().project(theta)
    np.testing.assert_allclose(chain(mu)[1], theta, atol=1e-10)
    assert (exact.r1, exact.r2) == pytest.approx(theta, abs=1e-10)


def test_projection_against_bfgs(oracle: TinyOracle) -> None:
    theta = np.array([0.487, 0.460])
    found = minimize(lambda mu: chain(mu)[0] - mu @ theta, np.zeros(2), method="BFGS", options={"gtol": 1e-8})
    mu, exact = oracle.project(theta)
    np.testing.assert_allclose(mu, found.x, rtol=1e-4)
    assert exact.kl == pytest.approx(-found.fun, abs=1e-8)


def test_projection_is_nearest(oracle: TinyOracle) -> None:
    for seed in range(3):
        policy = oracle.evaluate(0.3 * network(seed)(oracle.observations))
        assert oracle.project((policy.r1, policy.r2))[1].kl < policy.kl


@pytest.mark.parametrize("theta", [(1e-6, 1 - 1e-6), (0.999, 0.999), (1e-9, 0.5), (0.3, 0.3)])
def test_projection_close_to_the_edge(oracle: TinyOracle, theta: tuple[float, float]) -> None:
    mu, exact = oracle.project(theta)
    assert (exact.r1, exact.r2) == pytest.approx(theta, abs=1e-11)
    assert np.isfinite(mu).all() and 0 <= exact.kl < 30


def test_joint_proxy_point_is_the_best_of_all(oracle: TinyOracle) -> None:
    mu, exact = oracle.joint_proxy_point()
    np.testing.assert_allclose(mu, [6.304, 6.709], atol=6e-4)
    found = minimize(lambda at: -truth(at), np.ones(2), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-13})
    np.testing.assert_allclose(mu, found.x, atol=1e-4)
    np.testing.assert_allclose(exact.U, -found.fun, rtol=0, atol=1e-11)
    best = oracle.log_pi0 + mu @ oracle.r
    for seed in range(4):  # nor does any other law do better, however near
        near = best + 0.1 * np.random.default_rng(seed).normal(size=best.size)
        assert oracle.expect(near - np.log(np.exp(near).sum())).U < exact.U
    for seed in range(4):
        assert oracle.evaluate(network(seed)).U < exact.U


def test_utility_takes_arrays() -> None:
    np.testing.assert_allclose(utility([0.5, 0.6, 0.4], 0.5, [0, 0, 2.0]), [1, 0.98, 0.88])


def test_sequences_are_in_lexicographic_order(oracle: TinyOracle) -> None:
    assert oracle.sequences.shape == (390_625, 8) and oracle.sequences.dtype == np.int8
    index = oracle.sequences.astype(int) @ 5 ** np.arange(7, -1, -1)
    np.testing.assert_array_equal(index, np.arange(390_625))
    for array in (oracle.sequences, oracle.r, oracle.log_pi0, oracle.observations):
        assert not array.flags.writeable


GOOD = np.zeros((2311, 5))


def changed(value: Any) -> Floats:
    logits = GOOD.copy()
    logits[7] = value
    return logits


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda o: o.evaluate(np.zeros((6, 5))), r"shape \(2311, 5\), got float64 of shape \(6, 5\)"),
        (lambda o: o.evaluate(lambda obs: obs), r"shape \(2311, 5\), got float32 of shape \(2311, 19\)"),
        (lambda o: o.evaluate(np.full((2311, 5), "a")), "logits must be numbers"),
        (lambda o: o.evaluate(changed(np.nan)), "logits of observation 7 must be finite"),
        (lambda o: o.evaluate(changed([0, 0, 0, 0, np.inf])), "logits of observation 7 must be finite"),
        (lambda o: o.evaluate(changed(-np.inf)), "logits of observation 7 must be finite"),
        (lambda o: o.expect(np.zeros(4)), r"log_prob must have shape \(390625,\), got \(4,\)"),
        (lambda o: o.expect(o.log_pi0 + 1), "sum to 1, their sum is 2.718"),
        (lambda o: o.expect(o.log_pi0 + np.nan), "sum to 1, their sum is nan"),
        (lambda o: o.tilted(3.0), "mu must be two numbers, for r1 and r2, got 3.0"),
        (lambda o: o.tilted((1.0, np.inf)), r"mu\[1\] must be a finite number, got inf"),
        (lambda o: o.project((0.5, 0.4, 0.3)), "theta must be two numbers"),
        (lambda o: o.project((0.5, 1.0)), "theta must lie strictly between 0 and 1"),
        (lambda o: o.project((-0.1, 0.4)), "theta must lie strictly between 0 and 1"),
        (lambda o: o.project((np.nan, 0.4)), r"theta\[0\] must be a finite number, got nan"),
        (lambda o: o.proxy_point((0, -1)), "direction must lie in"),
        (lambda o: o.proxy_point((2, 0)), "direction must lie in"),
    ],
)
def test_bad_input_is_one_sentence(oracle: TinyOracle, call: Callable[[TinyOracle], Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call(oracle)
