"""The pages of the documentation: commands that work as written, links that lead somewhere."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run(block: str, folder: Path) -> str:
    """The standard output of a block of commands, run by bash with this Python first on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", block], cwd=folder, text=True, check=False, capture_output=True,
        env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "100"},
    )  # fmt: skip
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("page", ["tutorial.md", "own-environments.md", "own-reward-models.md"])
def test_a_page_works_as_written(page: str, tmp_path: Path) -> None:
    if page != "tutorial.md" and not os.environ.get("ZOO_REQUIRE_EXTRAS"):
        pytest.skip("make test-full follows this page; tests of the environment and the plugin have what matters of it")
    output = ""
    for kind, content in FENCE.findall((DOCS / page).read_text(encoding="utf-8")):
        if kind == "sh":
            output = run(content, tmp_path)
        elif kind == "text":
            assert doctest.OutputChecker().check_output(content, output, FLAGS), f"expected\n{content}\ngot\n{output}"
        else:
            (tmp_path / content.partition("\n")[0].removeprefix("# ")).write_text(content, encoding="utf-8")


def headings(page: Path) -> set[str]:
    """The anchors of a page: its headings in lower case, with hyphens."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip()) for heading in found}


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: str(page.relative_to(DOCS)))
def test_every_local_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)(#[^)\s]*)?\)", text):
        file = page.parent / target if target else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor and file.suffix == ".md":
            assert anchor[1:] in headings(file), f"{page.name} links to {target}{anchor}"
