"""Bad input gets one clear sentence, the nearest valid name, status 2 and no traceback; nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import zoo, zoo_here

CASES = [
    (["trian"], ["'trian'", "did you mean train?"]),
    (["list", "algoritms"], ["algoritms"]),
    (["list", "--fro", "x"], ["'--fro'", "--for"]),
    (["--plugn", "x"], ["'--plugn'", "--plugin"]),
    (["--plugin", "nowhere.py", "list"], ["nowhere.py", "no such file"]),
    (["train", "relod", "two-state"], ["'relod'", "did you mean reload"]),
    (["train", "reload", "two-stat"], ["'two-stat'", "two-state"]),
    (["train", "ppo", "CartPole"], ["'CartPole'", "CartPole-v1"]),
    (["train", "ppo", "Cartpole-v1"], ["'Cartpole-v1'", "CartPole-v1"]),
    (["train", "reload"], ["needs an environment", "zoo list environments --for reload"]),
    (["train", "reload", "two-state", "--etta", "3"], ["'--etta'", "--eta"]),
    (["train", "reload", "two-state", "--eta", "x"], ["--eta is 'x'", "FLOAT"]),
    (["train", "reload", "two-state", "--optimistic", "bot"], ["--optimistic is 'bot'", "did you mean both?"]),
    (["train", "reload", "two-state", "--env.theta", "x"], ["--env.theta is 'x'", "FLOAT"]),
    (["train", "reload", "two-state", "--env.thetta", "1"], ["--env.thetta", "--env.theta"]),
    (["train", "reload", "hazard-grid", "--env.slip", "3"], ["slip", "[0, 1]", "3"]),
    (["train", "reload", "CartPole-v1"], ["constraints and an exact tabular model", "two-state"]),
    (["train", "sac", "CartPole-v1"], ["box actions", "Pendulum-v1"]),
    (["train", "reload", "two-state", "--preset", "papr"], ["'papr'", "default"]),
    (["train", "reload", "two-state", "--seeds", "3:1"], ["'3:1'", "A < B"]),
    (["train", "reload", "two-state", "--seed", "1", "--seeds", "0:2"], ["together"]),
    (["train", "reload", "two-state", "--steps", "1.5"], ["'1.5'", "whole number"]),
    (["train", "ppo-native", "CartPole-v1", "--num-envs", "1e12"], ["1000000000000", "from 1 to 100000"]),
    (["train", "reload", "two-state", "--jobs", "0"], ["--jobs", "1 or more"]),
    (["train", "reload", "two-state", "--resume", "nowhere"], ["'nowhere'", "auto, never"]),
    (["train", "reload", "two-state", "--checkpoint-every", "3w"], ["'3w'", "30s"]),
    (["train", "reload", "two-state", "--representation", "rs"], ["representation", "'rs'"]),
    (["train", "ppo", "CartPole-v1", "--env.gravitas", "3"], ["gravitas"]),
    (["train", "ppo", "nomodule:Foo-v0"], ["nomodule"]),
    (["train", "ppo", "CartPole-v1", "--env.time-limt", "3"], ["'--env.time-limt'", "did you mean --env.time-limit?"]),
    (["train", "ppo", "CartPole-v1", "--env.frame-stack", "0"], ["--env.frame-stack: ", "at least 1, got 0"]),
    (["new-plugin", "x", "--kind", "suit"], ["--kind is 'suit'", "did you mean suite?"]),
    (["new-plugin", "x", "--kind", "xyz"], ["--kind is 'xyz'", "expected one of algorithm, "]),
    (["train", "ppo", "CartPole-v1", "--exact"], ["--exact", "representations"]),
    (["train", "ppo", "CartPole-v1", "--policy", "greedy:1"], ["--policy", "representations"]),
]


@pytest.mark.parametrize("what", ["nothing", "a file", "a directory", "a directory of runs"])
@pytest.mark.parametrize("command", [["train", "--resume"], ["show"], ["eval"]])
def test_what_is_no_run_is_a_wrong_request(command: list[str], what: str, tmp_path: Path) -> None:
    path = tmp_path / "here"
    if what == "a file":
        path.write_text("")
    elif what != "nothing":
        (path / "runs").mkdir(parents=True)
    done = zoo_here(*command, str(path / "runs" if what == "a directory of runs" else path), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) <= 2 and str(path) in done.stderr


@pytest.mark.parametrize(("args", "words"), CASES, ids=[" ".join(args) for args, _ in CASES])
def test_a_wrong_request_is_one_sentence(args: list[str], words: list[str], tmp_path: Path) -> None:
    done = zoo_here(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0].startswith("zoo: ")
    assert lines[0].endswith((".", "?"))
    assert len(lines) <= 2
    for word in words:
        assert word in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_process_ends_the_same_way(tmp_path: Path) -> None:
    done = zoo("train", "relod", "two-state", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("zoo: no algorithm or representation called 'relod': did you mean reload")


def test_json_errors_are_one_document(tmp_path: Path) -> None:
    done = zoo("train", "relod", "two-state", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean reload" in json.loads(done.stdout)["error"]


def test_a_run_of_a_stranger_does_not_import_what_it_names(tmp_path: Path) -> None:
    """Opening a run directory never imports a module that only the directory asks for."""
    zoo("train", "reload", "two-state", "--steps", "20", "--dir", str(tmp_path / "runs"))
    (spec,) = (tmp_path / "runs").rglob("spec.json")
    content = json.loads(spec.read_text())
    spec.write_text(json.dumps({**content, "environment": "gym:hostile:Env-v0"}))
    (tmp_path / "hostile.py").write_text("import pathlib; pathlib.Path('owned').write_text('')")
    (spec.parent / "status.json").unlink()
    for args in (["train", "--resume", str(spec.parent)], ["eval", str(spec.parent), "return"]):
        done = zoo(*args, cwd=tmp_path, PYTHONPATH=str(tmp_path))
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "owned").exists()


def test_a_moved_run_and_a_newer_format_are_refused(tmp_path: Path) -> None:
    zoo("train", "reload", "two-state", "--steps", "20", "--dir", str(tmp_path / "runs"))
    (spec,) = (tmp_path / "runs").rglob("spec.json")
    content = json.loads(spec.read_text())
    spec.write_text(json.dumps({**content, "format": 99, "zoo": "9.0"}))
    done = zoo("train", "--resume", str(spec.parent))
    assert done.returncode == 1
    assert "format 99" in done.stderr
    assert "Use zoo 9.0." in done.stderr


def test_a_broken_plugin_is_named_once(tmp_path: Path) -> None:
    """Each command looks for plugins once."""
    broken = tmp_path / "broken.py"
    broken.write_text("import nothing_of_that_name")
    runs = ["--dir", str(tmp_path / "runs")]
    for args in (["list"], ["table", "smoke", *runs], ["plot", "--claims", "smoke", *runs], ["bench", "--list"]):
        done = zoo("--plugin", str(broken), *args, cwd=Path(__file__).parents[2])
        assert done.stderr.count("plugin file broken is left out: ModuleNotFoundError") == 1, args
