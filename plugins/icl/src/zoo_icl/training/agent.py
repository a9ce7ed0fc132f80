"""``icl-transformer``: a transformer that learns to label the query of a sequence."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from zoo import Algorithm, Array, Context, Metrics, State, UsageError
from zoo_icl.clamps import Clamps, Induction, compose
from zoo_icl.config import ICLTransformerConfig
from zoo_icl.model import ICLTransformer
from zoo_icl.sequences import task_of
from zoo_icl.training.adam import FlatAdam
from zoo_icl.training.evaluation_sets import EvaluationSets, tensors
from zoo_icl.training.gradients import gradients
from zoo_icl.training.schedule import Schedule

__all__ = ["ICLTransformerLearner"]


class ICLTransformerLearner(Algorithm[ICLTransformerConfig]):
    """Cross-entropy at the query, Adam with a constant step size; the budget counts sequences.

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
            UsageError: the environment has no sequences, the model's options do not fit together, or a clamp is
                unknown, conflicts with another, or names a head that the model lacks.
        """
        super().__init__(ctx, config)
        self.task = task_of(ctx.env)
        try:
            self.model = self._build_model()
            self.clamps = _compose(config.clamp, self.model)
        except ValueError as error:
            raise UsageError(str(error)) from error
        self.optimiser = FlatAdam(
            self.model,
            config.learning_rate,
            weight_decay=config.weight_decay,
            l2=config.l2,
            norm_sum=config.norm_sum,
        )
        self.sets = EvaluationSets.draw(self.task, config.eval_size, ctx.stream("evaluation"), self.optimiser.flat)
        self._gradients = gradients(self.model, self.optimiser, self.clamps)
        self._schedule = Schedule(config.eval_growth, config.eval_change)
        self._rng = ctx.stream("train")

    def _build_model(self) -> ICLTransformer:
        config = self.config
        generator = torch.Generator().manual_seed(int(self.ctx.stream("init").integers(2**63)))
        model = ICLTransformer(
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
        )
        return model.to(self.ctx.device)

    def update(self) -> Metrics:
        """Learn from ``log_sequences`` sequences, batch by batch; evaluate when that is due."""
        size = self.config.batch_size
        left = -(-max(self.ctx.budget - self.env_steps, 1) // size)
        steps = min(max(self.config.log_sequences // size, 1), left)
        x, y = tensors(self.task.sample_batch(steps * size, self._rng), self.optimiser.flat)
        losses, right = [], []
        for start in range(0, steps * size, size):
            batch, labels = x[start : start + size], y[start : start + size]
            loss, logits = self._gradients(batch, labels)
            self.optimiser.step()
            losses.append(loss)
            right.append(logits.argmax(1) == labels[:, -1])
        self.env_steps += steps * size
        metrics = {
            "train/loss": float(torch.stack(losses).mean()),
            "train/acc": float(torch.cat(right).double().mean()),
        }
        # A checkpoint at each evaluation, so that evaluations can be repeated and extended later.
        self.milestone = self._schedule.due(self.env_steps, metrics["train/loss"]) or self.env_steps >= self.ctx.budget
        if self.milestone:
            metrics |= self.sets.metrics(self.model, self.clamps)
        return metrics

    @torch.no_grad()
    def act(self, obs: Array, *, greedy: bool = True) -> NDArray[np.int64]:
        """Labels int64[B] for observations [B,N+1,D+K]: exemplars beside their labels, one-hot.

        A clamp that is defined by the right answer, ``Induction``, is left out: observations do not contain it.
        """
        tokens = torch.as_tensor(np.asarray(obs)).to(self.optimiser.flat)
        exemplars, labels = tokens[..., : self.task.input_dim], tokens[:, :-1, self.task.input_dim :].argmax(-1)
        logits = self.model(exemplars, labels, clamps=_without_answers(self.clamps))
        return np.asarray(logits.argmax(-1).cpu().numpy(), dtype=np.int64)

    def state(self) -> State:
        """Weights by their names in ``to_arrays``, Adam's moments, and when the last evaluation was."""
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


def _compose(texts: tuple[str, ...], model: ICLTransformer) -> tuple[Clamps, ...]:
    """The clamps as one composition; none if there are none.

    Raises:
        ValueError: a text is not a clamp, two conflict, or a head does not exist.
    """
    composed = compose(texts)
    for clamp in composed.members:
        clamp.check(model)
    return (composed,) if composed else ()


def _without_answers(clamps: tuple[Clamps, ...]) -> tuple[Clamps, ...]:
    return tuple(Clamps(tuple(clamp for clamp in each.members if not isinstance(clamp, Induction))) for each in clamps)
