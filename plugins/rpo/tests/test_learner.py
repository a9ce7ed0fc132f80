"""The learner: one step by hand, seeds in a batch and alone, what defaults learn, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from zoo_envs.trees.two_rooms import Tree
from zoo_rpo.config import RPOConfig
from zoo_rpo.distributions import Categorical
from zoo_rpo.tabular import core
from zoo_rpo.tabular.learner import Learner
from zoo_rpo.task_model import TaskModel

from zoo import InterfaceError

Build = Callable[..., Learner]
REGULARISERS = ("none", "maxent", "log-barrier", "kl-forward", "kl-reverse", "distral", "tv")


@pytest.mark.parametrize("name", REGULARISERS)
def test_seeds_in_a_batch_equal_solo_runs_bit_for_bit(name: str, learner: Build) -> None:
    options: dict[str, Any] = {"regulariser": name, "updates": 7, "episodes": 4, "log_every": 3}
    together = learner(seeds=(3, 4, 5), budget=56, **options)
    rows = [together.update() for _ in range(6)]
    for member, seed in enumerate((3, 4, 5)):
        alone = learner(seeds=(seed,), budget=56, **options)
        assert [alone.update()[0] for _ in range(6)] == [row[member] for row in rows]
        assert np.array_equal(alone.theta[0], together.theta[member])
        assert np.array_equal(alone.pi_0(0), together.pi_0(member))


@pytest.mark.parametrize("gradient", ["sampled", "exact"])
def test_one_step_by_hand(gradient: str, learner: Build) -> None:
    """theta -= lr (d policy loss + lambda visits d Omega), and pi_0 descends the same penalty."""
    made = learner(
        regulariser="kl-reverse", lam=0.3, learning_rate=0.7, gradient=gradient, log_every=1,
        default_options=("pi0_lr=0.4", "pi0_scale=3"),
    )  # fmt: skip
    made.update()
    theta, V = made.theta.copy(), made.V.copy()
    logits = made.progress[0].default.state()["rows"].copy()
    tables, pi = made._tables, Categorical(theta)
    assert tables is not None
    if gradient == "exact":
        found = core.exact_gradient(tables, pi.p, 0.99)
    else:
        again = np.random.Generator(np.random.PCG64())
        again.bit_generator.state = made.contexts[0].rng.bit_generator.state
        episodes = core.sample(tables, pi.p, again.random((15, 10))[None])
        found = core.sampled_gradient(tables, pi.p, V, episodes, 0.99)
    made.update()
    p, q = pi.p[0, :, 1], made.pi_0(0)
    q = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    z, z0 = theta[0, :, 1] - theta[0, :, 0], logits[:, 1] - logits[:, 0]
    visits = found.visits[0]
    # d KL(p, q) / dz = p (1 - p) (z - logit q); d KL(p, q) / d logit q = q - p
    expected = theta[0, :, 1] - 0.7 * (found.theta[0, :, 1] + 0.3 * visits * p * (1 - p) * (z - z0))
    np.testing.assert_allclose(made.theta[0, :, 1], expected, rtol=1e-5, atol=1e-9)
    learned = made.progress[0].default.state()["rows"]
    np.testing.assert_allclose(learned[:, 1], logits[:, 1] - 0.4 * 0.7 * 0.3 * 3 * visits * (q - p), atol=1e-9)
    np.testing.assert_allclose(made.V, V - 0.3 * found.value, atol=1e-12)


def test_tasks_policies_and_defaults_over_time(learner: Build) -> None:
    made = learner(budget=80, updates=5, episodes=4, log_every=5, regulariser="tv")
    ids = [task.id for task in made.progress[0].tasks]
    assert len(ids) == 4
    for number in range(4):
        before = made.pi_0(0)
        row = made.update()[0]
        progress = made.progress[0]
        assert row["task"] == number + 1 and row["value/optimum"] == 1.0
        model = TaskModel.of(progress.tasks[number])
        vote = np.eye(2)[progress.best.argmax(-1)]
        after = made.pi_0(0)
        assert (after != before).any(-1)[model.decisions].sum() > 0
        assert progress.default.state()["count"][model.decisions].tolist() == [number + 1] * len(model.decisions)
        if not number:
            np.testing.assert_allclose(progress.default.state()["mean"][model.decisions], vote[model.decisions])
    assert [task.id for task in made.progress[0].tasks[:4]] == ids
    made.update()
    assert len(made.progress[0].tasks) >= 5


def test_the_best_policy_of_a_task_is_what_votes(learner: Build) -> None:
    made = learner(updates=30, log_every=1, learning_rate=30.0, seeds=(1,))
    values, thetas = [], []
    for _ in range(29):
        values.append(made.update()[0]["value"])
        thetas.append(made.theta[0].copy())
    assert made.progress[0].best_value == max(values)
    assert np.array_equal(made.progress[0].best, thetas[int(np.argmax(values))])


def test_regret_and_means_are_what_they_say(learner: Build) -> None:
    one = learner(log_every=1, updates=20)
    five = learner(log_every=5, updates=20)
    single = [one.update()[0] for _ in range(10)]
    stacked = [five.update()[0] for _ in range(2)]
    assert stacked[1]["value"] == pytest.approx(np.mean([row["value"] for row in single[5:]]), rel=1e-12)
    assert stacked[1]["value/last"] == single[-1]["value"]
    assert stacked[1]["regret"] == pytest.approx(sum(1 - row["value"] for row in single), rel=1e-12)
    assert stacked[1]["transitions"] == single[-1]["transitions"]


def test_what_ignores_the_default_does_not_see_it(learner: Build) -> None:
    for name in ("none", "maxent", "log-barrier"):
        curves = []
        for distance in ("distance=0", "distance=1"):
            made = learner(
                regulariser=name, default="optimal-mixture", default_options=(distance, "other=worst"), updates=10
            )
            curves.append([made.update()[0]["value"] for _ in range(3)])
        assert curves[0] == curves[1]


def test_a_better_default_learns_faster_and_the_majority_beats_none(learner: Build) -> None:
    """Eight tasks of sixty updates on seeds that no suite uses; the suite has the numbers."""
    means = {}
    for name in ("none", "tv"):
        made = learner(seeds=range(40, 48), budget=4800, updates=60, regulariser=name)
        rows = [made.update() for _ in range(48)]
        means[name] = np.mean([row["value"] for step in rows for row in step if row["task"] > 4])
    assert means["tv"] > means["none"] + 0.05
    curves = []
    for distance in (0, 0.5, 1):
        made = learner(
            seeds=range(40, 44), budget=1200, updates=40, gradient="exact", default="optimal-mixture",
            default_options=(f"distance={distance}", "other=worst"),
        )  # fmt: skip
        curves.append(np.mean([row["value"] for _ in range(12) for row in made.update()]))
    assert curves[0] > curves[1] > curves[2]


def test_tasks_that_do_not_fit_one_another_are_refused(on: Callable[..., Any]) -> None:
    from zoo_envs.trees.random_tree import RandomTreeTask

    env = Tree()

    class Mixed:
        def sample(self, rng: Any) -> Any:
            return RandomTreeTask(seed=0, depth=2)

        def sample_many(self, rng: Any, n: int) -> Any:
            return [next(Tree().tasks.tasks()), RandomTreeTask(seed=0, depth=2)]  # type: ignore[arg-type]

        def tasks(self) -> None:
            return None

        def from_dict(self, data: Any) -> Any:
            raise NotImplementedError

    env.tasks = Mixed()  # type: ignore[assignment]
    with pytest.raises(InterfaceError, match="task tree-0 has 7 states and 2 actions: expected 24 and 2 of all tasks"):
        Learner([on(env, 0, 2000)], RPOConfig())
