"""What the plugin ``learners.py`` registers."""

from __future__ import annotations

import numpy as np

from tests.training.walks import LENGTH, Together
from zoo import Representation, RepresentationBatch
from zoo.tabular import TabularCMDP

CALLS = []


class Line(Together):
    """``walks.Together`` with an exact model; its constraints and the six steps of an episode are no part of that."""

    constraint_spec = None

    def model(self):
        P, r = np.zeros((LENGTH, 2, LENGTH)), np.zeros((LENGTH, 2))
        for s in range(1, LENGTH - 1):
            P[s, 1, [s + 1, s - 1]] = P[s, 0, [s - 1, s + 1]] = 0.7, 0.3
        ends = np.isin(np.arange(LENGTH), (0, LENGTH - 1))
        r[~ends] = (P @ np.arange(LENGTH))[~ends] + 0.05
        P[0, :, 0] = P[-1, :, -1] = 1.0
        rho = np.where((np.arange(LENGTH) >= 2) & (np.arange(LENGTH) < LENGTH - 2), 1 / (LENGTH - 4), 0.0)
        return TabularCMDP(P, r, 0.9, rho, terminal=ends)


class Rows(Representation):
    def __init__(self, ctx, config):
        super().__init__(ctx, config)
        self.dim = int(ctx.env.single_observation_space.n)
        self.M = np.eye(self.dim) + 0.01 * ctx.rng.random((self.dim, self.dim))

    def update(self, batch):
        for s, following, ended in zip(batch.obs, batch.next_obs, batch.terminated, strict=True):
            later = np.eye(self.dim)[following] if ended else self.M[following]
            self.M[s] += 0.1 * (np.eye(self.dim)[s] + self.config.gamma * later - self.M[s])
        return {"sum": self.M.sum(), "noise": self.ctx.stream("noise").random()}

    def features(self, obs, action=None):
        return self.M[np.asarray(obs)]

    def state(self):
        return {"M": self.M}

    def load_state(self, state):
        self.M[:] = state["M"]

    def solve(self, model, policy):
        P = np.einsum("sa,sat->st", policy, model.P)
        P[model.terminal] = 0.0
        return np.linalg.inv(np.eye(self.dim) - self.config.gamma * P)

    def table(self):
        return self.M

    def set_table(self, table):
        self.M[:] = table


class RowsTogether(Rows):
    @classmethod
    def batch(cls, contexts, config):
        return All([cls(ctx, config) for ctx in contexts])


class All(RepresentationBatch):
    """One array of all members' rows; each transition of all members is learned at once."""

    def __init__(self, members):
        self.members = members
        self.M = np.stack([member.M for member in members])
        for member, M in zip(members, self.M, strict=True):
            member.M = M

    def __len__(self):
        return len(self.members)

    def member(self, index):
        return self.members[index]

    def update(self, batch):
        CALLS.append(batch.obs.shape)
        S, n = len(self), self.M.shape[-1]
        each, eye = np.arange(S), np.eye(n)
        for t in range(batch.obs.shape[1]):
            s, following = batch.obs[:, t], batch.next_obs[:, t]
            later = np.where(batch.terminated[:, t, None], eye[following], self.M[each, following])
            gamma = self.members[0].config.gamma
            self.M[each, s] += 0.1 * (eye[s] + gamma * later - self.M[each, s])
        noises = [member.ctx.stream("noise").random() for member in self.members]
        return [{"sum": M.sum(), "noise": noise} for M, noise in zip(self.M, noises, strict=True)]
