"""The pictures of the environment families, drawn as ``zoo record`` draws: ``python docs/site/pictures.py``."""

from __future__ import annotations

import os
import tempfile
import warnings
from itertools import islice
from pathlib import Path

from PIL import Image
from zoo_view.recording.play import Stage

import zoo

FOLDER = Path(__file__).parents[1] / "images" / "environments"
SHOWN: dict[str, tuple[str, str, dict[str, object], int]] = {
    "cmdps": ("reload", "hazard-grid", {"steps": 300}, 6),
    "grids": ("frp", "four-rooms", {}, 8),
    "exploration": ("value-iteration", "sixarms", {}, 4),
    "trees": ("sarsa", "tree", {"steps": 500}, 3),
    "composite": ("ppo-native", "tiny-composite", {"steps": 512}, 5),
    "control": ("ppo-native", "cart-pole", {"steps": 4096}, 40),
    "transformed": ("ppo-native", "tvd-grid", {"steps": 1024}, 3),
    "goals": ("ppo-native", "Pendulum-v1", {"steps": 512}, 3),  # what pendulum-goals steps, which draws nothing itself
    "text": ("ppo-sum", "text-composite", {"steps": 64}, 12),
    "icl": ("ppo-native", "icl-exemplars", {"steps": 64}, 0),
}
"""family: algorithm, environment, how to train, and the step that is shown"""


def main() -> None:
    """Draw one picture for each family."""
    warnings.simplefilter("ignore")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root:
        for family, (algorithm, environment, how, step) in SHOWN.items():
            try:
                (result,) = zoo.train(algorithm, environment, root=root, eval_episodes=0, **how)  # type: ignore[arg-type]
                stage = Stage(zoo.load(result), seed=1)
                frames = list(islice(stage.play(1, greedy=False, max_steps=step), step + 1))
                Image.fromarray(frames[-1].picture).save(FOLDER / f"{family}.png", optimize=True)
                print(f"{family}: {environment}, {frames[-1].picture.shape}")
            except zoo.ZooError as error:
                print(f"{family}: {error}")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
