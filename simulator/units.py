"""Quantities as people write them, turned into floats once, at the edge.

Inside the program times are seconds, rates bit/s, sizes bits or bytes as named, shares plain
numbers from 0 to 1. This is the only module that knows a unit.
"""

from __future__ import annotations

import math
import re

SECOND = 1.0
MINUTE = 60.0
HOUR = 3600.0
DAY = 24 * HOUR
WEEK = 7 * DAY
YEAR = 365 * DAY  # the 8760 hours of reliability tables

DURATIONS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": SECOND,
    "min": MINUTE,
    "h": HOUR,
    "d": DAY,
    "w": WEEK,
    "y": YEAR,
}
BIT_RATES = {
    prefix + unit: factor * bits
    for prefix, factor in (("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12))
    for unit, bits in (("bps", 1.0), ("bit/s", 1.0), ("B/s", 8.0))
}
PACKET_RATES = {"pps": 1.0, "kpps": 1e3, "Mpps": 1e6}
SIZES = {"B": 1.0, "kB": 1e3}
SHARES = {"": 1.0, "%": 0.01}
HOURS = {unit: seconds / HOUR for unit, seconds in DURATIONS.items()}
FREQUENCIES = {"/" + unit: 1 / seconds for unit, seconds in DURATIONS.items() if seconds >= 1}

_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*([A-Za-zµ/%]*)"
)
_HINTS = {"m": "'m' is ambiguous: write 'min' for minutes", "M": "write 'min' for minutes"}


def parse(value: object, units: dict[str, float], what: str, example: str) -> float:
    """*value* in base units, where *units* maps each allowed unit to its factor.

    *what* and *example* are for the message. Zero needs no unit. Raises ValueError otherwise.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"expected a {what} such as '{example}'")
    match = _QUANTITY.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"'{value}' is not a {what}; write it like '{example}'")
    number, unit = float(match[1]), match[2]
    if unit in units:
        factor = units[unit]  # dividing keeps '3us' at 3e-6 exactly
        number = number * factor if factor >= 1 else number / round(1 / factor)
    elif unit or number != 0:
        problem = _HINTS.get(unit) if units in (DURATIONS, HOURS) else None
        problem = problem or (f"unknown unit '{unit}'" if unit else f"'{value}' has no unit")
        raise ValueError(f"{problem}; allowed: {', '.join(filter(None, units))}")
    if not math.isfinite(number):
        raise ValueError(f"'{value}' is too large a {what}")
    return number


def duration(value: object) -> float:
    """Seconds of '90s', '5min', '1000h', '1y' (365 days)."""
    return parse(value, DURATIONS, "duration", "90s")


def hours(value: object) -> float:
    """Hours of '90h' or '30min', for what is counted in hours."""
    return parse(value, HOURS, "duration", "90h")


def number(value: object) -> float:
    """A plain number, which has no unit and is not text."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ValueError(f"'{value}' is not a plain number")


def bit_rate(value: object) -> float:
    """Bit/s of '10Gbps', '10Gbit/s' or (bytes, by the capital B) '100MB/s'."""
    return parse(value, BIT_RATES, "bit rate", "10Gbps")


def packet_rate(value: object) -> float:
    """Packets/s of '130kpps'."""
    return parse(value, PACKET_RATES, "packet rate", "130kpps")


def size(value: object) -> float:
    """Bytes of '1500B'."""
    return parse(value, SIZES, "size", "1500B")


def frequency(value: object) -> float:
    """Events a second of '300/y' or '2/d'."""
    return parse(value, FREQUENCIES, "frequency", "300/y")


def share(value: object) -> float:
    """A number from 0 to 1, of '99.95%' or 0.9995. A bare 99.95 is an error."""
    number = round(parse(value, SHARES, "share", "99.95%"), 15)  # '99.9%' is 0.999, not a bit over
    if not 0 <= number <= 1:
        raise ValueError(f"'{value}' is not between 0 and 1; write '99.95%' or 0.9995")
    return number


def format_duration(seconds: float) -> str:
    """*seconds* for people: '3.25 s', '12.4 min', '2.31 h', '5 d'."""
    magnitude = abs(seconds)
    for limit, factor, unit in (
        (1e-3, 1e-6, "us"),
        (1, 1e-3, "ms"),
        (2 * MINUTE, SECOND, "s"),
        (2 * HOUR, MINUTE, "min"),
        (3 * DAY, HOUR, "h"),
        (2 * YEAR, DAY, "d"),
    ):
        if magnitude < limit:
            return f"{seconds / factor:.4g} {unit}" if magnitude else "0 s"
    return f"{seconds / YEAR:.4g} y"


def format_bit_rate(bps: float) -> str:
    """*bps* for people: '4.5 Gbps'."""
    for factor, unit in ((1e12, "Tbps"), (1e9, "Gbps"), (1e6, "Mbps"), (1e3, "kbps")):
        if abs(bps) >= factor:
            return f"{bps / factor:.4g} {unit}"
    return f"{bps:.4g} bps"
