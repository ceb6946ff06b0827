"""Whether a result lost something against a baseline: metric by metric, and trace by trace.

A metric is judged by its difference to the baseline, paired replication by replication where both
drew the same random numbers, else as two samples (Welch). A loss is what goes the bad way; of a
metric that has none, either way is. The interval of the loss decides: all of it beyond the
tolerance fails, none of it passes, anything else is undecided.

The intervals hold together: of m judged differences each has an interval at 1 - 0.05 / m
(Bonferroni), so that all of them contain the truth in 95 % of the runs. A result that has lost
nothing beyond the tolerances therefore fails in at most 5 % of the runs: in 2.5 % if every metric
has a bad way, for only one end of an interval can do wrong. A difference that is 0 in every
replication passes: no replication that the baseline knows has seen the change.

They are Student's. Where nothing was changed but the draws, a difference is as likely as its
opposite, however skewed the metric, and there t errs on the safe side. Of a loss that is skewed
itself it may pass too soon, which the intervals of `confidence` would not; at this level they need
three times as many replications to find a repair that takes 10 % longer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulator import units
from simulator.analysis import machine
from simulator.analysis.baseline import KEPT_EVENTS, Baseline, first_events, moved
from simulator.analysis.fingerprint import SLICES, Moved, first_difference
from simulator.analysis.metrics import METRICS
from simulator.analysis.notation import cells
from simulator.analysis.results import ResultSet
from simulator.analysis.statistics import Estimate, difference
from simulator.analysis.verdicts import Finding, Verdict
from simulator.trace import Floats

Better = Literal["more", "less", "neither"]

JUDGED = (
    "router.availability", "router.all_down_time", "router.blast_radius_mean",
    "network.availability", "vm.north_south_availability", "control.availability",
    "agent.detection_mean", "agent.false_down_time", "failover.time_median", "load.carried",
    "load.imbalance",
)  # fmt: skip
"""Judged unless more are asked for: one of each kind of loss. The rest follow from the same
events, and each more widens the intervals of all."""

MORE = (
    "router.availability", "router.availability_worst", "router.east_west_availability",
    "network.availability", "vm.north_south_availability", "tenant.availability",
    "tenant.availability_worst", "node.availability", "control.availability", "load.carried",
    "load.router_p5",
)  # fmt: skip
"""More of these is better."""

NEITHER = ("load.offered", "failover.moves", "dhcp.servers_per_node_mean")
"""Of these neither more nor less is better; of all others less is."""

FAMILY = 0.05
"""The chance that any interval of one check misses the truth."""

SHARE = 0.05
"""The default tolerance: a share of the baseline's mean; of the time that is lost, for a share of
time that should be 1 (of 1 - A, for an availability A)."""


def better(metric: str) -> Better:
    """Which way *metric* gets better."""
    return "more" if metric in MORE else "neither" if metric in NEITHER else "less"


def default_tolerance(metric: str, mean: float) -> float:
    """The loss that is no alarm, in the metric's unit, where the baseline's mean is *mean*."""
    of_time = "availability" in metric
    return SHARE * abs(1 - mean if of_time else mean)


def regressions(
    result: ResultSet,
    baseline: Baseline,
    tolerances: Mapping[str, float] | None = None,
    *,
    exact: bool = False,
    changed: Sequence[str] = (),
) -> list[Finding]:
    """What *result* lost against *baseline*, and first of all whether anything moved.

    *tolerances* are by metric, in its unit, and go before those of the baseline; what they name is
    judged besides JUDGED. *exact*: what moved fails, for the better too, where both were drawn
    alike. *changed* is what was changed in the scenario on purpose, in words.
    """
    given = {**baseline.tolerances, **(tolerances or {})}
    findings = list(_missing_variants(result, baseline))
    shared = [variant for variant in result.variants if variant in baseline.samples]
    findings += [_bits(result, baseline, variant, exact, changed) for variant in shared]
    cases = []
    for variant in shared:
        for metric in METRICS:
            if metric in JUDGED or metric in given:
                found = _case(result, baseline, variant, metric, asked=metric in given)
                cases += [found] if isinstance(found, Case) else []
                findings += [found] if isinstance(found, Finding) else []
    paired = result.scenario.seed == baseline.seed
    judged = {case.variant for case in cases} | {one.variant for one in findings if one.metric}
    findings += [
        _nothing_judged(variant, baseline)
        for variant in shared
        if variant not in judged and not _is_same(result, baseline, variant)
    ]
    return findings + [case.finding(given, len(cases), paired=paired) for case in cases]


def _missing_variants(result: ResultSet, baseline: Baseline) -> Iterator[Finding]:
    for variant in dict.fromkeys([*baseline.variants, *result.variants]):
        for holder, where in ((result.samples, "result"), (baseline.samples, "baseline")):
            if variant not in holder:
                yield Finding(
                    f"{variant}: against the baseline", Verdict.MISSING,
                    f"the {where} has no variant '{variant}'", variant, "", _place(baseline),
                )  # fmt: skip


def _nothing_judged(variant: str, baseline: Baseline) -> Finding:
    return Finding(
        f"{variant}: metrics against the baseline", Verdict.MISSING,
        "none that is judged has values in it, and to judge nothing is no pass; name one by "
        "--tolerance", variant, "", _place(baseline),
    )  # fmt: skip


def _place(baseline: Baseline) -> str:
    return str(baseline.path or "")


# -- metrics ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One metric of one variant, with a value in some replications of both sides."""

    variant: str
    metric: str
    before: Floats
    now: Floats
    high: float | None
    estimates: tuple[Estimate, Estimate]
    place: str

    def finding(self, given: Mapping[str, float], family: int, *, paired: bool) -> Finding:
        """What is found, as one of *family* that are judged together."""
        tolerance = given.get(self.metric)
        if tolerance is None:
            mean = self.estimates[0].mean
            assert mean is not None
            tolerance = default_tolerance(self.metric, mean)
        difference = self._difference(1 - FAMILY / family, paired=paired)
        verdict, words = _judged(difference, tolerance, better(self.metric))
        return Finding(
            _asked(self.variant, self.metric), verdict,
            self._said(difference, tolerance, words, paired=paired),
            self.variant, self.metric, self.place,
            {
                "value": difference.mean, "ci_low": difference.ci_low,
                "ci_high": difference.ci_high, "limit": tolerance, "n": difference.n,
            },
        )  # fmt: skip

    def _difference(self, confidence: float, *, paired: bool) -> Estimate:
        metric = METRICS[self.metric]
        if not paired:
            return difference(
                self.now, self.before, unit=metric.unit, high=self.high, counts=metric.counts,
                paired=False, confidence=confidence,
            )  # fmt: skip
        both = ~np.isnan(self.now - self.before)
        return _mean(self.now[both] - self.before[both], metric.unit, confidence)

    def _said(self, found: Estimate, tolerance: float, words: str, *, paired: bool) -> str:
        if found.mean == 0 == found.ci_low == found.ci_high:
            return f"{words} in all {found.n} replications: {self._values()[1]}"
        was, now = self._values()
        cell = cells(self.metric, [found], signed=True)[0]
        limit = Estimate(tolerance, None, None, 1, METRICS[self.metric].unit)
        allowed = cells(self.metric, [limit], signed=True)[0].value.lstrip("+")
        sizes = [str(np.count_nonzero(~np.isnan(side))) for side in (self.now, self.before)]
        how = f"paired, n = {found.n}" if paired else f"not paired, n = {' and '.join(sizes)}"
        change = " ".join(filter(None, (cell.value, cell.interval)))
        return f"{words}: {now}, was {was}: {change}, allowed {allowed} ({how})"

    def _values(self) -> list[str]:
        return [cell.value for cell in cells(self.metric, self.estimates)]


