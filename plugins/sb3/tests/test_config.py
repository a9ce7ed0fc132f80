"""The committed options are the installed libraries' own, and a list of algorithms imports nothing heavy."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import json
import re
import subprocess
import sys
import tomllib
import typing
from pathlib import Path
from typing import Any

import pytest
import zoo_sb3
from hypothesis import given
from hypothesis import strategies as st
from zoo_sb3.config import checks, network, on_policy

from zoo import discover
from zoo.discovery.config import decode_fields, encode, encode_fields
from zoo.errors import UsageError

ROOT = Path(__file__).parents[1]
NAMES = [row.name for row in zoo_sb3.ALGORITHMS]
NOT_OPTIONS = {
    "self", "policy", "env", "policy_kwargs", "rollout_buffer_class", "rollout_buffer_kwargs", "replay_buffer_class",
    "replay_buffer_kwargs", "optimize_memory_usage", "stats_window_size", "tensorboard_log", "verbose", "seed",
    "device", "_init_setup_model",
}  # fmt: skip
OURS = {"network", "action_noise_std"}


def entry(name: str) -> Any:
    return discover(only=["zoo-sb3"], strict=True).find(name, "algorithm")


@pytest.mark.parametrize("name", NAMES)
def test_fields_and_defaults_are_the_signature(name: str) -> None:
    found = entry(name)
    config = found.resolve_config()
    parameters = inspect.signature(found.resolve().learner.__init__).parameters
    wanted = {key: value.default for key, value in parameters.items() if key not in NOT_OPTIONS}
    fields = {field.name: getattr(config(), field.name) for field in dataclasses.fields(config)}
    assert set(wanted) == set(fields) - OURS
    assert {key: fields[key] for key in wanted} == wanted


@pytest.mark.parametrize("name", NAMES)
def test_network_fields_and_defaults_are_the_policys(name: str) -> None:
    found = entry(name)
    learner = found.resolve().learner
    policy = learner.policy_aliases.get("MlpPolicy") or learner.policy_aliases["MlpLstmPolicy"]
    parameters = inspect.signature(policy.__init__).parameters
    shape = found.resolve_config()().network
    for field in dataclasses.fields(shape):
        value = getattr(shape, field.name)
        if field.name == "kind":
            assert value == "auto"
        elif field.name == "critic_arch":
            assert "dict" in str(parameters["net_arch"].annotation)
        elif field.name == "activation_fn":
            assert parameters[field.name].default.__name__.lower() == value
        elif (name, field.name) == ("ddpg", "n_critics"):
            assert value == 1
        else:
            assert parameters[field.name].default == value, field.name


def test_committed_files_are_what_the_generator_writes() -> None:
    spec = importlib.util.spec_from_file_location("generate_config", ROOT / "generate_config.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for file, text in module.sources().items():
        assert (ROOT / "src/zoo_sb3/config" / file).read_text(encoding="utf-8") == text, file


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_explained_and_survives_json(name: str) -> None:
    config = entry(name).resolve_config()
    source = "\n".join(inspect.getsource(base) for base in config.__mro__ if dataclasses.is_dataclass(base))
    for field in dataclasses.fields(config):
        assert re.search(rf'^    {field.name}: .*\n    """[^"]+"""$', source, re.MULTILINE), field.name
    assert "Any" not in str(typing.get_type_hints(config))
    again = json.loads(json.dumps(encode_fields(config())))
    assert decode_fields(config, again) == config()


def test_listing_imports_nothing_heavy() -> None:
    code = (
        "import sys; from zoo import discover; r = discover(only=['zoo-sb3'], strict=True);"
        "assert len(r.entries('algorithm')) == 11;"
        "[e.resolve_config() for e in r.entries('algorithm')];"
        "bad = {'torch', 'stable_baselines3', 'sb3_contrib', 'gymnasium', 'numpy'} & set(sys.modules);"
        "sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_contrib_its_rows_are_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo_sb3, "find_spec", lambda name: None)
    assert [row.name for row in zoo_sb3.available()] == ["ppo", "a2c", "dqn", "sac", "td3", "ddpg"]


def test_presets_fit_the_options_and_the_environments() -> None:
    import gymnasium

    table = tomllib.loads((ROOT / "src/zoo_sb3/presets/default.toml").read_text(encoding="utf-8"))
    assert "ppo" in table["CartPole-v1"]
    for env, algorithms in table.items():
        assert env in gymnasium.registry
        for name, values in algorithms.items():
            run = values.pop("run")
            assert set(run) == {"num_envs", "steps"} and run["steps"] > 0
            config = entry(name).resolve_config()
            assert decode_fields(config, values) != config() or not values


def test_schedules_and_unions_decode_by_type() -> None:
    config = entry("sac").resolve_config()
    made = decode_fields(config, {"learning_rate": [1e-3, 0], "ent_coef": ["auto", 0.1], "train_freq": [2, "episode"]})
    assert made.learning_rate == (1e-3, 0.0)
    assert made.ent_coef == ("auto", 0.1)
    assert made.train_freq == (2, "episode")
    with pytest.raises(UsageError, match="learning_rate"):
        decode_fields(config, {"learning_rate": "lin_0.001"})
    with pytest.raises(UsageError, match=r"gamma is 1\.5: expected a number between 0 and 1"):
        decode_fields(config, {"gamma": 1.5})


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_ranges(number: float) -> None:
    inside = {
        "gamma": 0 <= number <= 1,
        "ent_coef": 0 <= number < float("inf"),
        "max_grad_norm": 0 < number < float("inf"),
        "log_std_init": abs(number) < float("inf"),
    }
    for name, fits in inside.items():
        try:
            checks.check(name, number)
            checks.check(name, (number, "auto"))
        except ValueError as error:
            assert not fits
            assert str(error).startswith(f"{name} is {number}: expected ")
        else:
            assert fits


def test_checked_names_exist() -> None:
    """A range for an option that no longer exists would go unnoticed."""
    known = {field.name for row in zoo_sb3.ALGORITHMS for field in dataclasses.fields(entry(row.name).resolve_config())}
    known |= {field.name for value in vars(network).values() if dataclasses.is_dataclass(value)
              for field in dataclasses.fields(value)}  # fmt: skip
    assert {*checks._UNIT, *checks._NON_NEGATIVE, *checks._POSITIVE} <= known


def test_nested_options_are_checked_too() -> None:
    with pytest.raises(ValueError, match="net_arch is 0: expected a number above 0"):
        network.ActorCriticNetwork(net_arch=(64, 0))
    assert encode(on_policy.PPOConfig().network)["activation_fn"] == "tanh"
