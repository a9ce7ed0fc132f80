"""ppo-pid, crpo, focops and cpo: their equations by hand, resuming, and what they refuse."""

from __future__ import annotations

import dataclasses
import tomllib
from importlib import resources
from types import SimpleNamespace

import numpy as np
import pytest
from zoo_envs.cmdps.garnet import GarnetVector
from zoo_onpolicy.backend import on_host
from zoo_onpolicy.loss import Minibatch
from zoo_reload.ppo.comparators.agents import CPO, CRPO, FOCOPS, PPOPID
from zoo_reload.ppo.comparators.config import CPOConfig, CRPOConfig, FOCOPSConfig, PPOPIDConfig
from zoo_reload.ppo.comparators.cpo import CPOObjective
from zoo_reload.ppo.comparators.crpo import CRPOObjective
from zoo_reload.ppo.comparators.pid import PIDObjective
from zoo_reload.sampling.constraints import Constraints

from zoo.api import ConstraintSpec, Context, Problem
from zoo.errors import UsageError
from zoo.tabular import TabularCMDP, Units, evaluate, solve_lp
from zoo.testing import check_algorithm
from zoo.training.environments.make_env import Recorder

SHORT = {"n_steps": 12, "batch_size": 24, "n_epochs": 2, "gamma": 0.9, "learning_rate": 0.05}
ALL = {"ppo-pid": PPOPID, "crpo": CRPO, "focops": FOCOPS, "cpo": CPO}
CONFIGS = {"ppo-pid": PPOPIDConfig, "crpo": CRPOConfig, "focops": FOCOPSConfig, "cpo": CPOConfig}


@pytest.mark.parametrize("name", list(ALL))
def test_conformance(name):
    """Killed and resumed, stacked and alone; on tables in the conformance of the whole plugin."""
    config, env_config = {**SHORT, "network": {"net_arch": [16]}}, {"observation": "grid", "max_episode_steps": 20}
    check_algorithm(name, "constrained-catch", steps=12 * 2 * 4, config=config, env_config=env_config, num_envs=2)


CONSTRAINTS = Constraints(
    names=("heat", "noise", "light"), thresholds=np.array([0.5, 1.0, 0.0]), senses=("<=", "==", ">=")
)
KNOWN = np.array([True])


def test_the_controller_is_algorithm_2():
    rng = np.random.default_rng(0)
    objective = PIDObjective(1, CONSTRAINTS, PPOPIDConfig(kp=2.0, ki=0.5, kd=3.0, cap=5.0))
    integral, before = [0.0, 0.0, 0.0], None
    for _ in range(20):
        Delta = rng.normal(size=3)
        objective.step(Delta[None], KNOWN)
        for i, equality in enumerate((False, True, False)):
            rise = 0.0 if before is None else Delta[i] - before[i]
            integral[i] += Delta[i]
            if not equality:
                rise, integral[i] = max(rise, 0.0), max(integral[i], 0.0)
            expected = 2 * Delta[i] + 0.5 * integral[i] + 3 * rise
            assert objective.x[0, i] == pytest.approx(np.clip(expected, -5 if equality else 0, 5))
        before = Delta
    unchanged = objective.x.copy()
    objective.step(np.ones((1, 3)), ~KNOWN)
    np.testing.assert_array_equal(objective.x, unchanged)


@pytest.mark.parametrize(
    ("g", "expected"),
    [
        ([0.05, 0.05, 0.05], [1, 0, 0, 0]),  # all within the tolerance of .1
        ([0.3, 0.2, 0.1], [0, -1, 0, 0]),  # <=: less of it
        ([0.2, -0.3, 0.1], [0, 0, 1, 0]),  # == and too little of it: more
        ([0.2, 0.3, 0.1], [0, 0, -1, 0]),
        ([0.2, 0.1, 0.4], [0, 0, 0, 1]),  # >=: more of it
    ],
)
def test_crpo_follows_the_reward_or_the_worst_constraint(g, expected, monkeypatch):
    objective = CRPOObjective(1, CONSTRAINTS, CRPOConfig(tolerance=0.1))
    monkeypatch.setattr(objective, "measure", lambda rollout: SimpleNamespace(g=np.array([g]), known=KNOWN))
    monkeypatch.setattr(objective, "scheduled", lambda schedule: schedule)
    monkeypatch.setattr(objective, "on_device", lambda weights: weights)
    objective.advantages(SimpleNamespace(advantages=None))
    np.testing.assert_array_equal(objective.weights()[0], expected)


