"""The networks of lambda-ac on n states: an actor with a memory, and a critic without."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_successor.deep.head import LambdaHead

Memory = tuple[Tensor, Tensor]
"""hidden state and cell of the LSTM, each [B, units]"""


class RecurrentActor(nn.Module):
    """One-hot states through an LSTM to action preferences."""

    def __init__(self, states: int, actions: int, units: int) -> None:
        super().__init__()
        self.states = states
        self.cell = nn.LSTMCell(states, units)
        self.policy = nn.Linear(units, actions)

    def forward(self, state: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """Log probabilities [B, A] in the states int64[B], and the memory after them."""
        inputs = nn.functional.one_hot(state, self.states).to(memory[0].dtype)
        memory = self.cell(inputs, memory)
        return self.policy(memory[0]).log_softmax(-1), memory

    def empty_memory(self, batch: int) -> Memory:
        """The memory at the start of B episodes, on the actor's device."""
        zeros = self.policy.weight.new_zeros(batch, self.cell.hidden_size)
        return zeros, zeros


class LambdaFeatureCritic(nn.Module):
    """The value and the n lambda features of a state, from shared hidden units."""

    def __init__(self, states: int, hidden: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Embedding(states, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.value = nn.Linear(hidden, 1)
        self.head = LambdaHead(None, hidden, states)

    def forward(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """V [...] and f [..., n] of the states int64[...]."""
        hidden = self.encoder(state)
        return self.value(hidden).squeeze(-1), self.head(hidden)


def keep(memory: Memory, kept: Tensor) -> Memory:
    """The memory with the rows where ``kept`` (bool[B]) is false emptied."""
    factor = kept.to(memory[0].dtype).unsqueeze(1)
    return memory[0] * factor, memory[1] * factor


def detached(memory: Memory) -> Memory:
    """The memory without the graph that made it."""
    return memory[0].detach(), memory[1].detach()


def stacked(memory: Memory) -> Tensor:
    """Both parts as one array [2, B, units] on the CPU."""
    return torch.stack(detached(memory)).cpu()
