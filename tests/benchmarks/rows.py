"""The rows of the benchmark table: what each measures, and against which target.

A row's function takes an `Effort`; its docstring is the table's word on how it was measured.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import rivals
import systems
from lab import columns
from measuring import (
    CORES,
    ROOT,
    Effort,
    Spread,
    apart,
    child_cpu,
    cpu,
    each,
    free_cores,
    interleaved,
    number,
    on,
    ratio,
)
from systems import FAST, OFTEN, SLOW, YEAR, System

from simulator.experiment.runner import run

HOUR = 3600.0  # s
MEGA = 1e6


@dataclass(frozen=True)
class Found:
    """What a row's function found; *met* is None where that was not to be judged."""

    measured: str
    met: bool | None


@dataclass(frozen=True)
class Row:
    """One line of the table; those whose names begin alike are chosen together."""

    name: str
    work: str
    target: str
    measure: Callable[[Effort], Found]

    @property
    def how(self) -> str:
        """How it is measured, in one paragraph."""
        return " ".join((self.measure.__doc__ or "").split())

    def is_chosen(self, names: list[str]) -> bool:
        """Whether one of *names* is the row's, or the first words of it."""
        return not names or any(f"{self.name}-".startswith(f"{name}-") for name in names)


ROWS: list[Row] = []


def row(name: str, work: str, target: str):
    """Put a function into the table."""

    def enter(function):
        ROWS.append(Row(name, work, target, function))
        return function

    return enter


# -- heartbeats ------------------------------------------------------------------------------


@row("elided-4", "heartbeats computed against simulated: 10 agents, 1 year, 4 s / 5 s", "50,000 ×")
def elided_fast(effort):
    """Five nodes with an L3 and a DHCP agent each, whose processes fail every 1000 h for 1 h; 10
    routers; constant delay. The simulated heartbeats are those of a short horizon, scaled by
    simulated time; interleaved, median of the rounds' ratios. Before that the two modes' traces of
    a horizon with some 40 failures are compared byte by byte."""
    return _elided(effort, 50_000, functools.partial(systems.beating, FAST), 6 * HOUR)


@row("elided-30", "the same at 30 s / 75 s", "8,000 ×")
def elided_slow(effort):
    """As the row before."""
    return _elided(effort, 8_000, functools.partial(systems.beating, SLOW), 48 * HOUR)


@row("noise", "random delay and loss, 1e-3 lost, 4 s / 5 s, late ones found by skipping", "500 ×")
def noise(effort):
    """As the rows before, with exponential delays of mean 100 ms. The model has no mode that draws
    every heartbeat of an elided stretch (the prototype's 210 times): it always skips."""
    return _elided(effort, 500, systems.noisy, 6 * HOUR, YEAR / 20 if effort.is_quick else YEAR)


@row("server", "finite-rate server: each heartbeat takes it 50 ms in the mean", "120 ×")
def server(effort):
    """As the rows before, with `costs.heartbeat`. All agents wait in one line there, so every
    heartbeat is drawn, in batches, and none is an event."""
    return _elided(effort, 120, systems.waiting, 6 * HOUR, YEAR / 20 if effort.is_quick else YEAR)


@row("answers", "heartbeats behind a server that works on calls", "-")
def answers(effort):
    """As the rows before, with exponential delays of mean 50 ms and 1,000 routers: while the server
    answers the sync of an L3 agent (0.8 s for its 200 routers) heartbeats wait in its queue."""
    return _elided(effort, None, systems.answering, 6 * HOUR)


def _elided(effort, target, make, explicit, elided=YEAR):
    """Heartbeats simulated for *explicit* seconds against computed ones for *elided* seconds."""
    _same_traces(make)
    costs = {}
    for mode, seconds in (("elided", elided), ("explicit", explicit)):
        system = System(make(heartbeats=mode, horizon=f"{seconds}s"))
        cpu(system.trace)  # to have all loaded
        costs[mode] = functools.partial(_per_second, system, seconds, effort)
    found = interleaved(costs, effort.rounds)
    times, year = ratio(found["explicit"], found["elided"]), Spread.of(found["elided"])
    said = f"{times.written()} ×; a year takes {year.written(' ms', YEAR * 1e3)}"
    return Found(said, None if target is None else times.middle >= target)


