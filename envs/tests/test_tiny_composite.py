"""TinyComposite, both forms: dynamics, signals, reference, snapshots, stacking, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
import zoo_envs  # noqa: F401  (registers the ids)
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.composite.tiny_composite import TinyComposite, TinyCompositeVector

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
SEQUENCES = st.lists(st.integers(0, 4), min_size=8, max_size=8)


def observation(written: list[int]) -> list[float]:
    position = [float(k == len(written)) for k in range(8)]
    last = written[-1] if written else 5
    return position + [float(k == last) for k in range(6)] + [written.count(k) / 8 for k in range(5)]


@settings(max_examples=50, deadline=None)
@given(sequence=SEQUENCES)
def test_one_episode_from_first_principles(sequence: list[int]) -> None:
    env = TinyComposite(render_mode="ansi")
    obs, info = env.reset(seed=0)
    assert info == {} and obs.tolist() == observation([])
    r1, r2 = (sum(token in counted for token in sequence) / 8 for counted in ((1, 2), (2, 3)))
    for t, token in enumerate(sequence):
        assert env.reference_logits(obs).tolist() == np.log(REFERENCE[sequence[t - 1] if t else 5]).tolist()
        obs, reward, terminated, truncated, info = env.step(token)
        last = t == 7
        assert obs.tolist() == observation(sequence[: t + 1]) and obs in env.observation_space
        assert (reward, terminated, truncated) == (last * (r1 + r2), last, False)
        assert info["constraints"].dtype == np.float32
        assert info["constraints"].tolist() == [last * r1, last * r2]
        assert info["ref_logprob"] == pytest.approx(np.log(REFERENCE[sequence[t - 1] if t else 5, token]))
        assert env.render() == " ".join([*map(str, sequence[: t + 1]), *"." * (7 - t)]) + "\n"
    with pytest.raises(ResetNeeded, match="8 tokens"):
        env.step(0)


def test_check_env_has_nothing_to_say() -> None:
    check_env(gymnasium.make("zoo/TinyComposite-v0", disable_env_checker=True).unwrapped)


def test_constraints_are_the_options() -> None:
    spec = TinyComposite().constraint_spec
    assert (spec.names, spec.senses, spec.unit, spec.discounted) == (("r1", "r2"), (">=", ">="), "episode", False)
    for env in (TinyComposite(theta=(0.2, 1), sense="=="), TinyCompositeVector(2, theta=(0.2, 1), sense="==")):
        assert env.constraint_spec.thresholds.tolist() == [0.2, 1.0] and env.constraint_spec.senses == ("==", "==")


@pytest.mark.parametrize("cls", [TinyComposite, TinyCompositeVector])
def test_the_truth_of_means_and_the_range_of_scores(cls: Any) -> None:
    env = cls()
    # At E r = (.6, .4) the squares are .01 each and their product is -.01.
    assert env.evaluate(np.array([0.6, 0.4]), 2.0, np.zeros(0)) == pytest.approx(1 - 2 * 0.008 - 0.1)
    low, high = np.array(env.constraint_ranges).T
    r = env.oracle().r
    assert (r.min(axis=1) == low).all() and (r.max(axis=1) == high).all()


@pytest.mark.parametrize("cls", [TinyComposite, TinyCompositeVector])
def test_other_truths(cls: Any) -> None:
    scores = np.array([0.6, 0.4])
    assert cls(truth="separable").evaluate(scores, 2.0, np.zeros(0)) == pytest.approx(1 - 2 * 0.02 - 0.1)
    env = cls(truth="sample")
    assert env.evaluation_names == ("quality",) and cls().evaluation_names == ()
    assert env.evaluate(scores, 2.0, np.array([0.3])) == 0.3
    with pytest.raises(ValueError, match="truth must be one of 'policy', 'separable', 'sample', got 'other'"):
        cls(truth="other")


@settings(max_examples=20, deadline=None)
@given(sequence=SEQUENCES)
def test_the_quality_of_a_sequence(sequence: list[int]) -> None:
    env = TinyComposite(truth="sample")
    env.reset()
    d1, d2 = (sum(token in counted for token in sequence) / 8 - 0.5 for counted in ((1, 2), (2, 3)))
    told = [env.step(token)[4]["evaluation"].tolist() for token in sequence]
    assert told[:7] == [[0.0]] * 7
    assert told[7] == pytest.approx([1 - 2 * (d1**2 + d2**2 + 1.2 * d1 * d2)], rel=1e-6)


def test_default_thresholds_are_the_joint_proxy_point() -> None:
    _, exact = TinyComposite().oracle().joint_proxy_point()
    np.testing.assert_allclose(TinyComposite().constraint_spec.thresholds, [exact.r1, exact.r2], atol=1e-4)


def compare(ours: TinyCompositeVector, theirs: SyncVectorEnv, steps: int) -> None:
    for actions in np.random.default_rng(0).integers(0, 5, (steps, ours.num_envs)):
        (obs, *rest, info), (their_obs, *their_rest, their_info) = ours.step(actions), theirs.step(actions)
        for x, y in zip((obs, *rest), (their_obs, *their_rest), strict=True):
            np.testing.assert_array_equal(x, y)
            assert x.dtype == y.dtype
        assert ("final_obs" in info) == ("final_obs" in their_info)
        for key in ("constraints", "ref_logprob", "evaluation"):
            # gymnasium keeps the last signals of an episode in final_info alone; ours are in both places.
            expected = np.zeros_like(info[key])
            for source in (their_info, their_info.get("final_info", {})):
                if key in source:
                    expected[source[f"_{key}"]] = source[key][source[f"_{key}"]]
                    assert source[key].dtype == info[key].dtype
            np.testing.assert_array_equal(info[key], expected)
            if "final_info" in info:
                np.testing.assert_array_equal(info["final_info"][key], their_info["final_info"][key])
                np.testing.assert_array_equal(info["final_info"][f"_{key}"], their_info["final_info"][f"_{key}"])
        for i in np.flatnonzero(info.get("_final_obs", [])):
            np.testing.assert_array_equal(info["final_obs"][i], their_info["final_obs"][i])


def test_equals_sync_vector_env_also_when_copies_end_one_by_one() -> None:
    options: dict[str, Any] = {"truth": "sample", "independent": True}
    ours = TinyCompositeVector(4, **options)
    theirs = SyncVectorEnv([lambda: TinyComposite(**options)] * 4, autoreset_mode=AutoresetMode.SAME_STEP)
    np.testing.assert_array_equal(ours.reset(seed=0)[0], theirs.reset(seed=0)[0])
    compare(ours, theirs, 17)
    states = np.array([0, 3, 60_000, 40])
    ours.set_state({"state": states})
    for env, state in zip(theirs.envs, states, strict=True):
        env.unwrapped.set_state({"state": int(state)})
    compare(ours, theirs, 20)


def test_members_step_together_as_alone() -> None:
    alone, together = ([TinyCompositeVector(3) for _ in range(4)] for _ in range(2))
    stack = TinyCompositeVector.stacked(together)
    with pytest.raises(ResetNeeded, match="reset"):
        stack.step(np.zeros(12, dtype=int))
    for group in (alone, together):
        for member in group:
            member.reset()
        group[2].step(np.array([1, 2, 3]))  # a member that is ahead
    for actions in np.random.default_rng(1).integers(0, 5, (20, 4, 3)):
        *parts, infos = stack.step(actions.ravel())
        steps = [member.step(row) for member, row in zip(alone, actions, strict=True)]
        for index, part in enumerate(parts):
            np.testing.assert_array_equal(part, np.concatenate([step[index] for step in steps]))
        for key in ("constraints", "ref_logprob"):
            np.testing.assert_array_equal(infos[key], np.concatenate([step[4][key] for step in steps]))
        arrived = np.concatenate([step[0] for step in steps])
        for i, step in enumerate(steps):
            for copy in np.flatnonzero(step[4].get("_final_obs", [])):
                arrived[3 * i + copy] = step[4]["final_obs"][copy]
        np.testing.assert_array_equal(infos["arrived"], arrived)
    for options in ({"num_envs": 3}, {"independent": True}, {"truth": "sample"}):
        other = TinyCompositeVector(**{"num_envs": 2, **options})
        assert TinyCompositeVector.stacked([TinyCompositeVector(2), other]) is None


def test_every_sequence_is_where_the_oracle_says() -> None:
    oracle = TinyComposite().oracle()
    which = np.random.default_rng(2).choice(5**8, 20_000, replace=False)
    env = TinyCompositeVector(which.size)
    env.reset()
    log_pi0 = np.zeros(which.size)
    for token in oracle.sequences[which].T:
        _, reward, _, _, infos = env.step(token)
        log_pi0 += infos["ref_logprob"]
    np.testing.assert_array_equal(infos["constraints"].T, oracle.r[:, which])
    np.testing.assert_array_equal(reward, oracle.r[:, which].sum(0))
    np.testing.assert_allclose(log_pi0, oracle.log_pi0[which], rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(first=SEQUENCES, cut=st.integers(0, 8), rest=SEQUENCES)
def test_snapshots_continue(first: list[int], cut: int, rest: list[int]) -> None:
    env, other = TinyCompositeVector(2), TinyCompositeVector(2)  # the other is never reset
    env.reset()
    for token in first[:cut]:
        env.step(np.array([token, 4 - token]))
    saved = json.loads(json.dumps({key: value.tolist() for key, value in env.get_state().items()}))
    other.set_state(saved)
    for token in rest:
        one, two = env.step(np.array([token, 0])), other.step(np.array([token, 0]))
        for x, y in zip(one[:4], two[:4], strict=True):
            np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(one[4]["ref_logprob"], two[4]["ref_logprob"])


def test_snapshot_of_one_copy() -> None:
    env = TinyComposite(render_mode="ansi")
    env.reset()
    for token in (2, 0, 4):
        env.step(token)
    other = TinyComposite(render_mode="ansi")
    other.set_state(env.get_state())
    assert other.render() == "2 0 4 . . . . .\n"
    for bad, sentence in (
        ({}, "'state'"),
        ({"state": -1}, "'state' must be at least 0 and below 488281"),
        ({"state": [1]}, "shape"),
    ):
        with pytest.raises(ValueError, match=sentence):
            other.set_state(bad)
    assert other.render() == "2 0 4 . . . . .\n"
    with pytest.raises(ValueError, match="below 97656"):
        TinyCompositeVector(1).set_state({"state": np.array([97_656])})


def test_what_is_returned_belongs_to_the_caller() -> None:
    for env, action in ((TinyComposite(), 1), (TinyCompositeVector(1), np.array([1]))):
        env.reset()
        obs, *_, info = env.step(action)  # type: ignore[arg-type]
        kept = obs.copy()
        obs[...] = info["constraints"][...] = 7
        env.reset()
        np.testing.assert_array_equal(env.step(action)[0], kept)  # type: ignore[arg-type]


def test_vector_rendering() -> None:
    env = TinyCompositeVector(2, render_mode="ansi")
    env.reset()
    env.step(np.array([3, 1]))
    assert env.render() == ("3 . . . . . . .\n", "1 . . . . . . .\n")
    assert TinyCompositeVector(2).render() is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"theta": 0.5}, "theta must be two numbers, the thresholds of r1 and r2, got 0.5"),
        ({"theta": (0.5,)}, "theta must be two numbers"),
        ({"theta": {"r1": 0.5, "r2": 0.4}}, "theta must be two numbers"),
        ({"theta": (0.5, 1.2)}, r"theta\[1\] must be a number in \[0, 1\], got 1.2"),
        ({"theta": (float("nan"), 0.2)}, r"theta\[0\] must be a number in \[0, 1\], got nan"),
        ({"sense": "<="}, "sense must be '>=' or '==', got '<='"),
        ({"render_mode": "human"}, "render_mode must be None or one of ansi, got 'human'"),
    ],
)
@pytest.mark.parametrize("cls", [TinyComposite, TinyCompositeVector])
def test_bad_options(cls: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        cls(**options)


def test_bad_calls() -> None:
    single, batched = TinyComposite(), TinyCompositeVector(2)
    for env, action in ((single, 0), (batched, np.array([0, 0]))):
        with pytest.raises(ResetNeeded, match="reset"):
            env.step(action)  # type: ignore[arg-type]
        with pytest.raises(ResetNeeded, match="reset"):
            env.get_state()
        env.reset()
    with pytest.raises(ValueError, match=r"action must be an integer in \[0, 4\], got 5"):
        single.step(5)
    with pytest.raises(ValueError, match=r"actions must lie in \[0, 4\], got 5 for copy 1"):
        batched.step(np.array([0, 5]))
    assert single.get_state()["state"] == 0 and not batched.get_state()["state"].any()
    with pytest.raises(ValueError, match="num_envs must be an integer of at least 1, got 0"):
        TinyCompositeVector(0)


def test_nothing_is_built_by_importing() -> None:
    code = (
        "from zoo_envs.composite.tiny_composite import TinyComposite;"
        "from zoo_envs.composite.oracle import tiny_oracle as o;"
        "from zoo_envs.composite.prefixes import prefixes as p;"
        "print(o.cache_info().currsize, p.cache_info().currsize);"
        "e = TinyComposite(); print(o.cache_info().currsize, e.oracle() is TinyComposite().oracle())"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.split() == ["0", "0", "0", "True"]
