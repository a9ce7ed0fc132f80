"""Clamps on models of Hugging Face transformers: ``with clamped(model, "Ablate(5:1)+PrevToken(4:*)"): model(...)``.

Hook points are ``blocks.{l}.attn.scores``, ``.pattern`` and ``.v``, with layers as the model counts them. Scores
include what the model adds to them: masks, biases of position.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_icl.adapters.attention import (
    AttentionLayer,
    Softmax,
    attention_layers,
    eager_attention,
    probe_logits,
    visiting,
)
from zoo_icl.clamps import (
    Ablate,
    Clamp,
    Clamps,
    Constant,
    Live,
    NoPrevToken,
    PreservePatterns,
    PrevToken,
    Temperature,
    compose,
)
from zoo_icl.clamps.base import Call
from zoo_icl.clamps.composition import Clamping
from zoo_icl.clamps.heads import by_layer
from zoo_icl.hooks import Edit, Hooks, resolve

_KINDS: tuple[type[Clamp], ...] = (Ablate, Constant, Live, NoPrevToken, PreservePatterns, PrevToken, Temperature)
_PAIRS_ONLY = "only_labels"
_HOOKS = ("scores", "pattern", "v")
_TOLERANCE, _ROUNDINGS = 1e-3, 16
"""by which logits may differ between two ways to compute attention, relative to the largest; and in roundings"""
_HIDDEN = -5e3
"""scores below are those of tokens that a mask hides: models add -1e4 or less"""

Look = Callable[[AttentionLayer, Tensor], None]
"""called with each layer and its pattern [B, H, T, K], clamped, K - T columns of sinks among them"""


class LanguageModelShape(NamedTuple):
    """What clamps ask of a model."""

    depth: int
    n_heads: int
    hook_points: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TokenCall(Call):
    """A call with tokens in place of exemplars and labels: ``x`` has their dtype and device alone."""

    length: int = 0

    @property
    def tokens(self) -> int:
        """T."""
        return self.length


@dataclass(eq=False)
class Intervention:
    """Clamps that are in force on a model, see ``clamped``.

    Attributes:
        layers: those that attend.
        clamps: may be replaced while in force.
        look: called whenever a layer attends.
    """

    layers: Sequence[AttentionLayer]
    clamps: Clamps
    look: Look | None = None
    _first_pass: defaultdict[str, Tensor] = field(default_factory=lambda: defaultdict(lambda: torch.empty(0)))
    """values that clamps read; nothing at layers that do not attend"""
    _recording: frozenset[str] | None = None

    def use(self, clamps: Clamping) -> None:
        """Replace the clamps.

        Raises:
            ValueError: they are not for this model.
        """
        self.clamps = check(clamps, self.layers)

    def run_first_pass(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Before each pass of the model: one without clamps, if they read its values."""
        if self._recording is not None:
            return
        self._first_pass.clear()
        shape = _shape(self.layers)
        reads = frozenset(hook for clamp in self.clamps.members for hook in clamp.reads(shape))  # type: ignore[arg-type]
        if not reads:
            return
        if kwargs.get("past_key_values") is not None:
            raise ValueError(
                f"{self.clamps} reads a first pass, which cannot share keys and values of earlier tokens: expected "
                "use_cache=False."
            )
        self._recording = reads
        try:
            model.forward(*args, **kwargs)
        finally:
            self._recording = None

    def visit(self, layer: AttentionLayer, scores: Tensor, softmax: Softmax) -> Tensor:
        """The attention of one layer: weights [B, H, T, K] from scores [B, H, T, K]."""
        name = f"blocks.{layer.number}.attn."
        if self._recording is not None:
            pattern = softmax(scores)
            for hook, value in (("scores", scores), ("pattern", pattern)):
                if name + hook in self._recording:
                    self._first_pass[name + hook] = value
            return pattern
        edits = self._edits(layer, scores)
        clamped = _apply(edits.get(name + "scores", ()), scores, layer.sinks)
        if clamped is not scores:
            clamped = clamped.clamp(min=torch.finfo(scores.dtype).min)  # a row of nothing but -inf has no softmax
        pattern = softmax(clamped)
        for edit in edits.get(name + "pattern", ()):
            pattern = _set_pattern(edit, pattern, scores > _HIDDEN, layer.sinks)
        if self.look is not None:
            self.look(layer, pattern)
        return _apply(
            edits.get(name + "v", ()), pattern, layer.sinks
        )  # values of zero weigh as much as weights of zero

    def _edits(self, layer: AttentionLayer, scores: Tensor) -> Mapping[str, Sequence[Edit]]:
        """The edits of this layer by hook point, explicit ones last."""
        shape = _shape(self.layers)._replace(n_heads=layer.heads)
        nothing = scores.new_empty(0)
        length = scores.shape[3] - layer.sinks
        call = TokenCall(shape, nothing, nothing, None, self._first_pass, length)  # type: ignore[arg-type]
        edits: dict[str, list[Edit]] = {}
        for clamp in sorted(self.clamps.members, key=lambda clamp: not clamp.overridable):
            if _concerns(clamp, layer.number):
                for edit in clamp.edits(call):
                    edits.setdefault(edit.hook, []).append(edit)
        return edits


