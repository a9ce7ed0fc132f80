"""``zoo rep``: look at representations and plans on an environment with an exact model, without training anything."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from zoo import CommandOptions, CommandParser, UsageError

if TYPE_CHECKING:
    import numpy as np

    from zoo import Problem
    from zoo_successor.learning.td import Floats
    from zoo_successor.plots.tables import Panel

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Command = Callable[[argparse.Namespace], int]
KINDS = ("sr", "fr", "lambda")
LARGEST = 6
"""States named on the terminal."""


def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run ``zoo rep``."""
    parsed = _parser().parse_args(args)
    return int(parsed.run(parsed))


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo rep", description="Representations, exact: heat maps, comparisons, plans, and the returns of runs.",
        examples=["zoo rep show lambda four-rooms --state 100 --lambda 0.5",
                  "zoo rep compare four-rooms --lambdas 0,0.5,1",
                  "zoo rep plan four-rooms --env task=goals --goal 20"],
    )  # fmt: skip
    commands = parser.add_subparsers(dest="rep_command", metavar="COMMAND", required=True)
    show = _add(
        commands, "show", show_one, "Heat maps of a row and a column of one representation; numbers of the largest.",
        ["zoo rep show lambda four-rooms --state 100 --lambda 0.5", "zoo rep show fr escape --goal 52"],
    )  # fmt: skip
    show.add_argument("representation", choices=KINDS)
    _environment(show)
    _where(show)
    show.add_argument(
        "--lambda", dest="lam", type=_lam, metavar="X", help="factor per visit (default: the environment's)"
    )
    compare = _add(
        commands, "compare", compare_lambdas, "The same row and column for several lambda; 0 is the FR and 1 the SR.",
        ["zoo rep compare four-rooms --lambdas 0,0.5,1 --state 100 --policy greedy:24"],
    )  # fmt: skip
    _environment(compare)
    _where(compare)
    compare.add_argument("--lambdas", type=_lams, default=(0.0, 0.5, 1.0), metavar="X,X", help="default: 0,0.5,1")
    plan = _add(
        commands, "plan", show_plan, "The route of first-occupancy planning, subgoals numbered.",
        ["zoo rep plan escape --env size=25", "zoo rep plan four-rooms --env task=goals --start 100 --goal 20"],
    )  # fmt: skip
    _environment(plan)
    plan.add_argument("--start", type=int, metavar="CELL", help="default: the likeliest first cell")
    plan.add_argument("--goal", type=int, metavar="CELL", help="default: where the environment pays most")
    plan.add_argument(
        "--policies", default="actions", help='base policies: "actions" (default), or cells such as 80,24'
    )
    plan.add_argument("--segments", type=int, default=0, metavar="N", help="most segments (default: no limit)")
    remaining = _add(
        commands, "remaining", show_remaining, "What remains at each step of an episode of generalised improvement.",
        ["zoo rep remaining four-rooms --env task=diminishing stay=true --lambda 0.5"],
    )  # fmt: skip
    _environment(remaining)
    remaining.add_argument(
        "--lambda", dest="lam", type=_lam, metavar="X", help="the agent's (default: the environment's)"
    )
    remaining.add_argument("--start", type=int, metavar="CELL", help="default: the likeliest first cell")
    remaining.add_argument("--steps", type=_steps, default=40, metavar="N", help="of the episode (default: 40)")
    returns = _add(
        commands, "returns", show_returns, "Median, mean, standard error and share above a level of finished runs.",
        ["zoo rep returns runs/riverswim --above 100000"],
    )  # fmt: skip
    returns.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run directory, or one above some")
    returns.add_argument("--metric", default="return/total", help="final value of this (default: return/total)")
    returns.add_argument("--above", type=float, default=100_000.0, metavar="X", help="default: 100000")
    returns.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    return parser


def _add(
    commands: Subparsers, name: str, run: Command, summary: str, examples: Sequence[str]
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary, examples=examples)
    parser.set_defaults(run=run)
    return parser


