"""Options of the in-context-learning task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["ICLExemplarsConfig"]


@dataclass(frozen=True, kw_only=True)
class ICLExemplarsConfig:
    """Options of ``zoo/ICLExemplars-v0``. A split is (train, val, test), contiguous and in that order."""

    source: Literal["gaussian", "onehot", "file", "glyphs", "glyphs-raw"] = "gaussian"
    """exemplars: normal around a normal mean for each class, unit vectors, "features" [C,E,D] of an .npz file, or
    characters of 12 faces, turned and flipped, through a fixed encoder or as 28 x 28 pixels"""
    path: str = field(default="", metadata={"file": True})
    """the file of source "file" """
    class_split: tuple[int, int, int] = (50, 0, 100)
    """numbers of classes in the split"""
    exemplar_split: tuple[int, int, int] = (1, 0, 0)
    """numbers of exemplars of each class in the split"""
    dim: int = 64
    """dimension D of source "gaussian", at least 1, and of "glyphs", at most 512"""
    sigma_w: float = 0.2
    """standard deviation within a class of source "gaussian", where a class has more than one exemplar"""
    noise: float = 0.0
    """standard deviation of normal noise that is fresh in every slot, at least 0"""
    seed: int = 1
    """which random exemplars and pairs of labels are drawn (not the seed of the sequences), at least 0"""
    context: int = 2
    """labelled slots N before the query, at least 1"""
    burstiness: int = 1
    """copies B of the query's class among them, at least 0"""
    p_bursty: float = 1.0
    """share of sequences with these copies; the others are drawn with B = 0"""
    distractor: bool = True
    """whether one other class has B copies too"""
    no_support: bool = False
    """whether the remaining slots avoid the query's class and the distractor's"""
    unique_rest: bool = False
    """whether the remaining slots hold distinct classes, neither of those two among them"""
    zipf_alpha: float = 0.0
    """training classes have p(rank r) proportional to r^-alpha; evaluation is uniform"""
    match_query_and_distractors: bool = False
    """whether all slots of the query's class, the query included, show one exemplar, and the distractor's another"""
    labels: Literal["relabel", "fixed", "mod"] = "relabel"
    """a label is one of a random pair for each sequence; the index of the class; that index modulo num_labels"""
    num_labels: int = 5
    """labels L of "relabel" (at least 2) and "mod" (at least 1)"""
    num_outputs: int | None = None
    """labels K that an answer may have, at least those in use; None: just those"""
    pair_split: tuple[int, int, int] = (8, 2, 0)
    """numbers of the L(L-1)/2 pairs of labels of "relabel" in the split"""