@contextmanager
def clamped(model: Any, clamps: Clamping = (), *, look: Look | None = None) -> Iterator[Intervention]:
    """Clamps in force whenever ``model`` runs inside; afterwards it is what it was, module by module.

    Attention is computed eagerly inside. Gradients flow as in ``ICLTransformer``: none through constants, through the
    first passes of ``Temperature`` and ``PreservePatterns`` as well. There are Ablate, PrevToken, NoPrevToken,
    Temperature, PreservePatterns, Live and Constant; what a clamped pattern gives to tokens that a mask hides stays
    with the token itself.

    Args:
        model: a causal language model of transformers.
        clamps: clamps or their text, heads as ``layer:head``, layers as the model counts them.
        look: called with each layer and its clamped pattern whenever it attends. An ablated head still has one.

    Raises:
        ValueError: the model has no such layers or heads, a clamp is for pairs of exemplars and labels, or attention
            cannot be reached.
    """
    as_given = probe_logits(model)
    with ExitStack() as stack:
        stack.enter_context(eager_attention(model))
        layers = attention_layers(model)
        tolerance = max(_TOLERANCE, _ROUNDINGS * torch.finfo(as_given.dtype).eps) * float(as_given.abs().max())
        if not torch.allclose(probe_logits(model), as_given, atol=tolerance, rtol=0.0):
            raise ValueError(f"the logits of {type(model).__name__} are others when attention is computed eagerly.")
        intervention = Intervention(layers, check(clamps, layers), look)
        for layer in layers:
            stack.enter_context(visiting(layer, partial(intervention.visit, layer)))
        first = model.register_forward_pre_hook(intervention.run_first_pass, with_kwargs=True)
        stack.callback(first.remove)
        yield intervention


def check(clamps: Clamping, layers: Sequence[AttentionLayer]) -> Clamps:
    """The clamps, if a model with these layers can have them.

    Raises:
        ValueError: naming clamp, layer and head.
    """
    composed = compose(clamps)
    shape = _shape(layers)
    by_number = {layer.number: layer for layer in layers}
    for clamp in composed.members:
        if not isinstance(clamp, _KINDS) or getattr(clamp, _PAIRS_ONLY, False):
            kinds = ", ".join(kind.__name__ for kind in _KINDS)
            raise ValueError(f"{clamp} is about exemplars and labels: on a language model there are {kinds}.")
        named = getattr(clamp, "heads", "")
        for number, which in by_layer(named).items() if named else ():
            if number not in by_number:
                there = ", ".join(map(str, by_number))
                raise ValueError(f"{clamp}: layer {number} does not attend; layers that do are {there}.")
            heads = by_number[number].heads
            if which and max(which) >= heads:
                raise ValueError(f"{clamp}: layer {number} has no head {max(which)}; heads are 0 to {heads - 1}.")
        for region in clamp.regions():
            try:
                resolve(region.hook, shape.hook_points)
            except KeyError as error:
                raise ValueError(f"{clamp}: {error.args[0]}") from error
            if region.hook.endswith(".v") and not isinstance(clamp, Ablate):
                raise ValueError(f"{clamp}: values can only be ablated on a language model; expected Ablate.")
    return composed


def _shape(layers: Sequence[AttentionLayer]) -> LanguageModelShape:
    points = tuple(f"blocks.{layer.number}.attn.{hook}" for layer in layers for hook in _HOOKS)
    return LanguageModelShape(layers[-1].number + 1, layers[0].heads, points)


def _concerns(clamp: Clamp, layer: int) -> bool:
    """Whether ``clamp`` may write to ``layer``."""
    named = getattr(clamp, "heads", "")
    return not named or layer in by_layer(named)


def _apply(edits: Sequence[Edit], computed: Tensor, sinks: int) -> Tensor:
    """``computed`` [B, H, T, K] with the edits; T are the last rows, and the last columns are sinks."""
    for edit in edits:
        computed = _over_sinks(edit, computed.shape[3], sinks).apply(
            computed, Hooks({}, frozenset()), _first(computed, sinks)
        )
    return computed


def _set_pattern(edit: Edit, pattern: Tensor, visible: Tensor, sinks: int) -> Tensor:
    """``pattern`` [B, H, T, K] with one edit; what that gives to hidden columns goes to the diagonal."""
    changed = _apply([edit], pattern, sinks)
    first, (rows, columns) = _first(pattern, sinks), pattern.shape[2:]
    itself = torch.eye(first + rows, columns, dtype=pattern.dtype, device=pattern.device)[first:]
    hidden = (changed * ~visible).sum(-1, keepdim=True)
    shown = torch.where(visible, changed, torch.zeros_like(changed)) + hidden * itself
    clamped = _apply([edit._replace(value=pattern.new_ones(()))], torch.zeros_like(pattern), sinks)
    return torch.where(clamped > 0, shown, pattern)


def _first(scores: Tensor, sinks: int) -> int:
    """The row that the first query is: earlier ones are kept as keys and values alone."""
    return scores.shape[3] - sinks - scores.shape[2]


def _over_sinks(edit: Edit, columns: int, sinks: int) -> Edit:
    """``edit`` of the tokens' columns as one of all: it leaves sinks as they are, and gives them nothing."""
    value = edit.value
    if not sinks or not isinstance(value, Tensor):
        return edit
    wide = (F.pad(x, (0, sinks)) if x.ndim and x.shape[-1] == columns - sinks else x for x in (edit.mask, value))
    return Edit(edit.hook, *wide)
