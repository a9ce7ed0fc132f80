"""What is searched, from types, values and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pytest
from zoo_tune.space import Choices, Range, chosen_options, make_space

from zoo import UsageError


@dataclass(frozen=True, kw_only=True)
class Inner:
    gain: float = 0.5
    layers: tuple[int, ...] = (64, 64)


@dataclass(frozen=True, kw_only=True)
class Config:
    inner: Inner = field(default_factory=Inner)
    rate: float | tuple[float, float] = (0.001, 0.0001)
    steps: int = 128
    gamma: float = 0.99
    bold: bool = True
    form: Literal["a", "b"] = "a"
    unset: float | None = None
    zero: float = 0.0
    name: str = "x"
    strict: float = 0.2

    def __post_init__(self) -> None:
        if self.gamma > 1 or self.strict > 0.3:
            raise ValueError("out of range")


@dataclass(frozen=True, kw_only=True)
class Narrowed(Config):
    tune: ClassVar[Mapping[str, str]] = {"rate": "1e-5:1e-2:log", "steps": ""}


def test_from_types_and_values() -> None:
    space = make_space(Config(), [])
    assert list(space) == ["inner.gain", "rate", "steps", "gamma", "bold", "form"]  # strict refuses ten times its value
    assert space["inner.gain"] == Range(0.05, 5.0, log=True)
    assert space["rate"] == Range(0.0001, 0.01, log=True)
    assert space["steps"] == Range(32, 512, log=True, whole=True)
    gamma = space["gamma"]
    assert isinstance(gamma, Range) and (gamma.low, gamma.high) == pytest.approx((0.9, 0.999))
    assert (space["bold"], space["form"]) == (Choices((False, True)), Choices(("a", "b")))


def test_narrowed_by_the_class_and_by_what_is_set() -> None:
    assert make_space(Narrowed(), []) == {
        "rate": Range(1e-5, 1e-2, log=True), "steps": Range(32, 512, log=True, whole=True)
    }  # fmt: skip
    assert list(make_space(Narrowed(), [], ["rate"])) == ["steps"]
    assert list(make_space(Narrowed(), ["gamma=0.9:1"])) == ["gamma"]  # what is asked for alone


def test_a_schedule_keeps_its_ratio_and_nested_options_their_place() -> None:
    assert chosen_options(Config(), {"rate": 0.01, "inner.gain": 2.0, "steps": 7}) == {
        "rate": [0.01, pytest.approx(0.001)], "inner": {"gain": 2.0}, "steps": 7
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "fixed", "said"),
    [
        ("stepps=1:2", [], "no option to tune called 'stepps': did you mean steps"),
        ("steps=2:1", [], "the smaller one first"),
        ("rate=0:1:log", [], "above 0 where the scale is logarithmic"),
        ("steps=one:two", [], "expected two numbers"),
        ("form=a", [], "or choices A,B,C"),
        ("name", [], "needs a range: its value is 'x'"),
        ("steps=", [], "expected OPTION"),
        ("steps=1:2", ["steps"], "is set and to be tuned at once"),
    ],
)
def test_bad_ranges_are_one_sentence(asked: str, fixed: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make_space(Config(), [asked], fixed)
