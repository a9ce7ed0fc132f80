"""Plugins as metadata on disk: a distribution is a folder ``NAME-VERSION.dist-info`` on the path."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NUMBERS = itertools.count()
Install = Callable[..., str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with one module; returns the module's name, which no other test uses."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("ZOO_PLUGINS", raising=False)
    monkeypatch.delenv("ZOO_STRICT", raising=False)
    made: list[str] = []

    def add(distribution: str, code: str, *, version: str = "1.0", point: str = "point", module: str = "") -> str:
        module = module or f"discovered_{next(NUMBERS)}"
        (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
        info = tmp_path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        with (info / "entry_points.txt").open("a", encoding="utf-8") as file:
            if not file.tell():
                file.write("[zoo]\n")
            file.write(f"{point} = {module}\n")
        made.append(module)
        return module

    yield add
    for module in made:
        sys.modules.pop(module, None)
