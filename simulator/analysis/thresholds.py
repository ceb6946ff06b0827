"""Do metrics keep the limits that were set for them? Each limit is judged in each variant.

A mean and a 95th percentile are known by their 95 % intervals: a limit is kept if every value in
the interval keeps it, broken if none does, and undecided if only some do. The interval is closed,
so one that touches the limit tells `<` from `<=`. Where nothing was seen, the bound by the rule
of three is the interval's end; where there is no bound, or only one replication, that side is
open and can decide nothing; nor can an interval of which it is not sure that it holds. An end of
the interval is a point: it keeps the limit or breaks it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING

from simulator.analysis.notation import beside
from simulator.analysis.quantiles import quantile
from simulator.analysis.statistics import SOUND, Estimate
from simulator.analysis.verdicts import Finding, Verdict
from simulator.errors import MissingError
from simulator.metric_units import METRIC_UNITS
from simulator.scenario.thresholds import Threshold

if TYPE_CHECKING:
    from simulator.analysis.results import ResultSet

KEEPS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
P95 = 0.95
WHOLE = "all replications"
"""What is asked of a result besides its thresholds."""


def judge(
    result: ResultSet, thresholds: Sequence[Threshold], places: Sequence[str] = ()
) -> list[Finding]:
    """What became of each of *thresholds*, which stand at *places*, in each variant it is for.

    A partial result is judged, too, and its replications are missing, so that it never passes.
    """
    findings = list(_missing_replications(result))
    for threshold, place in zip(thresholds, chain(places, repeat("")), strict=False):
        variants = [threshold.variant] if threshold.variant else result.variants
        findings += [_judged(result, threshold, variant, place) for variant in variants]
    return findings


def verdict(threshold: Threshold, estimate: Estimate) -> Verdict:
    """Whether *estimate*, which the threshold is *on*, keeps its limit."""
    if estimate.mean is None:
        return Verdict.MISSING
    if threshold.on in ("ci_low", "ci_high"):
        return _of_point(threshold, getattr(estimate, threshold.on))
    low = -math.inf if estimate.ci_low is None else estimate.ci_low
    high = math.inf if estimate.ci_high is None else estimate.ci_high
    kept = [KEEPS[threshold.op](end, threshold.value) for end in (low, high)]
    if estimate.doubtful:
        return Verdict.UNDECIDED
    if all(kept):
        return Verdict.PASS
    return Verdict.UNDECIDED if any(kept) else Verdict.FAIL


def _of_point(threshold: Threshold, point: float | None) -> Verdict:
    if point is None:
        return Verdict.MISSING
    return Verdict.PASS if KEEPS[threshold.op](point, threshold.value) else Verdict.FAIL


def _judged(result: ResultSet, threshold: Threshold, variant: str, place: str) -> Finding:
    metric = threshold.metric
    name = f"{variant}: {in_words(threshold)}"
    try:
        estimate = estimate_of(result, threshold, variant)
    except MissingError as error:
        return Finding(name, Verdict.MISSING, str(error), variant, metric, place)
    numbers = {
        "value": estimate.mean,
        **{key: getattr(estimate, key) for key in ("ci_low", "ci_high")},
        "limit": threshold.value,
        "n": estimate.n,
    }
    found, judged = _found(result, threshold, estimate), verdict(threshold, estimate)
    if judged is Verdict.UNDECIDED:
        found += _remedy(threshold, estimate)
    return Finding(name, judged, found, variant, metric, place, numbers)


def in_words(threshold: Threshold) -> str:
    """*threshold* in a line, as in `router.availability >= 99.95%`."""
    limit = METRIC_UNITS[threshold.metric].show(threshold.value)
    of = "" if threshold.on == "mean" else f"{threshold.on} of "
    return f"{of}{threshold.metric} {threshold.op} {limit}"


def estimate_of(result: ResultSet, threshold: Threshold, variant: str) -> Estimate:
    """What *threshold* is on, in *variant*."""
    mean = result.estimate(threshold.metric, variant)
    if threshold.on != "p95":
        return mean
    values = result.samples[variant].values[threshold.metric]
    high = result.high(threshold.metric)
    return quantile(
        values, P95, unit=mean.unit, high=high, reason=mean.reason or "",
        confidence=result.confidence,
    )  # fmt: skip


def _found(result: ResultSet, threshold: Threshold, estimate: Estimate) -> str:
    """Value, interval, limit and replications, in words."""
    if estimate.mean is None:
        return f"undefined: {estimate.reason}"
    cell, limit = beside(threshold.metric, estimate, threshold.value)
    total = len(result.replications)
    defined = f"defined in {estimate.n} of " if estimate.n < total else ""
    words = [str(cell), f"limit {limit}", f"{defined}{_replications(total)}"]
    if estimate.note and not estimate.unseen:
        words.append(estimate.note)
    if threshold.on != "p95" and getattr(estimate, threshold.on) is None:
        words.append(f"it has no {threshold.on}")
    if result.partial:
        words.append("of a partial result")
    return ", ".join(words)


def _remedy(threshold: Threshold, estimate: Estimate) -> str:
    """What would decide an undecided threshold, in words, where that can be said."""
    if None not in (estimate.ci_low, estimate.ci_high):
        count = replications_needed(threshold, estimate)
        if count and estimate.doubtful:
            count = max(count, SOUND)
        return f", about {count:,} would decide" if count else ""
    return ", which no number of them bounds" if estimate.unseen else ""


def replications_needed(threshold: Threshold, estimate: Estimate) -> int | None:
    """About how many replications would decide *threshold*, to two digits; None for any number.

    Intervals shrink with the root of their number, and bounds of what was never seen with it. The
    interval is taken to shrink around where it is, so this is a guess, and no promise. What is too
    rare to be seen goes on lengthening it until it is seen often enough.
    """
    mean, low, high = estimate.mean, estimate.ci_low, estimate.ci_high
    assert mean is not None
    assert low is not None
    assert high is not None
    distance = abs(threshold.value - mean)
    if distance == 0 or (threshold.on == "p95" and estimate.note):
        return None
    above = threshold.value > mean
    width = (high - mean if above else mean - low) - estimate.reach[above]
    if width <= 0:
        return estimate.known_from
    shrinks = 1.0 if estimate.unseen else 0.5
    needed = estimate.n * math.pow(width / distance, 1 / shrinks)
    needed = max(needed, estimate.known_from if estimate.reach[above] else 0)
    size = 10.0 ** max(math.floor(math.log10(needed)) - 1, 0)
    return max(math.ceil(round(needed / size, 6)) * int(size), estimate.n + 1)


def _missing_replications(result: ResultSet) -> Iterator[Finding]:
    if result.partial:
        done, planned = len(result.replications), result.scenario.looks[-1]
        found = f"a partial result: {done} of {_replications(planned)}"
        yield Finding(WHOLE, Verdict.MISSING, found)


def _replications(count: int) -> str:
    return f"{count} replication{'s' if count != 1 else ''}"
