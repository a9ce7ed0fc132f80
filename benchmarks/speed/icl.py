"""Train the transformer of the in-context-learning experiments: sequences per CPU second beside JAX and plain PyTorch.

The model of the papers' code: two attention-only blocks, d = 64, 8 heads, D = 512, two pairs in context, 5 labels. All
take the same Adam steps on the same batches from the same weights; the losses are compared. JAX as the original: every
row of both blocks, a compiled call for each step. Beside it, what JAX could do at best: all steps in one compiled loop,
and there with the last block's query row alone, as ours. The other tables are what watching and clamping cost.

    python benchmarks/speed/icl.py [--rounds N] [--compile] [--json]

Needs the extra ``peers`` (jax, optax) and torch. Goals: 1.0 times JAX as the original, 1.3 times eager PyTorch; unused
hooks 3 %, one pattern clamp 15 %, recording all patterns 25 %. Run it pinned to one core (``taskset -c 0``): JAX's
threads otherwise spend CPU time on waiting for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from icl_peers import eager_steps, jax_steps
from numpy.typing import NDArray
from ratio import Table, arguments, compare, show
from torch import Tensor
from zoo_icl.clamps import compose
from zoo_icl.hooks import Hooks
from zoo_icl.model import ICLTransformer
from zoo_icl.model.manual_backward.step import ManualGradients
from zoo_icl.training.adam import FlatAdam

D, PAIRS, LABELS, RATE = 512, 2, 5, 1e-4
PATTERNS = "blocks.*.attn.pattern"


def model_of() -> ICLTransformer:
    """The model, with the same weights each time."""
    return ICLTransformer(D, LABELS, generator=torch.Generator().manual_seed(0))


def batches(steps: int, size: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Random exemplars [steps, B, N+1, D] and labels [steps, B, N+1]."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((steps, size, PAIRS + 1, D), dtype=np.float32)
    return x, rng.integers(LABELS, size=(steps, size, PAIRS + 1))


def our_steps(x: NDArray[Any], y: NDArray[Any], *, gradient: bool = True) -> Callable[[], NDArray[Any]]:
    """Gradients by hand and the optimiser of ``icl-transformer``; without ``gradient``, the optimiser alone."""
    model = model_of()
    optimiser = FlatAdam(model, RATE)
    step = ManualGradients(model)

    def steps() -> NDArray[Any]:
        losses = []
        for exemplars, labels in zip(x, y, strict=True):
            losses.append(step(exemplars, labels)[0] if gradient else 0.0)
            optimiser.step()
        return np.array(losses)

    return steps


def training(size: int, rounds: int, *, compiled: bool) -> Table:
    """One table for a batch size."""
    x, y = batches(1280 // size, size)
    arrays = model_of().to_arrays()
    functions = {
        "zoo": our_steps(x, y),
        "JAX": jax_steps(arrays, x, y, RATE, looped=False),
        "JAX, one compiled loop": jax_steps(arrays, x, y, RATE),
        "the same, last row alone": jax_steps(arrays, x, y, RATE, last_row=True),
        "PyTorch, eager": eager_steps(arrays, x, y, RATE),
    }
    if compiled:
        functions["PyTorch, compiled"] = eager_steps(arrays, x, y, RATE, compiled=True)
    losses = [function() for function in functions.values()]
    functions["zoo's Adam alone"] = our_steps(x, y, gradient=False)
    table = compare(functions, rounds, title=f"training, batches of {size}")
    table.notes["largest difference of a loss"] = f"{max(np.abs(told - losses[0]).max() for told in losses):.1e}"
    rates = {row.name: round(x.shape[0] * size / row.median) for row in table.rows[:-1]}
    table.notes["sequences per CPU second"] = rates
    return table


def watching(size: int, rounds: int) -> Table:
    """What hooks cost a forward pass."""
    model, (x, y) = model_of(), (torch.from_numpy(part[0]) for part in batches(1, size))

    def forward(**options: Any) -> Callable[[], object]:
        def run() -> object:
            with torch.no_grad():
                return model(x, y, **options)

        return run

    unused, anything, calls = Hooks({}, frozenset()), torch.zeros(()), len(model.hook_points) - 1

    def hook_points() -> None:
        for name in model.hook_points[:calls]:
            unused(name, anything)

    functions = {"free": forward(), "all patterns recorded": forward(record=PATTERNS), "unused hooks": hook_points}
    table = compare(functions, rounds, title=f"forward passes, batches of {size}")
    free, recorded, alone = table.rows
    table.notes["unused hooks cost (goal 3 %)"] = f"{100 * alone.median / (free.median - alone.median):.1f} %"
    table.notes["recording all patterns costs (goal 25 %)"] = f"{100 * (recorded.ratio - 1):.0f} %"
    return table


def clamping(size: int, rounds: int) -> list[Table]:
    """What clamps cost forward and backward: by hand, where that can be, and through autograd."""
    exemplars, labels = (part[0] for part in batches(1, size))
    labels[:, 0], labels[:, 1] = labels[:, 2], (labels[:, 2] + 1) % LABELS
    x, y, model = torch.from_numpy(exemplars), torch.from_numpy(labels), model_of()

    def by_hand(clamps: str) -> Callable[[], object]:
        step = ManualGradients(model_of(), clamps)
        return lambda: step(exemplars, labels)

    def autograd(clamps: str) -> Callable[[], object]:
        clamping = compose(clamps)

        def run() -> Tensor:
            model.zero_grad(set_to_none=False)
            loss = F.cross_entropy(model(x, y, clamps=clamping), y[:, -1])
            loss.backward()
            return loss.detach()

        return run

    constant, others = ("PrevToken(0:0)", "Induction(1:3)", "Ablate(1:0-2,1:4-7)"), ("Layer1()", "Copy(1:3)")
    tables = []
    for way, run, names in (("by hand", by_hand, constant), ("through autograd", autograd, constant + others)):
        functions = {"free": run(""), **{name: run(name) for name in names}}
        table = compare(functions, rounds, title=f"forward and backward {way}, batches of {size}")
        table.notes["PrevToken costs (goal 15 %)"] = f"{100 * (table[constant[0]].ratio - 1):.0f} %"
        tables.append(table)
    return tables


def main() -> None:
    """Print all tables."""
    parser = arguments(__doc__)
    parser.add_argument(
        "--compile", action="store_true", help="also time torch.compile, which takes a minute to compile"
    )
    options = parser.parse_args()
    tables = [training(size, options.rounds, compiled=options.compile) for size in (32, 128)]
    for size in (32, 128):
        tables += [watching(size, options.rounds), *clamping(size, options.rounds)]
    show(tables, as_json=options.json)


if __name__ == "__main__":
    main()
