"""A plugin may do anything: it is named, left out, and takes nothing else along."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from zoo_bench.metrics import functions
from zoo_bench.plots.plugin_figures import find_figures
from zoo_bench.suite import find_suites

from zoo.discovery.guard import blaming
from zoo.discovery.registration import Registrar
from zoo.discovery.registry import discover
from zoo.errors import PluginError, UsageError

HEAD = "import sys\nfrom zoo import hookimpl\nclass Odd(BaseException): pass\n"
HOOK = "@hookimpl\ndef {hook}({args}):\n    {body}\n"
WAYS = {
    "raises": "raise RuntimeError('no\\nmore')", "exits": "sys.exit(0)", "exits with words": "sys.exit('bye')",
    "beyond Exception": "raise Odd('odd')", "GeneratorExit": "raise GeneratorExit",
    "recursion": "return (lambda f: f(f))(lambda f: f(f))", "StopIteration": "raise StopIteration",
    "MemoryError": "raise MemoryError",
}  # fmt: skip
GOOD = {
    "zoo_derived": ("", "return {'fine': 'os:getpid'}"), "zoo_plots": ("", "return {'fine': 'os:getpid'}"),
    "zoo_suites": ("", "return []"),
}  # fmt: skip


def code(hook: str, args: str, body: str) -> str:
    return HEAD + HOOK.format(hook=hook, args=args, body=body)


@pytest.mark.parametrize("way", WAYS)
def test_import_and_registration(way: str, install: Any) -> None:
    install("aaa-import", HEAD + ("def go():\n    " + WAYS[way]) + "\ngo()\n")
    install("bbb-hook", code("zoo_register", "zoo", WAYS[way]))
    install("zzz-good", code("zoo_register", "zoo", "zoo.algorithm('good', 'a:B', config='a:C', summary='it')"))
    registry = discover(only=["aaa-import", "bbb-hook", "zzz-good"])
    assert [plugin.plugin for plugin in registry.failures] == ["aaa-import", "bbb-hook"]
    assert all(plugin.reason and "\n" not in plugin.reason for plugin in registry.failures)
    assert [entry.name for entry in registry.entries()] == ["good"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hook", ["zoo_derived", "zoo_plots", "zoo_suites"])
def test_what_it_offers(hook: str, way: str, install: Any, capsys: pytest.CaptureFixture[str]) -> None:
    install("aaa-bad", code(hook, "", WAYS[way]))
    install("zzz-good", code(hook, *GOOD[hook]))
    registry = discover(only=["aaa-bad", "zzz-good"])
    find = {"zoo_derived": functions, "zoo_plots": find_figures, "zoo_suites": find_suites}[hook]
    found: Any = find(registry)
    if hook != "zoo_suites":
        assert "fine" in found
    find(registry)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "of plugin aaa-bad are left out: " in said[0]


@pytest.mark.parametrize("answer", ["3", "None", "{'x': 3}", "{3: 'a:b'}", "{'x': 'no target'}", "['a:b']"])
def test_derived_functions_are_looked_at(answer: str, install: Any, capsys: pytest.CaptureFixture[str]) -> None:
    install("aaa-bad", code("zoo_derived", "", f"return {answer}"))
    assert "x" not in functions(discover(only=["aaa-bad"]))
    assert "plugin aaa-bad are left out" in capsys.readouterr().err


def test_a_function_of_two_plugins_is_refused_at_use_and_that_of_zoo_stays(
    install: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two", "three"):
        install(name, code("zoo_derived", "", "return {'same': 'os:getpid', 'last': 'os:getpid'}"))
    found = functions(discover(only=["one", "two", "three"]))
    assert found["last"] is functions()["last"]
    assert "'last' is a function of zoo" in capsys.readouterr().err
    with pytest.raises(UsageError, match="3 plugins offer the function of metrics 'same': one, three, two"):
        found["same"](None, "x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"summary": ""}, "summary"), ({"summary": None}, "summary"), ({"summary": "two\nlines"}, "summary"),
        ({"summary": "\x1b[31mred"}, "summary"), ({"steps": 0}, "steps"), ({"steps": True}, "steps"),
        ({"steps": "many"}, "steps"), ({"steps": 1.5}, "steps"), ({"steps": -1}, "steps"),
        ({"needs": {"actions": "box"}}, "'actions'"), ({"needs": {"action": "bx"}}, "action='bx'"),
        ({"needs": {"constraints": "yes"}}, "constraints='yes'"), ({"needs": 3}, "needs is 3"),
        ({"name": None}, "name None"), ({"name": 3}, "name 3"), ({"target": "os"}, "target"), ({"paper": 3}, "paper"),
    ],
)  # fmt: skip
def test_entries_are_looked_at(change: dict[str, Any], words: str) -> None:
    given = {"name": "fine", "target": "a:B", "config": "a:C", "summary": "it", **change}
    with pytest.raises(ValueError, match=words):
        Registrar("it", "1").algorithm(given.pop("name"), given.pop("target"), **given)


@pytest.mark.parametrize("subject", ["algorithms", "", None, 3])
def test_subjects_are_looked_at(subject: Any) -> None:
    with pytest.raises(ValueError, match="subject"):
        Registrar("it", "1").evaluator("fine", "a:B", config="a:C", summary="it", subject=subject)


def test_hook_wrappers_are_refused(install: Any) -> None:
    install("it", "from zoo import hookimpl\n@hookimpl(wrapper=True)\ndef zoo_metrics():\n    yield\n")
    (failed,) = discover(only=["it"]).failures
    assert "zoo_metrics is a hook wrapper" in failed.reason


def test_entries_register_in_linear_time(install: Any) -> None:
    def calls(count: int) -> int:
        body = f"[zoo.algorithm(f'a{{i}}', 'a:B', config='a:C', summary='it') for i in range({count})]"
        install(f"of-{count}", code("zoo_register", "zoo", body))
        made = 0

        def note(*_: Any) -> None:
            nonlocal made
            made += 1

        sys.setprofile(note)
        try:
            registry = discover(only=[f"of-{count}"])
        finally:
            sys.setprofile(None)
        assert len(registry.entries()) == count
        return made

    assert calls(4_000) < 2.2 * calls(2_000)


def test_blaming_names_the_owner_and_lets_sentences_and_ctrl_c_pass() -> None:
    for error in (SystemExit(0), GeneratorExit(), RuntimeError("x"), StopIteration()):
        with pytest.raises(PluginError, match="it failed: "), blaming("it"):
            raise error
    with pytest.raises(UsageError), blaming("it"):
        raise UsageError("x")
    with pytest.raises(KeyboardInterrupt), blaming("it"):
        raise KeyboardInterrupt
    with pytest.raises(PluginError), blaming("it", debug=True):
        raise SystemExit(0)
    with pytest.raises(RuntimeError), blaming("it", debug=True):
        raise RuntimeError
