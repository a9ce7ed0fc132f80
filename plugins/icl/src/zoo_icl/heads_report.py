"""What ``zoo icl heads`` says: a matrix, the strongest heads, a sentence; or a JSON document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.cli import columns
from zoo_icl.heads_meanings import MEANINGS
from zoo_icl.matrix import matrix, number

if TYPE_CHECKING:
    from zoo_icl.adapters.head_scores import HeadScores, LayerScores
    from zoo_icl.adapters.loading import LanguageModel
    from zoo_icl.probes import Summary

_INDUCTION = 0.4
"""prefix matching of a head that is called an induction head, if it copies as well"""


def notes_on(loaded: LanguageModel, found: HeadScores, asked: Sequence[str], length: int) -> list[str]:
    """What a reader must know of this model's layers; ``length`` is that of the longest sequence."""
    from zoo_icl.adapters.attention import text_config

    notes = []
    config = text_config(loaded.model)
    attending = [layer.number for layer in found.layers]
    depth = int(getattr(config, "num_hidden_layers", 0))
    if others := sorted(set(range(depth)) - set(attending)):
        notes.append(f"{_layers(others, 'does', 'do')} not attend.")
    if sinks := [layer.number for layer in found.layers if layer.sinks]:
        notes.append(f"{_layers(sinks, 'gives', 'give')} a part of the attention to a sink, not to a token.")
    kinds = getattr(config, "layer_types", None) or ["sliding_attention"] * depth
    window = getattr(config, "sliding_window", None)
    near = [layer for layer in attending if layer < len(kinds) and kinds[layer] == "sliding_attention"]
    if window and near and window < length:
        notes.append(f"{_layers(near, 'sees', 'see')} the last {window} tokens alone.")
    if loaded.tokenizer is None:
        notes.append("there is no tokenizer: special tokens are those that config.json names.")
    if left := [name for name in asked if name not in found.measured]:
        notes.append(f"{', '.join(left)} cannot be measured: the way from the heads to the logits was not found.")
    return notes


def _layers(numbers: Sequence[int], one: str, several: str) -> str:
    return f"layer{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))} {several if len(numbers) > 1 else one}"


def induction_heads(found: HeadScores) -> list[tuple[float, str]]:
    """Prefix matching and name of the heads that match prefixes and, where that is measured, copy; strongest first."""
    if "prefix" not in found.measured:
        return []
    heads = []
    for layer in found.layers:
        for head in range(layer.heads):
            strength = layer.summary("prefix", head).mean
            if strength >= _INDUCTION and _copies(layer, head):
                heads.append((strength, f"{layer.number}:{head}"))
    return sorted(heads, reverse=True)


def _copies(layer: LayerScores, head: int) -> bool:
    """Whether copying is above 0 by two standard errors; true where it is not measured."""
    if "copying" not in layer.sequences:
        return True
    copying = layer.summary("copying", head)
    return copying.mean - 2 * (0.0 if math.isnan(copying.sem) else copying.sem) > 0.0


def sentence(found: HeadScores) -> str:
    """What there is of induction heads."""
    if "prefix" not in found.measured:
        return "induction heads: not looked for, without prefix matching."
    strongest = found.strongest("prefix")
    if strongest is None:
        return "no induction head: no sequence repeats a token, or every head is ablated."
    even = f"even attention: {number(found.even['prefix'])}"
    if named := induction_heads(found):
        (strength, name), *rest = named
        layer, head = next(
            (layer, head) for layer in found.layers for head in range(layer.heads) if f"{layer.number}:{head}" == name
        )
        copying = f", copying {number(layer.summary('copying', head).mean)}" if "copying" in layer.sequences else ""
        others = f"; also {', '.join(f'{name} {number(value)}' for value, name in rest)}" if rest else ""
        return f"an induction head at {name}: prefix matching {number(strength)} ({even}){copying}{others}."
    layer, head = strongest
    highest = layer.summary("prefix", head).mean
    why = f"below {number(_INDUCTION)}" if highest < _INDUCTION else "and those that match do not copy"
    return f"no induction head: prefix matching is highest at {layer.number}:{head}, {number(highest)}, {why} ({even})."


def text(found: HeadScores, shown: str, about: str, notes: Sequence[str]) -> str:
    """One score as a matrix, the strongest head by each, losses, and whether there are induction heads."""
    lines = [f"{about}."]
    if shown in found.measured:
        lines += [f"{MEANINGS[shown]}; layer by head:", matrix(_by_layer(found, shown))]
    rows = [("score", "highest at", "mean", "s.e.", "n", "even attention")]
    for score in found.measured:
        if (best := found.strongest(score)) is not None:
            layer, head = best
            summary = layer.summary(score, head)
            even = number(found.even[score]) if score in found.even else ""
            at = f"{layer.number}:{head}"
            rows.append((score, at, number(summary.mean), number(summary.sem), str(summary.n), even))
    lines += ["", columns(rows, indent="")]
    named = (("predictable", "complete a pair of tokens seen before"), ("other", "do not"))
    for which, what in named:
        loss = found.losses[which]
        if loss.n:
            lines.append(f"loss of tokens that {what}: {loss.mean:.3f} nats, s.e. {number(loss.sem, 3)}, n {loss.n}.")
    return "\n".join([*lines, *(f"note: {note}" for note in notes), sentence(found)]) + "\n"


def _by_layer(found: HeadScores, score: str) -> dict[str, list[float]]:
    means = found.matrix(score)
    return {str(layer.number): list(row[: layer.heads]) for layer, row in zip(found.layers, means, strict=True)}


def document(found: HeadScores, notes: Sequence[str]) -> dict[str, Any]:
    """The scores as JSON."""
    return {
        "even": dict(found.even),
        "losses": {which: _summary(loss) for which, loss in found.losses.items()},
        "heads": [
            {
                "head": f"{layer.number}:{head}",
                **{score: _summary(layer.summary(score, head)) for score in found.measured},
            }
            for layer in found.layers
            for head in range(layer.heads)
        ],
        "induction_heads": [name for _, name in induction_heads(found)],
        "notes": list(notes),
        "sentence": sentence(found),
    }


def _summary(summary: Summary) -> dict[str, float | int | None]:
    mean, sem = (None if math.isnan(value) else value for value in (summary.mean, summary.sem))
    return {"mean": mean, "sem": sem, "n": summary.n}
