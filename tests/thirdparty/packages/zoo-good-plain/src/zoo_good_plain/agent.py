"""wanderer."""

import numpy as np

from zoo import Algorithm


class Wanderer(Algorithm):
    """A bandit that ignores what it sees."""

    def __init__(self, ctx, config):
        super().__init__(ctx, config)
        self.value = np.zeros(ctx.num_actions)
        ctx.env.reset()

    def update(self):
        """32 random steps."""
        for _ in range(32):
            actions = self.ctx.rng.integers(self.ctx.num_actions, size=self.ctx.env.num_envs)
            _, reward, *_ = self.ctx.env.step(actions)
            np.add.at(self.value, actions, self.config.rate * (reward - self.value[actions]))
            self.env_steps += self.ctx.env.num_envs
        return {f"value/{index}": value for index, value in enumerate(self.value)}

    def act(self, obs, *, greedy=True):
        """The best action so far."""
        return np.full(len(obs), self.value.argmax())

    def state(self):
        """The averages."""
        return {"value": self.value}

    def load_state(self, state):
        """The averages."""
        self.value = state["value"]
