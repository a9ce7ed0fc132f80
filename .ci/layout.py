"""The layout's budget: lines of a file, modules of a folder, lines of the core, one version. Prints what breaks it."""

import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

LINES, MODULES = 400, 15
CORE, LIBRARIES = 14_290, ("zoo/tabular/", "zoo/testing/")
"""7,500 lines as laid out, 5,550 that robustness took (resume grades, hostile files, isolation, workers), 250 for
commands that came later, 350 for Python as a first-class citizen, sweeps, completion and environments of one's own,
140 for executors, 270 for wrappers by option, families of environments and a rule to stop, 120 for violations in
evaluations and for observations that people hand to an agent, 110 for sinks and errors that name their owner"""

files = subprocess.run(["git", "ls-files", "*.py"], capture_output=True, text=True, check=True).stdout.split()
lines = {file: len(Path(file).read_text().splitlines()) for file in files if Path(file).exists()}
long = [f"{file}: {count} lines, at most {LINES}" for file, count in lines.items() if count > LINES]
sources = [file for file in lines if file.startswith("zoo/") or "/src/" in file]
folders = Counter(str(Path(file).parent) for file in sources)
full = [f"{folder}: {count} modules, at most {MODULES}" for folder, count in folders.items() if count > MODULES]
core = sum(n for file, n in lines.items() if file.startswith("zoo/") and not file.startswith(LIBRARIES))
over = [f"zoo without its libraries: {core} lines, at most {CORE}"] if core > CORE else []
projects = [Path(place) / "pyproject.toml" for place in (".", "envs", *Path("plugins").iterdir())]
versions = {tomllib.loads(file.read_text())["project"]["version"] for file in projects if file.exists()}
differ = [f"versions of distributions: {', '.join(sorted(versions))}, expected one"] if len(versions) > 1 else []
broken = [*long, *full, *over, *differ]
print("\n".join(broken), end="\n" if broken else "")
sys.exit(bool(broken))
