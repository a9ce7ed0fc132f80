"""Requests that a model of another library cannot answer, as one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray


def check_context(name: str, longest: int | None, tokens: NDArray[np.int64]) -> None:
    """Refuse tokens ``[B, T]`` that are longer than a model's context.

    Raises:
        ValueError: T is above ``longest``; None: nothing is known.
    """
    if longest is not None and tokens.shape[1] > longest:
        raise ValueError(f"{tokens.shape[1]} tokens are more than the context of {name}: expected at most {longest}.")


@contextmanager
def foreign_errors(name: str) -> Iterator[None]:
    """Whatever the model called ``name`` raises inside, as a ValueError that names it.

    Raises:
        ValueError: in place of any error.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except Exception as error:  # of another library: it may be anything
        first = (str(error).strip().splitlines() or ["no message"])[0]
        raise ValueError(f"{name} failed on sequences of tokens: {type(error).__name__}: {first}") from error
