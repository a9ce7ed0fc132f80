"""reload-ppo as a whole: one update by hand, what it refuses, what it keeps, and whether it finds the optimum."""

from __future__ import annotations

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from zoo_envs.cmdps.two_state import TwoStateVector
from zoo_onpolicy.learner import Learner
from zoo_reload.ppo.agent import ReloadPPO
from zoo_reload.ppo.config import ReloadPPOConfig

from zoo.api import ConstraintSpec, Context, Explicit, PrimalDual, Problem
from zoo.errors import EnvironmentFailed, InterfaceError, UsageError
from zoo.tabular import TabularCMDP, evaluate, solve_lp
from zoo.testing import check_algorithm
from zoo.training.environments.make_env import Recorder

SHORT = {"n_steps": 12, "batch_size": 24, "n_epochs": 2, "gamma": 0.9, "learning_rate": 0.05}


def context(env, seed=0, budget=0, model=True):
    """Of a vector environment; its recorder checks the signals, as in a run."""
    env.reset(seed=seed)
    spec = ConstraintSpec.of(env.constraint_spec)
    cmdp = TabularCMDP.from_model(env.model()) if model else None
    return Context(
        env=Recorder(env, spec),
        seed=seed,
        rng=np.random.default_rng(seed),
        budget=budget,
        problem=Problem(constraints=spec, model=(lambda: cmdp) if model else None),
    )


def two_state(copies=4, steps=5, **kwargs):
    return TwoStateVector(num_envs=copies, max_episode_steps=steps, **kwargs)


def made(env=None, seed=0, budget=0, **options):
    env = two_state() if env is None else env
    return ReloadPPO(context(env, seed, budget), ReloadPPOConfig(**{**SHORT, **options}))


class ByHand:
    """PPO-Lagrangian, or ReLOAD, for a table on one gradient step per rollout: loops, float64, its own Adam."""

    def __init__(self, optimism, source, gamma=0.9, lam=0.8, lr=0.05, lr_mu=0.3, theta=0.5):
        self.source, self.estimates = source, np.zeros((2, 2, 2))  # head, state, action
        self.optimism, self.gamma, self.lam, self.lr, self.lr_mu, self.theta = optimism, gamma, lam, lr, lr_mu, theta
        self.table = np.zeros((2, 4))  # two logits, the values of reward and utility
        self.m, self.v, self.t = np.zeros((2, 4)), np.zeros((2, 4)), 0
        self.mu = 0.0
        self.previous = self.g = None

    def head_advantages(self, rollout, head, table):
        T, B = rollout.terminated.shape[1:]
        found = np.zeros((T, B))
        order = {tuple(at): n for n, at in enumerate(np.argwhere(rollout.truncated[0]).tolist())}
        for b in range(B):
            carried = 0.0
            for t in reversed(range(T)):
                ended = rollout.truncated[0, t, b]
                if ended:
                    after = rollout.final_obs[order[t, b]]
                else:
                    after = rollout.obs[0, t + 1, b] if t + 1 < T else rollout.last_obs[0, b]
                v, w = table[rollout.obs[0, t, b], 2 + head], table[after, 2 + head]
                delta = rollout.rewards[0, head, t, b] + self.gamma * w - v
                carried = delta + (0.0 if ended else self.gamma * self.lam * carried)
                found[t, b] = carried
        return found

    def lagrangian(self, rollout, table, mu):
        reward, utility = (self.head_advantages(rollout, head, table) for head in (0, 1))
        return reward + mu * utility  # utility >= theta: more is better

    def earlier(self, rollout, table, mu):
        """The Lagrangian's advantages of the iteration before, for this rollout's transitions."""
        if self.source == "critic":
            return self.lagrangian(rollout, table, mu)
        if self.source == "weights":
            return self.lagrangian(rollout, self.table, mu)
        found = np.zeros(rollout.terminated.shape[1:])
        for t, b in np.ndindex(found.shape):
            s, a = rollout.obs[0, t, b], rollout.actions[0, t, b]
            p = np.exp(self.table[s, :2]) / np.exp(self.table[s, :2]).sum()
            reward, utility = (self.estimates[head, s, a] - p @ self.estimates[head, s] for head in (0, 1))
            found[t, b] = reward + mu * utility
        return found

    def estimate(self, rollout):
        """Means of the advantages of each state and action, the estimate before counting as one more transition."""
        for head in (0, 1):
            A, sums, counts = (
                self.head_advantages(rollout, head, self.table),
                self.estimates[head].copy(),
                np.ones((2, 2)),
            )
            for t, b in np.ndindex(A.shape):
                at = rollout.obs[0, t, b], rollout.actions[0, t, b]
                sums[at] += A[t, b]
                counts[at] += 1
            self.estimates[head] = sums / counts

    def update(self, rollout):
        """One step of both players on what the learner collected."""
        A = followed = self.lagrangian(rollout, self.table, self.mu)
        if self.optimism in ("both", "policy") and self.previous is not None:
            followed = 2 * A - self.earlier(rollout, *self.previous)
        followed = followed / (1 + self.mu)
        self.estimate(rollout)
        self.previous = (self.table.copy(), self.mu)
        gradient, count = np.zeros((2, 4)), A.size
        for t, b in np.ndindex(A.shape):
            s, a = rollout.obs[0, t, b], rollout.actions[0, t, b]
            p = np.exp(self.table[s, :2]) / np.exp(self.table[s, :2]).sum()
            gradient[s, :2] -= followed[t, b] * (np.eye(2)[a] - p) / count
        for head in (0, 1):
            errors = -self.head_advantages(rollout, head, self.table)
            for t, b in np.ndindex(A.shape):
                gradient[rollout.obs[0, t, b], 2 + head] += 0.5 * 2 * errors[t, b] / count
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * gradient
        self.v = 0.999 * self.v + 0.001 * gradient**2
        m, v = self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)
        self.table -= self.lr * m / (np.sqrt(v) + 1e-5)
        # Episodes of five steps, all within the rollout of ten.
        c = rollout.rewards[0, 1].reshape(2, 5, -1)
        powers = self.gamma ** np.arange(5)
        J = (np.einsum("t,etb->eb", powers, c) / powers.sum()).mean()
        g = self.theta - J
        ascent = 2 * g - self.g if self.optimism in ("both", "multiplier") and self.g is not None else g
        self.mu, self.g = max(self.mu + self.lr_mu * ascent, 0.0), g


