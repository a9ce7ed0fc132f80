"""Start-up: the first output of ``zoo`` beside a bare interpreter and beside importing stable-baselines3.

CPU seconds of whole processes, user and system. ``zoo train reload two-state`` is timed whole, run included.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable

from ratio import Table, arguments, compare, show

ZOO = ["-m", "zoo.cli.main"]


def process(*args: str) -> Callable[[], None]:
    """A function that runs one interpreter to its end, its output thrown away."""

    def run() -> None:
        subprocess.run([sys.executable, *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

    return run


def train() -> None:
    """One whole training run in a directory of its own."""
    with tempfile.TemporaryDirectory() as root:
        process(*ZOO, "train", "reload", "two-state", "--dir", root)()


def measure(rounds: int) -> list[Table]:
    """First output, and one small run."""
    functions: dict[str, Callable[[], object]] = {
        "zoo list": process(*ZOO, "list"),
        "zoo --help": process(*ZOO, "--help"),
        "python -c pass": process("-c", "pass"),
        "import stable_baselines3": process("-c", "import stable_baselines3"),
    }
    first = compare(functions, rounds, title="start-up")
    whole = compare({"zoo train reload two-state": train}, rounds, title="one whole run")
    return [first, whole]


if __name__ == "__main__":
    parsed = arguments(__doc__ or "").parse_args()
    show(measure(parsed.rounds), as_json=parsed.json)
