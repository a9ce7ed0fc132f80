"""The transformer of the in-context-learning experiments: exemplars and labels in, the query's label out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, TypeAlias, cast, overload

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from zoo_icl.clamps.composition import Clamping, compose
from zoo_icl.hooks import ALL_ROWS, UP_TO_PATTERN, Cache, Hooks, names, resolve
from zoo_icl.model import arrays as by_name
from zoo_icl.model.layers import Block, Norm
from zoo_icl.model.positions import rotary_table, rotate, sinusoids

Array: TypeAlias = "Tensor | NDArray[Any]"
Position: TypeAlias = Literal["rope", "ape", "sinusoidal"]
Record: TypeAlias = "str | list[str] | tuple[str, ...] | set[str] | frozenset[str]"


class ICLTransformer(nn.Module):
    """A decoder on sequences ``x_1 y_1 ... x_N y_N x_q`` of T = 2N+1 tokens (docs/methods/icl.md, section 2).

    Exemplars stand on even positions, their labels on odd ones; the logits are read at the query, the last position.
    Parameters are named as in ``to_arrays``. Attention-only where ``mlp_ratio`` is None.

    Args:
        d_in: length D of an exemplar.
        n_outputs: number K of labels.
        d_model: width d of the residual stream, a multiple of ``n_heads``.
        n_heads: heads H of each block.
        depth: number of blocks.
        mlp_ratio: width of the MLP in multiples of ``d_model``; None: no MLP.
        pos: rotary on queries and keys, learned (needs ``max_tokens``), or fixed sinusoids.
        rope_base: base of the rotary angles.
        norm: layer norm before attention, MLP and read-out, or none anywhere.
        causal: whether a row attends only to itself and earlier tokens.
        sinusoid_base: base of the sinusoids' angles.
        max_tokens: longest T of learned positions.
        dtype: float32 or float64.
        device: of the parameters.
        generator: draws the initial weights; None: torch's default one.

    Raises:
        ValueError: heads that do not divide the width, an odd head with rope, a size below 1, ape without
            ``max_tokens``.
    """

    def __init__(
        self,
        d_in: int,
        n_outputs: int,
        d_model: int = 64,
        n_heads: int = 8,
        depth: int = 2,
        mlp_ratio: float | None = None,
        pos: Position = "rope",
        rope_base: float = 10_000.0,
        norm: Literal["layernorm", "none"] = "layernorm",
        causal: bool = True,
        *,
        sinusoid_base: float = 30.0,
        max_tokens: int | None = None,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        sizes = {"d_in": d_in, "n_outputs": n_outputs, "d_model": d_model, "n_heads": n_heads, "depth": depth}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name} = {size}: expected at least 1.")
        if d_model % n_heads:
            raise ValueError(f"d_model = {d_model} is not divisible by n_heads = {n_heads}.")
        if pos == "rope" and d_model // n_heads % 2:
            raise ValueError(f"head_dim = {d_model} / {n_heads} = {d_model // n_heads}: rope needs an even number.")
        if pos not in ("rope", "ape", "sinusoidal"):
            raise ValueError(f"pos = {pos!r}: expected 'rope', 'ape' or 'sinusoidal'.")
        if norm not in ("layernorm", "none"):
            raise ValueError(f"norm = {norm!r}: expected 'layernorm' or 'none'.")
        if mlp_ratio is not None and mlp_ratio * d_model < 1:
            raise ValueError(f"mlp_ratio = {mlp_ratio} gives an MLP of width {mlp_ratio * d_model}: expected 1.")
        if pos == "ape" and max_tokens is None:
            raise ValueError("pos = 'ape' needs max_tokens, the longest sequence of 2 N + 1 tokens.")
        self.d_in, self.n_outputs, self.d_model, self.n_heads, self.depth = d_in, n_outputs, d_model, n_heads, depth
        self.head_dim, self.mlp_ratio, self.causal = d_model // n_heads, mlp_ratio, causal
        self.pos, self.rope_base, self.sinusoid_base, self.max_tokens = pos, rope_base, sinusoid_base, max_tokens
        self.norm = norm
        hidden = None if mlp_ratio is None else round(mlp_ratio * d_model)
        self.hook_points = names(depth, hidden is not None)

        self.W_ex = nn.Parameter(torch.empty(d_in, d_model))
        self.b_ex = nn.Parameter(torch.zeros(d_model))
        self.W_lab = nn.Parameter(torch.empty(n_outputs, d_model))
        self.W_pos = nn.Parameter(torch.empty(max_tokens, d_model)) if pos == "ape" and max_tokens else None
        layers = (Block(layer, d_model, n_heads, hidden, norm == "layernorm", causal) for layer in range(depth))
        self.blocks = nn.ModuleList(layers)
        self.ln_f = Norm(d_model) if norm == "layernorm" else None
        self.W_un = nn.Parameter(torch.empty(d_model, n_outputs))
        self.b_un = nn.Parameter(torch.zeros(n_outputs))
        by_name.initialise(self, generator)
        self.to(device=device, dtype=dtype)

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that this model was built with, by name, without dtype and device."""
        kept = ("d_in", "n_outputs", "d_model", "n_heads", "depth", "mlp_ratio", "pos", "rope_base", "norm", "causal")
        return {name: getattr(self, name) for name in (*kept, "sinusoid_base", "max_tokens")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any], **options: Any) -> Self:
        """A model with these parameters; ``options`` are the arguments of the class, as in ``model.options``.

        Raises:
            ValueError: missing or extra names, or wrong shapes.
        """
        model = cls(**options)
        model.load_arrays(arrays)
        return model

    def load_arrays(self, arrays: Mapping[str, Any]) -> None:
        """Set all parameters; raises ValueError as ``from_arrays``, and then changes nothing."""
        by_name.load_arrays(self, arrays)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Copies of all parameters by name, in the row-vector convention ``h @ W``."""
        return by_name.to_arrays(self)

    @overload
    def forward(
        self, x: Array, y: Array, record: None = None, clamps: Clamping = (), *, detach: bool = True
    ) -> Tensor: ...

    @overload
    def forward(
        self, x: Array, y: Array, record: Record, clamps: Clamping = (), *, detach: bool = True
    ) -> tuple[Tensor, Cache]: ...

    def forward(
        self, x: Array, y: Array, record: Record | None = None, clamps: Clamping = (), *, detach: bool = True
    ) -> Tensor | tuple[Tensor, Cache]:
        """Logits at the query.

        The last block computes the last row alone; hook points with more rows are computed separately when they are
        recorded, so that the logits are bit for bit the same.

        Args:
            x: exemplars [B, N+1, D], the query last.
            y: labels of the context [B, N]; or [B, N+1] with the query's label last, which only clamps may use
                (``Induction``).
            record: hook point, glob, or several of them.
            clamps: clamps, texts for ``zoo_icl.clamps.parse``, or a ``zoo_icl.clamps.Clamps``.
            detach: recorded values carry no graph.

        Returns:
            logits [B, K]; with ``record`` also the recorded hook points by name.

        Raises:
            KeyError: an unknown hook point, with the nearest names.
            ValueError: shapes or labels that do not fit, or clamps of layers or heads that the model does not have.
        """
        recorded = resolve(record, self.hook_points)
        x, y, target = self.check_inputs(x, y)
        edits, held = compose(clamps).edits(self, x, y, target)
        hook = Hooks(edits, recorded, detach=detach, held=held)
        logits = self.compute_logits(self.embed_tokens(x, y, hook), hook)
        return logits if record is None else (logits, hook.cache)

    def embed_tokens(self, x: Tensor, y: Tensor, hook: Hooks) -> Tensor:
        """Tokens with their positions, [B, T, d]."""
        exemplars = hook("ex_embed", x @ self.W_ex + self.b_ex)
        labels = hook("label_embed", self._label_embeddings(y))
        batch, pairs, width = labels.shape
        paired = torch.stack((exemplars[:, :-1], labels), dim=2).view(batch, 2 * pairs, width)
        h = torch.cat((paired, exemplars[:, -1:]), dim=1)
        if self.W_pos is not None:
            h = h + self.W_pos[: h.shape[1]]
        elif self.pos == "sinusoidal":
            h = h + sinusoids(h.shape[1], width, self.sinusoid_base, h.dtype, h.device)
        return hook("embed", h)

    def compute_logits(self, h: Tensor, hook: Hooks, start: int = 0) -> Tensor:
        """Logits [B, K] from the residual stream ``h`` [B, T, d] before block ``start``."""
        rotary = self.rotary(h.shape[1], h)
        *before, last = [self.block(layer) for layer in range(start, self.depth)]
        for block in before:
            h = block.forward_rows(block.project_tokens(h, hook, rotary, all_rows=True), hook, rotary, 0)
        end = h.shape[1] - 1
        stream = last.project_tokens(h, hook, rotary, all_rows=False)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not hook.detach):
            if self._recorded_beyond(UP_TO_PATTERN, hook):
                hook("logits_all", self._read_out(last.forward_rows(stream, hook, rotary, 0), hook, 0)[:, ::2])
            elif self._recorded_beyond(ALL_ROWS, hook):
                last.pattern(stream, hook, rotary, 0)
        return hook("logits", self._read_out(last.forward_rows(stream, hook, rotary, end), hook, end)[:, 0])

    def block(self, layer: int) -> Block:
        """One block."""
        return cast("Block", self.blocks[layer])

    def rotary(self, tokens: int, like: Tensor) -> Tensor | None:
        """The table of angles for ``rotate``, or None where positions are not rotary."""
        if self.pos != "rope":
            return None
        return rotary_table(tokens, self.head_dim, self.rope_base, like.dtype, like.device)

    def project(self, layer: int, h: Tensor, weight: str, *, rotated: bool = False) -> Tensor:
        """The projection of ``h`` [B, T, d] by one block's ``weight``, such as "W_q", for all rows: [B, H, T, hd]."""
        block = self.block(layer)
        (vectors,) = block.attn.project(h if block.ln1 is None else block.ln1(h), weight)
        rotary = self.rotary(h.shape[1], h) if rotated else None
        return vectors if rotary is None else rotate(vectors, rotary)

    def _read_out(self, h: Tensor, hook: Hooks, first: int) -> Tensor:
        """Logits [B, R, K] of the rows from ``first``."""
        final = hook("final", h if self.ln_f is None else self.ln_f(h), first)
        return torch.matmul(final, self.W_un) + self.b_un

    def _recorded_beyond(self, hook_points: frozenset[str], hook: Hooks) -> bool:
        """Whether a hook point of the last block or after it is recorded that is none of ``hook_points``."""
        prefix = f"blocks.{self.depth - 1}."
        late = (name for name in hook.recorded if name.startswith((prefix, "final", "logits_all")))
        return any(name.removeprefix(prefix) not in hook_points for name in late)

    def _label_embeddings(self, y: Tensor) -> Tensor:
        try:
            return F.embedding(y, self.W_lab)
        except IndexError:
            low, high = int(y.min()), int(y.max())
            raise ValueError(f"labels from {low} to {high}: expected 0 to {self.n_outputs - 1}.") from None

    def check_inputs(self, x: Array, y: Array) -> tuple[Tensor, Tensor, Tensor | None]:
        """Exemplars, context labels and, if given, the query's labels, as tensors where the parameters are."""
        x = torch.as_tensor(x, dtype=self.W_ex.dtype, device=self.W_ex.device)
        y = torch.as_tensor(y, dtype=torch.int64, device=self.W_ex.device)
        self.check_shapes(tuple(x.shape), tuple(y.shape))
        pairs = x.shape[1] - 1
        return x, y[:, :pairs], y[:, pairs] if y.shape[1] > pairs else None

    def check_shapes(self, x: tuple[int, ...], y: tuple[int, ...]) -> None:
        """Check the shapes of exemplars and labels.

        Raises:
            ValueError: saying what was expected.
        """
        if len(x) != 3 or x[1] < 2 or x[2] != self.d_in:
            raise ValueError(f"exemplars of shape {x}: expected [B, N+1, {self.d_in}] with N at least 1.")
        batch, slots, _ = x
        if len(y) != 2 or y[0] != batch or y[1] not in (slots - 1, slots):
            raise ValueError(
                f"labels of shape {y}: expected {[batch, slots - 1]} or {[batch, slots]}, as exemplars {x}."
            )
        if self.pos == "ape" and 2 * slots - 1 > cast("int", self.max_tokens):
            raise ValueError(f"T = {2 * slots - 1} tokens: learned positions end at max_tokens = {self.max_tokens}.")