@pytest.mark.parametrize(
    ("optimism", "source"),
    [
        ("none", "critic"), ("both", "critic"), ("both", "weights"), ("both", "action-value"),
        ("policy", "action-value"), ("multiplier", "action-value"),
    ],
)  # fmt: skip
def test_updates_equal_those_written_out_by_hand(optimism, source, monkeypatch):
    seen = []
    improve = Learner.improve
    monkeypatch.setattr(Learner, "improve", lambda self, rollout: seen.append(rollout) or improve(self, rollout))
    run = made(
        two_state(theta=0.7), optimism=optimism, optimism_source=source, n_steps=10, batch_size=40, n_epochs=1,
        gae_lambda=0.8, adv_norm="none",
        lr_mu=0.3, max_grad_norm=1e9,
    )  # fmt: skip
    hand = ByHand(optimism, source, theta=0.7)
    for k in range(5):
        run.update()
        hand.update(seen[k])
        table = run.learner.network.parameters.views["table"][0]
        np.testing.assert_allclose(table, hand.table, rtol=1e-3, atol=1e-5)
        assert run.multipliers() == {"utility": pytest.approx(hand.mu, rel=1e-5)}
    assert hand.mu > 0.1


def test_optimism_changes_what_is_learned_and_first_steps_are_plain():
    options = {"lr_mu": 1.0, "thresholds": {"utility": 0.9}}
    runs = {kind: made(optimism=kind, **options) for kind in ("none", "policy", "multiplier", "both")}
    for run in runs.values():
        run.update()
        np.testing.assert_allclose(run.state()["weights"], runs["none"].state()["weights"], rtol=1e-4, atol=1e-6)
        assert run.multipliers() == runs["none"].multipliers()
    for _ in range(2):
        for run in runs.values():
            run.update()
    later = [run.state()["weights"] for run in runs.values()]
    for i in range(4):
        for j in range(i):
            assert np.abs(later[i] - later[j]).max() > 1e-5


def test_what_is_logged_is_of_the_policy_that_collected():
    run = made(lr_mu=0.5, kappa=2.0, thresholds={"utility": 0.75})
    row = run.update()
    assert (row["multiplier/utility"], row["weight/utility"], row["threshold/utility"]) == (0.0, 0.0, 0.75)
    assert row["violation/utility"] == pytest.approx(max(0.75 - row["value/utility"], 0.0)) == row["violation"]
    assert row["penalised_return"] == pytest.approx(row["value/reward"] - 2 * row["violation"])
    assert row["train/episodes"] == 8.0
    mu = run.multipliers()["utility"]
    assert mu == pytest.approx(0.5 * (0.75 - row["value/utility"]))
    row = run.update()
    assert row["multiplier/utility"] == mu
    assert row["weight/utility"] == pytest.approx(mu / (1 + mu))


