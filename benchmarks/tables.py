"""Write the tables of ``benchmarks/README.md`` and the files in ``benchmarks/results/`` anew from stored runs.

The table of the papers' claims, at its top, and their totals in the README of the repository follow from all committed
results.

``python benchmarks/tables.py smoke reload [--dir runs]``. Nothing is trained here: ``zoo bench SUITE`` does that. A
suite whose runs are not all there is refused, so that no table is half of what it claims to be. With ``--from-raw`` the
tables are computed from the committed ``benchmarks/results/SUITE.raw.csv`` instead of runs.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
README, RESULTS = HERE / "README.md", HERE / "results"


def zoo_table(suite: str, folder: Path | None, form: str) -> str:
    """What ``zoo table`` prints of the runs in ``folder``, or of the committed raw results."""
    command = [sys.executable, "-m", "zoo.cli.main", "table", suite, "--format", form]
    command += ["--dir", str(folder)] if folder else ["--from", str(RESULTS / f"{suite}.raw.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    return done.stdout


def replace_table(file: Path, command: str, table: str) -> None:
    """Replace what stands in ``file`` between the mark of the command that writes it and the next end mark."""
    text = file.read_text(encoding="utf-8")
    begin, end = f"<!-- {command} -->", "<!-- end -->"
    place = re.search(f"{re.escape(begin)}.*?{re.escape(end)}", text, re.DOTALL)
    if place is None:
        raise SystemExit(f"{file} has no place for {command}: expected {begin} and {end}")
    file.write_text(f"{text[: place.start()]}{begin}\n{table.strip()}\n{end}{text[place.end() :]}", encoding="utf-8")


def write_papers() -> None:
    """The claims of the papers, from all committed results."""
    command = [sys.executable, "-m", "zoo.cli.main", "papers", "--from", str(RESULTS), "--format", "markdown"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    replace_table(README, "zoo papers", done.stdout)
    counted = re.search(r"### Claims of the papers, counted\n\n(.*?)\n\n", done.stdout, re.DOTALL)
    if counted is None:
        raise SystemExit("zoo papers printed no totals")
    replace_table(HERE.parent / "README.md", "zoo papers", counted[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="none: the claims of the papers alone")
    parser.add_argument("--dir", type=Path, default=Path("runs"))
    parser.add_argument("--from-raw", action="store_true", help="from the committed raw results")
    parsed = parser.parse_args()
    folder = None if parsed.from_raw else parsed.dir
    RESULTS.mkdir(exist_ok=True)
    for suite in parsed.suites:
        dropped = json.loads(zoo_table(suite, folder, "json"))["dropped"]
        if dropped:
            first = dropped[0]
            raise SystemExit(
                f"{len(dropped)} runs of {suite} are left out, the first of them {first['label']} on "
                f"{first['environment']}, seed {first['seed']}: {first['reason']}. Try: zoo bench {suite}"
            )
        (RESULTS / f"{suite}.csv").write_text(zoo_table(suite, folder, "csv"), encoding="utf-8")
        (RESULTS / f"{suite}.raw.csv").write_text(zoo_table(suite, folder, "raw"), encoding="utf-8")
        replace_table(README, f"zoo table {suite}", zoo_table(suite, folder, "markdown"))
        print(f"{suite}: {RESULTS / f'{suite}.csv'} and its table in {README}")
    write_papers()
    return 0


if __name__ == "__main__":
    sys.exit(main())
