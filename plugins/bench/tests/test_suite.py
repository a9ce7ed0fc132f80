from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_bench.resolve import resolve_suite
from zoo_bench.suite import Suite, SuiteError, Term, find_suites, load_suite
from zoo_bench.tomllines import Document, scan

from plugins.bench.tests.conftest import Write
from zoo.discovery.registry import Registry, discover

SOUND = '''\
[suite]
title = "A trial"
summary = """
Brackets [ in a text, and
[[cells]]
"""
packages = ["zoo-envs", "zoo-reload"]

[[cells]]
algorithm = "reload"
environments = ["two-state",
  "three-state"]  # [[cells]]
seeds = "0:3"
steps = 1e3
evaluators = ["constraints"]
quick = true

[[cells]]
label = "plain"
algorithm = "gda"
environment = "two-state"
seeds = [4, 2]
steps = 100
[cells.options]
eta = 3

[[metrics]]
name = "swing"
of = "err"
function = "last_half_range"
better = "lower"

[[references]]
label = "plain"
environment = "two-state"
metric = "swing"
value = 1
kind = "published"
source = "Table 1"

[[claims]]
id = "closer"
source = "paper"
where = "abstract"
setting = "paper"
text = "ReLOAD ends closer"
left = { label = "reload", metric = "err" }
relation = "<"
right = { label = "plain", metric = "err" }

[[claims]]
id = "half"
source = "paper"
where = "abstract"
setting = "paper"
text = "It swings at least twice as much"
left = { label = "plain", metric = "swing" }
relation = ">="
right = { label = "plain", metric = "err" }
scale = "ratio"
'''
_HALF = '[[claims]]\nid = "half"'
_CLOSER = 'id = "closer"\nsource = "paper"\nwhere = "abstract"\nsetting = "paper"\ntext = "It'
# what is replaced in SOUND, by what, what the named line begins with (if not the new text), words of the sentence
WRONG = [
    ('algorithm = "gda"', 'algoritm = "gda"', "", ["[[cells]] has no key 'algoritm'", "did you mean 'algorithm'?"]),
    ('algorithm = "gda"', 'algorithm = "gdaa"', "", ["'gdaa'", "gda"]),
    ('algorithm = "gda"', 'algorithm = "zoo-lost/gda"', "", ["package zoo-lost", "not installed"]),
    ('"zoo-envs", ', '"zoo-env", ', "", ["zoo-env,", "not installed"]),
    ("eta = 3", "ettta = 3", "", ["'ettta'", "did you mean eta?"]),
    ("eta = 3", 'eta = "x"', "", ["'eta' is 'x'"]),
    ('"three-state"]', '"three-stat"]', 'environments = ["two', ["'three-stat'", "three-state"]),
    ('"0:3"', '"3:0"', "", ["'3:0'", "A < B"]),
    ("steps = 1e3", "steps = 1.5", "", ["1.5", "whole number"]),
    ("steps = 1e3", "steps = true", "", ["True", "whole number"]),
    ('["constraints"]', '["constraint"]', "", ["'constraint'", "constraints"]),
    ('["constraints"]', '[{name = "constraints", options = {episode = 3}}]', "", ["'episode'", "episodes"]),
    ('["constraints"]', '[{nam = "constraints"}]', "", ["'nam'", "'name'"]),
    ("quick = true", 'quick = "yes"', "", ["'yes'", "true or false"]),
    ('environment = "two-state"\nseeds', 'environments = []\nseeds', "[[cells]]\nlabel", ["either"]),
    ('label = "plain"\nalg', 'label = "reload"\nalg', "[[cells]]\nlabel", ["line 9", "'reload'", "another label"]),
    ("last_half_range", "last_half_rang", "", ["last_half_range"]),
    ('better = "lower"', 'better = "less"', "", ["'less'", "lower"]),
    ('environment = "two-state"\nmetric', 'environment = "three-state"\nmetric', "", ["'plain'", "'three-state'"]),
    ("value = 1", 'value = "1"', "", ["'1'", "a number"]),
    ("value = 1", "value = nan", "", ["finite"]),
    ('source = "Table 1"', "", "[[references]]", ["lacks the key 'source'"]),
    ('id = "half"\nsource = "paper"', 'id = "half"', _HALF, ["lacks the key 'source'"]),
    ('id = "half"\nsource = "paper"\nwhere = "abstract"', 'id = "half"\nsource = "paper"', _HALF, ["where"]),
    ('kind = "published"', "", "[[references]]", ["lacks the key 'kind'"]),
    ('text = "It swings at least twice as much"\nleft = { label = "plain", metric = "swing" }\nrelation = ">="\n', "",
     _HALF, ["lacks the keys 'text', 'left', 'relation'"]),
    ('kind = "published"', 'kind = "a book"', 'kind = "a book"', ["kind", "a book", "published"]),
    ('relation = "<"', 'relation = "<<"', "", ["'<<'", "within"]),
    ('left = { label = "reload", metric', 'left = { label = "relod", metric', "", ["'relod'", "reload"]),
    ('metric = "err" }\nrelation = "<"', 'metrc = "err" }\nrelation = "<"', "", ["'metrc'", "'metric'"]),
    ('id = "half"', 'id = "closer"', _CLOSER, ["two claims", "'closer'"]),
    ('scale = "ratio"', 'scale = "ratios"', "", ["'ratios'", "ratio"]),
    ('[[metrics]]', '[[metric]]', "", ["'metric'", "'metrics'"]),
    ('title = "A trial"', 'title = "A trial', "", ["not valid TOML"]),
]  # fmt: skip


