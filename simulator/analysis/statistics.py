"""Means over replications with intervals, and differences.

Replications are independent and identically distributed. Which interval a metric takes depends on
what was seen alone (how each is made: `confidence.py`):

- values of 0 and 1: the share's exact interval;
- all values the same, on a bound of what is possible: a bound by the rule of three, never [0, 0].
  Of the chance that a replication sees anything, times the largest value; of the expectation, for
  counts of events (Poisson). A quantity with neither bound only has that chance, in the note;
- fewer than FEW values off such a bound, though some: the share of such replications times the mean
  of what is seen in them. One alone tells nothing of that mean but the largest value possible,
  unless events are counted, which are then taken to come in lots of that size;
- else Student's t, corrected for skewness. With fewer than 20 values, or fewer than 100 so skewed
  that n < 8 skewness^2, no interval is sure to hold 95 %, and the note says so.

A paired difference is the mean of the differences: 0 is what few of them may be off. A difference
of independent samples is made of the intervals of the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from simulator.analysis.confidence import (
    CONFIDENCE,
    Interval,
    difference_interval,
    mean_interval,
    most_events,
    product_interval,
    rule_of_three,
    share_interval,
    sign_interval,
    skewness,
    welch_interval,
)
from simulator.trace import Floats

COLUMNS = ("mean", "ci_low", "ci_high", "n", "unit", "reason", "note")
ONE = "one replication gives no interval"
DOUBTFUL = "too few replications: the interval holds only if values are hardly skewed"
FEW = 10
"""Replications that saw something, below which how many they are matters most."""
SOUND = 20
"""Values that are enough to see whether they are skewed."""
SURE = 100
"""Replications from which on an interval is taken to hold, however skewed the values are; a tail
that none of them saw is hidden from any."""


@dataclass(frozen=True)
class Estimate:
    """A mean over *n* replications and its 95 % interval.

    *mean* is None where the metric is undefined, and *reason* says why. *note* says what is
    special about the interval. *unseen*: all replications agree on a bound of what is possible, so
    the interval is only a bound from one side, or there is none. *doubtful*: there are too few
    replications for an interval that is sure to hold. *reach*: how much of the interval, below and
    above, is there for what is too rare to be seen (`rarity.py`), which nothing is any more from
    *known_from* replications on.
    """

    mean: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    unit: str
    reason: str | None = None
    note: str | None = None
    unseen: bool = False
    doubtful: bool = False
    reach: tuple[float, float] = (0.0, 0.0)
    known_from: int = 0

    def as_dict(self) -> dict[str, object]:
        """For JSON: an undefined metric is its mean, null, and the reason."""
        if self.mean is None:
            return {"mean": None, "reason": self.reason, "n": self.n, "unit": self.unit}
        found: dict[str, object] = {
            "mean": self.mean,
            "ci_low": self.ci_low,
            "ci_high": self.ci_high,
            "n": self.n,
            "unit": self.unit,
        }
        if self.note:
            found["note"] = self.note
        return found

    def columns(self) -> dict[str, object]:
        """For tables: every column of COLUMNS."""
        return {name: getattr(self, name) for name in COLUMNS}


@dataclass(frozen=True)
class _Quantity:
    """What is estimated: a mean between 0 and *high* (None: no end), perhaps of counts."""

    unit: str
    high: float | None
    counts: bool
    confidence: float

    @property
    def most(self) -> float:
        """The largest possible value."""
        return math.inf if self.high is None else self.high

    def on_bounds(self, values: Floats) -> bool:
        """Whether all values are the same, and a bound of what is possible."""
        return bool(np.all(values == 0) or np.all(values == self.most))

    def shares(self, *samples: Floats) -> bool:
        """Whether all values are 0 or 1, and nothing beyond is possible."""
        return self.most == 1 and all(np.all((s == 0) | (s == 1)) for s in samples)

    def slack(self, n: int) -> float | None:
        """How far off a bound the mean may be of what all of *n* values lie on; None for any."""
        if self.high is not None:
            return self.high * rule_of_three(n, self.confidence)
        return most_events(n, self.confidence) if self.counts else None


def estimate(
    values: Floats,
    *,
    unit: str,
    high: float | None,
    counts: bool = False,
    reason: str = "",
    confidence: float = CONFIDENCE,
) -> Estimate:
    """The mean of *values* (NaN where undefined), which lie between 0 and *high* (None: no end).

    *counts* says that they count events. *reason* explains why values are undefined, if all are.
    """
    defined = values[~np.isnan(values)]
    if defined.size < 2:
        return _too_few(defined, unit, reason)
    return _mean(defined, _Quantity(unit, high, counts, confidence))


def difference(
    a: Floats,
    b: Floats,
    *,
    unit: str,
    high: float | None,
    counts: bool = False,
    reason: str = "",
    paired: bool = True,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """The mean of a - b, replication by replication, or between independent samples."""
    if paired:
        both = ~np.isnan(a - b)
        a, b = a[both], b[both]
    else:
        a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    n = min(a.size, b.size)
    if n < 2:
        return _too_few(np.array([np.mean(a) - np.mean(b)] if n else []), unit, reason)
    quantity = _Quantity(unit, high, counts, confidence)
    return _paired(a, b, quantity) if paired else _between(a, b, quantity)


def usual(
    values: Floats, least: float, most: float, *, unit: str, confidence: float = CONFIDENCE
) -> Estimate:
    """The mean of two or more *values*, with the t interval, and this within *least* and *most*."""
    return _usual(values, values, least, _Quantity(unit, most, False, confidence))


def pairing_factor(a: Floats, b: Floats) -> float | None:
    """How many times smaller the variance of a - b is than that of independent samples.

    So many times fewer replications tell the two apart. None if they never differ, or differ by
    the same always; below 1 if what helps one harms the other.
    """
    both = ~np.isnan(a - b)
    if np.count_nonzero(both) < 2:
        return None
    of_a, of_b, of_both = (float(np.var(v[both], ddof=1)) for v in (a, b, a - b))
    return (of_a + of_b) / of_both if of_both else None


def _too_few(values: Floats, unit: str, reason: str) -> Estimate:
    """One value, or none."""
    if not values.size:
        return Estimate(None, None, None, 0, unit, reason=reason or "undefined")
    return Estimate(float(values[0]), None, None, 1, unit, note=ONE)


def _mean(values: Floats, quantity: _Quantity) -> Estimate:
    mean, n = float(np.mean(values)), values.size
    if quantity.on_bounds(values):
        return _nothing_seen(mean, n, quantity)
    if quantity.shares(values):
        low, top = share_interval(int(values.sum()), n, quantity.confidence)
        return Estimate(mean, low, top, n, quantity.unit)
    off, rest = _off(values, quantity)
    if _takes_t(values, quantity):
        common = _common(values)
        if common is not None:
            return _of_few_others(values, common, quantity)
        return _usual(values, off, 0.0, quantity)
    means, doubtful = _mean_off(np.abs(off), quantity)
    if rest:
        means = -means[1], -means[0]
    found = _of_few(off, means, rest, n, quantity)
    return _bounded(_marked(found, doubtful), 0.0, quantity)


def _common(values: Floats) -> float | None:
    """The value of nearly all replications, though not of all: all but a few that saw another."""
    found, counts = np.unique(values, return_counts=True)
    most = int(counts.max())
    nearly = values.size >= SOUND and values.size - FEW < most < values.size
    return float(found[counts.argmax()]) if nearly else None


def _of_few_others(values: Floats, common: float, quantity: _Quantity) -> Estimate:
    """Nearly all values are *common*: the share of the others, times how far these are from it."""
    off = values[values != common] - common
    means, doubtful = _mean_change(off, quantity, shares=False)
    found = _of_few(off, means, common, values.size, quantity)
    return _bounded(_marked(found, doubtful), 0.0, quantity)


def _off(values: Floats, quantity: _Quantity) -> tuple[Floats, float]:
    """What is off the bound on which more values lie, measured from there; and that bound."""
    full = np.count_nonzero(values == quantity.most) > np.count_nonzero(values == 0)
    rest = quantity.most if full else 0.0
    return values[values != rest] - rest, rest


def _takes_t(values: Floats, quantity: _Quantity) -> bool:
    """Whether enough values are off the bounds for the t interval."""
    off, _ = _off(values, quantity)
    return off.size >= min(FEW, values.size) and not quantity.shares(values)


def _paired(a: Floats, b: Floats, quantity: _Quantity) -> Estimate:
    values = a - b
    mean, n = float(np.mean(values)), values.size
    shares = quantity.shares(a, b)
    if np.all(values == values[0]) and (shares or quantity.on_bounds(a)):
        never = quantity.counts and not np.any(a) and not np.any(b)
        return _all_the_same(mean, n, replace(quantity, counts=never).slack(n), quantity)
    off = values[values != 0]
    if not off.size:
        return replace(_all_the_same(mean, n, 0.0, quantity), unseen=False)
    if off.size >= min(FEW, n) and not shares:
        return _usual(values, off, -quantity.most, quantity)
    means, doubtful = _mean_change(off, quantity, shares=shares)
    found = _of_few(off, means, 0.0, n, quantity)
    return _bounded(_marked(found, doubtful), -quantity.most, quantity)


def _between(a: Floats, b: Floats, quantity: _Quantity) -> Estimate:
    n, mean = min(a.size, b.size), float(np.mean(a) - np.mean(b))
    if quantity.on_bounds(a) and quantity.on_bounds(b):
        parts = [quantity.slack(one.size) for one in (a, b)]
        slack = None if None in parts else sum(part for part in parts if part is not None)
        return _all_the_same(mean, n, slack, quantity)
    of_a, of_b = _mean(a, quantity), _mean(b, quantity)
    if _takes_t(a, quantity) and _takes_t(b, quantity):
        low, top = welch_interval(a, b, quantity.confidence)
    else:
        ends = _ends(of_a), _ends(of_b)
        low, top = difference_interval(float(np.mean(a)), ends[0], float(np.mean(b)), ends[1])
    found = Estimate(mean, low, top, n, quantity.unit, note="not paired")
    return _bounded(_marked(found, of_a.doubtful or of_b.doubtful), -quantity.most, quantity)


def _usual(values: Floats, off: Floats, least: float, quantity: _Quantity) -> Estimate:
    """With the t interval; *off* are those of *values* that are not where most are."""
    low, top = mean_interval(values, quantity.confidence)
    found = Estimate(float(np.mean(values)), low, top, values.size, quantity.unit)
    n, skew = off.size, skewness(off)
    return _bounded(_marked(found, n < SOUND or (n < SURE and n < 8 * skew**2)), least, quantity)


def _of_few(off: Floats, means: Interval, rest: float, n: int, quantity: _Quantity) -> Estimate:
    """Of *n* values of which only *rest* + *off* are not *rest*; *means*: of the mean of *off*."""
    share, mean = off.size / n, float(np.mean(off))
    shares = share_interval(off.size, n, quantity.confidence)
    low, top = product_interval(share, shares, mean, means)
    note = f"not {rest:g} in {off.size} of {n} replications" if off.size < FEW else None
    return Estimate(rest + share * mean, rest + low, rest + top, n, quantity.unit, note=note)


def _marked(found: Estimate, doubtful: bool) -> Estimate:
    """*found*, whose note says so if it is *doubtful*."""
    note = "; ".join(filter(None, (found.note, DOUBTFUL))) if doubtful else found.note
    return replace(found, note=note, doubtful=doubtful)


def _mean_off(sizes: Floats, quantity: _Quantity) -> tuple[Interval, bool]:
    """Of the mean of the *sizes* that few replications saw, and whether it is doubtful."""
    if np.all(sizes == sizes[0]) and (sizes.size > 1 or quantity.counts):
        return (float(sizes[0]), float(sizes[0])), not quantity.counts
    if sizes.size == 1:
        return (0.0, quantity.most), False
    low, top = mean_interval(sizes, quantity.confidence)
    return (max(low, 0.0), min(top, quantity.most)), True


def _mean_change(off: Floats, quantity: _Quantity, *, shares: bool) -> tuple[Interval, bool]:
    """Of the mean of what few replications differ by, this way or that; whether it is doubtful."""
    size = abs(float(off[0]))
    if np.all(np.abs(off) == size) and (off.size > 1 or quantity.counts or shares):
        low, top = sign_interval(off, quantity.confidence)
        return (size * low, size * top), not (quantity.counts or shares)
    if off.size == 1:
        return (-quantity.most, quantity.most), False
    low, top = mean_interval(off, quantity.confidence)
    return (max(low, -quantity.most), min(top, quantity.most)), True


def _ends(estimate: Estimate) -> Interval:
    """Its interval, without end where there is no bound."""
    low, top = estimate.ci_low, estimate.ci_high
    return -math.inf if low is None else low, math.inf if top is None else top


def _bounded(found: Estimate, least: float, quantity: _Quantity) -> Estimate:
    """*found* with an interval between *least* and what is possible at most; None for no bound."""
    low, top = _ends(found)
    low, top = max(low, least), min(top, quantity.most)
    return replace(
        found, ci_low=low if low > -math.inf else None, ci_high=top if top < math.inf else None
    )


def _nothing_seen(mean: float, n: int, quantity: _Quantity) -> Estimate:
    """All values lie on a bound of what is possible."""
    slack, percent = quantity.slack(n), _percent(n, quantity.confidence)
    if mean:
        assert slack is not None
        note = f"the same in all {n} replications: another value in at most {percent} of them"
        return Estimate(mean, mean - slack, mean, n, quantity.unit, note=note, unseen=True)
    note = f"seen in none of {n} replications: in at most {percent} of them"
    return Estimate(mean, 0.0, slack, n, quantity.unit, note=note, unseen=True)


def _all_the_same(mean: float, n: int, slack: float | None, quantity: _Quantity) -> Estimate:
    """A difference of values that all lie on bounds; it may be off by *slack* either way."""
    percent = _percent(n, quantity.confidence)
    note = f"the same in all {n} replications: another value in at most {percent} of them"
    low, top = (None, None) if slack is None else (mean - slack, mean + slack)
    found = Estimate(mean, low, top, n, quantity.unit, note=note, unseen=True)
    return found if slack is None else _bounded(found, -quantity.most, quantity)


def _percent(n: int, confidence: float) -> str:
    return f"{100 * rule_of_three(n, confidence):.2g} %"
