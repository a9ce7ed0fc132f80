"""``icl-transformer``: a transformer that learns to label the query of a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from zoo import Algorithm, Array, Context, Metrics, State
from zoo_icl.config import ICLTransformerConfig
from zoo_icl.model import ICLTransformer
from zoo_icl.training.adam import FlatAdam
from zoo_icl.training.look import Sets, tensors
from zoo_icl.training.schedule import Schedule
from zoo_icl.training.task import task_of

__all__ = ["ICLTransformerLearner"]


class ICLTransformerLearner(Algorithm[ICLTransformerConfig]):
    """Cross-entropy at the query, Adam with a constant step size; the budget counts sequences (icl.md, section 5).

    Weights, training sequences and evaluation sets have random streams of their own, all from the seed of the run.

    Attributes:
        model: the transformer.
        clamps: in force whenever it runs.
        task: where sequences come from.
        sets: the fixed evaluation sets.
    """

    def __init__(self, ctx: Context, config: ICLTransformerConfig) -> None:
        """Build model, optimiser and evaluation sets.

        Raises:
            UsageError: the environment has no sequences.
            ValueError: the model's options do not fit together, or a clamp is none.
        """
        super().__init__(ctx, config)
        self.task = task_of(ctx.env)
        generator = torch.Generator().manual_seed(int(ctx.stream("init").integers(2**63)))
        self.model = ICLTransformer(
            self.task.input_dim,
            self.task.num_labels,
            d_model=config.d_model,
            n_heads=config.n_heads,
            depth=config.depth,
            mlp_ratio=config.mlp_ratio,
            pos=config.pos,
            rope_base=config.rope_base,
            sinusoid_base=config.sinusoid_base,
            norm=config.norm,
            max_tokens=2 * self.task.context + 1,
            dtype=getattr(torch, config.dtype),
            generator=generator,
        ).to(ctx.device)
        self.clamps: Any = config.clamp
        self.optimiser = FlatAdam(
            self.model,
            config.learning_rate,
            weight_decay=config.weight_decay,
            l2=config.l2,
            norm_sum=config.norm_sum,
        )
        self.sets = Sets.drawn(self.task, config.eval_size, ctx.stream("evaluation"), self.optimiser.flat)
        self._schedule = Schedule(config.eval_growth, config.eval_change)
        self._rng = ctx.stream("train")

    def update(self) -> Metrics:
        """Learn from ``log_sequences`` sequences, batch by batch; look at the evaluation sets when that is due."""
        size = self.config.batch_size
        left = -(-max(self.ctx.budget - self.env_steps, 1) // size)
        steps = min(max(self.config.log_sequences // size, 1), left)
        x, y = tensors(self.task.sample_batch(steps * size, self._rng), self.optimiser.flat)
        losses, right = [], []
        for start in range(0, steps * size, size):
            batch, labels = x[start : start + size], y[start : start + size]
            self.optimiser.zero()
            logits = self.model(batch, labels, clamps=self.clamps)
            loss = F.cross_entropy(logits, labels[:, -1])
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            losses.append(loss.detach())
            right.append(logits.detach().argmax(1) == labels[:, -1])
        self.env_steps += steps * size
        metrics = {
            "train/loss": float(torch.stack(losses).mean()),
            "train/acc": float(torch.cat(right).double().mean()),
        }
        if self._schedule.due(self.env_steps, metrics["train/loss"]) or self.env_steps >= self.ctx.budget:
            metrics |= self.sets.metrics(self.model, self.clamps)
        return metrics

    @torch.no_grad()
    def act(self, obs: Array, *, greedy: bool = True) -> NDArray[np.int64]:
        """Labels int64[B] for observations [B,N+1,D+K]: exemplars beside their labels, one-hot."""
        shown = torch.as_tensor(np.asarray(obs)).to(self.optimiser.flat)
        exemplars, labels = shown[..., : self.task.input_dim], shown[:, :-1, self.task.input_dim :].argmax(-1)
        logits = self.model(exemplars, labels, clamps=self.clamps)
        return np.asarray(logits.argmax(-1).cpu().numpy(), dtype=np.int64)

    def state(self) -> State:
        """Weights by their names in ``to_arrays``, Adam's moments, and the last look."""
        return {
            "model": self.model.to_arrays(),
            "optimiser": self.optimiser.state(),
            "schedule": self._schedule.state(),
        }

    def load_state(self, state: State) -> None:
        """Continue from ``state()``."""
        self.model.load_arrays(state["model"])
        self.optimiser.load_state(state["optimiser"])
        self._schedule.load_state(state["schedule"])
