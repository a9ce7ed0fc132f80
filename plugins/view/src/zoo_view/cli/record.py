"""``zoo record``: an agent at work, as a film."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo import CommandOptions, CommandParser
from zoo.cli import count, documented, emit, natural, set_threads
from zoo_view.stored_run import add_run_options, load_run

if TYPE_CHECKING:
    from PIL.Image import Image

    from zoo_view.recording.play import Frame


@documented
def main(args: Sequence[str], options: CommandOptions) -> int:
    """Run the command."""
    parsed = _parser().parse_args(args)
    set_threads(1)
    from zoo.runs import open_run
    from zoo_view.recording.films import check_film, fastest, write_film
    from zoo_view.recording.play import Stage

    check_film(parsed.output, parsed.fps)
    run = open_run(parsed.run)
    loaded = load_run(run, parsed, options)
    with closing(loaded.member.env), closing(Stage(loaded, parsed.seed, debug=options.debug)) as stage:
        fps = parsed.fps or fastest(parsed.output, stage.fps)
        frames = stage.play(parsed.episodes, greedy=not parsed.sample, max_steps=parsed.max_steps)
        title = "" if parsed.no_caption else f"{run.algorithm} on {run.environment}, seed {run.seed}"
        film = _Film(frames, title, fps)
        write_film(film.images(), parsed.output, fps)
    _tell(film, parsed, {"run": str(run.path), "step": loaded.step})
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="zoo record",
        usage="zoo record RUN -o FILE.gif|FILE.mp4 [options]",
        description="Let a trained agent play, and write what it does as a film. Nothing is trained or changed; no\n"
        "screen is needed. mp4 needs the extra: pip install 'zoo-view[mp4]'.",
        examples=[
            "zoo record runs/four-rooms/frp -o frp.gif",
            "zoo record runs/CartPole-v1/ppo-native -o cartpole.mp4 --episodes 3 --checkpoint best",
            "zoo record runs/hazard-grid/reload -o hazard.gif --fps 8 --sample --seed 1",
        ],
    )
    add_run_options(parser)
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, metavar="FILE", help="NAME.gif or NAME.mp4")
    add("--episodes", type=count, default=1, metavar="N", help="episodes, one after another (default: 1)")
    add("--seed", type=natural, default=0, metavar="N", help="of the episodes and of sampled actions (default: 0)")
    add("--sample", action="store_true", help="sample actions as in training, instead of acting greedily")
    add("--max-steps", type=count, default=1000, metavar="N", help="cut an episode after so many steps (default: 1000)")
    add(
        "--fps", type=count, metavar="N",
        help="frames a second (default: the environment's own); a frame of a gif lasts whole hundredths of a second",
    )  # fmt: skip
    add("--no-caption", action="store_true", help="the pictures alone, without the counts beneath")
    add("--json", action="store_true", help="print one JSON document on standard output")
    return parser


class _Film:
    """Frames as images, with what they showed."""

    def __init__(self, frames: Iterator[Frame], title: str, fps: int) -> None:
        self._frames, self._title, self._held = frames, title, max(1, fps // 2)
        self.count = 0
        self.size = (0, 0)
        self.episodes: list[dict[str, Any]] = []

    def images(self) -> Iterator[Image]:
        """Each frame; the last one of an episode stands for half a second, so that one sees how it ended."""
        from zoo_view.recording.captions import Canvas

        canvas: Canvas | None = None
        for frame in self._frames:
            canvas = canvas or Canvas(frame.picture, self._title)
            self.size = canvas.size
            image = canvas.lay(frame)
            for _ in range(self._held if frame.ended else 1):
                self.count += 1
                yield image
            if frame.ended:
                told = {"episode": frame.episode, "return": frame.total, "steps": frame.step, "end": frame.ended}
                self.episodes.append(told)


def _tell(film: _Film, parsed: argparse.Namespace, about: dict[str, Any]) -> None:
    if parsed.json:
        shown = {"frames": film.count, "width": film.size[0], "height": film.size[1], "episodes": film.episodes}
        emit({"file": str(parsed.output), **about, **shown})
        return
    print(f"{parsed.output}: {film.count} frames of {film.size[0]} x {film.size[1]}, {_size(parsed.output)}")
    for told in film.episodes:
        print(f"episode {told['episode']}: return {told['return']:.5g}, {told['steps']} steps, {told['end']}")


def _size(path: Path) -> str:
    kilobytes = path.stat().st_size / 1000
    return f"{kilobytes:.0f} kB" if kilobytes < 1000 else f"{kilobytes / 1000:.1f} MB"
