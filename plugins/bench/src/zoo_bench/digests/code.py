"""The code behind components: SHA-256 over the modules that their entries name and those that these import.

Of a module counts what can change a number: its lines without comments, docstrings and blank ones. Imports are
followed, without importing anything, within the packages of plugins and of libraries that plugins share; the core and
third parties are not hashed, the core being known by its major and minor version. Text that names a module
("package.module:object") counts as an import; what is imported in other ways is not seen.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import zoo
from zoo import UsageError
from zoo.discovery import Entry, Registry

Code = dict[str, str]
"""Plugin, or library of plugins, to the hash of its modules; "zoo" to the core's major and minor version."""
CORE = "zoo"
DIGITS = 16
"""hexadecimal digits of a hash that are kept"""
_NAMED = re.compile(r"""["']([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?::[\w.]+)?["']""")
_BESIDE = re.compile(r"""["']([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)["']""")
_TEXT_OR_COMMENT = re.compile(
    r'''("""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\#[^\n]*''',
    re.DOTALL,
)


def code_of(entries: Iterable[Entry], registry: Registry) -> Code:
    """The hash of each plugin's modules behind ``entries``.

    Raises:
        UsageError: a module that an entry names is not there, or is no Python.
    """
    named = {
        target.partition(":")[0]: entry.qualified
        for entry in entries
        for target in (entry.target, entry.config, entry.vector)
        if target
    }
    return code_of_modules(named, registry)


def code_of_modules(named: Mapping[str, str], registry: Registry) -> Code:
    """As ``code_of``, from the names of modules and what each is the code of."""
    tops = packages(registry)
    kept = {name: whose for name, whose in named.items() if name.partition(".")[0] in tops}
    for name, whose in kept.items():
        if module_file(name) is None:
            raise UsageError(f"the code of {whose} is not known: there is no source of module {name}.")
    return {CORE: core_version(), **_hashes(tuple(sorted(kept)), tuple(tops.items()))}


@lru_cache(maxsize=1024)
def _hashes(names: Sequence[str], packages: Sequence[tuple[str, str]]) -> Code:
    """Hash of each plugin's modules among ``names`` and what they import."""
    tops = dict(packages)
    modules: dict[str, Path] = {}
    for name in names:
        _follow(name, modules, tops)
    hashed = {plugin: hashlib.sha256() for plugin in sorted({tops[name.partition(".")[0]] for name in modules})}
    for name in sorted(modules):
        text, _ = significant(modules[name])
        hashed[tops[name.partition(".")[0]]].update(f"{name}\n{text}\n".encode())
    return {plugin: found.hexdigest()[:DIGITS] for plugin, found in hashed.items()}


def core_version() -> str:
    """Major and minor version of the core."""
    return ".".join(zoo.__version__.split(".")[:2])


def packages(registry: Registry) -> dict[str, str]:
    """Packages whose code is hashed, by the name at the top of their modules, and what they are called."""
    found = {plugin.plugin.replace("-", "_"): plugin.plugin for plugin in registry.plugins}
    for plugin in registry.plugins:
        for entry in plugin.entries:
            found.setdefault(entry.target.partition(":")[0].partition(".")[0], entry.plugin)
    return {top: name for top, name in found.items() if top not in (CORE, "zoo_core", "zoo_bench")}


def _follow(name: str, modules: dict[str, Path], tops: Iterable[str]) -> None:
    """Add a module and all that it imports to ``modules``."""
    waiting = [name]
    while waiting:
        name = waiting.pop()
        path = module_file(name) if name not in modules and name.partition(".")[0] in tops else None
        if path is None:
            continue
        modules[name] = path
        _, imported = significant(path)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        waiting += [_absolute(other, package) for other in imported]


def _absolute(name: str, package: str) -> str:
    """The module meant by ``..other``, or "module:name", in a package."""
    base, colon, inner = name.partition(":")
    level = len(base) - len(base.lstrip("."))
    if level:
        parts = package.split(".")
        base = ".".join(filter(None, (*parts[: len(parts) - level + 1], base[level:])))
    return f"{base}.{inner}" if colon and module_file(f"{base}.{inner}") is not None else base


@lru_cache(maxsize=4096)
def module_file(name: str) -> Path | None:
    """The source of a module, found without importing it; None where there is none."""
    top, *inner = name.split(".")
    for folder in _roots(top):
        path = folder.joinpath(*inner)
        if not inner and folder.suffix == ".py":
            return folder
        for file in (path.with_name(f"{path.name}.py") if inner else None, path / "__init__.py"):
            if file is not None and file.is_file():
                return file
    return None


@lru_cache(maxsize=256)
def _roots(top: str) -> tuple[Path, ...]:
    """Folders of a package, or the file of a module, at the top."""
    loaded = sys.modules.get(top)
    spec = getattr(loaded, "__spec__", None) or (importlib.util.find_spec(top) if loaded is None else None)
    if spec is None:
        file = getattr(loaded, "__file__", None)
        return (Path(file),) if file else ()
    if spec.submodule_search_locations is not None:
        return tuple(map(Path, spec.submodule_search_locations))
    return (Path(spec.origin),) if spec.origin and spec.origin.endswith(".py") else ()


@lru_cache(maxsize=4096)
def significant(path: Path) -> tuple[str, tuple[str, ...]]:
    """The lines of a module that count, and the modules that it may import: ``..name`` where relative.

    Raises:
        UsageError: it cannot be read, or is no Python.
    """
    try:
        source = path.read_text(encoding="utf-8")
        statements = list(_statements(ast.parse(source)))
    except (OSError, ValueError, SyntaxError) as error:
        raise UsageError(f"the code in {path} cannot be hashed: {error}.") from error
    names = dict.fromkeys(name for node in statements for name in _imported(node))
    names |= dict.fromkeys(_NAMED.findall(source))
    if path.name == "__init__.py":  # where names are imported when they are asked for, text names modules beside it
        names |= dict.fromkeys(f".{name}" for name in _BESIDE.findall(source))
    return _without_remarks(source, statements), tuple(names)


def _without_remarks(source: str, statements: Iterable[ast.stmt]) -> str:
    """Source without comments, docstrings (any text that is a statement of its own) and blank lines."""
    lines = source.splitlines()
    for node in statements:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    code = _TEXT_OR_COMMENT.sub(lambda found: found[1] or "", "\n".join(lines))
    return "\n".join(line.rstrip() for line in code.splitlines() if line.strip())


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Every statement, but for those that only a type checker reads."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node
        typed = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            if not (typed and block == "body"):
                inner = getattr(node, block, ())
                waiting += inner if isinstance(inner, list) else ()


def _imported(node: ast.stmt) -> Iterator[str]:
    """What an import statement names: modules, or "module:name" where the name may be a module, too."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        yield from (f"{base}:{alias.name}" for alias in node.names)
