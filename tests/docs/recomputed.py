"""Verdicts computed anew from committed raw results: written from the page's own words, with nothing of zoo's.

What the page says: a claim compares a statistic over seeds with a margin on each environment; it holds where the whole
95 % interval satisfies the relation in each of them, fails where the whole interval (at 1 - .05 / k for k environments)
violates it in one, and is open otherwise. The interval is a bootstrap over seeds, each end moved away from the estimate
by sqrt(n / (n - 1)) t / z; shares have the interval of Clopper and Pearson.
"""

from __future__ import annotations

import csv
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import beta, norm, t

RESAMPLES = 20_000
HUGE = 1e150  # stands for a goal that was never reached
Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Raw:
    """Finished runs of a suite: label and environment to seed to metric to value, and to own interval."""

    values: dict[tuple[str, str], dict[int, dict[str, float]]]
    ends: dict[tuple[str, str, int, str], tuple[float, float]]
    failed: set[tuple[str, str, int]]


def read_raw(file: Path, suite: Mapping[str, Any]) -> Raw:
    raw = Raw({}, {}, set())
    of = {metric["name"]: metric["of"] for metric in suite.get("metrics", [])}
    with file.open(newline="") as lines:
        for line in csv.DictReader(lines):
            key, seed = (line["cell"], line["environment"]), int(line["seed"])
            if line["status"] == "failed":
                raw.failed.add((*key, seed))
            if line["status"] != "finished":
                continue
            raw.values.setdefault(key, {}).setdefault(seed, {})
            if not line["metric"]:
                continue
            raw.values[key][seed][line["metric"]] = float(line["value"])
            source = of.get(line["metric"], line["metric"])
            if "low" not in line:  # before the columns: what an evaluator scored counts as sampled
                judges = [name for cell in cells(suite) if cell["key"] == key for name in cell["judges"]]
                if source.split(".")[0] in judges or source.startswith("eval/"):
                    raw.ends[*key, seed, line["metric"]] = (math.nan, math.nan)
            elif line["low"]:
                raw.ends[*key, seed, line["metric"]] = (float(line["low"]), float(line["high"]))
    return raw


