"""The data of in-context learning: training sequences and evaluation sets (docs/methods/icl.md, section 1)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from zoo_envs_plugin.options.icl import ICLExemplarsConfig

from zoo_envs.icl import features
from zoo_envs.icl.batch import SequenceBatch
from zoo_envs.icl.labels import Assigned, Fixed, Flip, Labels, Relabel, split_pairs
from zoo_envs.icl.sampler import Sampler
from zoo_envs.icl.sequence_spec import SequenceSpec
from zoo_envs.validation import integer, real

__all__ = ["ICLTask"]

_ZERO_ONE = Relabel(np.array([[0, 1]], dtype=np.int64))
_FEATURES, _PAIRS = 0, 1  # children of the instance's seed


class ICLTask:
    """Training sequences and evaluation sets of one configuration.

    Attributes:
        config: the options.
        context: N, labelled slots before the query.
        input_dim: D.
        num_labels: K, how many labels a model must tell apart.
        train: how training sequences are drawn.
        evaluations: how evaluation sequences are drawn, by name. "train": as training, classes uniform.
            "relabel_val": pairs of labels never trained. "new_exemplar", "new_class": held-out exemplars or classes.
            "icl", "icl_new_class": two classes fill the context and are called 0 and 1. "flip": their fixed labels are
            swapped. "iwl": distinct classes, not the query's, fixed labels. "ciwl": the same, with the query's label
            put on one slot.
    """

    def __init__(self, config: ICLExemplarsConfig) -> None:
        """Draw features and pairs of labels from ``config.seed``.

        Raises:
            ValueError: an option is out of range, or options do not fit together; with the numbers.
        """
        self.config = config
        seeds = np.random.SeedSequence(integer("seed", config.seed, 0)).spawn(2)
        table = _features(config, np.random.default_rng(seeds[_FEATURES]))
        self.context, self.input_dim = config.context, int(table.shape[2])
        self._fixed = Fixed(integer("num_labels", config.num_labels, 1) if config.labels == "mod" else None)
        labels: Labels = self._fixed
        self._held_out: NDArray[np.int64] = np.empty((0, 2), dtype=np.int64)
        if config.labels == "relabel":
            pairs, self._held_out, _ = split_pairs(
                config.num_labels, config.pair_split, np.random.default_rng(seeds[_PAIRS])
            )
            labels = Relabel(pairs)
        used = config.class_split[0] if config.labels == "fixed" else config.num_labels
        self.num_labels = used if config.num_outputs is None else integer("num_outputs", config.num_outputs, 1)
        if used > self.num_labels:
            raise ValueError(
                f"{used} labels are in use, and num_outputs is {self.num_labels}: expected at least {used}"
            )
        self.train = self._training(table, labels)
        self._check_class_labels()
        self.evaluations, self._missing = self._evaluations()
        self._draw = {name: recipe.sampler() for name, recipe in self.evaluations.items()}
        self._draw_training = self.train.sampler()

    @property
    def evaluation_names(self) -> tuple[str, ...]:
        """Names of the evaluation sets that this configuration has."""
        return tuple(self.evaluations)

    def sample_batch(self, size: int, rng: np.random.Generator) -> SequenceBatch:
        """Return `size` training sequences."""
        return self._draw_training(size, rng)

    def evaluation_batch(self, name: str, size: int, rng: np.random.Generator) -> SequenceBatch:
        """Return `size` sequences of the evaluation set `name`.

        Raises:
            ValueError: there is no such set, or this configuration cannot have it; with the reason.
        """
        if name in self._missing:
            raise ValueError(f"evaluation set {name!r} cannot be drawn: {self._missing[name]}")
        if name not in self._draw:
            near = difflib.get_close_matches(name, self.evaluation_names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f": expected one of {', '.join(self.evaluation_names)}"
            raise ValueError(f"there is no evaluation set {name!r}{hint}")
        return self._draw[name](size, rng)

    def _training(self, table: NDArray[np.float32], labels: Labels) -> SequenceSpec:
        config = self.config
        chance = real("p_bursty", config.p_bursty, 0, 1)
        bursty = Sampler(
            context=integer("context", config.context, 1),
            burstiness=integer("burstiness", config.burstiness, 0),
            distractor=config.distractor,
            no_support=config.no_support,
            unique_rest=config.unique_rest,
        )
        mixture = {bursty: chance, replace(bursty, burstiness=0): 1 - chance}
        mixture = {sampler: p for sampler, p in mixture.items() if p > 0} if bursty.burstiness else {bursty: 1.0}
        return SequenceSpec(
            features=table,
            classes=_share("class_split", config.class_split, table.shape[0])[0],
            exemplars=_share("exemplar_split", config.exemplar_split, table.shape[1])[0],
            samplers=tuple(mixture),
            probabilities=tuple(mixture.values()),
            labels=labels,
            zipf_alpha=real("zipf_alpha", config.zipf_alpha, 0),
            match=config.match_query_and_distractors,
            noise=real("noise", config.noise, 0),
        )

    def _check_class_labels(self) -> None:
        """Under relabelling a slot of kind OTHER is labelled by its class, which must be an output."""
        largest = self.train.classes[1] - 1
        other = any(sampler.rest for sampler in self.train.samplers)
        if self.config.labels == "relabel" and other and largest >= self.num_labels:
            raise ValueError(
                f"slots beside query and distractor keep their class as label, up to {largest}, and num_outputs is "
                f"{self.num_labels}: raise it, or fill the context (context = 2 x burstiness, p_bursty = 1)"
            )

    def _evaluations(self) -> tuple[dict[str, SequenceSpec], dict[str, str]]:
        """Return the specs of the evaluation sets by name, and for each missing one the reason."""
        specs: dict[str, SequenceSpec] = {}
        missing: dict[str, str] = {}
        makers: dict[str, Callable[[], SequenceSpec]] = {
            "train": lambda: self._as_training("train"),
            "relabel_val": self._relabel_val,
            "new_exemplar": self._new_exemplar,
            "new_class": self._new_class,
            "icl": lambda: self._icl("icl", self.train.classes),
            "icl_new_class": lambda: self._icl("icl_new_class", self._other_classes()),
            "flip": self._flip,
            "iwl": lambda: self._in_weights("iwl", self._fixed),
            "ciwl": lambda: self._in_weights("ciwl", Assigned(self._fixed)),
        }
        for name, make in makers.items():
            try:
                specs[name] = make()
            except ValueError as reason:
                missing[name] = str(reason)
        return specs, missing

    def _as_training(self, name: str) -> SequenceSpec:
        return replace(self.train, zipf_alpha=0.0, name=name)

    def _relabel_val(self) -> SequenceSpec:
        if not len(self._held_out):
            raise ValueError("it needs held-out pairs of labels (labels relabel, pair_split)")
        return replace(self._as_training("relabel_val"), labels=Relabel(self._held_out))

    def _new_exemplar(self) -> SequenceSpec:
        shares = _share("exemplar_split", self.config.exemplar_split, self.train.features.shape[1])
        return replace(self._as_training("new_exemplar"), exemplars=_held_out(shares))

    def _other_classes(self) -> tuple[int, int]:
        return _held_out(_share("class_split", self.config.class_split, self.train.features.shape[0]))

    def _new_class(self) -> SequenceSpec:
        if self.config.labels == "fixed":
            raise ValueError("a held-out class has no label where the label is the index of a training class")
        recipe = replace(self._as_training("new_class"), classes=self._other_classes())
        if self.config.labels == "relabel" and any(sampler.rest for sampler in recipe.samplers):
            raise ValueError("slots beside query and distractor would keep the index of a held-out class as label")
        return recipe

    def _two_classes(self, name: str) -> SequenceSpec:
        if self.context % 2:
            raise ValueError(f"two classes cannot share a context of {self.context} slots equally")
        half = Sampler(context=self.context, burstiness=self.context // 2)
        return replace(self._as_training(name), samplers=(half,), probabilities=(1.0,))

    def _icl(self, name: str, classes: tuple[int, int]) -> SequenceSpec:
        if self.num_labels < 2:
            raise ValueError(f"it needs the labels 0 and 1, and there is {self.num_labels} output")
        return replace(self._two_classes(name), classes=classes, labels=_ZERO_ONE)

    def _flip(self) -> SequenceSpec:
        self._require_fixed_labels()
        return replace(self._two_classes("flip"), labels=Flip(self._fixed))

    def _in_weights(self, name: str, labels: Labels) -> SequenceSpec:
        self._require_fixed_labels()
        distinct = Sampler(context=self.context, burstiness=0, no_support=True, unique_rest=True)
        return replace(self._as_training(name), samplers=(distinct,), probabilities=(1.0,), labels=labels)

    def _require_fixed_labels(self) -> None:
        if self.config.labels == "relabel":
            raise ValueError("classes have no labels of their own under labels relabel")


def _features(config: ICLExemplarsConfig, rng: np.random.Generator) -> NDArray[np.float32]:
    if config.source == "file":
        return features.from_file(config.path)
    for name in ("class_split", "exemplar_split"):
        _check_split(name, getattr(config, name))
    classes, exemplars = sum(config.class_split), sum(config.exemplar_split)
    if config.source in ("glyphs", "glyphs-raw"):
        from zoo_envs.icl.glyphs import glyphs  # the only source that reads fonts

        form: Literal["encoded", "raw"] = "encoded" if config.source == "glyphs" else "raw"
        return glyphs(classes, exemplars, form, integer("dim", config.dim, 1), rng)
    if config.source == "gaussian":
        dim, sigma_w = integer("dim", config.dim, 1), real("sigma_w", config.sigma_w, 0)
        return features.gaussian(classes, exemplars, dim, sigma_w, rng)
    if exemplars != 1:
        raise ValueError(f'source "onehot" has 1 exemplar for each class, and exemplar_split adds up to {exemplars}')
    return features.onehot(classes)


def _check_split(name: str, split: Sequence[int]) -> None:
    if len(split) != 3 or min(split) < 0 or split[0] < 1:
        raise ValueError(f"{name} must be three numbers (train, val, test), the first at least 1, got {tuple(split)}")


def _share(name: str, split: Sequence[int], total: int) -> list[tuple[int, int]]:
    """Return (first, end) of train, val and test, which follow each other."""
    _check_split(name, split)
    if sum(split) != total:
        raise ValueError(f"{name} {tuple(split)} adds up to {sum(split)}: the features have {total}")
    ends = np.cumsum(split).tolist()
    return list(zip([0, *ends], ends, strict=False))


def _held_out(shares: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the test share, or where that is empty the validation share."""
    _, val, test = shares
    return test if test[1] > test[0] else val
