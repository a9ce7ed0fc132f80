"""LoRA adapters, which peft puts on a language model (needs the extra ``zoo-envs[lora]``)."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from gymnasium.error import DependencyNotInstalled

__all__ = ["with_adapter"]

_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def with_adapter(model: Any, name: str, adapter: str) -> Any:
    """Return `model` with the adapter inside, whose parameters are the only ones that need gradients.

    Args:
        model: a causal language model of transformers.
        name: the folder or name it was loaded from.
        adapter: folder with adapter_config.json and adapter_model.safetensors.

    Raises:
        ValueError: there is no such adapter, it is of another kind, or made for another model.
        DependencyNotInstalled: peft is not installed.
    """
    base = _base(Path(adapter))
    if not _names(base) & _names(name):
        raise ValueError(
            f"the adapter {adapter!r} was made for the model {base!r}, not for {name!r}: expected an adapter of the "
            f"same model ({_CONFIG} names it as base_model_name_or_path)"
        )
    try:
        import peft
    except ModuleNotFoundError as error:
        raise DependencyNotInstalled(
            "an adapter needs peft, which is not installed: pip install 'zoo-envs[lora]'"
        ) from error
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            adapted = peft.PeftModel.from_pretrained(model, adapter, is_trainable=True)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(_misfit(adapter, name, str(error))) from error
    lacking = [str(warning.message) for warning in caught if "missing adapter keys" in str(warning.message)]
    if lacking:
        raise ValueError(_misfit(adapter, name, lacking[0]))
    return adapted.get_base_model()


def _misfit(adapter: str, name: str, why: str) -> str:
    return f"the adapter {adapter!r} does not fit the model {name!r}: {' '.join(why.split())[:200]}"


def _base(folder: Path) -> str:
    """The name of the model that the adapter in `folder` was made for."""
    for file in (_CONFIG, _WEIGHTS):
        if not (folder / file).is_file():
            raise ValueError(f"there is no {file} in {str(folder)!r}: expected the folder of a LoRA adapter")
    try:
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{str(folder / _CONFIG)!r} cannot be read: {error}") from error
    kind = config.get("peft_type") if isinstance(config, dict) else None
    if kind != "LORA":
        raise ValueError(f"{str(folder)!r} has an adapter of the kind {kind!r}: expected 'LORA'")
    return str(config.get("base_model_name_or_path") or "")


def _names(model: str) -> set[str]:
    """All that says which model this is: its last name, and that in the hub's cache (``models--owner--NAME``)."""
    parts = Path(model).parts
    cached = [part.rpartition("--")[2] for part in parts if part.startswith("models--")]
    return {*parts[-1:], *Path(model).resolve().parts[-1:], *cached} if model else set()
