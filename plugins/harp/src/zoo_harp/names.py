"""Names that the command line offers; imports nothing, since ``zoo --help`` of any command may import them."""

from __future__ import annotations

from typing import Literal, get_args

Family = Literal["final-answer", "answer-line", "boxed", "mcq"]
FAMILIES: tuple[Family, ...] = get_args(Family)
Align = Literal["any", "level", "subject"]
ALIGNS: tuple[Align, ...] = get_args(Align)
Layout = Literal["original", "dot", "paren", "none"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
