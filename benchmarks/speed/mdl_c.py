"""MDL-C: the variational dropout layer beside a linear one; a seed of four rooms beside control without a default.

The layer: forward pass and KL at 256 x 256, batch 256 and 32, with and without a backward pass. A seed: the preset of
``zoo train mdl-c four-rooms-goals``, eight tasks, in its own process, beside ``mdl-c-po`` (goal: 25 s of one core).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable

import torch
from ratio import Table, arguments, compare, show
from zoo_mdl_c import VariationalDropoutLinear

SIZE = 256


def layers(batch: int, *, backward: bool) -> Table:
    """Forward pass and KL, over ``nn.Linear``'s forward pass."""
    torch.manual_seed(0)
    x, plain, ours = torch.randn(batch, SIZE), torch.nn.Linear(SIZE, SIZE), VariationalDropoutLinear(SIZE, SIZE)

    def linear() -> object:
        y = plain(x)
        return y.sum().backward() if backward else y

    def variational() -> object:
        y, kl = ours(x), ours.kl()
        return (y.sum() + kl).backward() if backward else (y, kl)

    if backward:
        return compare(
            {"linear": linear, "variational dropout": variational}, title=f"and backward, batch {batch}", rounds=9
        )
    with torch.no_grad():
        return compare(
            {"linear": linear, "variational dropout": variational}, title=f"forward and KL, batch {batch}", rounds=9
        )


def seed(name: str) -> Callable[[], object]:
    """One whole command."""

    def run() -> object:
        with tempfile.TemporaryDirectory() as folder:
            line = [sys.executable, "-m", "zoo.cli.main", "train", name, "four-rooms-goals", "--quiet", "--dir", folder]
            return subprocess.run([*line, "--eval-episodes", "0"], check=True, capture_output=True)

    return run


def main() -> None:
    """Print the tables."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--layer", action="store_true", help="the layer alone")
    args = parser.parse_args()
    torch.set_num_threads(1)
    tables = [layers(256, backward=False), layers(32, backward=False), layers(256, backward=True)]
    if not args.layer:
        runs = {name: seed(name) for name in ("mdl-c", "mdl-c-po")}
        tables.append(compare(runs, title="a seed of four-rooms-goals, 512,000 steps", rounds=args.rounds))
    show(tables, as_json=args.json)


if __name__ == "__main__":
    main()
