"""The conformance kit passes what is sound, and names what is not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from zoo import testing
from zoo.discovery.registry import Registry
from zoo.errors import UsageError
from zoo.testing import check_algorithm, check_environment, check_evaluator, check_plugin, check_representation

OWNER = re.compile(r"(algorithm|representation|environment|evaluator) '\w+' of broken file: ")


@pytest.mark.parametrize("name", ["sound", "batchsound", "soundpreset"])
def test_a_sound_algorithm_passes(name: str, broken: Registry) -> None:
    check_algorithm(name, "CartPole-v1", registry=broken, num_envs=2)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("learnsinact", r"act\(\) changed the state: algorithm\.value"),
        ("actdrawsfromrng", r"act\(\) changed what is learned afterwards .*ctx\.stream"),
        ("actshape", r"act\(\) of 3 observations has shape \(1,\), expected \(3,\)"),
        ("actinvalid", r"act\(\) returned array\(\[2\]\), which is not in Discrete\(2\)"),
        ("actfloat", r"act\(\) returned float64, expected int64"),
        ("nosteps", r"update\(\) left env_steps at 1"),
        ("notfinite", r"metric 'loss' is nan, expected a finite number"),
        ("notfinitetext", r"metric 'loss' is 'low', expected a float"),
        ("globalnumpy", r"global generator of numpy"),
        ("globalpython", r"global generator of random"),
        ("forgets", r"resuming after 3 of 6 updates is not exact: metric 'value' of update 4"),
        ("unpacked", r"state\.\S*algorithm\.when is a object"),
        ("undetermined", r"two runs with the same seed differ: metric 'calls' of update 1"),
        ("lateundetermined", r"two runs with the same seed differ: metric 'calls' of update 4"),
        ("raises", r"update\(\) raised RuntimeError: out of cheese"),
        ("batchdrifts", r"member 1 \(seed 1\) of a batch leaves its solo run at update 1"),
        ("batchforgets", r"a batch resumed from its members' checkpoints is not exact"),
        ("thawed", r"Thawed is not frozen"),
        ("positional", r"field 'rate' of Positional is not keyword-only"),
        ("undocumented", r"field 'rate' of Undocumented has no docstring"),
        ("nodefault", r"field 'rate' of NoDefault has no default"),
        ("collides", r"option 'num_envs' is spelled --num-envs, which zoo train has already"),
        ("notjson", r"writing NotJson as JSON"),
        ("lossy", r"Lossy does not survive JSON"),
        ("unknownoption", r"preset 'default' for CartPole-v1 raised UnknownNameError: .* did you mean rate"),
        ("wrongtype", r"preset 'default' for CartPole-v1 raised UsageError: option 'rate' is 'fast'"),
        ("unknownenvoption", r"preset 'odd' for tunable raised UnknownNameError: no option of tunable called 'rat'"),
        ("unknownrun", r"preset 'default' for CartPole-v1 raised .* run called 'step': did you mean steps"),
        ("nottoml", r"reading preset default\.toml raised TOMLDecodeError"),
        ("nofolder", r"finding its presets 'broken_presets:nofolder' raised FileNotFoundError"),
        ("heavy", r"importing broken_algorithms loads numpy"),
    ],
)
def test_a_broken_algorithm_is_named(name: str, sentence: str, broken: Registry) -> None:
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_algorithm(name, "CartPole-v1", registry=broken)
    assert OWNER.match(str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("policyshape", r"policy\(\) has shape \(1, 2\), expected \(2, 2\), a row for each state"),
        ("policysums", r"policy\(\) has the row \[1\. 1\.\] for state 0, expected probabilities"),
        ("otherpolicy", r"act\(\) takes action \d in state 0, and policy\(\) has \[[01]\. [01]\.\]"),
        ("lesslikely", r"act\(\) takes action \d in state 0, and policy\(\) has \[0\.\d+ 0\.\d+\]"),
    ],
)
def test_a_broken_policy_table_is_named(name: str, sentence: str, broken: Registry) -> None:
    check_algorithm("soundpolicy", "two-state", registry=broken)
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_algorithm(name, "two-state", registry=broken)
    assert OWNER.match(str(caught.value))


def test_one_update_leaves_nothing_to_resume(broken: Registry) -> None:
    with pytest.raises(AssertionError, match="steps=1 is a single update"):
        check_algorithm("sound", "CartPole-v1", steps=1, registry=broken)


def test_a_sound_representation_passes(broken: Registry) -> None:
    check_representation("soundrows", "two-state", registry=broken)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("wrongdim", r"features\(\) of 1 observations has shape \(1, 1\), expected \(1, 2\)"),
        ("featureslearn", r"features\(\) changed the state: representation\.M"),
        ("solveshape", r"solve\(\) returned shape \(2, 2\), expected that of table\(\), \(1, 2\)"),
        ("solveinstalls", r"solve\(\) changed table\(\)"),
        ("tableignored", r"table\(\) is \S+ from the table that set_table\(\) was given"),
    ],
)
def test_a_broken_representation_is_named(name: str, sentence: str, broken: Registry) -> None:
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_representation(name, "two-state", registry=broken)
    assert OWNER.match(str(caught.value))


@pytest.mark.parametrize("name", ["soundwalk", "soundhugewalk", "soundvector", "soundending", "soundstack"])
def test_a_sound_environment_passes(name: str, broken: Registry) -> None:
    check_environment(name, registry=broken)


@pytest.mark.parametrize("name", ["CartPole-v1", "FrozenLake-v1"])
def test_an_environment_of_gymnasium_passes(name: str, broken: Registry) -> None:
    check_environment(name, registry=broken)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("unseeded", r"check_env|same seed and actions differ"),
        ("nosignals", r'a step has no info\["constraints"\]|gave no info\["constraints"\]'),
        ("signaldtype", r'info\["constraints"\] is array\(\[1\.\]\), expected float32'),
        ("signalatreset", r'info\["constraints"\] is there at reset'),
        ("noalias", r'info\["cost"\] is None'),
        ("wrongreward", r"reward in state 2, action 0 is \+0\.01 from that of model\(\)"),
        ("wrongtinyreward", r"reward in state 2, action 0 is \+1e-11 from that of model\(\)"),
        ("wrongkernel", r"state \d, action 1 led to state \d in \d+ of \d+ steps; model\(\) has probability 0\.[28]"),
        ("wrongstart", r"first states do not follow rho"),
        ("snapshotforgets", r"set_state\(get_state\(\)\) does not go on exactly"),
        ("snapshotforgetslength", r"set_state\(get_state\(\)\) does not go on exactly"),
        ("otherthreshold", r"constraint 'use' is <= 0\.5 in constraint_spec and <= 1 in model\(\)"),
        ("othername", r"constraint_spec has the constraints wear, and model\(\) use: expected the same"),
        ("perepisode", r"constraint_spec has unit='episode' and discounted=True: expected unit='step'"),
        ("undiscounted", r"constraint_spec has unit='step' and discounted=False: expected unit='step'"),
        ("nextstepvector", r"has autoreset mode .*NEXT_STEP.* expected SAME_STEP"),
        ("otherspacevector", r"its vector form has the observations Discrete\(4\), expected Discrete\(3\)"),
        ("otherrewardvector", r"its vector form: total reward after 8 random steps is \S+ on average, expected"),
        ("otherkernelvector", r"its vector form: .* as in the single form"),
        ("endsearly", r"an episode ended in state 2, against `terminal` of model\(\)"),
        ("startuncounted", r"reward in state 0, action 0 is \+0\.\d+ from that of model\(\)"),
        ("neverdiminishes", r"reward in state 0, action 0 is \+0\.\d+ from that of model\(\)"),
        ("othersize", r"diminishing speaks of 3 states, and the observations are Discrete\(4\)"),
        ("singlegrid", r"grid is not the same in its single form and its vector form"),
        ("stackdeclines", r"stacked\(\) declines members that differ only in their seeds"),
        ("sharedstream", r"stacked, it differs: member [012]: step\[\d+\]"),
        ("unbound", r"stacked, it differs( after a member was stepped and another reset alone)?: member"),
        ("rebinds", r"stacked, it differs after it was restored: member"),
        ("arriveslate", r"stacked, it differs: member [012]: step\[\d+\]\.arrived"),
        ("undeclaredoffer", r"registered with Offers\(tabular=True\), and has False"),
    ],
)
def test_a_broken_environment_is_named(name: str, sentence: str, broken: Registry) -> None:
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_environment(name, registry=broken)
    assert OWNER.match(str(caught.value))


SUBJECT = ("sound", "CartPole-v1")


def test_a_sound_evaluator_passes(broken: Registry) -> None:
    check_evaluator("soundjudge", SUBJECT, registry=broken)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("noscores", "its report has no scores"),
        ("nanscore", "score 'first' is nan"),
        ("changessubject", "it changed what it was to judge: value"),
        ("rollsdice", "two evaluations with the same seed differ"),
        ("notareport", r"evaluate\(\) returned a dict, expected a zoo\.Report"),
    ],
)
def test_a_broken_evaluator_is_named(name: str, sentence: str, broken: Registry) -> None:
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_evaluator(name, SUBJECT, registry=broken)
    assert OWNER.match(str(caught.value))


def test_an_evaluator_wants_its_kind_of_subject(broken: Registry) -> None:
    with pytest.raises(UsageError, match="judges an algorithm: expected its name and that of an environment"):
        check_evaluator("soundjudge", Path("a-file"), registry=broken)


def test_an_unknown_distribution_is_a_usage_error_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="zoo-envs"):
        check_plugin("zoo-env")


def test_the_package_is_light_and_needs_no_test_framework() -> None:
    code = "import zoo.testing, sys; print({'numpy', 'gymnasium', 'pytest'} & set(sys.modules)); dir(zoo.testing)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    code = "from zoo.testing import check_algorithm; import sys; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="check_everything"):
        _ = testing.check_everything
