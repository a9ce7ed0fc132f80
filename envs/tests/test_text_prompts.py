"""Prompts of the user's own: files, data sets on disk, chat templates; each refusal names the line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_envs.text.environment import TextComposite, TextCompositeVector
from zoo_envs.text.prompts import rows as rows_module
from zoo_envs.text.prompts.rows import read_rows
from zoo_envs.text.prompts.template import ChatTemplate
from zoo_envs.text.rewards import reward_function

from envs.tests import tiny_language_models as tiny

CHAT = [{"role": "system", "content": "you are a dog"}, {"role": "user", "content": "why"}]


@reward_function(threshold=2.0, range=(0.0, 99.0))
def brevity(completions: list[Any], **columns: Any) -> list[float]:
    """Fewer words are better."""
    texts = [said if isinstance(said, str) else said[0]["content"] for said in completions]
    return [8.0 - len(text.split()) for text in texts]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny.language_model(tmp_path_factory.mktemp("policy"), "gpt2"))


@pytest.fixture
def options(model: str) -> dict[str, Any]:
    return {"language_model": model, "context_tokens": 16, "new_tokens": 4, "reward_models": ("brevity",)}


def lines(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def words(env: TextComposite, obs: np.ndarray[Any, Any]) -> str:
    """What is read at an observation, as words."""
    return str(tiny.tokenizer().decode([token for token in obs.tolist() if token != env.action_space.n]))


def begun(env: TextComposite, prompts: int) -> set[str]:
    """What episodes begin with, of enough of them to see all of a few prompts."""
    return {words(env, env.reset(seed=seed)[0]) for seed in range(12 * prompts)}


def test_texts_are_read_as_they_are_or_as_a_users_message(tmp_path: Path, options: dict[str, Any]) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("tell me why\n\n  the cat sat  \n", encoding="utf-8")
    plain = TextComposite(**options, prompts=str(file))
    assert begun(plain, 2) == {"tell me why", "the cat sat"}
    chat = TextComposite(**options, prompts=str(file), chat_template="tokenizer")
    assert begun(chat, 2) == {"user : tell me why assistant :", "user : the cat sat assistant :"}
    own = tmp_path / "template.jinja"
    own.write_text("q : {{ messages[0].content }} yes", encoding="utf-8")
    assert begun(TextComposite(**options, prompts=str(file), chat_template=str(own)), 2) == {
        "q : tell me why yes", "q : the cat sat yes"
    }  # fmt: skip


def test_conversations_go_through_the_tokenizers_template(tmp_path: Path, options: dict[str, Any]) -> None:
    path = lines(tmp_path / "chat.jsonl", {"prompt": CHAT, "n": 1}, {"prompt": "tell me", "n": 2})
    env = TextComposite(**options, prompts=path, render_mode="ansi")
    assert begun(env, 2) == {"system : you are a dog user : why assistant :", "tell me"}
    env.reset(seed=0)
    assert env.render() in ("you are a dog / why / \n", "tell me / \n")


def test_a_data_set_on_disk_is_the_same_as_its_rows(tmp_path: Path, options: dict[str, Any]) -> None:
    datasets = pytest.importorskip("datasets")
    rows = [{"ask": CHAT, "answer": "yes"}, {"ask": CHAT[1:], "answer": "no"}]
    saved = datasets.Dataset.from_list(rows)
    saved.save_to_disk(tmp_path / "saved")
    file = lines(tmp_path / "rows.jsonl", *rows)
    own = [TextCompositeVector(4, **options, prompts=p, column="ask") for p in (file, str(tmp_path / "saved"))]
    assert own[0].reset(seed=3)[0].tolist() == own[1].reset(seed=3)[0].tolist()
    assert own[0].get_state()["prompts"] == own[1].get_state()["prompts"]
    datasets.DatasetDict({"train": saved, "test": saved}).save_to_disk(tmp_path / "several")
    with pytest.raises(ValueError, match=r"several splits: expected one of test, train, such as .*several/test"):
        read_rows(str(tmp_path / "several"), "ask")
    with pytest.raises(ValueError, match="is no data set written by save_to_disk"):
        read_rows(str(tmp_path), "ask")


def test_without_datasets_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DependencyNotInstalled, match=r"datasets, which is not installed: pip install 'zoo-envs\[datas"):
        read_rows(str(tmp_path), "prompt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"prompt": "a"}\n{"prompt": ', r"line 2 of .* is not JSON: expected an object on each line"),
        (b'{"prompt": "a"}\n\n[1]\n', r"line 3 of .* is '\[1\]': expected a JSON object"),
        (b'{"prompt": "a"}\n\xff\n', r"line 2 of .* is not UTF-8"),
        (b'{"promt": "a", "n": 1}\n', r"line 1 of .* has no field 'prompt': the nearest is 'promt', by column"),
        (b'{"x": "a", "y": 1}\n', r"line 1 of .* has no field 'prompt': it has 'x', 'y'"),
        (b'{"prompt": 3}\n', r"line 1 of .*: the field 'prompt' is 3: expected a text, or a list of messages"),
        (b'{"prompt": " "}\n', r"line 1 of .*: the field 'prompt' is"),
        (b'{"prompt": []}\n', r"line 1 of .*: the field 'prompt' is \[\]"),
        (b'{"prompt": [{"role": "user"}]}\n', r"line 1 of .*: the field 'prompt' is"),
        (b'{"prompt": "a", "n": 1}\n{"prompt": "a"}\n', r"line 2 of .* has no field 'n', which line 1 of .* has"),
        (b'{"prompt": "a"}\n{"prompt": "a", "n": 1}\n', r"line 1 of .* has no field 'n', which line 2 of .* has"),
        (b'{"prompt": "a", "completions": 1}\n', r"line 1 of .* has a field 'completions', which reward functions are"),
        (b"[" * 100_000, r"line 1 of .* is not JSON"),
        (b"\n\n", r"has no prompt"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message) as told:
        read_rows(str(file), "prompt")
    assert "\n" not in str(told.value) and len(str(told.value)) < 600


def test_files_have_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = lines(tmp_path / "prompts.jsonl", *({"prompt": "a"} for _ in range(5)))
    monkeypatch.setattr(rows_module, "MOST_PROMPTS", 4)
    with pytest.raises(ValueError, match="more than 4 prompts"):
        read_rows(file, "prompt")
    monkeypatch.setattr(rows_module, "MOST_BYTES", 10)
    with pytest.raises(ValueError, match="more than 10 bytes"):
        read_rows(file, "prompt")
    with pytest.raises(ValueError, match="no file or folder '/nowhere'"):
        read_rows("/nowhere", "prompt")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.fixed_dictionaries({"prompt": st.text("abc\u00e4\u2028 ", min_size=1), "more": JSON}), min_size=1))
def test_what_is_written_as_json_lines_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    kept = [row for row in rows if row["prompt"].strip()]
    file = lines(tmp_path_factory.mktemp("any") / "rows.jsonl", *rows)
    if len(kept) < len(rows):
        with pytest.raises(ValueError, match="the field 'prompt' is"):
            read_rows(file, "prompt")
        return
    found = read_rows(file, "prompt")
    assert [(row.text, row.columns) for row in found] == [(row["prompt"], {"more": row["more"]}) for row in rows]


def test_a_prompt_without_the_templates_fields(tmp_path: Path, options: dict[str, Any]) -> None:
    template = tmp_path / "template.jinja"
    template.write_text("{% if tools %}no{% endif %}{{ topic }} : {{ messages[0].content }}", encoding="utf-8")
    good = lines(tmp_path / "good.jsonl", {"prompt": "why", "topic": "dog"})
    assert begun(TextComposite(**options, prompts=good, chat_template=str(template)), 1) == {"dog : why"}
    bad = lines(tmp_path / "bad.jsonl", {"prompt": "why"})
    with pytest.raises(ValueError, match=r"line 1 of .*bad.jsonl does not suit the chat template '.*': 'topic' is un"):
        TextComposite(**options, prompts=bad, chat_template=str(template))
    template.write_text("{{ messages[0].mood }}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 1 of .*: .* has no attribute 'mood'"):
        TextComposite(**options, prompts=bad, chat_template=str(template))
    template.write_text("{{ raise_exception('only the system speaks') }}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 1 of .*: only the system speaks"):
        TextComposite(**options, prompts=bad, chat_template=str(template))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{% if %}", r"is not a template of jinja: .* \(line 1\)"),
        ("{{ ''.__class__.__mro__ }}", "access to attribute '__class__' of 'str' object is unsafe"),
        ("{% for i in range(10**9) %}{% endfor %}", "Range too big"),
        ("{{ messages.append(1) }}", "unsafe|undefined|not safely callable"),
    ],
)
def test_templates_stay_in_their_sandbox(tmp_path: Path, options: dict[str, Any], template: str, message: str) -> None:
    path = tmp_path / "template.jinja"
    path.write_text(template, encoding="utf-8")
    prompts = lines(tmp_path / "prompts.jsonl", {"prompt": "why"})
    with pytest.raises(ValueError, match=message):
        TextComposite(**options, prompts=prompts, chat_template=str(path))


def test_a_template_that_asks_for_the_date_is_given_none(tmp_path: Path) -> None:
    path = tmp_path / "template.jinja"
    path.write_text("{% if strftime_now is defined %}{{ strftime_now('%d') }}{% else %}no{% endif %}", encoding="utf-8")
    row = read_rows(lines(tmp_path / "prompts.jsonl", {"prompt": "why"}), "prompt")[0]
    assert ChatTemplate(tiny.tokenizer(), str(path)).render(row) == "no"


def test_a_tokenizer_without_template(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    bare = tiny.language_model(tmp_path_factory.mktemp("bare"), "gpt2", template=None)
    path = lines(tmp_path / "chat.jsonl", {"prompt": CHAT})
    with pytest.raises(ValueError, match="the tokenizer has no chat template, which prompts that are conversations"):
        TextComposite(language_model=str(bare), prompts=path, reward_models=("brevity",), new_tokens=4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"context_tokens": 3}, r"line 1 of .* has 4 tokens, and context_tokens = 3: expected at least 5"),
        ({"reward_models": ("ngram",)}, "'ngram' compares with the grammar's dialogues, and prompts = "),
        ({"context": 2}, "context is of the grammar's dialogues"),
        ({"column": "ask"}, "line 1 of .* has no field 'ask'"),
        ({"chat_template": "nowhere.jinja"}, "chat template 'nowhere.jinja' cannot be read"),
        ({"prompts": None, "column": "ask"}, "column is of prompts of your own, which are not given"),
        ({"prompts": None, "chat_template": "tokenizer"}, "chat_template is of prompts of your own"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, options: dict[str, Any], wrong: dict[str, Any], message: str) -> None:
    path = lines(tmp_path / "prompts.jsonl", {"prompt": "a cat sat on"}, {"prompt": "a cat sat on the"})
    with pytest.raises(ValueError, match=message):
        TextComposite(**{**options, "prompts": path, **wrong})


def test_what_learners_are_told_of_prompts_without_a_truth(tmp_path: Path, options: dict[str, Any]) -> None:
    path = lines(tmp_path / "prompts.jsonl", {"prompt": "a cat"}, {"prompt": "the dog"})
    env = TextCompositeVector(3, **options, prompts=path)
    assert env.evaluate is None and env.evaluation_names == ()
    assert env.constraint_spec.names == ("brevity",) and env.constraint_ranges.tolist() == [[0.0, 99.0]]
    env.reset(seed=0)
    for _ in range(4):
        infos = env.step(np.full(3, 4))[-1]
    assert "evaluation" not in infos and infos["constraints"].tolist() == [[4.0]] * 3
    single = TextComposite(**options, prompts=path)
    single.reset(seed=0)
    assert set(single.step(0)[-1]) == {"constraints"}


def test_a_snapshot_goes_with_its_prompts(tmp_path: Path, options: dict[str, Any]) -> None:
    path = lines(tmp_path / "prompts.jsonl", {"prompt": "a cat", "n": 1}, {"prompt": "the dog", "n": 2})
    env = TextCompositeVector(3, **options, prompts=path)
    env.reset(seed=0)
    env.set_state(env.get_state())
    other = lines(tmp_path / "other.jsonl", {"prompt": "a cat", "n": 1}, {"prompt": "the dog", "n": 3})
    with pytest.raises(ValueError, match="the snapshot is of other prompts"):
        TextCompositeVector(3, **options, prompts=other).set_state(env.get_state())


def test_all_ends_of_the_models_own_configuration_end_an_episode(
    tmp_path: Path, options: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tiny.language_model(tmp_path_factory.mktemp("ends"), "llama")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [0, 7]}), encoding="utf-8")
    path = lines(tmp_path / "prompts.jsonl", {"prompt": "a cat"})
    env = TextComposite(**{**options, "language_model": str(folder)}, prompts=path)
    for end in (0, 7):
        env.reset(seed=0)
        assert not env.step(5)[2] and env.step(end)[2]
