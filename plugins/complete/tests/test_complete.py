"""The tab key, as shells press it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.testing import check_plugin

HEAVY = "sorted({'numpy', 'torch', 'sympy', 'gymnasium', 'scipy'} & set(sys.modules))"
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache directory where everything has been learned; nothing heavy was imported for it."""
    folder = tmp_path_factory.mktemp("cache")
    code = (
        "import sys; from zoo import CommandOptions; from zoo_complete.words import remember;"
        f"remember(CommandOptions()); print({HEAVY})"
    )
    ran = subprocess.run([sys.executable, "-c", code], env=environ(folder), capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
    return folder


def environ(cache: Path) -> dict[str, str]:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "XDG_CACHE_HOME": str(cache), "PATH": path}


def answer(line: str, cache: Path, folder: Path, after: str = "") -> list[str]:
    """What the tab key offers after ``line``."""
    out = folder / "answer.out"
    told = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9", "_ARGCOMPLETE": "1"}
    told |= {"_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_STDOUT_FILENAME": str(out)}
    code = f"import os; os._exit = lambda code: print(code); from zoo_complete.answer import main; main(); {after}"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environ(cache) | told, cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found = out.read_text().split("\n")
    out.unlink()
    return [word.strip() for word in found if word.strip()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("zoo tra", ["train"]),
        ("zoo train recurrent", ["recurrent-ppo"]),
        ("zoo train reload two-st", ["two-state"]),
        ("zoo train reload two-state --eta-", ["--eta-mu"]),
        ("zoo train reload two-state --env.th", ["--env.theta"]),
        ("zoo train reload two-state --resume ne", ["never"]),
        ("zoo train --see", ["--seed", "--seeds"]),
        ("zoo list rep", ["representations"]),
        ("zoo rep com", ["compare"]),
        ("zoo bench lambda", ["lambda-r"]),
        ("zoo eval runs/two-state/reload/", ["runs/two-state/reload/abc/"]),
        ("zoo eval runs/two-state/reload/abc/", ["runs/two-state/reload/abc/seed-0"]),
        ("zoo eval runs constr", ["constraints"]),
        ("zoo completion fi", ["fish"]),
    ],
)
def test_what_fits_is_offered(line: str, expected: list[str], cache: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "two-state" / "reload" / "abc" / "seed-0"
    run.mkdir(parents=True)
    (run / "spec.json").write_text("{}")
    assert answer(line, cache, tmp_path) == expected


def test_an_answer_imports_neither_the_zoo_nor_anything_heavy(cache: Path, tmp_path: Path) -> None:
    told = f"import sys; open('modules', 'w').write(repr(({HEAVY}, 'zoo' in sys.modules)))"
    assert "reload" in answer("zoo train rel", cache, tmp_path, told)
    assert (tmp_path / "modules").read_text() == "([], False)"


def test_what_is_out_of_date_is_learned_anew(cache: Path, tmp_path: Path) -> None:
    (file,) = (cache / "zoo").iterdir()
    whole = file.read_text()
    for wrong in ("{torn", json.dumps({**json.loads(whole), "names": {}, "stamp": {"time": 0}})):
        file.write_text(wrong)
        assert answer("zoo train rpg", cache, tmp_path) == ["rpgpd"]
        assert json.loads(file.read_text())["names"]["algorithm"] == json.loads(whole)["names"]["algorithm"]


def test_every_command_with_its_options_is_learned(cache: Path) -> None:
    (file,) = (cache / "zoo").iterdir()
    words = json.loads(file.read_text())
    assert all(command["arguments"] for command in words["commands"].values())
    assert {"two-state", "four-rooms"} <= set(words["names"]["environment"])
    eta = next(option for option in words["options"]["reload"] if option["names"] == ["--eta"])
    assert eta["choices"] == ["auto"]


def test_bash_completes(cache: Path, tmp_path: Path) -> None:
    script = r"""
    eval "$(zoo completion bash)"
    COMP_LINE='zoo train reload two-st'; COMP_POINT=${#COMP_LINE}; COMP_WORDS=(zoo train reload two-st); COMP_CWORD=3
    COMP_TYPE=9
    $(complete -p zoo | sed 's/.*-F \([^ ]*\).*/\1/') zoo two-st reload
    printf '%s' "${COMPREPLY[@]}"
    """
    ran = subprocess.run(
        ["bash", "-c", script], env=environ(cache), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "two-state", ran.stderr


@pytest.mark.parametrize(
    ("shell", "script"),
    [
        ("fish", "zoo completion fish | source; complete -C 'zoo train reload two-st'"),
        ("zsh", 'autoload -Uz compinit; compinit -u; eval "$(zoo completion zsh)"; print $_comps[zoo]'),
    ],
)
def test_other_shells_take_it(shell: str, script: str, cache: Path, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    ran = subprocess.run(
        [shell, "-c", script], env=environ(cache), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.stdout.split()[0] in ("two-state", "_python_argcomplete_zoo-complete"), ran.stderr


def test_package() -> None:
    check_plugin("zoo-complete")
