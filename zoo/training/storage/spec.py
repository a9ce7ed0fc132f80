"""The spec of a run: everything that decides its result, as plain data with a key."""

from __future__ import annotations

import hashlib
import json
from copy import copy
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.discovery.names import slug
from zoo.errors import RunError
from zoo.training.storage.documents import SPEC, checked, is_count, short
from zoo.training.storage.files import SEAL, digest

FORMAT = 1
UNIFORM = "uniform"
"""the policy that collects for a representation unless another is asked for"""
OUTSIDE_THE_KEY = ("seed", "origins", "device", "plugin_version")
"""fields that do not enter the key as they are; of the version, major and minor do"""


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """The resolved request for one run. Two runs with the same ``key`` differ only in their seed.

    Attributes:
        algorithm: qualified name of an algorithm or representation.
        kind: "algorithm", "representation", or "file" for what was made elsewhere and is only judged.
        plugin_version: version of the plugin it is from; major and minor are part of the key.
        environment: as ``EnvName.name`` has it.
        env_config: keyword arguments of the environment.
        config: fields of the algorithm's dataclass.
        representation: ``{"name", "config"}`` of a representation handed to the algorithm, or None.
        collect: for a representation: ``{"policy", "exact"}``.
        steps: budget in ``env_steps``.
        num_envs: copies of the environment.
        eval_every: environment steps between evaluations; 0 for only the last one.
        eval_episodes: episodes of each evaluation; 0 for none.
        seed: root seed.
        device: where tensors live.
        origins: for each option whether it is from "default", "preset" or "cli".
        extended_from: of a run that goes on from another with a smaller budget: that one's ``key`` and ``steps``,
            and the ``step`` of the checkpoint it began with.
        files: SHA-256 of the content of each file that an option names, by the option ("env.path").
        stop: rule on metrics by which it ends before its budget, such as "eval/return >= 475"; empty: none.
    """

    algorithm: str
    kind: str
    plugin_version: str
    environment: str
    env_config: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    representation: dict[str, Any] | None = None
    collect: dict[str, Any] | None = None
    steps: int
    num_envs: int = 1
    eval_every: int = 0
    eval_episodes: int = 20
    seed: int = 0
    device: str = "cpu"
    origins: dict[str, str] = field(default_factory=dict)
    extended_from: dict[str, Any] | None = None
    files: dict[str, str] = field(default_factory=dict)
    stop: str = ""

    @cached_property
    def key(self) -> str:
        """First 10 hexadecimal digits of the SHA-256 of everything that decides the result, the seed apart."""
        content = {name: value for name, value in self._fields().items() if name not in OUTSIDE_THE_KEY}
        for later in ("extended_from", "files", "stop"):  # as before there were such runs
            if not content[later]:
                del content[later]
        content["plugin"] = ".".join(self.plugin_version.split(".")[:2])
        content["format"] = FORMAT
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:10]

    @property
    def digest(self) -> str:
        """SHA-256 of all fields, by which damage is noticed where the key is silent: origins, device, seed."""
        content = self._fields()
        for later in ("files", "stop"):  # as before they were known
            if not content[later]:
                del content[later]
        return digest(content)

    @property
    def short(self) -> tuple[str, str]:
        """Names for people: algorithm and environment without plugin or prefix."""
        return self.algorithm.rpartition("/")[2], _env_short(self.environment)

    def folder(self, root: Path) -> Path:
        """The run directory under ``root``: ``<env>/<algo>/<key>/seed-<n>``."""
        algorithm, environment = self.short
        return root / slug(environment) / slug(algorithm) / self.key / f"seed-{self.seed}"

    def with_seed(self, seed: int) -> RunSpec:
        """The sibling with another seed, which has the same key."""
        sibling = copy(self)  # ``dataclasses.replace`` takes ten times as long, and a table asks for thousands
        sibling.__dict__.update(seed=seed, key=self.key)
        return sibling

    def _fields(self) -> dict[str, Any]:
        """The fields by name; unlike ``asdict``, not copied, which would take most of the time of a hash."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the format and the key."""
        return {"format": FORMAT, "key": self.key, **asdict(self)}

    @classmethod
    def from_json(cls, data: Any, where: Path) -> RunSpec:
        """Read ``to_json``; unknown keys are ignored.

        Args:
            data: the document.
            where: the file, for messages.

        Raises:
            RunError: the format is newer, a field is missing or of another kind, or the key is not that of the rest.
        """
        what = "the spec of a run"
        if not isinstance(data, dict) or not is_count(data.get("format", 0)):
            raise RunError(f"{where} is not {what}: its format is unknown.")
        if data.get("format", 0) > FORMAT:
            wrote = data.get("zoo", "a newer version")
            raise RunError(
                f"{where} has format {data['format']}, and this zoo reads up to {FORMAT}.", f"Use zoo {wrote}."
            )
        fields = {name: value for name, value in data.items() if name in cls.__dataclass_fields__}
        checked(fields, SPEC, where, what, ("algorithm", "kind", "plugin_version", "environment", "steps"))
        spec = cls(**fields)
        if data.get("key", spec.key) != spec.key:
            raise RunError(f"{where} is damaged: its key is {short(data['key'])}, and the rest makes {spec.key!r}.")
        if data.get(SEAL, spec.digest) != spec.digest:
            raise RunError(f"{where} is damaged: it is not what was written.")
        return spec


def _env_short(name: str) -> str:
    if name.startswith("gym:"):
        return name.removeprefix("gym:")
    return name.rpartition("/")[2]
