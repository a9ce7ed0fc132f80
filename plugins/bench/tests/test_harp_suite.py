"""The suite that judges made-up responses to HARP's sample: its claims hold, and fail where they must."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any


def bench(folder: Path) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Exit status of ``zoo bench``, verdicts by claim, and all it said."""
    command = [sys.executable, "-m", "zoo.cli.main", "bench", str(folder / "harp.toml"), "--quick", "--json"]
    done = subprocess.run(
        [*command, "--dir", str(folder / "runs")], capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "ZOO_PLUGINS": "zoo-core,zoo-bench,zoo-harp", "OMP_NUM_THREADS": "1"}, cwd=folder,
    )  # fmt: skip
    document = json.loads(done.stdout)
    return done.returncode, {claim["claim"]: claim["verdict"] for claim in document["claims"]}, document


def test_every_claim_holds_and_one_wrong_answer_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(str(resources.files("zoo_harp") / "suites"), tmp_path, dirs_exist_ok=True)
    status, verdicts, document = bench(tmp_path)
    assert (status, len(document["cells"]), len(verdicts)) == (0, 4, 10)
    assert set(verdicts.values()) == {"as before"}
    assert not list(tmp_path.rglob("harp-was-here"))  # what a hostile answer would make

    responses = tmp_path / "harp" / "right.jsonl"
    lines = responses.read_text().splitlines()
    first = json.loads(lines[0])
    lines[0] = json.dumps(first | {"response": first["response"].replace("12", "13")})
    responses.write_text("\n".join(lines) + "\n")
    status, verdicts, document = bench(tmp_path)
    (right,) = [claim for claim in document["claims"] if claim["claim"] == "right"]
    assert (status, right["verdict"], right["environments"][0]["left"]) == (0, "changed", 100 * 39 / 40)
    del verdicts["right"]
    assert set(verdicts.values()) == {"as before"}
