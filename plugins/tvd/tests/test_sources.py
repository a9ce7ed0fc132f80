"""Source policies: read without unpickling, equal to the library that wrote them, and never written."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from safetensors.numpy import save_file
from zoo_tvd.source.network import NetworkPolicy
from zoo_tvd.source.run import RunPolicy

import zoo

TWO, BOX = gymnasium.spaces.Discrete(2), gymnasium.spaces.Box(-2.0, 2.0, (1,), np.float32)


def model(kind: str, task: str, folder: Path, **options: Any) -> tuple[Any, Path]:
    """An untrained model of stable-baselines3, and its file."""
    import stable_baselines3

    made = getattr(stable_baselines3, kind)("MlpPolicy", task, device="cpu", seed=0, **options)
    file = folder / f"{kind}.zip"
    made.save(file)
    return made, file


@pytest.mark.parametrize(
    ("kind", "task", "options"),
    [
        ("PPO", "CartPole-v1", {"policy_kwargs": {"net_arch": [16, 8]}}),
        ("PPO", "Pendulum-v1", {}),
        ("DQN", "CartPole-v1", {"buffer_size": 10}),
        ("SAC", "Pendulum-v1", {"buffer_size": 10, "policy_kwargs": {"net_arch": [16, 16]}}),
        ("TD3", "Pendulum-v1", {"buffer_size": 10, "policy_kwargs": {"net_arch": [16, 16]}}),
    ],
)
def test_a_zip_acts_as_its_library_does(kind: str, task: str, options: dict[str, Any], tmp_path: Path) -> None:
    made, file = model(kind, task, tmp_path, **options)
    before = file.read_bytes()
    policy = NetworkPolicy(file, made.action_space)
    obs: Any = np.random.default_rng(0).standard_normal((64, policy.d)).astype(np.float32)
    np.testing.assert_allclose(policy.act(obs), made.predict(obs, deterministic=True)[0], atol=1e-5)
    assert file.read_bytes() == before


def test_the_activation_is_read_from_the_text_beside_the_pickle(tmp_path: Path) -> None:
    import torch

    made, file = model("A2C", "CartPole-v1", tmp_path, policy_kwargs={"activation_fn": torch.nn.ReLU})
    policy = NetworkPolicy(file, TWO)
    assert policy.layers.activation == "relu"
    obs: Any = np.random.default_rng(1).standard_normal((64, 4)).astype(np.float32)
    np.testing.assert_array_equal(policy.act(obs), made.predict(obs, deterministic=True)[0])
    h, exact = 1e-6, policy.score(obs.astype(np.float64), np.zeros(64, dtype=int))
    assert exact is not None
    for axis, move in enumerate(h * np.eye(4)):
        p = [policy.probabilities(obs.astype(np.float64) + sign * move) for sign in (1, -1)]
        np.testing.assert_allclose(exact[:, axis], np.log(p[0][:, 0] / p[1][:, 0]) / (2 * h), rtol=1e-4, atol=1e-8)  # type: ignore[index]


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, (f"open({str(self.path)!r}, 'w').close()",)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    import torch

    mark, file = tmp_path / "run", tmp_path / "trap.zip"
    weights = io.BytesIO()
    torch.save({"action_net.weight": Trap(mark)}, weights)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data", json.dumps({"policy_kwargs": {":serialized:": pickle.dumps(Trap(mark)).hex()}}))
        archive.writestr("policy.pth", weights.getvalue())
    with pytest.raises(zoo.UsageError, match="only be read by unpickling"):
        NetworkPolicy(file, TWO)
    assert not mark.exists()


def tensors(**metadata: str) -> Any:
    layers = {"0.weight": np.zeros((3, 4)), "0.bias": np.zeros(3), "1.weight": np.eye(2, 3), "1.bias": np.zeros(2)}
    return layers, metadata


@pytest.mark.parametrize(
    ("metadata", "space", "words"),
    [
        ({"kind": "logits"}, TWO, "activation"),
        ({"kind": "logits", "activation": "tanh"}, gymnasium.spaces.Discrete(3), "with the same actions"),
        ({"kind": "actions", "activation": "relu"}, TWO, "with the same actions"),
        ({"kind": "logits", "activation": "relu"}, BOX, "with the same actions"),
    ],
)
def test_what_does_not_fit_is_told(metadata: dict[str, str], space: Any, words: str, tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    save_file(tensors()[0], file, metadata=metadata)
    with pytest.raises(zoo.UsageError, match=words):
        NetworkPolicy(file, space)
    with pytest.raises(zoo.UsageError, match="not a model of stable-baselines3"):
        NetworkPolicy(file.rename(tmp_path / "net.zip"), space)


def test_a_stored_run_is_a_source_and_stays_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.cli.main import main

    line = ["train", "ppo-native", "CartPole-v1", "--steps", "2048", "--n-steps", "64", "--batch-size", "64", "--quiet"]
    assert main([*line, "--num-envs", "4", "--dir", str(tmp_path)]) == 0
    (run,) = zoo.open_runs([tmp_path]).runs
    policy = RunPolicy(run.path)
    before = policy.digest()
    assert policy.act(np.zeros((5, 4))).shape == (5,)
    monkeypatch.chdir(run.path.parent)
    target = ["train", "tvd-transition", "cart-pole-transformed", "--source", run.path.name, "--episodes", "10"]
    assert main([*target, "--quiet", "--num-envs", "5", "--dir", str(tmp_path / "target")]) in (0, 3)
    assert policy.digest() == before
    # Judging the source changes nothing that was loaded; and the run finds it again from another folder.
    assert main(["eval", str(run.path), "return", "--json"]) == 0
    assert policy.digest() == before
    monkeypatch.chdir(tmp_path)
    (done,) = zoo.open_runs([tmp_path / "target"]).runs
    assert done.spec.config["source"] == str(run.path.resolve())
    assert main(["eval", str(done.path), "transfer", "--json"]) == 0
    (weights,) = run.path.glob("checkpoints/*/tensors.safetensors")
    weights.write_bytes(b"touched")
    assert policy.digest() != before


def test_scores_of_a_network_that_explores_are_derivatives(tmp_path: Path) -> None:
    rng, file, h = np.random.default_rng(2), tmp_path / "net.safetensors", 1e-6
    layers = {"0.weight": rng.standard_normal((2, 3)), "0.bias": np.zeros(2)}
    save_file(layers, file, metadata={"kind": "logits", "activation": "tanh"})
    policy, s = NetworkPolicy(file, TWO, epsilon=0.3), rng.standard_normal((5, 3))
    exact = policy.score(s, np.ones(5, dtype=int))
    assert exact is not None
    for axis, move in enumerate(h * np.eye(3)):
        p = [policy.probabilities(s + sign * move) for sign in (1, -1)]
        np.testing.assert_allclose(exact[:, axis], np.log(p[0][:, 1] / p[1][:, 1]) / (2 * h), rtol=1e-5)  # type: ignore[index]


def rewritten(file: Path, to: Path, *, data: Any = None, weights: Any = None) -> Path:
    """The zip with other settings, or with what ``weights`` makes of its state dict."""
    import torch

    with zipfile.ZipFile(file) as archive, zipfile.ZipFile(to, "w") as other:
        settings, state = json.loads(archive.read("data")), io.BytesIO(archive.read("policy.pth"))
        content = io.BytesIO()
        loaded = torch.load(state, weights_only=True)
        torch.save(loaded if weights is None else weights(loaded), content)
        other.writestr("data", json.dumps(settings if data is None else data(settings)))
        other.writestr("policy.pth", content.getvalue())
    return to


@pytest.mark.parametrize(
    ("data", "weights", "words"),
    [
        (lambda d: [1], None, "not a JSON object"),
        (None, lambda w: [1, 2], "not a state dict"),
        (None, lambda w: {**w, "y": 3}, "not a state dict"),
        (None, lambda w: {k: v for k, v in w.items() if k != "action_net.bias"}, "lacks action_net.bias"),
        (None, lambda w: {k: v.bfloat16() for k, v in w.items()}, "weights of type torch.bfloat16"),
        (None, lambda w: {**w, "action_net.weight": w["action_net.weight"] * np.nan}, "action_net.weight that are not"),
        (None, lambda w: {**w, "action_net.bias": w["action_net.bias"].repeat(2)}, "do not follow one another"),
        (None, lambda w: {**w, "action_net.weight": w["action_net.weight"].flatten()}, "do not follow one another"),
        (None, lambda w: {**w, "lstm_actor.bias_ih_l0": w["action_net.bias"]}, "lstm_actor.bias_ih_l0 in its policy"),
        (
            None,
            lambda w: {**w, "mlp_extractor.policy_net.0.ra_mean": w["action_net.bias"]},
            "policy_net.0.ra_mean in its policy",
        ),
        (lambda d: {**d, "use_sde": True, "policy_kwargs": {"squash_output": True}}, None, "trained without gSDE"),
    ],
)
def test_a_zip_that_is_no_plain_perceptron_is_refused(data: Any, weights: Any, words: str, tmp_path: Path) -> None:
    _, file = model("PPO", "CartPole-v1", tmp_path)
    with pytest.raises(zoo.UsageError, match=words):
        NetworkPolicy(rewritten(file, tmp_path / "other.zip", data=data, weights=weights), TWO)


def test_policies_with_memory_norms_or_their_own_bounds_are_refused(tmp_path: Path) -> None:
    from sb3_contrib import CrossQ, RecurrentPPO

    makes: dict[str, Any] = {
        "lstm_actor": lambda: RecurrentPPO("MlpLstmPolicy", "CartPole-v1", n_steps=8, batch_size=8, device="cpu"),
        "latent_pi": lambda: CrossQ("MlpPolicy", "Pendulum-v1", buffer_size=10, device="cpu"),
    }
    for name, make in makes.items():
        made, file = make(), tmp_path / f"{name}.zip"
        made.save(file)
        with pytest.raises(zoo.UsageError, match=f"{name}.* in its policy"):
            NetworkPolicy(file, made.action_space)
    made, file = model("SAC", "Pendulum-v1", tmp_path, buffer_size=10, use_sde=True)
    with pytest.raises(zoo.UsageError, match="gSDE"):
        NetworkPolicy(file, made.action_space)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"1.bias": None}, "lacks 1.bias"),
        ({"1.bias": np.zeros(3)}, "do not follow one another"),
        ({"1.weight": np.full((2, 3), np.nan)}, "1.weight that are not finite"),
    ],
)
def test_a_safetensors_file_that_is_no_perceptron_is_refused(change: Any, words: str, tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    layers = {name: value for name, value in {**tensors()[0], **change}.items() if value is not None}
    save_file(layers, file, metadata={"kind": "logits", "activation": "relu"})
    with pytest.raises(zoo.UsageError, match=words):
        NetworkPolicy(file, TWO)
