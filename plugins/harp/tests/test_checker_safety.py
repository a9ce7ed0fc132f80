"""Hostile answers: nothing runs, nothing hangs, nothing raises, and work grows linearly with the response."""

from __future__ import annotations

import re
import re._constants as sre
import re._parser as sre_parser
import sys
import time
from pathlib import Path

import pytest
from zoo_harp import check
from zoo_harp.checker import answers
from zoo_harp.checker.compare import readings
from zoo_harp.checker.extraction import boxes, inline, letters, reader, reply
from zoo_harp.checker.extraction.reader import extract
from zoo_harp.checker.latex import normalise, tokens
from zoo_harp.checker.limits import MAX_WORK, Budget, LimitExceeded, Timeout

CODE = [
    "__import__('os').system('touch pwned')",
    "__import__('os')",
    "exec('6')",
    "eval('3+3')",
    "(lambda: 6)()",
    "().__class__.__bases__[0].__subclasses__()",
    "open('pwned','w').write('6')",
    "import os; os.mkdir('pwned')",
    "os.system('echo 6')",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "`touch pwned`",
    "; rm -rf pwned",
    r"\input{/etc/passwd}",
    r"\write18{touch pwned}",
    "globals()",
    "Symbol('x').__class__",
    "getattr(6,'real')",
    "6 if True else 0",
    "[x for x in (6,)]",
    "{6:6}[6]",
    "sympify('6')",
    "N(6)",
    "S(6)._eval_evalf(3)",
    "f'{6}'",
    "print(6)",
    "6 .real",
    r"\immediate\write18{id}",
    "'6'.__len__()",
    "int('6')",
    "type(6)(6.0)",
    "breakpoint()",
    "exit(6)",
    "b'6'",
    "Ellipsis",
    "x.__init__.__globals__['os']",
    "subprocess.run(['touch','pwned'])",
    "pickle.loads(b'6')",
    "6;import os",
]
LARGE = [
    "".join(rf"\sin\frac{{{k}\pi}}{{151}}" for k in range(1, 76)) + r"\cdot2^{75}",
    "".join(rf"\cos\frac{{{k}\pi}}{{101}}" for k in range(1, 51)) + r"\cdot2^{50}",
    "1e9" * 1_333,
    "1E" * 2_000,
    "**2** " * 30_000,
    r"\(2\) " * 30_000,
    "\\" * 20_000,
    "9**9**9",
    "9^{9^{9^{9}}}",
    "8^{8^{8^8}}",
    "(((10)!)!)!",
    "3!!!!!!!!!!",
    "10000000!",
    r"\binom{10^9}{10^8}",
    r"\sum_{k=1}^{10^{12}} k",
    r"\prod_{k=1}^{9999} k^{k}",
    r"\sum_{a=1}^{9999}\sum_{b=1}^{9999} ab",
    "(x+y+z)^{4000}",
    "(1+x)^{100000}",
    "1e999999999",
    "10^{10^{10}}",
    r"\sqrt[1000000]{7}",
    r"e^{e^{e^{e^e}}}",
    "(a+b+c+d)^{60}(e+f+g)^{60}",
    r"\sin(10^{100000})",
    r"\log_{2}(9^{9^9})",
    r"2^{199999}+\sqrt{2}^{199999}",
    r"\cos(\cos(\cos(\cos 1)))",
    r"\sqrt{2+\sqrt{3+\sqrt{5+\sqrt{7+\sqrt{11+\sqrt{13+\sqrt{17}}}}}}}-3",
    r"\lfloor e^{100000}\rfloor",
    "x^{10^{9}}-1",
    r"\frac{1}{(x+1)^{300}}+\frac{1}{(x+2)^{300}}+\frac{1}{(y+3)^{300}}",
    "7^{7^7} 6",
    r"\gcd(10^{60000}, 3^{99999})",
    "6^{" * 100 + "6" + "}" * 100,
    "+".join(rf"\sqrt{{{p}}}" for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)),
    "(" + "+".join(rf"\sqrt{{{p}}}" for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)) + ")^{9}",
    "1/(" + "+".join(rf"\sqrt[3]{{{p}}}" for p in (2, 3, 5, 7, 11, 13)) + ")",
    "|" * 40 + "x" + "|" * 40,
    r"\frac{x^{999}-1}{x-1}",
    "x<" * 60 + "6",
    r"\{" + ",".join(map(str, range(900))) + r"\}",
    ",".join(rf"\sqrt{{{k}}}+\sqrt{{{k + 1}}}" for k in range(2, 90)),
    r"\int_0^{10^9} x^x dx",
    r"\Gamma(" * 10 + "x" + ")" * 10,
    r"\Gamma(" * 8 + "6.5" + ")" * 8,
    r"\sin(" + r"\exp(" * 6 + "x" + ")" * 7,
    r"\Gamma(10^9+\frac13)",
]
SHAPES = [
    "x" * 3999,
    "9" * 3999,
    "(" * 3000,
    "{" * 3000,
    r"\frac{" * 900,
    r"\sqrt{" * 600 + "6" + "}" * 600,
    "-" * 3000 + "7",
    "1+" * 1900 + "1",
    "\x00",
    "\ud800",
    "\udfff",
    r"\boxed{" * 5000,
    "$" * 9999,
    "answer is " * 5000,
    r"\text{" * 800,
    "^" * 2000,
    "2^" * 1000 + "2",
    "_" * 3000,
    r"\begin{pmatrix}" * 300,
    "|" * 1001,
    "a" * 200_001,
    ",,,,,,",
    ";" * 500,
    "%" * 2000,
    "!" * 2000,
    r"\mathbb{" * 500,
    r"\left" * 700,
    r"\right|" * 500,
    "\\" * 3999,
    "&" * 1000,
    "1/" * 1500,
    r"\overline{" * 300,
    "answer:" + " " * 150_000,
    ("answer" + " " * 50) * 3000,
    r"\boxed{}" * 20_000,
    "1," * 90_000,
    r"\(" * 90_000,
    "*" * 100_000,
    "\n" * 150_000,
    "final " * 30_000,
    r"\text" + " \t" * 1900,
    "f(" * 40_000,
    "é" * 3999,
    "\u0301" * 3999,
    "ﷺ" * 3999,
    "½" * 3000,
    "²" * 3000,
    "\u202e" * 3000,
    "0." + "1" * 3000 + r"\overline{" + "7" * 900 + "}",
    r"\frac12" * 550,
    "=".join(["x"] * 1500),
    "<".join(["x"] * 1500),
    r"\pm" * 900 + "1",
    r"1\pm" * 900 + "1",
    "(B)" * 50_000,
    r"\pmod{" * 500,
    r"\end{pmatrix}",
    r"\begin{array}{" + "c" * 3000,
    "[" * 2000 + "]" * 2000,
    "' " * 1500,
    "<" * 3000,
    r"\cup" * 900,
    r"(1,2)\cup" * 400 + "(1,2)",
    "i" * 3000,
    "e^" * 1500 + "e",
    "::" * 1000,
    "a_" * 1500 + "a",
    "}" * 3999,
    r"\textbf{(" * 400,
    r"\{" * 150 + "1" + r"\}" * 150,
    "one " * 900,
    "and " * 900,
    "six hundred " * 300,
    r"\sin" * 900,
]
GOLDS = ("42", r"\frac{3}{7}", r"2\sqrt{3}", "x^2+1", "(1,2)", r"\text{Saturday}", "C")


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """An empty working directory; afterwards nothing is in it, and no process but a worker was started."""
    monkeypatch.chdir(tmp_path)
    started = []

    def audit(event, args):
        if started is not None and event in ("os.system", "subprocess.Popen", "os.exec", "os.fork", "os.posix_spawn"):
            started.append(args)

    sys.addaudithook(audit)
    yield
    commands = list(started)
    started = None
    assert not list(tmp_path.iterdir())
    assert all("zoo_harp.checker.worker" in str(args) for args in commands)


