"""The metrics of suites are the events of the run's own curves; None where nothing was logged."""

from __future__ import annotations

import importlib
import math
from types import SimpleNamespace

import pytest
import zoo_icl

LN2 = math.log(2.0)
LOSS = [0.7, 0.7, 0.6, 0.6, 0.5, 0.3, 0.2]
FLIP = [0.4, 0.9, 0.9, 0.9, 0.4, 0.3, 0.3]
RUN = SimpleNamespace(
    series=lambda name: SimpleNamespace(
        steps=[float(i) for i in range(7)] if name in ("loss", "flip") else [],
        values={"loss": LOSS, "flip": FLIP}.get(name, []),
    )
)
FUNCTIONS = {
    name: getattr(importlib.import_module(target.partition(":")[0]), target.partition(":")[2])
    for name, target in zoo_icl.zoo_derived().items()
}
EXPECTED = {
    "phase_onset": ("loss", 1 + (0.7 - 0.9 * LN2) / 0.1),  # on the line from .7 at step 1 to .6 at step 2
    "phase_t_half": ("loss", 4 + (0.5 - 0.5 * LN2) / 0.2),
    "plateau_length": ("loss", 3.0),
    "transience_peak": ("flip", 0.9),
    "transience_peak_at": ("flip", 0.0),  # the median of the first three
    "transience_drop": ("flip", 0.6),
    "transience_cross": ("flip", 3.8),  # the medians are .9 .9 .9 .9 .4 .35 .3 from step 0 on
}


def test_opposition_is_of_the_evaluations_that_both_curves_have():
    curves = {
        "heads": SimpleNamespace(steps=[10, 20, 30, 40, 50], values=[0.5, 0.9, 0.6, 0.7, 0.2]),
        "iwl/acc": SimpleNamespace(steps=[5, 20, 40, 50, 60], values=[0.9, 0.1, 0.3, 0.4, 0.0]),
    }
    nothing = SimpleNamespace(steps=[], values=[])
    run = SimpleNamespace(series=lambda name: curves.get(name, nothing))
    assert FUNCTIONS["transience_opposition"](run, "heads") == pytest.approx(-1.0)
    assert FUNCTIONS["transience_opposition"](run, "other") is None
    del curves["iwl/acc"]
    assert FUNCTIONS["transience_opposition"](run, "heads") is None


@pytest.mark.parametrize("name", EXPECTED)
def test_each_function_reads_its_event(name):
    of, value = EXPECTED[name]
    assert FUNCTIONS[name](RUN, of) == pytest.approx(value)
    assert FUNCTIONS[name](RUN, "nothing") is None


def test_the_floor_may_be_another():
    assert FUNCTIONS["phase_t_half"](RUN, "loss", floor=1.3) == pytest.approx(1.5)


def test_the_fall_of_the_loss_is_counted_from_the_peak_of_an_accuracy_logged_less_often():
    curves = {
        "icl/acc": SimpleNamespace(steps=[10, 20, 40], values=[0.5, 0.9, 0.6]),
        "train/loss": SimpleNamespace(steps=[10, 15, 20, 30, 40], values=[2.0, 1.5, 1.0, 0.5, 0.25]),
    }
    nothing = SimpleNamespace(steps=[], values=[])
    fall = FUNCTIONS["transience_fall"]
    assert fall(SimpleNamespace(series=lambda name: curves.get(name, nothing)), "icl/acc") == pytest.approx(0.75)
    assert fall(SimpleNamespace(series=lambda name: curves.get(name, nothing)), "other") is None
    del curves["train/loss"]
    assert fall(SimpleNamespace(series=lambda name: curves.get(name, nothing)), "icl/acc") is None
