"""successor-rows."""

import numpy as np

from zoo import Representation


class SuccessorRows(Representation):
    """M = I + gamma P_pi M, learned with step size 1 / (visits of the row)."""

    def __init__(self, ctx, config):
        super().__init__(ctx, config)
        self.dim = int(ctx.env.single_observation_space.n)
        self.M = np.eye(self.dim)
        self.visits = np.zeros(self.dim)

    def update(self, batch):
        """One transition after the other."""
        for s, s_next, terminated in zip(batch.obs, batch.next_obs, batch.terminated, strict=True):
            self.visits[s] += 1
            target = np.eye(self.dim)[s] + self.config.gamma * (0.0 if terminated else 1.0) * self.M[s_next]
            self.M[s] += (target - self.M[s]) * 10.0 / (9.0 + self.visits[s])
        return {"visits": float(self.visits.sum())}

    def features(self, obs, action=None):
        """Rows [B, S]."""
        return self.M[np.asarray(obs)]

    def state(self):
        """Rows and visits."""
        return {"M": self.M, "visits": self.visits}

    def load_state(self, state):
        """Rows and visits."""
        self.M, self.visits = state["M"], state["visits"]

    def solve(self, model, policy):
        """(I - gamma P_pi)^-1."""
        P = model.kernel.toarray().reshape(model.num_states, model.num_actions, -1)
        return np.linalg.inv(np.eye(self.dim) - self.config.gamma * np.einsum("sa,sat->st", policy, P))

    def table(self):
        """M."""
        return self.M

    def set_table(self, table):
        """M."""
        self.M = np.array(table)
