"""Write the tables of ``benchmarks/README.md`` and the files in ``benchmarks/results/`` anew from stored runs.

The table of the papers' claims, at its top, and their totals in the README of the repository follow from all committed
results.

``python benchmarks/tables.py smoke reload [--dir runs]``. Nothing is trained here: ``zoo bench SUITE`` does that. A
suite whose runs are not all there is refused, so that no table is half of what it claims to be. With ``--from-raw`` the
tables are computed from the committed ``benchmarks/results/SUITE.raw.csv`` instead of runs.

Beside its results each suite has ``SUITE.digest.json``: what they depend on, the code that made the runs among it, by
which ``zoo table --check`` finds what is stale; the page says so, too. Where code was changed so that no number should
change, run some seed of each cell again, and let that prove it:

    zoo bench SUITE --first 1 --dir build/proof && python benchmarks/tables.py SUITE --proof build/proof

Every number of these runs must be the committed one up to rounding; cells that were not run again stay stale. Where
seeds advance together and last digits matter (residuals, diverging runs), leave out ``--first 1``.
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


def zoo_table(suite: str, folder: Path | None, form: str, *more: str) -> str:
    """What ``zoo table`` prints of the runs in ``folder``, or of the committed raw results."""
    command = [sys.executable, "-m", "zoo.cli.main", "table", suite, "--format", form, *more]
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


def write_digest(suite: str, folder: Path | None, proof: Path | None) -> None:
    """What the results depend on: by the records of runs; of raw results what is committed, but for claims."""
    file = RESULTS / f"{suite}.digest.json"
    if folder is not None or file.exists():
        file.write_text(
            zoo_table(suite, folder, "digest", *(["--proof", str(proof)] if proof else [])), encoding="utf-8"
        )


def write_state() -> None:
    """Which of the committed results are stale."""
    command = [sys.executable, "-m", "zoo.cli.main", "table", "--check", "--from", str(RESULTS), "--format", "markdown"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode > 1:  # 1: some are
        raise SystemExit(done.stderr.strip())
    replace_table(README, "zoo table --check", done.stdout)


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
    parser.add_argument("--proof", type=Path, metavar="DIR", help="runs made anew, which prove that new code changes "
                        "no number; with --from-raw implied")  # fmt: skip
    parsed = parser.parse_args()
    folder = None if parsed.from_raw or parsed.proof else parsed.dir
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
        if folder is not None:
            (RESULTS / f"{suite}.raw.csv").write_text(zoo_table(suite, folder, "raw"), encoding="utf-8")
        write_digest(suite, folder, parsed.proof)
        replace_table(README, f"zoo table {suite}", zoo_table(suite, folder, "markdown"))
        print(f"{suite}: {RESULTS / f'{suite}.csv'} and its table in {README}")
    write_papers()
    write_state()
    return 0


if __name__ == "__main__":
    sys.exit(main())
