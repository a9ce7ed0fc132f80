"""Episodes of a loaded agent as pictures, the last state of each included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zoo import LoadedRun
from zoo.discovery import blaming
from zoo_view.recording.cameras import Picture, open_camera


@dataclass(frozen=True, eq=False)
class Frame:
    """One state of an episode.

    Attributes:
        picture: uint8 [height, width, 3].
        episode: its number, from 1.
        step: actions taken in it so far.
        total: undiscounted sum of the rewards so far.
        ended: why the episode ends here, in a word or two; empty where it goes on.
    """

    picture: Picture
    episode: int
    step: int
    total: float
    ended: str = ""


class Stage:
    """The environment of a run, ready to be drawn while its agent plays.

    Args:
        loaded: the agent.
        seed: of the episodes and of sampled actions.
        debug: let exceptions of the agent through.

    Raises:
        UsageError: the environment can be drawn in no way; the sentence says why.
    """

    def __init__(self, loaded: LoadedRun, seed: int, *, debug: bool = False) -> None:
        self.loaded, self._debug = loaded, debug
        self._env, self._camera = open_camera(loaded, seed)
        loaded.draw_from(seed)

    @property
    def fps(self) -> int:
        """Frames a second that the environment asks for; 30 where it asks for none."""
        return self._camera.fps or int(self._env.metadata.get("render_fps") or 30)

    def close(self) -> None:
        """Put the environment away."""
        self._env.close()

    def play(self, episodes: int, *, greedy: bool, max_steps: int) -> Iterator[Frame]:
        """``episodes`` episodes, each state as one frame.

        Args:
            episodes: how many, one after another.
            greedy: act as deployed, without exploration.
            max_steps: actions after which an episode is cut.
        """
        agent, components = self.loaded.algorithm, self.loaded.components
        obs, total, step = None, 0.0, 0
        for episode in range(1, episodes + 1):
            if obs is None:
                self._camera.pictures.clear()
                obs, _ = self._env.reset()
                agent.forget()
            yield Frame(self._camera.pictures[-1], episode, 0, 0.0)
            total, step, ended = 0.0, 0, ""
            while not ended:
                with blaming(components.owner, debug=self._debug):
                    action = agent.act(obs, greedy=greedy)
                self._camera.pictures.clear()
                obs, reward, terminated, truncated, _ = self._env.step(action)
                total, step = total + float(reward[0]), step + 1
                ended = "ended" if terminated[0] else "time limit" if truncated[0] else "cut" * (step >= max_steps)
                yield Frame(self._camera.pictures[0], episode, step, total, ended)
            agent.forget(np.ones(1, dtype=np.bool_))
            if ended == "cut":
                obs = None
