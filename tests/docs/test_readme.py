"""What the README shows of Python runs as it stands there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    rows = ran.stdout.splitlines()
    scores = [ast.literal_eval(row.partition(" ")[2]) for row in rows[:2]]
    assert all(abs(values["value"] - 0.5) < 1e-6 for values in scores)  # the exact optimum
    rows = rows[2:]
    assert len(rows) == 2 and all(" finished " in row for row in rows)
    last = [ast.literal_eval(row[row.index("{") :]) for row in rows]
    assert all(values["err"] < 1e-6 for values in last)  # the distance from the exact optimum
