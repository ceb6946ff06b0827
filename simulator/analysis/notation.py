"""Estimates as people read them: a unit that fits, and as many digits as the interval allows.

Shares are percent (differences of shares percentage points), shares of time that nobody wants in
percent are downtime a year, times and rates take the unit in which the row reads best.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from simulator import units
from simulator.analysis.metrics import METRICS
from simulator.analysis.statistics import ONE, SOUND, Estimate

MEAN_DIGITS = 4
INTERVAL_DIGITS = 2
MOST_DECIMALS = 6
DOWNTIME_A_YEAR = (
    "router.availability",
    "network.availability",
    "vm.north_south_availability",
    "tenant.availability",
)
"""Availabilities that a second line gives as the downtime of a year."""

_DURATIONS = (
    (1e-3, 1e-6, "us"),
    (1.0, 1e-3, "ms"),
    (2 * units.MINUTE, units.SECOND, "s"),
    (2 * units.HOUR, units.MINUTE, "min"),
    (3 * units.DAY, units.HOUR, "h"),
    (2 * units.YEAR, units.DAY, "d"),
    (math.inf, units.YEAR, "y"),
)
_BIT_RATES = (
    (1e3, 1.0, "bps"),
    (1e6, 1e3, "kbps"),
    (1e9, 1e6, "Mbps"),
    (1e12, 1e9, "Gbps"),
    (math.inf, 1e12, "Tbps"),
)


@dataclass(frozen=True)
class Scale:
    """How a value is shown: divided by *size*, with *unit* behind it.

    *top* is the value, as shown, that digits are counted from instead of 0: 100 for an
    availability, whose nines are what matters.
    """

    size: float
    unit: str = ""
    top: float = 0.0


@dataclass(frozen=True)
class Cell:
    """One estimate in words: its mean with a unit, its interval, and what is to be remarked."""

    value: str
    interval: str = ""
    remark: str = ""
    clear: bool = False

    def __str__(self) -> str:
        star = "*" if self.clear else ""
        return " ".join(filter(None, (self.value, self.interval, star)))


def cells(metric: str, estimates: Sequence[Estimate], *, signed: bool = False) -> list[Cell]:
    """One row of a table: *estimates* of one metric, in one unit if that suits all.

    *signed* is for differences: they carry their sign, and are clear if their interval leaves
    zero out.
    """
    row = _scale(metric, estimates, signed=signed)
    return [_cell(e, _own(metric, e, row, signed=signed), signed=signed) for e in estimates]


def beside(metric: str, estimate: Estimate, limit: float) -> tuple[Cell, str]:
    """*estimate* and a *limit* of it, in one unit."""
    suited = estimate if estimate.mean else replace(estimate, mean=limit)
    scale = _own(metric, suited, _scale(metric, [suited], signed=False), signed=False)
    return _cell(estimate, scale, signed=False), exact(limit / scale.size, scale)


def downtime(estimate: Estimate, *, signed: bool = False) -> Estimate:
    """An availability (or, if *signed*, a difference of some) as downtime, in seconds a year."""
    if estimate.mean is None:
        return estimate
    whole = 0.0 if signed else 1.0

    def seconds(share: float | None) -> float | None:
        return None if share is None else (whole - share) * units.YEAR

    mean, low, high = map(seconds, (estimate.mean, estimate.ci_high, estimate.ci_low))
    return replace(estimate, mean=mean, ci_low=low, ci_high=high, unit="s/y")


def downtime_cells(estimates: Sequence[Estimate], *, signed: bool = False) -> list[Cell]:
    """The second line of an availability: as downtime a year."""
    return cells("downtime", [downtime(e, signed=signed) for e in estimates], signed=signed)


def duration_scale(seconds: float) -> Scale:
    """The scale that suits *seconds*."""
    return _fitting(_DURATIONS, seconds)


def bit_rate_scale(rate: float) -> Scale:
    """The scale that suits *rate*, bit/s."""
    return _fitting(_BIT_RATES, rate)


def number(value: float, decimals: int, *, signed: bool = False) -> str:
    """*value* with so many decimals (fewer than none round to tens); 0 and 100 stay plain.

    There are at most MOST_DECIMALS; what these would not show is written with an exponent.
    """
    if decimals > MOST_DECIMALS and 0 < abs(value) < 10 ** (1 - MOST_DECIMALS):
        return f"{value:{'+' if signed else ''}.1e}"
    most = min(decimals, MOST_DECIMALS)
    rounded = round(value, most)
    whole = value in (0, 100) or (decimals > most and rounded == 100)
    decimals = 0 if whole else most
    sign = "+" if signed and rounded > 0 else ""
    return f"{sign}{rounded + 0.0:.{max(decimals, 0)}f}"


def exact(value: float, scale: Scale, *, signed: bool = False) -> str:
    """*value* where no interval says how exact it is: up to four digits, and the unit."""
    text = number(value, _decimals(value, None, scale), signed=signed)
    if "." in text and "e" not in text:
        text = text.rstrip("0").rstrip(".")
    return _with_unit(text, scale)


def _scale(metric: str, estimates: Sequence[Estimate], *, signed: bool) -> Scale:
    """The scale of a row, by its largest mean (or half width, where that is larger still)."""
    largest = max((max(abs(e.mean), _half(e)) for e in estimates if e.mean), default=0.0)
    if metric == "downtime" or metric.startswith("router.downtime_"):
        share = metric != "downtime"
        scale = duration_scale(largest * (units.YEAR if share else 1.0))
        return Scale(scale.size / (units.YEAR if share else 1.0), f"{scale.unit}/y")
    unit = METRICS[metric].unit
    if unit == "s":
        return duration_scale(largest)
    if unit == "bit/s":
        return bit_rate_scale(largest)
    if unit == "1" and METRICS[metric].high == 1.0:
        near_top = not signed and largest > 0.5
        return Scale(0.01, "pp" if signed else "%", top=100.0 if near_top else 0.0)
    return Scale(1.0, "" if unit == "1" else unit)


def _half(estimate: Estimate) -> float:
    """Half the width of the interval; 0 for none, or for a mere bound."""
    if estimate.ci_low is None or estimate.ci_high is None or estimate.unseen:
        return 0.0
    return (estimate.ci_high - estimate.ci_low) / 2


def _own(metric: str, estimate: Estimate, row: Scale, *, signed: bool) -> Scale:
    """The row's scale, unless *estimate* would be all but nothing, or only a bound, in it."""
    if estimate.mean is None or row.unit in ("", "%", "pp"):
        return row
    if estimate.mean == 0:
        ends = [abs(end) for end in (estimate.ci_low, estimate.ci_high) if end]
        stand_in = replace(estimate, mean=max(ends, default=0.0))
        return _scale(metric, [stand_in], signed=signed)
    if max(abs(estimate.mean), _half(estimate)) / row.size < 0.1:
        return _scale(metric, [estimate], signed=signed)
    return row


