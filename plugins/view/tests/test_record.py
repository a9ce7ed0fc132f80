"""Films, opened again: what is on their frames is what happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from zoo_view.recording.cameras import open_camera
from zoo_view.recording.states import StatesDrawing
from zoo_view.recording.texts import picture_of_text

from plugins.view.tests.conftest import command
from zoo import load, train
from zoo.cli.main import main

BLUE, GREEN = (31, 119, 180), (44, 160, 44)
CELL = 34
"""pixels of a cell of four rooms"""


def frames(path: Path) -> list[np.ndarray]:
    pictures = []
    with Image.open(path) as film:
        for index in range(getattr(film, "n_frames", 1)):
            film.seek(index)
            pictures.append(np.asarray(film.convert("RGB")))
    return pictures


def agent(picture: np.ndarray) -> int:
    """The flat cell that is blue in its middle, in a picture of 11 by 11 cells."""
    middles = picture[CELL // 2 : 11 * CELL : CELL, CELL // 2 : 11 * CELL : CELL].astype(int)
    far = np.abs(middles - BLUE).sum(-1)
    assert (far < 30).sum() == 1
    return int(far.argmin())


def test_a_gif_shows_every_state_of_an_episode_from_start_to_goal(runs: Path, tmp_path: Path) -> None:
    done = command("record", runs / "four-rooms", "-o", "frp.gif", "--no-caption", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    pictures = frames(tmp_path / "frp.gif")
    cells = [agent(picture) for picture in pictures]
    # the same episode, played by hand in the array form of the environment
    (run,) = (runs / "four-rooms/frp").glob("*/seed-0")
    loaded = load(run)
    obs, _ = loaded.env().reset()
    grid = loaded.member.ctx.problem.grid
    assert grid is not None and cells[0] == grid.cells[obs[0]]
    goal = int(np.argmin(np.abs(pictures[0][17 : 11 * CELL : CELL, 17 : 11 * CELL : CELL].astype(int) - GREEN).sum(-1)))
    assert cells[-1] == goal  # the last state, which autoreset hides, is there
    assert all(abs(a // 11 - b // 11) + abs(a % 11 - b % 11) <= 1 for a, b in pairwise(cells))
    assert told["episodes"] == [{"episode": 1, "return": 1.0, "steps": len(cells) - 1, "end": "ended"}]
    assert pictures[0].shape == (told["height"], told["width"], 3) == (374, 374, 3)


def test_the_caption_is_beneath_and_the_size_the_same_for_all_episodes(runs: Path, tmp_path: Path) -> None:
    done = command("record", runs / "hazard-grid", "-o", "a/h.gif", "--episodes", 2, "--max-steps", 3, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "episode 2: return 0, 3 steps, cut" in done.stdout
    pictures = frames(tmp_path / "a/h.gif")
    assert {picture.shape for picture in pictures} == {(384 + 52, 384, 3)}
    strips = {picture[384:].tobytes() for picture in pictures}
    assert len(strips) >= 6  # the counts change
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["h.gif"]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_mp4_has_as_many_frames_as_it_says(runs: Path, tmp_path: Path) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    pytest.importorskip("pygame")
    done = command("record", runs / "cart-pole", "-o", "c.mp4", "--fps", 25, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    read = ffmpeg.read_frames(str(tmp_path / "c.mp4"))
    meta = next(read)
    assert (meta["fps"], meta["size"]) == (25, (told["width"], told["height"]))
    frames = sum(1 for _ in read)  # this reader leaves its pipes open
    assert frames == told["frames"] == told["episodes"][0]["steps"] + 1 + 25 // 2 - 1


def test_the_same_seed_makes_the_same_film_and_another_another(runs: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        args = [
            "record",
            runs / "hazard-grid",
            "-o",
            tmp_path / f"{name}.gif",
            "--seed",
            seed,
            "--sample",
            "--max-steps",
            20,
        ]
        assert main([str(arg) for arg in args]) == 0
    a, b, c = ((tmp_path / f"{name}.gif").read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["{runs}/four-rooms", "-o", "x.png"], "x.png is neither a gif nor an mp4"),
        (["{runs}/four-rooms", "-o", "x.gif", "--fps", "90"], "--fps is 90: expected at most 50 in a gif"),
        (["{runs}", "-o", "x.gif"], "has 4 runs beneath it: expected one"),
        (["nowhere", "-o", "x.gif"], "nowhere does not exist"),
        (["{runs}/four-rooms", "-o", "x.gif", "--checkpoint", "7"], "has no checkpoint at step 7"),
        (
            ["{runs}/four-rooms", "-o", "x.gif", "--episode", "2"],
            "no option called '--episode': did you mean --episodes",
        ),
    ],
)
def test_bad_input_is_one_sentence(
    args: list[str],
    said: str,
    runs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["record", *(arg.format(runs=runs) for arg in args)]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_ffmpeg_one_sentence_names_the_extra(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "imageio_ffmpeg" else found(name, *a)
    )
    assert main(["record", str(runs / "four-rooms"), "-o", str(tmp_path / "x.mp4")]) == 2
    assert "zoo-view[mp4]" in capsys.readouterr().err


def test_a_film_of_few_colours_has_one_palette(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A palette for each frame would take most of the time."""
    from zoo_view.recording.films import write_film

    palettes = []
    original = Image.Image.quantize

    def quantize(self: Image.Image, *args: object, **kwargs: object) -> Image.Image:
        palettes.extend([self] if kwargs.get("palette") is None else [])
        return original(self, *args, **kwargs)  # type: ignore[arg-type]

    def images(colours: list[tuple[int, int, int]]) -> Iterator[Image.Image]:
        for index, colour in enumerate(colours):
            picture = np.full((40, 60, 3), 250, dtype=np.uint8)
            picture[:, index % 60] = colour
            yield Image.fromarray(picture)

    monkeypatch.setattr(Image.Image, "quantize", quantize)
    write_film(images([(200, 30, 30)] * 50), tmp_path / "f.gif", 20)
    assert (len(palettes), len(frames(tmp_path / "f.gif"))) == (1, 50)
    write_film(images([(200, 30, 30), (30, 30, 200)]), tmp_path / "g.gif", 20)  # a colour that was not there before
    assert len(palettes) == 3
    assert np.abs(frames(tmp_path / "g.gif")[1][0, 1].astype(int) - (30, 30, 200)).max() < 24


