"""``zoo harp run`` against a local service that fails to order: nothing is lost, nothing is asked twice."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path

import pytest
from zoo_harp.evaluation.data import load_dataset

from zoo.cli.main import main


@pytest.fixture(autouse=True, scope="module")
def packages(need):
    need("inspect_ai", "openai")


pytestmark = pytest.mark.filterwarnings("ignore")  # of inspect_ai and what it imports

SAMPLE = str(resources.files("zoo_harp").joinpath("data/harp_sample.jsonl"))
PROBLEMS = load_dataset(Path(SAMPLE)).split("short")
MODEL = "openai-api/local/small"
NEVER = object()


class Service:
    """OpenAI's chat protocol. ``reply(question, times)`` gives a text, a dict for a failure, or ``NEVER``."""

    def __init__(self, reply):
        self.reply, self.requests, self.asked = reply, [], Counter()
        self.lock, self.release, self.url = threading.Lock(), threading.Event(), ""

    def take(self, request):
        question = next(m["content"] for m in reversed(request["messages"]) if m["role"] == "user")
        with self.lock:
            self.requests.append(request)
            self.asked[question] += 1
            return self.reply(number(question), self.asked[question])


def number(question):
    (place,) = [place for place, problem in enumerate(PROBLEMS) if question.startswith(f"Problem:\n{problem.problem}")]
    return place


def completion(text, finish="stop"):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    body = {"id": "x", "object": "chat.completion", "created": 0, "model": "small", "choices": [choice], "usage": usage}
    return {"status": 200, "body": json.dumps(body)}


def failure(status, **headers):
    return {"status": status, "body": json.dumps({"error": {"message": "told to fail"}}), "headers": headers}


@contextmanager
def serving(reply):
    service = Service(reply)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_POST(self):
            reply = service.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if reply is NEVER:
                service.release.wait(60)
                self.close_connection = True
                return
            reply = completion(reply) if isinstance(reply, str) else reply
            body = reply["body"].encode()
            try:
                self.send_response(reply["status"])
                for name, value in reply.get("headers", {}).items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # the client gave up, or was killed
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


def command(service, out, *more):
    flags = ["--model", MODEL, "--dataset", SAMPLE, "--base-url", service.url, "--out", str(out), "--json"]
    return ["harp", "run", *flags, "--max-retries", "2", "--timeout-s", "60", "--attempt-timeout-s", "5", *more]


