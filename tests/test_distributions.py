"""What all our distributions have in common: one version, and types that a user's checker sees."""

from __future__ import annotations

import re
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


def test_the_citation_has_the_version_too() -> None:
    assert f"\nversion: {zoo.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_changelog_begins_with_the_version() -> None:
    first = next(line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    assert first.split()[1] == zoo.__version__


@pytest.mark.parametrize("file", sorted(ROOT.glob(".github/**/*.yml")), ids=lambda file: str(file.relative_to(ROOT)))
def test_what_the_workflows_run_is_there(file: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = set(re.findall(r"run: make ([\w-]+)", file.read_text()))
    assert called <= targets
    assert called or "workflows" not in file.parts


@pytest.mark.parametrize("file", PROJECTS, ids=lambda file: str(file.parent.name))
def test_every_package_says_that_it_is_typed(file: Path) -> None:
    packages = [init.parent for init in (file.parent / "src").glob("*/__init__.py")] or [ROOT / "zoo"]
    assert all((package / "py.typed").exists() for package in packages)
