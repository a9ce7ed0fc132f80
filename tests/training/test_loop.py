from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.rows import logged
from tests.training.conftest import Trainer
from zoo.discovery.registry import Registry
from zoo.errors import RunError, ZooError
from zoo.runs.store import open_run
from zoo.training.callbacks import Silent
from zoo.training.settings import Cadence, RunResult, Settings
from zoo.training.stop import Stop
from zoo.training.storage import checkpoint
from zoo.training.storage.interval import Interval
from zoo.training.storage.lock import Lock
from zoo.training.storage.run_dir import RunDir


class StopAfter(Silent):
    """Asks to stop after so many updates, as a signal would."""

    def __init__(self, stop: Stop, updates: int) -> None:
        self.stop, self.left = stop, updates

    def updated(self, *_: object) -> None:
        self.left -= 1
        if self.left == 0:
            self.stop.reason = "SIGTERM"


def rows(result: RunResult) -> list[dict[str, float]]:
    return logged(result.path)


def test_a_run_uses_its_budget_and_leaves_a_whole_directory(run: Trainer) -> None:
    (result,) = run()
    assert (result.status, result.steps) == ("finished", 40)
    assert {"spec.json", "env.json", "status.json", "metrics.jsonl", "eval.jsonl", "checkpoints"} == {
        path.name for path in result.path.iterdir()
    }
    logged = rows(result)
    assert [row["step"] for row in logged] == [*range(1, 41), 40]
    assert logged[-1]["eval/return"] == pytest.approx(result.score["return"])
    assert len(open_run(result.path).episodes) == 2


