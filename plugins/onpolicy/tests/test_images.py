"""Images as observations: layouts, the network beside torch's own, runs that learn from pixels and go on exactly."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray
from zoo_onpolicy.config import NetworkConfig
from zoo_onpolicy.distributions import distribution_on
from zoo_onpolicy.images.layout import ImageLayout
from zoo_onpolicy.images.network import FEATURES, ConvNetwork
from zoo_onpolicy.observations import ObservationEncoder

import zoo
from zoo import InterfaceError, UsageError

torch = pytest.importorskip("torch")
SIDE = 36


def space(*shape: int) -> spaces.Box:
    return spaces.Box(0, 255, shape, np.uint8)


class Sides(gymnasium.Env[NDArray[np.uint8], Any]):
    """One half of the picture is brighter; the action says which. Episodes of eight pictures."""

    observation_space = space(SIDE, SIDE, 3)

    def __init__(self, box: bool = False) -> None:
        self.action_space = spaces.Box(-1.0, 1.0, (1,)) if box else spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        super().reset(seed=seed)
        self._t = 0
        return self._picture(), {}

    def _picture(self) -> NDArray[np.uint8]:
        self._right = int(self.np_random.integers(2))
        picture = self.np_random.integers(0, 120, (SIDE, SIDE, 3)).astype(np.uint8)
        picture[:, self._right * SIDE // 2 : (self._right + 1) * SIDE // 2] += 120
        return picture

    def step(self, action: Any) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        said = float(np.asarray(action).ravel()[0])
        reward = float((said > 0.5 if isinstance(self.action_space, spaces.Discrete) else said > 0) == self._right)
        self._t += 1
        return self._picture(), reward, False, self._t == 8, {}


gymnasium.register("zoo_tests/Sides-v0", Sides)
SMALL = {"n_steps": 16, "batch_size": 32, "n_epochs": 2, "learning_rate": 1e-3}


@pytest.mark.parametrize(
    ("shape", "channels", "depth"),
    [
        ((84, 84, 3), (2,), 3), ((3, 84, 96), (0,), 3), ((84, 84), (), 1), ((4, 84, 84), (0,), 4),
        ((4, 84, 84, 3), (0, 3), 12), ((4, 3, 84, 84), (0, 1), 12), ((84, 84, 1), (2,), 1),
    ],
)  # fmt: skip
def test_channels_are_the_shortest_axis_and_the_stack(
    shape: tuple[int, ...], channels: tuple[int, ...], depth: int
) -> None:
    image = ImageLayout.of(space(*shape))
    assert image is not None
    assert (image.channels, image.depth) == (channels, depth)
    flat = np.random.default_rng(0).integers(0, 256, (2, np.prod(shape)), dtype=np.uint8)
    rest = [axis + 1 for axis in range(len(shape)) if axis not in channels]
    moved = flat.reshape(2, *shape).transpose(0, *(axis + 1 for axis in channels), *rest)
    planes = image.planes(torch.from_numpy(flat)).numpy()
    np.testing.assert_array_equal(planes, moved.reshape(2, depth, *image.sides))


@pytest.mark.parametrize("box", [space(84), space(20, 84, 3), spaces.Box(0.0, 1.0, (84, 84, 3)), spaces.Discrete(3)])
def test_what_is_no_image_is_flattened_or_refused(box: spaces.Space[Any]) -> None:
    assert ImageLayout.of(box) is None
    assert ObservationEncoder(box, "auto", images=True).dtype != np.uint8
    with pytest.raises(UsageError, match=r"network.kind = 'cnn' needs images of bytes, 36 x 36 or larger"):
        ObservationEncoder(box, "cnn", images=True)
    with pytest.raises(UsageError, match="needs an algorithm that has one"):
        ObservationEncoder(space(84, 84, 3), "cnn")


def reference(network: ConvNetwork, member: int, config: NetworkConfig) -> tuple[Any, Any, Any]:
    """The same weights in modules of torch: features, actor, critic."""
    host = {name: torch.from_numpy(array[member].copy()) for name, array in network.parameters.host().items()}
    activation = torch.nn.Tanh if config.activation_fn == "tanh" else torch.nn.ReLU

    def linear(name: str) -> Any:
        layer = torch.nn.Linear(*reversed(host[f"{name}.weight"].shape))
        layer.load_state_dict({part: host[f"{name}.{part}"] for part in ("weight", "bias")})
        return layer

    layers: list[Any] = []
    for number, stride in enumerate((4, 2, 1)):
        weight = host[f"conv.{number}.weight"]
        layer = torch.nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], stride)
        layer.load_state_dict({part: host[f"conv.{number}.{part}"] for part in ("weight", "bias")})
        layers += [layer, torch.nn.ReLU()]
    features = torch.nn.Sequential(*layers, torch.nn.Flatten(), linear("features"), torch.nn.ReLU())

    def perceptron(name: str, hidden: int) -> Any:
        linears = [linear(f"{name}.{number}") for number in range(hidden + 1)]
        return torch.nn.Sequential(linears[0], *(part for one in linears[1:] for part in (activation(), one)))

    return features, perceptron("actor", len(config.net_arch)), perceptron("critic", len(config.critic_arch or ()))


@pytest.mark.parametrize("actions", [spaces.Discrete(3), spaces.Box(-1.0, 1.0, (2,))])
def test_outputs_and_gradients_are_torchs(actions: spaces.Space[Any]) -> None:
    S, M, H = 2, 5, 2
    config = NetworkConfig(net_arch=(16,), critic_arch=(8, 8), policy_gain=0.5, log_std_init=-0.3)
    image, distribution = ImageLayout.of(space(SIDE, SIDE + 4, 3)), distribution_on(actions)
    assert image is not None
    network = ConvNetwork(S, image, H, distribution, config, "cpu")
    rng = np.random.default_rng(0)
    for member in range(S):
        network.initialise(member, rng)
    obs = rng.integers(0, 256, (S, M, np.prod(image.shape)), dtype=np.uint8)
    outputs, values = network.forward(obs)
    assert outputs.shape == (S, distribution.outputs, M) and values.shape == (S, H, M)
    np.testing.assert_array_equal(network.act(obs), outputs.transpose(0, 2, 1))
    exported = network.actor(1)(torch.from_numpy(obs[1].reshape(M, *image.shape)).float()).detach().numpy()
    np.testing.assert_allclose(exported, outputs[1, : distribution.learned].T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(network.policy(obs), outputs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(network.values(obs, network.parameters.flat.copy()), values, rtol=1e-5, atol=1e-6)
    d_policy, d_values = rng.normal(size=outputs.shape), rng.normal(size=values.shape)
    network.backward(d_policy.astype(np.float32), d_values.astype(np.float32))
    gradients = network.parameters.split(network.parameters.gradient)
    for member in range(S):
        features, actor, critic = reference(network, member, config)
        planes = torch.from_numpy(obs[member]).reshape(M, *image.shape).movedim(-1, 1).float() / 255
        h = features(planes)
        assert h.shape == (M, FEATURES)
        learned = distribution.learned
        np.testing.assert_allclose(outputs[member, :learned].T, actor(h).detach().numpy(), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(values[member].T, critic(h).detach().numpy(), rtol=1e-4, atol=1e-5)
        loss = (actor(h).T * torch.from_numpy(d_policy[member, :learned])).sum()
        (loss + (critic(h).T * torch.from_numpy(d_values[member])).sum()).backward()
        for name, layer in (
            ("conv.0", features[0]),
            ("conv.2", features[4]),
            ("features", features[7]),
            ("actor.1", actor[2]),
        ):
            expected = layer.weight.grad.numpy()
            scale = np.abs(expected).max()
            np.testing.assert_allclose(gradients[f"{name}.weight"][member], expected, rtol=1e-3, atol=1e-4 * scale)
        if learned < distribution.outputs:
            summed = d_policy[member, learned:].sum(axis=1)
            np.testing.assert_allclose(gradients["log_std"][member], summed, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seeds", [1, 2])
def test_pictures_are_learned_from_and_a_run_goes_on_exactly(seeds: int, tmp_path: Any) -> None:
    common: dict[str, Any] = {"num_envs": 8, "eval_episodes": 4, "options": SMALL, "seeds": range(seeds)}
    results = zoo.train("ppo-native", "zoo_tests/Sides-v0", steps=2048, root=tmp_path / "whole", **common)
    assert all(result.metrics["episode/return"] > 7 for result in results)  # of 8; guessing makes 4
    stopped = zoo.train(
        "ppo-native", "zoo_tests/Sides-v0", steps=2048, root=tmp_path / "cut", time_limit=1e-9, **common
    )
    assert {result.status for result in stopped} == {"interrupted"}
    resumed = zoo.train("ppo-native", "zoo_tests/Sides-v0", steps=2048, root=tmp_path / "cut", **common)
    for one, other in zip(results, resumed, strict=True):
        ours, theirs = (zoo.load(result.path).algorithm.state() for result in (one, other))
        np.testing.assert_array_equal(ours["weights"], theirs["weights"])
        assert one.metrics == other.metrics


def test_seeds_that_learn_together_learn_what_each_learns_alone(tmp_path: Any) -> None:
    common: dict[str, Any] = {"num_envs": 2, "steps": 64, "eval_episodes": 0, "options": SMALL}
    together = zoo.train("ppo-native", "zoo_tests/Sides-v0", seeds=range(2), root=tmp_path / "both", **common)
    (alone,) = zoo.train("ppo-native", "zoo_tests/Sides-v0", seeds=1, root=tmp_path / "alone", **common)
    both, one = (zoo.load(result.path).algorithm.state()["weights"] for result in (together[1], alone))
    np.testing.assert_allclose(both, one, rtol=1e-5, atol=1e-7)


def test_options_that_do_not_go_with_images_are_refused(tmp_path: Any) -> None:
    def refused(words: str, **options: Any) -> None:
        with pytest.raises((UsageError, InterfaceError), match=words):
            zoo.train("ppo-native", "zoo_tests/Sides-v0", steps=64, options=options, root=tmp_path)

    refused("norm_obs is for vectors, and these are images", norm_obs=True)
    refused("network.kind = 'table' needs discrete observations", network={"kind": "table"})
    (flat,) = zoo.train(
        "ppo-native", "zoo_tests/Sides-v0", steps=64, num_envs=2, eval_episodes=0, root=tmp_path,
        options={"network": {"kind": "mlp"}, "n_steps": 8},
    )  # fmt: skip
    assert flat.status == "finished"
