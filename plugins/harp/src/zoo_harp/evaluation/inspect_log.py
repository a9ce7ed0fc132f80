"""Logs of inspect_ai as files of responses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo import UsageError
from zoo_harp.evaluation.jsonl import DataError, Line


def lines(path: Path) -> Iterator[Line]:
    """The samples of a log, ``.eval`` or ``.json``, as lines of a file of responses.

    Samples are named as the task ``zoo_harp/harp`` names them; of another task, the sample's id must be the problem's.
    Samples that ended in an error have no response and are left out.

    Raises:
        UsageError: inspect_ai is not installed.
        DataError: the file is not a log, or the log of a run that failed.
    """
    try:
        from inspect_ai.log import read_eval_log
    except ImportError as error:
        raise UsageError(
            f"{path} is a log of inspect_ai, which is not installed.", "pip install 'zoo-harp[inspect]'"
        ) from error
    try:
        log = read_eval_log(str(path))
    except Exception as error:  # its readers raise whatever their parsers do
        hint = "a file of responses ends in .jsonl."
        raise DataError(f"is not a log of inspect_ai: {type(error).__name__}.", str(path), hint=hint) from error
    if log.status == "error":
        reason = log.error.message.strip().splitlines()[-1:] if log.error is not None else []
        raise DataError(
            f"is the log of a run that failed{': ' + reason[0] if reason else '.'}", str(path),
            hint="inspect eval-retry goes on with it; its responses are not judged as if it were whole.",
        )  # fmt: skip
    for number, sample in enumerate(log.samples or (), start=1):
        if sample.error is None:
            yield Line(str(path), number, _record(sample))


def _record(sample: Any) -> dict[str, Any]:
    record = (sample.metadata or {}).get("record") or {"id": str(sample.id), "sample": sample.epoch - 1}
    usage = sample.output.usage
    return {
        **record,
        "response": sample.output.completion,
        "finish_reason": sample.output.stop_reason if sample.output.choices else "unknown",
        "tokens": usage.output_tokens if usage is not None else None,
    }
