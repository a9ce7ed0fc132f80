"""Whether a process is alive, and when it began, on Linux, macOS and Windows."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

_PROC = Path("/proc")
_QUERY, _STILL_ACTIVE = 0x1000, 259  # of Windows: PROCESS_QUERY_LIMITED_INFORMATION, and the exit code of the living


def alive(pid: int) -> bool:
    """Whether there is a process of this number, of whatever user."""
    if os.name == "nt":  # where os.kill(pid, 0) would send it Ctrl-C
        return _alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _alive_on_windows(pid: int) -> bool:
    kernel32 = ctypes.windll.kernel32  # type: ignore[attr-defined]
    handle = kernel32.OpenProcess(_QUERY, False, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    known = kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel32.CloseHandle(handle)
    return not known or code.value == _STILL_ACTIVE


def began(pid: int) -> str:
    """When a process began, in the system's own words; empty where it does not tell, or the process has ended."""
    try:
        if (_PROC / "self").exists():
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            return "" if fields[0] in "ZX" else fields[19]  # Z: killed, and nobody has asked for it yet
        if os.name == "nt":
            return ""
        words = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]  # macOS
        fields = subprocess.run(words, capture_output=True, text=True, check=False, timeout=10).stdout.split()
        return "" if fields[0][0] in "ZX" else " ".join(fields[1:])
    except (OSError, IndexError, subprocess.SubprocessError):
        return ""
