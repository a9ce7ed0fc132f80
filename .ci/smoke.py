"""What a user does first, with installed wheels alone; prints what it tried, and ends with what failed."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

ZOO = str(Path(sys.executable).with_name("zoo"))
COMMANDS = [
    ["--version"],
    ["list"],
    ["train", "reload", "two-state", "--steps", "500", "--eta", "1", "--eta-mu", "1", "--quiet"],
    ["train", "reload", "two-state", "--steps", "500", "--eta", "1", "--eta-mu", "1", "--quiet"],
    ["eval", "runs", "constraints"],
    ["show", "runs", "--verify"],
    ["plot", "runs", "-o", "curves.png"],
    ["record", "runs", "-o", "agent.gif", "--max-steps", "10"],
    ["new-plugin", "mine", "--kind", "algorithm"],
    ["completion", "bash"],
]

versions = {d.name: d.version for d in importlib.metadata.distributions() if d.name.startswith("zoo-")}
print(versions)
failed = [] if len(set(versions.values())) == 1 else ["versions differ"]
import zoo  # noqa: E402

if "site-packages" not in str(Path(zoo.__file__)):
    failed.append(f"zoo is not the wheel's: {zoo.__file__}")
for command in COMMANDS:
    done = subprocess.run([ZOO, *command], capture_output=True, text=True, check=False, timeout=300)
    print(f"{'ok' if done.returncode == 0 else 'failed'}: zoo {' '.join(command)}")
    if done.returncode:
        failed.append(f"zoo {' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
sys.exit("\n".join(failed) or 0)
