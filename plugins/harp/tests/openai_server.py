"""A small service that speaks OpenAI's chat protocol, with failures to order."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Service", str, int], "str | dict[str, Any] | None"]
"""(service, the question, how often it has been asked) to the text, a failure, or None: never answer"""


class Service:
    """What was asked and answered; ``url`` is the base of the API."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.requests: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.release = threading.Event()
        self.url = ""


def completion(text: str, finish: str = "stop", tokens: int = 7) -> dict[str, Any]:
    usage = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return {
        "id": "x", "object": "chat.completion", "created": 0, "model": "small", "choices": [choice], "usage": usage,
    }  # fmt: skip


def status(code: int, **headers: str) -> dict[str, Any]:
    return {"status": code, "headers": headers, "body": json.dumps({"error": {"message": f"told to fail {code}"}})}


def malformed(body: str) -> dict[str, Any]:
    return {"status": 200, "headers": {}, "body": body}


@contextmanager
def serving(reply: Reply) -> Iterator[Service]:
    service = Service(reply)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            question = next(m["content"] for m in reversed(request["messages"]) if m["role"] == "user")
            with service.lock:
                service.requests.append(request)
                service.asked[question] += 1
                times = service.asked[question]
            reply = service.reply(service, question, times)
            if reply is None:
                service.release.wait(60)
                self.close_connection = True
                return
            if isinstance(reply, str):
                reply = completion(reply)
            failed = "status" in reply
            body = (reply["body"] if failed else json.dumps(reply)).encode()
            try:
                self.send_response(reply["status"] if failed else 200)
                for name, value in (reply["headers"] if failed else {}).items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # the client gave up, or was killed
                return
            if not failed:
                with service.lock:
                    service.answered[question] += 1

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
