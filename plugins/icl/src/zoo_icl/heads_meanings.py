"""The scores of heads of language models, in words; imports nothing heavy."""

from __future__ import annotations

MEANINGS = {
    "prefix": "prefix matching: attention to the token that followed an earlier copy of this one",
    "copying": "copying: rank among all tokens of the one that the head attends to, 1 first, -1 last",
    "previous": "attention to the token before",
    "duplicate": "attention to an earlier copy of this token",
    "loss": "in-context-learning loss: nats that predictable tokens lose without the head",
}
