"""The hash of a component's code: what can change a number changes it, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from zoo_bench.digests import code

from zoo import UsageError

FILES = {
    "__init__.py": '"""Registration: "hashed_lab.unused:X" is named here."""\n',
    "agent.py": (
        '"""An agent."""\nfrom __future__ import annotations\nfrom typing import TYPE_CHECKING\n'
        "from hashed_lab.core import step\nfrom . import near\nif TYPE_CHECKING:\n    from hashed_lab.types import T\n"
        'LAZY = "hashed_lab.lazy:make"\n\ndef act(x):\n    """Acts."""\n    from hashed_lab.late import late\n'
        '    return step(x) + late  # adds\n'
    ),
    "core.py": "def step(x):\n    return x + 1\n",
    "near.py": "A = 1\n", "late.py": "late = 2\n", "lazy.py": "def make(): ...\n", "types.py": "T = int\n",
    "unused.py": "B = 1\n", "sub/__init__.py": "",
}  # fmt: skip
REGISTRY: Any = SimpleNamespace(plugins=[SimpleNamespace(plugin="hashed-lab", entries=())])


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "hashed_lab"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    forget()
    yield folder
    sys.modules.pop("hashed_lab", None)
    forget()


def forget() -> None:
    for cached in (code._hashes, code.module_file, code._roots, code.significant):
        cached.cache_clear()


def hashed() -> str:
    forget()
    found = code.code_of_modules({"hashed_lab.agent": "hashed-lab/agent"}, REGISTRY)
    assert found["zoo"] == code.core_version() and set(found) == {"zoo", "hashed-lab"}
    return found["hashed-lab"]


@pytest.mark.parametrize("name", ["agent.py", "core.py", "near.py", "late.py", "lazy.py"])
def test_what_is_imported_counts(package: Path, name: str) -> None:
    before = hashed()
    (package / name).write_text(FILES[name] + "C = 3\n")
    assert hashed() != before
    (package / name).write_text(FILES[name])
    assert hashed() == before


@pytest.mark.parametrize("name", ["unused.py", "types.py", "sub/__init__.py"])
def test_what_is_not_imported_does_not_count(package: Path, name: str) -> None:
    before = hashed()
    (package / name).write_text("C = 3\n")
    assert hashed() == before


def test_remarks_do_not_count_and_text_does(package: Path) -> None:
    before = hashed()
    text = (
        FILES["agent.py"].replace('"""Acts."""', '"""Acts\n\n    at length."""  # indeed').replace("# adds", "# sums")
    )
    (package / "agent.py").write_text(text.replace("\ndef act", "\n\n# a remark\ndef act"))
    assert hashed() == before
    (package / "agent.py").write_text(FILES["agent.py"] + 'D = "# no remark"\n')
    other = hashed()
    (package / "agent.py").write_text(FILES["agent.py"] + 'D = "# another"\n')
    assert len({before, other, hashed()}) == 3


def test_a_module_that_is_not_there_is_one_sentence(package: Path) -> None:
    with pytest.raises(
        UsageError, match=r"the code of hashed-lab/x is not known: there is no source of module hashed_lab\.x"
    ):
        code.code_of_modules({"hashed_lab.x": "hashed-lab/x"}, REGISTRY)
    (package / "core.py").write_text("def broken(:\n")
    with pytest.raises(UsageError, match="cannot be hashed"):
        hashed()


def test_modules_of_others_do_not_count() -> None:
    assert code.code_of_modules({"json": "json", "zoo.stats": "zoo"}, REGISTRY) == {"zoo": code.core_version()}
