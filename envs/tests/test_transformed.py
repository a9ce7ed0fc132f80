"""Transformations of observations: their inverses, and that nothing else of an environment changes."""

from __future__ import annotations

from typing import Any, get_args

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from zoo_envs.control.cart_pole import CartPole, CartPoleVector
from zoo_envs.transformed.cart_pole import CartPoleTransformed, CartPoleTransformedVector
from zoo_envs.transformed.grid import TvDGrid, TvDGridVector, source_observations
from zoo_envs.transformed.transformations import Affine, named
from zoo_envs.transformed.wrapper import Transformed, TransformedEnv
from zoo_envs_plugin.options.transformed import TransformName

NAMES = get_args(TransformName)
points = arrays(np.float64, (5, 3), elements=st.floats(-3, 3))


@pytest.mark.parametrize("name", NAMES)
@given(x=points, seed=st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_the_inverse_undoes_and_rows_are_apart(name: TransformName, x: Any, seed: int) -> None:
    g = named(name, 3, seed)
    y = g.forward(x)
    np.testing.assert_allclose(g.inverse(y), x, atol=1e-9)
    assert g.invertible
    for row, seen in zip(x, y, strict=True):  # bit for bit: a stack of environments must see what each sees
        np.testing.assert_array_equal(g.forward(row[None])[0], seen)
        np.testing.assert_array_equal(g.forward(row), seen)


def test_the_matrices_that_are_documented() -> None:
    x = np.array([0.2, -0.7])
    expected = {
        "identity": x, "rot90": [0.7, 0.2], "rot180": -x, "reflection": [-0.2, -0.7], "swap": [-0.7, 0.2],
        "shift": x + np.array([0.5, -0.3]), "scale": [0.4, -0.35], "shear": [0.2 - 0.56, -0.7],
    }  # fmt: skip
    for name, seen in expected.items():
        np.testing.assert_allclose(named(name, 2).forward(x), seen, atol=1e-15)  # type: ignore[arg-type]
    factors = np.linalg.svd(named("affine", 6, 4).affine[0])[1]  # type: ignore[index]
    assert ((factors >= 0.5) & (factors <= 2.0)).all()
    assert sorted(named("permutation", 5, 2).forward(np.arange(5.0))) == [0, 1, 2, 3, 4]


def test_a_map_that_loses_a_coordinate_is_allowed_and_says_so() -> None:
    g = Affine.of([[1.0, 0.0], [0.0, 0.0]], [1.0, 2.0])
    assert not g.invertible
    np.testing.assert_allclose(g.inverse(g.forward([3.0, 5.0])), [3.0, 0.0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: named("rot9", 2), "did you mean rot90"),  # type: ignore[arg-type]
        (lambda: named("swap", 1), "needs two coordinates"),
        (lambda: named("affine", 2, -1), "transform_seed"),
        (lambda: Affine.of([[1.0, 2.0]]), "square"),
        (lambda: Affine.of([[np.nan]]), "finite"),
        (lambda: TvDGrid(observation="pixels"), "one-hot"),
        (lambda: TransformedEnv(base="os:Thing-v0"), "import a module"),
        (lambda: TransformedEnv(base="CartPole-v9"), "cannot be made"),
        (lambda: TransformedEnv(base="FrozenLake-v1"), "expected a Box"),
        (lambda: Transformed(gymnasium.make("CartPole-v1"), named("affine", 3)), "Box of 3 numbers"),
    ],
)
def test_bad_arguments_are_told(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_the_grid_is_the_one_that_is_described() -> None:
    env = TvDGrid()
    model, cells = env.model(), env.grid.cells
    assert model.P.shape == (44, 4, 44)
    blocked = {(2, 1), (2, 2), (2, 3), (4, 4), (4, 5)}
    where = [(int(cell) // 7, int(cell) % 7) for cell in cells]
    assert not blocked & set(where)
    goal = where.index((6, 5))
    assert model.terminal.nonzero()[0].tolist() == [goal]
    assert model.rho[goal] == 0
    np.testing.assert_allclose(np.delete(model.rho, goal), 1 / 43)
    for s, (r, c) in enumerate(where):
        for a, (down, right) in enumerate([(-1, 0), (0, 1), (1, 0), (0, -1)]):
            there = (r + down, c + right)
            if s != goal:
                assert model.P[s, a, where.index(there) if there in where else s] == 1
    np.testing.assert_allclose(env.source_states, (np.array(where) - 3) / 3)


@pytest.mark.parametrize("name", NAMES)
def test_the_grid_shows_g_of_the_source(name: TransformName) -> None:
    one, other = TvDGridVector(8, transform=name), TvDGridVector(8, transform=name).make_source(8)
    here, there = one.reset(seed=3)[0], other.reset(seed=3)[0]
    for step in range(40):
        np.testing.assert_allclose(here, one.transformation.forward(there), atol=1e-6)
        action = (np.arange(8) + step) % 4
        here, *rest, _ = one.step(action)
        there, *others, _ = other.step(action)
        for mine, its in zip(rest, others, strict=True):
            np.testing.assert_array_equal(mine, its)


def test_one_hot_states_are_permuted() -> None:
    env = TvDGrid(observation="one-hot", transform="permutation", transform_seed=5)
    obs, _ = env.reset(seed=0)
    assert obs.sum() == 1
    assert source_observations("one-hot").shape == (44, 44)


def test_cart_pole_is_that_of_gymnasium_seen_through_g() -> None:
    one, plain = CartPoleTransformed(transform_seed=7), CartPole()
    many = CartPoleTransformedVector(1, transform_seed=7)
    here, there, its = one.reset(seed=2)[0], plain.reset(seed=2)[0], many.reset(seed=2)[0]
    for step in range(60):
        np.testing.assert_array_equal(here, one.transformation.forward(there).astype(np.float32))
        np.testing.assert_array_equal(its[0], here)
        here, *rest, _ = one.step(step % 2)
        there, *_ = plain.step(step % 2)
        its, *_ = many.step(np.array([step % 2]))
        if rest[1]:
            here, there = one.reset()[0], plain.reset()[0]
    assert isinstance(many.make_source(3), CartPoleVector)
    assert CartPoleTransformedVector.stacked([many, CartPoleTransformedVector(1, transform_seed=8)]) is None


def test_any_environment_with_vectors() -> None:
    env, plain = TransformedEnv(base="Pendulum-v1", transform="rot90"), gymnasium.make("Pendulum-v1")
    here, there = env.reset(seed=1)[0], plain.reset(seed=1)[0]
    for _ in range(5):
        np.testing.assert_allclose(here, [-there[1], there[0], there[2]], atol=1e-6)
        assert here.dtype == np.float32
        here, there = env.step(np.array([0.5]))[0], plain.step(np.array([0.5]))[0]
    source = env.make_source(2)
    assert source.reset(seed=0)[0].shape == (2, 3)


def test_a_task_of_the_control_suite() -> None:
    pytest.importorskip("dm_control")
    import zoo_envs  # noqa: F401  registers the ids

    env = TransformedEnv(base="zoo/DMC-reacher-easy-speed-v0", base_options={"threshold": 1.0}, transform_seed=3)
    source = env.make_source(1)
    here, there = env.reset(seed=4)[0], source.reset(seed=4)[0]
    np.testing.assert_allclose(here, env.transformation.forward(there[0]), atol=1e-5)


def test_one_task_of_a_family_by_options_that_are_words_and_numbers() -> None:
    pytest.importorskip("dm_control")
    import zoo_envs  # noqa: F401  registers the ids

    options: dict[str, int | float | str] = {"tasks": "balance", "observe_task": 0, "action_repeat": 2}
    env = TransformedEnv(base="zoo/DMC-cartpole-family-v0", base_options=options, transform="reflection")
    assert env.observation_space.shape == (5,)
    here, there = env.reset(seed=4)[0], env.make_source(1).reset(seed=4)[0][0]
    np.testing.assert_allclose(here, there * [-1, 1, 1, 1, 1], atol=1e-6)
    with pytest.raises(ValueError, match="balance, swingup"):
        TransformedEnv(base="zoo/DMC-cartpole-family-v0", base_options={"tasks": "balanse"})


def test_an_environment_without_a_render_mode_can_be_the_base() -> None:
    class Still(gymnasium.Env[Any, Any]):
        observation_space = gymnasium.spaces.Box(-1, 1, (2,))
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            return np.ones(2, np.float32), {}

        def step(self, action: Any) -> Any:
            return np.ones(2, np.float32), 0.0, False, False, {}

    gymnasium.register("Still-v0", Still)  # type: ignore[arg-type]
    try:
        assert TransformedEnv(base="Still-v0", transform="rot180").reset()[0].tolist() == [-1, -1]
        with pytest.raises(ValueError, match="cannot be made"):
            TransformedEnv(base="Still-v0", base_options={"colour": "red"})
    finally:
        del gymnasium.registry["Still-v0"]