def focops_batch(run, rng):
    """A minibatch of states and actions, with the policy that acted a little away from the present one."""
    learner, M = run.learner, 30
    obs = rng.normal(size=(1, M, 1)).astype(np.float32)
    network, distribution = learner.network, learner.distribution
    old = network.policy(obs) + rng.normal(scale=0.2, size=(1, distribution.outputs, M)).astype(np.float32)
    actions = np.moveaxis(distribution.encode(rng.integers(0, 2, size=(1, M))), -1, 1)
    return Minibatch(
        index=np.arange(M)[None], obs=obs, actions=actions, log_prob=distribution.score(old, actions).log_prob,
        advantages=rng.normal(size=(1, 2, M)).astype(np.float32), returns=np.zeros((1, 2, M), np.float32),
        values=np.zeros((1, 2, M), np.float32), reference=old,
    )  # fmt: skip


def test_the_gradient_of_focops_is_that_of_corollary_1(costly):
    """Against finite differences of E[1(KL <= delta) (KL - ratio (A - nu A_C) / lambda)], the indicator held fixed."""
    run = costly(FOCOPS, temperature=0.7, target_kl=0.01, adv_norm="none")
    rng, learner = np.random.default_rng(0), run.learner
    run.objective.x[:] = 0.8
    run.objective._mixture = run.objective.on_device(run.objective.weights())
    batch = focops_batch(run, rng)
    learner.gradient(batch, learner._coefficients())
    found = on_host(learner.network.parameters.gradient)[0].copy()
    at, obs = learner.network.parameters.flat.astype(np.float64), batch.obs.astype(np.float64)
    A = (batch.advantages[:, 0] - 0.8 * batch.advantages[:, 1]).astype(np.float64)

    def terms(flat):
        scored = learner.distribution.score(learner.network.policy(obs, flat), batch.actions, batch.reference)
        return scored.kl, np.exp(scored.log_prob - batch.log_prob)

    near = terms(at)[0] <= 0.01
    assert 0 < near.sum() < near.size

    def loss(flat):
        kl, ratio = terms(flat)
        return (near * (kl - ratio * A / 0.7)).mean()

    critic = len(found)
    for parameter in rng.choice(critic, size=40, replace=False):
        step = np.zeros_like(at)
        step[0, parameter] = 1e-5
        slope = (loss(at + step) - loss(at - step)) / 2e-5
        if slope:
            assert found[parameter] == pytest.approx(slope, rel=1e-3, abs=1e-6)


def test_focops_draws_nearer_to_the_optimum_of_its_theorem(costly):
    """One state, advantages known: pi* = pi_k exp(A / lambda) / Z, which is (.3, .7) from (.5, .5)."""
    temperature, advantage = 0.5, 0.5 * np.log(0.7 / 0.3)
    run = costly(FOCOPS, temperature=temperature, target_kl=1.0, adv_norm="none")
    learner = run.learner
    obs = np.zeros((1, 2, 1), np.float32)
    old = np.zeros((1, 2, 2), np.float32)
    actions = np.eye(2, dtype=np.float32)[None]
    batch = Minibatch(
        index=np.arange(2)[None], obs=obs, actions=actions, log_prob=np.full((1, 2), np.log(0.5), np.float32),
        advantages=np.array([[[0.0, advantage], [0.0, 0.0]]], np.float32), returns=np.zeros((1, 2, 2), np.float32),
        values=np.zeros((1, 2, 2), np.float32), reference=old,
    )  # fmt: skip
    for _ in range(300):
        learner.gradient(batch, learner._coefficients())
        learner.adam.step(learner.network.parameters.gradient, np.array([0.01]))
    logits = learner.network.policy(obs)[0, :, 0]
    assert logits[1] - logits[0] == pytest.approx(np.log(0.7 / 0.3), rel=0.01)


