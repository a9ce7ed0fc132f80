"""What an objective asks for of each step's infos reaches its rollout, members stepped together or one by one."""

from __future__ import annotations

import numpy as np
import pytest
from zoo_envs.composite.tiny_composite import TinyComposite, TinyCompositeVector
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.objective import Objective

from zoo.errors import InterfaceError


class Asking(Objective):
    """Learns to follow the reference: its reward is the reference's log-probability."""

    infos = ("ref_logprob",)

    def signals(self, rollout):
        signals = rollout.rewards.copy()
        signals[:, 0] = rollout.infos["ref_logprob"]
        return signals


def rollouts(build, env, seeds, objective=Asking):
    """A learner of these seeds, and its first rollout."""
    learner = Learner([build.context(env, seed) for seed in seeds], build.config(), objective())
    rollout = learner.collector.collect(learner.network, [ctx.rng for ctx in learner.contexts])
    learner.estimate(rollout)
    return learner, rollout


@pytest.mark.parametrize("env", [TinyComposite, TinyCompositeVector])
def test_they_are_there_for_each_step_the_last_of_an_episode_included(build, env):
    """Sixteen steps of episodes of eight: what is told at an autoreset is that of the step taken."""
    learner, rollout = rollouts(build, env, (3, 4))
    assert learner.collector._env.together == (env is TinyCompositeVector)
    told = rollout.infos["ref_logprob"]
    assert rollout.infos.keys() == {"ref_logprob"}
    assert told.shape == rollout.actions.shape == (2, 16, 3)
    logits = TinyComposite().reference_logits(rollout.obs)
    expected = np.take_along_axis(logits, rollout.actions[..., None], axis=-1)[..., 0]
    np.testing.assert_allclose(told, expected, rtol=1e-6)
    assert rollout.terminated.sum() == 2 * 2 * 3
    np.testing.assert_array_equal(rollout.signals[:, 0], told.astype(np.float32))
    np.testing.assert_array_equal(rollout.signals[:, 1:], rollout.rewards[:, 1:])


def test_together_and_one_by_one_they_are_the_same(build):
    each = [rollouts(build, TinyCompositeVector, (seed,))[1].infos["ref_logprob"][0] for seed in (3, 4)]
    _, both = rollouts(build, TinyCompositeVector, (3, 4))
    np.testing.assert_array_equal(both.infos["ref_logprob"], each)


def test_who_asks_for_nothing_gets_nothing(build):
    assert rollouts(build, TinyCompositeVector, (3,), Objective)[1].infos == {}


@pytest.mark.parametrize("seeds", [(3,), (3, 4)])
def test_what_no_step_gives_is_one_sentence(build, chain, seeds):
    for env in (chain, TinyCompositeVector):
        learner = Learner([build.context(env, seed) for seed in seeds], build.config(), Greedy())
        with pytest.raises(
            InterfaceError, match=r"copy 0 of the environment gave no info\['nothing'\] at this step\.$"
        ):
            learner.update()


class Greedy(Objective):
    infos = ("nothing",)
