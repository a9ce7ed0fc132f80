"""The alternation: monotone, exact at a fixed plan, and blind to how samples are written down."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_tvd import undo
from zoo_tvd.alternation import alternate, plan
from zoo_tvd.cost import Cost
from zoo_tvd.maps.affine import Affine
from zoo_tvd.policy_term import envelope_gradient
from zoo_tvd.samples import Samples
from zoo_tvd.starts import by_dynamics, gromov, orthogonal, whitened

TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
STEPS = np.array([[-1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, -1.0]])


def walks(n: int, seed: int, A: Any = None) -> tuple[Any, Any, Any]:
    """Transitions in the plane with four moves, seen through A."""
    rng = np.random.default_rng(seed)
    s, a = rng.uniform(-1, 1, (n, 2)) * [1.0, 2.0], rng.integers(4, size=n)
    a[:4] = np.arange(4)  # both sides know all of them
    after = s + 0.3 * STEPS[a]
    A = np.eye(len(s[0])) if A is None else A
    return s @ A.T, a, after @ A.T


@given(
    st.integers(0, 1000),
    st.sampled_from(["state", "state-action", "transition"]),
    st.sampled_from(["affine", "orthogonal"]),
)
@settings(max_examples=15, deadline=None)
def test_the_objective_never_rises_on_a_fixed_batch(seed: int, cost: Any, kind: Any) -> None:
    rng = np.random.default_rng(seed)
    found = undo(walks(25, seed), walks(20, seed + 1, rng.standard_normal((2, 2))), cost=cost, map=kind, iterations=8)
    values = np.array(found.objective)
    assert (np.diff(values) <= 1e-9 * values[:-1] + 1e-15).all()


@pytest.mark.parametrize("kind", ["state", "transition", "trajectory"])
def test_the_envelope_term_is_a_weighted_regression_exactly(kind: Any) -> None:
    rng = np.random.default_rng(0)
    T = {"state": 1, "transition": 2, "trajectory": 6}[kind]
    source, target = (
        Samples.of(rng.standard_normal((n, T, 2)), rng.integers(3, size=(n, max(1, T - 1)))) for n in (18, 14)
    )
    cost = Cost.of(kind, source, lam_a=5.0, lam_d=3.0)
    f = Affine(rng.standard_normal((2, 2)), rng.standard_normal(2))
    planned = plan(f, target, source, cost)
    P = planned.coupling.plan  # type: ignore[union-attr]

    def at_fixed_plan(g: Affine) -> float:
        return float((P * cost.matrix(g(target.states), target, source)).sum())

    # The two differ by a constant: what the plan costs beyond the regression onto its barycentres.
    rest = at_fixed_plan(f) - planned.regression.value(f(target.states))
    for _ in range(4):
        g = Affine(rng.standard_normal((2, 2)), rng.standard_normal(2))
        assert at_fixed_plan(g) - planned.regression.value(g(target.states)) == pytest.approx(rest, rel=1e-10)
    # And at a map where the optimal plan is unique, its derivative is that of the transport objective itself.
    direction, h = rng.standard_normal(6), 1e-6
    ends = [plan(f.moved(f.parameters + s * h * direction), target, source, cost).value for s in (1, -1)]
    assert envelope_gradient(f, planned.regression) @ direction == pytest.approx(
        (ends[0] - ends[1]) / (2 * h), rel=1e-5
    )


def test_merging_duplicates_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    states = np.round(rng.standard_normal((60, 2, 1)))
    samples = Samples.of(states, rng.integers(2, size=(60, 1)))
    merged = samples.merged()
    assert len(merged) < 40
    assert merged.weights.sum() == pytest.approx(1, abs=1e-15)
    for mine, its in zip(samples.moments(), merged.moments(), strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-12)
    source = Samples.of(rng.standard_normal((30, 2, 1)), rng.integers(2, size=(30, 1)))
    cost = Cost.of("transition", source, lam_a=2.0, lam_d=1.0)
    f = Affine.identity(1)
    whole, few = (alternate(f, part, source, cost, iterations=3, tol=0) for part in (samples, merged))
    np.testing.assert_allclose(whole.objective[0], few.objective[0], rtol=1e-10)


def test_units_do_not_matter() -> None:
    source, target = walks(40, 2), walks(40, 3, TURN)
    scaled = [(10 * s, a, 10 * after) for s, a, after in (source, target)]
    one, other = undo(source, target), undo(*scaled)
    np.testing.assert_allclose(one.objective, other.objective, rtol=1e-8)
    np.testing.assert_allclose(one.f.W, other.f.W, rtol=1e-6)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["affine", "mlp"])
@pytest.mark.parametrize("unit", [1e-6, 1e6])
@pytest.mark.parametrize("side", ["source", "target", "both"])
def test_units_of_either_side_do_not_matter(kind: Any, unit: float, side: str) -> None:
    """The answer in another unit is the answer, in that unit."""
    source, target = walks(60, 6), walks(60, 6, TURN)
    k, h = (unit if side in (name, "both") else 1.0 for name in ("source", "target"))
    scaled = [(factor * s, a, factor * after) for factor, (s, a, after) in ((k, source), (h, target))]
    found = undo(*scaled, map=kind, inner_steps=30)
    error = np.abs(found.f(scaled[1][0]) - scaled[0][0]).max() / k
    assert error < {"affine": 1e-6, "mlp": 0.05}[kind]
    assert found.identifiable


def test_transitions_tell_a_rotation_and_states_do_not() -> None:
    source, target = walks(300, 4), walks(300, 4, TURN)
    told = undo(source, target)
    np.testing.assert_allclose(told.f.W @ TURN, np.eye(2), atol=1e-6)  # type: ignore[attr-defined, arg-type]
    assert (told.identifiable, told.rank, told.converged) == (True, 3, True)
    states = undo(source[0], target[0], cost="state")
    assert np.abs(states.f.W @ TURN - np.eye(2)).max() > 0.5  # type: ignore[attr-defined]


def test_more_starts_find_what_the_identity_misses() -> None:
    source, target = walks(60, 5), walks(60, 5, -np.diag([1.0, 0.4]))
    one = undo(source[0], target[0], cost="state")
    nine = undo(source[0], target[0], cost="state", starts=8)
    assert nine.objective[-1] <= one.objective[-1]


@pytest.mark.parametrize("solver", ["entropic", "sliced"])
def test_other_solvers_find_the_same_rotation(solver: Any) -> None:
    found = undo(walks(150, 6), walks(150, 6, TURN), solver=solver, iterations=15)
    np.testing.assert_allclose(found.f.W @ TURN, np.eye(2), atol=0.15)  # type: ignore[attr-defined, arg-type]
    assert (found.plan is None) == (solver == "sliced")


def test_gromov_wasserstein_begins_between_different_dimensions() -> None:
    rng = np.random.default_rng(7)
    lift = np.linalg.qr(rng.standard_normal((3, 3)))[0][:, :2]  # an isometry of the plane into space
    source = walks(120, 8)
    target = tuple(part @ lift.T if index != 1 else part for index, part in enumerate(source))
    both: Any = [Samples.of(np.stack([s, t], 1), a[:, None]) for s, a, t in (target, source)]
    assert gromov(both[0], both[1], rng).W.shape == (2, 3)
    with pytest.warns(RuntimeWarning, match="rank 3 of 4") as told:  # the target lies in a plane
        found = undo(source, target)
    assert len(told) == 1  # once a call, however often it refits
    assert len(found.objective) > 2
    np.testing.assert_allclose(found.f(target[0]), source[0], atol=1e-3)


def test_whitened_maps_match_mean_and_covariance() -> None:
    s, o = (Samples.of(walks(50, seed)[0][:, None] + seed) for seed in (1, 2))
    f = whitened(o, s, orthogonal(2, np.random.default_rng(0)))
    moved = Samples(f(o.states), None, o.weights)
    for mine, its in zip(moved.moments(), s.moments(), strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-10)


def test_states_are_known_by_what_the_actions_do_around_them() -> None:
    rng = np.random.default_rng(9)
    S, A = 12, 3
    table = rng.integers(S, size=(S, A))
    table[rng.random((S, A)) < 0.3] = -1
    table = np.where(table < 0, np.arange(S)[:, None], table)
    s, a = np.repeat(np.arange(S), A), np.tile(np.arange(A), S)
    eye, order = np.eye(S), rng.permutation(S)
    source = Samples.of(np.stack([eye[s], eye[table[s, a]]], 1), a[:, None])
    target = Samples.of(source.states[..., order], a[:, None])
    f = by_dynamics(target, source)
    np.testing.assert_array_equal(f(target.states), source.states)


def test_signatures_need_neither_two_actions_nor_all_of_them_on_both_sides() -> None:
    eye, order = np.eye(4), np.array([2, 0, 3, 1])
    chain = np.array([0, 1, 2]), np.array([1, 2, 3])
    once = Samples.of(np.stack([eye[chain[0]], eye[chain[1]]], 1), np.zeros((3, 1), dtype=int))
    f = by_dynamics(Samples.of(once.states[..., order], once.actions), once)
    assert sorted(f.order) == [0, 1, 2, 3]
    more = Samples.of(once.states, np.array([[0], [1], [2]]))
    assert sorted(by_dynamics(once, more).order) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: undo(np.zeros((0, 2)), np.zeros((3, 2)), cost="state"), "the source is empty"),
        (lambda: undo([[0.0], [1.0]], [[np.nan], [1.0]], cost="state"), "not finite"),
        (lambda: undo(walks(5, 0), walks(5, 1)[:2]), "expected \\(s, a, s'\\)"),
        (lambda: undo((np.zeros((3, 2)), [0, 1], np.zeros((3, 2))), walks(5, 1)), "3 states and 2 actions"),
        (lambda: undo(walks(5, 0), walks(5, 1), map="linear"), "map must be"),  # type: ignore[arg-type]
        (lambda: undo(walks(5, 0), walks(5, 1), iterations=0), "iterations = 0"),
        (lambda: undo(np.zeros((2, 4, 1)), np.zeros((2, 3, 1)), cost="trajectory"), "padded with the last"),
        (lambda: undo(np.eye(3), np.eye(2), cost="state", map="permutation"), "as many coordinates"),
        (
            lambda: undo([[0.0], [1e200]], [[0.0], [1.0]], cost="state"),
            "as large as 1e\\+200: expected at most 1e\\+150",
        ),
        (lambda: undo([[0.0], [1e-200]], [[0.0], [1.0]], cost="state"), "by 1e-200 at most: expected at least 1e-150"),
        (
            lambda: undo(Samples.of(np.ones((2, 1, 1))), walks(5, 0)),
            "samples of 1 state: expected 2 for the cost transi",
        ),
        (lambda: undo(Samples.of(np.ones((2, 2, 1))), np.ones((2, 2, 1)), cost="transition"), "has 2 parts|0 parts"),
    ],
)
def test_bad_input_is_told(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def with_actions(change: Any) -> Any:
    """A target with other actions."""
    s, a, after = walks(9, 1)
    return s, change(a), after


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cost": "foo"}, "cost must be one of state"),
        ({"solver": "foo"}, "solver must be one of auto"),
        ({"lam_a": np.inf}, "lam_a = inf: expected a finite number"),
        ({"lam_d": np.inf}, "lam_d = inf"),
        ({"lam_d": np.nan}, "lam_d = nan"),
        ({"hidden": 0, "map": "mlp"}, "hidden = 0"),
        ({"inner_steps": 0, "map": "mlp"}, "inner_steps = 0"),
        ({"inner_rate": -1, "map": "mlp"}, "inner_rate = -1"),
        ({"starts": 1.5}, "starts = 1.5: expected a whole number"),
        ({"starts": True}, "starts = True: expected a whole number"),
        ({"lam_a": "3"}, "lam_a = '3': expected a finite number"),
        ({"tol": None}, "tol = None: expected a finite number"),
        ({"inner_rate": "fast"}, "inner_rate = 'fast': expected a finite number"),
        ({"seed": -1}, "seed = -1: expected a whole number, at least 0"),
        ({"seed": "x"}, "seed = 'x': expected a whole number"),
        ({"target": with_actions(lambda a: a % 2)}, r"actions \[0, 1\] and the source \[0, 1, 2, 3\]"),
        ({"target": with_actions(lambda a: a + 7)}, r"actions \[7, 8, 9, 10\]"),
        ({"target": with_actions(lambda a: a[:, None] + 0.5)}, r"continuous, \[n, 1\] and the source's discrete"),
        ({"target": with_actions(lambda a: None)}, "the target has no actions"),
        ({"target": with_actions(lambda a: np.array(list("abcd"))[a])}, "of type <U1: expected real numbers"),
        ({"target": with_actions(lambda a: a[:, None] * np.nan)}, "action 0 of the target is not finite"),
        (
            {
                "source": with_actions(lambda a: np.stack([a, a], 1) * 0.5),
                "target": with_actions(lambda a: a[:, None] * 0.5),
            },
            r"continuous, \[n, 1\] and the source's continuous, \[n, 2\]",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(options: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        undo(**{"source": walks(9, 0), "target": walks(9, 1), "iterations": 2, **options})


@pytest.mark.parametrize("solver", ["exact", "entropic", "sliced"])
def test_objectives_are_plain_floats(solver: Any) -> None:
    assert {
        type(value)
        for value in undo(walks(20, 0)[0], walks(20, 1)[0], cost="state", solver=solver, iterations=2).objective
    } == {float}


def test_far_from_the_origin_the_same_map_is_found() -> None:
    (s, a, after), far = walks(80, 6), 1e7
    o, moved = (part @ TURN.T + far for part in (s, after))
    W = undo((s + far, a, after + far), (o, a, moved), iterations=30).f.W  # type: ignore[attr-defined]
    np.testing.assert_allclose(W @ TURN, np.eye(2), atol=1e-5)


def test_the_unit_of_one_coordinate_does_not_matter() -> None:
    (s, a, after), unit = walks(60, 6, TURN), np.array([1.0, 1e-10])
    found = undo(walks(60, 6), (s * unit, a, after * unit), iterations=30)
    assert (found.rank, found.identifiable) == (3, True)
    flat = walks(60, 6)[0] * [1.0, 0.0]
    with pytest.warns(RuntimeWarning, match="rank 2 of 3"):
        assert not undo(walks(60, 6)[0], flat, cost="state").identifiable