def _asked(variant: str, metric: str) -> str:
    return f"{variant}: {metric} against the baseline"


def _case(
    result: ResultSet, baseline: Baseline, variant: str, metric: str, *, asked: bool
) -> Case | Finding | None:
    """What is to be compared, or a finding of what is missing.

    None: it was not asked for by name, and the baseline has a value in less than half of its
    replications, so that a result without any would be no wonder.
    """
    sides = (baseline.samples[variant], result.samples[variant])
    for side, name in zip(sides, ("baseline", "result"), strict=True):
        if metric not in side.values:
            return _missing(baseline, variant, metric, f"the {name} lacks this metric")
    before, now = (side.values[metric] for side in sides)
    known = float(np.mean(~np.isnan(before)))
    if not asked and known < 0.5:
        return None
    for values, side, name in zip((before, now), sides, ("baseline", "result"), strict=True):
        if np.all(np.isnan(values)):
            why = f"the {name} has no value: {side.reasons[metric]}"
            return _missing(baseline, variant, metric, why)
    left = np.count_nonzero(~np.isnan(now))
    if left < known * now.size / 2:
        why = f"the result has a value in {left} of {now.size} replications, the baseline in "
        why += f"{np.count_nonzero(~np.isnan(before))} of {before.size}"
        return _missing(baseline, variant, metric, why)
    was = baseline.estimate(metric, variant, result.scenario.window)
    estimates = (was, result.estimate(metric, variant))
    return Case(variant, metric, before, now, result.high(metric), estimates, _place(baseline))


def _missing(baseline: Baseline, variant: str, metric: str, why: str) -> Finding:
    name = _asked(variant, metric)
    return Finding(name, Verdict.MISSING, why, variant, metric, _place(baseline))


def _judged(difference: Estimate, tolerance: float, way: Better) -> tuple[Verdict, str]:
    """The verdict on *difference*, now minus before, and how it is called."""
    low, high = difference.ci_low, difference.ci_high
    if low is None or high is None:
        few = difference.n < 2
        why = f"{difference.n or 'no'} replication to compare" if few else "nothing bounds it"
        return Verdict.UNDECIDED, f"{why}, so no interval"
    if low == high == 0:
        return Verdict.PASS, "the same"
    if difference.doubtful:
        return Verdict.UNDECIDED, "too few replications to tell"
    low, high = {
        "less": (low, high),
        "more": (-high, -low),
        "neither": (max(low, -high, 0.0), max(high, -low)),
    }[way]
    if low > tolerance:
        return Verdict.FAIL, "moved" if way == "neither" else "worse"
    if high > tolerance:
        return Verdict.UNDECIDED, "too uncertain to tell"
    if high < -tolerance:
        return Verdict.PASS, "better, so the baseline should be updated"
    return Verdict.PASS, "within the tolerance"


