"""Pictures of what an environment is doing: its own, or else of its numbered states, or of what it prints."""

from __future__ import annotations

import os
import warnings
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from zoo import LoadedRun, UsageError, ZooError
from zoo.discovery import describe
from zoo_view.recording.states import StatesCamera
from zoo_view.recording.texts import picture_of_text

# Pictures are drawn without a screen, and pygame greets nobody on standard output.
for _name, _value in (("SDL_VIDEODRIVER", "dummy"), ("SDL_AUDIODRIVER", "dummy"), ("PYGAME_HIDE_SUPPORT_PROMPT", "1")):
    os.environ.setdefault(_name, _value)

Picture = NDArray[np.uint8]
_MOST_STATES = 2500
"""that are drawn as numbered discs"""
_DRAWN = "What has pictures (render_mode 'rgb_array'), numbered states or a text (render_mode 'ansi') can be drawn."


class Camera(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Draws every state of one copy; autoreset would hide the last of an episode."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.pictures: list[Any] = []

    @property
    def fps(self) -> int:
        """Frames a second that it asks for; 0 where it asks for none."""
        return int(self.metadata.get("render_fps") or 0)

    def picture(self) -> Any:
        """The state as it is."""
        rendered = self.env.render()
        return picture_of_text(rendered) if isinstance(rendered, str) else rendered

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """As gymnasium's."""
        told = self.env.reset(**kwargs)
        self.pictures.append(self.picture())
        return told

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """As gymnasium's."""
        told = self.env.step(action)
        self.pictures.append(self.picture())
        return told


def open_camera(loaded: LoadedRun, seed: int) -> tuple[Any, Camera | StatesCamera]:
    """One copy of the environment of a run, and what draws each of its states.

    Raises:
        UsageError: it can be drawn in no way.
    """
    name = loaded.run.spec.short[1]
    try:
        return _filmed(loaded, seed, "rgb_array")
    except UsageError as error:
        return _without_pictures(loaded, seed, f"{name} cannot be drawn: {error.message}")


def _without_pictures(loaded: LoadedRun, seed: int, problem: str) -> tuple[Any, Camera | StatesCamera]:
    plain = loaded.env(seed=seed)
    space = plain.single_observation_space
    if isinstance(space, gymnasium.spaces.Discrete) and space.n <= _MOST_STATES:
        camera = StatesCamera(plain, space)
        return camera, camera
    plain.close()
    try:
        return _filmed(loaded, seed, "ansi")
    except UsageError:
        raise UsageError(problem, _DRAWN) from None


def _filmed(loaded: LoadedRun, seed: int, mode: str) -> tuple[Any, Camera]:
    """One copy, and a camera before it.

    Raises:
        UsageError: it has no such mode, or what it renders is no picture.
    """
    with warnings.catch_warnings(action="ignore"):  # gymnasium warns of a mode that is not declared; it may be there
        env: Any = loaded.env(seed=seed, render_mode=mode)
    camera = env.unwrapped.envs[0] = Camera(env.unwrapped.envs[0])
    try:
        picture = camera.picture()
    except (KeyboardInterrupt, ZooError):
        raise
    except BaseException as error:
        env.close()
        raise UsageError(f"{describe(error).rstrip('.')}.") from error
    if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.shape[2:] == (3,)):
        env.close()
        raise UsageError(f"it has no render mode {mode!r}.")
    return env, camera
