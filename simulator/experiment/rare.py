"""The expectation of a metric that hardly ever differs from zero, with its relative error.

Each replication holds some components to be out at one random instant and is weighted for it
(`world/forcing.py`), so that what takes years of years to be seen is seen in every few replications
and keeps its expectation. How hard is held differs from replication to replication: what is hardly
seen in one mode is seen in another, and as one of them is the natural way, no weight exceeds their
number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
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
from simulator.scenario.size import return_time
from simulator.world.forcing import Part, Target, forced, most_weight, weight
from simulator.world.plan import Plan, compile_plan
from simulator.world.simulation import simulate
from simulator.world.streams import Streams

Progress = Callable[[int, int], None]

HOSTS = (0.0, 0.1, 0.3, 0.6, 0.9, 0.0, 0.5)
SHARED = (0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5)
"""The chance that a host, or what hosts share, is held to be out, in each mode."""
ALONE = 5
"""So many modes do where nothing shared is held."""
SHOWN = 12
"""Names that an error lists."""
LEAST = 2
"""So many replications give a standard error."""


@dataclass(frozen=True)
class Rare:
    """What was found: the weighted estimate of *metric* in *variant*.

    *held* are the names of the components that were held to be out, *free* of the others that fail
    at random; *planned* replications were wanted, of which an interrupt may have left fewer.
    """

    metric: str
    variant: str
    held: tuple[str, ...]
    free: tuple[str, ...]
    estimate: Weighted
    planned: int

    @property
    def partial(self) -> bool:
        """Whether fewer replications finished than were planned."""
        return self.estimate.n < self.planned


@dataclass(frozen=True)
class Task:
    """Replications of one variant with *targets*, each with its metric and its weight."""

    scenario: Scenario
    variant: str
    metric: str
    targets: tuple[Target, ...]

    def worker(self) -> Callable[[int], tuple[float, float]]:
        """A function that simulates the replication of a number."""
        return partial(_replicate, self, compile_plan(self.scenario, self.variant))


def _replicate(task: Task, plan: Plan, number: int) -> tuple[float, float]:
    """The metric of a replication, and its weight."""
    context = context_of(task.scenario, task.variant)
    seed, window = task.scenario.seed, (context.begin, context.end)
    trace = simulate(forced(plan, task.targets, window, Streams(seed, number)), seed, number)
    try:
        value = METRICS[task.metric].function(Measured(trace, context))
    except UndefinedError as reason:
        raise InputError(f"{task.metric} has no value in {task.variant}: {reason}") from None
    return value, weight(trace, task.targets, window)


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

    *hold* has patterns of the names of components that are held to be out (`network-*`); by default
    all that fails at random but compute hosts. The other arguments are as of `run`. Raises
    InputError for what cannot be estimated so.
    """
    changes = {"replications": replications, "seed": seed}
    given = {name: value for name, value in changes.items() if value is not None}
    scenario = scenario.model_copy(update=given)
    name = _variant(scenario, variant)
    _check(scenario, metric)
    plan = compile_plan(scenario, name)
    targets = _targets(plan, hold)
    held = {part.renewal.component for target in targets for part in target.parts}
    names = [(r.component in held, plan.components.names[r.component]) for r in plan.renewals]
    task = Task(scenario, name, metric, targets)
    found = _sample(task, jobs or cores(), start_method, progress or (lambda done, total: None))
    values, weights = np.array(found).T
    estimate = weighted(
        values,
        weights,
        most=most_weight(targets),
        unit=METRICS[metric].unit,
        high=METRICS[metric].largest(scenario.window),
    )
    return Rare(
        metric,
        name,
        held=tuple(one for is_held, one in names if is_held),
        free=tuple(one for is_held, one in names if not is_held),
        estimate=estimate,
        planned=scenario.replications,
    )


def _sample(
    task: Task, jobs: int, start_method: str | None, progress: Progress
) -> list[tuple[float, float]]:
    """The metric and the weight of all replications, or of those that an interrupt left."""
    found: list[tuple[float, float]] = []
    numbers = range(task.scenario.replications)
    jobs = min(jobs, len(numbers))
    try:
        with (
            interrupts.seen(held=jobs > 1) as seen,
            outcomes(task, numbers, jobs, start_method, seen, late=found.append) as pairs,
        ):
            for pair in pairs:
                if seen:
                    raise KeyboardInterrupt
                found.append(pair)
                progress(len(found), len(numbers))
    except KeyboardInterrupt:
        if len(found) < LEAST:
            raise
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


def _targets(plan: Plan, hold: Sequence[str]) -> tuple[Target, ...]:
    """What is held to be out: hosts with their parts, and one by one what hosts share."""
    names, groups = plan.components.names, defaultdict[int, list[Part]](list)
    central = _central(plan)
    # The estimate is right with any number, but surer with one that is near.
    recovery = min(return_time(plan.system), plan.horizon / 10)
    for renewal in plan.renewals:
        name, host = names[renewal.component], int(plan.components.host[renewal.component])
        usual = plan.parts[host].sort != "compute" or host in central
        if any(fnmatchcase(name, pattern) for pattern in hold) if hold else usual:
            groups[host].append(Part(renewal, recovery if host in central else 0.0))
    if not groups:
        failing = [names[renewal.component] for renewal in plan.renewals]
        more = f" and {len(failing) - SHOWN} more" if len(failing) > SHOWN else ""
        what = "nothing that may stop a router fails at random"
        if hold:
            what = f"nothing that fails at random is named {' or '.join(hold)}"
        raise InputError(f"{what}; what does: {', '.join(failing[:SHOWN]) or 'nothing'}{more}")
    modes = ALONE if central.issuperset(groups) else len(HOSTS)
    return tuple(
        Target(tuple(parts), (HOSTS if host in central else SHARED)[:modes])
        for host, parts in groups.items()
    )


def _central(plan: Plan) -> set[int]:
    """The hosts that serve routers for VMs anywhere."""
    nodes = plan.nodes
    return set(nodes.host[~nodes.local & (nodes.l3 >= 0)].tolist())