def _per_second(system, seconds, effort, round_number):
    """CPU seconds for a simulated second."""
    return each(system.trace, 100 * round_number, min(1.0, effort.budget / 4)) / seconds


def _same_traces(make):
    keys = {"horizon": "8h", "failures": {"agent": OFTEN}}
    elided, explicit = (
        columns(System(make(heartbeats=mode, **keys)).trace()) for mode in ("elided", "explicit")
    )
    if elided != explicit:
        raise AssertionError("computed and simulated heartbeats give different traces")


# -- whole runs ------------------------------------------------------------------------------


@row(
    "large",
    "1,000 nodes, 100,000 routers, 2,000 agents, 1 year; hosts, agents, NICs fail; constant load",
    "2 s of CPU, 1 GiB",
)
def large(effort):
    """One replication of Grizzly, simulated and all metrics, in a process of its own; each host,
    agent and NIC fails every 1000 h for 1 h. Memory is the most that the process ever held."""
    keys = {"nodes": 100, "routers": 10_000} if effort.is_quick else {}
    found = [apart("large", keys)]
    if found[0]["seconds"] < effort.budget and not effort.is_quick:
        found += [apart("large", keys) for _ in range(2)]
    seconds, memory = (Spread.of([one[what] for one in found]) for what in ("seconds", "bytes"))
    said = f"{seconds.written(' s')}, {memory.written(' MiB', 2**-20)}; "
    said += f"reading it {number(found[0]['setup'])} s, {found[0]['events']:,} events"
    if effort.is_quick:
        return Found(f"{said}, at a tenth of the size", None)
    return Found(said, seconds.middle <= 2 and memory.middle <= 2**30)


@row("years", "10 nodes, 1,000 routers, 1,000 replicated years", "6 s of CPU")
def years(effort):
    """Hosts with an L3 and a DHCP agent each fail every 1000 h for 1 h, Grizzly; by `run` with one
    process: every metric and each router's downtime. With so many replications as the time allows,
    scaled to 1,000."""
    return _thousand(effort, 6, systems.cluster(routers=1000))


@row("shipped-folsom", "the shipped folsom-vs-grizzly.yaml, 1,000 replications of Folsom", "10 s")
def shipped_folsom(effort):
    """As the row before, one variant alone."""
    return _thousand(effort, 10, systems.variant_of(systems.shipped(), "folsom"))


@row("shipped-grizzly", "the same of Grizzly", "10 s of CPU")
def shipped_grizzly(effort):
    """As the row before."""
    return _thousand(effort, 10, systems.variant_of(systems.shipped(), "grizzly"))


@row("failover", "10 nodes, 1,000 routers, 1,000 replicated years, automatic failover", "15 s")
def failover(effort):
    """As "years" under 2026.2 with all four kinds of agents; each failure that lasts moves the
    host's 100 routers."""
    return _thousand(effort, 15, systems.moving())


@row("failover-small", "the same with 10 routers", "15 s of CPU")
def failover_small(effort):
    """As the row before."""
    return _thousand(effort, 15, systems.moving(routers=10))


def _thousand(effort, target, given):
    """CPU seconds of 1,000 replications by `run`, from as many as the budget allows."""

    def replicate(count):
        return cpu(lambda: run(given, replications=count, jobs=1))

    replicate(1)
    one = replicate(3) / 3
    rounds = 1 if effort.is_quick else 3
    count = int(min(max(effort.budget / one / rounds, 2), 1000))
    found = Spread.of([replicate(count) * 1000 / count for _ in range(rounds)])
    said = found.written(" s")
    if count < 1000:
        said += f", scaled from {rounds} × {count}"
    return Found(said, found.middle <= target)


# -- rivals ----------------------------------------------------------------------------------


@row("peers", "failures and repairs per CPU-second, 10 nodes", "30,000")
def peers(effort):
    """Ten hosts, Grizzly, with an L3 agent and a router each (then with a DHCP agent, too, and
    with 1,000 routers): heartbeats, bindings, detection and trace, no metrics but the hosts'
    availability. Interleaved in one run with a bare loop of SimPy, and with programs from PyPI in
    environments of their own, each of which finds the availability of the same ten components, all
    up at first; the simulation alone is timed. Each must come within five standard errors of
    1000/1001. RePyability runs its engine in Python, in batches; it has a compiled one too."""
    found = _race(effort)
    speeds = [f"{name} {_speed(found[name])}" for name in found if name != "netnode"]
    missing = [f"{name}: not measured ({why})" for name, why in rivals.missing().items()]
    ours = _speed(found["netnode"])
    met = 1 / Spread.of(found["netnode"]).middle >= 30_000
    return Found("; ".join([ours, *speeds, *missing]), met)


