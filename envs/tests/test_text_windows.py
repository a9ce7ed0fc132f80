"""Windows, and reading many of them as few sequences."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.text.windows import appended, reading, window

D, NOTHING = 6, 3
TEXTS = st.lists(st.lists(st.integers(0, NOTHING - 1), min_size=1, max_size=D), min_size=1, max_size=30)


@settings(max_examples=100, deadline=None)
@given(texts=TEXTS, at_once=st.integers(1, 8))
def test_every_window_is_the_beginning_of_a_sequence_and_no_sequence_of_another(
    texts: list[list[int]], at_once: int
) -> None:
    read = reading(np.stack([window(text, D, NOTHING) for text in texts]), NOTHING, at_once)
    assert all(len(part) <= at_once for part in read.parts)
    starts = np.cumsum([0, *(part.size for part in read.parts)])
    for text, place in zip(texts, read.place.tolist(), strict=True):
        which = int(np.searchsorted(starts, place, side="right")) - 1
        row, last = divmod(place - int(starts[which]), read.parts[which].shape[1])
        assert read.parts[which][row, : last + 1].tolist() == text
    # As few as there can be: the texts that are no proper beginning of another, each once.
    longest = {tuple(text) for text in texts}
    longest -= {one for one in longest for other in longest if one != other and other[: len(one)] == one}
    assert sum(len(part) for part in read.parts) == len(longest)


def test_a_window_keeps_the_last_tokens_and_grows_at_its_right_end() -> None:
    assert window([1, 2], 4, 9).tolist() == [9, 9, 1, 2]
    assert window([1, 2, 3, 4, 5], 4, 9).tolist() == [2, 3, 4, 5]
    grown = appended(np.array([[9, 9, 1], [9, 2, 3]]), np.array([4, 5]))
    assert grown.tolist() == [[9, 1, 4], [2, 3, 5]]
