"""Reading a CMDP from an .npz or .json file; nothing in either can run code."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo_envs.tabular.model import TabularModel

__all__ = ["load_model"]

_KEYS = ("P", "r", "c", "b", "sense", "eq", "rho", "gamma")
_SPARSE = ("P_data", "P_indices", "P_indptr")


def load_model(path: str | Path) -> TabularModel:
    """Return the model in `path`.

    Keys: P [S,A,S], r [S,A], c [N,S,A], b [N], sense [N] (+1 for "<=", -1 for ">="), eq bool[N] (True makes it
    "=="), rho [S], gamma, and optionally names [N] and terminal bool[S]. Instead of P, its CSR form P_data,
    P_indices, P_indptr with rows s*A+a.

    Raises:
        ValueError: the file is missing, unreadable, of another kind, lacks a key, or is not a CMDP; the message
            begins with the path.
    """
    path = Path(path)
    readers = {".npz": _read_npz, ".json": _read_json}
    if path.suffix not in readers:
        raise ValueError(f"{path}: a model file must end in .npz or .json")
    try:
        return _model(readers[path.suffix](path))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path}: {error}") from None


def _read_npz(path: Path) -> dict[str, Any]:
    if not zipfile.is_zipfile(path):
        path.stat()  # a missing file is an OSError, not a bad archive
        raise ValueError("not an .npz archive")
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not valid JSON ({error})") from None
    if not isinstance(data, dict):
        raise ValueError(f"must hold one JSON object, got {type(data).__name__}")
    return data


def _array(data: dict[str, Any], key: str) -> NDArray[Any]:
    try:
        return np.asarray(data[key])
    except ValueError:
        raise ValueError(f"{key} must be a rectangular array") from None


def _dense_kernel(data: dict[str, Any]) -> NDArray[np.float64]:
    """Return P [S*A,S] from the parts of its CSR form, row s*A+a."""
    values, columns, starts = (_array(data, key) for key in _SPARSE)
    S, A = _array(data, "r").shape
    counts = np.diff(starts)
    fits = starts.shape == (S * A + 1,) and (counts >= 0).all() and starts[0] == 0
    if not fits or values.shape != columns.shape or values.shape != (starts[-1],):
        raise ValueError(f"{', '.join(_SPARSE)} are not the parts of a CSR matrix with {S * A} rows")
    if ((columns < 0) | (columns >= S)).any():
        raise ValueError(f"P_indices must lie in [0, {S - 1}]")
    P = np.zeros((S * A, S))
    np.add.at(P, (np.repeat(np.arange(S * A), counts), columns), values)
    return P


def _model(data: dict[str, Any]) -> TabularModel:
    if "P" not in data and "r" in data and all(key in data for key in _SPARSE):
        data = {**data, "P": _dense_kernel(data)}
    missing = [key for key in _KEYS if key not in data]
    if missing:
        raise ValueError(f"lacks {', '.join(missing)}; a model file has the keys {', '.join(_KEYS)}")
    sense, eq, gamma = (_array(data, key) for key in ("sense", "eq", "gamma"))
    if sense.ndim != 1 or sense.shape != eq.shape or not np.isin(sense, (-1, 1)).all():
        raise ValueError(f"sense must hold +1 or -1 and eq a bool per constraint, got {sense.tolist()}, {eq.tolist()}")
    if not np.isin(eq, (False, True)).all():
        raise ValueError(f"eq must hold a bool per constraint, got {eq.tolist()}")
    if gamma.shape != ():
        raise ValueError(f"gamma must be one number, got shape {list(gamma.shape)}")
    return TabularModel(
        P=data["P"],
        r=data["r"],
        gamma=gamma.item(),
        rho=data["rho"],
        c=data["c"],
        b=data["b"],
        senses=tuple("==" if e else "<=" if s > 0 else ">=" for s, e in zip(sense, eq, strict=True)),
        names=tuple(str(name) for name in _array({"names": (), **data}, "names")),
        terminal=_array({"terminal": (), **data}, "terminal"),
    )
