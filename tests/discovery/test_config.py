"""Options: dataclass to JSON and back, the command line, keywords of environments, where each value is from."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zoo.discovery.config import (
    decode_fields,
    encode,
    encode_fields,
    field_origins,
    parse_keywords,
    parse_options,
)
from zoo.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A schedule."""

    start: float = 1.0
    """value at the beginning"""
    end: float = 0.0
    """value at the end"""


@dataclass(frozen=True, kw_only=True)
class Net:
    """Nested options."""

    layers: tuple[int, ...] = (64, 64)
    """widths"""
    act: Literal["tanh", "relu"] = "tanh"
    """activation"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """One field of each type."""

    rate: float = 0.1
    """a float"""
    steps: int = 10
    """an integer"""
    fast: bool = False
    """a switch"""
    name: str = "x"
    """text"""
    eta: float | Literal["auto"] = "auto"
    """a number or a word"""
    limit: int | None = None
    """a number or nothing"""
    pair: tuple[float, float] = (0.0, 1.0)
    """two numbers"""
    net: Net = Net()
    """nested"""

    def __post_init__(self) -> None:
        """Check."""
        if self.steps < 0:
            raise ValueError("steps must be at least 0")


FLOATS = st.floats(allow_nan=False)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="-\x00"), max_size=8)
OPTIONS = st.builds(
    Options,
    rate=FLOATS,
    steps=st.integers(0, 10**12),
    fast=st.booleans(),
    name=TEXT,
    eta=st.one_of(st.just("auto"), FLOATS),
    limit=st.none() | st.integers(),
    pair=st.tuples(FLOATS, FLOATS),
    net=st.builds(
        Net, layers=st.lists(st.integers(1, 512), max_size=3).map(tuple), act=st.sampled_from(["tanh", "relu"])
    ),
)


@given(OPTIONS)
def test_json_gives_back_what_it_was_given(options: Options) -> None:
    text = json.dumps(encode_fields(options), allow_nan=False)
    assert decode_fields(Options, json.loads(text)) == options


@given(OPTIONS, OPTIONS)
def test_decoding_over_a_base_changes_only_what_is_named(base: Options, other: Options) -> None:
    found = decode_fields(Options, {"rate": other.rate, "net": encode(other.net)}, base)
    assert found == dataclasses.replace(base, rate=other.rate, net=other.net)


@given(
    rate=st.floats(-1e6, 1e6),
    steps=st.integers(0, 10**9),
    fast=st.booleans(),
    layers=st.lists(st.integers(1, 512), min_size=1, max_size=3),
)
@example(rate=-0.5, steps=0, fast=True, layers=[1])
def test_the_command_line_gives_back_what_it_was_given(rate: float, steps: int, fast: bool, layers: list[int]) -> None:
    args = ["--rate", repr(rate), f"--steps={steps}", "--fast" if fast else "--no-fast"]
    args += ["--net.layers", *map(str, layers)]
    chosen, given_flags = parse_options({"": Options()}, args, prog="test")
    assert chosen[""] == Options(rate=rate, steps=steps, fast=fast, net=Net(layers=tuple(layers)))
    assert given_flags == dict.fromkeys(("rate", "steps", "fast", "net.layers"), "cli")


def test_prefixes_keep_two_dataclasses_apart() -> None:
    chosen, given_flags = parse_options(
        {"": Linear(), "env": Linear(start=5.0)}, ["--env.end", "2", "--start", "3"], prog="test"
    )
    assert chosen == {"": Linear(start=3.0), "env": Linear(start=5.0, end=2.0)}
    assert given_flags == {"env.end": "cli", "start": "cli"}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"rat": 1.0}, "no option called 'rat': did you mean rate?"),
        ({"rate": "fast"}, "option 'rate' is 'fast': expected float."),
        ({"rate": True}, "option 'rate' is True: expected float."),
        ({"steps": 1.5}, "option 'steps' is 1.5: expected int."),
        ({"steps": True}, "option 'steps' is True: expected int."),
        ({"fast": 1}, "option 'fast' is 1: expected true or false."),
        ({"eta": "manual"}, "option 'eta' is 'manual': expected"),
        ({"pair": [1.0]}, "option 'pair' is [1.0]: expected"),
        ({"pair": [1.0, "x"]}, "'pair'"),
        ({"net": {"type": "Linear", "start": 1.0}}, "option 'net' is"),
        ({"net": {"type": "Net", "act": "gelu"}}, "'act' is 'gelu'"),
        ({"net": {"type": "Net", "layer": [1]}}, "did you mean layers?"),
        ({"steps": -1}, "steps must be at least 0"),
    ],
)
def test_what_does_not_fit_is_one_sentence(values: Mapping[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        decode_fields(Options, values)
    assert sentence in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--rte", "1"], "no option called '--rte': did you mean --rate"),
        (["--net.layer", "1"], "did you mean --net.layers"),
        (["--steps", "many"], "many"),
        (["--steps"], "--steps"),
        (["--steps", "-1"], "steps must be at least 0"),
        (["--net.act", "gelu"], "gelu"),
        (["stray"], "stray"),
    ],
)
def test_a_bad_command_line_is_one_sentence(args: list[str], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_options({"": Options()}, args, prog="test")
    assert sentence in caught.value.message
    assert "\n" not in caught.value.message
    assert not re.search("[│╭╰]", caught.value.message)


def test_an_integer_is_a_float_but_not_the_other_way_round() -> None:
    found = decode_fields(Options, {"rate": 3})
    assert found.rate == 3.0
    assert isinstance(found.rate, float)


def test_infinity_is_written_as_text_because_json_has_none() -> None:
    assert encode_fields(Linear(start=float("-inf"))) == {"start": "-inf", "end": 0.0}
    assert decode_fields(Linear, {"end": "inf"}) == Linear(end=float("inf"))
    with pytest.raises(UsageError, match="option 'end' is 'infinite': expected float"):
        decode_fields(Linear, {"end": "infinite"})


def test_origins() -> None:
    base = Options()
    found = field_origins(dataclasses.replace(base, rate=0.2), base, "preset")
    assert found.pop("rate") == "preset"
    assert set(found.values()) == {"default"}


def test_no_options_are_no_fields() -> None:
    assert encode_fields(None) == {}


def test_keywords_are_split_off_as_text() -> None:
    args = ["--env.size", "8", "--eta", "0.1", "--env.map-name=4x4", "--env.slippery", "false", "--env.x", "-1"]
    found, rest = parse_keywords(args, "env")
    assert found == {"size": "8", "map_name": "4x4", "slippery": "false", "x": "-1"}
    assert rest == ["--eta", "0.1"]
    for unfinished in (["--env.size"], ["--env.size", "--env.x", "3"]):
        with pytest.raises(UsageError, match=r"--env\.size has no value"):
            parse_keywords(unfinished, "env")


@dataclass(frozen=True, kw_only=True)
class Spelled:
    """An option whose natural name is a word of Python."""

    lam: float = dataclasses.field(default=0.5, metadata={"flag": "lambda"})
    """factor per visit"""
    fast: bool = False
    """a switch"""


@pytest.mark.parametrize("prefix", ["", "representation"])
@pytest.mark.parametrize("spelling", ["lambda", "lam"])
@pytest.mark.parametrize("equals", [True, False])
def test_an_option_may_be_spelled_with_a_word_of_python(prefix: str, spelling: str, equals: bool) -> None:
    flag = f"--{prefix}.{spelling}" if prefix else f"--{spelling}"
    parts = {"": Spelled(), prefix: Spelled()}
    chosen, given = parse_options(parts, [f"{flag}=0.25"] if equals else [flag, "0.25"], prog="zoo")
    assert chosen == {"": Spelled(), prefix: Spelled(lam=0.25)}
    assert type(chosen[prefix]) is Spelled
    assert given == {f"{prefix}.lam" if prefix else "lam": "cli"}


def test_the_help_and_the_errors_show_the_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options({"": Spelled()}, ["--help"], prog="zoo")
    shown = capsys.readouterr().out
    assert "--lambda FLOAT" in shown
    assert "--lam " not in shown
    assert "factor per visit" in shown
    with pytest.raises(UsageError, match="--lambda is 'x': expected FLOAT"):
        parse_options({"": Spelled()}, ["--lam", "x"], prog="zoo")
    with pytest.raises(UsageError, match="did you mean --lambda"):
        parse_options({"": Spelled()}, ["--lambada", "1"], prog="zoo")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_the_complaint_is_one_sentence_in_every_encoding(encoding: str) -> None:
    command = [sys.executable, "-m", "zoo.cli.main", "train", "reload", "two-state", "--eta-mu", "much"]
    answer = subprocess.run(
        command, capture_output=True, encoding=encoding, env=os.environ | {"PYTHONIOENCODING": encoding}
    )
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[0].startswith("zoo: --eta-mu is 'much': expected ")
