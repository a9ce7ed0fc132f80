"""Glyphs as classes of images: distinct shapes, faces as exemplars, an encoder that is a projection, a cache."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from zoo_envs.icl.glyphs import collection, glyphs
from zoo_envs.icl.glyphs.collection import EXEMPLARS, Atlas, atlas
from zoo_envs.icl.glyphs.encoder import Encoder
from zoo_envs.icl.glyphs.render import characters, font_files, render
from zoo_envs.icl.glyphs.shapes import APART, distinct, turned
from zoo_envs.icl.task import ICLTask
from zoo_envs_plugin.options.icl import ICLExemplarsConfig

pytest.importorskip("matplotlib")
LETTERS = [ord(letter) for letter in "AFGHIOXbdpq+o"]


@pytest.fixture(scope="module")
def small() -> Iterator[Atlas]:
    """Of a few letters, in place of all of them."""
    images = render(font_files(), LETTERS, EXEMPLARS)
    classes = distinct(images[:, 0])
    generator = np.random.default_rng(0)
    found = Atlas(images, classes, Encoder.fitted(generator.integers(0, 255, (600, 28, 28)).astype(np.uint8)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo_envs.icl.glyphs.atlas", lambda: found)
        yield found


def distance(one: np.ndarray, other: np.ndarray) -> float:
    x, y = (picture.astype(np.float64) // 16 for picture in (one, other))
    return float(np.sqrt(((x - y) ** 2).sum() / (((x * x).sum() + (y * y).sum()) / 2)))


def test_shapes_are_apart_and_what_coincides_is_one(small: Atlas) -> None:
    pictures = [turned(small.images[character, 0], turn) for character, turn in small.classes]
    for index, picture in enumerate(pictures):
        assert all(distance(picture, other) >= APART for other in pictures[:index])
    every = [(character, turn) for turn in range(8) for character in range(len(LETTERS))]
    kept = set(map(tuple, small.classes.tolist()))
    for character, turn in every:
        if (character, turn) not in kept:
            picture = turned(small.images[character, 0], turn)
            assert min(distance(picture, other) for other in pictures) < APART
    turns = {letter: sum(LETTERS[character] == ord(letter) for character, _ in kept) for letter in map(chr, LETTERS)}
    assert turns["F"] == turns["G"] == 8 and turns["O"] == 2 and turns["+"] == 1
    assert turns["b"] + turns["d"] + turns["p"] + turns["q"] == 8  # turns of one shape
    assert turns["H"] <= 4 and turns["X"] <= 4


def test_turns_are_the_eight_of_a_square() -> None:
    picture = np.arange(28 * 28, dtype=np.int64).reshape(28, 28).astype(np.uint8)
    asymmetric = np.zeros((28, 28), np.uint8)
    asymmetric[0, 1] = 1
    assert len({turned(asymmetric, turn).tobytes() for turn in range(8)}) == 8
    assert np.array_equal(turned(turned(picture, 1), 3), picture)
    assert np.array_equal(turned(turned(picture, 4), 4), picture)


def test_exemplars_are_faces_of_one_character(small: Atlas) -> None:
    table = glyphs(5, 20, "raw", 1, np.random.default_rng(0))
    assert table.shape == (5, 20, 784) and table.dtype == np.float32 and 0.0 <= table.min() < table.max() <= 1.0
    again = glyphs(5, 3, "raw", 1, np.random.default_rng(0))
    assert np.array_equal(again, table[:, :3])  # fewer are the first
    assert len({row.tobytes() for row in table[0]}) == 20
    within = np.linalg.norm(table[:, :1] - table[:, 1:], axis=-1).mean()
    between = np.linalg.norm(table[:1, 0] - table[1:, 0], axis=-1).mean()
    assert within < between


def test_the_encoder_is_the_principal_components_of_its_responses() -> None:
    from zoo_envs.icl.glyphs.encoder import _responses

    pictures = np.random.default_rng(1).integers(0, 255, (700, 28, 28)).astype(np.uint8)
    encoder = Encoder.fitted(pictures)
    responses = _responses(pictures).astype(np.float64)
    _, singular, directions = np.linalg.svd(responses - responses.mean(0), full_matrices=False)
    np.testing.assert_allclose(encoder.variances, singular[:512] ** 2 / 700, rtol=1e-3)
    code = encoder.encode(pictures, 16).astype(np.float64)
    expected = (responses - responses.mean(0)) @ directions[:16].T
    expected /= np.sqrt((expected**2).mean())
    np.testing.assert_allclose(np.abs(code), np.abs(expected), atol=2e-2)
    assert np.isclose((code**2).mean(), 1.0, rtol=1e-3)
    one = np.zeros((1, 28, 28), np.uint8)
    one[0, 10:18, 4:9] = 255
    window = one[0].astype(np.float64) / 255
    rng = np.random.default_rng(0)
    filters = rng.standard_normal((25, 48), dtype=np.float32) / 5
    biases = rng.standard_normal(48, dtype=np.float32) / 4
    by_hand = [  # the first cell, filter by filter
        np.mean(
            [
                max(0.0, float((window[i : i + 5, j : j + 5].ravel() @ filters[:, f]) + biases[f]))
                for i in range(4)
                for j in range(4)
            ]
        )
        for f in range(48)
    ]
    np.testing.assert_allclose(_responses(one)[0, :48], by_hand, atol=1e-5)


def test_more_than_there_is_is_refused(small: Atlas) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=rf"glyphs have {len(small.classes)} classes, and class_split adds up to 999"):
        glyphs(999, 1, "raw", 1, rng)
    with pytest.raises(ValueError, match="glyphs have 20 exemplars, and exemplar_split adds up to 21"):
        glyphs(2, 21, "raw", 1, rng)
    with pytest.raises(ValueError, match="dim is 513: encoded glyphs have at most 512 numbers"):
        glyphs(2, 2, "encoded", 513, rng)


def test_they_are_a_source_of_the_task(small: Atlas) -> None:
    config = ICLExemplarsConfig(
        source="glyphs", dim=32, class_split=(10, 0, 5), exemplar_split=(12, 0, 8), seed=3, context=2
    )
    task = ICLTask(config)
    assert task.input_dim == 32
    batch = task.evaluation_batch("new_class", 50, np.random.default_rng(0))
    assert batch.x.shape == (50, 3, 32) and np.isfinite(batch.x).all()
    raw = ICLTask(ICLExemplarsConfig(source="glyphs-raw", class_split=(10, 0, 5)))
    assert raw.input_dim == 784


def test_the_cache_is_read_and_a_damaged_one_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Atlas(
        np.zeros((2, 20, 28, 28), np.uint8), np.zeros((3, 2), np.int64),
        Encoder(np.zeros(4, np.float32), np.zeros((4, 2), np.float32), np.ones(2)),
    )  # fmt: skip
    calls: list[object] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(collection, "_made", lambda files: calls.append(files) or made)
    for expected in (1, 1):
        atlas.cache_clear()
        assert atlas().classes.shape == (3, 2) and len(calls) == expected
    (file,) = (tmp_path / "zoo").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    atlas.cache_clear()
    assert atlas().encoder.variances.tolist() == [1.0, 1.0] and len(calls) == 2
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))  # a file, in which there is no room
    atlas.cache_clear()
    assert atlas().images.shape == (2, 20, 28, 28) and len(calls) == 3
    atlas.cache_clear()


@pytest.mark.slow
def test_there_are_thousands_of_classes() -> None:
    codes = characters(font_files())
    found = atlas()
    assert found.images.shape == (len(codes), EXEMPLARS, 28, 28) and len(codes) > 1500
    assert len(found.classes) > 5000