def _mean(values: Floats, unit: str, confidence: float) -> Estimate:
    """The mean of paired differences and its interval."""
    n = values.size
    mean = float(np.mean(values)) if n else 0.0
    if n and not np.any(values):
        return Estimate(0.0, 0.0, 0.0, n, unit)
    if n < 2:
        return Estimate(mean, None, None, n, unit)
    half = _student(n - 1, confidence) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half, n, unit)


def _student(freedom: float, confidence: float) -> float:
    from scipy.special import stdtrit  # slow to load

    return float(stdtrit(freedom, 0.5 + confidence / 2))


# -- bits ------------------------------------------------------------------------------------


def _bits(
    result: ResultSet, baseline: Baseline, variant: str, exact: bool, changed: Sequence[str]
) -> Finding:
    """Whether anything of *variant* moved, and if so, what, and where first."""
    verdict, found = _bits_verdict(result, baseline, variant, exact, changed)
    name = f"{variant}: the same bits as in the baseline"
    return Finding(name, verdict, found, variant, "", _place(baseline))


def _bits_verdict(
    result: ResultSet, baseline: Baseline, variant: str, exact: bool, changed: Sequence[str]
) -> tuple[Verdict, str]:
    if result.scenario.seed != baseline.seed:
        why = f"other draws: seed {result.scenario.seed}, the baseline's is {baseline.seed}"
        return Verdict.NOT_COMPARABLE, why
    now = {key: one for key, one in result.fingerprints.items() if key[0] == variant}
    if not now:
        missing = Verdict.MISSING if exact else Verdict.NOT_COMPARABLE
        return missing, "this result has no fingerprints: it was written before there were any"
    found = moved(baseline.fingerprints, now)
    same = len(found.pop(Moved.NOTHING, []))
    metrics = _moved_metrics(result, baseline, variant)
    if not found and not metrics:
        return Verdict.PASS, f"{Moved.NOTHING.value} in {same} traces"
    words = [f"{what} in {len(keys)} of {len(now)} traces" for what, keys in found.items()]
    keys = sorted(key for keys in found.values() for key in keys)
    words += _first(result, baseline, variant, keys) if keys else ["nothing moved in the traces"]
    words += [f"{len(metrics)} of {len(METRICS)} metrics moved: {_few(metrics)}"] if metrics else []
    said = "; ".join(words)
    if changed:
        return Verdict.NOT_COMPARABLE, f"the scenario was changed ({'; '.join(changed)}); {said}"
    elsewhere = machine.differences(baseline.machine, result.machine)
    if elsewhere:
        return Verdict.NOT_COMPARABLE, f"drawn elsewhere ({'; '.join(elsewhere)}); {said}"
    return Verdict.FAIL if exact else Verdict.PASS, said


def _is_same(result: ResultSet, baseline: Baseline, variant: str) -> bool:
    """Whether *variant* is known to have moved in nothing."""
    now = {key: one for key, one in result.fingerprints.items() if key[0] == variant}
    still = set(moved(baseline.fingerprints, now)) == {Moved.NOTHING}
    return still and not _moved_metrics(result, baseline, variant)


def _moved_metrics(result: ResultSet, baseline: Baseline, variant: str) -> list[str]:
    """The metrics that both know and that do not have the same values."""
    before, now = baseline.samples[variant].values, result.samples[variant].values
    return [
        metric
        for metric in METRICS
        if metric in before
        and metric in now
        and not np.array_equal(before[metric], now[metric], equal_nan=True)
    ]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _first(
    result: ResultSet, baseline: Baseline, variant: str, keys: list[tuple[str, int]]
) -> list[str]:
    """Where the traces of *keys* part first, in words: the event, or a slice of the horizon."""
    if (variant, 0) in keys:
        known = baseline.events.get(variant)
        events = first_events(result).get(variant) if known else None
        if known and events:
            cut = KEPT_EVENTS // max(len(baseline.variants), len(result.variants))
            pair = first_difference(known[:cut], events[:cut])
            if pair:
                return [f"first in replication 0: {_event(pair[1])}, was {_event(pair[0])}"]
    width = result.scenario.horizon / SLICES
    for key in keys:
        number = result.fingerprints[key].parts(baseline.fingerprints[key])
        if number is not None:
            ends = [units.format_duration(n * width) for n in (number, number + 1)]
            return [f"first in replication {key[1]} between {ends[0]} and {ends[1]}"]
    return ["the events are the same, but not the names, rates or loads behind them"]


def _event(line: str) -> str:
    """An event in words, from its line."""
    if not line:
        return "the end"
    time, event, subject, thing, value = line.split("\t")
    words = [event, subject, thing, f"({float(value):g})" if float(value) else ""]
    return f"at {time} s {' '.join(filter(None, words))}"
