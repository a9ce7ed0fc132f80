"""A causal language model of the Hugging Face kind that reads windows, and the frozen reference made of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from zoo_envs.text.transformer.adapter import with_adapter
from zoo_envs.text.transformer.key_values import CachedReader
from zoo_envs.text.windows import reading

if TYPE_CHECKING:
    import transformers

__all__ = ["LOCAL_ONLY", "OUTSIDE", "Reference", "WindowModel", "load", "load_failure", "no_progress_bars"]

LOCAL_ONLY: Mapping[str, Any] = {"local_files_only": True, "trust_remote_code": False}
"""how everything is loaded: nothing is downloaded, and no code comes with a model"""

OUTSIDE = -1e4
"""stands for log 0: its exponential underflows to 0 exactly, and sums and products stay finite"""


class WindowModel(nn.Module):
    """Reads windows int64[M,D], see `zoo_envs.text.windows`; windows that begin alike are read as one sequence.

    Attributes:
        model: the causal language model, never in training mode: a policy has to give the same probabilities twice.
            Parameters that need no gradient when it is given, such as those below an adapter, are never trained.
        width: length of its hidden states.
        ends: tokens that end a text, by the model's own configuration of generation.
        vocabulary: V, the tokens that it knows; in a window V stands for no token.
    """

    model: Any

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model.eval()
        self._trained = frozenset(name for name, parameter in model.named_parameters() if parameter.requires_grad)
        self.width = int(model.config.get_text_config().hidden_size)
        self.vocabulary = int(model.get_output_embeddings().weight.shape[0])
        ends = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
        self.ends: tuple[int, ...] = tuple(ends) if isinstance(ends, list) else () if ends is None else (int(ends),)
        self._cached: bool | None = None

    def train(self, mode: bool = True) -> WindowModel:
        """Change nothing: dropout would make probabilities of rollout and update differ."""
        return self

    def fresh(self, device: str | None = None) -> WindowModel:
        """Return a copy to be trained, on `device` or this one's; what is never trained is shared if it can be."""
        here = next(self.parameters()).device
        there = here if device is None else torch.empty(0, device=device).device
        named = self.model.named_parameters()
        shared = {id(p): p for name, p in named if name not in self._trained} if here == there else {}
        made = copy.deepcopy(self, shared).to(there)
        for name, parameter in made.model.named_parameters():
            parameter.requires_grad_(name in self._trained)
        return made

    def reader(self, width: int) -> CachedReader | WindowModel:
        """Return what reads windows of `width` tokens that grow by one at a time, by its method ``hidden``.

        It keeps keys and values where the model attends to the whole window, and else is the model itself.
        """
        config = self.model.config.get_text_config()
        whole = set(getattr(config, "layer_types", None) or ()) <= {"full_attention", "sliding_attention"}
        sliding = getattr(config, "sliding_window", None)
        whole = whole and (sliding is None or width < sliding)
        return CachedReader(self) if whole and self._caches() else self

    def _caches(self) -> bool:
        """Return whether the model's hidden states with kept keys and values are those without, tried out once."""
        if self._cached is None:
            windows = torch.tensor([[self.vocabulary, 1, 0, 2], [self.vocabulary] * 3 + [1], [2, 1, 2, 0]])
            longer = torch.cat([windows[:, 1:], torch.tensor([[1], [2], [0]])], 1)
            device = next(self.parameters()).device
            reader = CachedReader(self)
            try:
                with torch.no_grad():
                    pairs = [(reader.hidden(w), self.hidden(w)) for w in (windows.to(device), longer.to(device))]
                self._cached = all(torch.allclose(mine, its, atol=1e-3) for mine, its in pairs)
            except (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError):
                self._cached = False
        return self._cached

    def hidden(self, windows: torch.Tensor) -> torch.Tensor:
        """Return the last hidden state at the last token of each window, float32[M,width]."""
        device = windows.device
        read = reading(windows.cpu().numpy(), self.vocabulary)
        # What follows a sequence stands to its right, where a causal model does not look: no mask is needed.
        parts = [torch.from_numpy(part).to(device) for part in read.parts]
        states = [self.model.base_model(input_ids=part, use_cache=False).last_hidden_state for part in parts]
        flat = torch.cat([state.reshape(-1, self.width) for state in states])
        return flat[torch.from_numpy(read.place).to(device)]

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return the logits of the next token, [M,V], from the hidden states [M,width]."""
        logits: torch.Tensor = self.model.get_output_embeddings()(hidden)
        return logits

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Return the logits of the next token, [M,V]."""
        return self.logits(self.hidden(windows))


