"""A perceptron's weights from a file: a ``.zip`` of stable-baselines3, or ``.safetensors``.

Nothing is unpickled. A zip of stable-baselines3 holds the weights as a torch archive, which is read with
``weights_only=True``, and its settings as JSON, in which values other than plain data are pickled: of these only the
readable text is used. A file that cannot be read without unpickling is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import UsageError
from zoo_tvd.source.base import SourcePolicy

Floats = NDArray[np.float64]
ACTIVATIONS = ("tanh", "relu", "elu", "leakyrelu", "silu")
_HEADS = {
    # prefix of the hidden layers, of the last one, activation unless the file says otherwise, all modules of the policy
    "action_net": ("mlp_extractor.policy_net", "action_net", "tanh", "mlp_extractor action_net value_net log_std"),
    "q_net": ("q_net.q_net", "", "relu", "q_net q_net_target"),
    "mu": ("actor.latent_pi", "actor.mu", "relu", "actor critic critic_target"),
    "td3": ("actor.mu", "", "relu", "actor actor_target critic critic_target"),
}


@dataclass(frozen=True, eq=False)
class Layers:
    """A perceptron: weights [out, in] and biases [out] in the order of the layers, and one activation between them.

    Attributes:
        kind: "logits" (a discrete policy), "values" (the best action counts) or "actions" (continuous ones).
        squashed: whether continuous actions are squashed by a tanh.
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    activation: str
    kind: str
    squashed: bool = False

    def __call__(self, x: Floats) -> Floats:
        """Outputs [B, out] for inputs [B, in]."""
        return self.traced(x)[-1]

    def traced(self, x: Floats) -> list[Floats]:
        """The inputs of every layer, and the outputs."""
        found = [x]
        for index, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            y = found[-1] @ W.T + b
            found.append(_activate(self.activation, y) if index < len(self.weights) - 1 else y)
        return found


