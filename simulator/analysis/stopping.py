"""When a run to a target may end.

A run that ended as soon as a 95 % interval is narrow, or leaves a limit out, would be wrong more
often than one time in twenty, for it looks often. So each of K planned looks takes intervals of
1 - 0.05 / K: the chance that any of them misses is at most the sum of theirs, 5 %, wherever the run
then ends (Bonferroni). That asks nothing of metrics and intervals, and with looks that are each at
twice the replications of the last it costs little: 7 looks widen intervals by 37 %. Turned down:
Pocock's boundary, 3 % narrower for these looks but only for normal values; looks after every
replication, for which no interval of a share or a quantile is at hand.

What is doubtful does not end a run, for too few replications look more alike than they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulator.analysis.thresholds import estimate_of, in_words, verdict
from simulator.analysis.verdicts import Verdict
from simulator.metric_units import METRIC_UNITS

if TYPE_CHECKING:
    from simulator.analysis.results import ResultSet
    from simulator.analysis.statistics import Estimate
    from simulator.scenario.thresholds import Threshold
    from simulator.scenario.until import Target


def wanting(result: ResultSet) -> Iterator[str]:
    """What is not reached yet of what the scenario's `until` asks for, in words."""
    until = result.scenario.until
    if until is None:
        return
    for target in until.targets:
        for variant in result.variants:
            estimate = result.estimate(target.metric, variant)
            if not is_narrow(estimate, target):
                yield f"{variant}: {target.metric}: {_of_wanted(estimate, target)}"
    for threshold in result.scenario.thresholds if until.decided else ():
        for variant in [threshold.variant] if threshold.variant else result.variants:
            if not is_decided(threshold, estimate_of(result, threshold, variant)):
                yield f"{variant}: {in_words(threshold)} undecided"


def why_ended(result: ResultSet) -> str | None:
    """Why a run to a target ended; None for another."""
    if result.scenario.until is None:
        return None
    missing, most = list(wanting(result)), result.scenario.looks[-1]
    if missing:
        return f"most reached, {most:,} replications: {'; '.join(missing)}"
    return f"target reached after {len(result.replications):,} of at most {most:,}"


def is_narrow(estimate: Estimate, target: Target) -> bool:
    """Whether *estimate* is known as exactly as the target asks."""
    half = half_width(estimate)
    return half is not None and half <= target.half_width and not estimate.doubtful


def is_decided(threshold: Threshold, estimate: Estimate) -> bool:
    """Whether *estimate*, which the threshold is on, passes or fails."""
    decided = verdict(threshold, estimate) in (Verdict.PASS, Verdict.FAIL)
    return decided and not estimate.doubtful


def half_width(estimate: Estimate) -> float | None:
    """Half the width of the interval; None for one without an end."""
    if estimate.ci_low is None or estimate.ci_high is None:
        return None
    return (estimate.ci_high - estimate.ci_low) / 2


def _of_wanted(estimate: Estimate, target: Target) -> str:
    """Half the interval's width as it is and as it is wanted."""
    half, unit = half_width(estimate), METRIC_UNITS[target.metric]
    wanted = f"half-width {unit.show(target.half_width)} wanted"
    if estimate.mean is None:
        return f"undefined, {wanted}"
    if half is None:
        return f"no interval, {wanted}"
    found = unit.show(float(f"{half:.2g}"))
    return f"half-width {found} of {unit.show(target.half_width)} wanted"
