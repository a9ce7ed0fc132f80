"""The page itself: one file, whose policy lets nothing run or be fetched but what is in it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

_FOLDER = "template"
_SCRIPTS = ("tables.js", "scale.js", "charts.js")
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def page(content: Mapping[str, Any], curves: Sequence[Mapping[str, Any]], *, live: str = "") -> str:
    """The HTML of a report.

    Args:
        content: what the template shows; every text in it is escaped.
        curves: what the script draws; becomes JSON in the page.
        live: address, on the same server, that tells the version of the page; empty for a page that is a file.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("zoo_bench.page", _FOLDER), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    style = _source("report.css")
    script = "\n".join(map(_source, [*_SCRIPTS, *(["live.js"] if live else [])]))
    policy = {
        "default-src": "'none'", "script-src": _hash(script), "style-src": _hash(style), "img-src": "data:",
        "base-uri": "'none'", "form-action": "'none'", **({"connect-src": "'self'"} if live else {}),
    }  # fmt: skip
    return environment.get_template("report.html.j2").render(
        **content, style=_Verbatim(style), script=_Verbatim(script), data=_Verbatim(embedded(curves)),
        policy="; ".join(f"{name} {value}" for name, value in policy.items()), live=live,
    )  # fmt: skip


class _Verbatim(str):
    """Text of our own, or escaped already: autoescaping leaves what has ``__html__`` as it is."""

    def __html__(self) -> str:
        return str(self)


def embedded(data: Any) -> str:
    """JSON that no parser of HTML can take for an end of its element, whatever texts are in it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)  # other than ASCII is escaped
    for character, code in _UNSAFE.items():
        text = text.replace(character, code)
    return text


def _source(name: str) -> str:
    return (files("zoo_bench.page") / _FOLDER / name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