class Reference:
    """The frozen language model as reference policy, restricted to its most probable tokens.

    Args:
        model: the language model.
        top_k: how many tokens are possible after each window; None: all.

    Attributes:
        model: the same.
        top_k: the same; None where it restricts nothing.
    """

    def __init__(self, model: WindowModel, top_k: int | None) -> None:
        self.model = model.requires_grad_(False)
        self.top_k = None if top_k is None or top_k >= model.vocabulary else top_k

    def logits(self, windows: NDArray[Any]) -> NDArray[np.float32]:
        """Return log pi0 of each next token, float32[...,V], for `windows` [...,D]; `OUTSIDE` where not possible."""
        rows = torch.from_numpy(np.asarray(windows).reshape(-1, np.shape(windows)[-1]).astype(np.int64))
        with torch.no_grad():
            logits = self.model(rows.to(next(self.model.parameters()).device)).float()
        if self.top_k is not None:
            chosen = logits.topk(self.top_k, dim=-1).indices
            possible = torch.zeros_like(logits, dtype=torch.bool).scatter_(-1, chosen, True)
            logits = logits.masked_fill(~possible, -torch.inf)
        array: NDArray[np.float32] = logits.log_softmax(-1).clamp(min=OUTSIDE).cpu().numpy()
        return array.reshape(*np.shape(windows)[:-1], -1)


def load(
    name: str, device: str, adapter: str | None = None
) -> tuple[WindowModel, transformers.PreTrainedTokenizerBase]:
    """Return a causal language model and its tokenizer, from safetensors on this machine.

    Args:
        name: a folder, or a name on the Hugging Face hub of a model that was downloaded before.
        device: where the model is put.
        adapter: folder of a LoRA adapter, which alone is trained then; None: there is none.

    Raises:
        ValueError: there is no such model, it is of a kind that is not supported, or the adapter is of another model.
        DependencyNotInstalled: an adapter is given, and peft is not installed.
    """
    import transformers

    with no_progress_bars():
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(name, **LOCAL_ONLY)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                name, dtype=torch.float32, use_safetensors=True, **LOCAL_ONLY
            )
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(load_failure("language model", name, error)) from error
    if tokenizer.eos_token_id is None:
        raise ValueError(f"the tokenizer of {name!r} has no token that ends a text, which episodes need")
    if adapter is not None:
        model = with_adapter(model, name, adapter)
    window_model = WindowModel(model).to(device)
    # Some models change what their last layer returns; then the layer alone is not the model.
    sample = torch.tensor([[0, 1, 2]], device=device)
    with torch.no_grad():
        whole = model(input_ids=sample).logits[:, -1]
        if not torch.allclose(window_model(sample), whole, atol=1e-3):
            raise ValueError(f"{name!r} treats its logits in a way of its own, which is not supported")
    return window_model, tokenizer


def load_failure(what: str, name: str, error: Exception) -> str:
    """Return the sentence that says why the kind of model `what` called `name` could not be loaded."""
    if Path(name).is_dir():
        why = " ".join(str(error).split())[:200]
        return f"the folder {name!r} holds no {what} that transformers can load: {why}"
    return (
        f"there is no folder {name!r}, and no {what} of this name was downloaded from the Hugging Face hub before: "
        "expected a folder, or the name of a model that is in the hub's cache on this machine"
    )


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """Hide the progress bars of transformers, and restore the state of torch's default generator afterwards."""
    import transformers

    bars: Any = transformers.utils.logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        if shown:
            bars.enable_progress_bar()