@pytest.mark.parametrize("gold", GOLDS)
def test_code_is_text(gold, watched):
    for answer in CODE:
        for response in (answer, rf"\boxed{{{answer}}}", f"The final answer is ${answer}$. I hope it is correct."):
            assert not check(gold, response).correct, response


def test_no_audited_event_but_none(monkeypatch):
    events = set()
    recording = True

    def audit(event, args):
        if recording:
            events.add(event)

    check("42", "x^2")
    sys.addaudithook(audit)
    for answer in CODE:
        check("42", answer)
    recording = False
    assert not {event for event in events if event.split(".")[0] in ("os", "subprocess", "socket", "shutil", "import")}
    assert not events & {"exec", "compile", "open", "import"}


@pytest.mark.parametrize("answer", LARGE, ids=lambda answer: answer[:30])
def test_large_values_end_in_time(answer):
    began = time.process_time()
    verdict = check("6", answer)
    assert not verdict.correct
    # Processor time of this process, far above what is needed: a hang, not a slow machine.
    assert time.process_time() - began < 2.5


@pytest.mark.parametrize("k", range(len(SHAPES)))
def test_shapes_never_raise(k):
    for gold in (r"\sqrt{5}", "C"):
        assert not check(gold, SHAPES[k]).correct
    assert not check("6", rf"\boxed{{{SHAPES[k]}}}").correct


