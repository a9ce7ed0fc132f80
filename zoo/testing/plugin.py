"""``check_plugin``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import metadata
from importlib.resources import files
from typing import Any

from gymnasium.error import DependencyNotInstalled

from zoo.api import unmet
from zoo.discovery.names import EnvName, resolve_env
from zoo.discovery.registration import Entry
from zoo.discovery.registry import Registry, discover
from zoo.errors import UsageError, ZooError
from zoo.testing.algorithm import check_algorithm
from zoo.testing.contract import Contract
from zoo.testing.environment import check_environment
from zoo.testing.evaluator import check_evaluator
from zoo.testing.representation import check_representation
from zoo.training.environments.make_env import make_env, offers_of

CHEAP = ("two-state", "CartPole-v1", "FrozenLake-v1", "Pendulum-v1")
"""small environments, in the order in which they are tried"""


def check_plugin(distribution: str, *, options: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Check an installed plugin whole.

    It must load without a problem (as under ``ZOO_STRICT=1``), have a summary, a README and a line about every
    entry; its suites must be there and be TOML; every target must resolve; and every entry must pass its own check,
    algorithms, representations and evaluators on the first fitting one of the plugin's own environments and a few
    small ones.

    Args:
        distribution: name of the installed distribution.
        options: for an entry's name, further arguments of its check: ``{"ppo": {"steps": 256}}``; for an
            environment, its options; "env" chooses an algorithm's environment, and "subject" an evaluator's subject.

    Raises:
        AssertionError: one sentence that names the plugin and what broke.
        UsageError: the distribution is not installed, or ``options`` names no entry.
    """
    contract = Contract(f"plugin {distribution}")
    with contract.during("loading it"):
        strict = discover(only=[distribution], strict=True)
    if not strict.plugins:
        raise UsageError(
            strict.notices[0] if strict.notices else f"{distribution} has no entry point in the group zoo."
        )
    registry = discover(only=None)
    _check_metadata(contract, distribution)
    _check_suites(contract, strict)
    values = dict(options or {})
    entries = strict.entries()
    unknown = sorted(set(values) - {entry.name for entry in entries})
    if unknown:
        raise UsageError(f"options for {', '.join(unknown)}: {distribution} has {', '.join(e.name for e in entries)}.")
    for entry in entries:
        Contract.of(entry).require(entry.summary.strip(), "it has no summary")
        with Contract.of(entry).during("importing it"):
            entry.resolve()
            entry.resolve_config()
            if entry.vector:
                entry.load(entry.vector)
    for entry in entries:
        _check_entry(entry, registry, dict(values.get(entry.name, {})))


def _check_metadata(contract: Contract, distribution: str) -> None:
    package = metadata(distribution)
    contract.require((package["Summary"] or "").strip(), "its pyproject.toml has no description")
    readme = package.get_payload() or package["Description"]  # type: ignore[attr-defined]
    contract.require(isinstance(readme, str) and readme.strip(), "its README is missing or empty")


def _check_suites(contract: Contract, registry: Registry) -> None:
    """Each file that ``zoo_suites`` names is there and is TOML; zoo bench --list reads what it says."""
    problems: list[str] = []
    for _, places in registry.answers("zoo_suites", "suites", problems):
        for place in places:
            package, _, inside = str(place).partition(":")
            with contract.during(f"reading its suite {place!r}"):
                tomllib.loads(files(package).joinpath(inside).read_text(encoding="utf-8"))
    contract.require(not problems, next(iter(problems), ""))


def _check_entry(entry: Entry, registry: Registry, given: dict[str, Any]) -> None:
    if entry.kind == "environment":
        task = given.pop("task", "") if entry.family else ""
        example = f'pass options={{"{entry.name}": {{"task": ...}}}} to check_plugin'
        Contract.of(entry).require(task or not entry.family, f"it is a family: {example}")
        if not _lacks_package(EnvName(entry=entry, task=task), given):
            check_environment(f"{entry.qualified}:{task}" if task else entry.qualified, registry=registry, **given)
        return
    if entry.kind == "evaluator":
        subject = given.pop("subject", None) or _subject(entry, registry)
        check_evaluator(entry.qualified, subject, registry=registry, **given)
        return
    env = given.pop("env", None) or cheapest(entry, registry)
    check = check_algorithm if entry.kind == "algorithm" else check_representation
    check(entry.qualified, env, registry=registry, **given)


def _lacks_package(name: EnvName, given: Mapping[str, Any]) -> bool:
    """Whether an environment is of an extra that is not installed, and says so: that is nothing broken."""
    try:
        make_env(name, given, 1).close()
    except UsageError as error:
        return isinstance(error.__cause__, (ImportError, DependencyNotInstalled))
    return False


def cheapest(entry: Entry, registry: Registry) -> str:
    """The first environment that fills the needs of an algorithm or representation, small ones first.

    Raises:
        AssertionError: none does.
    """
    for name in _candidates(entry, registry):
        try:
            env = make_env(name, {}, 1)
        except ZooError:  # it needs options, or a package that is not there
            continue
        missing = unmet(entry.needs, offers_of(env))
        env.close()
        if not missing:
            return name.name
    raise Contract.of(entry).fail(
        f'no small environment fits it: pass options={{"{entry.name}": {{"env": ...}}}} to check_plugin'
    )


def _candidates(entry: Entry, registry: Registry) -> Iterator[EnvName]:
    fitting = registry.fitting(entry)
    yield from (EnvName(entry=env) for env in fitting if env.plugin == entry.plugin)
    for name in CHEAP:
        try:
            yield resolve_env(name, registry)
        except ZooError:  # zoo-envs need not be installed
            continue
    yield from (EnvName(entry=env) for env in fitting if env.plugin != entry.plugin)


def _subject(entry: Entry, registry: Registry) -> tuple[str, str]:
    kinds = ("representation",) if entry.subject == "representation" else ("algorithm",)
    entries = registry.entries(*kinds)  # type: ignore[arg-type]
    own_first = sorted(entries, key=lambda other: other.plugin != entry.plugin)
    for other in own_first if entry.subject != "file" else []:
        try:
            return other.qualified, cheapest(other, registry)
        except AssertionError:
            continue
    raise Contract.of(entry).fail(
        f'it judges a {entry.subject}, and there is none to try: pass options={{"{entry.name}": {{"subject": ...}}}} '
        "to check_plugin"
    )
