"""Labels, exemplars, evaluation sets and refusals of the in-context-learning task."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.icl.batch import BURSTY, DISTRACTOR, OTHER, QUERY, SequenceBatch
from zoo_envs.icl.labels import split_pairs
from zoo_envs.icl.task import ICLTask
from zoo_envs_plugin.options.icl import ICLExemplarsConfig

SHARED: dict[str, Any] = {"labels": "mod", "num_labels": 4, "class_split": (12, 0, 5), "dim": 3}


def task(**options: Any) -> ICLTask:
    return ICLTask(ICLExemplarsConfig(**options))


def drawn(task: ICLTask, name: str = "", size: int = 400, seed: int = 0) -> SequenceBatch:
    rng = np.random.default_rng(seed)
    return task.evaluation_batch(name, size, rng) if name else task.sample_batch(size, rng)


def pairs_of(batch: SequenceBatch) -> set[frozenset[int]]:
    """Which two labels stand in each context."""
    return {frozenset(row) for row in batch.y[:, :-1].tolist()}


def test_shapes_and_dtypes() -> None:
    batch = drawn(task(context=4, burstiness=2, dim=7), size=5)
    assert len(batch) == 5
    assert batch.x.shape == (5, 5, 7) and batch.x.dtype == np.float32
    for array in (batch.y, batch.classes, batch.exemplars):
        assert array.shape == (5, 5) and array.dtype == np.int64
    assert batch.kinds.dtype == np.int8


def test_relabelled_pairs_are_new_in_every_sequence_and_held_out_pairs_are_never_trained() -> None:
    made = task()
    trained, held_out = pairs_of(drawn(made, size=2000)), pairs_of(drawn(made, "relabel_val", 2000))
    assert (len(trained), len(held_out)) == (8, 2)
    assert trained | held_out == {frozenset(pair) for pair in itertools.combinations(range(5), 2)}
    batch = drawn(made, size=20_000)
    right = batch.y[np.arange(20_000), np.argmax(batch.kinds == BURSTY, axis=1)]
    assert (right == batch.y[:, -1]).all()
    assert (batch.y[:, 0] != batch.y[:, 1]).all()
    counts = np.array([((batch.y[:, -1] == first).sum()) for first in range(5)])
    uses = np.array([sum(label in pair for pair in trained) for label in range(5)])
    assert (np.abs(counts - 20_000 * uses / 16) < 6 * np.sqrt(20_000)).all()


@settings(deadline=None, max_examples=30)
@given(L=st.integers(2, 9), share=st.floats(0.3, 1), seed=st.integers(0, 1000))
def test_pairs_are_split_without_loss_and_every_label_is_trained(L: int, share: float, seed: int) -> None:
    total = L * (L - 1) // 2
    train = max(int(share * total), L // 2 + L % 2 + 1) if L > 2 else 1
    train = min(train, total)
    parts = split_pairs(
        L, (train, (total - train) // 2, total - train - (total - train) // 2), np.random.default_rng(seed)
    )
    everything = [tuple(pair) for part in parts for pair in part.tolist()]
    assert sorted(everything) == list(itertools.combinations(range(L), 2))
    assert len(parts[0]) == train and set(parts[0].ravel().tolist()) == set(range(L))


def test_fixed_labels_are_the_classes() -> None:
    batch = drawn(task(labels="fixed", class_split=(9, 0, 0)))
    np.testing.assert_array_equal(batch.y, batch.classes)
    shared = drawn(task(**SHARED))
    np.testing.assert_array_equal(shared.y, shared.classes % 4)


def test_flip_swaps_two_fixed_labels_and_the_query_follows_the_context() -> None:
    batch = drawn(task(**SHARED, context=4, burstiness=1), "flip")
    assert (np.sort(batch.kinds[:, :-1]) == [BURSTY, BURSTY, DISTRACTOR, DISTRACTOR]).all()
    for classes, labels, kinds in zip(batch.classes, batch.y, batch.kinds, strict=True):
        query, other = classes[-1], classes[np.flatnonzero(kinds == DISTRACTOR)[0]]
        assert query != other
        assert (labels[kinds == BURSTY] == other % 4).all()
        assert (labels[kinds == DISTRACTOR] == query % 4).all()
        assert labels[-1] == other % 4


def test_icl_calls_two_classes_zero_and_one() -> None:
    made = task(**SHARED, context=4, burstiness=1)
    for name, low, high in (("icl", 0, 12), ("icl_new_class", 12, 17)):
        batch = drawn(made, name)
        assert batch.classes.min() == low and batch.classes.max() == high - 1
        assert (batch.y[:, :-1].sum(1) == 2).all() and set(batch.y.ravel()) == {0, 1}
        first = np.take_along_axis(batch.y, np.argmax(batch.kinds == BURSTY, axis=1)[:, None], 1)[:, 0]
        np.testing.assert_array_equal(first, batch.y[:, -1])
        assert 0.4 < batch.y[:, -1].mean() < 0.6


def test_in_weights_sets_hold_distinct_classes_without_the_query() -> None:
    made = task(**SHARED, context=4, burstiness=1)
    plain, forced = drawn(made, "iwl"), drawn(made, "ciwl")
    for batch in (plain, forced):
        assert all(len(set(row)) == 5 for row in batch.classes.tolist())
        assert (batch.kinds[:, :-1] == OTHER).all() and (batch.kinds[:, -1] == QUERY).all()
        np.testing.assert_array_equal(batch.y[:, -1], batch.classes[:, -1] % 4)
    np.testing.assert_array_equal(plain.y, plain.classes % 4)
    changed = forced.y[:, :-1] != forced.classes[:, :-1] % 4
    assert (changed.sum(1) <= 1).all()
    assert (forced.y[:, :-1] == forced.y[:, -1:]).any(1).all()
    share = changed.mean(0)  # the slot is uniform: each is overwritten, and by another label, about equally often
    assert share.min() > 0.1 and share.max() < 0.25


def test_exemplars_come_from_their_split_and_classes_from_theirs() -> None:
    made = task(class_split=(6, 2, 3), exemplar_split=(4, 1, 2), sigma_w=0.5)
    train, exemplar, classes = drawn(made), drawn(made, "new_exemplar"), drawn(made, "new_class")
    assert set(train.exemplars.ravel()) == set(range(4)) and set(train.classes.ravel()) == set(range(6))
    assert set(exemplar.exemplars.ravel()) == {5, 6} and set(exemplar.classes.ravel()) == set(range(6))
    assert set(classes.classes.ravel()) == {8, 9, 10} and set(classes.exemplars.ravel()) == set(range(4))
    validation = task(class_split=(6, 2, 0))
    assert set(drawn(validation, "new_class").classes.ravel()) == {6, 7}


def test_a_class_may_show_one_exemplar_throughout() -> None:
    made = task(**SHARED, context=6, burstiness=2, exemplar_split=(5, 0, 0), match_query_and_distractors=True)
    batch = drawn(made)
    for exemplars, kinds in zip(batch.exemplars, batch.kinds, strict=True):
        assert len(set(exemplars[(kinds == BURSTY) | (kinds == QUERY)])) == 1
        assert len(set(exemplars[kinds == DISTRACTOR])) == 1
    distractor = np.take_along_axis(batch.exemplars, np.argmax(batch.kinds == DISTRACTOR, axis=1)[:, None], 1)[:, 0]
    assert 0.1 < (distractor == batch.exemplars[:, -1]).mean() < 0.3  # drawn independently: one in five
    free = drawn(task(**SHARED, context=6, burstiness=2, exemplar_split=(5, 0, 0)))
    assert len(set(free.exemplars[0])) > 2


def test_normal_exemplars_have_the_stated_variances() -> None:
    made = task(class_split=(400, 0, 0), exemplar_split=(10, 0, 0), dim=20, sigma_w=0.5)
    table = made.train.features.astype(np.float64)
    within = table - table.mean(1, keepdims=True)
    assert np.sqrt((within**2).sum() / (400 * 9 * 20)) == pytest.approx(0.5, rel=0.02)
    assert table.var() == pytest.approx(1.25, rel=0.05)


def test_noise_is_fresh_in_every_slot() -> None:
    quiet, noisy = task(noise=0.0), task(noise=0.3)
    clean, batch = drawn(quiet), drawn(noisy)
    np.testing.assert_array_equal(clean.x, quiet.train.features[clean.classes, clean.exemplars])
    noise = batch.x - noisy.train.features[batch.classes, batch.exemplars]
    assert noise.std() == pytest.approx(0.3, rel=0.02)
    correlation = np.corrcoef(noise[:, 0].ravel(), noise[:, 1].ravel())[0, 1]
    assert abs(correlation) < 0.05


def test_a_mixture_leaves_some_sequences_without_copies() -> None:
    batch = drawn(task(**SHARED, p_bursty=0.75), size=8000)
    bursty = (batch.kinds == BURSTY).any(1)
    assert bursty.mean() == pytest.approx(0.75, abs=5 * np.sqrt(0.75 * 0.25 / 8000))
    plain = batch.classes[~bursty]
    assert (batch.kinds[~bursty, :-1] == OTHER).all()
    repeated = (plain[:, :-1] == plain[:, -1:]).any(1).mean()  # each slot is the query's class in one of 12
    assert repeated == pytest.approx(1 - (11 / 12) ** 2, abs=0.04)


def test_training_is_skewed_and_evaluation_is_uniform() -> None:
    made = task(**SHARED, zipf_alpha=1.0)
    p = 1 / np.arange(1, 13)
    trained = np.bincount(drawn(made, size=8000).classes[:, -1], minlength=12) / 8000
    looked = np.bincount(drawn(made, "train", 8000).classes[:, -1], minlength=12) / 8000
    np.testing.assert_allclose(trained, p / p.sum(), atol=0.025)
    np.testing.assert_allclose(looked, np.full(12, 1 / 12), atol=0.02)


def test_other_sources(tmp_path: Path) -> None:
    made = task(source="onehot", class_split=(6, 0, 2))
    assert made.input_dim == 8
    batch = drawn(made)
    np.testing.assert_array_equal(batch.x.argmax(-1), batch.classes)
    assert (batch.x.sum(-1) == 1).all()
    features = np.arange(4 * 3 * 2, dtype=np.float64).reshape(4, 3, 2)
    np.savez(tmp_path / "f.npz", features=features)
    split: dict[str, Any] = {"class_split": (3, 0, 1), "exemplar_split": (2, 0, 1)}
    read = task(source="file", path=str(tmp_path / "f.npz"), **split)
    assert read.input_dim == 2
    batch = drawn(read)
    np.testing.assert_array_equal(batch.x, features[batch.classes, batch.exemplars].astype(np.float32))
    for name, value, words in (
        ("other", features, "has no entry 'features'"),
        ("features", features[0], r"\[C,E,D\], got float64 of shape \(3, 2\)"),
        ("features", features * np.nan, "must be finite"),
    ):
        arrays: dict[str, Any] = {name: value}
        np.savez(tmp_path / "bad.npz", **arrays)
        with pytest.raises(ValueError, match=words):
            task(source="file", path=str(tmp_path / "bad.npz"), **split)
    (tmp_path / "bad.npz").write_text("no archive")
    with pytest.raises(ValueError, match=r"is not an \.npz file$"):
        task(source="file", path=str(tmp_path / "bad.npz"), **split)
    with pytest.raises(ValueError, match=r"none\.npz cannot be read: No such file"):
        task(source="file", path=str(tmp_path / "none.npz"), **split)
    with pytest.raises(ValueError, match="needs path"):
        task(source="file", **split)
    with pytest.raises(ValueError, match=r"class_split \(3, 0, 0\) adds up to 3: the features have 4"):
        task(source="file", path=str(tmp_path / "f.npz"), **(split | {"class_split": (3, 0, 0)}))


def test_the_instance_decides_exemplars_and_pairs() -> None:
    one, same, other = task(seed=3), task(seed=3), task(seed=4)
    np.testing.assert_array_equal(one.train.features, same.train.features)
    assert (one.train.features != other.train.features).any()
    np.testing.assert_array_equal(drawn(one).y, drawn(same).y)


def test_which_sets_there_are() -> None:
    assert task().evaluation_names == ("train", "relabel_val", "new_class", "icl", "icl_new_class")
    assert task(**SHARED).evaluation_names == ("train", "new_class", "icl", "icl_new_class", "flip", "iwl", "ciwl")
    fixed = task(labels="fixed", class_split=(9, 0, 3), exemplar_split=(2, 0, 1), context=3)
    assert fixed.evaluation_names == ("train", "new_exemplar", "iwl", "ciwl")


@pytest.mark.parametrize(
    ("options", "name", "words"),
    [
        ({"class_split": (50, 0, 0)}, "new_class", "new_class has no classes"),
        ({}, "new_exemplar", "new_exemplar has no exemplars"),
        ({"pair_split": (10, 0, 0)}, "relabel_val", "held-out pairs"),
        ({}, "flip", "no labels of their own"),
        ({"labels": "fixed"}, "new_class", "no label where"),
        ({**SHARED, "context": 3}, "icl", "cannot share a context of 3 slots"),
        ({**SHARED, "context": 12}, "iwl", "iwl has 12 classes: .* needs at least 13"),
        ({}, "relable_val", "did you mean 'relabel_val'"),
        ({}, "x", "expected one of train, relabel_val"),
    ],
)
def test_sets_that_cannot_be_drawn_say_why(options: dict[str, Any], name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        task(**options).evaluation_batch(name, 3, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"burstiness": 2}, "2 x burstiness = 4 slots do not fit into a context of 2"),
        ({"class_split": (1, 0, 0)}, "training has 1 classes: .* needs at least 2"),
        ({"class_split": (0, 0, 9)}, "class_split must be three numbers"),
        ({"exemplar_split": (1, -1, 0)}, "exemplar_split must be three numbers"),
        ({"pair_split": (8, 3, 0)}, r"pair_split \(8, 3, 0\) adds up to 11: 5 labels have 10 pairs"),
        ({"pair_split": (2, 8, 0)}, "2 training pairs do not hold all 5 labels"),
        ({"num_labels": 1}, "num_labels must be at least 2 to relabel, got 1"),
        ({"num_outputs": 4}, "5 labels are in use, and num_outputs is 4"),
        ({"p_bursty": 0.5}, "up to 49, and num_outputs is 5"),
        ({"p_bursty": 1.5}, r"p_bursty must be a number in \[0, 1\]"),
        ({"context": 0}, "context must be an integer of at least 1"),
        ({"noise": -1.0}, "noise must be"),
        ({"zipf_alpha": -1.0}, "zipf_alpha must be"),
        ({"source": "onehot", "exemplar_split": (2, 0, 0)}, "1 exemplar for each class, and .* adds up to 2"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_options_that_do_not_fit_are_refused_with_their_numbers(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        task(**options)


def test_relabelling_may_keep_classes_as_labels_where_outputs_allow_it() -> None:
    batch = drawn(task(class_split=(9, 0, 0), context=3, num_outputs=9))
    other = batch.kinds == OTHER
    np.testing.assert_array_equal(batch.y[other], batch.classes[other])
    assert batch.y[:, -1].max() < 5
