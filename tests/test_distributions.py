"""What all our distributions have in common: one version, and types that a user's checker sees."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import zoo

ROOT = Path(__file__).parent.parent
PROJECTS = [ROOT / "pyproject.toml", ROOT / "envs/pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]


@pytest.mark.parametrize("file", PROJECTS, ids=lambda file: str(file.parent.name))
def test_every_distribution_has_the_version_of_the_core(file: Path) -> None:
    # Written in each, for a source distribution holds no file of another; equal, because they are released together.
    assert tomllib.loads(file.read_text())["project"]["version"] == zoo.__version__


@pytest.mark.parametrize("file", PROJECTS, ids=lambda file: str(file.parent.name))
def test_every_package_says_that_it_is_typed(file: Path) -> None:
    packages = [init.parent for init in (file.parent / "src").glob("*/__init__.py")] or [ROOT / "zoo"]
    assert all((package / "py.typed").exists() for package in packages)
