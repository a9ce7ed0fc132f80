"""``zoo eval RUN mdl-c-default``: the sparsity of a default policy, and the pruned policy as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from zoo_rpo.defaults import MaskedInput
from zoo_rpo.distributions import Categorical

from zoo import EvalContext, Evaluator, InterfaceError, Problem, Report, UsageError
from zoo_mdl_c.config import DefaultPolicyEvaluatorConfig
from zoo_mdl_c.default_policy import DefaultNetwork, VariationalDropoutPolicy
from zoo_mdl_c.distillation import DefaultLearner
from zoo_mdl_c.variational_dropout import VariationalDropoutLinear

__all__ = ["DefaultPolicyEvaluator", "export"]

WEIGHTS, REPORT = "default.safetensors", "default.json"
FORMAT = 1


class DefaultPolicyEvaluator(Evaluator[DefaultPolicyEvaluatorConfig]):
    """Reports the sparsity of MDL-C's default policy.

    Scores are ``sparsity`` and, for each group of inputs, ``sparsity/<group>``; rows say how many weights a group has,
    what share is pruned, and how large their means are; where cells of a grid are observed, further rows hold the
    default's probabilities in each cell, all other features being 0.
    """

    def evaluate(self, subject: Any, ctx: EvalContext) -> Report:
        """Evaluate the default policy of an algorithm.

        Raises:
            InterfaceError: it has no default policy.
            UsageError: the files cannot be written.
        """
        learner = getattr(subject, "default", None)
        if not isinstance(learner, DefaultLearner):
            raise InterfaceError(
                f"{type(subject).__name__} has no default policy: expected mdl-c, or a baseline with a default policy."
            )
        document = describe(learner)
        notes = []
        if self.config.export is not None:
            folder = Path(self.config.export)
            try:
                export(learner, folder)
            except OSError as error:
                raise UsageError(f"export = {folder}: {error.strerror or error}.") from error
            notes = [f"wrote {folder / WEIGHTS} and {folder / REPORT}"]
        scores = {"sparsity": document["sparsity"]}
        scores |= {f"sparsity/{name}": group["pruned"] for name, group in document["groups"].items()}
        rows: list[dict[str, Any]] = [{"group": name, **group} for name, group in document["groups"].items()]
        rows += on_grid(learner, ctx.problem)
        return Report(scores=scores, rows=rows, notes=notes)


def describe(learner: DefaultLearner) -> dict[str, Any]:
    """The report as JSON data: kind, sizes of the layers, activation, sparsity, and the groups of the first layer.

    An unpenalised policy has sparsity 0.
    """
    default, network = learner.default, network_of(learner)
    weights = [weight for weight, _ in layers_of(network)]
    document: dict[str, Any] = {
        "format": FORMAT,
        "kind": type(default).__name__,
        "sizes": [weights[0].shape[1], *[len(weight) for weight in weights]],
        "activation": "tanh",
        "sparsity": 0.0,
        "groups": {},
    }
    if isinstance(default, VariationalDropoutPolicy):
        document |= {"sparsity": default.sparsity(), "groups": default.prune_report(learner.groups or None)}
    if isinstance(default, MaskedInput):
        document["inputs"] = np.asarray(default._keep).tolist()
    return document


def export(learner: DefaultLearner, folder: Path) -> None:
    """Write the pruned policy: ``layers.<i>.weight`` [out, in] and ``layers.<i>.bias`` [out], and the report beside it.

    The outputs of the last layer are logits, or mean and log standard deviation; ``default.json`` describes the rest.
    Each file is written atomically.
    """
    from safetensors.numpy import save

    tensors = {}
    for index, (weight, bias) in enumerate(layers_of(network_of(learner))):
        tensors[f"layers.{index}.weight"], tensors[f"layers.{index}.bias"] = weight, bias
    text = json.dumps(describe(learner), indent=2, allow_nan=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((WEIGHTS, save(tensors)), (REPORT, text.encode())):
        part = folder / f".{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)


def on_grid(learner: DefaultLearner, problem: Problem) -> list[dict[str, Any]]:
    """One row for each cell: "cell", its row and column, and "probabilities" of the actions; none without a grid."""
    grid, position = problem.grid, learner.groups.get("position", slice(None))
    width = max((group.stop for group in learner.groups.values()), default=0)
    if grid is None or position.stop is None or position.stop - position.start != grid.num_states:
        return []
    obs = np.zeros((grid.num_states, width), dtype=np.float32)
    obs[:, position] = np.eye(grid.num_states)
    distribution = learner.distribution(obs)
    if not isinstance(distribution, Categorical):
        return []
    cells = np.stack(np.divmod(grid.cells, grid.walls.shape[1]), axis=1).tolist()
    rows = zip(cells, np.asarray(distribution.p).round(6).tolist(), strict=True)
    return [{"cell": cell, "probabilities": p} for cell, p in rows]


def network_of(learner: DefaultLearner) -> DefaultNetwork:
    """The network of a default policy of any kind."""
    default: Any = learner.default
    if isinstance(default, MaskedInput):
        default = default.default
    network: DefaultNetwork = default.network if hasattr(default, "network") else default.model.module
    return network


def layers_of(network: DefaultNetwork) -> list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Weights [out, in] and biases [out] of the layers, pruned where they are penalised."""
    layers = []
    for layer in network.layers:
        weight: Any = layer.effective_weights() if isinstance(layer, VariationalDropoutLinear) else layer.weight
        bias: Any = layer.bias
        layers.append((weight.detach().numpy().copy(), bias.detach().numpy().copy()))
    return layers
