"""Quantiles over replications, with intervals that ask nothing of the distribution.

Of n independent values the number below the true quantile is binomial, so two of the ordered
values enclose it with a known chance, whatever their distribution: exactly if it is continuous,
with a larger one if values repeat (David and Nagaraja, Order Statistics, 7.1). Each side is missed
with a chance of at most 2.5 %. Few values have no such bound on a side: the 95 % quantile has an
upper one from 72 replications on.
"""

from __future__ import annotations

import numpy as np

from simulator.analysis.confidence import CONFIDENCE
from simulator.analysis.statistics import ONE, Estimate
from simulator.trace import Floats


def quantile(
    values: Floats,
    share: float,
    *,
    unit: str,
    high: float | None = None,
    reason: str = "",
    confidence: float = CONFIDENCE,
) -> Estimate:
    """What a *share* of replications, between 0 and 1, does not exceed, in *unit*.

    *values* (NaN where undefined) lie between 0 and *high* (None: no end). The estimate's `mean` is
    the sample's quantile, one of the values. A side that n is too small for is
    bounded by what is possible, and the note says so. *reason* explains why values are undefined,
    if all are.
    """
    if not 0 < share < 1:
        raise ValueError(f"a quantile's share lies between 0 and 1, not at {share}")
    ordered = np.sort(values[~np.isnan(values)])
    n = ordered.size
    if not n:
        return Estimate(None, None, None, 0, unit, reason=reason or "undefined")
    middle = float(np.quantile(ordered, share, method="inverted_cdf"))
    if n == 1:
        return Estimate(middle, None, None, 1, unit, note=ONE)
    below, above = ranks(n, share, confidence)
    low = float(ordered[below - 1]) if below else 0.0
    top = float(ordered[above - 1]) if above <= n else high
    return Estimate(middle, low, top, n, unit, note=_open(n, below, above, confidence))


def ranks(n: int, share: float, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """Which two of *n* ordered values, counted from 1, enclose the quantile.

    The first is 0 and the second n + 1 where no value bounds it on that side.
    """
    from scipy.special import bdtr  # slow to load: only where an interval is made

    tail = (1 - confidence) / 2
    at_most = bdtr(np.arange(n), n, share)  # the chance that at most k values lie below, k < n
    below = int(np.count_nonzero(at_most <= tail))
    above = int(np.count_nonzero(1 - at_most > tail)) + 1
    return below, above


def _open(n: int, below: int, above: int, confidence: float) -> str | None:
    """What to say of an interval that is open on a side."""
    if below and above <= n:
        return None
    side = "upper" if below else "lower" if above <= n else "upper or lower"
    return f"{n} replications are too few for a {100 * confidence:.4g} % bound: no {side} one"
