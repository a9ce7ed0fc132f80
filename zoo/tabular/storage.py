"""Two file formats for a tabular model: NPZ (exact, compact) and JSON (readable, exact too)."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from zoo.errors import UsageError
from zoo.tabular.errors import InvalidCMDPError
from zoo.tabular.model import TabularCMDP

_SPARSE = ("P_data", "P_indices", "P_indptr")


def save(cmdp: TabularCMDP, path: Path) -> None:
    """Write ``cmdp`` with the keys ``P, r, c, b, sense (+1/-1), eq (bool), rho, gamma, names, terminal``; atomic.

    A sparse kernel is stored as ``P_data, P_indices, P_indptr``, the parts of the CSR matrix ``[S*A, S]``.

    Raises:
        UsageError: if the suffix is neither ``.npz`` nor ``.json``.
    """
    _check_suffix(path)
    arrays: dict[str, Any] = {
        "r": cmdp.r,
        "c": cmdp.c,
        "b": cmdp.b,
        "sense": cmdp.signs.astype(np.int64),
        "eq": cmdp.equality,
        "rho": cmdp.rho,
        "gamma": np.float64(cmdp.gamma),
        "names": np.array(cmdp.names, dtype=np.str_),
        "terminal": cmdp.terminal,
    }
    if isinstance(cmdp.P, sp.csr_array):
        arrays.update(zip(_SPARSE, (cmdp.P.data, cmdp.P.indices, cmdp.P.indptr), strict=True))
    else:
        arrays["P"] = cmdp.P
    # Readers must see the old file or the new one, never half of either.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            if path.suffix == ".npz":
                np.savez_compressed(file, **arrays)
            else:
                plain = {name: np.asarray(value).tolist() for name, value in arrays.items()}
                file.write(json.dumps(plain, allow_nan=False).encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(path: Path) -> TabularCMDP:
    """Read a model written by :func:`save` or by hand with the same keys.

    Raises:
        UsageError: if the suffix is neither ``.npz`` nor ``.json``.
        InvalidCMDPError: if the file is missing, unreadable, lacks a key or describes no process.
    """
    _check_suffix(path)
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                stored: dict[str, Any] = dict(archive)
        else:
            stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InvalidCMDPError(f"there is no file {path}.") from error
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidCMDPError(f"{path} cannot be read as {path.suffix[1:]}: {error}.") from error
    if not isinstance(stored, dict):
        raise InvalidCMDPError(f"{path} holds a {type(stored).__name__}: expected names with arrays.")
    needed = ["r", "gamma", "rho", *(_SPARSE if "P_data" in stored else ("P",))]
    missing = [name for name in needed if name not in stored]
    if missing:
        raise InvalidCMDPError(f"{path} has no {', '.join(missing)}: expected the keys {', '.join(needed)}.")
    return _build(stored)


def _build(stored: dict[str, Any]) -> TabularCMDP:
    signs = np.atleast_1d(np.asarray(stored.get("sense", ())))
    equal = np.atleast_1d(np.asarray(stored.get("eq", np.zeros(len(signs), dtype=np.bool_))))
    if len(equal) != len(signs):
        raise InvalidCMDPError(f"eq has {len(equal)} entries and sense {len(signs)}: expected as many.")
    bad = [i for i, sign in enumerate(signs) if sign not in (1, -1)]
    if bad:
        raise InvalidCMDPError(f"sense[{bad[0]}] = {signs[bad[0]]}: expected +1 (<=) or -1 (>=).")
    senses = tuple("==" if eq else ("<=" if sign > 0 else ">=") for sign, eq in zip(signs, equal, strict=True))
    names = tuple(str(name) for name in stored.get("names", ()))
    try:
        r = np.asarray(stored["r"])
        P: Any = (
            stored["P"]
            if "P" in stored
            else sp.csr_array(tuple(np.asarray(stored[part]) for part in _SPARSE), shape=(r.size, len(r)))
        )
    except ValueError as error:
        raise InvalidCMDPError(f"P_data, P_indices, P_indptr form no CSR matrix: {error}.") from error
    empty = np.empty(0)
    b, terminal = stored.get("b", empty), stored.get("terminal", ())
    return TabularCMDP(
        P, r, np.asarray(stored["gamma"]).item(), stored["rho"], stored.get("c", empty), b, senses, names, terminal
    )


def _check_suffix(path: Path) -> None:
    if path.suffix not in (".npz", ".json"):
        raise UsageError(f"{path} ends in {path.suffix!r}: expected .npz or .json.")