def test_a_step_of_cpo_keeps_to_the_trust_region_and_moves_the_costs_down(costly):
    run = costly(CPO, delta=0.02, damping=1e-3, n_epochs=4)
    rows = [run.update() for _ in range(12)]
    assert all(0 <= row["train/approx_kl"] <= 0.02 for row in rows)
    assert any(row["train/step_length"] > 0 for row in rows)
    assert rows[0]["train/recovery"] == 1.0
    assert rows[-1]["value/cost"] < rows[0]["value/cost"]


def test_what_an_algorithm_lacks_is_no_option_of_it():
    lacking = {
        CPOConfig: {"clip_range", "clip_range_vf", "reference_kl", "ent_coef", "adv_norm", "target_kl"},
        FOCOPSConfig: {"clip_range", "reference_kl"},
    }
    for config, names in lacking.items():
        assert not names & {field.name for field in dataclasses.fields(config)}
        for name in names:
            with pytest.raises(TypeError):
                config(**{name: 0.1})


@pytest.mark.parametrize(
    ("config", "fields", "words"),
    [
        (PPOPIDConfig, {"kd": -1.0}, "kd = -1.0: expected a finite number of at least 0"),
        (CRPOConfig, {"tolerance": (0.1, -0.1)}, "tolerance = -0.1"),
        (FOCOPSConfig, {"temperature": 0.0}, "temperature = 0.0"),
        (FOCOPSConfig, {"nu_max": float("inf")}, "nu_max = inf"),
        (CPOConfig, {"delta": -0.01}, "delta = -0.01"),
        (CPOConfig, {"cg_steps": 0}, "cg_steps = 0"),
    ],
)
def test_options_out_of_range_are_refused(config, fields, words):
    with pytest.raises(UsageError, match=words):
        config(**fields)


def test_cpo_refuses_equalities_by_name():
    with pytest.raises(UsageError, match="constraint 'noise' is an equality"):
        CPOObjective(1, CONSTRAINTS, CPOConfig())


@pytest.mark.parametrize("name", list(ALL))
def test_the_last_policy_is_feasible_and_near_the_optimum_of_the_linear_program(name):
    """On garnet with the preset, in 50 updates; the other exact problems are in the README."""
    cls, config = ALL[name], CONFIGS[name]
    presets = tomllib.loads(resources.files("zoo_reload.ppo").joinpath("presets/default.toml").read_text())["garnet"]
    chosen = {**presets, **presets.get(name, {})}
    fields = {field.name for field in dataclasses.fields(config)} - {"n_steps"}
    options = {key: tuple(v) if isinstance(v, list) else v for key, v in chosen.items() if key in fields}
    env = GarnetVector(num_envs=54, max_episode_steps=60)
    env.reset(seed=0)
    spec, model = ConstraintSpec.of(env.constraint_spec), TabularCMDP.from_model(env.model())
    problem = Problem(constraints=spec, model=lambda: model)
    budget = 50 * 60 * 54
    context = Context(env=Recorder(env, spec), seed=0, rng=np.random.default_rng(0), budget=budget, problem=problem)
    run = cls(context, config(**options, n_steps=60))
    while run.env_steps < budget:
        run.update()
    found, optimum = evaluate(model, run.policy()), solve_lp(model).value
    ranges = Units.of(model).signals
    assert ((found.J - model.b) / ranges <= 0.05).all()
    assert found.J_r == pytest.approx(optimum, abs=0.05)
