"""A row of the table of validation, and how rows are made of scenarios."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np

from simulator.analysis.context import context_of
from simulator.analysis.measured import Measured
from simulator.analysis.statistics import estimate
from simulator.analysis.verdicts import Finding, Verdict
from simulator.exact.answers import answers
from simulator.exact.check import BOUND, compare
from simulator.experiment.runner import run
from simulator.scenario.schema import Scenario
from simulator.trace import Floats
from simulator.world.plan import compile_plan
from simulator.world.simulation import simulate

LEVEL = 1e-3
"""The chance at which a test of a law rejects a right one."""


class Outcome(StrEnum):
    """What became of a row; the last two judge nothing."""

    PASS = "pass"
    FAIL = "fail"
    NOT_HERE = "not here"
    NOT_MODELLED = "not modelled"


@dataclass(frozen=True)
class Row:
    """One line: what is compared, what it must be, who says so, what was simulated, and how far
    off that is (a z, a p-value, `in range`, or nothing).
    """

    group: str
    what: str
    expected: str
    source: str
    simulated: str
    distance: str
    outcome: Outcome

    def finding(self) -> Finding | None:
        """As a finding among others; None for a row that judges nothing."""
        if self.outcome not in (Outcome.PASS, Outcome.FAIL):
            return None
        verdict = Verdict(self.outcome.value)
        return Finding(f"{self.group}: {self.what}", verdict, f"{self.simulated}; {self.distance}")


@dataclass(frozen=True)
class Effort:
    """How much is simulated: in the long form so many times more, by so many processes."""

    long: bool
    jobs: int

    def of(self, replications: int, longer: int = 20) -> int:
        """*replications* in the short form, *longer* times as many in the long one."""
        return replications * longer if self.long else replications


Maker: TypeAlias = Callable[[Effort], Iterator[Row]]
FREE = {
    "boot": "0s", "agent_start": "0s", "rest_call": "0s", "rpc_call": "0s", "rewire": "0s",
    "rebuild_per_router": "0s", "rebuild_per_network": "0s", "address_regain": "0s",
    "answer_per_router": "0s", "reschedule": "0s", "promote": "0s", "spawn_dnsmasq": "0s",
}  # fmt: skip
"""Costs of nothing: agents do all their work in no time."""
ROUTERS = {"tenants": 1, "per_tenant": {"networks": 0}}
"""One router, and no networks."""
SEED = 20_130_404


def scene(name: str, *, replications: int = 1, horizon: str = "1d", start: str = "equilibrium",
          **keys: Any) -> Scenario:  # fmt: skip
    """A scenario of one variant: Grizzly, one router and no costs, unless *keys* say otherwise."""
    system = {
        "release": "grizzly",
        "costs": FREE,
        "hosts": nodes(1),
        "workload": ROUTERS,
        **keys,
    }
    return Scenario.model_validate_json(json.dumps({
        "name": name, "seed": SEED, "horizon": horizon, "start": start,
        "replications": replications, "baseline": "model", "variants": {"model": system},
    }))  # fmt: skip


def nodes(count: int, agents: Sequence[str] = ("l3",), **keys: Any) -> dict[str, Any]:
    """A controller and *count* network nodes."""
    return {
        "controller": {"kind": "controller", "count": 1},
        "network": {"kind": "network", "count": count, "agents": list(agents), **keys},
    }


def outage(at: float, seconds: float, **keys: Any) -> dict[str, Any]:
    """One outage at a given time."""
    return {"outages": [{"at": f"{at}s", "for": f"{seconds}s"}], **keys}


def exponential(up: str, down: str) -> dict[str, Any]:
    """Failures and repairs of constant rates."""
    return {
        "time_to_failure": {"exponential": {"mean": up}},
        "time_to_repair": {"exponential": {"mean": down}},
    }


def samples(scenario: Scenario, jobs: int, *metrics: str) -> list[Floats]:
    """What each of *metrics* was in every replication."""
    result = run(scenario, jobs=jobs, trace_replication=None, objects="none")
    values = result.samples["model"].values
    return [values[metric] for metric in metrics]


def measured(scenario: Scenario) -> Iterator[Measured]:
    """The replications of *scenario*, one by one."""
    plan, context = compile_plan(scenario, "model"), context_of(scenario, "model")
    for replication in range(scenario.replications):
        yield Measured(simulate(plan, scenario.seed, replication), context)


def exactly(scenario: Scenario, metric: str) -> float:
    """The exact value of *metric*."""
    return answers(scenario, "model").found[metric].value


def compared(
    group: str, what: str, values: Floats, scenario: Scenario, metric: str, *,
    published: str, source: str, slack: float = 0.0,
) -> Row:  # fmt: skip
    """*values* of a metric against its exact value, and that against what was *published*.

    *slack* is how far the rounding of what it was computed from may have moved the latter.
    """
    answer = answers(scenario, "model").found[metric]
    _, verdict, why = compare(values, answer, None, BOUND)
    outcome = Outcome.PASS if verdict == Verdict.PASS else Outcome.FAIL
    if not agrees(answer.value, published, slack):
        outcome, why = Outcome.FAIL, f"the exact value is {answer.value:.10g}, not the published"
    expected = f"{published}, exact {answer.value:.6f}" if slack else published
    return Row(group, what, expected, source, interval(values), why, outcome)


def agrees(value: float, published: str, slack: float = 0.0) -> bool:
    """Whether *value* is the number in *published* to the digits given there, but for *slack*."""
    mantissa, _, exponent = published.partition("e")
    decimals = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(exponent or 0) - decimals)
    return abs(value - float(published)) <= 0.51 * unit + slack


def interval(values: Floats) -> str:
    """The mean of *values* and its 95 % interval."""
    found = estimate(values, unit="1", high=None)
    if found.ci_low is None or found.ci_high is None:
        return f"{found.mean:.9g}"
    digits = 9 if 0.999 < abs(found.mean or 0.0) < 1 else 5
    low, high = found.ci_low, found.ci_high
    return f"{found.mean:.{digits}g} [{low:.{digits}g}, {high:.{digits}g}]"


def law(
    group: str, what: str, times: Floats, *, expected: str, source: str,
    bounds: tuple[float, float], cdf: Callable[[Floats], Floats], mean: float,
) -> Row:  # fmt: skip
    """*times* inside *bounds*, by a law: Kolmogorov and Smirnov's test, and the mean's z."""
    from scipy.stats import kstest

    inside = bounds[0] <= times.min() and times.max() <= bounds[1] + 1e-3
    z = (times.mean() - mean) / (times.std(ddof=1) / np.sqrt(times.size))
    p = float(kstest(times, cdf).pvalue)
    passed = inside and p > LEVEL and abs(z) <= BOUND
    found = f"mean {times.mean():.4g} s, from {times.min():.4g} to {times.max():.4g} s"
    distance = f"z = {z:+.2f}, KS p = {p:.2g}, n = {times.size}"
    outcome = Outcome.PASS if passed else Outcome.FAIL
    return Row(group, what, expected, source, found, distance, outcome)


def within(
    group: str, what: str, value: float, low: float, high: float, *, expected: str, source: str,
    found: str,
) -> Row:  # fmt: skip
    """A *value* that must lie from *low* to *high*."""
    inside = low <= value <= high
    outcome = Outcome.PASS if inside else Outcome.FAIL
    return Row(group, what, expected, source, found, "in range" if inside else "outside", outcome)