@row("peers-availsim4", "against AvailSim4 on the same ten components, same year", "20 ×")
def peers_availsim4(effort):
    """From the rounds of the row before."""
    return _against(effort, "AvailSim4", lambda times: times >= 20)


@row("peers-c", "against C doing the same state changes", "1/150 of its speed")
def peers_c(effort):
    """From the same rounds, by failure and repair: ten nodes in C, with a heap of timers,
    exponential times, detection by missed heartbeats and counts of the routers that are served."""
    return _against(effort, "C", lambda times: times >= 1 / 150)


def _against(effort, name, is_met):
    found = _race(effort)
    if name not in found:
        return Found(f"not measured ({rivals.missing()[name]})", None)
    times = ratio(found[name], found["netnode"])
    if times.middle >= 1:
        return Found(f"{times.written()} × as fast", is_met(times.middle))
    slower = ratio(found["netnode"], found[name])
    return Found(f"{slower.written()} × as slow", is_met(times.middle))


@functools.cache
def _race(effort):
    """CPU seconds for a failure and its repair, of each rival in each round."""
    two, thousand = (System(systems.cluster(routers=routers)) for routers in (10, 1000))
    runners = {
        "netnode": functools.partial(rivals.netnode, System(systems.ten())),
        "netnode with two agents a node": functools.partial(rivals.netnode, two),
        "netnode with 1,000 routers": functools.partial(rivals.netnode, thousand),
        "bare SimPy": rivals.simpy_loop,
        **rivals.programs(),
    }
    years = {name: rivals.YEARS[name] // (5 if effort.is_quick else 1) for name in runners}

    def cost(name, round_number):
        took = runners[name](years[name], round_number + 1)
        rivals.check(name, took, years[name])
        return took["seconds"] / took["cycles"]

    return interleaved({name: functools.partial(cost, name) for name in runners}, effort.rounds)


def _speed(costs):
    return Spread.of([1 / cost for cost in costs]).written()


# -- parts -----------------------------------------------------------------------------------


@row(
    "maxmin",
    "max-min shares, 100,000 routers, 1,000 nodes, 4 uplinks: from scratch; after one node fails",
    "60 ms; 1 ms",
)
def maxmin(effort):
    """Unequal demands (lognormal), of which about half the nodes are full and no uplink. The metric
    of loads over a window without a change; and what each failure or repair of a node adds to it,
    from a window with 20 failures. Both with the shares' integral over time."""
    size = {"nodes": 100, "routers": 10_000} if effort.is_quick else {}
    outages = 20
    still, failing = (System(systems.shared(count, **size)) for count in (0, outages))

    def loads(system, _):
        measured = system.measured()
        assert measured.demands
        return cpu(lambda: measured.loads)

    found = interleaved(
        {
            "still": functools.partial(loads, still),
            "failing": functools.partial(loads, failing),
        },
        effort.rounds,
    )
    scratch = Spread.of(found["still"])
    changes = 2 * outages
    change = Spread.of([
        (b - a) / changes for a, b in zip(found["still"], found["failing"], strict=True)
    ])  # fmt: skip
    said = f"{scratch.written(' ms', 1e3)}; {change.written(' ms', 1e3)}"
    if effort.is_quick:
        return Found(f"{said}, at a tenth of the size", None)
    return Found(said, scratch.middle <= 0.06 and change.middle <= 0.001)


@row("workers", "two workers against one, 1,000 replications", "1.7 × where two cores are free")
def workers(effort):
    """By wall time, of 10 nodes with 1,000 routers, with so many replications as the time allows;
    interleaved. Judged only where two processes that do nothing but count got two cores, before and
    after."""
    given = systems.cluster(routers=1000)
    one = cpu(lambda: run(given, replications=3, jobs=1)) / 3
    count = int(min(max(effort.budget / one, 20), 1000))

    def wall(jobs, _):
        begin = time.perf_counter()
        run(given, replications=count, jobs=jobs)
        return time.perf_counter() - begin

    with on(CORES):
        free = [free_cores(2)]
        found = interleaved(
            {str(jobs): functools.partial(wall, jobs) for jobs in (1, 2)}, min(effort.rounds, 3)
        )
        free.append(free_cores(2))
    times = ratio(found["1"], found["2"])
    said = f"{times.written()} ×, {count} replications; {min(free):.2f} of 2 cores were free"
    return Found(said, times.middle >= 1.7 if min(free) > 1.9 and not effort.is_quick else None)


# -- growth ----------------------------------------------------------------------------------


@row("growth-nodes", "10 × the nodes (10 to 100; 1,000 routers, 1 year)", "11 × the time")
def growth_nodes(effort):
    """CPU time of a replication and its metrics, in processes of their own; interleaved."""
    return _growth(effort, {"routers": 1000}, {"nodes": 100, "routers": 1000})


@row("growth-routers", "10 × the routers (1,000 to 10,000; 10 nodes, 1 year)", "11 × the time")
def growth_routers(effort):
    """As the row before."""
    return _growth(effort, {"routers": 1000}, {"routers": 10_000})


@row(
    "growth-horizon",
    "10 × the horizon (10 to 100 years; 10 nodes, 100 routers)",
    "11 × the time, 64 B a state change",
)
def growth_horizon(effort):
    """As the rows before. Memory: how much more the process with the longer horizon held at the
    most, by the events of its trace; simulated only, and with all metrics."""
    small, big = ({"routers": 100, "horizon": f"{years}y"} for years in (10, 100))
    time_found = _growth(effort, small, big, replications=1)
    grown = {}
    for job in ("simulate", "measure"):
        few, many = (apart("cluster", keys, job=job) for keys in (small, big))
        grown[job] = (many["bytes"] - few["bytes"]) / (many["events"] - few["events"])
    said = f"{time_found.measured}; {number(grown['simulate'])} B a state change, "
    said += f"{number(grown['measure'])} B with metrics"
    return Found(said, bool(time_found.met) and grown["simulate"] <= 64)


@row("growth-replications", "10 × the replications (100 to 1,000)", "11 × the time, memory flat")
def growth_replications(effort):
    """Of 10 nodes with 10 routers by `run`, without the table of objects, which has a row for each
    router and replication. Flat: at most 5 % more."""
    few = 10 if effort.is_quick else 100
    found = interleaved(
        {
            str(count): lambda _, count=count: apart(
                "cluster", {}, replications=count, job="run"
            )
            for count in (few, 10 * few)
        },
        min(effort.rounds, 3),
    )  # fmt: skip
    less, more = found.values()
    seconds, memory = (
        ratio([one[what] for one in more], [one[what] for one in less])
        for what in ("seconds", "bytes")
    )
    said = f"{seconds.written()} × the time, {memory.written()} × the memory"
    return Found(said, seconds.middle <= 11 and memory.middle <= 1.05)


def _growth(effort, small, big, *, replications=0):
    replications = replications or (1 if effort.is_quick else 3)
    found = interleaved(
        {
            "small": lambda _: apart("cluster", small, replications=replications),
            "big": lambda _: apart("cluster", big, replications=replications),
        },
        min(effort.rounds, 3),
    )
    less, more = found.values()
    times = ratio([one["seconds"] for one in more], [one["seconds"] for one in less])
    memory = [round(one[0]["bytes"] / MEGA) for one in (less, more)]
    said = f"{times.written()} × the time; {memory[0]} MB become {memory[1]} MB"
    return Found(said, times.middle <= 11)


# -- the command -----------------------------------------------------------------------------


@row("command-help", "`netnode --help`", "0.25 s")
def command_help(effort):
    """CPU seconds of the process, its start included; the median wall time beside it."""
    return _command(effort, 0.25, "--help")


@row("command-validate", "`netnode validate` of the shipped folsom-vs-grizzly.yaml", "0.6 s")
def command_validate(effort):
    """As the row before."""
    return _command(effort, 0.6, "validate", str(systems.SHIPPED.relative_to(ROOT)))


def _command(effort, target, *arguments):
    command = [sys.executable, "-m", "simulator", *arguments]
    times = [child_cpu(command) for _ in range(3 if effort.is_quick else 9)]
    used, wall = (Spread.of(list(column)) for column in zip(*times, strict=True))
    return Found(f"{used.written(' s')}; wall {number(wall.middle)} s", used.middle <= target)
