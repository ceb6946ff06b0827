"""The expectation of a metric that hardly ever differs from zero, with its relative error.

Each replication holds some components down at one random instant and is weighted for it
(`world/forcing.py`), so that what takes years of years to be seen is seen in every few replications
and keeps its expectation. How hard is held is chosen by pilot runs, whose numbers are not used
again.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial

import numpy as np

from simulator import interrupts
from simulator.analysis.context import context_of
from simulator.analysis.measured import Measured, UndefinedError
from simulator.analysis.metrics import METRICS
from simulator.analysis.weighted import Weighted, weighted
from simulator.errors import InputError
from simulator.experiment.workers import cores, outcomes
from simulator.scenario.schema import Scenario
from simulator.scenario.size import amount
from simulator.world.forcing import Part, Target, forced, most_weight, weight
from simulator.world.plan import Plan, compile_plan
from simulator.world.simulation import simulate
from simulator.world.streams import Streams

Progress = Callable[[int, int], None]

INTENSITIES = (0.1, 0.25, 0.5, 0.7, 0.85, 0.95)
"""Chances, one of which a host's parts together are held down with."""
PILOT, PILOTS = 20, 100
"""A pilot run has so manieth a part of the replications, and at least so many."""
SHOWN = 12
"""Names that an error lists."""
RELEASE_COST = 5.0
"""About what a release needs for a router, s."""
LEAST = 2
"""So many replications give a standard error."""


@dataclass(frozen=True)
class Rare:
    """What was found: the weighted estimate of *metric* in *variant* at *intensity*.

    *targets* are the names of the components that were held down; *planned* replications were
    wanted, of which an interrupt may have left fewer.
    """

    metric: str
    variant: str
    intensity: float
    targets: tuple[str, ...]
    estimate: Weighted
    planned: int

    @property
    def partial(self) -> bool:
        """Whether fewer replications finished than were planned."""
        return self.estimate.n < self.planned


@dataclass(frozen=True)
class Task:
    """Replications of one variant, each with its metric and its weight.

    *held* has what is held down in each *size* replications from number *first* on.
    """

    scenario: Scenario
    variant: str
    metric: str
    held: tuple[tuple[Target, ...], ...]
    first: int
    size: int

    def worker(self) -> Callable[[int], tuple[float, float]]:
        """A function that simulates the replication of a number."""
        return partial(_replicate, self, compile_plan(self.scenario, self.variant))


