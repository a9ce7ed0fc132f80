"""A causal language model of the Hugging Face kind that reads windows, and the frozen reference made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from zoo_envs.text.windows import reading

if TYPE_CHECKING:
    import transformers

__all__ = ["OUTSIDE", "Reference", "WindowModel", "load", "load_failure", "no_progress_bars"]

OUTSIDE = -1e4
"""stands for log 0: its exponential underflows to 0 exactly, and sums and products stay finite"""


class WindowModel(nn.Module):
    """Reads windows int64[M,D], see `zoo_envs.text.windows`; windows that begin alike are read as one sequence.

    Attributes:
        model: the causal language model, never in training mode: a policy has to give the same probabilities twice.
        width: length of its hidden states.
        vocabulary: V, the tokens that it knows; in a window V stands for no token.
    """

    model: Any

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model.eval()
        self.width = int(model.config.get_text_config().hidden_size)
        self.vocabulary = int(model.get_output_embeddings().weight.shape[0])

    def train(self, mode: bool = True) -> WindowModel:
        """Change nothing: dropout would make probabilities of rollout and update differ."""
        return self

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
    """

    def __init__(self, model: WindowModel, top_k: int | None) -> None:
        self._model = model.requires_grad_(False)
        self._top_k = None if top_k is None or top_k >= model.vocabulary else top_k

    def logits(self, windows: NDArray[Any]) -> NDArray[np.float32]:
        """Return log pi0 of each next token, float32[...,V], for `windows` [...,D]; `OUTSIDE` where not possible."""
        logits = self._logits(windows)
        if self._top_k is not None:
            logits = logits.masked_fill(~self._most_probable(logits), -torch.inf)
        return self._shaped(logits.log_softmax(-1).clamp(min=OUTSIDE), windows)

    def allowed(self, windows: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Return which next tokens are possible, bool[...,V], or None where all always are."""
        if self._top_k is None:
            return None
        return self._shaped(self._most_probable(self._logits(windows)), windows)

    @torch.no_grad()
    def _logits(self, windows: NDArray[Any]) -> torch.Tensor:
        rows = torch.from_numpy(np.asarray(windows).reshape(-1, np.shape(windows)[-1]).astype(np.int64))
        device = next(self._model.parameters()).device
        logits: torch.Tensor = self._model(rows.to(device)).float()
        return logits

    def _most_probable(self, logits: torch.Tensor) -> torch.Tensor:
        chosen = logits.topk(self._top_k or self._model.vocabulary, dim=-1).indices
        return torch.zeros_like(logits, dtype=torch.bool).scatter_(-1, chosen, True)

    @staticmethod
    def _shaped(rows: torch.Tensor, windows: NDArray[Any]) -> NDArray[Any]:
        array: NDArray[Any] = rows.cpu().numpy()
        return array.reshape(*np.shape(windows)[:-1], -1)


def load(name: str, device: str) -> tuple[WindowModel, transformers.PreTrainedTokenizerBase]:
    """Return a causal language model and its tokenizer.

    Args:
        name: a folder, or a name on the Hugging Face hub.
        device: where the model is put.

    Raises:
        ValueError: there is no such model, it cannot be reached, or it is of a kind that is not supported.
    """
    import transformers

    with no_progress_bars():
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(name)
            model = transformers.AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(load_failure("language model", name, error)) from error
    if tokenizer.eos_token_id is None:
        raise ValueError(f"the tokenizer of {name!r} has no token that ends a text, which episodes need")
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
        f"there is no folder {name!r}, and no {what} of this name could be had from the Hugging Face hub: expected a "
        "folder, or the name of a model that was downloaded before or can be now"
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
