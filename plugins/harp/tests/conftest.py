"""Optional packages that a test needs, looked for without importing them."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec

import pytest


@pytest.fixture(scope="session")
def need() -> Callable[..., None]:
    """Skips the test if a package is missing; with ``ZOO_REQUIRE_EXTRAS=1`` that is a failure."""

    def needed(*packages: str) -> None:
        missing = [name for name in packages if find_spec(name) is None]
        if missing:
            (pytest.fail if os.environ.get("ZOO_REQUIRE_EXTRAS") else pytest.skip)(
                f"not installed: {', '.join(missing)}"
            )

    return needed
