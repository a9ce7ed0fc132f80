from __future__ import annotations

import csv
import io
import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zoo_bench.render import Sheet, csv_text, escape, escape_numbers, json_text, latex, markdown, terminal

NASTY = '100 % of a_b & {c} \\d $e #f ~g ^h <i> |j| "k"\nnext'
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]) | st.just(" "),
                max_size=20)  # fmt: skip


def sheet(*rows: list[str], notes: tuple[str, ...] = ()) -> Sheet:
    return Sheet(title=f"Title {NASTY}", head=["name", "x_1"], rows=rows, numeric=frozenset(["x_1"]), notes=notes)


def parse_latex(text: str) -> list[list[str]]:
    """A small reader of tables: environments and braces must match, rows be as long as the column types say."""
    text = re.sub(r"(?<!\\)%.*", "", text)
    depth, environments, rows, columns = 0, [], [], 0
    for command, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if command == "begin":
            environments.append(name)
        else:
            assert environments.pop() == name
    assert not environments
    plain = re.sub(r"\\[{}$&#%_\\]", "", text.replace(r"\textbackslash{}", ""))
    for character in plain:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert plain.count("$") % 2 == 0
    for math_text in plain.split("$")[1::2]:
        assert re.fullmatch(r"-?([\d.]+|([\d.]+\\cdot )?10\^\{-?\d+\})", math_text)
    outside = "".join(plain.split("$")[::2])
    assert not set('#^_~<>|"') & set(outside)
    for body in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.DOTALL):
        columns = len(body[0])
        for line in body[1].splitlines():
            if line.strip().endswith(r"\\"):
                cells = re.split(r"(?<!\\)&", line.strip().removesuffix(r"\\"))
                assert len(cells) == columns
                rows.append([cell.strip() for cell in cells])
        assert [body[1].count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    return rows


def test_latex_escapes_everything_it_would_interpret() -> None:
    text = latex([sheet([NASTY, "1.5e-09"], ["[0, 1]", "-3"], notes=(NASTY,))])
    rows = parse_latex(text)
    assert rows[0] == ["name", r"x\_1"]
    assert rows[1][1] == r"$1.5\cdot 10^{-9}$"
    assert rows[2] == ["{[0, 1]}", "$-3$"]  # a bare [ after a line break would be its optional argument
    assert r"100 \% of a\_b \& \{c\} \textbackslash{}d \$e \#f" in text


@given(st.lists(st.tuples(texts, texts).map(list), min_size=1, max_size=4), texts)
def test_latex_of_anything_parses(rows: list[list[str]], note: str) -> None:
    assert len(parse_latex(latex([sheet(*rows, notes=(note,))]))) == len(rows) + 1


def test_the_reader_of_latex_can_fail() -> None:
    good = latex([sheet(["a", "1"])])
    for bad in (good.replace(r"\end{table}", ""), good.replace("a & 1", "a & 1 & 2"), good.replace("a & 1", "a_b & 1"),
                good.replace("a & 1", "{a & 1"), good.replace("a & 1", "$a & 1")):  # fmt: skip
        with pytest.raises(AssertionError):
            parse_latex(bad)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("v1.2", "v1.2"), ("10 of 20", "10 of 20"), ("-1e-6", r"$-10^{-6}$"), ("a-1", "a-1"),
     ("[-2, 3e10]", r"[$-2$, $3\cdot 10^{10}$]"), ("50 %", r"50 \%")],
)  # fmt: skip
def test_only_numbers_are_mathematics(text: str, shown: str) -> None:
    assert escape_numbers(text) == shown


def test_escape_makes_one_line() -> None:
    assert escape("a\n  b") == "a b"


def test_markdown_keeps_its_columns() -> None:
    text = markdown([sheet(["a|b", "1\n2"], notes=("a\nnote",))])
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines] == [3, 3, 3]
    assert lines[1] == "| --- | ---: |"
    assert lines[2] == r"| a\|b | 1 2 |"
    assert "* a note" in text


def test_csv_keeps_every_digit_and_quotes_what_needs_it() -> None:
    value = 0.1 + 0.2
    text = csv_text([{"name": 'a, "b"', "x": value}, {"name": "c", "y": None}])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in rows] == ['a, "b"', "c"]
    assert float(rows[0]["x"]) == value
    assert rows[1] == {"name": "c", "x": "", "y": ""}


def test_json_has_no_number_that_json_does_not_know() -> None:
    found = json.loads(json_text({"rows": [{"x": math.inf, "y": 1.0}, (math.nan,)]}), parse_constant=pytest.fail)
    assert found == {"rows": [{"x": "inf", "y": 1.0}, ["nan"]]}


@given(st.integers(20, 100))
def test_a_narrow_terminal_loses_nothing(width: int) -> None:
    head = ["who", *(f"metric {n}" for n in range(6))]
    rows = [[f"row{k}", *(f"{k}.{n}{n}{n}" for n in range(6))] for k in range(3)]
    text = terminal([Sheet(title="T", head=head, rows=rows, notes=("n" * 200,))], width, colour=False)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines()[:-1])) <= width
    for row in rows:
        assert set(row) <= set(text.split())
    assert "n" * 200 in text


def test_a_part_of_the_columns_shows_only_rows_that_have_something_there() -> None:
    narrow = Sheet(head=["who", "a" * 15, "b" * 15], rows=[["one", "1", ""], ["two", "", "2"]])
    assert [line.split() for line in terminal([narrow], 25, colour=False).splitlines() if line and line[0] in "ot"] == [
        ["one", "1"],
        ["two", "2"],
    ]
    assert terminal([narrow], 80, colour=False).count("one") == 1


def test_a_long_table_is_several_floats_and_no_row_is_lost() -> None:
    rows = [[f"row{n}", str(n)] for n in range(100)]
    text = latex([Sheet(title="T", head=["name", "x"], rows=rows)])
    assert [row for row in parse_latex(text) if row[0] != "name"] == rows
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 3
    assert text.count("(continued)") == 2


def test_verdicts_are_coloured_on_a_terminal() -> None:
    text = terminal([Sheet(head=["verdict"], rows=[["reproduced"], ["not reproduced"]])], 80, colour=True)
    assert "\x1b[32mreproduced" in text
    assert "\x1b[31mnot reproduced" in text
