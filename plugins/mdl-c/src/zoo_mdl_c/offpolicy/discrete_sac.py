"""A soft actor-critic for discrete actions with a default policy in place of entropy.

Haarnoja et al. 2018 (arXiv:1812.05905) with expectations over actions in closed form (Christodoulou 2019,
arXiv:1910.07207), and with the divergence from the default pi_w where they have minus the entropy (MDL-C):

    target = r + gamma (1 - terminal) (sum_a pi(a|s') min_i Q_i(s', a) - alpha KL(pi(.|s'), pi_w(.|s')))
    actor:  alpha KL(pi(.|s), pi_w(.|s)) - sum_a pi(a|s) min_i Q_i(s, a)
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from zoo_onpolicy.observations import ObservationEncoder
from zoo_rpo.distributions import Categorical
from zoo_rpo.models import TorchModel

from zoo import Algorithm, Array, Context, InterfaceError, Metrics, State
from zoo_mdl_c.default_policy import load_model
from zoo_mdl_c.offpolicy.config import DiscreteSACConfig
from zoo_mdl_c.offpolicy.course import Course
from zoo_mdl_c.offpolicy.replay import Replay

__all__ = ["DiscreteSAC"]

CHUNK = 16
"""vector steps that one update covers"""


class DiscreteSAC(Algorithm[DiscreteSACConfig]):
    """One task after another; actor, critics and replay are reset for each, the default policy is kept.

    Raises:
        InterfaceError: the observations are neither Discrete nor Box.
        UsageError: the tasks do not suit the options.
    """

    def __init__(self, ctx: Context, config: DiscreteSACConfig) -> None:
        super().__init__(ctx, config)
        self._encoder = ObservationEncoder(ctx.env.single_observation_space, "mlp")
        self._actions = ctx.num_actions
        self.course = Course(ctx, config, self._encoder.size, self._actions, Categorical)
        self._replay = Replay(config.buffer_size, self._encoder.size)
        self._rng, self._act_rng = ctx.stream("explore"), ctx.stream("act")
        self._obs: Any = None
        """the present observations, [B, D]; None: new episodes begin"""
        self._new_control()

    @property
    def default(self) -> Any:
        """The default policy."""
        return self.course.default

    def _new_control(self) -> None:
        config, width = self.config, self._encoder.size
        generator = torch.Generator().manual_seed(int(self.ctx.stream(f"weights {self.course.number}").integers(2**31)))
        networks = [_perceptron((width, *config.net_arch, self._actions), generator) for _ in range(3)]
        models = [TorchModel(net, torch.optim.Adam(net.parameters(), lr=config.learning_rate)) for net in networks]
        self._actor, *self._critics = models
        self._targets = [_perceptron((width, *config.net_arch, self._actions), generator) for _ in self._critics]
        for target, critic in zip(self._targets, self._critics, strict=True):
            target.load_state_dict(critic.module.state_dict())
        self._replay.clear()

    def update(self) -> Metrics:
        """Take ``CHUNK`` vector steps with their gradient steps; ends early at the end of a task."""
        if self._obs is None:
            self._obs = self._encoder(self.course.reset())
        rows: list[Mapping[str, float]] = []
        for _ in range(CHUNK):
            self._step()
            ready = self.course.steps_of_task > self.config.learning_starts
            vector_steps = self.course.steps_of_task // self.ctx.env.num_envs
            if ready and vector_steps % self.config.train_freq == 0:
                rows += [self._learn() for _ in range(self.config.gradient_steps)]
            if self.course.task_is_over:
                break
        metrics = {name: float(np.mean([row[name] for row in rows])) for name in rows[-1]} if rows else {}
        metrics |= self.course.report()
        if self.course.task_is_over:
            metrics |= self.course.end_task(self._parameters)
            self._new_control()
            self._obs = None
        self.env_steps = self.course.steps
        return metrics

    def _step(self) -> None:
        policy = Categorical(self._parameters(self._obs))
        actions = policy.sample(self._rng)
        start = int(getattr(self.ctx.env.single_action_space, "start", 0))
        next_obs, reward, terminated, truncated, infos = self.ctx.env.step(actions + start)
        successors = self._encoder(_successors(next_obs, infos))
        self._replay.add(self._obs, actions, np.asarray(reward), successors, np.asarray(terminated))
        self.course.count(np.asarray(reward), np.asarray(terminated | truncated))
        self._obs = self._encoder(next_obs)

    def _learn(self) -> dict[str, float]:
        config = self.config
        obs, actions, rewards, next_obs, terminal = self._replay.sample(config.batch_size, self._rng)
        s, s1 = torch.from_numpy(obs), torch.from_numpy(next_obs)
        pi_w = [Categorical(torch.from_numpy(self.course.default.parameters(x))) for x in (obs, next_obs)]
        with torch.no_grad():
            p1 = Categorical(self._actor.module(s1))
            q1 = torch.minimum(*(target(s1) for target in self._targets))
            value = (p1.p * q1).sum(-1) - config.alpha * p1.kl(pi_w[1])
            y = torch.from_numpy(rewards) + config.gamma * (1 - torch.from_numpy(terminal)) * value
        chosen = torch.from_numpy(actions)[:, None]
        losses = []
        for critic in self._critics:
            loss = (critic.module(s).gather(1, chosen)[:, 0] - y).square().mean()
            _descend(critic, loss)
            losses.append(float(loss.detach()))
        with torch.no_grad():
            q = torch.minimum(*(critic.module(s) for critic in self._critics))
        p = Categorical(self._actor.module(s))
        kl = p.kl(pi_w[0])
        loss = (config.alpha * kl - (p.p * q).sum(-1)).mean()
        _descend(self._actor, loss)
        with torch.no_grad():
            for target, critic in zip(self._targets, self._critics, strict=True):
                for slow, learned in zip(target.parameters(), critic.module.parameters(), strict=True):
                    slow.lerp_(learned, config.tau)
        metrics = self.course.observe(obs, np.asarray(p.parameters.detach()))
        return {
            "loss/critic": float(np.mean(losses)),
            "loss/actor": float(loss.detach()),
            "default/kl": float(kl.detach().mean()),
            **metrics,
        }

    def _parameters(self, obs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits of the control policy [n, A]."""
        return np.asarray(self._actor.outputs(obs), dtype=np.float32)

    def act(self, obs: Array, *, greedy: bool = True) -> NDArray[Any]:
        """Actions int64[B] for observations [B, ...]: the most probable ones, or, if not greedy, samples."""
        policy = Categorical(self._parameters(self._encoder(obs)))
        start = int(getattr(self.ctx.env.single_action_space, "start", 0))
        return np.asarray(policy.mode() if greedy else policy.sample(self._act_rng)) + start

    def restart(self) -> None:
        """The next update begins with new episodes of the present task."""
        self._obs = None

    def state(self) -> State:
        """Networks, replay, default policy, and the position in the sequence of tasks."""
        models = {"actor": self._actor, "critic 0": self._critics[0], "critic 1": self._critics[1]}
        return {
            "course": self.course.state(),
            "models": {name: model.state() for name, model in models.items()},
            "targets": {str(i): dict(target.state_dict()) for i, target in enumerate(self._targets)},
            "replay": self._replay.state(),
            "obs": None if self._obs is None else self._obs.copy(),
        }

    def load_state(self, state: State) -> None:
        """Continue from ``state``.

        Raises:
            InterfaceError: it was saved with other options or in another environment.
        """
        try:
            self.course.load_state(state["course"])
            for name, model in zip(("actor", "critic 0", "critic 1"), (self._actor, *self._critics), strict=True):
                load_model(model, state["models"][name])
            for i, target in enumerate(self._targets):
                target.load_state_dict({key: torch.as_tensor(x) for key, x in state["targets"][str(i)].items()})
            self._replay.load_state(state["replay"])
            self._obs = None if state["obs"] is None else np.array(state["obs"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InterfaceError(f"this state was not saved by DiscreteSAC with these options: {reason}") from error
        self.env_steps = self.course.steps


def _successors(next_obs: Any, infos: Mapping[str, Any]) -> Any:
    """Observations after the step; where an episode ended, its last observation and not that after the reset."""
    if "final_obs" not in infos:
        return next_obs
    states = np.array(next_obs)
    ended = np.asarray(infos["_final_obs"])
    states[ended] = np.stack(list(infos["final_obs"][ended]))
    return states


def _descend(model: TorchModel, loss: Tensor) -> None:
    model.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    model.optimiser.step()


def _perceptron(sizes: tuple[int, ...], generator: torch.Generator) -> nn.Sequential:
    """Layers with ReLU between them; the last one starts at 0, so that all actions are equally likely, and values 0."""
    layers: list[nn.Module] = []
    for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
        # Draws nothing from torch's own generator, as the constructor would.
        layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs)  # type: ignore[no-untyped-call]
        last = number == len(sizes) - 2
        with torch.no_grad():
            layer.weight.copy_(
                (2 * torch.rand(outputs, inputs, generator=generator) - 1) * (0 if last else inputs**-0.5)
            )
            layer.bias.zero_()
        layers += [layer] if last else [layer, nn.ReLU()]
    return nn.Sequential(*layers)