def test_a_rollout_in_which_no_episode_ends_moves_no_multiplier_and_is_counted():
    run = made(two_state(steps=30), lr_mu=1.0, thresholds={"utility": 0.9})
    rows = [run.update() for _ in range(3)]
    assert [row["train/rollouts_without_episode"] for row in rows] == [1.0, 2.0, 2.0]
    assert [row["multiplier/utility"] for row in rows] == [0.0, 0.0, 0.0]
    assert "value/utility" not in rows[0]
    assert "value/utility" in rows[2]
    assert run.multipliers()["utility"] > 0


@pytest.mark.parametrize(
    ("env", "options", "env_options"),
    [
        ("two-state", {}, {"max_episode_steps": 5}),
        ("two-state", {"multiplier": "sigmoid", "adv_norm": "each", "optimism": "policy"}, {"max_episode_steps": 30}),
        ("constrained-catch", {"lr_mu": (0.5, 0.0)}, {"observation": "grid", "max_episode_steps": 20}),
    ],
)
def test_conformance(env, options, env_options):
    check_algorithm(
        "reload-ppo", env, steps=12 * 2 * 4, config={**SHORT, **options}, env_config=env_options, num_envs=2
    )


def test_states_give_a_policy_and_all_give_multipliers():
    run = made()
    assert isinstance(run, Explicit)
    assert isinstance(run, PrimalDual)
    assert run.policy().shape == (2, 2)


def occupancy(model, policy):
    """(1 - gamma) sum_t gamma^t Pr(s_t, a_t), [S, A], by adding up until nothing is left."""
    state, total = model.rho.copy(), np.zeros(policy.shape)
    for t in range(2000):
        pair = state[:, None] * policy
        total += (1 - model.gamma) * model.gamma**t * pair
        state = np.einsum("sa,sat->t", pair, model.P)
    return total


@pytest.mark.parametrize("theta", [0.5, 0.2])
def test_err_is_the_distance_of_the_policy_that_is_now_from_the_optimum(theta):
    """On two-state J* = 1 - theta; members of a batch are judged each by its own policy."""
    contexts = [context(two_state(), seed) for seed in (0, 1)]
    batch = ReloadPPO.batch(contexts, ReloadPPOConfig(**SHORT, thresholds={"utility": theta}, lr_mu=2.0))
    model = two_state().model()
    for _ in range(5):
        rows = batch.update()
        for index, row in enumerate(rows):
            d = occupancy(model, batch.member(index).policy())
            gap, short = abs((d * model.r).sum() - (1 - theta)), theta - (d * model.c[0]).sum()
            assert row["err"] == pytest.approx(max(gap, short), abs=1e-9)
    assert rows[0]["err"] != rows[1]["err"]


def test_without_an_optimum_to_compare_with_there_is_no_err():
    assert "err" in made().update()
    assert "err" not in made(thresholds={"utility": 1.5}).update()
    assert "err" not in ReloadPPO(context(two_state(), model=False), ReloadPPOConfig(**SHORT)).update()


def test_acting_samples_the_policy_anew_at_every_step():
    run = made()
    run.learner.network.parameters.views["table"][0, :, 0] = [1.0, -2.0]
    obs = np.repeat([0, 1], 200)
    actions = np.stack([run.act(obs) for _ in range(50)])
    for state in (0, 1):
        share = (actions[:, obs == state] == 0).mean()
        # Four standard deviations of a proportion out of 10,000.
        assert share == pytest.approx(run.policy()[state, 0], abs=4 * 0.5 / 100)
    each_copy = actions[:, :200].mean(axis=0)
    assert ((each_copy > 0) & (each_copy < 1)).all()


def test_a_fresh_episode_forgets_what_was_seen_of_the_last_one():
    first, second = (made(two_state(steps=15)) for _ in range(2))
    first.update()
    second.update()
    first.ctx.env.reset()
    first.restart()
    assert first.update()["train/episodes"] == 0
    assert second.update()["train/episodes"] == 4


class Faulty(gymnasium.Env):
    """One state; its signals go wrong in a given way at the third step."""

    observation_space = gymnasium.spaces.Discrete(1)
    action_space = gymnasium.spaces.Discrete(2)
    constraint_spec = ConstraintSpec(names=("heat", "noise"), thresholds=[0.1, 0.1], senses=("<=", "<="))

    def __init__(self, later=None):
        self.later, self.age = later, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        self.age += 1
        signal = [0.5, 0.5] if self.age < 3 else self.later
        info = {} if signal is None else {"constraints": np.array(signal, dtype=np.float32)}
        return 0, 1.0, False, False, info