class NetworkPolicy(SourcePolicy):
    """A source policy that is a perceptron, read from a file."""

    def __init__(self, path: Path, space: Any, *, epsilon: float = 0.0) -> None:
        """Read the weights at ``path``.

        Args:
            path: ends in .zip or .safetensors.
            space: of the actions, for the number of them, or the bounds.
            epsilon: share of uniform actions in ``probabilities``.

        Raises:
            UsageError: the file cannot be read without unpickling, holds another kind of policy, or is for other
            actions.
        """
        self.path, self.epsilon = path, epsilon
        self.layers = _from_zip(path) if path.suffix == ".zip" else _from_safetensors(path)
        self.d = int(self.layers.weights[0].shape[1])
        self._space = space
        outputs = int(self.layers.weights[-1].shape[0])
        discrete = getattr(space, "n", None)
        wanted = int(discrete) if discrete is not None else int(np.prod(space.shape))
        if (discrete is None) != (self.layers.kind == "actions") or outputs != wanted:
            raise UsageError(
                f"source {path} has {outputs} {self.layers.kind}, and the target's actions are {space}: expected a "
                "source with the same actions."
            )

    def act(self, states: Floats) -> NDArray[Any]:
        """The action with the largest logit or value, or the mean action, clipped to the bounds."""
        out = self.layers(states)
        if self.layers.kind != "actions":
            return np.asarray(out.argmax(axis=1)) + int(self._space.start)
        low, high = self._space.low, self._space.high
        if self.layers.squashed:
            out = low + 0.5 * (np.tanh(out) + 1.0) * (high - low)
        return np.clip(out, low, high).astype(self._space.dtype)

    def probabilities(self, states: Floats) -> Floats | None:
        """(1 - epsilon) softmax(logits) + epsilon / A; None where the outputs are not logits."""
        if self.layers.kind != "logits":
            return None
        p = _softmax(self.layers(states))
        return np.asarray((1 - self.epsilon) * p + self.epsilon / p.shape[1])

    def score(self, states: Floats, actions: NDArray[Any]) -> Floats | None:
        """By the chain rule, from (1 - epsilon) p_a / pi_a (onehot(a) - p), p the softmax, back to the input."""
        if self.layers.kind != "logits":
            return None
        trace = self.layers.traced(states)
        p, a = _softmax(trace[-1]), np.asarray(actions, dtype=np.int64) - int(self._space.start)
        share = (1 - self.epsilon) * p[np.arange(len(a)), a]
        g = (np.eye(p.shape[1])[a] - p) * (share / (share + self.epsilon / p.shape[1]))[:, None]
        for index in range(len(self.layers.weights) - 1, -1, -1):
            g = g @ self.layers.weights[index]
            if index:
                g = g * _slope(self.layers.activation, trace[index])
        return np.asarray(g)

    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def _from_safetensors(path: Path) -> Layers:
    """Tensors ``0.weight``, ``0.bias``, ``1.weight``, ...; metadata ``activation`` and ``kind``."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
            metadata = file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise UsageError(f"source {path} is not a safetensors file: {error}.") from error
    except TypeError as error:  # numpy has no bfloat16
        raise UsageError(f"source {path} has weights of a type that numpy does not have: {error}.") from error
    if metadata.get("kind") not in ("logits", "values", "actions") or metadata.get("activation") not in ACTIVATIONS:
        raise UsageError(
            f"source {path} has the metadata {dict(metadata)}: expected kind (logits, values or actions) and "
            f"activation ({', '.join(ACTIVATIONS)})."
        )
    squashed = metadata.get("squashed") == "true"
    return _layers(tensors, "", "", metadata["activation"], metadata["kind"], path, squashed)


def _from_zip(path: Path) -> Layers:
    try:
        with zipfile.ZipFile(path) as archive:
            settings = json.loads(archive.read("data"))
            weights = archive.read("policy.pth")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UsageError(f"source {path} is not a model of stable-baselines3: {error}.") from error
    if not isinstance(settings, dict):
        raise UsageError(f"source {path} is not a model of stable-baselines3: its data is not a JSON object.")
    import torch

    try:
        loaded = torch.load(io.BytesIO(weights), map_location="cpu", weights_only=True)
    except Exception as error:
        raise UsageError(
            f"source {path} holds more than tensors, which could only be read by unpickling: expected tensors alone."
        ) from error
    if not isinstance(loaded, dict) or not all(isinstance(value, torch.Tensor) for value in loaded.values()):
        raise UsageError(f"source {path} has a policy.pth that is not a state dict: expected names and tensors.")
    narrow = [str(value.dtype) for value in loaded.values() if value.dtype == torch.bfloat16]
    if narrow:
        raise UsageError(f"source {path} has weights of type {narrow[0]}: expected float16, float32 or float64.")
    tensors = {name: value.numpy() for name, value in loaded.items()}
    head = _head(tensors, path)
    hidden, last, usual, modules = _HEADS[head]
    _check_plain(tensors, hidden, modules.split(), path)
    _check_bounds(settings, head, path)
    kind = "values" if head == "q_net" else "actions" if head in ("mu", "td3") or "log_std" in tensors else "logits"
    return _layers(tensors, hidden, last, _activation(settings, usual), kind, path, head in ("mu", "td3"))


def _head(tensors: Mapping[str, Any], path: Path) -> str:
    if "action_net.weight" in tensors and any(name.startswith("mlp_extractor.policy_net") for name in tensors):
        return "action_net"
    if "q_net.q_net.0.weight" in tensors:
        return "q_net"
    if "actor.mu.weight" in tensors:
        return "mu"
    if "actor.mu.0.weight" in tensors:
        return "td3"
    raise UsageError(f"source {path} has no perceptron as its policy: expected an MlpPolicy with hidden layers.")


def _check_plain(tensors: Mapping[str, Any], hidden: str, modules: Sequence[str], path: Path) -> None:
    """Refuse policies with other modules than a perceptron, such as an LSTM before it or normalisation inside it."""
    layer = re.compile(re.escape(hidden) + r"\.\d+\.(weight|bias)$")
    for name in tensors:
        inside = name.startswith(f"{hidden}.") and not layer.match(name)
        if inside or name.partition(".")[0] not in modules:
            raise UsageError(f"source {path} has {name} in its policy: expected an MlpPolicy of plain layers alone.")


def _check_bounds(settings: Mapping[str, Any], head: str, path: Path) -> None:
    """Refuse state-dependent exploration (gSDE) where it changes the greedy action."""
    asked = settings.get("policy_kwargs")
    squashed = isinstance(asked, Mapping) and str(asked.get("squash_output", False)) != "False"
    if squashed or (head in ("mu", "td3") and settings.get("use_sde")):
        raise UsageError(f"source {path} bounds its actions by gSDE's own rule: expected one trained without gSDE.")


def _activation(settings: Mapping[str, Any], usual: str) -> str:
    """The activation, from the text beside the pickled value, "<class 'torch.nn.modules.activation.ReLU'>"."""
    asked = settings.get("policy_kwargs")
    text = asked.get("activation_fn", "") if isinstance(asked, Mapping) else ""
    found = re.search(r"activation\.(\w+)", str(text))
    name = found[1].lower() if found else usual
    if name not in ACTIVATIONS:
        raise UsageError(f"the source's activation is {name}: expected one of {', '.join(ACTIVATIONS)}.")
    return name


def _layers(
    tensors: Mapping[str, Any], hidden: str, last: str, activation: str, kind: str, path: Path, squashed: bool
) -> Layers:
    prefix = f"{hidden}." if hidden else ""
    pattern = re.compile(re.escape(prefix) + r"(\d+)\.weight$")
    numbers = sorted(int(found[1]) for name in tensors if (found := pattern.match(name)))
    names = [f"{prefix}{number}" for number in numbers] + ([last] if last else [])
    needed = [f"{name}.{part}" for part in ("weight", "bias") for name in names]
    for name in needed:
        if name not in tensors:
            raise UsageError(f"source {path} lacks {name}: expected a weight and a bias for each layer.")
        if not np.isfinite(tensors[name]).all():
            raise UsageError(f"source {path} has entries in {name} that are not finite: expected numbers.")
    arrays = [np.asarray(tensors[name], dtype=np.float64) for name in needed]
    weights, biases = tuple(arrays[: len(names)]), tuple(arrays[len(names) :])
    fits = all(W.ndim == 2 and b.shape == W.shape[:1] for W, b in zip(weights, biases, strict=True))
    if not weights or not fits or any(b.shape[1] != a.shape[0] for a, b in pairwise(weights)):
        raise UsageError(f"source {path} has layers that do not follow one another: expected a plain perceptron.")
    return Layers(weights, biases, activation, kind, squashed)


def _softmax(x: Floats) -> Floats:
    p = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def _activate(name: str, x: Floats) -> Floats:
    if name == "tanh":
        return np.tanh(x)
    if name == "relu":
        return np.maximum(x, 0.0)
    if name == "elu":
        return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))
    if name == "leakyrelu":
        return np.where(x > 0, x, 0.01 * x)
    return np.asarray(x / (1 + np.exp(-x)))


def _slope(name: str, y: Floats) -> Floats:
    """The derivative of an activation, from its value ``y``."""
    if name == "tanh":
        return 1 - y**2
    if name == "relu":
        return np.asarray(y > 0, dtype=np.float64)
    if name == "elu":
        return np.where(y > 0, 1.0, y + 1.0)
    if name == "leakyrelu":
        return np.where(y > 0, 1.0, 0.01)
    raise UsageError("the policy term needs a source network with tanh, relu, elu or leaky relu units.")
