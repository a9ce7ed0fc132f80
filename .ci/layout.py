"""The layout's budget: no file over 400 lines, no folder with more than 15 modules. Prints what breaks it."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

LINES, MODULES = 400, 15
files = subprocess.run(["git", "ls-files", "*.py"], capture_output=True, text=True, check=True).stdout.split()
files = [file for file in files if Path(file).exists()]
long = [
    f"{file}: {count} lines, at most {LINES}"
    for file in files
    if (count := len(Path(file).read_text().splitlines())) > LINES
]
sources = [file for file in files if file.startswith("zoo/") or "/src/" in file]
folders = Counter(str(Path(file).parent) for file in sources)
full = [f"{folder}: {count} modules, at most {MODULES}" for folder, count in folders.items() if count > MODULES]
print("\n".join([*long, *full]), end="\n" if long or full else "")
sys.exit(bool(long or full))