def lines(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("LOCAL_API_KEY", "none")
    yield
    gc.collect()  # connections that clients left open complain here, and not during another test


@pytest.mark.slow
def test_failures_that_pass_and_failures_that_stay(tmp_path, capsys):
    right = "The final answer is $12$."
    once = {
        1: failure(429, Retry_After="0"),
        2: failure(503),
        7: NEVER,  # this attempt is given up, and another made
    }
    cut_off = completion("The final ans", "length")
    stays = {3: {"status": 200, "body": '{"id": '}, 4: {"status": 200, "body": '{"choices": 7}'}, 6: failure(400)}

    def reply(place, times):
        """What fails for good does so however often it is asked, since a slow client may give an attempt up."""
        if place in stays:
            return stays[place]
        return cut_off if place == 5 else once.get(place, right) if times == 1 else right

    out = tmp_path / "r.jsonl"
    with serving(reply) as service:
        assert main(command(service, out, "--limit", "8")) == 1
        outcome = json.loads(capsys.readouterr().out)
        assert (outcome["asked"], outcome["answered"], outcome["before"]) == (8, 5, 0)
        assert outcome["errors"]
        answered = {line["id"] for line in lines(out)}
        assert answered == {PROBLEMS[place].id for place in (0, 1, 2, 5, 7)}
        before = Counter(service.asked)
        stays.clear()
        assert main(command(service, out, "--limit", "8")) == 0
        outcome = json.loads(capsys.readouterr().out)
        assert (outcome["asked"], outcome["answered"], outcome["before"]) == (8, 8, 5)
        again = {number(question) for question in service.asked - before}
        assert again == {3, 4, 6}
        count = len(service.requests)
        assert main(command(service, out, "--limit", "8")) == 0
        assert len(service.requests) == count
    capsys.readouterr()
    logged = {line["id"]: line for line in lines(out)}
    assert len(lines(out)) == len(logged) == 8
    cut = logged[PROBLEMS[5].id]
    assert (cut["response"], cut["finish_reason"], cut["tokens"]) == ("The final ans", "max_tokens", 7)
    sent = service.requests[0]
    assert (sent["temperature"], sent["max_tokens"], sent["stop"]) == (0.0, 2048, ["I hope it is correct."])
    assert main(["eval", str(out), "harp", "--dataset", SAMPLE, "--json"]) == 0
    (judged,) = json.loads(capsys.readouterr().out)["evaluations"]
    assert judged["scores"]["n"] == 8
    assert judged["scores"]["unfinished"] == pytest.approx(100 / 8)


@contextmanager
def hanging_after_five():
    """A service that answers five questions and lets the others wait; the event's end lets all be answered."""
    hang = threading.Event()
    hang.set()
    with serving(lambda place, times: NEVER if place >= 5 and hang.is_set() else f"answer {place}") as service:
        yield service, hang


def wait_for_five(service, out, running):
    deadline = time.monotonic() + 120
    while not (out.exists() and out.read_bytes().count(b"\n") == 5 and len(service.asked) == 8):
        assert running()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def no_answered_question_is_asked_twice(service, out, hang):
    hang.clear()
    assert main(command(service, out, "--limit", "8")) == 0
    asked = {number(question): times for question, times in service.asked.items()}
    assert [asked[place] for place in range(5)] == [1] * 5
    assert [asked[place] for place in range(5, 8)] == [2] * 3
    assert sorted(line["response"] for line in lines(out)) == [f"answer {place}" for place in range(8)]


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on(tmp_path):
    out = tmp_path / "r.jsonl"
    with hanging_after_five() as (service, hang):
        ask = command(service, out, "--limit", "8", "--attempt-timeout-s", "60")
        process = subprocess.Popen(
            [sys.executable, "-m", "zoo.cli.main", *ask], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for_five(service, out, lambda: process.poll() is None)
            process.kill()
            assert process.wait(timeout=60) == -signal.SIGKILL
        finally:
            process.kill()
            process.wait()
        with out.open("a", encoding="utf-8") as file:
            file.write('{"id": "2026/SAM')  # a kill in the middle of a write
        no_answered_question_is_asked_twice(service, out, hang)


@pytest.mark.slow
def test_interrupted_in_the_middle_it_goes_on(tmp_path):
    out = tmp_path / "r.jsonl"
    with hanging_after_five() as (service, hang):

        def interrupt():
            wait_for_five(service, out, lambda: True)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        before = signal.signal(
            signal.SIGINT, signal.default_int_handler
        )  # a job in the background ignores it from birth
        try:
            thread.start()
            assert main(command(service, out, "--limit", "8", "--attempt-timeout-s", "60")) == 130
            thread.join()
        finally:
            signal.signal(signal.SIGINT, before)
        no_answered_question_is_asked_twice(service, out, hang)


@pytest.mark.slow
def test_samples_batches_and_settings(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("zoo_harp.protocol.run.BATCH", 3)
    out = tmp_path / "r.jsonl"
    with serving(lambda place, times: f"attempt {times}") as service:
        assert main(command(service, out, "--limit", "2", "--samples", "2")) == 0
        assert {request["temperature"] for request in service.requests} == {1.0}
        assert {request["top_p"] for request in service.requests} == {0.95}
        assert main(command(service, out, "--limit", "3", "--samples", "3")) == 0
        assert sorted(service.asked.values()) == [3, 3, 3]
        capsys.readouterr()
        assert main(command(service, out, "--limit", "3")) == 2
        assert "was begun with temperature = 1.0, and now it is 0.0" in capsys.readouterr().err
        assert main(command(service, out, "--limit", "3", "--samples", "3", "--prompt", "boxed")) == 2
    assert sorted((line["id"], line["sample"]) for line in lines(out)) == [
        (PROBLEMS[place].id, sample) for place in range(3) for sample in range(3)
    ]


def test_a_service_that_refuses_everything_is_left_alone(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("zoo_harp.protocol.run.BATCH", 2)
    with serving(lambda place, times: failure(401)) as service:
        assert main(command(service, tmp_path / "r.jsonl")) == 1
    assert len(service.asked) == 2
    outcome = json.loads(capsys.readouterr().out)
    assert (outcome["asked"], outcome["answered"], len(outcome["errors"])) == (40, 0, 1)


@pytest.mark.slow
def test_shuffled_choices_from_the_prompt_to_the_table(tmp_path, capsys):
    """The service reads the letters off the prompt, so that a wrong permutation anywhere would show."""
    data, out = tmp_path / "mcq.jsonl", tmp_path / "r.jsonl"
    wrong = ["first", "second", "third", "fourth"]
    problems = []
    for place, line in enumerate(lines(SAMPLE)[:6]):
        texts = [*wrong[: place % 5], "GOLD", *wrong[place % 5 :]]
        problems.append(
            {**line, "choices": dict(zip("ABCDE", texts, strict=True)), "answer_choice": "ABCDE"[place % 5]}
        )
    data.write_text("".join(json.dumps(problem) + "\n" for problem in problems), encoding="utf-8")

    def read(request):
        shown = request["messages"][1]["content"]
        return f"Final Answer: The final answer is {shown[shown.index(') GOLD') - 1]}. I hope it is correct."

    with serving(lambda place, times: "") as service:
        service.take = lambda request: service.requests.append(request) or read(request)
        flags = ["--split", "choice", "--layout", "paren", "--shuffles", "2", "--prefill", "--dataset", str(data)]
        assert main(command(service, out, *flags)) == 0
        assert {tuple(m["role"] for m in r["messages"]) for r in service.requests} == {("system", "user", "assistant")}
        assert {r["messages"][2]["content"] for r in service.requests} == {"Solution:"}
    assert {line["permutation"] for line in lines(out)}.isdisjoint({"ABCDE"})
    capsys.readouterr()
    assert main(["eval", str(out), "harp", "--dataset", str(data), "--json"]) == 0
    (judged,) = json.loads(capsys.readouterr().out)["evaluations"]
    assert judged["scores"]["paren shuffles/all 2 right"] == 100.0
    letters = {line["response"][len("Final Answer: The final answer is ")] for line in lines(out)}
    assert len(letters) > 2


def test_without_the_extra_the_hint_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    with serving(lambda place, times: "x") as service:
        assert main(command(service, tmp_path / "r.jsonl")) == 2
    assert "pip install 'zoo-harp[inspect]'" in capsys.readouterr().err
    assert not (tmp_path / "r.jsonl").exists()


def test_a_model_that_is_none(tmp_path, capsys):
    flags = ["harp", "run", "--dataset", SAMPLE, "--out", str(tmp_path / "r.jsonl"), "--limit", "1", "--model"]
    assert main([*flags, "nonsense/x"]) == 2
    assert "inspect_ai cannot ask nonsense/x" in capsys.readouterr().err


def test_inspect_s_own_way_scores_and_logs(tmp_path):
    """By name, which inspect_ai finds through the entry point, as ``inspect eval zoo_harp/harp`` does."""
    from inspect_ai import eval as evaluate
    from inspect_ai.model import get_model
    from zoo_harp.evaluation.responses import load_responses

    replies = [rf"So \boxed{{{problem.answer}}}." for problem in PROBLEMS[:2]]
    replies += ["no", completion(PROBLEMS[3].answer, "length")]
    with serving(lambda place, times: replies[place]) as service:
        model = get_model(MODEL, base_url=service.url)
        options = {"dataset": SAMPLE, "limit": 4}
        (log,) = evaluate("zoo_harp/harp", task_args=options, model=model, log_dir=str(tmp_path), display="none")
    assert log.status == "success"
    values = {sample.id.split(" ")[0]: sample.scores["harp_scorer"].value for sample in log.samples}
    assert values == {problem.id: value for problem, value in zip(PROBLEMS, "CCII", strict=False)}
    metrics = {name: metric.value for score in log.results.scores for name, metric in score.metrics.items()}
    assert (metrics["all"], metrics["L1"]) == (0.5, 0.5)
    read = {response.id: response for response in load_responses(Path(log.location)).items}
    assert list(read) == [problem.id for problem in PROBLEMS[:4]]
    assert [response.finished for response in read.values()] == [True, True, True, False]
    assert [response.tokens for response in read.values()] == [7] * 4
