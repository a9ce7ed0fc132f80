"""Where a model of Hugging Face transformers attends, found by watching it run.

Eager attention of every architecture ends in one softmax over scores ``[B, H, T, T]``, whose weighted values a linear
map then reads, heads side by side. Both are found in one forward pass, so that no list of architectures is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from zoo_icl.adapters.context import foreign_errors

EAGER = "eager"
"""how transformers calls attention that computes its patterns"""
_SOFTMAX = frozenset({F.softmax, torch.softmax, torch.Tensor.softmax, torch.special.softmax})
_FUSED = frozenset({F.scaled_dot_product_attention})
_PROBE_TOKENS = 4

Softmax: TypeAlias = Callable[[Tensor], Tensor]
Visit: TypeAlias = Callable[[Tensor, Softmax], Tensor]
"""scores [B, H, T, K] and the softmax to the weights that the model continues with"""


@dataclass(frozen=True, eq=False)
class AttentionLayer:
    """One layer that attends.

    Attributes:
        number: of the layer, as the model counts.
        module: computes the attention.
        heads: H.
        read_out: maps the heads' outputs side by side ``[B, T, H hd]`` to the residual stream; None: not found.
        sinks: columns of the scores beyond the tokens.
    """

    number: int
    module: nn.Module
    heads: int
    read_out: nn.Module | None
    sinks: int


class Visiting(TorchFunctionMode):
    """While entered, ``visit`` stands in for the softmax over scores with four axes."""

    def __init__(self, visit: Visit, fused: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._visit, self._fused = visit, fused

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call ``func``, or ``visit`` in its place."""
        kwargs = kwargs or {}
        if func in _FUSED:
            self._fused()
        elif func in _SOFTMAX and args and args[0].ndim == 4:
            return self._visit(args[0], lambda scores: func(scores, *args[1:], **kwargs))
        return func(*args, **kwargs)


@contextmanager
def visiting(layer: AttentionLayer, visit: Visit) -> Iterator[None]:
    """Whenever ``layer`` attends, its softmax is ``visit``; nothing is left behind."""
    entered: list[ExitStack] = []

    def enter(*_: Any) -> None:
        entered.append(ExitStack())
        entered[-1].enter_context(Visiting(visit))

    def leave(*_: Any) -> None:
        entered.pop().close()

    before = layer.module.register_forward_pre_hook(enter)
    after = layer.module.register_forward_hook(leave, always_call=True)
    try:
        yield
    finally:
        before.remove()
        after.remove()


def text_config(model: Any) -> Any:
    """Options of the language model, which may be a part of one that reads images, too."""
    config = model.config
    return config.get_text_config() if hasattr(config, "get_text_config") else config


@contextmanager
def eager_attention(model: Any) -> Iterator[None]:
    """Attention is computed eagerly inside, where ``model`` can be switched; every part of it is as before after."""
    change = getattr(model, "set_attn_implementation", None)
    kept = {id(config): (config, _implementation(config)) for config in _configs(model)}
    if change is None or all(how in (EAGER, None) for _, how in kept.values()):
        yield
        return
    try:
        change(EAGER)
        yield
    finally:
        for config, how in kept.values():
            if _implementation(config) != how:
                config._attn_implementation_internal = how  # the public setter would set its parts alike, too


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Without dropout and gradients; every module's mode is as before afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def probe_logits(model: Any) -> Tensor:
    """Logits (of a model without a head, hidden states) on a few tokens, without dropout.

    Raises:
        ValueError: the model fails.
    """
    with foreign_errors(type(model).__name__), evaluating(model):
        tokens = torch.arange(_PROBE_TOKENS, device=model.device)[None] % int(text_config(model).vocab_size)
        outputs = model(input_ids=tokens, use_cache=False)
    logits: Tensor = outputs.logits if hasattr(outputs, "logits") else outputs.last_hidden_state
    return logits


def attention_layers(model: Any) -> tuple[AttentionLayer, ...]:
    """The layers of ``model`` that attend, in the order of the computation.

    Attention must be computed eagerly, see ``eager_attention``. The model runs once, on a few tokens.

    Raises:
        ValueError: there are none, attention is fused, or one layer attends more than once; or the model fails.
    """
    name = type(model).__name__
    found: list[_Found] = []
    running: list[tuple[str, nn.Module]] = []
    fused: list[str] = []

    def visit(scores: Tensor, softmax: Softmax) -> Tensor:
        if running[0][1] is model:  # not in a first pass of clamps that are in force already
            found.append(_Found(*running[-1], scores.shape[1], scores.shape[3] - scores.shape[2]))
        return softmax(scores)

    with ExitStack() as stack:
        for where, module in model.named_modules():
            before = module.register_forward_pre_hook(_enter(where, running, found))
            after = module.register_forward_hook(lambda *_: running.pop() and None, always_call=True)
            stack.callback(before.remove)
            stack.callback(after.remove)
        with Visiting(visit, lambda: fused.append(running[-1][0])):
            probe_logits(model)
    if fused:
        raise ValueError(
            f"{name} computes attention at {fused[0]} in one fused step, which has no pattern: expected a model that "
            f"was built with attn_implementation={EAGER!r}."
        )
    if not found:
        raise ValueError(f"{name} gives no attention patterns: expected a model with layers that attend.")
    twice = [each.where for index, each in enumerate(found) if each.module in [e.module for e in found[:index]]]
    if twice:
        raise ValueError(f"{name} attends more than once at {twice[0]}: expected modules that attend once.")
    return tuple(each.layer(index) for index, each in enumerate(found))


@dataclass
class _Found:
    """A module in which a softmax was seen, and the linear map that came next."""

    where: str
    module: nn.Module
    heads: int
    sinks: int
    read_out: nn.Module | None = None

    def layer(self, index: int) -> AttentionLayer:
        named = re.search(r"\.(\d+)\.", f"{self.where}.")
        number = getattr(self.module, "layer_idx", None)
        number = number if isinstance(number, int) else int(named[1]) if named else index
        return AttentionLayer(number, self.module, self.heads, self.read_out, self.sinks)


def _enter(where: str, running: list[tuple[str, nn.Module]], found: list[_Found]) -> Callable[..., None]:
    def enter(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        running.append((where, module))
        weight = getattr(module, "weight", None)
        if not found or found[-1].read_out is not None or not isinstance(weight, Tensor) or weight.ndim != 2:
            return
        side_by_side = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
        if side_by_side is not None and side_by_side.ndim == 3 and side_by_side.shape[-1] % found[-1].heads == 0:
            found[-1].read_out = module

    return enter


def _implementation(config: Any) -> str | None:
    how: str | None = getattr(config, "_attn_implementation", None)
    return how


def _configs(model: Any) -> list[Any]:
    """The options of the model and of each of its parts, each once."""
    todo = [module.config for module in model.modules() if hasattr(module, "config")]
    configs: dict[int, Any] = {}
    while todo:
        config = todo.pop()
        if id(config) not in configs:
            configs[id(config)] = config
            todo += [part for key in getattr(config, "sub_configs", {}) if (part := getattr(config, key, None))]
    return list(configs.values())