def _replicate(task: Task, plan: Plan, number: int) -> tuple[float, float]:
    """The metric of a replication, and its weight."""
    context = context_of(task.scenario, task.variant)
    seed, window = task.scenario.seed, (context.begin, context.end)
    targets = task.held[(number - task.first) // task.size]
    trace = simulate(forced(plan, targets, window, Streams(seed, number)), seed, number)
    try:
        value = METRICS[task.metric].function(Measured(trace, context))
    except UndefinedError as reason:
        raise InputError(f"{task.metric} has no value in {task.variant}: {reason}") from None
    return value, weight(trace, targets, window)


def rare(
    scenario: Scenario,
    metric: str,
    *,
    variant: str | None = None,
    hold: Sequence[str] = (),
    replications: int | None = None,
    seed: int | None = None,
    jobs: int = 0,
    progress: Progress | None = None,
    start_method: str | None = None,
) -> Rare:
    """Estimate *metric* of one *variant* (the baseline by default), where it is hardly ever seen.

    *hold* has patterns of the names of components that are held down (`network-*`); by default
    the hosts of L3 agents and their data and external NICs. The other arguments are as of `run`.
    Raises InputError for what cannot be estimated so.
    """
    changes = {"replications": replications, "seed": seed}
    given = {name: value for name, value in changes.items() if value is not None}
    scenario = scenario.model_copy(update=given)
    name = _variant(scenario, variant)
    _check(scenario, metric)
    plan = compile_plan(scenario, name)
    groups = _groups(plan, hold)
    sampler = _Sampler(
        scenario,
        name,
        metric,
        groups,
        jobs=jobs or cores(),
        start_method=start_method,
        progress=progress or (lambda done, total: None),
    )
    best = sampler.pilot()
    return Rare(
        metric=metric,
        variant=name,
        intensity=best,
        targets=tuple(
            plan.components.names[part.renewal.component] for group in groups for part in group
        ),
        estimate=sampler.estimate(best),
        planned=scenario.replications,
    )


@dataclass
class _Sampler:
    """Weighted replications of one variant, at any intensity."""

    scenario: Scenario
    variant: str
    metric: str
    groups: list[tuple[Part, ...]]
    jobs: int
    start_method: str | None
    progress: Progress
    done: int = 0

    @property
    def _pilot(self) -> int:
        return max(self.scenario.replications // PILOT, PILOTS)

    def pilot(self) -> float:
        """The best intensity, by replications whose numbers come after those of the estimate."""
        size = self._pilot
        found = self._gather(INTENSITIES, self.scenario.replications, size)
        parts = (found[i * size : (i + 1) * size] for i in range(len(INTENSITIES)))
        pilots = map(self._weighted, INTENSITIES, parts)
        return _best(dict(zip(INTENSITIES, pilots, strict=True)))

    def estimate(self, intensity: float) -> Weighted:
        """The estimate from all replications, or from those that an interrupt left."""
        found: list[tuple[float, float]] = []
        try:
            self._gather((intensity,), 0, self.scenario.replications, found)
        except KeyboardInterrupt:
            if len(found) < LEAST:
                raise
        return self._weighted(intensity, found)

    def _weighted(self, intensity: float, found: Sequence[tuple[float, float]]) -> Weighted:
        values, weights = np.array(found).T
        metric = METRICS[self.metric]
        high = metric.largest(self.scenario.window)
        most = most_weight(_targets(self.groups, intensity))
        return weighted(values, weights, most=most, unit=metric.unit, high=high)

    def _gather(
        self, intensities: Sequence[float], first: int, size: int,
        found: list[tuple[float, float]] | None = None,
    ) -> list[tuple[float, float]]:  # fmt: skip
        """*size* replications of each of *intensities*, put into *found* as they come."""
        found = [] if found is None else found
        numbers = range(first, first + size * len(intensities))
        held = tuple(_targets(self.groups, intensity) for intensity in intensities)
        task = Task(self.scenario, self.variant, self.metric, held, first, size)
        jobs = min(self.jobs, len(numbers))
        total = self.scenario.replications + self._pilot * len(INTENSITIES)
        with (
            interrupts.seen(held=jobs > 1) as seen,
            outcomes(task, numbers, jobs, self.start_method, seen, late=found.append) as pairs,
        ):
            for pair in pairs:
                if seen:
                    raise KeyboardInterrupt
                found.append(pair)
                self.done += 1
                self.progress(self.done, total)
        return found


def _variant(scenario: Scenario, variant: str | None) -> str:
    if variant is not None and variant not in scenario.variants:
        known = ", ".join(scenario.variants)
        raise InputError(f"no variant '{variant}' in {scenario.name}; it has: {known}")
    return variant or scenario.baseline


def _check(scenario: Scenario, metric: str) -> None:
    """Raise InputError for what cannot be weighted."""
    if metric not in METRICS:
        raise InputError(f"no metric '{metric}'; `netnode explain` lists them")
    if scenario.replications < LEAST:
        raise InputError(f"{scenario.replications} replication: {LEAST} or more give an error")
    if scenario.start != "equilibrium":
        raise InputError(
            f"start: {scenario.start}: rare events need a start in equilibrium, where the chance "
            "that a component is down is the same at every instant"
        )


def _groups(plan: Plan, hold: Sequence[str]) -> list[tuple[Part, ...]]:
    """What is held down, host by host."""
    nodes, names = plan.nodes, plan.components.names
    central = ~nodes.local & (nodes.l3 >= 0)
    columns = (nodes.host, nodes.data_nic, nodes.external_nic)
    usual = {int(number) for column in columns for number in column[central]}
    groups: dict[int, list[Part]] = defaultdict(list)
    for renewal in plan.renewals:
        name = names[renewal.component]
        if any(fnmatchcase(name, pattern) for pattern in hold) or (
            not hold and renewal.component in usual
        ):
            part = Part(renewal, _recovery(plan, renewal.component))
            groups[int(plan.components.host[renewal.component])].append(part)
    if not groups:
        failing = [names[renewal.component] for renewal in plan.renewals]
        more = f" and {len(failing) - SHOWN} more" if len(failing) > SHOWN else ""
        what = "no host of an L3 agent, nor a NIC of one, fails at random"
        if hold:
            what = f"nothing that fails at random is named {' or '.join(hold)}"
        raise InputError(f"{what}; what does: {', '.join(failing[:SHOWN]) or 'nothing'}{more}")
    return [tuple(parts) for parts in groups.values()]


def _targets(groups: Iterable[tuple[Part, ...]], intensity: float) -> tuple[Target, ...]:
    """Each host is out at the instant with a chance of *intensity*."""
    return tuple(Target(parts, intensity) for parts in groups)


def _recovery(plan: Plan, component: int) -> float:
    """About how long what a component served is away after its repair, s; 0 but for hosts.

    The estimate is right with any number, but surer with one that is near.
    """
    if plan.parts[component].kind != "host":
        return 0.0
    nodes = max(int(np.count_nonzero(plan.nodes.l3 >= 0)), 1)
    fuzzy = amount(plan.system, "periodic_fuzzy_delay") or 0.0
    each = plan.system.costs.rebuild_per_router
    routers = (RELEASE_COST if each == "release" else each) * len(plan.objects.routers()) / nodes
    longest = plan.cost("boot") + plan.cost("agent_start") + fuzzy + routers
    return min(longest, plan.horizon / 10)


def _best(pilots: dict[float, Weighted]) -> float:
    """The intensity with the least relative error, of those that saw enough; else what saw most."""
    enough = [one for one, found in pilots.items() if found.hits >= PILOTS // 10]
    if enough:
        return min(enough, key=lambda one: pilots[one].relative_error)
    return max(pilots, key=lambda one: pilots[one].hits)
