"""Pages of the site that are written elsewhere: READMEs, docstrings of environments, public names.

A hook of mkdocs: pages are made while the site is built, so that nothing is written twice.
"""

from __future__ import annotations

import importlib
import inspect
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
COPIED = {
    "README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md", "benchmarks/speed/README.md": "speed.md",
    "envs/README.md": "distributions/zoo-envs.md",
}  # fmt: skip
"""files of the repository, to pages of the site"""
FACES = (
    "zoo",
    "zoo.tabular",
    "zoo.testing",
    "zoo.stats",
    "zoo.training",
    "zoo.runs",
    "zoo.discovery",
    "zoo.cli",
    "zoo.terminal",
)
FAMILIES = {
    "cmdps": "Constrained decision processes", "grids": "Rooms and grids", "exploration": "Exploration and foraging",
    "trees": "Trees of tasks", "composite": "Composite rewards", "control": "Control with constraints",
    "goals": "Families of goals", "transformed": "Transformed state spaces", "icl": "In-context learning",
    "text": "Text",
}  # fmt: skip
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def copied() -> dict[str, str]:
    """All files that become pages, those of plugins among them."""
    readmes = {f"plugins/{readme.parent.name}/README.md" for readme in ROOT.glob("plugins/*/README.md")}
    return COPIED | {readme: f"distributions/zoo-{readme.split('/')[1]}.md" for readme in sorted(readmes)}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made."""
    pages = {page: (ROOT / source).read_text(encoding="utf-8") for source, page in copied().items()}
    pages |= dict(environment_pages()) | dict(reference_pages())
    for page, content in pages.items():
        files.append(File.generated(config, page, content=content))
    return files


def on_config(config: Any) -> Any:
    """Fill the folders of made pages into the navigation."""
    folders = {
        "environments": [page for page, _ in environment_pages()],
        "reference": [page for page, _ in reference_pages()],
        "distributions": sorted(page for page in copied().values() if page.startswith("distributions/")),
    }
    _fill(config["nav"], folders)
    return config


def _fill(nav: list[Any], folders: dict[str, list[str]]) -> None:
    for item in nav:
        for title, value in item.items() if isinstance(item, dict) else ():
            if isinstance(value, list):
                _fill(value, folders)
            elif value in folders:
                item[title] = folders[value]


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links lead to pages of the site: files of the repository that are none are named instead."""
    sources = {to: source for source, to in copied().items()}
    source = sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def led(match: re.Match[str]) -> str:
        image, text, target = match.groups()
        where, hash_, anchor = target.partition("#")
        if not where or re.match(r"[a-z]+:", target):
            return match[0]
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), where))
        file = f"{file}/README.md" if f"{file}/README.md" in copied() else file
        to = copied().get(file) or (file.removeprefix("docs/") if file.startswith("docs/") else "")
        if to == "methods":
            to = "methods/reload.md"
        if not to:
            return text
        return f"{image}[{text}]({posixpath.relpath(to, posixpath.dirname(page.file.src_uri))}{hash_}{anchor})"

    return _LINK.sub(led, markdown)


def environment_pages() -> Iterator[tuple[str, str]]:
    """A page for each family: its picture, and each environment's docstring and options."""
    from zoo_envs_plugin.table import TABLE

    for family, title in FAMILIES.items():
        rows = [row for row in TABLE if row.target.split(":")[0].split(".")[1] == family]
        parts = [f"# {title}\n"]
        if (ROOT / "docs/images/environments" / f"{family}.png").exists():
            parts.append(f"![{title}](../images/environments/{family}.png)\n")
        parts.append("| name | gymnasium id | |\n|---|---|---|")
        parts.append(
            "".join(f"| [`{row.name}`](#{row.name}) | `{row.gymnasium_id}` | {row.summary} |\n" for row in rows)
        )
        for row in rows:
            parts.append(f"## {row.name} {{ #{row.name} }}\n")
            for target, more in ((row.target, "members: false"), (row.config, "show_bases: false")):
                parts.append(f"::: {target.replace(':', '.')}\n    options:\n      {more}\n      heading_level: 3\n")
        yield f"environments/{family}.md", "\n".join(parts)


def reference_pages() -> Iterator[tuple[str, str]]:
    """A page for each public package, with its public names."""
    told: dict[str, str] = {}
    for face in FACES:
        package = importlib.import_module(face)
        parts = [f"# {face}\n", (inspect.getdoc(package) or "") + "\n"]
        own = [name for name, value in vars(package).items() if getattr(value, "__module__", "") == face]
        for name in getattr(package, "__all__", [name for name in own if not name.startswith("_")]):
            value = getattr(package, name)
            if not (inspect.isclass(value) or inspect.isfunction(value)) or not value.__module__.startswith("zoo"):
                continue
            target = f"{value.__module__}.{value.__name__}"
            if target in told:
                parts.append(f"`{name}` is [`{told[target]}.{name}`][{target}].\n")
            else:
                told[target] = face
                parts.append(f"::: {target}\n    options:\n      heading: {face}.{name}\n      toc_label: {name}\n")
        yield f"reference/{face}.md", "\n".join(parts)
