"""What a head copies: the logits of a token where the head attends to that token alone (the OV circuit).

The circuit is followed as the model computes it (Elhage et al. 2021, "A mathematical framework for transformer
circuits"): values at the token's place, output map, norms on the way, unembedding. Scales do not matter, for logits are
compared with one another alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zoo_icl.adapters.attention import AttentionLayer, Softmax, Visiting, probe_logits

Receive = Callable[[AttentionLayer, Tensor], None]
"""called with each layer and its heads' values in place, side by side [B, T, H hd]"""


@dataclass(frozen=True, eq=False)
class Unembedding:
    """The direct way from what a layer writes to the logits.

    Attributes:
        after: norms between the output maps of layers and the residual stream, by number of the layer.
        norm: the last one; None: there is none.
        read_out: from the residual stream to logits.
        vocabulary: V.
    """

    after: dict[int, nn.Module]
    norm: nn.Module | None
    read_out: nn.Module
    vocabulary: int

    @classmethod
    def of(cls, model: Any, layers: Sequence[AttentionLayer]) -> Unembedding | None:
        """Of a model of transformers; None where it has no logits. It runs once, on a few tokens."""
        read_out = model.get_output_embeddings()
        if read_out is None:
            return None
        calls = _leaf_calls(model)
        last = next((call for call in reversed(calls) if call.module is read_out), None)
        if last is None or last.output is None:
            return None
        norm = next((c.module for c in calls if c.output is not None and _same(c.output, last.input)), None)
        after: dict[int, nn.Module] = {}
        for layer in layers:
            written = next((call.output for call in calls if call.module is layer.read_out), None)
            following = [c for c in calls if c.input is not None and written is not None and _same(c.input, written)]
            changed = [c.module for c in following if c.output is not None and not _same(c.output, c.input)]
            if changed:
                after[layer.number] = changed[0]
        return cls(after, norm, read_out, last.output.shape[-1])

    def logits(self, written: Tensor, layer: int) -> Tensor:
        """Logits ``[..., V]`` of what ``layer`` writes, ``[..., d]``, up to a positive factor."""
        for module in (self.after.get(layer), self.norm, self.read_out):
            written = written if module is None else _without_bias(module, written)
        return written


@contextmanager
def values_in_place(layers: Sequence[AttentionLayer], receive: Receive) -> Iterator[None]:
    """Whenever a layer attends, compute it once more with each token attending to itself alone, for ``receive``."""

    def attend_again(layer: AttentionLayer) -> Callable[..., None]:
        def hook(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            found: list[Tensor] = []
            grab = layer.read_out.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0]))  # type: ignore[union-attr]
            try:
                with Visiting(_to_itself):
                    module.forward(*args, **kwargs)
            finally:
                grab.remove()
            receive(layer, found[0])

        return hook

    with ExitStack() as stack:
        for layer in layers:
            if layer.read_out is not None:
                stack.callback(layer.module.register_forward_hook(attend_again(layer), with_kwargs=True).remove)
        yield


def copying_scores(
    values: Tensor, tokens: Tensor, layer: AttentionLayer, unembedding: Unembedding, allowed: Tensor
) -> Tensor:
    """How each head ranks the token that it attends to: 1 above all others, 0 in their middle, -1 below all.

    That is twice the share of other tokens with a smaller logit, minus one; ties count half.

    Args:
        values: of the layer's heads side by side, ``[n, H hd]``.
        tokens: the token at each place, int ``[n]``.
        layer: where they are from.
        unembedding: of the model.
        allowed: which tokens are compared, bool ``[V]``.

    Returns:
        float64 ``[n, H]``, in [-1, 1].
    """
    read_out = layer.read_out
    if read_out is None:
        raise ValueError(f"layer {layer.number} has no output map that was found.")
    width = values.shape[1] // layer.heads
    others = allowed.sum() - allowed[tokens].long()
    scores = []
    for head in range(layer.heads):
        alone = torch.zeros_like(values)
        of_head = slice(head * width, (head + 1) * width)
        alone[:, of_head] = values[:, of_head]
        logits = unembedding.logits(_without_bias(read_out, alone[None]), layer.number)[0]
        own = logits.gather(1, tokens[:, None])
        below = ((logits < own) & allowed).sum(1).double()
        tied = ((logits == own) & allowed).sum(1) - allowed[tokens].long()
        scores.append(2.0 * (below + tied / 2.0) / others - 1.0)
    return torch.stack(scores, 1)


@dataclass(frozen=True, eq=False)
class _LeafCall:
    module: nn.Module
    input: Tensor | None
    output: Tensor | None


def _leaf_calls(model: Any) -> list[_LeafCall]:
    """What every module without parts was given and gave, in their order; tensors are kept, so that none is reused."""
    calls: list[_LeafCall] = []

    def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        given = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
        calls.append(_LeafCall(module, given, output if isinstance(output, Tensor) else None))

    with ExitStack() as stack:
        for module in model.modules():
            if next(module.children(), None) is None:
                stack.callback(module.register_forward_hook(note).remove)
        probe_logits(model)
    return calls


def _same(one: Tensor, other: Tensor | None) -> bool:
    """Whether both are the same numbers in memory."""
    return other is not None and one.data_ptr() == other.data_ptr() and one.shape == other.shape


def _without_bias(module: nn.Module, x: Tensor) -> Tensor:
    """``module(x) - module(0)``: of a norm, what it does to ``x`` up to a positive factor."""
    mapped: Tensor = module.forward(x) - module.forward(torch.zeros_like(x[..., :1, :]))
    return mapped


def _to_itself(scores: Tensor, softmax: Softmax) -> Tensor:
    weights = softmax(scores)
    itself = torch.eye(*scores.shape[2:], dtype=weights.dtype, device=weights.device)
    return itself.expand_as(weights)