def test_blanks_in_a_gold_cost_nothing():
    began = time.process_time()
    assert not check(" " * 3_000 + "AA", "7").correct
    assert time.process_time() - began < 2.5


def test_an_over_large_gold_equals_its_own_text_only():
    assert check("8^{8^{8^8}}", "8^{8^{8^8}}").correct
    assert check("8^{8^{8^8}}", r"\boxed{ 8^{8^{8^{8}}} }").rule == "identical"
    assert check("8^{8^{8^8}}", "8^{8^{8^9}}").reason == "limit"


@pytest.mark.parametrize("depth", [50, 150])
def test_nesting_within_the_limit_is_read(depth):
    assert check("6", "(" * depth + "6" + ")" * depth).correct
    assert check("6", "{" * depth + "6" + "}" * depth).correct
    assert not check("6", "(" * depth + "7" + ")" * depth).correct


def test_nesting_beyond_the_limit():
    assert check("6", r"\boxed{" + "(" * 201 + "6" + ")" * 201 + "}").reason == "limit"


def test_the_deadline_stops_a_check():
    budget = Budget(1e-9)
    time.sleep(0.001)
    with pytest.raises(Timeout):
        budget.spend(30_000)
    with pytest.raises(LimitExceeded):
        Budget(5.0).spend(MAX_WORK + 1)


def test_a_timeout_is_reported():
    verdict = check(r"\int_0^1 x^x dx", r"\int_0^1 t^{t+1} \sin(t^t) dt", timeout_s=0.05)
    assert (verdict.correct, verdict.reason) == (False, "timeout")


def _calls(text: str) -> int:
    """Calls, from Python and to C functions, that extracting takes: a count, not a time."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        extract(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "unit",
    [
        r"\boxed{",
        r"\boxed{}",
        "answer is ",
        "answer:\n\n",
        "$x$ ",
        "$",
        r"\(",
        "1, ",
        "f(1) ",
        "word ",
        "**answer** is 5. ",
        r"{",
        r"}",
        r"\boxed 5 ",
        "# Answer\n",
        r"\text{a}",
        r"\boxed{1}, ",
        "x = 2 or ",
        "(1, 2) is ",
    ],
)
def test_extraction_is_linear(unit):
    small, large = (_calls(unit * (size // len(unit))) for size in (20_000, 80_000))
    assert large <= 4.5 * small + 2_000


def _repeats(parsed, inside=False):
    """Every unbounded repeat that lies in another one."""
    for op, argument in parsed:
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _, high, body = argument
            unbounded = high is sre.MAXREPEAT
            if unbounded and inside:
                yield body
            yield from _repeats(body, inside or unbounded)
        elif op is sre.SUBPATTERN:
            yield from _repeats(argument[3], inside)
        elif op is sre.BRANCH:
            for branch in argument[1]:
                yield from _repeats(branch, inside)


@pytest.mark.parametrize("module", [answers, boxes, inline, letters, normalise, reader, readings, reply, tokens])
def test_no_pattern_repeats_a_repeat(module):
    """Nested unbounded repeats are what makes regular expressions explode."""
    patterns = {name: value for name, value in vars(module).items() if isinstance(value, re.Pattern)}
    assert patterns
    for name, pattern in patterns.items():
        if name in ("_THOUSANDS", "_SPACED"):
            continue  # a repeated group that begins with a separator and has a fixed number of digits
        assert not list(_repeats(sre_parser.parse(pattern.pattern, pattern.flags))), name


def test_the_source_evaluates_nothing():
    folder = Path(reader.__file__).parents[1]
    for file in folder.rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        for name in ("eval", "exec", "sympify", "parse_expr", "lambdify", "compile", "literal_eval", "pickle", "S"):
            calls = re.findall(rf"(?<![\w.]){name}\(", source)
            assert not calls, (file.name, name)
