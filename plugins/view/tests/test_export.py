"""Exports, read with other libraries than ours, do what the agent does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import zoo
from plugins.view.tests.conftest import command
from zoo.cli.main import main


def test_a_table_is_the_policy_of_the_run(runs: Path, tmp_path: Path) -> None:
    done = command("export", runs / "hazard-grid", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no policy.onnx: the policy is not a torch module" in done.stdout
    card = json.loads((tmp_path / "out/card.json").read_text())
    (run,) = zoo.open_runs(runs / "hazard-grid")
    loaded = zoo.load(run.path)
    arrays = load_file(tmp_path / "out/tensors.safetensors")
    np.testing.assert_array_equal(arrays["policy"], loaded.algorithm.policy())  # type: ignore[attr-defined]
    np.testing.assert_allclose(arrays["policy"].sum(1), 1.0)
    assert (card["algorithm"], card["environment"]) == ("zoo-reload/reload", "zoo-envs/hazard-grid")
    assert (card["step"], card["seed"], card["key"]) == (20, 0, run.spec.key)
    assert card["options"]["eta"] == 100.0 and card["metrics"]["kkt"] == run.last["kkt"]
    assert card["spaces"]["action"] == {"kind": "Discrete", "n": 4, "start": 0}
    assert card["constraints"] == [{"name": "hazard", "sense": "<=", "threshold": 0.001}]
    assert card["versions"]["numpy"] == np.__version__
    assert card["tensors"]["arrays"]["policy"] == {"shape": [64, 4], "dtype": "float64"}


@pytest.mark.slow
def test_onnx_acts_as_the_agent_on_observations_it_has_not_seen(runs: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    from onnx.reference import ReferenceEvaluator

    done = command("export", runs / "cart-pole", "-o", "out", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["onnx"]
    assert (told["compared_on"], told["largest_difference"]) == (256, 0.0)
    (run,) = zoo.open_runs(runs / "cart-pole")
    agent = zoo.load(run.path).algorithm
    obs = np.random.default_rng(1).uniform(-1, 1, (500, 4)).astype(np.float32)  # another batch, other observations
    model = onnx.load(tmp_path / "out/policy.onnx")
    (actions,) = ReferenceEvaluator(model).run(None, {"observations": obs})
    expected = agent.act(obs)
    np.testing.assert_array_equal(actions, expected)
    assert len(set(expected.tolist())) == 2


PICTURES = """
import gymnasium, numpy as np

class Pictures(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(0, 255, (40, 40, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(3)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation(), {}
    def observation(self): return self.np_random.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    def step(self, action): return self.observation(), float(action), False, False, {}

gymnasium.register("Pictures-v0", Pictures, max_episode_steps=20)
"""


@pytest.mark.slow
def test_an_agent_of_images_is_exported_with_its_convolutions(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    (tmp_path / "pictures.py").write_text(PICTURES)
    options = ["--n-steps", "16", "--batch-size", "16", "--num-envs", "2", "--steps", "64", "--eval-episodes", "0"]
    assert command("train", "ppo-native", "pictures:Pictures-v0", "--trust", *options, cwd=tmp_path).returncode == 0
    done = command("export", "runs", "-o", "out", "--trust", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["onnx"]
    assert told["inputs"][0] == {"name": "observations", "shape": ["batch", 40, 40, 3], "dtype": "uint8"}
    assert (told["compared_on"], told["largest_difference"]) == (256, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("environment", ["Pendulum-v1", "cart-pole"])
def test_an_agent_that_samples_takes_noise(environment: str, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    from onnx.reference import ReferenceEvaluator

    rule = {"Pendulum-v1": "abs(action[0]) <= 0.5", "cart-pole": "abs(observation[0]) <= 0.5"}[environment]
    (result,) = zoo.train(
        "ppo-lagrangian", environment, env_options={"constraint": rule}, root=tmp_path / "runs",
        num_envs=2, steps=512, eval_episodes=0,
    )  # fmt: skip
    done = command("export", result.path, "-o", "out", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["onnx"]
    names = [one["name"] for one in told["inputs"]]
    normal = environment == "Pendulum-v1"
    assert names == ["observations", "noise"]
    assert told["inputs"][1]["distribution"] == ("standard normal" if normal else "standard Gumbel")

    rng, count = np.random.default_rng(1), 20_000
    obs = np.repeat(rng.uniform(-1, 1, (1, 3 if normal else 4)).astype(np.float32), count, axis=0)
    size = told["inputs"][1]["shape"][1]
    noise = rng.standard_normal((count, size)) if normal else rng.gumbel(size=(count, size))
    given = {"observations": obs, "noise": noise.astype(np.float32)}
    (drawn,) = ReferenceEvaluator(onnx.load(tmp_path / "out/policy.onnx")).run(None, given)
    acted = zoo.load(result.path).act(obs)
    for order in (1, 2):  # moments of the actions, those of the agent beside those of the model
        ours, theirs = (np.asarray(actions, np.float64) ** order for actions in (acted, drawn))
        error = np.hypot(ours.std(), theirs.std()) / np.sqrt(count)
        assert abs(ours.mean() - theirs.mean()) < 5 * error


def test_the_weights_of_a_torch_policy_are_there_by_name(runs: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    assert main(["export", str(runs / "cart-pole"), "-o", str(tmp_path / "out"), "--no-onnx"]) == 0
    arrays = load_file(tmp_path / "out/tensors.safetensors")
    (run,) = zoo.open_runs(runs / "cart-pole")
    agent = zoo.load(run.path).algorithm
    obs = np.random.default_rng(1).uniform(-1, 1, (50, 4)).astype(np.float32)
    h = obs
    for layer in ("1", "3", "5"):
        h = (np.tanh(h) if layer != "1" else h) @ arrays[f"policy.actor.{layer}.weight"].T + arrays[
            f"policy.actor.{layer}.bias"
        ]
    np.testing.assert_array_equal(h.argmax(-1), agent.act(obs))


def test_a_model_that_acts_otherwise_is_not_written(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript")
    from zoo_view.exporting import onnx_model

    met = onnx_model._met

    def wrong(loaded: zoo.LoadedRun) -> tuple[np.ndarray, np.ndarray]:
        seen, acted = met(loaded)
        return seen, 1 - acted

    monkeypatch.setattr(onnx_model, "_met", wrong)
    assert main(["export", str(runs / "cart-pole"), "-o", str(tmp_path / "out")]) == 1
    assert "the ONNX model differs from the agent by 1 on 256 observations" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    assert main(["export", str(runs / "four-rooms"), "-o", str(tmp_path / "out")]) == 2
    assert "exists already" in capsys.readouterr().err


def test_an_older_checkpoint_in_place_of_a_damaged_one_is_told(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(runs / "hazard-grid", tmp_path / "runs")
    newest = sorted((tmp_path / "runs").rglob("tensors.safetensors"))[-1]
    newest.write_bytes(newest.read_bytes()[:40])
    status = main(["export", str(tmp_path / "runs"), "-o", str(tmp_path / "out")])
    told = capsys.readouterr().err
    assert newest.parent.name in told
    assert status in (0, 1)
