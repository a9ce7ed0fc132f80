"""The evaluator ``harp``: a file of responses in, tables beside the paper's out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo import EvalContext, Evaluator, Report, UsageError
from zoo_harp.config import HarpConfig
from zoo_harp.evaluation import paper
from zoo_harp.evaluation.audit import cases
from zoo_harp.evaluation.data import Dataset, load_dataset
from zoo_harp.evaluation.html import write_page
from zoo_harp.evaluation.items import write_items
from zoo_harp.evaluation.jsonl import DataError, Loaded
from zoo_harp.evaluation.responses import Response, Run, load_responses
from zoo_harp.evaluation.scoring import Scored, score
from zoo_harp.evaluation.tables import Row, Sampled, Settings, restrict, rows, sampled, shuffle_rows


@dataclass(frozen=True)
class Judgement:
    """The results of the evaluator.

    Attributes:
        rows: of the tables.
        scored: every verdict.
        notes: sentences to print.
    """

    rows: Sequence[Row]
    scored: Sequence[Scored]
    notes: Sequence[str]


class Harp(Evaluator[HarpConfig]):
    """Judges a file of responses to problems of HARP."""

    def evaluate(self, subject: Path, ctx: EvalContext) -> Report:
        """Check both files, then score.

        Returns:
            The scores of each run, one row for each run and level, subject, and level of a subject, and notes.

        Raises:
            DataError: a file is malformed; nothing was scored.
            UsageError: no dataset was given, a k exceeds the number of samples, or an output cannot be written.
        """
        judgement = judge(Path(subject), self.config, ctx)
        if self.config.items:
            write_items(Path(self.config.items), judgement.scored)
        if self.config.html:
            title = f"HARP: {Path(subject).name}"
            audited, notes = cases(judgement.scored), judgement.notes
            write_page(Path(self.config.html), title=title, rows=judgement.rows, cases=audited, notes=notes)
        return Report(scores=_scores(judgement.rows), rows=judgement.rows, notes=judgement.notes)


def judge(path: Path, config: HarpConfig, ctx: EvalContext) -> Judgement:
    """Read, check and score one file; as ``Harp.evaluate``, without writing anything."""
    models = paper.models(config.paper)
    if not config.dataset:
        raise UsageError("harp needs the problems that were asked: expected --dataset FILE.jsonl or FILE.zip.")
    dataset = load_dataset(Path(config.dataset), skip_bad=config.skip_bad)
    loaded = load_responses(path, known=dataset.problems.__contains__, skip_bad=config.skip_bad)
    short, choice = _ids(dataset, "short"), _ids(dataset, "choice")
    asked = [response for response in loaded.items if response.id in (choice if response.run.layout else short)]
    if not asked:
        raise DataError("answers no problem of the split that it was asked for.", str(path))
    settings = Settings(k=config.k, orders=config.orders, models=models, timeout_s=config.timeout_s)
    scored = score(dataset.problems, asked, workers=config.workers, timeout_s=config.timeout_s)
    by_run: dict[Run, list[Scored]] = {}
    for item in scored:
        by_run.setdefault(item.response.run, []).append(item)
    runs = [sampled(run, by_run[run], settings, ctx.rng) for run in sorted(by_run)]
    notes = _notes(dataset, loaded, len(asked), scored, runs, models)
    return Judgement([*_all_rows(runs, dataset, settings)], scored, notes)


def _ids(dataset: Dataset, split: str) -> frozenset[str]:
    return frozenset(problem.id for problem in dataset.split(split))


def _all_rows(runs: Sequence[Sampled], dataset: Dataset, settings: Settings) -> list[Row]:
    """Each run, then the shuffles together, then each run on the problems of both splits."""
    table = [row for run in runs for row in rows(run, settings)]
    table += shuffle_rows(runs)
    if {bool(run.run.layout) for run in runs} == {True, False}:
        both = _ids(dataset, "both")
        table += [
            row for run in runs if both & set(run.samples) for row in rows(restrict(run, both), settings, both=True)
        ]
    return table


def _scores(table: Sequence[Row]) -> dict[str, float]:
    """The main figures over all problems, accuracy by level and subject, quartiles of tokens; the rows have the others.

    With several runs each figure is called "run/figure".
    """
    totals = [row for row in table if row["group"] == "all"]
    several = len(totals) > 1
    scores: dict[str, float] = {}
    for row in totals:
        prefix = f"{row['run']}/" if several else ""
        scores |= {prefix + name: float(value) for name, value in row.items() if _is_score(name)}
        groups = [r for r in table if r["run"] == row["run"] and r["group"] != "all" and " " not in str(r["group"])]
        scores |= {f"{prefix}{group['group']}/accuracy": float(group["accuracy"]) for group in groups}
    for row in table:
        if str(row["run"]).endswith("shuffles"):
            scores[f"{row['run']}/{row['group']}"] = row["accuracy"]
    return scores


def _is_score(name: str) -> bool:
    detail = name.startswith(("maj@", "tokens")) and (" " in name or "/" in name)
    quartile = name.startswith("tokens/")
    return quartile or not (detail or name in ("run", "group"))


def _notes(
    dataset: Dataset, loaded: Loaded[Response], asked: int, scored: Sequence[Scored], runs: Sequence[Sampled],
    models: Sequence[str],
) -> list[str]:  # fmt: skip
    notes = []
    for source, skipped in ((str(dataset.path), dataset.skipped), ("the responses", loaded.skipped)):
        if skipped:
            notes.append(f"{len(skipped)} bad lines of {source} were skipped; the first: {skipped[0].message}")
    if len(loaded.items) > asked:
        notes.append(
            f"{len(loaded.items) - asked} responses are left out: their problems are proofs or calculus, have no "
            "reference answer, or need choices that were not shown."
        )
    for run in runs:
        split = _ids(dataset, "choice" if run.run.layout else "short")
        if missing := len(split) - len(run.samples):
            notes.append(f"{run.run.name}: {missing} of {len(split)} problems have no response and are not counted.")
    if late := sum(item.timed_out for item in scored):
        notes.append(f"{late} checks ran out of time and count as wrong.")
    if undecided := sum(item.undecided for item in scored) - late:
        notes.append(f"{undecided} checks were undecided (too large, or not provable); they are not right.")
    if differ := sum(item.response.claimed not in (None, item.correct) for item in scored):
        notes.append(f"{differ} verdicts differ from those in the file; --html FILE shows them.")
    published = sorted({figure.n for figure in paper.figures() if figure.model in models})
    if published and not {len(run.problems) for run in runs} & set(published):
        sizes = ", ".join(map(str, published))
        notes.append(f"the paper's columns are of {sizes} problems; compare only results on the same ones.")
    notes.append("percent, with Wilson's 95 % interval over problems.")
    return notes
