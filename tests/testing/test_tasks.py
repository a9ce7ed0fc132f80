"""What the kit says of environments of tasks, and what the core finds of them."""

from __future__ import annotations

import pytest

from zoo.api import Task, TaskDistribution
from zoo.discovery.names import resolve_env
from zoo.discovery.registry import Registry
from zoo.testing import check_environment
from zoo.training.environments.make_env import make_env, offers_of, problem_of

BROKEN = (
    ("draws-globally", "equal generators draw unequal tasks"),
    ("lists-twice", r"tasks\(\) lists a task twice"),
    ("names-alike", "two different tasks have the same id"),
    ("mistakes", r"from_dict\(to_dict\(\)\) of task end-\d is another task"),
    ("other-space", r"task end-3 has the observation_space Discrete\(7\), expected Discrete\(4\)"),
    ("other-dynamics", r"task end-\d, made twice, has other dynamics"),
    ("forgets-task", "until another task is given"),
    ("forgets-posed", r"after set_state\(\) follow the tasks"),
    ("poses-slower", r"task end-\d posed by reset differs from the one made by make\(\)"),
)


def test_a_sound_environment_of_tasks_passes_and_is_found(broken: Registry) -> None:
    check_environment("sound-tasks", registry=broken)
    env = make_env(resolve_env("sound-tasks", broken), {}, 2)
    tasks = problem_of(env).tasks
    assert isinstance(tasks, TaskDistribution) and offers_of(env).tasks
    (first, second) = tasks.tasks() or ()
    assert isinstance(first, Task)
    _, infos = env.reset(seed=0, options={"task": second})
    assert infos["task"].tolist() == [second.id] * 2 and infos["task_index"].tolist() == [1, 1]
    env.close()


@pytest.mark.parametrize(("name", "sentence"), BROKEN, ids=[name for name, _ in BROKEN])
def test_a_broken_promise_is_named(name: str, sentence: str, broken: Registry) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_environment(name, registry=broken)


def test_attributes_of_other_libraries_that_are_no_distribution_are_not_offered(broken: Registry) -> None:
    env = make_env(resolve_env("sound-tasks", broken), {}, 1)
    env.env.envs[0].unwrapped.tasks = ["first", "second"]  # type: ignore[attr-defined]
    assert problem_of(env).tasks is None and not offers_of(env).tasks
    env.close()
