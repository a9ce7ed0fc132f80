"""States of an environment without pictures, as numbered discs: where the agent is, and where it came from."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_SIDE, _SMALLEST, _LARGEST, _IN_A_ROW = 480, 8, 96, 6
"""pixels: what the longer side should take, and the limits of a state; states that stand in one row"""
_READABLE = 24
"""pixels a state takes, for its number to be readable"""
_FINER = 4
"""everything is drawn larger, and made smaller with smooth edges"""
_PAPER, _NEVER, _OFTEN = np.array([255, 255, 255]), np.array([235, 235, 235]), np.array([158, 202, 225])
_AGENT, _WAY, _INK = (31, 119, 180), (255, 127, 14), (60, 60, 60)


class StatesDrawing:
    """Draws states as discs in rows, in the order of their numbers.

    Args:
        states: how many there are.
        first: the number of the first.
    """

    def __init__(self, states: int, first: int = 0) -> None:
        self._first = first
        self._columns = states if states <= _IN_A_ROW else math.ceil(math.sqrt(states))
        self._rows = -(-states // self._columns)
        self._cell = int(np.clip(_SIDE // self._columns, _SMALLEST, _LARGEST)) * _FINER
        self._visits = np.zeros(states, dtype=np.int64)
        self._font = ImageFont.load_default(size=self._cell // 4)

    def draw(self, state: int, before: int | None) -> NDArray[np.uint8]:
        """A picture uint8 [height, width, 3] of the agent in ``state``, which it entered from ``before``.

        A state is the darker the more often it has been drawn.
        """
        self._visits[state - self._first] += 1
        image = Image.new("RGB", (self._columns * self._cell, self._rows * self._cell), tuple(_PAPER))
        pen = ImageDraw.Draw(image)
        way = (before - self._first, state - self._first) if before is not None and before != state else None
        if way is not None:
            self._way(pen, *way)
        shades = np.log1p(self._visits) / np.log1p(self._visits.max())
        for index, shade in enumerate(shades):
            colour = _AGENT if index == state - self._first else tuple(map(int, _NEVER + shade * (_OFTEN - _NEVER)))
            self._disc(pen, index, 0.4, colour)
            if self._cell >= _READABLE * _FINER:
                ink = (255, 255, 255) if index == state - self._first else _INK
                pen.text(self._centre(index), str(index + self._first), fill=ink, font=self._font, anchor="mm")
        if way is not None:
            self._head(pen, *way)
        small = image.resize((image.width // _FINER, image.height // _FINER), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.uint8).copy()

    def _centre(self, index: int) -> tuple[float, float]:
        row, column = divmod(index, self._columns)
        return (column + 0.5) * self._cell, (row + 0.5) * self._cell

    def _disc(self, pen: ImageDraw.ImageDraw, index: int, radius: float, colour: tuple[int, ...]) -> None:
        x, y = self._centre(index)
        reach = radius * self._cell
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=colour)

    def _way(self, pen: ImageDraw.ImageDraw, start: int, end: int) -> None:
        """A line between two discs, beneath all."""
        pen.line((*self._centre(start), *self._centre(end)), fill=_WAY, width=max(1, self._cell // 24))

    def _head(self, pen: ImageDraw.ImageDraw, start: int, end: int) -> None:
        """The head of an arrow at the edge of a disc."""
        a, b = np.array(self._centre(start)), np.array(self._centre(end))
        along = (b - a) / np.linalg.norm(b - a)
        across = np.array([-along[1], along[0]])
        tip, head = b - 0.38 * self._cell * along, 0.12 * self._cell
        barbs = (tip - head * (along + side * across) for side in (0.6, -0.6))
        pen.polygon([tuple(tip), *map(tuple, barbs)], _WAY)


class StatesCamera(gymnasium.vector.VectorWrapper[Any, Any, Any, Any, Any]):
    """Draws the state of one copy after every reset and step, the last of an episode first where both fall together."""

    fps = 4

    def __init__(self, env: gymnasium.vector.VectorEnv[Any, Any, Any], space: gymnasium.spaces.Discrete[Any]) -> None:
        super().__init__(env)
        self._drawing = StatesDrawing(int(space.n), int(space.start))
        self._state: int | None = None
        self.pictures: list[NDArray[np.uint8]] = []

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """As gymnasium's."""
        obs, infos = self.env.reset(**kwargs)
        self._state = None
        self._show(obs[0])
        return obs, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """As gymnasium's."""
        obs, rewards, terminated, truncated, infos = self.env.step(actions)
        if terminated[0] or truncated[0]:
            self._show(infos["final_obs"][0])
            self._state = None
        self._show(obs[0])
        return obs, rewards, terminated, truncated, infos

    def _show(self, state: Any) -> None:
        self.pictures.append(self._drawing.draw(int(state), self._state))
        self._state = int(state)
