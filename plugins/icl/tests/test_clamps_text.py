"""Which clamps may stand together, clamps as text, and errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo_icl import clamps as c
from zoo_icl.model import ICLTransformer

HEADS = st.lists(
    st.builds("{}:{}".format, st.integers(0, 1), st.one_of(st.integers(0, 3), st.just("*"))), min_size=1, max_size=3
).map(",".join)
CLAMPS = st.one_of(
    st.builds(c.PrevToken, HEADS, st.floats(0, 1), st.booleans()),
    st.builds(c.Induction, HEADS, st.floats(0, 1)),
    st.builds(c.NoPrevToken, HEADS, st.booleans()),
    st.builds(c.Temperature, HEADS, st.floats(0.1, 9)),
    st.builds(c.Ablate, HEADS),
)


@given(CLAMPS)
def test_text_goes_out_and_in(clamp: c.Clamp) -> None:
    assert c.parse(str(clamp)) == clamp


def written(clamp: c.Clamp, tokens: int = 7, heads: int = 4) -> dict[str, np.ndarray]:
    """The entries that a clamp replaces in a real call, by hook point."""
    model = ICLTransformer(3, 4, 16, heads, generator=torch.Generator().manual_seed(0))
    pairs = tokens // 2
    x = torch.randn(2, pairs + 1, 3, generator=torch.Generator().manual_seed(1))
    y = torch.tensor([[0, 1, 2, 0]] * 2)
    edits, _ = c.Clamps((clamp,)).edits(model, x, y[:, :-1], y[:, -1])
    last = {"v": 4}
    return {
        hook: np.logical_or.reduce(
            [
                np.broadcast_to(edit.mask.numpy(), (heads, tokens, last.get(hook.rsplit(".", 1)[1], tokens)))
                for edit in found
            ]
        )
        for hook, found in edits.items()
    }


@settings(max_examples=60, deadline=None)
@given(CLAMPS, CLAMPS)
def test_two_clamps_conflict_exactly_where_their_entries_meet(one: c.Clamp, other: c.Clamp) -> None:
    mine, theirs = written(one), written(other)
    meet = any((mine[hook] & theirs[hook]).any() for hook in mine.keys() & theirs.keys())
    if meet:
        with pytest.raises(c.ClampConflictError, match="both write blocks"):
            c.compose([one, other])
    else:
        assert c.compose([one, other]).members == (one, other)


@pytest.mark.parametrize(
    ("text", "hook"),
    [
        ("PrevToken(1:3)+Induction(1:*)", "blocks.1.attn.pattern"),
        ("Match(1:3,0.1)+Induction(1:2-3)", "blocks.1.attn.pattern"),
        ("Copy(1:3)+Copy(1:4)", "logits"),
        ("Layer1()+Layer1()", "blocks.0.resid_post"),
        ("PreserveValues()+PreserveValues()", "blocks.*.attn.v"),
        ("Temperature(1:0,2)+LabelsOnly(1:0)", "blocks.1.attn.scores"),
    ],
)
def test_conflicts_are_found_at_construction(text: str, hook: str) -> None:
    first, second = text.split(")+")
    with pytest.raises(c.ClampConflictError) as told:
        c.compose(text)
    assert str(told.value) == f"{c.parse(first + ')')} and {c.parse(second)} both write {hook}: only one of them can."


@pytest.mark.parametrize(
    "text",
    [
        "PrevToken(1:3, only_labels=true)+Induction(1:3)",
        "NoPrevToken(1:3)+LabelsOnly(1:3)",
        "PrevToken(0:0)+PrevToken(0:1)",
        "PreserveValues()+Ablate(0:*)",
        "PreserveValues()+PreservePatterns()",
        "Layer1()+Copy(1:3)+Ablate(1:0)",
    ],
)
def test_clamps_of_other_entries_stand_together(text: str) -> None:
    assert str(c.compose(text)) == str(c.compose(text.split("+")))


def test_compositions_are_taken_as_they_are() -> None:
    whole = c.compose(["PrevToken(0:0)", c.compose("Ablate(1:0)+Ablate(1:1)"), c.Layer1()])
    assert [type(member).__name__ for member in whole.members] == ["PrevToken", "Ablate", "Ablate", "Layer1"]
    assert c.compose(whole) is whole
    assert not c.compose("") and not c.compose(())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("PrevTokn(0:0)", "no clamp is called 'PrevTokn': did you mean PrevToken?"),
        ("PrevToken 0:0", "'PrevToken 0:0' is not a clamp: expected a name and arguments"),
        ("PrevToken()", "PrevToken(): PrevToken needs heads, such as 1:3"),
        ("Match(1:3)", "Match(1:3): Match needs temperature"),
        ("PrevToken(0:0, strength=much)", "strength = 'much': expected a number"),
        ("PrevToken(0:0, only_labels=1)", "only_labels = '1': expected true or false"),
        ("PrevToken(0:0, 1.5)", "strength = 1.5: expected 0 to 1"),
        ("PrevToken(0:0, 1, true, 3)", "'3' is not an argument; PrevToken has heads, strength, only_labels"),
        ("Layer1(0:0)", "Layer1 takes no heads"),
        ("Temperature(1:0, 0)", "tau = 0.0: expected more than 0"),
        ("Match(1:0, -1)", "temperature = -1.0: expected at least 0"),
        ("Copy(1:*)", "Copy(1:*): expected one head"),
        ("Ablate(1:5-3)", "'1:5-3' names no head: expected a range upwards, such as '1:3-5'"),
        ("Ablate(1:3,1:9-7)", "'1:9-7' names no head"),
        ("PrevToken(0:7-0, strength=0.5)", "'0:7-0' names no head"),
        ("Ablate(heads=1.3)", "'1.3' is not a head: expected layer:head"),
    ],
)
def test_bad_text_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(ValueError) as told:
        c.parse(text)
    assert message in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ablate(0:4)", r"Ablate\(0:4\): layer 0 has no head 4; heads are 0 to 3"),
        ("PrevToken(2:0)", r"PrevToken\(2:0\): there is no layer 2; layers are 0 to 1"),
        ("LabelsOnly(0:1)", r"LabelsOnly\(0:1\): layer 0 is not the last, 1"),
        ("Ablate(1:2-7)", r"layer 1 has no head 4"),
    ],
)
def test_models_without_the_heads_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ICLTransformer(3, 4, 16, 4)(torch.zeros(1, 3, 3), torch.zeros(1, 3, dtype=torch.int64), clamps=text)


def test_other_misfits() -> None:
    model, x, y = ICLTransformer(3, 4, 16, 4, depth=3), torch.zeros(1, 3, 3), torch.zeros(1, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"Layer1\(\) is for models with 2 blocks; this one has 3"):
        model(x, y, clamps="Layer1()")
    with pytest.raises(KeyError, match=r"no hook point is called 'blocks.0.resid'; near: blocks.0.resid_"):
        model(x, y, clamps=c.Live("blocks.0.resid"))
