"""math-verify's own test tables: read from its source distribution, never copied, and without what is no mathematics.

The distribution is found at ``ZOO_MATH_VERIFY_SDIST`` or fetched by pip, pinned by hash; without a network the tests
are skipped, with ``ZOO_REQUIRE_EXTRAS=1`` they fail.
"""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

NAME = "math_verify-0.9.0"
SHA256 = "45ac6c61344ba056b9e99a660a4bc8d044ed408f730aed68c60435aa5eec4645"
NOT_MATHEMATICS = {
    ("test_latex_notation", 5): "a formula over several lines is refused: a rule of layout",
    ("test_latex_notation", 6): "the same",
    ("test_latex_notation", 9): "a dollar sign inside of a formula, of which the last part is taken",
    ("test_relations_math", 21): "a command that does not exist is skipped, and 1 = 0 holds",
    ("test_complex_math_expressions", 7): "0.33 is taken for 1/3 at two digits",
    ("test_complex_math_expressions", 13): "2.6667 is taken for 8/3 at two digits",
    ("test_set_rel_assymetry", 3): "two names of one set differ by an option of theirs",
    ("test_strict_variable_comparison", 1): "f(x) is taken for f(y) by an option of theirs",
    ("test_boxed", 0): "the boxes of a malformed formula joined by plus signs are a list",
    ("test_numina_cases", 24): "a box that is never closed, and a joiner glued to a number",
    ("test_string_extraction", 9): "1 - 1/e is taken for 1 + 1/e",
    (
        "test_math_extraction_additional_cases",
        24,
    ): "32, 349 is refused, which groups the digits of the gold as we read it",
}
"""pairs whose expectation is not mathematically true, by test and place, and why"""


@dataclass(frozen=True)
class Row:
    """A pair of the table, and where it stands."""

    place: tuple[str, int]
    gold: str
    response: str
    expected: bool


@pytest.fixture(scope="session")
def table(tmp_path_factory) -> list[Row]:
    """All pairs of gold and response whose expectation is written down."""
    path = Path(os.environ.get("ZOO_MATH_VERIFY_SDIST", ""))
    if not path.is_file():
        folder = tmp_path_factory.mktemp("sdist")
        pinned = folder / "pin.txt"
        pinned.write_text(f"math-verify==0.9.0 --hash=sha256:{SHA256}\n", encoding="ascii")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        fetched = subprocess.run(
            [*command, "--dest", str(folder), "--requirement", str(pinned)],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        path = folder / f"{NAME}.tar.gz"
        if not path.is_file():
            if os.environ.get("ZOO_REQUIRE_EXTRAS"):
                pytest.fail(f"math-verify's source distribution cannot be fetched: {fetched.stderr[-300:]}")
            pytest.skip("math-verify's source distribution cannot be fetched")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
    with tarfile.open(path) as archive:
        members = sorted(m.name for m in archive.getmembers() if m.name.startswith(f"{NAME}/tests/test_"))
        texts = [archive.extractfile(name).read().decode("utf-8") for name in members]
    return [row for text in texts for row in rows(ast.parse(text))]


def rows(module: ast.Module) -> list[Row]:
    """The parametrised pairs of a test module, as constants; what is computed there is left out but for f-strings."""
    pairs = []
    for function in module.body:
        if not isinstance(function, ast.FunctionDef):
            continue
        for decorator in function.decorator_list:
            if not isinstance(decorator, ast.Call) or getattr(decorator.func, "attr", "") != "parametrize":
                continue
            names = [part.strip() for part in ast.literal_eval(decorator.args[0]).split(",")]
            if not {"gold", "pred"} <= set(names):
                continue
            for at, element in enumerate(decorator.args[1].elts):
                try:
                    row = dict(zip(names, ast.literal_eval(element), strict=False))
                except ValueError:
                    continue
                expected = bool(row.get("expected", row.get("result")))
                pairs.append(Row((function.name, at), row["gold"], row["pred"], expected))
    return pairs


@pytest.fixture(scope="session")
def true_rows(table) -> list[Row]:
    """The pairs whose expectation is mathematically true."""
    assert {*NOT_MATHEMATICS} <= {row.place for row in table}
    return [row for row in table if row.place not in NOT_MATHEMATICS]
