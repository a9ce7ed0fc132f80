"""The film of a circuit: one frame for each time, of the heads that matter in the end."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from zoo_icl.animation import Frame, animate, main_heads

from zoo import UsageError


def frame(sequences, *, formed):
    """Two blocks of three heads: head 2 of the first looks one back, head 1 of the second at the right label."""
    even = np.tril(np.ones((5, 5))) / np.arange(1, 6)[:, None]
    first, second = np.stack([even] * 3), np.stack([even] * 3)
    if formed:
        first[2] = np.eye(5, k=-1)
        first[2, 0, 0] = 1.0
        second[1, -1] = [0.0, 1.0, 0.0, 0.0, 0.0]
    return Frame(sequences, 0.1 if formed else 0.7, [first, second])


def test_a_frame_for_each_time(tmp_path):
    frames = [frame(0, formed=False), frame(500, formed=False), frame(1000, formed=True)]
    assert main_heads(frames[-1]) == [2, 1]
    animate(frames, tmp_path / "circuit.gif")
    with Image.open(tmp_path / "circuit.gif") as image:
        assert image.n_frames == 3
        shown = []
        for index in range(3):
            image.seek(index)
            shown.append(np.asarray(image.convert("RGB"), dtype=int))
    assert np.abs(shown[2] - shown[0]).max() > 50  # the circuit is there


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"ends in \.gif"):
        animate([frame(0, formed=True)], tmp_path / "circuit.png")
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        animate([frame(0, formed=True)], tmp_path / "nowhere" / "circuit.gif")
    undefined = Frame(0, 0.7, [np.full((1, 5, 5), np.nan)])
    with pytest.raises(UsageError, match="expected more sequences"):
        animate([undefined], tmp_path / "circuit.gif")
