"""``zoo icl heads``: which heads of somebody else's language model do what."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import UsageError
from zoo.cli import documented, emit, natural, write
from zoo_icl.heads_meanings import MEANINGS

if TYPE_CHECKING:
    from zoo_icl.adapters.loading import LanguageModel
    from zoo_icl.adapters.tokens import Tokens

_RANDOM = {"period": 25, "sequences": 16, "seed": 0}
"""options of random tokens"""
_DESCRIPTION = """Score every head of a causal language model: a directory of Hugging Face transformers.

Each score is a mean over sequences with its standard error. Without prompts, they are random tokens, repeated
once. Padding and special tokens never count. Predictable tokens complete a pair of tokens that was seen before.
"""


def add_heads(commands: Any) -> None:
    """Add ``heads`` to the commands of ``zoo icl``."""
    meanings = "\n".join(f"  {name:<10} {meaning}" for name, meaning in MEANINGS.items())
    parser = commands.add_parser(
        "heads",
        help="Score every head of a Hugging Face language model: induction, copying, previous token, ...",
        description=f"{_DESCRIPTION}\nscores:\n{meanings}\n",
        examples=[
            "zoo icl heads ./gpt2",
            "zoo icl heads ./gpt2 --prompts prompts.txt --scores prefix,previous --json",
            'zoo icl heads ./gpt2 --clamp "Ablate(5:1)" "PrevToken(4:*)"',
        ],
    )
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL", help="directory with config.json and model.safetensors")
    add("--prompts", type=Path, metavar="FILE", help="texts, one on each line (default: random tokens, repeated)")
    add("--clamp", nargs="+", default=(), metavar="CLAMP", help="in force throughout, heads as layer:head")
    add("--scores", type=_names, default=tuple(MEANINGS), metavar="NAMES",
        help="with commas between (default: all; loss runs the model once for each head)")  # fmt: skip
    add("--show", choices=tuple(MEANINGS), metavar="NAME", help="score of the matrix (default: the first of --scores)")
    add("--period", type=natural, metavar="N", help="random tokens before they repeat (default: 25)")
    add("--sequences", type=natural, metavar="N", help="of random tokens (default: 16)")
    add("--seed", type=int, metavar="N", help="of the random tokens (default: 0)")
    add("--device", default="cpu", metavar="NAME", help="where the model runs (default: cpu)")
    add("--json", action="store_true", help="print all scores as one JSON document")
    parser.set_defaults(run=heads)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if unknown := [name for name in names if name not in MEANINGS]:
        raise argparse.ArgumentTypeError(f"there is no score {unknown[0]!r}; scores are {', '.join(MEANINGS)}")
    return names


@documented
def heads(parsed: argparse.Namespace) -> int:
    """Run ``zoo icl heads``.

    Raises:
        UsageError: a model, file or clamp that it cannot be run on.
    """
    from zoo_icl.adapters.head_scores import score_heads
    from zoo_icl.adapters.loading import load_model
    from zoo_icl.heads_report import document, notes_on, text

    shown = parsed.show or parsed.scores[0]
    if shown not in parsed.scores:
        raise UsageError(f"--show {shown}: it is not among --scores {','.join(parsed.scores)}.")
    for name, default in _RANDOM.items():
        if getattr(parsed, name) is None:
            setattr(parsed, name, default)
        elif parsed.prompts:
            raise UsageError(f"--{name} is about random tokens: expected it without --prompts.")
    prompts = _read(parsed.prompts) if parsed.prompts else None
    loaded = load_model(parsed.model, parsed.device)
    try:
        tokens = _tokens(loaded, parsed, prompts)
        found = score_heads(
            loaded.model, tokens, clamps=parsed.clamp, scores=parsed.scores, known=loaded.known, progress=_progress
        )
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
    notes = notes_on(loaded, found, parsed.scores, tokens.ids.shape[1])
    if parsed.json:
        emit(
            {
                "model": str(parsed.model),
                "architecture": type(loaded.model).__name__,
                "clamps": list(parsed.clamp),
                "sequences": len(tokens),
                "tokens": int(tokens.ordinary.sum()),
                **document(found, notes),
            }
        )
    else:
        write(text(found, shown, _about(parsed, tokens), notes))
    return 0


def _read(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not a text in UTF-8: expected prompts, one on each line.") from error


def _tokens(loaded: LanguageModel, parsed: argparse.Namespace, prompts: list[str] | None) -> Tokens:
    import numpy as np

    from zoo_icl.adapters.tokens import random_repeated, tokenized

    if prompts is not None:
        if loaded.tokenizer is None:
            raise UsageError(f"{parsed.model} has no tokenizer, which prompts need: expected tokenizer.json beside it.")
        return tokenized(prompts, loaded.tokenizer, loaded.context, str(parsed.prompts))
    start = loaded.start
    length = 2 * parsed.period + (start is not None)
    if loaded.context is not None and length > loaded.context:
        raise UsageError(
            f"--period {parsed.period} makes sequences of {length} tokens: the context of this model is "
            f"{loaded.context}."
        )
    rng = np.random.default_rng(parsed.seed)
    return random_repeated(loaded.known, parsed.period, parsed.sequences, rng, start=start)


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rwithout head {done + 1} of {of}" + ("\n" if done + 1 == of else ""))


def _about(parsed: argparse.Namespace, tokens: Tokens) -> str:
    what = f"prompts of {parsed.prompts}" if parsed.prompts else f"sequences of {parsed.period} random tokens, repeated"
    under = f", under {' '.join(parsed.clamp)}" if parsed.clamp else ""
    return f"{len(tokens)} {what}{under}"
