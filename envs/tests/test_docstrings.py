"""Each environment's class says what one needs to use it: actions, observations, rewards, ends, options, optimum."""

from __future__ import annotations

import importlib
import inspect

import gymnasium
import pytest
import zoo_envs  # noqa: F401 - registers the ids

IDS = sorted(name for name in gymnasium.registry if name.startswith("zoo/"))


@pytest.mark.parametrize("name", IDS)
def test_the_class_is_a_page_for_its_reader(name: str) -> None:
    module, _, cls = str(gymnasium.registry[name].entry_point).partition(":")
    text = inspect.getdoc(getattr(importlib.import_module(module), cls)) or ""
    assert text.startswith(f"``{name}``")
    lowered = text.lower()
    missing = [word for word in ("action", "observation", "reward", "ends", "option") if word not in lowered]
    assert not missing
    assert any(word in lowered for word in ("optimum", "return at most", "the return is at most"))
