"""Trees: the published shape, values against sampling and enumeration, task distributions against their law."""

from __future__ import annotations

from itertools import product

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.tasks import FiniteTasks
from zoo_envs.trees.random_tree import RandomTree, RandomTreeTask, random_tree
from zoo_envs.trees.two_rooms import Tree, TreeTask, distribution, tree
from zoo_envs_plugin.options.trees import TreeConfig


def softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    return odds / odds.sum(-1, keepdims=True)


def by_paths(model: object, p: np.ndarray, node: int) -> float:
    """The value by following every path, with nothing shared with the recursion under test."""
    if model.leaf[node]:  # type: ignore[attr-defined]
        return 0.0
    children = model.children[node]  # type: ignore[attr-defined]
    return sum(p[node, a] * (model.reward[c] + by_paths(model, p, c)) for a, c in enumerate(children))  # type: ignore[attr-defined]


def test_the_only_way_to_a_goal_of_type_1() -> None:
    env = TreeTask(goals=(22,), doors=(17,)).make()
    for actions in product((0, 1), repeat=7):
        env.reset(seed=0)
        total, length = 0.0, 0
        for action in actions:
            _, reward, terminated, truncated, _ = env.step(action)
            total, length = total + reward, length + 1
            assert not truncated
            if terminated:
                break
        assert terminated and length <= 7
        # right four times from 1 to 17, any way through the door, then left twice and right
        assert total == float(actions[:4] == (1, 1, 1, 1) and actions[5:] == (0, 1))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["type1", "type2"]))
