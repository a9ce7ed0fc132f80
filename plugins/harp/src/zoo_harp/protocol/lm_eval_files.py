"""A task of lm-evaluation-harness as files: the configuration and the functions it names."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from zoo import UsageError

TASK = "harp"
_NAMES = ("harp.yaml", "harp_task.py")


def write_task(folder: Path, dataset: Path, *, force: bool = False) -> list[Path]:
    """Write the task that asks the short answers of ``dataset``.

    Args:
        folder: to write to; created if it does not exist.
        dataset: file of problems, ``.jsonl``.
        force: overwrite existing files.

    Raises:
        UsageError: the dataset is not a ``.jsonl`` file, or a file already exists.
    """
    if not dataset.is_file() or dataset.suffix != ".jsonl":
        raise UsageError(f"{dataset} is not a file of problems: expected an existing .jsonl file.")
    paths = [folder / name for name in _NAMES]
    existing = [path for path in paths if path.exists()]
    if existing and not force:
        raise UsageError(f"{existing[0]} already exists.", "--force overwrites it.")
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        text = files("zoo_harp").joinpath("data", "lm_eval", path.name).read_text(encoding="utf-8")
        path.write_text(text.replace('"DATASET"', json.dumps(str(dataset.resolve()))), encoding="utf-8")
    return paths
