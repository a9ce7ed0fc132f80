"""Loading plugins: isolation, all-or-nothing registration, collisions, suggestions, order."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from zoo.api import Needs, Offers
from zoo.discovery.registration import Entry, Registrar
from zoo.discovery.registry import Plugin, Registry, discover
from zoo.errors import PluginError, UnknownNameError, UsageError

REGISTER = """
from zoo import hookimpl

@hookimpl
def zoo_register(zoo):
    zoo.algorithm({name!r}, "somewhere:Class", config="somewhere:Config", summary="a test")
"""
BROKEN = {
    "ImportError": "import nowhere_at_all_",
    "SyntaxError": "def broken(:",
    "SystemExit": "raise SystemExit(3)",
    "KeyError": REGISTER.format(name="fine") + "\n    raise KeyError('late')",
    "ValueError": REGISTER.format(name="Upper-Case"),
    "PluginValidationError": REGISTER.format(name="fine") + "\n@hookimpl\ndef zoo_metrics(run, step, wrong):\n    pass",
    "unknown hook": REGISTER.format(name="fine") + "\n@hookimpl\ndef zoo_no_such_hook():\n    pass",
    "registered twice": REGISTER.format(name="twice")
    + '\n    zoo.algorithm("twice", "a:B", config="a:C", summary="again")',
}


def plugin(registry: Registry, name: str) -> Plugin:
    (found,) = [plugin for plugin in registry.plugins if plugin.plugin == name]
    return found


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_plugin_is_left_out_whole_and_the_others_never_notice(how: str, install: Any) -> None:
    install("aaa-broken", BROKEN[how])
    install("zzz-good", REGISTER.format(name="good"))
    registry = discover(only=["aaa-broken", "zzz-good"])
    broken = plugin(registry, "aaa-broken")
    assert (broken.state, broken.entries) == ("failed", ())
    assert broken.reason
    assert "\n" not in broken.reason
    assert [entry.name for entry in registry.entries()] == ["good"]
    assert registry.failures == [broken]
    assert not any(name.startswith("aaa-broken") for name, _ in registry.manager.list_name_plugin())
    assert not list(registry.ask("zoo_metrics", run=None, step=1, metrics={}))
    with pytest.raises(PluginError, match=r"plugin aaa-broken 1\.0 failed to load"):
        discover(only=["aaa-broken", "zzz-good"], strict=True)


def test_two_distributions_with_the_same_entry_point_name_are_both_there(install: Any) -> None:
    install("one", REGISTER.format(name="first"), point="same")
    install("two", REGISTER.format(name="second"), point="same")
    assert [entry.qualified for entry in discover(only=["two", "one"]).entries()] == ["one/first", "two/second"]


def test_a_distribution_may_have_several_entry_points_but_each_name_once(install: Any) -> None:
    install("many", REGISTER.format(name="first"), point="a")
    install("many", REGISTER.format(name="second"), point="b")
    install("many", REGISTER.format(name="first"), point="c")
    registry = discover(only=["many"])
    assert [plugin.state for plugin in registry.plugins] == ["registered", "registered", "failed"]
    assert [entry.name for entry in registry.entries()] == ["first", "second"]
    assert "many/first" in registry.failures[0].reason


def test_the_order_is_stable(install: Any) -> None:
    for name in ("mmm", "aaa", "zzz"):
        install(name, REGISTER.format(name=f"by-{name}"))
    assert [plugin.plugin for plugin in discover(only=["zzz", "aaa", "mmm"]).plugins] == ["aaa", "mmm", "zzz"]


def test_a_collision_is_an_error_at_use_with_the_qualified_names(install: Any) -> None:
    install("one", REGISTER.format(name="same"))
    install("two", REGISTER.format(name="same"))
    registry = discover(only=["one", "two"])
    assert not registry.failures
    with pytest.raises(UsageError, match="2 plugins offer the algorithm 'same': one/same, two/same"):
        registry.find("same", "algorithm")
    assert registry.find("two/same", "algorithm").plugin == "two"


def test_an_unknown_name_comes_with_the_nearest_and_with_suspects(install: Any) -> None:
    install("one", REGISTER.format(name="proximal"))
    install("two", BROKEN["ImportError"])
    registry = discover(only=["one", "two"])
    with pytest.raises(UnknownNameError, match="no algorithm called 'proximl': did you mean proximal") as caught:
        registry.find("proximl", "algorithm")
    assert caught.value.exit_code == 2
    assert "two failed to load" in caught.value.hint


@pytest.mark.parametrize(("value", "expected"), [("one", ["first"]), ("one, two", ["first", "second"]), ("", [])])
def test_zoo_plugins_chooses(value: str, expected: list[str], install: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    install("one", REGISTER.format(name="first"))
    two = install("two", REGISTER.format(name="second"))
    monkeypatch.setenv("ZOO_PLUGINS", value)
    registry = discover()
    assert [entry.name for entry in registry.entries()] == expected
    assert (two in sys.modules) == ("second" in expected)  # what is not asked for is not even imported


def test_a_misspelt_zoo_plugins_is_noticed(install: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    install("one-plugin", REGISTER.format(name="first"))
    monkeypatch.setenv("ZOO_PLUGINS", "one-plugn")
    (notice,) = discover().notices
    assert "did you mean one-plugin" in notice


@pytest.mark.parametrize(("value", "strict"), [("1", True), ("0", False), ("", False)])
def test_zoo_strict(value: str, strict: bool, install: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    install("one", BROKEN["ImportError"])
    monkeypatch.setenv("ZOO_STRICT", value)
    if strict:
        with pytest.raises(PluginError):
            discover(only=["one"])
    else:
        assert len(discover(only=["one"]).failures) == 1


def test_a_file_is_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a_single_file_plugin.py"
    file.write_text(REGISTER.format(name="single"))
    registry = discover([file], only=[])
    entry = registry.find("single", "algorithm")
    assert entry.qualified == "a_single_file_plugin/single"
    assert registry.files == (file,)
    try:
        again = discover([file], only=[])
        assert "already imported" in again.failures[0].reason
    finally:
        del sys.modules["a_single_file_plugin"]


def test_a_file_that_fails_leaves_no_module_behind(tmp_path: Path) -> None:
    file = tmp_path / "a_broken_file_plugin.py"
    file.write_text("raise RuntimeError('no')")
    assert discover([file], only=[]).failures[0].reason == "RuntimeError: no"
    assert "a_broken_file_plugin" not in sys.modules
    with pytest.raises(UsageError, match="there is no such file"):
        discover([tmp_path / "nothing.py"], only=[])


def registrar() -> Registrar:
    return Registrar("owner", "1.0")


@pytest.mark.parametrize("name", ["", "Upper", "1st", "with_underscore", "with space", "-x", "owner/name"])
def test_names_are_lower_case_with_hyphens(name: str) -> None:
    with pytest.raises(ValueError, match="expected lower-case letters, digits and hyphens"):
        registrar().algorithm(name, "a:B", config="a:C", summary="a test")


@pytest.mark.parametrize("target", ["", "module", "module:", ":Class", "mod ule:Class", "module:Class()", "a:B:C", 3])
def test_targets_are_module_and_attribute(target: Any) -> None:
    with pytest.raises(ValueError, match="expected 'module:attribute'"):
        registrar().algorithm("name", target, config="a:C", summary="a test")


def test_needs_and_offers_may_be_mappings_and_are_checked() -> None:
    made = registrar()
    made.algorithm("name", "a:B", config="a:C", summary="a test", needs={"constraints": True})
    made.environment("name", "a:B", summary="a test", offers={"tabular": True})
    assert (made.entries[0].needs, made.entries[1].offers) == (Needs(constraints=True), Offers(tabular=True))
    with pytest.raises(ValueError, match="'constraint', expected some of"):
        made.algorithm("other", "a:B", config="a:C", summary="a test", needs={"constraint": True})


def entry(kind: Any, target: str, config: str = "") -> Entry:
    return Entry(kind=kind, name="mine", plugin="owner", version="2.1", target=target, config=config)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (entry("algorithm", "nowhere_at_all_:X"), "cannot be loaded from 'nowhere_at_all_:X': ModuleNotFoundError"),
        (entry("algorithm", "math:nothing"), "cannot be loaded from 'math:nothing': AttributeError"),
        (entry("algorithm", "math:pi"), "expected a subclass of zoo.Algorithm"),
        (entry("evaluator", "zoo.api:Algorithm"), "expected a subclass of zoo.Evaluator"),
        (entry("algorithm", "zoo.api:Algorithm"), "does not define act, load_state, state, update"),
        (entry("environment", "math:pi"), "expected a callable"),
    ],
)
def test_a_target_that_does_not_keep_its_interface_names_its_owner(made: Entry, sentence: str) -> None:
    with pytest.raises(PluginError, match=r"'mine' of plugin owner 2\.1") as caught:
        made.resolve()
    assert sentence in caught.value.message


def test_options_that_are_no_dataclass_name_their_owner() -> None:
    with pytest.raises(PluginError, match=r"of plugin owner 2\.1: config 'math:pi' .* expected a dataclass"):
        entry("algorithm", "math:sin", "math:pi").resolve_config()
    assert entry("environment", "math:sin").resolve_config() is None


def test_fitting_goes_both_ways() -> None:
    made = registrar()
    made.algorithm("any", "a:B", config="a:C", summary="a test")
    made.algorithm("picky", "a:B", config="a:C", summary="a test", needs=Needs(constraints=True, action="discrete"))
    made.environment("plain", "a:B", summary="a test", offers=Offers(action="box"))
    made.environment("rich", "a:B", summary="a test", offers=Offers(action="discrete", constraints=True))
    done = Plugin(plugin="owner", version="1", source="x", state="registered", seconds=0.0, entries=tuple(made.entries))
    registry = Registry(plugins=[done])
    assert [e.name for e in registry.fitting(registry.find("picky", "algorithm"))] == ["rich"]
    assert [e.name for e in registry.fitting(registry.find("plain", "environment"))] == ["any"]
    assert [e.name for e in registry.fitting(registry.find("rich", "environment"))] == ["any", "picky"]
