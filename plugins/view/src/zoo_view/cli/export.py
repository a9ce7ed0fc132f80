"""``zoo export``: a trained agent as files for others."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from zoo import CommandOptions, CommandParser, UsageError
from zoo.cli import documented, emit, set_threads
from zoo_view.stored_run import add_run_options, load_run


@documented
def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parsed = _parser().parse_args(args)
    if os.path.lexists(parsed.output):
        raise UsageError(f"{parsed.output} exists already: expected the name of a new directory.")
    set_threads(1)
    from zoo.runs import open_run
    from zoo_view.exporting.card import make_card
    from zoo_view.exporting.onnx_model import why_not, write_onnx
    from zoo_view.exporting.tensors import arrays_of, listing, write_tensors

    run = open_run(parsed.run)
    loaded = load_run(run, parsed, options)
    with closing(loaded.member.env), _whole(parsed.output) as folder:
        arrays, buffers = arrays_of(loaded)
        card = make_card(run, loaded)
        write_tensors(arrays, folder / "tensors.safetensors")
        card["tensors"] = {"file": "tensors.safetensors", "arrays": listing(arrays), "left_out": buffers}
        reason = "--no-onnx was given" if parsed.no_onnx else why_not(loaded)
        card["onnx"] = {"absent": reason} if reason else write_onnx(loaded, folder / "policy.onnx")
        (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    if parsed.json:
        emit({"directory": str(parsed.output), **card})
    else:
        _tell(parsed.output, card)
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo export",
        usage="zoo export RUN -o DIR [options]",
        description="Write a trained agent into a new directory, to be sent or published: tensors.safetensors has the\n"
        "arrays of its state, card.json says what it is, what it was made with and what it reached, and policy.onnx\n"
        "is its policy, where that is a torch module and the extra is installed: pip install 'zoo-view[onnx]'. It is\n"
        "greedy; one of an agent that samples (a constrained one) takes noise as a second input. The ONNX model is\n"
        "compared with the agent on observations that it meets.",
        examples=[
            "zoo export runs/CartPole-v1/ppo -o cartpole-agent",
            "zoo export runs/two-state/reload -o two-state-agent --checkpoint best --json",
        ],
    )
    add_run_options(parser)
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="a directory that does not exist yet")
    add("--no-onnx", action="store_true", help="write no ONNX model")
    add("--json", action="store_true", help="print the card as one JSON document on standard output")
    return parser


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A directory beside ``folder`` that takes its name at the end.

    Raises:
        UsageError: it cannot be written.
    """
    part = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        part.mkdir(parents=True)
        yield part
        part.rename(folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _tell(folder: Path, card: dict[str, Any]) -> None:
    arrays, onnx = card["tensors"]["arrays"], card["onnx"]
    print(f"{folder}/card.json            {card['algorithm']} on {card['environment']}, step {card['step']}")
    print(f"{folder}/tensors.safetensors  {len(arrays)} arrays")
    for name in card["tensors"]["left_out"]:
        print(f"left out: the replay buffer {name}")
    if "absent" in onnx:
        print(f"no policy.onnx: {onnx['absent']}.")
    else:
        print(
            f"{folder}/policy.onnx          opset {onnx['opset']}; as the agent on {onnx['compared_on']} observations, "
            f"largest difference {onnx['largest_difference']:.2g}"
        )