def cells(suite: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for cell in suite["cells"]:
        names = [judge if isinstance(judge, str) else judge["name"] for judge in cell.get("evaluators", [])]
        file = cell.get("file", "")
        label = cell.get("label", cell.get("algorithm", Path(file.rpartition(":")[2]).stem))
        for env in cell.get("environments", [cell.get("environment", names[0] if names else "")]):
            seeds = str(cell.get("seeds", "0"))
            if ":" in seeds:
                first, last = map(int, seeds.split(":"))
                listed = list(range(first, last))
            else:
                listed = [int(word) for word in re.findall(r"\d+", seeds)]
            yield {"key": (label, env), "seeds": [0] if file else listed, "file": bool(file),
                   "judges": [] if file else names}  # fmt: skip


def centre(x: Numbers, name: str, axis: int = -1) -> Numbers:
    if name.startswith("share-above"):
        return (x > float(name[len("share-above(") : -1])).mean(axis=axis)
    if name in ("mean", "median"):
        return np.asarray({"mean": np.mean, "median": np.median}[name](x, axis=axis))
    n = x.shape[axis]
    inner = [i for i in range(n) if n // 4 <= i < n - n // 4]
    return np.asarray(np.sort(x, axis=axis).take(inner, axis=axis).sum(axis=axis) / len(inner))


@dataclass
class Side:
    sign: float
    x: Numbers
    low: Numbers | None
    high: Numbers | None
    fixed: bool

    @property
    def sampled(self) -> bool:
        return self.low is not None

    @property
    def bounded(self) -> bool:
        return self.low is not None and self.high is not None and bool(np.isfinite([self.low, self.high]).all())


def alike(x: Numbers) -> bool:
    x = np.clip(x, -HUGE, HUGE)
    return bool(x.max() - x.min() <= 1e-9 * abs(x).max())


def deterministic(rows: Sequence[Mapping[str, float]]) -> bool:
    """At least two runs that agree in all that was not sampled, and somewhere in more than six digits."""
    if len(rows) < 2 or any(set(row) != set(rows[0]) for row in rows):
        return False
    agree = all(alike(np.array([row[name] for row in rows])) for name in rows[0])
    return agree and any(float(f"{value:.6g}") != value for value in rows[0].values())


def side(claim: Mapping[str, Any], term: Mapping[str, str], env: str, raw: Raw, file: bool) -> dict[int, Any]:
    """Seed to (value, low, high) on the scale of the claim; and under -1 whether the runs are fixed."""
    key, metric = (term["label"], env), term["metric"]
    rows = raw.values.get(key, {})

    def scaled(value: float) -> float:
        value = min(max(value, -HUGE), HUGE)
        return math.log(max(value, 1e-16)) if claim.get("scale") == "ratio" else value

    found: dict[int, Any] = {}
    for seed, row in rows.items():
        if metric in row and not math.isnan(row[metric]):
            ends = raw.ends.get((*key, seed, metric))
            found[seed] = (scaled(row[metric]), *((scaled(ends[0]), scaled(ends[1])) if ends else (None, None)))
            if ends and math.isnan(ends[0]):
                found[seed] = (found[seed][0], math.nan, math.nan)
    plain = [{name: x for name, x in row.items() if (*key, seed, name) not in raw.ends} for seed, row in rows.items()]
    found[-1] = file or deterministic(plain)
    return found


def as_side(found: Mapping[int, Any], seeds: Sequence[int], sign: float) -> Side:
    rows = [found[seed] for seed in seeds]
    x = np.array([row[0] for row in rows])
    if all(row[1] is None for row in rows):
        return Side(sign, x, None, None, found[-1])
    low = np.array([row[0] if row[1] is None else row[1] for row in rows])
    high = np.array([row[0] if row[2] is None else row[2] for row in rows])
    return Side(sign, x, low, high, found[-1])


def errors(one: Side, rng: np.random.Generator) -> Numbers:
    z = rng.normal(size=(RESAMPLES, len(one.x))) / norm.ppf(0.975)
    if not one.bounded or one.low is None or one.high is None:
        return 0 * z
    return np.asarray(np.where(z > 0, z * (one.high - one.x), z * (one.x - one.low)))


def ends_of(middle: float, rows: Sequence[Numbers], sizes: Sequence[float], level: float) -> tuple[float, float]:
    """Percentiles of the sum of deviations, moved outwards by Student over normal with Welch's degrees of freedom."""
    if not rows or not np.any(rows):
        return middle, middle
    share = np.array([row.var() for row in rows])
    share = share / share.sum()
    freedom = 1 / (sum(s**2 / (n - 1) for s, n in zip(share, sizes, strict=True)) or 1e-12)
    factor = t.ppf(0.5 + level / 2, freedom) / norm.ppf(0.5 + level / 2)
    low, high = np.quantile(np.sum(rows, axis=0), [0.5 - level / 2, 0.5 + level / 2])
    return middle + factor * min(low, 0.0), middle + factor * max(high, 0.0)


def effect(claim: Mapping[str, Any], sides: list[Side], constant: float, level: float) -> tuple[float, float, float]:
    """Estimate and interval on the scale of differences; NaN where there is none."""
    rng, name = np.random.default_rng(7), claim.get("statistic", "iqm")
    share = name.startswith("share")
    paired = claim.get("paired", True) and len(sides) == 2 and not share and not any(one.fixed for one in sides)
    both = constant + sum(one.sign * float(centre(one.x, name)) for one in sides)
    for one in sides:  # each seed drew anew
        one.fixed = one.fixed and (one.bounded or not one.sampled)
    if any(one.sampled and not one.bounded and alike(one.x) for one in sides):
        return both, math.nan, math.nan
    fixed = [one for one in sides if one.fixed]
    loose = [one for one in sides if not one.fixed]
    base = constant + sum(one.sign * float(centre(one.x, name)) for one in fixed)
    sure = [one.sign * (centre(one.x + errors(one, rng), name) - centre(one.x, name)) for one in fixed if one.bounded]
    rows: list[Numbers] = []
    sizes: list[float] = []
    samples = [(1.0, loose[0].x - loose[1].x)] if paired else [(one.sign, one.x) for one in loose]
    for sign, x in samples:
        n, here = len(x), float(centre(x, name))
        base += sign * here
        if n < (5 if alike(x) and not share else 3):
            return both if not paired else base, math.nan, math.nan
        if share:
            k = round(here * n)
            low = beta.ppf(0.025, k, n - k + 1) if k else 0.0
            high = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
            z = rng.normal(size=RESAMPLES) / norm.ppf(0.975)
            rows.append(sign * np.where(z > 0, z * (high - here), z * (here - low)))
            sizes.append(1e9)
        elif not alike(x):
            drawn = centre(x[rng.integers(n, size=(RESAMPLES, n))], name) - here
            rows.append(sign * math.sqrt(n / (n - 1)) * drawn)
            sizes.append(n)
    candidates = [ends_of(base, [*rows, *sure], [*sizes, *[1e9] * len(sure)], level)]
    if any(one.bounded for one in loose):
        if paired:
            moved = sum((one.sign * (one.x + errors(one, rng)) for one in loose), np.zeros(1))
            noise = [np.asarray(centre(moved, name) - centre(samples[0][1], name))]
        else:
            noise = [one.sign * (centre(one.x + errors(one, rng), name) - centre(one.x, name))
                     for one in loose if one.bounded]  # fmt: skip
        candidates.append(ends_of(base, [*noise, *sure], [1e9] * (len(noise) + len(sure)), level))
    return base, *max(candidates, key=lambda ends: ends[1] - ends[0])


@dataclass
class Recomputed:
    """One claim: the answer, and by environment estimate and interval as the page shows them.

    ``near``: an end is so near to the margin that another bootstrap may decide otherwise.
    """

    answer: str
    effects: dict[str, tuple[float, float, float]]
    near: bool


def relation_holds(claim: Mapping[str, Any], low: float, high: float) -> tuple[bool, bool]:
    ratio = claim.get("scale") == "ratio"
    margin, kind = claim.get("margin", 1.0 if ratio else 0.0), claim["relation"]
    if kind == "within":
        least = 1 / margin if ratio else -margin
        return least <= low and high <= margin, high < least or low > margin
    holds = {"<": high < margin, "<=": high <= margin, ">": low > margin, ">=": low >= margin}[kind]
    fails = {"<": low >= margin, "<=": low > margin, ">": high <= margin, ">=": high < margin}[kind]
    return holds, fails


def recompute(claim: Mapping[str, Any], suite: Mapping[str, Any], raw: Raw) -> Recomputed:
    asked = {cell["key"]: cell for cell in cells(suite)}
    terms = [claim["left"], *([claim["right"]] if isinstance(claim["right"], dict) else [])]
    wanted = claim.get("environments", "all")
    if wanted == "all":
        order = dict.fromkeys(env for _, env in asked)
        wanted = [env for env in order if all((term["label"], env) in asked for term in terms)]
    ratio = claim.get("scale") == "ratio"
    margin = claim.get("margin", 1.0 if ratio else 0.0)
    incomplete, near, holding, failing = False, False, [], []
    effects: dict[str, tuple[float, float, float]] = {}
    for env in wanted:
        found = []
        for place, term in enumerate(terms):
            cell = asked[term["label"], env]
            one = side(claim, term, env, raw, cell["file"])
            if claim.get("failed") == "worst":
                small = claim["relation"].startswith("<")
                worst = math.log(1e-16) if ratio else -HUGE
                bad = (math.log(HUGE) if ratio else HUGE) if small == (place == 0) else worst
                one |= {seed: (bad, None, None) for *key, seed in raw.failed if tuple(key) == (term["label"], env)}
            incomplete = incomplete or any(seed not in one for seed in cell["seeds"])
            found.append(one)
        seeds = [sorted(seed for seed in one if seed >= 0) for one in found]
        if not all(seeds):
            effects[env] = (math.nan,) * 3
            holding.append(False)
            failing.append(False)
            continue
        name = claim.get("statistic", "iqm")
        pairs = claim.get("paired", True) and len(found) == 2 and not name.startswith("share")
        if pairs and not any(one[-1] for one in found):
            seeds = [sorted(set(seeds[0]) & set(seeds[1]))] * 2
        sides = [as_side(one, listed, sign) for one, listed, sign in zip(found, seeds, (1.0, -1.0), strict=False)]
        number = claim["right"] if not isinstance(claim["right"], dict) else None
        constant = 0.0 if number is None else -(math.log(number) if ratio else number)

        def shown(value: float, number: float | None = number) -> float:
            value = math.exp(min(value, math.log(HUGE))) if ratio else value
            return math.copysign(math.inf, value) if abs(value) > 1e130 else value

        for level, into in ((0.95, holding), (1 - 0.05 / len(wanted), failing)):
            estimate, low, high = (shown(x) for x in effect(claim, sides, constant, level))
            answer = (False, False) if math.isnan(low) else relation_holds(claim, low, high)
            into.append(answer[0] if into is holding else answer[1])
            bounds = [margin, -margin] if claim["relation"] == "within" and not ratio else [margin, 1 / (margin or 1)]
            slack = 0.06 * (high - low) if math.isfinite(low) and math.isfinite(high) else 0.0
            near = near or (slack > 0 and any(abs(end - at) <= slack for end in (low, high) for at in bounds))
            if into is holding:
                offset = number if number is not None and not ratio else 0.0
                effects[env] = (estimate + offset, low + offset, high + offset)
    answer = "reproduced" if all(holding) else "not reproduced" if any(failing) else "inconclusive"
    if incomplete:
        answer = "incomplete"
    return Recomputed(answer, effects, near)


def words(claim: Mapping[str, Any], answer: str) -> str:
    """As the page prints an answer: no word of reproduction for what no paper claims."""
    if answer in ("inconclusive", "incomplete"):
        return answer
    if claim["source"] in ("ours", "exact"):
        return {"reproduced": "as before", "not reproduced": "changed"}[answer]
    return f"{answer} (small model)" if claim.get("setting") == "small model" else answer


def load_suite(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))