def test_a_suite_says_what_it_said(write: Write) -> None:
    suite = load_suite(write(SOUND))
    assert (suite.name, suite.title, suite.environments) == ("trial", "A trial", ("two-state", "three-state"))
    assert [(cell.label, cell.environment, cell.seeds, cell.quick) for cell in suite.cells] == [
        ("reload", "two-state", (0, 1, 2), True),
        ("reload", "three-state", (0, 1, 2), True),
        ("plain", "two-state", (4, 2), False),
    ]
    assert suite.cells[0].request.steps == 1000
    assert suite.cells[2].request.options == {"eta": 3}
    closer, half = suite.claims
    assert (closer.environments, closer.left, closer.margin) == (("two-state",), Term(label="reload", metric="err"), 0)
    assert (half.scale, half.margin) == ("ratio", 1.0)
    assert [metric.name for metric in suite.used_metrics] == ["swing", "err"]
    assert suite.metric("err").function == "last"


def test_quick_keeps_only_what_its_cells_can_settle(write: Write) -> None:
    quick = load_suite(write(SOUND)).quick()
    assert [cell.label for cell in quick.cells] == ["reload", "reload"]
    assert (quick.claims, quick.references) == ((), ())


@pytest.mark.parametrize(("old", "new", "where", "words"), WRONG, ids=[f"{new[:30]!r}" for _, new, _, _ in WRONG])
def test_what_is_wrong_is_said_with_its_line(
    old: str, new: str, where: str, words: list[str], write: Write, registry: Registry
) -> None:
    assert old in SOUND
    text = SOUND.replace(old, new, 1)
    line = text[: text.index(where or new)].count("\n") + 1
    file = write(text)
    with pytest.raises(SuiteError) as caught:
        resolve_suite(load_suite(file), registry)
    message = caught.value.message
    assert re.match(rf"{re.escape(str(file))}, line {line}\b", message)
    for word in words:
        assert word in message
    if "zoo-lost" in new:
        assert caught.value.hint == "pip install zoo-lost"


JUDGED = """
[suite]
title = "Two judgements of the same runs"

[[cells]]
label = "{0}"
algorithm = "reload"
environment = "two-state"
seeds = "0:2"
steps = 100
evaluators = [{{ name = "return", options = {{ episodes = 5 }} }}]

[[cells]]
label = "{1}"
algorithm = "reload"
environment = "two-state"
seeds = "{2}"
steps = {3}
evaluators = [{{ name = "return", options = {{ episodes = {4} }} }}]

[[metrics]]
name = "return"
of = "return.return"
"""


