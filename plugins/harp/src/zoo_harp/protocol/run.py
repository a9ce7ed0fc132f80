"""``zoo harp run``: ask a model every question that has no response yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import UsageError
from zoo_harp.protocol.journal import open_journal
from zoo_harp.protocol.plan import Plan, questions

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog


BATCH = 2000
"""questions in one evaluation of inspect_ai, which keeps everything about them in memory until its end"""


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Settings of the model and of its sampling.

    Attributes:
        model: as inspect_ai names it, such as "openai/gpt-4o-mini".
        out: file of responses; continued if it exists.
        base_url: of the service; empty: the provider's own.
        temperature: None: 0 for one sample, 1 for several.
        top_p: None: 0.95 where the temperature is above 0.
        max_tokens: limit of one response.
        max_connections: questions at the same time.
        max_retries: of one question that failed in a way that may pass (429, 5xx, a lost connection).
        timeout_s: for one question with all its retries.
        attempt_timeout_s: for one attempt.
        log_dir: where inspect_ai keeps its own log.
        display: of inspect_ai: "rich", "plain", "none" and others.
    """

    model: str
    out: Path
    base_url: str = ""
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int = 2048
    max_connections: int = 10
    max_retries: int = 5
    timeout_s: int = 600
    attempt_timeout_s: int = 300
    log_dir: Path | None = None
    display: str = "none"

    def __post_init__(self) -> None:
        """Check every range."""
        for name in ("max_tokens", "max_connections", "timeout_s", "attempt_timeout_s"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} = {getattr(self, name)}: expected at least 1.")
        if self.max_retries < 0:
            raise UsageError(f"max_retries = {self.max_retries}: expected at least 0.")
        if self.temperature is not None and self.temperature < 0:
            raise UsageError(f"temperature = {self.temperature}: expected at least 0.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise UsageError(f"top_p = {self.top_p}: expected more than 0 and at most 1.")


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run.

    Attributes:
        asked: number of questions of the plan.
        before: how many had been answered already.
        answered: how many are answered now.
        errors: reasons why the others failed, each once.
        interrupted: whether it was stopped by a person.
    """

    asked: int
    before: int
    answered: int
    errors: Sequence[str]
    interrupted: bool

    @property
    def complete(self) -> bool:
        """Whether every question is answered."""
        return self.answered >= self.asked


def run(plan: Plan, asking: ModelSettings) -> Outcome:
    """Ask the questions of a plan that have no response yet; every response is written to disk as soon as it arrives.

    Raises:
        UsageError: inspect_ai is missing, the model is unknown, or the file has other settings; ``DataError``.
    """
    try:
        from inspect_ai import eval as evaluate

        from zoo_harp.protocol.inspect_task import generation, task_of
    except ImportError as error:
        raise UsageError(
            f"asking models needs inspect_ai ({error.name} is missing).", "pip install 'zoo-harp[inspect]'"
        ) from error
    asked = questions(plan)
    sampling = generation(plan.samples, asking.temperature, asking.top_p)
    settings = plan.settings() | sampling | {"model": asking.model, "max_tokens": asking.max_tokens}
    with open_journal(asking.out, settings) as (journal, done):
        remaining = [question for question in asked if question.key not in done]
        before = len(asked) - len(remaining)
        errors: list[str] = []
        interrupted = False
        for start in range(0, len(remaining), BATCH):
            answered = journal.added
            task = task_of(remaining[start : start + BATCH], sampling, max_tokens=asking.max_tokens, journal=journal)
            logs = _evaluate(evaluate, task, asking)
            errors += _errors(logs)
            interrupted = not logs or any(log.status == "cancelled" for log in logs)  # there may be no log then
            # An API key that is refused is refused for the other batches too.
            if interrupted or journal.added == answered:
                break
    return Outcome(len(asked), before, before + journal.added, list(dict.fromkeys(errors)), interrupted)


def _evaluate(evaluate: Any, task: Any, asking: ModelSettings) -> list[EvalLog]:
    try:
        logs: list[EvalLog] = evaluate(
            task,
            model=asking.model,
            model_base_url=asking.base_url or None,
            display=asking.display,
            log_dir=str(asking.log_dir or asking.out.parent / "inspect-logs"),
            log_realtime=False,
            fail_on_error=False,
            max_connections=asking.max_connections,
            max_samples=asking.max_connections,
            max_retries=asking.max_retries,
            timeout=asking.timeout_s,
            attempt_timeout=asking.attempt_timeout_s,
        )
    except Exception as error:  # no such model or provider, a missing key or package: each has its own exception
        raise UsageError(f"inspect_ai cannot ask {asking.model}: {_sentence(error)}.") from error
    return logs


def _errors(logs: Sequence[EvalLog]) -> list[str]:
    messages = [_sentence(sample.error.message) for log in logs for sample in log.samples or () if sample.error]
    messages += [_sentence(log.error.message) for log in logs if log.error]
    return messages


def _sentence(error: Any) -> str:
    text = " ".join(str(getattr(error, "message", error)).split())
    return text[:300].rstrip(".")
