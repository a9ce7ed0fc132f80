"""A plugin that notes which process trains a run."""

from __future__ import annotations

import os

from zoo import hookimpl


@hookimpl
def zoo_run_started(run):
    (run.path / "pid").write_text(str(os.getpid()))