@pytest.mark.parametrize(
    ("seeds", "steps", "episodes", "sound"),
    [("1:3", 100, 9, False), ("1:3", 100, 5, True), ("2:4", 100, 9, True), ("1:3", 200, 9, True)],
)
def test_a_run_keeps_one_report_of_each_evaluator(
    write: Write, registry: Registry, seeds: str, steps: int, episodes: int, sound: bool
) -> None:
    suite = load_suite(write(JUDGED.format("few", "many", seeds, steps, episodes)))
    if sound:
        assert len(resolve_suite(suite, registry).cells) == 2
        return
    with pytest.raises(SuiteError, match=r"line 19: 'many' and 'few' are the same runs, and 'return' judges them"):
        resolve_suite(suite, registry)


def test_a_missing_file_and_an_empty_one_are_one_sentence(tmp_path: Path, write: Write) -> None:
    with pytest.raises(SuiteError, match="cannot be read"):
        load_suite(tmp_path / "nothing.toml")
    with pytest.raises(SuiteError, match=r"has no \[\[cells\]\]"):
        load_suite(write("[suite]\n"))


def test_suites_come_from_the_folder_and_from_plugins(tmp_path: Path, write: Write) -> None:
    registry = discover(only=[])
    write(SOUND)

    class Ships:
        def zoo_suites(self) -> list[str]:
            return ["plugins.bench.tests:shipped/other.toml"]

    class Collides:
        def zoo_suites(self) -> list[str]:
            return ["plugins.bench.tests:shipped/trial.toml"]

    class Fails:
        def zoo_suites(self) -> list[str]:
            raise RuntimeError("no suites today")

    from zoo.discovery.hooks import hookimpl

    for kind in (Ships, Collides, Fails):
        kind.zoo_suites = hookimpl(kind.zoo_suites)  # type: ignore[method-assign, attr-defined]
        registry.manager.register(kind(), name=f"zoo-{kind.__name__.lower()}:x")
    problems: list[str] = []
    found = find_suites(registry, tmp_path, problems=problems)
    assert set(found) == {"trial", "other", "zoo-collides/trial"}
    assert found["trial"].load().title == "A trial"
    assert found["other"].load().title == "Shipped with a plugin"
    (problem,) = problems
    assert "zoo-fails" in problem
    assert "no suites today" in problem


names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
values = st.sampled_from(
    ["1", '"a # [b"', "'''x\n[[y]]\n'''", '"""\nk = 3\n"""', "[1,\n 2, # ]\n 3]", "{ a = [1] }", "true"]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(names, st.lists(st.tuples(names, values), unique_by=lambda pair: pair[0])), min_size=1))
def test_the_scan_finds_every_key_in_its_line(tables: list[tuple[str, list[tuple[str, str]]]]) -> None:
    """Oracle: the document is written here, so each line is known."""
    lines: list[str] = []
    expected: dict[tuple[str | int, ...], int] = {}
    for index, (_, pairs) in enumerate(tables):
        lines.append("[[cells]]")
        expected["cells", index] = len(lines)
        for key, value in pairs:
            expected["cells", index, key] = len(lines) + 1
            lines += f"{key} = {value}".split("\n")
        lines.append("  # a comment with [[cells]] and key = 3")
    text = "\n".join(lines)
    Document(text, "x")  # it is TOML
    found = {place: line for place, line in scan(text).items() if len(place) > 1}
    assert found == expected


def test_every_suite_of_the_tree_is_found_from_an_empty_folder_and_sound(tmp_path: Path) -> None:
    registry = discover()
    found = find_suites(registry, tmp_path)
    files = Path(__file__).parents[3].glob("plugins/*/src/*/suites/*.toml")
    assert sorted(found) == sorted(file.stem for file in files)
    assert {"smoke", "control", "reload", "fr", "lambda-r", "composite-rm", "induction", "transience"} < set(found)
    for source in found.values():
        suite = resolve_suite(source.load(), registry)
        assert isinstance(suite, Suite)
        assert len({cell.spec.key for cell in suite.cells if cell.spec}) > 0