def test_a_finished_run_is_reported_and_not_touched(run: Trainer) -> None:
    (first,) = run()
    before = {path: path.stat().st_mtime_ns for path in first.path.rglob("*") if path.is_file()}
    (second,) = run()
    assert second.metrics == first.metrics
    assert before == {path: path.stat().st_mtime_ns for path in first.path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("interrupted_after", [1, 9, 10, 11, 37])
def test_interrupted_and_continued_equals_undisturbed(run: Trainer, tmp_path: Path, interrupted_after: int) -> None:
    (whole,) = run(eval_every=15)
    stop = Stop()
    (half,) = run(eval_every=15, root=tmp_path / "b", stop=stop, watch=StopAfter(stop, interrupted_after))
    assert half.status == "interrupted"
    (rest,) = run(eval_every=15, root=tmp_path / "b")
    assert "continued from step" in rest.resumed
    assert rows(rest) == rows(whole)
    assert (rest.path / "eval.jsonl").read_bytes() == (whole.path / "eval.jsonl").read_bytes()


def test_lines_written_after_the_last_checkpoint_are_taken_back(run: Trainer, tmp_path: Path) -> None:
    (whole,) = run()
    stop = Stop()
    (half,) = run(root=tmp_path / "b", stop=stop, watch=StopAfter(stop, 25))
    with (half.path / "metrics.jsonl").open("a") as file:  # what a killed writer may leave
        file.write('{"step":26,"wall":0.1,"x":1.0}\n{"step":27,"wa')
    (rest,) = run(root=tmp_path / "b")
    assert rows(rest) == rows(whole)


def test_what_the_algorithm_calls_a_milestone_is_saved_and_kept(
    run: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import toys

    monkeypatch.setattr(toys.Walk, "milestone", property(lambda self: self.updates in (5, 17)))
    stop = Stop()
    run(root=tmp_path / "b", stop=stop, watch=StopAfter(stop, 11))
    (result,) = run(root=tmp_path / "b")
    kept = checkpoint.steps(result.path / "checkpoints")
    assert {5, 17} <= set(kept) and kept[-1] == 40
    monkeypatch.undo()
    (plain,) = run()
    assert not {5, 17} & set(checkpoint.steps(plain.path / "checkpoints"))


def test_a_damaged_checkpoint_is_passed_over(run: Trainer, tmp_path: Path) -> None:
    (whole,) = run()
    stop = Stop()
    (half,) = run(root=tmp_path / "b", stop=stop, watch=StopAfter(stop, 25))
    assert checkpoint.steps(half.path / "checkpoints") == [10, 20, 25]
    tensors = half.path / "checkpoints" / "step-000000000025" / checkpoint.TENSORS
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"?")
    (rest,) = run(root=tmp_path / "b")
    assert "damaged" in rest.resumed
    assert "continued from step 20" in rest.resumed
    assert rows(rest) == rows(whole)


def test_all_checkpoints_damaged_is_an_error_that_loses_nothing(run: Trainer) -> None:
    stop = Stop()
    (half,) = run(stop=stop, watch=StopAfter(stop, 25))
    for manifest in half.path.glob("checkpoints/*/manifest.json"):
        manifest.write_text("{")
    with pytest.raises(RunError, match="damaged"):
        run()
    assert len(rows(half)) == 25
    (fresh,) = run(settings={"resume": "never"})
    assert fresh.status == "finished"
    assert half.path.with_name("seed-0~1").is_dir()


def test_a_nan_metric_fails_the_run_and_names_it(run: Trainer) -> None:
    (result,) = run(config={"nan_at": 13})
    assert result.status == "failed"
    assert "'x' became nan at step 13" in result.message
    assert checkpoint.steps(result.path / "checkpoints") == [10]
    assert checkpoint.steps(result.path / "failed") == [13]


def test_a_nan_in_the_state_fails_the_run_at_the_next_checkpoint(run: Trainer) -> None:
    (result,) = run(config={"poison_at": 13})
    assert result.status == "failed"
    assert " of plugin " in result.message
    assert "became NaN by step" in result.message
    assert checkpoint.steps(result.path / "checkpoints") == [10]


def test_an_exception_of_a_plugin_names_its_owner(run: Trainer) -> None:
    (result,) = run(config={"raise_at": 4})
    assert result.status == "failed"
    assert result.message == "walk of plugin file toys failed in update(): RuntimeError: the walk has ended"
    with pytest.raises(RuntimeError):
        run(config={"raise_at": 4}, settings={"debug": True})


def test_a_failing_seed_does_not_take_others_along(run: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    import toys  # type: ignore[import-not-found]

    update = toys.Walk.update
    monkeypatch.setattr(toys.Walk, "update", lambda self: {"x": float("inf")} if self.x[2] > 0 else update(self))
    results = run("together", seeds=tuple(range(8)))
    assert {result.status for result in results} == {"failed", "finished"}


def test_seeds_of_a_batch_equal_their_solo_runs(run: Trainer, tmp_path: Path) -> None:
    import toys

    toys.STARTED.clear()
    together = run("together", seeds=(0, 1, 2))
    assert set(toys.STARTED) == {3}
    alone = [run("together", seeds=(seed,), root=tmp_path / "alone")[0] for seed in (0, 1, 2)]
    assert [rows(result) for result in together] == [rows(result) for result in alone]


def test_a_batch_continues_from_the_newest_common_step(run: Trainer, tmp_path: Path) -> None:
    whole = run("together", seeds=(0, 1))
    for seed, updates in ((0, 25), (1, 12)):
        stop = Stop()
        run("together", seeds=(seed,), root=tmp_path / "b", stop=stop, watch=StopAfter(stop, updates))
    rest = run("together", seeds=(0, 1), root=tmp_path / "b")
    assert [result.status for result in rest] == ["finished", "finished"]
    assert [rows(result) for result in rest] == [rows(result) for result in whole]


def test_the_members_of_a_batch_save_together(run: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each calls for checkpoints at steps of its own, and all of them have what one goes on from."""
    import toys

    monkeypatch.setattr(toys.Walk, "milestone", property(lambda self: self.env_steps % 7 == self.ctx.seed % 7))
    newest: list[set[int]] = []

    class Watch(Silent):
        def updated(self, run: RunDir, step: int, metrics: Mapping[str, float]) -> None:
            if run.seed == 0 and "x" in metrics:
                folders = [run.path.with_name(f"seed-{seed}") / "checkpoints" for seed in range(4)]
                newest.append({(checkpoint.steps(folder) or [0])[-1] for folder in folders})

    run("together", seeds=(0, 1, 2, 3), watch=Watch(), settings={"checkpoint": Cadence()})
    assert {len(steps) for steps in newest} == {1}
    assert len({min(steps) for steps in newest}) > 10


def test_an_interval_grows_with_what_it_costs() -> None:
    now = [0.0]
    interval = Interval(30.0, lambda: now[0])
    due_at = []
    for _ in range(1000):
        now[0] += 1.0
        if interval.due:
            due_at.append(now[0])
            with interval.timed():
                now[0] += 20.0
    assert due_at[:2] == [30.0, 250.0] and 20.0 * len(due_at) <= 0.1 * now[0] + 20.0
    assert not Interval(0.0, lambda: now[0]).due


def test_an_algorithm_may_end_its_run(run: Trainer) -> None:
    (result,) = run("final")
    assert (result.steps, result.outcome, result.message) == (7, "converged", "seven is enough")
    (result,) = run("final", config={"scale": 2.0})
    assert (result.status, result.outcome) == ("finished", "not_converged")


def test_the_time_limit_saves_and_stops(run: Trainer) -> None:
    (result,) = run(stop=Stop(1e-9))
    assert (result.status, result.steps) == ("interrupted", 1)
    assert checkpoint.steps(result.path / "checkpoints") == [1]


def test_a_second_writer_is_refused(run: Trainer) -> None:
    stop = Stop()
    (half,) = run(stop=stop, watch=StopAfter(stop, 5))
    with Lock(half.path), pytest.raises(RunError, match=f"process {os.getpid()}"):
        run()


def test_the_lock_of_a_dead_process_is_taken_over(run: Trainer) -> None:
    stop = Stop()
    (half,) = run(stop=stop, watch=StopAfter(stop, 5))
    with Lock(half.path):
        held = json.loads((half.path / "lock").read_text())
    (half.path / "lock").write_text(json.dumps({**held, "started": "another process of that number"}))
    (rest,) = run()
    assert rest.status == "finished"
    assert "taken over" in rest.resumed
    assert not (half.path / "lock").exists()


def test_an_observer_that_raises_is_named_and_left_out(
    run: Trainer, toys: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = []

    class Sink:
        @staticmethod
        def zoo_metrics(step: int) -> None:
            heard.append(step)
            raise OSError("no disk")

    from zoo import hookimpl

    hookimpl(Sink.zoo_metrics)
    toys.manager.register(Sink, name="sink:toy")
    (result,) = run()
    assert result.status == "finished"
    assert heard == [1]
    assert "plugin sink failed in zoo_metrics" in capsys.readouterr().err


def test_a_directory_that_cannot_be_written_is_one_sentence(run: Trainer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        run(root=tmp_path / "file")


def test_a_full_disk_fails_the_run_and_keeps_its_checkpoints(run: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    write = checkpoint.write_file

    def full(path: Path, data: bytes) -> None:
        if "step-" not in str(path) and "20" in path.parent.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, data)

    monkeypatch.setattr(checkpoint, "write_file", full)
    (result,) = run()
    assert result.status == "failed"
    assert "No space left on device" in result.message
    assert checkpoint.steps(result.path / "checkpoints") == [10]
    monkeypatch.undo()
    (rest,) = run()
    assert (rest.status, rest.steps) == ("finished", 40)


def test_global_random_generators_are_left_alone(run: Trainer) -> None:
    import random

    import numpy as np

    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    run()
    assert before == (random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index]  # noqa: NPY002


def test_a_state_that_does_not_fit_is_refused(run: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    import toys

    stop = Stop()
    run(stop=stop, watch=StopAfter(stop, 5))
    monkeypatch.setattr(toys.Walk, "load_state", lambda self, state: state["velocity"])
    with pytest.raises(ZooError, match="does not fit walk of plugin file toys"):
        run()


def test_settings_do_not_change_what_is_measured(run: Trainer, tmp_path: Path) -> None:
    (a,) = run()
    (b,) = run(root=tmp_path / "b", settings={"checkpoint": Cadence(steps=3)})
    assert rows(a) == rows(b)
    assert Settings().checkpoint.seconds == 30.0


def test_weights_from_torchs_global_generator_are_seeded(
    run: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    import toys

    build = toys.Walk.__init__

    def with_weights(self: object, ctx: object, config: object) -> None:
        build(self, ctx, config)
        self.x = torch.nn.Linear(3, 1).weight.detach().numpy()[0]  # type: ignore[attr-defined]

    monkeypatch.setattr(toys.Walk, "__init__", with_weights)
    first, second = (run(root=tmp_path / name, seeds=(4,))[0] for name in "ab")
    assert rows(first) == rows(second)
    (other,) = run(root=tmp_path / "a", seeds=(5,))
    assert rows(other)[0]["x"] != rows(first)[0]["x"]


def test_old_checkpoints_thin_out_but_a_history_stays(run: Trainer, tmp_path: Path) -> None:
    (result,) = run(settings={"checkpoint": Cadence(steps=2)}, eval_episodes=0)
    # Saved at 2, 4, ..., 40: the 1st, 2nd, 4th, 8th and 16th stay, and the last two.
    assert checkpoint.steps(result.path / "checkpoints") == [2, 4, 8, 16, 32, 38, 40]
    stop = Stop()
    given = {"settings": {"checkpoint": Cadence(steps=2)}, "eval_episodes": 0, "root": tmp_path / "b"}
    run(**given, stop=stop, watch=StopAfter(stop, 13))
    (result,) = run(**given)
    assert checkpoint.steps(result.path / "checkpoints")[:4] == [2, 4, 8, 14]
