"""Units of measure: a unit is a product of powers of base names, such as (("cm", 2),)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final, TypeAlias

Unit: TypeAlias = tuple[tuple[str, int], ...]

_NAMES: Final = {
    "mm": "millimeter millimetre",
    "cm": "centimeter centimetre",
    "dm": "decimeter decimetre",
    "m": "meter metre",
    "km": "kilometer kilometre",
    "inch": "inch in",
    "foot": "foot ft",
    "yard": "yard yd",
    "mile": "mile mi",
    "mg": "milligram",
    "g": "gram gm",
    "kg": "kilogram kilo",
    "ton": "ton tonne",
    "oz": "ounce",
    "lb": "pound lbs",
    "ms": "millisecond",
    "s": "second sec secs",
    "min": "minute mins",
    "h": "hour hr hrs",
    "day": "day",
    "week": "week wk",
    "month": "month",
    "year": "year yr yrs",
    "mL": "milliliter millilitre ml",
    "L": "liter litre",
    "gallon": "gallon gal",
    "quart": "quart qt",
    "pint": "pint",
    "cup": "cup",
    "dollar": "dollar buck USD",
    "cent": "cent penny",
    "euro": "euro",
    "pound sterling": "",
    "yen": "",
    "yuan": "yuan RMB",
    "rupee": "rupee",
    "ruble": "ruble rouble",
    "deg": "degree",
    "rad": "radian",
    "celsius": "celsius",
    "fahrenheit": "fahrenheit",
    "unit": "unit units",
    "N": "newton",
    "J": "joule",
    "W": "watt",
    "Hz": "hertz",
    "acre": "acre",
    "hectare": "hectare ha",
}
SIZES: Final[Mapping[str, tuple[str, Fraction]]] = {
    base: (kind, Fraction(size))
    for kind, sizes in {
        "length": {"inch": 1, "foot": 12, "yard": 36, "mile": 63360},
        "metric length": {"mm": 1, "cm": 10, "dm": 100, "m": 1000, "km": 10**6},
        "mass": {"oz": 1, "lb": 16},
        "metric mass": {"mg": 1, "g": 1000, "kg": 10**6},
        "volume": {"cup": 1, "pint": 2, "quart": 4, "gallon": 16},
        "metric volume": {"mL": 1, "L": 1000},
        "time": {"s": 1, "min": 60, "h": 3600, "day": 86400, "week": 604800},
        "years": {"month": 1, "year": 12},
        "money": {"cent": 1, "dollar": 100},
    }.items()
    for base, size in sizes.items()
}
"""base name to what it measures, and its size relative to the other units of the same kind"""
_PLURALS: Final = {"foot": "feet", "inch": "inches", "penny": "pennies", "century": "centuries"}


def _spellings() -> dict[str, str]:
    base_names: dict[str, str] = {}
    for base, names in _NAMES.items():
        base_names[base] = base
        for name in names.split():
            base_names[name] = base
            plural = _PLURALS.get(name, name + "s")
            for spelling in (plural, name.capitalize(), plural.capitalize(), name.upper() if len(name) > 3 else name):
                base_names.setdefault(spelling, base)
    return base_names


UNITS: Final[Mapping[str, str]] = _spellings()
"""spelling to base name"""
COMPOUND: Final[Mapping[str, Unit]] = {
    "mph": (("h", -1), ("mile", 1)),
    "kph": (("h", -1), ("km", 1)),
    "kmph": (("h", -1), ("km", 1)),
    "fps": (("foot", 1), ("s", -1)),
    "cc": (("cm", 3),),
}
_BEFORE: Final = {"square": 2, "sq": 2, "squared": 2, "cubic": 3, "cu": 3}
_AFTER: Final = {"squared": 2, "cubed": 3}


def is_unit(word: str) -> bool:
    """Whether ``word`` can begin a unit."""
    return word in UNITS or word in COMPOUND or word.lower() in _BEFORE


def multiply(a: Unit, b: Unit, sign: int = 1) -> Unit:
    """``a`` times ``b``, or divided by it with ``sign=-1``."""
    powers = dict(a)
    for base, power in b:
        powers[base] = powers.get(base, 0) + sign * power
    return tuple(sorted((base, power) for base, power in powers.items() if power))


def read_unit(words: Sequence[str]) -> tuple[Unit, int] | None:
    """The unit that ``words`` begin with, and how many it takes; None if they begin with none.

    Words are spellings, ``^2`` for a written power, ``/`` or ``per`` for a quotient and ``*`` for a product.
    """
    unit: Unit = ()
    index, sign = 0, 1
    while True:
        raised = 1
        if index < len(words) and words[index].lower() in _BEFORE:
            raised = _BEFORE[words[index].lower()]
            index += 1
            if index < len(words) and words[index] == ".":
                index += 1
        if index >= len(words) or not (words[index] in UNITS or words[index] in COMPOUND):
            return None
        factor = COMPOUND.get(words[index]) or ((UNITS[words[index]], 1),)
        index += 1
        if index < len(words) and words[index].startswith("^"):
            raised = int(words[index][1:])
            index += 1
        elif index < len(words) and words[index].lower() in _AFTER:
            raised = _AFTER[words[index].lower()]
            index += 1
        unit = multiply(unit, tuple((base, power * raised) for base, power in factor), sign)
        if index + 1 < len(words) and words[index] in UNITS and words[index + 1].startswith("^-"):
            sign = 1
            continue
        if index + 1 >= len(words) or words[index] not in ("/", "per", "*") or not is_unit(words[index + 1]):
            break
        sign = 1 if words[index] == "*" else -1
        index += 1
    return tuple((base, power) for base, power in unit if (base, power) != ("unit", 1)), index
