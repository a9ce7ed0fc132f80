"""The site, built strictly and crawled; only ``make test-full`` builds it."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]


class Page(HTMLParser):
    """The targets of a page's links and pictures, and its anchors."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            if value and (tag, name) in (("a", "href"), ("img", "src"), ("script", "src"), ("link", "href")):
                self.targets.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """All pages by file."""
    if not os.environ.get("ZOO_REQUIRE_EXTRAS"):
        pytest.skip("the site is built by make test-full alone")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return {file: Page(file) for file in sorted(folder.rglob("*.html")) if file.name != "404.html"}


@pytest.mark.slow
def test_every_link_of_the_site_leads_somewhere(site: dict[Path, Page]) -> None:
    broken = []
    for file, page in site.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            to = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            to = to / "index.html" if to.is_dir() else to
            if not to.exists() or (parts.fragment and to in site and unquote(parts.fragment) not in site[to].anchors):
                broken.append(f"{file.name}: {target}")
    assert not broken


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(site: dict[Path, Page]) -> None:
    for file, page in site.items():
        text = file.read_text(encoding="utf-8")
        assert "fonts.googleapis" not in text and "cdn." not in text, file.name
        assert page.anchors


@pytest.mark.slow
def test_every_environment_and_public_name_has_its_place(site: dict[Path, Page]) -> None:
    from zoo_envs_plugin.table import TABLE

    anchors = {anchor for page in site.values() for anchor in page.anchors}
    for row in TABLE:
        assert row.name in anchors and row.target.replace(":", ".") in anchors, row.name
    text = next(file for file in site if file.name == "zoo.html").read_text(encoding="utf-8")
    assert all(f"zoo.{name}" in text for name in ("train", "load", "evaluate", "open_runs", "Algorithm", "LoadedRun"))