def faulty(first, second):
    env = gymnasium.vector.SyncVectorEnv(
        [lambda: Faulty(first), lambda: Faulty(second)], autoreset_mode=AutoresetMode.SAME_STEP
    )
    env.constraint_spec = Faulty.constraint_spec
    return ReloadPPO(context(env, model=False), ReloadPPOConfig(**SHORT))


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ([0.5, 0.5], [0.5, np.nan], r"gave NaN as constraint 'noise' \(copy 1, step 3 of its episode\)"),
        (None, None, r'gave no info\["constraints"\]: expected 2 numbers at every step, for heat, noise'),
        ([0.5], [0.5], r"has shape \(2, 1\): expected \(2, 2\)"),
    ],
)
def test_faulty_signals_are_named(first, second, words):
    with pytest.raises((EnvironmentFailed, InterfaceError), match=words):
        faulty(first, second).update()


def test_an_unknown_constraint_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"no constraint called 'utilty': did you mean utility\?"):
        made(thresholds={"utilty": 0.1})


def test_discounted_thresholds_need_a_discount():
    with pytest.raises(UsageError, match="gamma = 1: expected less than 1, because the thresholds are discounted"):
        ReloadPPO(context(two_state(), model=False), ReloadPPOConfig(**{**SHORT, "gamma": 1.0}))


def test_a_threshold_out_of_reach_is_told_at_once_and_a_cap_when_it_is_hit():
    run = made(thresholds={"utility": 1.5}, cap=2.0, lr_mu=10.0)
    assert run.outcome.status == "infeasible_suspected"
    assert "constraint 'utility' >= 1.5 is outside what policies attain, [0, 1]." in run.outcome.message
    # Attainable, but far from what the policy has learned so far.
    run = made(thresholds={"utility": 1.0}, cap=2.0, lr_mu=10.0)
    assert run.outcome is None
    row = run.update()
    assert run.outcome.message == "the multiplier of 'utility' is at its cap."
    assert run.multipliers() == {"utility": 2.0}
    assert all(np.isfinite(value) for value in row.values())
    for kind in ("projected", "sigmoid"):
        run = made(thresholds={"utility": 1.5}, lr_mu=1e6, multiplier=kind)
        rows = [run.update() for _ in range(3)]
        assert all(np.isfinite(value) for row in rows for value in row.values())


def test_no_constraints_leave_ppo():
    ctx = context(two_state())
    ctx = Context(env=ctx.env.env, seed=0, rng=ctx.rng, problem=Problem())
    run = ReloadPPO(ctx, ReloadPPOConfig(**SHORT))
    row = run.update()
    assert run.multipliers() == {}
    assert row["violation"] == 0.0
    assert row["penalised_return"] == row["value/reward"]


def test_a_state_of_other_options_is_refused():
    with pytest.raises(InterfaceError, match="not saved by ReloadPPO"):
        made().load_state(made(network=ReloadPPOConfig().network.__class__(kind="mlp")).state())


def test_without_their_learners_they_are_not_registered_and_the_others_are():
    code = (
        "import sys; sys.modules['zoo_onpolicy'] = sys.modules['zoo_sb3'] = None\n"
        "import zoo_reload; from zoo.discovery.registration import Registrar\n"
        "registrar = Registrar('zoo-reload', '0'); zoo_reload.zoo_register(registrar)\n"
        "print(*[entry.name for entry in registrar.entries])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "reload"
    assert len(done.stdout.split()) == 7
    assert "ppo" not in done.stdout
    assert "sac" not in done.stdout


@pytest.mark.slow
def test_the_last_iterate_is_near_the_optimum_where_the_optimum_is_stochastic():
    """Exact distance of the last policies to the linear program's optimum; the preset of two-state, shorter."""
    budget = 640_000
    config = ReloadPPOConfig(
        n_steps=200, batch_size=800, n_epochs=4, gamma=0.9, learning_rate=(0.02, 0.0), lr_mu=(0.1, 0.0), ent_coef=0.1,
        adv_norm="none",
    )  # fmt: skip
    batch = ReloadPPO.batch([context(two_state(16, 200), seed, budget) for seed in (0, 1)], config)
    while batch.member(0).env_steps < budget:
        batch.update()
    cmdp = TabularCMDP.from_model(two_state().model())
    solution = solve_lp(cmdp)
    for index in range(2):
        found = evaluate(cmdp, batch.member(index).policy())
        assert max(abs(found.J_r - solution.value), 0.5 - found.J[0]) <= 0.06
        assert batch.member(index).multipliers()["utility"] == pytest.approx(solution.multipliers[0], abs=0.2)
        assert batch.member(index).outcome is None
