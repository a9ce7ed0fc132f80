"""Files that options name: known by their content, so that no run goes on with another file under the same name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo.errors import RunError, UsageError
from zoo.training.storage.files import hash_file
from zoo.training.storage.spec import RunSpec


def _named(config: Any) -> Iterator[tuple[str, Path]]:
    """Options of a dataclass that are files (``metadata={"file": True}``) and are there."""
    for option in dataclasses.fields(config) if dataclasses.is_dataclass(config) else ():
        value = getattr(config, option.name)
        if option.metadata.get("file") and value and Path(value).is_file():
            yield option.name, Path(value)


def resolved(configs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Options with the paths of their files made absolute, and the SHA-256 of each file's content.

    Args:
        configs: dataclasses by prefix: "" for the algorithm's, "env", "representation".

    Returns:
        The dataclasses, and the sums by dotted name, such as "env.path".

    Raises:
        UsageError: a file cannot be read.
    """
    found, sums = dict(configs), {}
    for prefix, config in configs.items():
        for name, path in _named(config):
            found[prefix] = dataclasses.replace(found[prefix], **{name: str(path.resolve())})
            try:
                sums[f"{prefix}.{name}" if prefix else name] = hash_file(path).hexdigest()
            except OSError as error:
                raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    return found, sums


def check_unchanged(spec: RunSpec) -> None:
    """Refuse a run whose files are gone, or have another content than when it began.

    Raises:
        RunError: naming the file.
    """
    represented = spec.representation["config"] if spec.representation else {}
    values = {"": spec.config, "env": spec.env_config, "representation": represented}
    for dotted, expected in spec.files.items():
        prefix, _, name = dotted.rpartition(".")
        path = Path(str(values.get(prefix, {}).get(name, "")))
        try:
            actual = hash_file(path).hexdigest()
        except OSError as error:
            raise RunError(f"{path}, which this run reads, cannot be read: {error.strerror}.") from error
        if actual != expected:
            raise RunError(
                f"{path}, which this run reads, has changed since it began.",
                "Put the file back to go on; zoo train with the same options begins a run with the file as it is now.",
            )