def _environment(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("environment", help="a registered environment with an exact model")
    add("--env", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="options of the environment")
    add("--gamma", type=_gamma, metavar="X", help="discount (default: the model's)")
    add("-o", "--output", type=Path, metavar="FILE", help="PNG, SVG or PDF (default: a PNG in plots/)")


def _where(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--state", type=int, metavar="CELL", help="whose row (default: the likeliest first cell)")
    add("--goal", type=int, metavar="CELL", help="whose column (default: that of --state)")
    add("--policy", default="uniform", help='"uniform" (default), "greedy:CELL", or "actions:310...", a digit a state')


def show_one(args: argparse.Namespace) -> int:
    """``zoo rep show``."""
    from zoo_successor.learning.problem import factor

    fixed = {"sr": 1.0, "fr": 0.0}.get(args.representation)
    if fixed is not None and args.lam is not None:
        raise UsageError(
            f"--lambda does not go with {args.representation}: expected it with the representation lambda."
        )
    problem = _problem(args)
    lam = factor(problem, args.lam if fixed is None else fixed, problem.tabular.num_states, default=0.5)
    label = args.representation if fixed is not None else f"lambda {float(lam.flat[0]):g}"
    table, gamma = _tables(problem, args, [lam])[0]
    return _draw(
        args, problem, [(label, table)], gamma, f"rep-{args.representation}", steps=args.representation == "fr"
    )


def compare_lambdas(args: argparse.Namespace) -> int:
    """``zoo rep compare``."""
    problem = _problem(args)
    by_lambda = _tables(problem, args, [float(lam) for lam in args.lambdas])
    names = {0.0: "lambda 0 (FR)", 1.0: "lambda 1 (SR)"}
    tables = [
        (names.get(lam, f"lambda {lam:g}"), table) for lam, (table, _) in zip(args.lambdas, by_lambda, strict=True)
    ]
    return _draw(args, problem, tables, by_lambda[0][1], "rep-compare", steps=False)


def _draw(
    args: argparse.Namespace,
    problem: Problem,
    tables: Sequence[tuple[str, Floats]],
    gamma: float,
    stem: str,
    *,
    steps: bool,
) -> int:
    """Row and column of each table as heat maps; the largest entries in words."""
    import numpy as np

    from zoo_successor.learning.problem import cell_of, state_of
    from zoo_successor.plots.tables import Panel, heat_maps

    state = _start(problem, args.state)
    goal = state if args.goal is None else state_of(problem, args.goal)
    origin, target = cell_of(problem, state), cell_of(problem, goal)
    rows: list[list[Panel]] = [[], []]
    for name, table in tables:
        # Successor representations are larger by far: on their scale the others would be dark.
        scale = "sr" if name in ("sr", "lambda 1 (SR)") else ""
        rows[0].append(Panel(f"{name}: from {origin}", table[state], (state,), scale))
        rows[1].append(Panel(f"{name}: to {target}", table[:, goal], (goal,), scale))
    if steps:
        with np.errstate(divide="ignore"):
            expected = np.log(table.clip(0.0)) / np.log(gamma)
        for row, values in zip(rows, (expected[state], expected[:, goal]), strict=True):
            row.append(Panel("in steps", np.where(np.isfinite(values), values, np.nan), row[0].marked, "steps"))
    title = f"{args.environment}, policy {args.policy}, gamma {gamma:g}"
    for name, table in tables:
        largest = np.argsort(-table[state], kind="stable")[:LARGEST]
        entries = ", ".join(f"{cell_of(problem, int(s))} {table[state, s]:.4g}" for s in largest)
        _print(f"{name}, from {origin}: {entries}")
    return _save(args, heat_maps(problem, rows, title), stem)


def show_plan(args: argparse.Namespace) -> int:
    """``zoo rep plan``."""
    import numpy as np

    from zoo_successor.exact import representations as exact
    from zoo_successor.learning.problem import base_policies, cell_of, dense_kernel, discount, goal_state
    from zoo_successor.planning.frp import frp
    from zoo_successor.planning.plan_following import route
    from zoo_successor.plots.tables import plan_route

    if args.segments < 0:
        raise UsageError(f"--segments {args.segments}: expected at least 0 (0: no limit).")
    problem = _problem(args)
    model, gamma = problem.tabular, discount(problem, args.gamma)
    start, goal = _start(problem, args.start), goal_state(problem, args.goal)
    policies, names = base_policies(problem, args.policies, gamma)
    P = dense_kernel(model)
    chains = np.stack([P[np.arange(model.num_states), policy] for policy in policies])
    if not np.isin(chains, (0.0, 1.0)).all():
        raise UsageError("a route needs certain transitions: leave out the noise of the environment.")
    tables = np.stack([exact.first_occupancy(chain, gamma, model.terminal) for chain in chains])
    plan = frp(tables, goal, args.segments or None)
    segments = plan.segments(start)
    origin, target = cell_of(problem, start), cell_of(problem, goal)
    if segments is None:
        _print(f"{target} cannot be reached from {origin} with these base policies: value 0, no plan.")
        return 0
    for number, segment in enumerate(segments, start=1):
        _print(f"{number}. {names[segment.policy]} until {cell_of(problem, segment.subgoal)}")
    path = route(plan, start, chains)
    assert path is not None  # noqa: S101  there are segments
    path = path[path >= 0]
    _print(f"value {plan.value[start]:.6g}, {len(path) - 1} steps")
    subgoals = [segment.subgoal for segment in segments] or [goal]
    title = f"{args.environment}: {origin} to {target} in {len(path) - 1} steps"
    return _save(args, plan_route(problem, path, subgoals, title), "rep-plan")


def show_remaining(args: argparse.Namespace) -> int:
    """``zoo rep remaining``."""
    import numpy as np

    from zoo_successor.control.base import Remaining
    from zoo_successor.exact import representations as exact
    from zoo_successor.learning.problem import base_policies, cell_of, dense_kernel, discount, factor
    from zoo_successor.planning.gpi_rule import gpi
    from zoo_successor.plots.tables import remaining_bars

    problem = _problem(args)
    if problem.diminishing is None:
        raise UsageError(f"the rewards of {args.environment} do not diminish: expected an environment where they do.")
    model, gamma, own = problem.tabular, discount(problem, args.gamma), problem.diminishing
    lam = factor(problem, args.lam, model.num_states)
    P = dense_kernel(model)
    chosen = np.eye(model.num_actions)[base_policies(problem, "rewards", gamma)[0]]
    Phi = np.stack([exact.state_action(P, policy, gamma, lam, model.terminal) for policy in chosen])
    rewards_left = Remaining(np.array(own.base), np.array(own.lam), count_start=own.count_start, recovery=own.recovery)
    s, rng = np.array([_start(problem, args.start)]), np.random.default_rng(0)
    remaining = [rewards_left.read(s)]
    total, cumulative = 0.0, P.cumsum(axis=2)
    start = cell_of(problem, int(s[0]))
    for t in range(args.steps):
        row = cumulative[s, gpi(Phi, remaining[-1], s)]
        s = (row <= rng.random((1, 1)) * row[:, -1:]).sum(axis=1)
        total += gamma ** (t + 1) * float(remaining[-1][0, s[0]])
        remaining.append(rewards_left.read(s))
    agent = f"lambda {float(lam.flat[0]):g}"
    _print(f"{agent}, from {start}: discounted return {total:.6g}, {float(remaining[-1].sum()):.4g} remains")
    return _save(
        args, remaining_bars(problem, np.concatenate(remaining), f"{args.environment}, {agent}"), "rep-remaining"
    )


def show_returns(args: argparse.Namespace) -> int:
    """``zoo rep returns``."""
    from zoo_successor.plots.tails import summarise

    rows = summarise(args.runs, args.metric, args.above)
    if args.json:
        _print(json.dumps(rows, indent=2))
        return 0
    names = list(rows[0])
    lines = [names, *[[_text(row[name]) for name in names] for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(names))]
    for line in lines:
        _print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


def _text(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _problem(args: argparse.Namespace) -> Problem:
    from zoo_successor.learning.environment import build_problem, parse_options
    from zoo_successor.plots.tables import check_suffix

    if args.output is not None:
        check_suffix(args.output)
    return build_problem(args.environment, parse_options(args.env))


def _start(problem: Problem, cell: int | None) -> int:
    from zoo_successor.learning.problem import state_of

    return int(problem.tabular.rho.argmax()) if cell is None else state_of(problem, cell)


def _tables(
    problem: Problem, args: argparse.Namespace, lams: Sequence[float | np.ndarray]
) -> list[tuple[Floats, float]]:
    """The exact tables of the policy for several lambda from one inverse, each with the discount."""
    from zoo_successor.evaluate import policy_table
    from zoo_successor.exact import representations as exact
    from zoo_successor.learning.problem import dense_kernel, discount

    model, gamma = problem.tabular, discount(problem, args.gamma)
    chain = exact.policy_chain(dense_kernel(model), policy_table(problem, args.policy))
    M = exact.successor(chain, gamma, model.terminal)
    return [(exact.from_successor(M, lam), gamma) for lam in lams]


def _save(args: argparse.Namespace, figure: Any, stem: str) -> int:
    from zoo_successor.plots.tables import save

    path = args.output or Path("plots") / f"{stem}-{args.environment}.png"
    save(figure, path)
    _print(str(path))
    return 0


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _number(text: str, low: float, high: float, expected: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text} is not a number in {expected}")
    return value


def _lam(text: str) -> float:
    return _number(text, 0.0, 1.0, "[0, 1]")


def _lams(text: str) -> tuple[float, ...]:
    return tuple(_lam(part) for part in text.split(","))


def _gamma(text: str) -> float:
    return _number(text, 0.0, 1.0 - 1e-12, "[0, 1)")


def _steps(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not an integer of at least 1")
    return int(text)
