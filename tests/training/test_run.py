from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.errors import RunError
from zoo.training.storage.lock import Lock
from zoo.training.storage.logs import Log, Mark
from zoo.training.storage.run_dir import RunDir, find_runs
from zoo.training.storage.spec import RunSpec

SPEC = RunSpec(algorithm="p/a", kind="algorithm", plugin_version="1.2.3", environment="gym:X:Y/Z-v0", steps=5)


def test_the_key_ignores_only_what_does_not_decide_the_result() -> None:
    assert SPEC.key == replace(SPEC, seed=4, device="cuda", plugin_version="1.2.9", origins={"a": "cli"}).key
    changed = [
        replace(SPEC, steps=6), replace(SPEC, config={"a": 1}), replace(SPEC, plugin_version="1.3.0"),
        replace(SPEC, env_config={"a": 1}), replace(SPEC, num_envs=2), replace(SPEC, eval_every=1),
    ]  # fmt: skip
    assert len({SPEC.key, *(spec.key for spec in changed)}) == 7


def test_the_folder_has_no_character_that_a_file_system_refuses(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path, SPEC)
    assert run.path.relative_to(tmp_path).parts == ("X-Y-Z-v0", "a", SPEC.key, "seed-0")
    assert RunDir.open(run.path).spec == SPEC


def test_a_newer_format_is_refused_with_the_version_that_reads_it(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path, SPEC)
    content = json.loads((run.path / "spec.json").read_text())
    (run.path / "spec.json").write_text(json.dumps({**content, "format": 9, "zoo": "7.1.0"}))
    with pytest.raises(RunError) as caught:
        RunDir.open(run.path)
    assert "format 9" in caught.value.message
    assert caught.value.hint == "Use zoo 7.1.0."


def test_unknown_keys_of_a_spec_are_kept_out_of_the_way(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path, SPEC)
    content = json.loads((run.path / "spec.json").read_text())
    (run.path / "spec.json").write_text(json.dumps({**content, "mood": "good"}))
    assert RunDir.open(run.path).spec == SPEC


def test_a_log_is_cut_back_and_never_padded(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    log = Log(path)
    log.append({"a": 1})
    mark = log.sync()
    log.append({"a": 2})
    log.close()
    Log(path, mark).close()
    assert path.read_text() == '{"a":1}\n'
    with pytest.raises(RunError, match="shorter than its checkpoint says"):
        Log(path, Mark(mark.size + 1))


HOLDER = """
import sys, time
from pathlib import Path
from zoo.training.storage.lock import Lock
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_keeps_others_out_until_its_process_is_gone(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(RunError, match=f"being written by process {holder.pid}"), Lock(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    with Lock(tmp_path) as lock:
        assert f"process {holder.pid} ended" in lock.took_over
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_process_that_ended_and_was_not_asked_for_holds_no_lock(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    fields = Path(f"/proc/{holder.pid}/stat").read_text().rpartition(")")[2].split()
    content = {"pid": holder.pid, "host": socket.gethostname(), "started": fields[19]}
    (tmp_path / "lock").write_text(json.dumps(content))
    with pytest.raises(RunError, match="being written"), Lock(tmp_path):
        pass
    holder.kill()
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays in the table
    with Lock(tmp_path) as lock:
        assert f"process {holder.pid} ended" in lock.took_over
    holder.communicate()


def test_a_lock_of_another_host_is_respected(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(json.dumps({"pid": os.getpid(), "host": "elsewhere", "started": "1"}))
    with pytest.raises(RunError, match="on elsewhere"), Lock(tmp_path):
        pass


def test_runs_are_found_below_any_directory_but_not_those_set_aside(tmp_path: Path) -> None:
    runs = [RunDir.create(tmp_path, SPEC.with_seed(seed)) for seed in range(3)]
    runs[1].move_away()
    assert list(find_runs(tmp_path)) == [runs[0].path, runs[2].path]
    assert list(find_runs(runs[0].path)) == [runs[0].path]
    assert list(find_runs(tmp_path / "nothing")) == []
