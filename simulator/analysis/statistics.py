"""Means over replications with 95 % intervals, and paired differences.

Replications are independent and identically distributed, so Student's t applies to their mean;
shares of replications (a value of 0 or 1 in each) take the exact interval of Clopper and Pearson.
Where nothing was seen, the interval is an upper bound by the rule of three, never [0, 0]: of the
chance that a replication sees anything, times the largest value; of the expectation, for counts
of events (Poisson). A quantity with neither bound only has that chance, in the note.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.trace import Floats

CONFIDENCE = 0.95
COLUMNS = ("mean", "ci_low", "ci_high", "n", "unit", "reason", "note")
ONE = "one replication gives no interval"


@dataclass(frozen=True)
class Estimate:
    """A mean over *n* replications and its 95 % interval.

    *mean* is None where the metric is undefined, and *reason* says why. *note* says what is
    special about the interval. *unseen*: all replications agree on a bound of what is possible, so
    the interval is only a bound from one side, or there is none.
    """

    mean: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    unit: str
    reason: str | None = None
    note: str | None = None
    unseen: bool = False

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


def rule_of_three(n: int) -> float:
    """The upper 95 % bound of the chance of what was not seen in *n* trials: about 3 / n."""
    return float(1 - (1 - CONFIDENCE) ** (1 / n))


def most_events(n: int) -> float:
    """The upper 95 % bound of the mean number of events of which *n* trials saw none: about 3 / n.

    Events come one by one, independently (Poisson): exp(-n mean) = 0.05.
    """
    return -math.log(1 - CONFIDENCE) / n


def estimate(
    values: Floats, *, unit: str, high: float | None, counts: bool = False, reason: str = ""
) -> Estimate:
    """The mean of *values* (NaN where undefined), which lie between 0 and *high* (None: no end).

    *counts* says that they count events. *reason* explains why values are undefined, if all are.
    """
    defined = values[~np.isnan(values)]
    n = defined.size
    if not n:
        return Estimate(None, None, None, 0, unit, reason=reason or "undefined")
    mean = float(np.mean(defined))
    if n == 1:
        return Estimate(mean, None, None, 1, unit, note=ONE)
    if high == 1.0 and np.all((defined == 0) | (defined == 1)):
        low, top = _share_interval(int(defined.sum()), n)
        note = {0.0: _none(n), 1.0: _same(n)}.get(mean)
        return Estimate(mean, low, top, n, unit, note=note, unseen=note is not None)
    if _on_bounds(defined, high):
        return _nothing_seen(mean, n, unit, _slack(n, high, counts))
    half = _half_width(defined)
    top = mean + half if high is None else min(mean + half, high)
    return Estimate(mean, max(mean - half, 0.0), top, n, unit)


def difference(
    a: Floats,
    b: Floats,
    *,
    unit: str,
    high: float | None,
    counts: bool = False,
    reason: str = "",
    paired: bool = True,
) -> Estimate:
    """The mean of a - b, replication by replication, or between independent samples."""
    if not paired:
        return _welch(a, b, unit=unit, high=high, counts=counts, reason=reason)
    values = a - b
    defined = values[~np.isnan(values)]
    n = defined.size
    if not n:
        return Estimate(None, None, None, 0, unit, reason=reason or "undefined")
    mean = float(np.mean(defined))
    if n == 1:
        return Estimate(mean, None, None, 1, unit, note=ONE)
    if _on_bounds(a[~np.isnan(values)], high) and np.all(defined == defined[0]):
        never = mean == 0 and not np.any(a[~np.isnan(values)])
        return _bounded(mean, n, unit, high, _slack(n, high, counts and never))
    half = _half_width(defined)
    end = math.inf if high is None else high
    return Estimate(mean, max(mean - half, -end), min(mean + half, end), n, unit)


def _welch(
    a: Floats, b: Floats, *, unit: str, high: float | None, counts: bool, reason: str
) -> Estimate:
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    n = min(a.size, b.size)
    if not n:
        return Estimate(None, None, None, 0, unit, reason=reason or "undefined")
    mean = float(np.mean(a) - np.mean(b))
    if n == 1:
        return Estimate(mean, None, None, 1, unit, note=ONE)
    if _on_bounds(a, high) and _on_bounds(b, high):
        parts = [_slack(one.size, high, counts) for one in (a, b)]
        slack = None if None in parts else sum(part for part in parts if part is not None)
        return _bounded(mean, n, unit, high, slack)
    variances = np.array([np.var(a, ddof=1) / a.size, np.var(b, ddof=1) / b.size])
    spread = float(variances.sum())
    if spread == 0:
        return Estimate(mean, mean, mean, n, unit)
    freedom = spread**2 / float(np.sum(variances**2 / np.array([a.size - 1, b.size - 1])))
    half = _student(freedom) * math.sqrt(spread)
    return Estimate(mean, mean - half, mean + half, n, unit, note="not paired")


def _on_bounds(values: Floats, high: float | None) -> bool:
    """Whether all values are the same, and a bound of what is possible."""
    return bool(np.all(values == 0) or (high is not None and np.all(values == high)))


def _half_width(values: Floats) -> float:
    """Half the t interval of the mean."""
    deviation = float(np.std(values, ddof=1))
    return _student(values.size - 1) * deviation / math.sqrt(values.size)


def _student(freedom: float) -> float:
    from scipy.special import stdtrit  # slow to load: only where an interval is made

    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2))


def _share_interval(successes: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's interval; at 0 or n successes the one-sided bound."""
    from scipy.special import betaincinv

    if successes == 0:
        return 0.0, rule_of_three(n)
    if successes == n:
        return 1 - rule_of_three(n), 1.0
    tail = (1 - CONFIDENCE) / 2
    low = betaincinv(successes, n - successes + 1, tail)
    high = betaincinv(successes + 1, n - successes, 1 - tail)
    return float(low), float(high)


def _nothing_seen(mean: float, n: int, unit: str, slack: float | None) -> Estimate:
    """All values lie on a bound of what is possible; the mean may be off it by *slack*."""
    if mean:
        assert slack is not None
        return Estimate(mean, mean - slack, mean, n, unit, note=_same(n), unseen=True)
    return Estimate(mean, 0.0, slack, n, unit, note=_none(n), unseen=True)


def _bounded(mean: float, n: int, unit: str, high: float | None, slack: float | None) -> Estimate:
    """A difference of values that all lie on bounds; it may be off by *slack* either way."""
    if slack is None:
        return Estimate(mean, None, None, n, unit, note=_same(n), unseen=True)
    end = math.inf if high is None else high
    low, top = max(mean - slack, -end), min(mean + slack, end)
    return Estimate(mean, low, top, n, unit, note=_same(n), unseen=True)


def _slack(n: int, high: float | None, counts: bool) -> float | None:
    """How far off a bound the mean may be of what all of *n* values lie on; None for any."""
    if high is not None:
        return high * rule_of_three(n)
    return most_events(n) if counts else None


def _none(n: int) -> str:
    return f"seen in none of {n} replications: in at most {_percent(n)} of them"


def _same(n: int) -> str:
    return f"the same in all {n} replications: another value in at most {_percent(n)} of them"


def _percent(n: int) -> str:
    return f"{100 * rule_of_three(n):.2g} %"
