"""One table feeds gymnasium and zoo; it stays light; options, classes and table agree."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import zoo_envs
import zoo_envs_plugin
from zoo_envs_plugin import TABLE

NAMES = [row.name for row in TABLE]
CONTROL = [row for row in TABLE if row.needs == "dm_control" and "tasks" not in row.offers]
MULTITASK = [row for row in TABLE if "tasks" in row.offers]
TRANSFORMED = [row for row in TABLE if row.config.startswith("zoo_envs_plugin.options.transformed:")]
SAMPLED = [row for row in TABLE if row not in CONTROL + MULTITASK + TRANSFORMED and not row.family]
NO_TABLES = {"tiny-composite", "cart-pole", "text-composite", "icl-exemplars"}
CONSTRAINED = {
    *("two-state", "three-state", "garnet", "hazard-grid", "constrained-catch", "tabular"),
    *("tiny-composite", "text-composite"),
}


def load(target: str) -> Any:
    module, attribute = target.split(":")
    return getattr(importlib.import_module(module), attribute)


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_plugin_module_loads_no_heavy_module() -> None:
    families = sorted({row.config.partition(":")[0] for row in TABLE})
    loaded = run(f"import sys, zoo_envs_plugin, {', '.join(families)}; print(*sys.modules)").split()
    assert set(families) <= set(loaded)
    assert {"numpy", "gymnasium", "zoo", "zoo_envs"}.isdisjoint(loaded)


def test_package_never_imports_zoo() -> None:
    assert (
        run("import sys, zoo_envs, zoo_envs.wrappers, zoo_envs.cmdps.from_arrays; print('zoo' in sys.modules)")
        == "False"
    )


def test_gymnasium_imports_the_package_named_in_the_id() -> None:
    code = "import gymnasium as g; print(g.make('zoo_envs:zoo/TwoState-v0').reset(seed=0)[0])"
    assert run(code) == "0"


def test_registrar_gets_every_row() -> None:
    calls: dict[str, dict[str, Any]] = {}

    class Registrar:
        def environment(self, name: str, target: str, **rest: Any) -> None:
            calls[name] = {"target": target, **rest}

        def wrapper(self, name: str, target: str, *, vector: str = "", **rest: Any) -> None:
            wrappers[name] = [load(function) for function in filter(None, (target, vector))]

    wrappers: dict[str, list[Any]] = {}
    zoo_envs_plugin.zoo_register(Registrar())
    assert list(wrappers) == ["constraint", "flatten-observation", "frame-stack", "rescale-action", "time-limit"]
    assert all(callable(function) for functions in wrappers.values() for function in functions)
    assert list(calls) == NAMES
    assert len(set(NAMES)) == len(NAMES)
    for call in calls.values():
        assert set(call) == {"target", "vector", "config", "summary", "offers", "family"}
        assert call["summary"]
    for row in SAMPLED:
        box = "box" if row.name in NO_TABLES else "discrete"
        assert row.offers == {
            "action": "discrete",
            "observation": None if row.name == "constrained-catch" else box,  # perhaps a picture
            "constraints": row.name in CONSTRAINED,
            "tabular": row.name not in NO_TABLES,
            "snapshot": True,
            "batched": True,
        }
    for row in TRANSFORMED:
        assert (row.offers["observation"], bool(row.vector)) == ("box", row.name != "transformed")
    for row in MULTITASK:
        assert row.offers["tasks"] and row.offers["snapshot"]
        assert bool(row.vector) == bool(row.offers.get("batched"))
    for row in CONTROL:
        assert row.offers == {"action": "box", "observation": "box", "constraints": True, "snapshot": True}
    for name in ("tree", "random-tree"):
        expected = {"action": "discrete", "observation": "discrete", "tasks": True, "snapshot": True}
        assert calls[name]["offers"] == expected


def test_hook_is_marked_for_zoo() -> None:
    assert hasattr(zoo_envs_plugin.zoo_register, "zoo_impl")


@pytest.mark.parametrize("row", TABLE, ids=NAMES)
def test_targets_resolve_and_gymnasium_knows_them(row: zoo_envs_plugin.Row) -> None:
    assert issubclass(load(row.target), gymnasium.Env)
    assert not row.vector or issubclass(load(row.vector), gymnasium.vector.VectorEnv)
    assert bool(row.vector) == bool(row.offers.get("batched"))
    spec = gymnasium.spec(row.gymnasium_id)
    assert (spec.entry_point, spec.vector_entry_point) == (row.target, row.vector or None)


@pytest.mark.parametrize("row", TABLE, ids=NAMES)
def test_config_fields_are_the_constructor_arguments(row: zoo_envs_plugin.Row) -> None:
    config = load(row.config)
    assert config.__dataclass_params__.frozen
    defaults = {field.name: field.default for field in dataclasses.fields(config)}
    for target in filter(None, (row.target, row.vector)):
        parameters = inspect.signature(load(target)).parameters.values()
        others = ("num_envs", "render_mode", "model", *(["task"] if row.family else []))
        taken = {p.name: p.default for p in parameters if p.name not in others}
        assert taken == defaults


def test_every_config_field_has_a_docstring() -> None:
    found: dict[str, ast.ClassDef] = {}
    for file in (Path(zoo_envs_plugin.__file__).parent / "options").glob("[!_]*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        where = f"zoo_envs_plugin.options.{file.stem}"
        found |= {f"{where}:{node.name}": node for node in tree.body if isinstance(node, ast.ClassDef)}
    assert set(found) == {row.config for row in TABLE}
    for node in found.values():
        for here, after in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(here, ast.AnnAssign):
                assert isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant), ast.unparse(here)


def test_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert zoo_envs.__version__ == version("zoo-envs")
