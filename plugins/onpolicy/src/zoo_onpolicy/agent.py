"""``ppo-native`` as an ``Algorithm`` of the core, and where the equations of arXiv:1707.06347 are implemented.

* algorithm 1, from top to bottom: ``learner.py``; its inner loop, the policy run for T steps: ``rollout.py``
* (6) the ratio of probabilities, (7) the clipped surrogate, (9) with values and entropy: ``loss.py``; log probabilities
  and entropies of the families of actions: ``distributions.py``
* (11), (12) the truncated advantages, for all value heads at once: ``gae.py``
* section 6.1 the networks: ``networks.py``, and ``tabular_policy.py`` for state numbers; Adam: ``adam.py``

Not in the paper: several value heads, and what the policy follows of their advantages (``objective.py``); a penalty on
the divergence from a reference policy (``loss.py``); many seeds that learn together (``seeds.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from zoo import Algorithm, Array, Context, InterfaceError, Metrics, State
from zoo_onpolicy.config import PPOConfig
from zoo_onpolicy.learner import Learner
from zoo_onpolicy.objective import Objective
from zoo_onpolicy.seeds import SeedBatch, explain_mismatch

ConfigT = TypeVar("ConfigT", bound=PPOConfig)


class OnPolicy(Algorithm[ConfigT]):
    """One member of a ``Learner``: its own learner if it runs alone, else one shared by the seeds of a batch.

    Subclasses that treat several signals differently override ``make_objective``. Where observations and actions are
    discrete, ``policy()`` gives the action probabilities float64[states, A], so that the policy can be evaluated
    exactly (``zoo.api.Explicit``); elsewhere there is no such attribute.

    Raises:
        InterfaceError: the spaces of the environment are not supported.
        UsageError: an option does not fit the environment.
    """

    policy: Callable[[], NDArray[np.float64]]
    always_samples: ClassVar[bool] = False
    """whether ``act`` samples if greedy, too, because what is learned is the distribution and not its mode"""

    def __init__(self, ctx: Context, config: ConfigT, *, learner: Learner | None = None, index: int = 0) -> None:
        super().__init__(ctx, config)
        self.learner = learner if learner is not None else self.make_learner([ctx], config)
        self.index = index
        self._act_rng = ctx.stream("act")
        if self.learner.explicit:
            self.policy = partial(self.learner.policy, index)

    @classmethod
    def make_objective(cls, contexts: Sequence[Context], config: ConfigT) -> Objective:
        """The objective, which says how the advantages of the value heads are combined; here: the reward's alone."""
        return Objective()

    @classmethod
    def make_learner(cls, contexts: Sequence[Context], config: ConfigT) -> Learner:
        """One learner for all these members."""
        return Learner(contexts, config, cls.make_objective(contexts, config))

    @classmethod
    def batch(cls, contexts: Sequence[Context], config: ConfigT) -> SeedBatch[Any]:
        """Many seeds that learn together, their weights stacked in one array."""
        learner = cls.make_learner(contexts, config)
        return SeedBatch(
            [cls(ctx, config, learner=learner, index=index) for index, ctx in enumerate(contexts)], learner
        )

    @property
    def env_steps(self) -> int:
        """Environment steps taken, all copies together."""
        return int(self.learner.steps[self.index])

    @env_steps.setter
    def env_steps(self, steps: int) -> None:
        self.learner.steps[self.index] = steps

    def update(self) -> Metrics:
        """One rollout of ``n_steps`` vector steps, and the epochs of learning from it.

        Returns:
            Means over the minibatches: ``loss/policy``, ``loss/value/<head>``, ``train/entropy`` (nats),
            ``train/approx_kl``, ``train/clip_fraction``, ``train/grad_norm`` (before clipping); further
            ``train/learning_rate`` and ``train/explained_variance/<head>`` (1 is perfect), and the objective's.

        Raises:
            InterfaceError: this is a member of a batch, which is updated as a whole.
        """
        if len(self.learner) > 1:
            raise InterfaceError("this is one member of a batch: update the batch, which advances all of them.")
        return self.learner.update()[0]

    def act(self, obs: Array, *, greedy: bool = True) -> NDArray[Any]:
        """Actions [B, ...] for observations [B, ...]: the most probable ones, or, if not greedy, samples.

        An algorithm that ``always_samples`` does so if greedy, too.
        """
        distribution, outputs = self.learner.distribution, self.learner.outputs(obs, self.index)
        if greedy and not self.always_samples:
            return np.asarray(distribution.to_env(distribution.mode(outputs)))
        noise = distribution.noise(self._act_rng, outputs.shape[:-1])
        return np.asarray(distribution.to_env(distribution.sample(outputs, noise)))

    def act_on(self, obs: Array, noise: NDArray[np.float32]) -> NDArray[Any]:
        """The sampled actions [B, ...] for observations [B, ...] that noise [B, N] decides."""
        distribution = self.learner.distribution
        return np.asarray(distribution.to_env(distribution.sample(self.learner.outputs(obs, self.index), noise)))

    def policy_module(self) -> Any:
        """What ``act`` does as a ``torch.nn.Module`` (needs torch); None where the actor is a table.

        It takes observations [B, ...]; of an algorithm that ``always_samples`` noise [B, N] too, as ``act_on`` does.
        """
        from zoo_onpolicy.export.torch_policy import Policy

        return Policy.of(self.learner, self.index, sampled=self.always_samples)

    def restart(self) -> None:
        """The next update begins with ``env.reset()``."""
        self.learner.restart(self.index)

    def state(self) -> State:
        """Weights, optimiser, the last observations, the objective's state and the random stream of ``act``."""
        return {**self.learner.state(self.index), "act": self._act_rng.bit_generator.state}

    def load_state(self, state: State) -> None:
        """Continue from ``state``.

        Raises:
            InterfaceError: it was saved with other options or in another environment.
        """
        with explain_mismatch(self):
            self.learner.load_state(self.index, state)
            self._act_rng.bit_generator.state = state["act"]


class PPO(OnPolicy[PPOConfig]):
    """Proximal policy optimisation, clipped (arXiv:1707.06347)."""
