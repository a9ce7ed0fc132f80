"""The tutorial, followed to the letter: files are written, commands are typed, output is compared."""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

import zoo.testing
from zoo.api import Context, Needs, Offers
from zoo.cli.commands.train import NOT_CONVERGED
from zoo.discovery.hooks import HookSpecs
from zoo.discovery.registration import Registrar
from zoo.errors import UsageError, ZooError

TUTORIAL = Path(__file__).parents[2] / "docs" / "write-a-plugin.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"^(?:# |<!-- )(\S+\.\w+)(?: -->)?$")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A fresh virtual environment that sees this one's packages, so that nothing is downloaded."""
    root = tmp_path / "venv"
    venv.create(root, with_pip=False, symlinks=True)
    python = root / "bin" / "python"
    site = next((root / "lib").iterdir()) / "site-packages"
    parents = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    lines = [f"import site; site.addsitedir({path!r})" for path in sorted(parents)]
    site.joinpath("parent.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, module in (("pip", "pip"), ("zoo", "zoo.cli.main")):
        script = root / "bin" / name
        script.write_text(f'#!/bin/sh\nexec "{python}" -m {module} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return root / "bin"


def run(block: str, folder: Path, commands: Path) -> str:
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ZOO_", "PYTHON"))},
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads "0" as: no isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", block],
        cwd=folder, env=environ, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}\n{done.stdout}"
    return done.stdout


def test_tutorial_works_as_written(tmp_path: Path, commands: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    checker = doctest.OutputChecker()
    output: str | None = None
    kinds = []
    for kind, content in FENCE.findall(TUTORIAL.read_text(encoding="utf-8")):
        kinds.append(kind)
        if kind == "sh":
            output = run(content, folder, commands)
        elif kind == "text":
            assert output is not None, f"output of no command:\n{content}"
            assert checker.check_output(content, output, FLAGS), f"expected\n{content}\ngot\n{output}"
            output = None
        else:
            first, _, _ = content.partition("\n")
            named = FILE_NAME.match(first)
            assert named, f"a {kind} block does not begin with its file name: {first}"
            folder.joinpath(named[1]).write_text(content, encoding="utf-8")
    assert {"python", "toml", "sh", "text"} <= set(kinds)
    judged = json.loads(run("zoo eval results return --json", folder, commands))["evaluations"]
    returns = [row["scores"]["return"] for row in judged]
    assert len(returns) == 3
    assert max(returns) >= 475.0  # gymnasium's own bar for CartPole-v1


def test_every_local_link_of_the_documentation_leads_somewhere() -> None:
    for page in TUTORIAL.parent.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_interfaces_page_leaves_nothing_out() -> None:
    page = (TUTORIAL.parent / "interfaces.md").read_text(encoding="utf-8")
    hooks = [name for name in vars(HookSpecs) if name.startswith("zoo_")]
    methods = [name for name in vars(Registrar) if not name.startswith("_")]
    members = [name for name in (*vars(Context), *Context.__dataclass_fields__) if not name.startswith("_")]
    needs = [*Needs.__dataclass_fields__, *Offers.__dataclass_fields__]
    for name in (*hooks, *methods, *members, *needs, *zoo.testing.__all__, "ZOO_PLUGINS", "ZOO_STRICT"):
        assert name in page, name
    for status in {ZooError.exit_code, UsageError.exit_code, NOT_CONVERGED}:
        assert f"| {status} |" in page
