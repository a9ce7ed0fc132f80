"""Rules of constraints: what they mean, against an evaluation built beside the text; and what is refused."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zoo_envs.wrapping.grammar import parse
from zoo_envs.wrapping.parts import Step, bind, signal

STEP = Step(
    observation={"joint": {"speed": np.array([[1.0, -2.0], [0.5, 4.0]])}, "height": np.array([1.5, 0.25])},
    action=np.array([[0.5, -1.0, 2.0], [0.0, 3.0, -4.0]]),
    reward=np.array([1.0, -2.0]),
    info={"cost": np.array([0.0, 7.0]), "x y": np.array([3, 5])},
    slices={},
)
PARTS: dict[str, Any] = {
    "action[0]": np.array([0.5, 0.0]), "action[-1]": np.array([2.0, -4.0]), "reward": STEP.reward,
    "height": np.array([1.5, 0.25]), "obs.joint.speed[1]": np.array([-2.0, 4.0]), "info.cost": np.array([0.0, 7.0]),
    'info["x y"]': np.array([3.0, 5.0]), "norm(action)": np.sqrt([5.25, 25.0]),
    "max(joint.speed)": np.array([1.0, 4.0]), "mean(action)": np.array([0.5, -1 / 3]),
    "min(action[1], height, 0.3)": np.array([-1.0, 0.25]), "2.5e-1": 0.25,
}  # fmt: skip
BINARY = {"+": operator.add, "-": operator.sub, "*": operator.mul, "<": operator.lt, ">=": operator.ge}


def value(text: str) -> Any:
    (rule,) = parse(f"{text} <= 1")
    return signal(bind(rule.expression, ("joint", "height"), ("cost", "x y")), STEP)


def _combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def apply(sign: str, left: Any, right: Any) -> Any:
        return f"({left[0]} {sign} {right[0]})", BINARY[sign](left[1], right[1]) * 1.0

    signs = st.sampled_from(list(BINARY))
    unary = inner.map(lambda of: (f"-abs({of[0]})", -abs(of[1])))
    return st.builds(apply, signs, inner, inner) | unary


@given(st.recursive(st.sampled_from(list(PARTS.items())), _combined, max_leaves=8))
def test_an_expression_has_the_value_of_the_same_expression_in_python(pair: tuple[str, Any]) -> None:
    text, expected = pair
    np.testing.assert_allclose(value(text), np.broadcast_to(expected, 2), rtol=1e-12)


def test_precedence_is_that_of_arithmetic() -> None:
    assert value("2 + 3 * 4 - 6 / 3 / 2 - 1").tolist() == [12.0, 12.0]
    assert value("-action[0] - -1").tolist() == [0.5, 1.0]


def test_rules_have_names_senses_thresholds_and_units() -> None:
    rules = parse(
        'speed <= 2; abs(action[0]) >= -.5 per step ;tilt-of-it: obs.height*2 == 1e-1 per episode; info["a;b"]<=3'
    )
    assert [(rule.name, rule.sense, rule.threshold, rule.unit) for rule in rules] == [
        ("speed", "<=", 2.0, None), ("abs-action-0", ">=", -0.5, "step"), ("tilt-of-it", "==", 0.1, "episode"),
        ("a-b", "<=", 3.0, None),
    ]  # fmt: skip
    assert [rule.name for rule in parse("obs[2] <= 1; obs.joint.speed[0] <= 1; info.cost <= 1")] == [
        "obs-2", "joint-speed-0", "cost",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a constraint is empty"),
        (" ; ", "a constraint is empty"),
        ("speed", r"constraint 'speed': expected <=, >= or == and a number at its end"),
        ("speed < 2", r"expected <=, >= or == and a number before '<'"),
        ("speed <= fast", "expected a number before 'fast'"),
        ("abs(speed <= 2", r"expected \"\)\" or \",\" at its end"),
        ("speed <= 2 per day", "expected step or episode before 'day'"),
        ("speed <= 2 3", 'expected "per step"'),
        ("ab(speed) <= 2", "there is no function called 'ab'; the nearest: abs"),
        ("__import__('os') <= 2", "there is no function called '__import__'; there are abs, max, mean"),
        ("abs(1, 2) <= 2", "abs takes one argument, got 2"),
        ("action[0.5] <= 2", "expected a whole number, or a key in quotes before '0.5'"),
        ("action[x] <= 2", "expected a whole number, or a key in quotes before 'x'"),
        ("obs. <= 2", "expected a name before '<='"),
        ("a ** 2 <= 1", r"expected a part, a number or a function before '\*'"),
        ("a % 2 <= 1", "'%' has no meaning here"),
        ("* <= 1", "expected a part"),
    ],
)
def test_what_is_no_rule_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("heigth", "there is no part called 'heigth'; the nearest: height"),
        ("zzz", "there is no part called 'zzz'; there are observation, action, reward, joint, height, cost, x y"),
        ("joint.sped[0]", "there is no part of observation.joint called 'sped'; the nearest: speed"),
        ("info.coast", "there is no part of info called 'coast'; the nearest: cost"),
        ("action[3]", r"there is no action\[3\]: action has numbers 0 to 2"),
        ("reward[0]", r"there is no reward\[0\]: reward has no index, for it is one number"),
        ("action", r"action is 3 numbers, not one: expected an index, as in \[0\]"),
        ("action + 1", "it is 3 numbers, not one"),
        ("obs.joint", "observation.joint is not a number or an array of numbers: it has speed"),
        ("action.speed", "there is no part of action called 'speed'; it has no names"),
    ],
)
def test_a_part_that_is_not_there_is_told_with_the_nearest(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        value(text)


def test_a_name_of_two_parts_is_refused() -> None:
    (rule,) = parse("height <= 1")
    with pytest.raises(
        ValueError, match=r"part of both the observation and the info: expected obs.height or info.height"
    ):
        bind(rule.expression, ("height",), ("height",))


@pytest.mark.parametrize("text", ["(" * 3000 + "x" + ")" * 3000 + " <= 1", "-" * 3000 + "x <= 1"])
def test_a_rule_nested_without_end_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse(text)
