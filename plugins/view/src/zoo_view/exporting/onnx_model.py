"""The policy as an ONNX model, compared with the agent on observations that it meets."""

from __future__ import annotations

import importlib.util
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo import LoadedRun, RunError
from zoo.discovery import describe
from zoo_view.exporting.tensors import policy_module

_OBSERVATIONS = 256
_TOLERANCE = 1e-4  # of the range of the actions met: single precision, and another order of sums
_PACKAGES = ("onnx", "onnxscript")


def why_not(loaded: LoadedRun) -> str:
    """A sentence on why there can be no ONNX model; empty where there can be one."""
    if policy_module(loaded) is None:
        return "the policy is not a torch module"
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    return f"{missing[0]} is not installed: pip install 'zoo-view[onnx]'" if missing else ""


def write_onnx(loaded: LoadedRun, path: Path) -> dict[str, Any]:
    """Write the model, and compare it with the agent: with ``act``, or, if the policy takes noise, with ``act_on``.

    Returns:
        Names and shapes of inputs and output, and on how many observations it was compared, with the largest
        difference.

    Raises:
        RunError: the model does something else than the agent, or torch cannot export it.
    """
    import onnx
    import torch
    from onnx.reference import ReferenceEvaluator

    seen, acted = _met(loaded)
    module = policy_module(loaded).cpu().eval()
    inputs, kinds = {"observations": seen}, {"observations": {"dtype": str(seen.dtype)}}
    if (noise := getattr(module, "noise", None)) is not None:
        inputs["noise"], kinds["noise"] = _noise(len(seen), *noise), {
            "dtype": "float32", "distribution": noise[0], "zeros": "the most probable action",
        }  # fmt: skip
        acted = loaded.algorithm.act_on(seen, inputs["noise"])  # type: ignore[attr-defined]
    batch: Any = {0: torch.export.Dim("batch", min=1)}
    with _quietly():
        torch.onnx.export(
            module, tuple(torch.as_tensor(array[:2]) for array in inputs.values()), path,
            input_names=[*inputs], output_names=["actions"],
            dynamo=True, dynamic_shapes=(batch,) * len(inputs), external_data=False, verbose=False,
        )  # fmt: skip
    model = onnx.load(path)
    onnx.checker.check_model(model)
    answers: Any = ReferenceEvaluator(model).run(None, inputs)
    given = np.asarray(answers[0])
    far = np.abs(given.astype(np.float64) - acted).max()
    if far > _TOLERANCE * (np.ptp(acted) or 1.0):
        raise RunError(
            f"the ONNX model differs from the agent by {far:.3g} on {len(seen)} observations.",
            "--no-onnx leaves it out.",
        )
    return {
        "file": path.name,
        "opset": model.opset_import[0].version,
        "inputs": [{"name": name, "shape": ["batch", *inputs[name].shape[1:]], **kind} for name, kind in kinds.items()],
        "output": {"name": "actions", "shape": ["batch", *acted.shape[1:]], "dtype": str(given.dtype)},
        "compared_on": len(seen),
        "largest_difference": float(far),
    }


@contextmanager
def _quietly() -> Iterator[None]:
    """What torch's exporter has to say is kept from the terminal; distributions do not check their arguments.

    Raises:
        RunError: the exporter failed.
    """
    import torch

    checked = torch.distributions.Distribution._validate_args
    heard = io.StringIO()
    logging.disable(logging.WARNING)
    try:
        torch.distributions.Distribution.set_default_validate_args(False)  # such checks depend on data
        with warnings.catch_warnings(), redirect_stdout(heard), redirect_stderr(heard), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:  # whatever the exporter makes of somebody's module
        what = describe(error).partition("\n")[0]
        raise RunError(f"the policy cannot be exported to ONNX: {what}", "--no-onnx leaves it out.") from error
    finally:
        logging.disable(logging.NOTSET)
        torch.distributions.Distribution.set_default_validate_args(checked)


def _noise(count: int, distribution: str, size: int) -> NDArray[np.float32]:
    """Noise [count, size] for a policy that samples; half of it is none at all, so that the mode is compared too."""
    rng = np.random.default_rng(0)
    normal = distribution == "standard normal"
    drawn = rng.standard_normal((count, size)) if normal else rng.gumbel(size=(count, size))
    noise = drawn.astype(np.float32)
    noise[::2] = 0
    return noise


def _met(loaded: LoadedRun) -> tuple[NDArray[Any], NDArray[Any]]:
    """Observations [N, ...] that the agent meets, and what it did."""
    env = loaded.env()
    try:
        obs, _ = env.reset()
        seen, acted = [], []
        for _ in range(_OBSERVATIONS):
            action = loaded.algorithm.act(obs)
            seen.append(np.asarray(obs)[0])
            acted.append(np.asarray(action)[0])
            obs = env.step(action)[0]
    finally:
        env.close()
    return np.stack(seen), np.stack(acted)
