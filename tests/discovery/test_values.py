"""Text is read as what is wanted, or refused; it is never taken for a truth."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.command import zoo
from zoo.discovery.constructors import Parameters, parameters_of
from zoo.discovery.names import EnvName
from zoo.discovery.values import TRUTHS, members, plain, read
from zoo.errors import UnknownNameError, UsageError


class Base(gymnasium.Env[Any, Any]):
    observation_space = gymnasium.spaces.Discrete(2)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(
        self, wall: bool = True, size: int = 4, slip: float = 0.1, name: str = "a", cells: list[int] | None = None,
        maybe: bool | None = None, level: Literal["low", "high", 3] = "low", odd: int | str = 3,
        limit: int | None = None, render_mode: str | None = None,
    ) -> None:  # fmt: skip
        pass


class Above(Base):
    def __init__(self, bare=False, whole=3, share=np.float32(0.5), flag=np.bool_(True), nothing=None, **more: Any):
        super().__init__(**more)


def made(**kwargs: Any) -> Base:
    return Base(**kwargs)


gymnasium.register("Typed-v0", entry_point=Above)
gymnasium.register("TypedByRegistration-v0", entry_point=made, kwargs={"wall": True, "size": 3})


def one(name: str, text: Any, *, typed: bool = True, env: str = "Typed-v0") -> Any:
    return parameters_of(EnvName(gym_id=env)).read({name: text}, "option of it", typed=typed)[name]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("wall", "False", False), ("wall", "NO", False), ("wall", "0", False), ("wall", "yes", True),
        ("wall", "1", True), ("bare", "true", True), ("bare", "no", False), ("flag", "No", False),
        ("maybe", "None", None), ("maybe", "FALSE", False), ("cells", "none", None), ("cells", "[1, 2]", [1, 2]),
        ("limit", "NULL", None), ("limit", "3", 3), ("size", "1e2", 100), ("slip", "1", 1.0), ("slip", "2.5e-1", 0.25),
        ("whole", "2.5", 2.5), ("share", "0.25", 0.25), ("name", "3", "3"), ("name", "true", "true"),
        ("name", "none", "none"), ("name", '"null"', "null"), ("name", "null", None), ("level", "high", "high"),
        ("level", "3", 3), ("odd", "7", 7), ("odd", "x", "x"), ("nothing", "False", False), ("nothing", "x", "x"),
        ("nothing", "none", None), ("nothing", "1", 1), ("render_mode", "none", None), ("max_episode_steps", "9", 9),
    ],
)  # fmt: skip
def test_text_is_what_the_constructor_takes(name: str, text: str, value: Any) -> None:
    found = one(name, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("wall", "banana", "true or false"), ("wall", "2", "true or false"), ("wall", "", "true or false"),
        ("bare", "none", "true or false"), ("size", "many", "a whole number"), ("size", "2.5", "a whole number"),
        ("size", "true", "a whole number"), ("slip", "False", "a number"), ("slip", "nan", "a number"),
        ("slip", "NaN", "finite"), ("slip", "1e999", "finite"), ("whole", "no", "a number"),
        ("cells", "3", "a JSON list"), ("level", "middle", "low or high or 3"),
        ("limit", "x", "a whole number or none"),
        ("slip", "1_000", "a number"), ("slip", "٣", "a number"), ("max_episode_steps", "long", "a whole number"),
    ],
)  # fmt: skip
def test_other_text_is_refused_with_the_forms(name: str, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        one(name, text)


@pytest.mark.parametrize("name", ["size", "slip", "whole", "share"])
def test_a_number_has_one_value_however_it_is_spelled(name: str) -> None:
    found = [one(name, text) for text in ("2", "2.0", "2e0")] + [one(name, number, typed=False) for number in (2, 2.0)]
    assert len({repr(value) for value in found}) == 1  # one experiment, one key


def test_a_number_beyond_all_floats_is_a_number_or_a_sentence() -> None:
    digits = "1" + "0" * 400
    assert one("size", digits) == 10**400
    for text in (digits, "-" + digits):
        with pytest.raises(UsageError, match="finite"):
            one("slip", text)


def test_a_file_has_kinds_of_its_own() -> None:
    assert one("nothing", "False", typed=False) == "False"
    assert one("wall", "False", typed=False) is False
    assert one("wall", False, typed=False) is False
    for name, value in (("wall", 3), ("size", "x"), ("slip", True), ("name", 3)):
        with pytest.raises(UsageError):
            one(name, value, typed=False)


def test_what_was_registered_says_what_an_open_constructor_does_not() -> None:
    assert one("wall", "False", env="TypedByRegistration-v0") is False
    assert one("another", "False", env="TypedByRegistration-v0") is False


def test_a_parameter_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'--env.is-slipery': did you mean --env.is-slippery"):
        parameters_of(EnvName(gym_id="FrozenLake-v1")).read({"is_slipery": "no"}, "option of FrozenLake-v1", typed=True)
    with pytest.raises(UnknownNameError, match="wal"):
        one("wal", "1")


def test_a_module_that_cannot_be_imported_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "leaves_at_import.py").write_text("raise SystemExit(0)")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(UsageError, match="SystemExit"):
        parameters_of(EnvName(gym_id="leaves_at_import:It-v0"))


@given(st.sampled_from(sorted(TRUTHS)), st.data())
def test_one_spelling_of_truth_in_any_case(word: str, data: st.DataObject) -> None:
    cased = "".join(data.draw(st.sampled_from([letter, letter.upper()])) for letter in word)
    assert read(cased, (bool,), "it") is TRUTHS[word]
    assert read(cased, members(bool | None), "it") is TRUTHS[word]


DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
)


@given(DATA)
def test_every_value_can_be_typed_as_json(value: Any) -> None:
    assert plain(json.dumps(value)) == value
    assert Parameters().read({"x": json.dumps(value)}, "it", typed=True) == {"x": value}


@given(st.text())
def test_no_text_is_a_boolean_but_the_six_words(text: str) -> None:
    if text.strip().lower() not in TRUTHS:
        with pytest.raises(UsageError, match="true or false"):
            read(text, (bool,), "it")


@pytest.mark.parametrize(
    ("flags", "kept"),
    [
        (["--env.is_slippery", "False"], {"is_slippery": False}), (["--env.is-slippery=no"], {"is_slippery": False}),
        (["--env.is_slippery", "TRUE", "--env.map-name", "8x8"], {"is_slippery": True, "map_name": "8x8"}),
    ],
)  # fmt: skip
def test_the_command_line_runs_what_it_says(flags: list[str], kept: dict[str, Any]) -> None:
    done = zoo("train", "ppo", "FrozenLake-v1", *flags, "--dry-run", "--json")
    assert json.loads(done.stdout)["env_config"] == kept


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        (["--env.stay", "true"], True), (["--env.stay=YES"], True), (["--env.stay"], True), (["--env.stay", "1"], True),
        (["--env.stay", "False"], False), (["--env.stay=0"], False), (["--env.no-stay"], False),
    ],
)  # fmt: skip
def test_zoos_own_options_take_the_same_words(flags: list[str], status: bool) -> None:
    done = zoo("train", "fr", "four-rooms", *flags, "--dry-run", "--json")
    assert json.loads(done.stdout)["env_config"]["stay"] is status


def test_other_words_are_refused_with_the_forms() -> None:
    done = zoo("train", "fr", "four-rooms", "--env.stay", "perhaps")
    assert done.returncode == 2
    assert (
        "--env.stay is 'perhaps': expected true or false (also yes or no, 1 or 0), or the option alone." in done.stderr
    )
