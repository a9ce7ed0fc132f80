"""A registry with components that each break one promise."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zoo.discovery.registry import Registry, discover

FIXTURES = Path(__file__).with_name("fixtures")


@pytest.fixture(scope="session")
def broken() -> Iterator[Registry]:
    sys.path.insert(0, str(FIXTURES))
    yield discover([FIXTURES / "broken.py"])
    sys.path.remove(str(FIXTURES))
