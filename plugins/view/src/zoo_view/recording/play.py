"""Episodes of a loaded agent as pictures, the last state of each included."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from zoo import LoadedRun, UsageError, ZooError
from zoo.discovery import blaming, describe
from zoo_view.recording.states import StatesCamera

# Pictures are drawn without a screen, and pygame greets nobody on standard output.
for _name, _value in (("SDL_VIDEODRIVER", "dummy"), ("SDL_AUDIODRIVER", "dummy"), ("PYGAME_HIDE_SUPPORT_PROMPT", "1")):
    os.environ.setdefault(_name, _value)

Picture = NDArray[np.uint8]
_MOST_STATES = 2500
"""that are drawn as numbered discs"""
_STATES_FPS = 4


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


class Camera(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Draws every state of one copy; autoreset would hide the last of an episode."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.pictures: list[Any] = []

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """As gymnasium's."""
        told = self.env.reset(**kwargs)
        self.pictures.append(self.env.render())
        return told

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """As gymnasium's."""
        told = self.env.step(action)
        self.pictures.append(self.env.render())
        return told


def _numbered(loaded: LoadedRun, seed: int, problem: str) -> StatesCamera:
    """The environment of a run, its states drawn as numbers.

    Raises:
        UsageError: its observations are no numbers of states.
    """
    env = loaded.env(seed=seed)
    space = env.single_observation_space
    if not isinstance(space, gymnasium.spaces.Discrete):
        env.close()
        raise UsageError(problem, "What has pictures (render_mode 'rgb_array') or numbered states can be drawn.")
    if space.n > _MOST_STATES:
        env.close()
        raise UsageError(f"{problem.rstrip('.')}, and {space.n} numbered states are too many: at most {_MOST_STATES}.")
    return StatesCamera(env, space)


class Stage:
    """The environment of a run, ready to be drawn while its agent plays.

    Args:
        loaded: the agent.
        seed: of the episodes and of sampled actions.
        debug: let exceptions of the agent through.

    Raises:
        UsageError: the environment has no pictures; the sentence says why.
    """

    def __init__(self, loaded: LoadedRun, seed: int, *, debug: bool = False) -> None:
        self.loaded, self._debug = loaded, debug
        self._env: Any = None
        self._camera: Camera | StatesCamera
        environment = loaded.run.spec.short[1]
        try:
            self._env = loaded.env(seed=seed, render_mode="rgb_array")
        except UsageError as error:
            self._env = self._camera = _numbered(loaded, seed, f"{environment} cannot be drawn: {error.message}")
            loaded.draw_from(seed)
            return
        self._camera = Camera(self._env.unwrapped.envs[0])
        self._env.unwrapped.envs[0] = self._camera
        try:
            picture = self._camera.env.render()
        except (KeyboardInterrupt, ZooError):
            raise
        except BaseException as error:
            raise UsageError(f"{environment} cannot be drawn: {describe(error).rstrip('.')}.") from error
        if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.shape[2:] == (3,)):
            raise UsageError(f"{environment} cannot be drawn: it has no render mode 'rgb_array'.")
        loaded.draw_from(seed)

    @property
    def fps(self) -> int:
        """Frames a second that the environment asks for; 30 where it asks for none."""
        if isinstance(self._camera, StatesCamera):
            return _STATES_FPS
        return int(self._env.metadata.get("render_fps") or self._camera.metadata.get("render_fps") or 30)

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
