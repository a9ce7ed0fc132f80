"""``zoo train`` on prompts and rewards of the user's own: failures name their owner, mistakes write nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envs.tests import tiny_language_models as tiny

REWARDS = """
from zoo_envs.text.rewards import reward_function

@reward_function(threshold=0.5)
def few(completions, **kwargs):
    return [1 / (1 + len(text.split())) for text in completions]

@reward_function(threshold=0.5)
def short(completions, **kwargs):
    return [1.0] * (len(completions) - 1)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("own")
    tiny.language_model(place / "llama", "llama")
    (place / "rewards.py").write_text(REWARDS, encoding="utf-8")
    (place / "prompts.jsonl").write_text('{"prompt": "tell me"}\n{"prompt": "why"}\n', encoding="utf-8")
    return place


def train(folder: Path, *arguments: str, rewards: str = "few") -> subprocess.CompletedProcess[str]:
    command = [
        *(sys.executable, "-m", "zoo", "--plugin", "rewards.py", "train", "xi-ppo", "text-composite", "--quiet"),
        *("--env.language-model", "llama", "--env.prompts", "prompts.jsonl", "--env.reward-models", rewards),
        *("--env.new-tokens", "3", "--n-steps", "3", "--num-envs", "4", "--steps", "24", "--eval-episodes", "0"),
    ]
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    return subprocess.run([*command, *arguments], cwd=folder, env=settings, text=True, capture_output=True, check=False)


@pytest.mark.slow
def test_a_run_from_a_file_with_a_decorator(folder: Path) -> None:
    done = train(folder, "--dir", "good")
    assert done.returncode == 0 and "finished" in done.stdout, done.stderr
    told = train(folder, "--dir", "bad", rewards="short")
    assert told.returncode == 1 and "Traceback" not in told.stderr
    assert "the reward function 'short' (rewards.py, line 8) returned" in told.stderr
    assert "seed 0 failed: the reward function" in told.stderr


@pytest.mark.slow
def test_mistakes_are_one_sentence_and_write_nothing(folder: Path) -> None:
    pytest.importorskip("peft")
    tiny.language_model(folder / "gpt2", "gpt2")
    tiny.adapter(folder / "lora", folder / "gpt2")
    (folder / "t.jinja").write_text("{{ topic }}", encoding="utf-8")
    for arguments, sentence in (
        (("--env.adapter", "lora"), "was made for the model"),
        (("--env.chat-template", "t.jinja"), "does not suit the chat template"),
        (("--env.column", "promt"), "has no field 'promt': the nearest is 'prompt', by column"),
    ):
        told = train(folder, *arguments, "--dir", "none")
        assert told.returncode == 2 and told.stderr.startswith("zoo: environment text-composite cannot be built: ")
        assert sentence in told.stderr and "Traceback" not in told.stderr and not (folder / "none").exists()
