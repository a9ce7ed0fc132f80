"""The page on this machine alone, made anew when its runs have moved on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from zoo import RunError, UsageError, ZooError
from zoo.runs import open_runs

_HOST = "127.0.0.1"
_LOOK_SECONDS = 2.0
_FILES = ("status.json", "metrics.jsonl", "evaluations")


class _Pages:
    """The newest page, made when it is port for and its runs are not what they were."""

    def __init__(self, make: Callable[[str], str], places: Sequence[Path]) -> None:
        self._make, self._places = make, places
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._version = ""
        self._page: tuple[str, str] = ("", "")

    def version(self) -> str:
        """What tells one state of all runs from another; looked at every few seconds."""
        with self._lock:
            return self._newest()

    def page(self) -> str:
        """The page of the newest version."""
        with self._lock:
            version = self._newest()
            if self._page[0] != version:
                self._page = version, self._make(version)
            return self._page[1]

    def _newest(self) -> str:
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._version = _state(self._places)
            self._looked = time.monotonic()
        return self._version


def _state(places: Sequence[Path]) -> str:
    """A digest of the sizes and times of the files that a page is made of."""
    digest = hashlib.sha256()
    try:
        runs = open_runs([place for place in places if place.exists()]).runs if places else []
    except (RunError, UsageError):  # nothing has begun yet
        runs = []
    for run in runs:
        digest.update(os.fsencode(run.path))
        for name in _FILES:
            try:
                found = (run.path / name).stat()
                digest.update(f"{found.st_mtime_ns} {found.st_size};".encode())
            except OSError:
                digest.update(b"-;")
    return digest.hexdigest()[:16]


def serve(make: Callable[[str], str], places: Sequence[Path], port: int, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C.

    Args:
        make: the page of a version.
        places: where its runs are.
        port: 0 for any.
        ready: told the address, once it can be port.

    Raises:
        UsageError: another process listens there.
    """
    pages = _Pages(make, places)

    def here() -> int:
        return server.server_port

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Host") not in (
                f"{_HOST}:{here()}",
                f"localhost:{here()}",
            ):  # a name of somebody else's
                self.send_error(403)
                return
            if self.path not in ("/", "/version"):
                self.send_error(404)
                return
            try:
                text, kind = (pages.page(), "html") if self.path == "/" else (pages.version(), "plain")
            except ZooError as error:
                self.send_error(503, "no page", error.message)
                return
            body = text.encode()
            self.send_response(200)
            for name, value in {
                "Content-Type": f"text/{kind}; charset=utf-8",
                "Content-Length": str(len(body)),
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
                "Cross-Origin-Resource-Policy": "same-origin",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: each page asks every few seconds."""

    try:
        server = ThreadingHTTPServer((_HOST, port), Handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "expected a number below 65536"
        raise UsageError(
            f"port {port} of this machine cannot be listened on: {reason}.", "--port 0 takes any."
        ) from error
    with server:
        ready(f"http://{_HOST}:{server.server_port}/")
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            server.serve_forever()