def test_exact_value_equals_the_sum_over_paths(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    task = distribution(TreeConfig(kind=kind)).sample(rng)  # type: ignore[arg-type]
    logits = 2 * rng.standard_normal((2, 3, 24, 2))
    found = task.make().exact_value(logits)
    expected = [by_paths(tree(task), softmax(one), 0) for one in logits.reshape(-1, 24, 2)]
    np.testing.assert_allclose(found, np.reshape(expected, (2, 3)), rtol=1e-11)


def test_exact_and_optimal_value_of_a_random_tree_by_enumeration_of_policies() -> None:
    task = RandomTreeTask(seed=5, depth=3, sparsity=0.4)
    model, env = random_tree(task), task.make()
    decisions = np.concatenate(model.levels)
    best = -np.inf
    for choice in product((0, 1), repeat=len(decisions)):
        p = np.zeros((len(model.children), 2))
        p[decisions, choice] = 1.0
        best = max(best, by_paths(model, p, 0))
    assert env.optimal_value() == pytest.approx(best)
    logits = np.random.default_rng(0).standard_normal(model.children.shape)
    assert float(env.exact_value(logits)) == pytest.approx(by_paths(model, softmax(logits), 0))


def test_exact_value_against_episodes() -> None:
    task = TreeTask(goals=(21, 24), doors=(17,))
    env, rng = task.make(), np.random.default_rng(3)
    logits = np.zeros((24, 2))
    logits[:, 1] = 1.0
    p, total, count = softmax(logits), 0.0, 4000
    for _ in range(count):
        node, _ = env.reset()
        ended = False
        while not ended:
            node, reward, ended, _, _ = env.step(int(rng.random() < p[node, 1]))
            total += reward
    value = float(env.exact_value(logits))
    assert total / count == pytest.approx(value, abs=5 * np.sqrt(value * (1 - value) / count))


def test_the_law_of_tasks_against_its_definition() -> None:
    rng, count = np.random.default_rng(0), 20_000
    drawn: dict[tuple[int, ...], int] = {}
    for _ in range(count):
        n = min(rng.geometric(0.5), 4)
        chosen = tuple(sorted(set(rng.choice([12, 13, 14, 15], n).tolist())))
        drawn[chosen] = drawn.get(chosen, 0) + 1
    tasks = distribution(TreeConfig(kind="type2"))
    listed = list(tasks.tasks())
    assert len(listed) == 15 and all(task.goals == (24,) for task in listed)
    found = [task.doors for task in tasks.sample_many(np.random.default_rng(1), count)]
    for doors in {task.doors for task in listed}:
        share, other = drawn.get(doors, 0) / count, found.count(doors) / count
        assert share == pytest.approx(other, abs=6 * np.sqrt(0.25 / count))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"goals": (18,), "doors": (17,)}, "goals must be leaves"),
        ({"goals": (17,), "doors": (17,)}, "goals must be leaves"),
        ({"goals": (24,), "doors": (11,)}, "doors must be nodes of 12 to 17"),
        ({"goals": (25,), "doors": (17,)}, "goals must be an integer in"),
    ],
)
def test_impossible_tasks_are_refused(fields: dict[str, tuple[int, ...]], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        TreeTask(**fields)  # type: ignore[arg-type]


def test_bad_actions_and_steps_after_the_end_are_refused() -> None:
    env = Tree()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action must be an integer in"):
        env.step(2)
    env.step(1)
    env.step(0)
    with pytest.raises(RuntimeError, match="the episode is over"):
        env.step(0)


@pytest.mark.parametrize("options", [{"kind": "type3"}, {"observation": "pixels"}, {"gamma": 1.0}])
def test_bad_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
        Tree(**options)  # type: ignore[arg-type]


def test_random_trees_follow_their_description() -> None:
    shapes = []
    for seed in range(300):
        model = random_tree(RandomTreeTask(seed=seed, depth=4, sparsity=0.5))
        depth, inner = model.depth, ~model.leaf
        grown = (model.reward == depth) & (depth >= 1)
        assert (model.children[0] == [1, 2]).all()
        reached = np.flatnonzero(model.leaf & (depth >= 0))
        assert (grown[reached] | (model.reward[reached] == -1)).all()
        for node in np.flatnonzero(inner & (depth >= 0)):
            costs = model.reward[model.children[node]] == -1
            assert costs.sum() <= 1 and model.leaf[model.children[node][costs]].all()
        shapes.append(inner[1:3].mean())
    # a node at depth 1 is inner unless both children are missing: 1 - .5^2
    assert np.mean(shapes) == pytest.approx(0.75, abs=5 * np.sqrt(0.75 * 0.25 / 600))
    assert random_tree(RandomTreeTask(seed=1, reverse=True, max_reward=7.0)).reward.max() == 7.0


def test_the_exact_value_of_a_shape_that_does_not_fit_is_refused() -> None:
    env = TreeTask(goals=(24,), doors=(17,)).make()
    with pytest.raises(ValueError, match="logits must have shape"):
        env.exact_value(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="logits must be finite"):
        env.exact_value(np.full((24, 2), np.nan))


def test_pictures() -> None:
    env = Tree(render_mode="rgb_array")
    env.reset(seed=0)
    image = env.render()
    assert image.dtype == np.uint8 and image.ndim == 3
    # one goal at least is green, the agent blue
    assert (image == (44, 160, 44)).all(-1).any() and (image == (31, 119, 180)).all(-1).any()
    text = RandomTree(render_mode="ansi")
    text.reset(seed=0)
    assert text.render().startswith("1 @\n  left: 2")


def test_a_snapshot_poses_the_same_tasks() -> None:
    env, other = Tree(), Tree()
    env.reset(seed=1)
    env.step(1)
    saved = env.get_state()
    other.reset(seed=9)
    other.set_state(saved)
    for action in (1, 0):
        first, second = env.step(action), other.step(action)
        assert first[0] == second[0] and first[1:4] == second[1:4]
        if first[2]:
            break
    assert [env.reset()[1]["task"] for _ in range(5)] == [other.reset()[1]["task"] for _ in range(5)]


def test_finite_tasks_are_refused_where_they_are_none() -> None:
    one, other = TreeTask(goals=(24,), doors=(17,)), TreeTask(goals=(23,), doors=(17,))
    for tasks, weights, reason in (
        ((), None, "at least one"),
        ((one, one), None, "all different"),
        ((one, other), np.array([1.0, -1.0]), "non-negative"),
        ((one, other), np.zeros(2), "not all zero"),
        ((one, other), np.ones(3), "2 non-negative numbers"),
    ):
        with pytest.raises(ValueError, match=reason):
            FiniteTasks(tasks, weights)
    found = FiniteTasks((one, other), np.array([3.0, 1.0]))
    drawn = found.sample_many(np.random.default_rng(0), 4000)
    assert drawn.count(one) / 4000 == pytest.approx(0.75, abs=6 * np.sqrt(0.1875 / 4000))
    assert [found.index(task) for task in (one, other, TreeTask(goals=(22,), doors=(17,)))] == [0, 1, -1]


def test_what_is_no_task_is_not_posed() -> None:
    env = Tree()
    with pytest.raises(ValueError, match=r"options\['task'\] must be a TreeTask or None"):
        env.reset(options={"task": RandomTreeTask(seed=0)})
    with pytest.raises(ValueError, match="this is not a TreeTask"):
        env.tasks.from_dict({"goal": [24]})


@pytest.mark.parametrize("name", ["Tree", "RandomTree"])
def test_the_environment_of_all_tasks_has_exact_values_of_the_task_posed(name: str) -> None:
    env = gym.make(f"zoo/{name}-v0").unwrapped
    first, other = (env.tasks.sample(np.random.default_rng(seed)) for seed in (0, 1))  # type: ignore[attr-defined]
    logits = np.random.default_rng(0).standard_normal((2, env.observation_space.n, 2))  # type: ignore[attr-defined]
    with pytest.raises(gym.error.ResetNeeded, match="call reset"):
        env.exact_value(logits)  # type: ignore[attr-defined]
    for task in (first, other):
        env.reset(seed=0, options={"task": task})
        assert np.array_equal(env.exact_value(logits), task.make().exact_value(logits))  # type: ignore[attr-defined]
        assert env.optimal_value() == task.make().optimal_value()  # type: ignore[attr-defined]
    assert np.array_equal(env.exact_value(logits, first), first.make().exact_value(logits))  # type: ignore[attr-defined]


def test_the_discounted_optimum_of_the_tree() -> None:
    env, task = Tree(), TreeTask(goals=(22,), doors=(17,))
    assert env.optimal_value(task, 0.9) == pytest.approx(0.9**6)  # the seventh step enters the goal


def test_logits_of_torch_with_a_gradient() -> None:
    torch = pytest.importorskip("torch")
    env = TreeTask(goals=(22,), doors=(17,)).make()
    logits = torch.linspace(-1, 1, 48, requires_grad=True, dtype=torch.float64).reshape(24, 2)
    assert env.exact_value(logits) == env.exact_value(logits.detach().numpy())