def test_states_without_pictures_are_numbered_discs(runs: Path, tmp_path: Path) -> None:
    assert (
        main(["record", str(runs / "garnet"), "-o", str(tmp_path / "g.gif"), "--max-steps", "6", "--no-caption"]) == 0
    )
    with Image.open(tmp_path / "g.gif") as film:
        assert film.size == (480, 384)  # 20 states, five in a row of 96 pixels each


@pytest.mark.parametrize(("states", "size"), [(2, (192, 96)), (20, (480, 384)), (2500, (450, 450))])
def test_each_state_has_a_place_of_its_own(states: int, size: tuple[int, int]) -> None:
    drawing = StatesDrawing(states)
    agent = np.array([31, 119, 180])
    places = []
    for state in (0, states - 1):
        picture = drawing.draw(state, None)
        assert picture.shape == (size[1], size[0], 3) and picture.dtype == np.uint8
        blue = np.argwhere((picture == agent).all(axis=2))
        places.append(tuple(blue.mean(axis=0).round()))
        assert len(blue) > 3
    assert places[0] != places[1]


def test_a_state_darkens_with_visits_and_an_arrow_tells_the_way() -> None:
    drawing = StatesDrawing(3)
    for _ in range(5):
        drawing.draw(0, None)
    drawing.draw(1, 0)
    arrow = drawing.draw(2, 1)
    still = StatesDrawing(3).draw(2, 2)
    orange = (arrow == [255, 127, 14]).all(axis=2)
    assert orange.any() and not (still == [255, 127, 14]).all(axis=2).any()
    assert 96 < np.argwhere(orange)[:, 1].mean() < 192 + 48  # between the second disc and the third
    often, once = (arrow[16, 96 * state + 48].sum() for state in (0, 1))
    assert often < once


def test_what_cannot_be_drawn_says_so_and_what_can(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (result,) = train("ppo-native", "cart-pole-goals", root=tmp_path, steps=32, num_envs=2, eval_episodes=0)
    assert main(["record", str(result.path), "-o", str(tmp_path / "x.gif")]) == 2
    told = capsys.readouterr().err
    assert "cart-pole-goals cannot be drawn: environment cart-pole-goals cannot be built" in told
    assert (
        "What has pictures (render_mode 'rgb_array'), numbered states or a text (render_mode 'ansi') can be drawn."
        in told
    )
    assert not (tmp_path / "x.gif").exists()


def test_what_only_prints_is_filmed_as_text(tmp_path: Path) -> None:
    (result,) = train("ppo-native", "tiny-composite", root=tmp_path, steps=32, num_envs=2, eval_episodes=0)
    loaded = load(result)
    env, camera = open_camera(loaded, 0)
    env.reset()
    first = camera.pictures[-1]
    env.step(loaded.act(env.reset()[0]))
    assert first.dtype == np.uint8 and first.shape == camera.pictures[-1].shape
    assert (first != camera.pictures[-1]).any()
    env.close()


def test_a_text_is_broken_and_its_end_is_shown() -> None:
    ink = [(picture_of_text(text) < 128).any(axis=(1, 2)) for text in ("a", "a\nb", "word " * 30, "a\n" * 40)]
    lines = [int((np.diff(rows.astype(int)) == 1).sum()) for rows in ink]
    assert lines[:3] == [1, 2, 4] and lines[3] == 8
