"""A linear layer whose weights are normal variables with a sparse prior (sparse variational dropout).

Molchanov, Ashukha and Vetrov 2017, arXiv:1701.05369; the layer of the default policies of MDL-C (arXiv:2207.08258).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, TypedDict

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo_mdl_c.description_length import K1, K2, K3, THRESHOLD, log_alpha

__all__ = ["GroupReport", "VariationalDropoutLinear"]

_TINY = 1e-12


class GroupReport(TypedDict):
    """The weights of one group of inputs."""

    weights: int
    """number of weights"""
    pruned: float
    """share of weights with log alpha >= 3, in [0, 1]"""
    mean_abs_mu: float
    """mean of |mu|, pruned ones included"""


class VariationalDropoutLinear(nn.Module):
    """y = w x + b with w ~ N(mu, sigma^2) for each weight, and b without noise.

    Minimise a loss of the outputs in training mode plus a multiple of ``kl()``; weights that the loss does not need
    lose their mean, and evaluation mode leaves them out: w = mu where log alpha = log(sigma^2 / mu^2) < 3, else 0.

    Example:
        >>> import torch
        >>> from zoo_mdl_c import VariationalDropoutLinear
        >>> layer = VariationalDropoutLinear(4, 1, generator=torch.Generator().manual_seed(0))
        >>> x = torch.randn(256, 4, generator=torch.Generator().manual_seed(1))
        >>> optimiser = torch.optim.Adam(layer.parameters(), lr=0.05)
        >>> for _ in range(400):  # the target reads the first input alone
        ...     optimiser.zero_grad()
        ...     loss = (layer(x)[:, 0] - 2 * x[:, 0]).square().mean() + 1e-2 * layer.kl()
        ...     loss.backward()
        ...     _ = optimiser.step()
        >>> layer.sparsity(), layer.prune_report({"first": slice(0, 1), "rest": slice(1, 4)})["rest"]["pruned"]
        (0.75, 1.0)

    Args:
        in_features: size of an input, at least 1.
        out_features: size of an output, at least 1.
        bias: whether there is b.
        noise: "local": independent noise for each sample and output, of the mean and variance that the random weights
            give it; "shared": one draw of all weights, kept until ``sample_weights()`` is called.
        log_sigma_init: initial log standard deviation; mu starts uniform in [-1, 1] / sqrt(in_features).
        generator: of the noise and the initial mu; None: torch's own.

    Raises:
        ValueError: a size is not an integer of at least 1, or the noise is unknown.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        noise: Literal["local", "shared"] = "local",
        log_sigma_init: float = -5.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        for name, size in (("in_features", in_features), ("out_features", out_features)):
            if not isinstance(size, int | np.integer) or size < 1:
                raise ValueError(f"{name} is {size!r}: expected an integer of at least 1")
        if noise not in ("local", "shared"):
            raise ValueError(f"noise is {noise!r}: expected 'local' or 'shared'")
        self.in_features, self.out_features, self.noise = in_features, out_features, noise
        self.generator = generator
        uniform = torch.rand(out_features, in_features, generator=generator)
        self.mu = nn.Parameter((2 * uniform - 1) / math.sqrt(in_features))
        """means [out, in]"""
        self.log_sigma = nn.Parameter(torch.full((out_features, in_features), log_sigma_init))
        """log standard deviations [out, in]"""
        self.bias = nn.Parameter(torch.zeros(out_features)) if bias else None
        self.register_buffer("epsilon", torch.zeros(out_features, in_features))
        self.epsilon: Tensor
        if noise == "shared":
            self.sample_weights()

    def sample_weights(self) -> None:
        """Draw the weights anew that "shared" noise uses, such as once an episode; gradients reach mu and sigma."""
        self.epsilon = torch.randn(self.mu.shape, generator=self.generator, dtype=self.mu.dtype)

    def log_alpha(self) -> Tensor:
        """log(sigma^2 / mu^2) [out, in], in [-10, 10]."""
        alpha: Tensor = log_alpha(self.mu, self.log_sigma)
        return alpha

    def kl(self) -> Tensor:
        """KL of the present weights from the log-uniform prior, summed over the layer; a tensor with a gradient."""
        alpha = self.log_alpha()
        # description_length.kl_per_weight, in torch's fused functions.
        priced = torch.sigmoid(torch.add(alpha.new_tensor(-K2), alpha, alpha=-K3)).sum()
        return K1 * priced + functional.softplus(-alpha).sum() / 2

    def effective_weights(self) -> Tensor:
        """The weights of evaluation mode [out, in]: mu, or 0 where pruned."""
        return self.mu * (self.log_alpha() < THRESHOLD)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs [..., out] of inputs [..., in]: noisy in training mode, pruned in evaluation mode."""
        if not self.training:
            return functional.linear(x, self.effective_weights(), self.bias)
        if self.noise == "shared":
            return functional.linear(x, self.mu + self.log_sigma.exp() * self.epsilon, self.bias)
        mean = functional.linear(x, self.mu, self.bias)
        std = (functional.linear(x * x, (2 * self.log_sigma).exp()) + _TINY).sqrt()
        return torch.addcmul(mean, std, torch.randn(mean.shape, generator=self.generator, dtype=mean.dtype))

    def sparsity(self) -> float:
        """Share of the weights with log alpha >= 3, in [0, 1]."""
        return float((self.log_alpha() >= THRESHOLD).float().mean())

    def prune_report(self, groups: Mapping[str, slice] | None = None) -> dict[str, GroupReport]:
        """The pruning of the weights of each group of inputs.

        Args:
            groups: name to slice of the inputs, its bounds within them; None: one group "all".

        Raises:
            ValueError: there is no group, or one is not a slice of the inputs.
        """
        groups = {"all": slice(None)} if groups is None else groups
        if not groups:
            raise ValueError("groups is empty: expected at least one, or None for all inputs")
        for name, where in groups.items():
            _check_group(name, where, self.in_features)
        with torch.no_grad():
            pruned = self.log_alpha() >= THRESHOLD
        report: dict[str, GroupReport] = {}
        for name, where in groups.items():
            mu, gone = self.mu.detach()[:, where], pruned[:, where]
            count = gone.numel()
            share, size = (float(gone.float().mean()), float(mu.abs().mean())) if count else (0.0, 0.0)
            report[name] = GroupReport(weights=count, pruned=share, mean_abs_mu=size)
        return report

    def extra_repr(self) -> str:
        """Sizes and kind of noise."""
        return f"in_features={self.in_features}, out_features={self.out_features}, noise={self.noise!r}"


def _check_group(name: str, where: object, inputs: int) -> None:
    if not isinstance(where, slice):
        raise ValueError(f"group {name!r} is {where!r}: expected a slice of the {inputs} inputs")
    if any(bound is not None and not -inputs <= bound <= inputs for bound in (where.start, where.stop)):
        raise ValueError(f"group {name!r} is {where}: expected bounds within the {inputs} inputs")
