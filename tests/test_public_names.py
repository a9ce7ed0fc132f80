"""The public faces: each name is there, is lazy, and is hidden by no module of the same name."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

FACES = ["zoo", "zoo.cli", "zoo.discovery", "zoo.runs", "zoo.tabular", "zoo.terminal", "zoo.testing", "zoo.training"]


@pytest.mark.parametrize("face", FACES)
def test_every_public_name_is_there_and_no_module_hides_it(face: str) -> None:
    package = importlib.import_module(face)
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert package.__all__ == sorted(set(package.__all__), key=package.__all__.index)
    for name in package.__all__:
        assert name not in modules, f"importing {face}.{name} anywhere would replace the public {name}"
        assert getattr(package, name) is not None
        assert name in dir(package)
    with pytest.raises(AttributeError, match=f"module '{face}' has no attribute 'nothing'"):
        _ = package.nothing


@pytest.mark.parametrize("face", FACES)
def test_a_face_costs_no_heavy_import(face: str) -> None:
    heavy = "sorted({'numpy', 'scipy', 'torch', 'gymnasium', 'sympy', 'rich'} & set(sys.modules))"
    code = f"import sys, {face}; print({heavy})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
