"""Environment arguments, in their order of precedence, and names for the file system."""

from __future__ import annotations

import re
import subprocess
import sys

import gymnasium
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.discovery.names import resolve_env, slug
from zoo.discovery.registration import Registrar
from zoo.discovery.registry import Plugin, Registry
from zoo.errors import UnknownNameError, UsageError, nearest


def registry(*plugins: str, names: tuple[str, ...] = ("two-state", "corridor")) -> Registry:
    made = []
    for plugin in plugins:
        registrar = Registrar(plugin, "1")
        for name in names:
            registrar.environment(name, "a:B", summary="a test")
        made.append(
            Plugin(
                plugin=plugin, version="1", source="x", state="registered", seconds=0.0,
                entries=tuple(registrar.entries),
            )
        )  # fmt: skip
    return Registry(plugins=made)


def test_a_registered_name_bare_or_qualified() -> None:
    for text in ("two-state", "owner/two-state"):
        found = resolve_env(text, registry("owner"))
        assert (found.name, found.short, found.imports) == ("owner/two-state", "two-state", "")
        assert found.declared is not None


def test_the_prefix_goes_to_gymnasium_untouched() -> None:
    found = resolve_env("gym:CartPole-v1", registry("owner"))
    assert (found.name, found.short, found.gym_id) == ("gym:CartPole-v1", "CartPole-v1", "CartPole-v1")
    assert found.declared is None
    nested = resolve_env("gym:minigrid:MiniGrid-Empty-5x5-v0", registry())
    assert (nested.gym_id, nested.imports) == ("minigrid:MiniGrid-Empty-5x5-v0", "minigrid")


def test_the_registry_comes_before_gymnasium() -> None:
    gymnasium.register("corridor", entry_point="nowhere:Nothing")
    try:
        assert resolve_env("corridor", registry("owner")).entry is not None
        assert resolve_env("gym:corridor", registry("owner")).entry is None
        assert resolve_env("corridor", registry()).gym_id == "corridor"
    finally:
        del gymnasium.registry["corridor"]


def test_an_id_with_a_module_says_that_it_imports() -> None:
    found = resolve_env("some_package.envs:Thing-v0", registry())
    assert (found.name, found.imports) == ("gym:some_package.envs:Thing-v0", "some_package.envs")
    assert "some_package" not in sys.modules


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("two-stat", "two-state"),
        ("Cartpole-v1", "CartPole-v1"),
        ("gym:Cartpole-v1", "CartPole-v1"),
        ("CartPole", "CartPole-v1"),
    ],
)
def test_suggestions_come_from_both(text: str, near: str) -> None:
    with pytest.raises(UsageError, match=re.escape(near)) as caught:
        resolve_env(text, registry("owner"))
    assert caught.value.exit_code == 2


def test_two_owners_of_a_name() -> None:
    with pytest.raises(UsageError, match="one/two-state, two/two-state"):
        resolve_env("two-state", registry("one", "two"))


def test_nothing_near_lists_what_is_registered() -> None:
    with pytest.raises(UnknownNameError, match="there are corridor, two-state"):
        resolve_env("qqqqqq", registry("owner"))


def test_a_registered_name_loads_no_gymnasium() -> None:
    code = (
        "import sys; from zoo import discover; from zoo.discovery.names import resolve_env\n"
        "resolve_env('two-state', discover()); sys.exit('gymnasium' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(st.text(max_size=40))
def test_a_slug_is_a_file_name_everywhere(text: str) -> None:
    made = slug(text)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", made)
    assert not made.endswith((".", "-"))
    assert slug(made) == made


@given(st.lists(st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1), unique=True), st.data())
def test_nearest_finds_what_is_there_and_never_more_than_three(names: list[str], data: st.DataObject) -> None:
    assert len(nearest("anything", names)) <= 3
    if names:
        chosen = data.draw(st.sampled_from(names))
        assert chosen in nearest(chosen, names)
        assert chosen in nearest(chosen.upper(), names)