def _cell(estimate: Estimate, scale: Scale, *, signed: bool) -> Cell:
    if estimate.mean is None:
        return Cell("-", remark=estimate.reason or "undefined")
    mean = estimate.mean / scale.size
    if estimate.unseen:
        return _unseen_cell(estimate, scale, signed=signed)
    low, high = estimate.ci_low, estimate.ci_high
    remark = _remark(estimate)
    if low is None or high is None:
        return Cell(exact(mean, scale, signed=signed) if mean else "0", remark=remark)
    if low == high:
        value = exact(mean, scale, signed=signed)
        clear = signed and low != 0
        return Cell(value if mean else "0", f"in all {estimate.n}", clear=clear)
    low, high = low / scale.size, high / scale.size
    decimals = _decimals(mean, (high - low) / 2, scale)
    ends = (number(end, decimals, signed=signed) for end in (low, high))
    return Cell(
        _with_unit(number(mean, decimals, signed=signed), scale),
        f"[{', '.join(ends)}]",
        remark,
        clear=signed and (low > 0 or high < 0),
    )


def _remark(estimate: Estimate) -> str:
    """Why the interval is open or doubtful; with few replications a report says so once."""
    is_open = estimate.ci_low is None or estimate.ci_high is None
    if estimate.note in (None, ONE) or not (estimate.doubtful or is_open):
        return ""
    return "" if estimate.n < SOUND else str(estimate.note)


def _unseen_cell(estimate: Estimate, scale: Scale, *, signed: bool) -> Cell:
    """All replications agree: the interval is a bound from one side, or there is none."""
    assert estimate.mean is not None
    mean, low, high = estimate.mean, estimate.ci_low, estimate.ci_high
    value = exact(mean / scale.size, scale, signed=signed)
    if high is None and not signed:
        words = f"({str(estimate.note).rpartition(': ')[2].removesuffix(' of them')})"
        return Cell(value if mean else "0", words)
    if signed or low is None or high is None:
        clear = signed and low is not None and high is not None and (low > 0 or high < 0)
        return Cell(value if mean else "0", f"in all {estimate.n}", clear=clear)
    words, end = ("at most", high) if mean - low < high - mean else ("at least", low)
    end /= scale.size
    bound = number(end, _significant(end, INTERVAL_DIGITS))
    return Cell(value if mean else "0", f"({words} {_with_unit(bound, scale)})")


def _decimals(mean: float, half: float | None, scale: Scale) -> int:
    """As many as show the half width in two digits, but no more than four digits of the mean."""
    bounds = [_significant(mean - scale.top, MEAN_DIGITS)] if mean != scale.top else []
    bounds += [_significant(half, INTERVAL_DIGITS)] if half else []
    return min(bounds, default=0)


def _significant(value: float, digits: int) -> int:
    """The decimals that show *digits* digits of *value*."""
    return digits - 1 - math.floor(math.log10(abs(value))) if value else 0


def _with_unit(text: str, scale: Scale) -> str:
    return f"{text} {scale.unit}" if scale.unit else text


def _fitting(steps: Sequence[tuple[float, float, str]], value: float) -> Scale:
    for limit, size, unit in steps:
        if abs(value) < limit:
            return Scale(size, unit)
    raise AssertionError(value)
