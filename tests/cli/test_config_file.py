"""``--config FILE``: a file says what could have been typed, and what is typed wins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.cli.config_file import with_config
from zoo.cli.main import main
from zoo.errors import UsageError

FILE = """
algorithm = "ppo-native"
environment = "cart-pole"
steps = 5_000
seeds = "0:3"
learning_rate = 1e-3
exact = false
quiet = true
[network]
net-arch = [32, 16]
[env]
max_episode_steps = 100
"""
TYPED = [
    "ppo-native", "cart-pole", "--steps", "5000", "--seeds", "0:3", "--learning-rate", "1e-3", "--quiet",
    "--network.net-arch", "32", "16", "--env.max-episode-steps", "100",
]  # fmt: skip


def planned(*args: str, capsys: pytest.CaptureFixture[str]) -> Any:
    assert main(["train", *args, "--dry-run", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_file_is_what_could_have_been_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "it.toml"
    path.write_text(FILE)
    typed = planned(*TYPED, capsys=capsys)
    assert planned("--config", str(path), capsys=capsys) == typed
    assert planned("ppo-native", f"--config={path}", capsys=capsys) == typed
    other = planned("--steps=9", "--config", str(path), "--env.max_episode_steps", "7", capsys=capsys)
    assert (other["steps"], other["env_config"]["max_episode_steps"]) == (9, 7)
    assert other["config"] == typed["config"]


@given(
    st.dictionaries(
        st.sampled_from(["alpha", "beta", "gamma-max"]), st.integers(-(2**53), 2**53) | st.floats(allow_nan=False)
    )
)
def test_numbers_of_either_sign_arrive_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("config") / "it.toml"
    path.write_text("".join(f"{key} = {value!r}\n" for key, value in table.items()))
    words = with_config(["a", "b", "--config", str(path), "--last", "1"], [])
    assert words[:2] == ["a", "b"] and words[-2:] == ["--last", "1"]
    assert {word[2:].split("=")[0]: float(word.split("=")[1]) for word in words[2:-2]} == table


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("x = 1979-05-27", "x is 1979-05-27: expected text, a number"),
        ("exact = 3", "exact is 3: expected true or false."),
        ("algorithm = 3", "algorithm and environment are names: expected text in quotes."),
        ("x = ", "is not valid TOML"),
        ("x = 'é'".encode("latin-1"), "is not valid TOML"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_wrong_is_one_sentence(tmp_path: Path, content: str | bytes | None, sentence: str) -> None:
    path = tmp_path / "it.toml"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UsageError, match=sentence):
        with_config(["--config", str(path)], ["--exact"])


def test_a_mistyped_name_in_it_has_a_suggestion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "it.toml"
    path.write_text("etta = 1.0")
    assert main(["train", "reload", "two-state", "--config", str(path)]) == 2
    assert "no option called '--etta': did you mean --eta" in capsys.readouterr().err
