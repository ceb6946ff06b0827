"""Replaying a recording: do each step by our rules, adopt recorded choices, compare what came.

Time is taken in ticks of the simulator's clock, so that an agent is called dead where real code
called it dead. A choice that the policy allows is adopted, whichever of several equal ones it was.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from scipy import stats

from simulator.clock import quantize
from simulator.conformance.operations import HA_NETWORK, OPERATIONS, First, RecordedServer, doubts
from simulator.conformance.recording import (
    RecordedDecision,
    Recording,
    Result,
    Step,
)
from simulator.neutron.errors import ApiError
from simulator.neutron.records import Decision, Id, Notice
from simulator.neutron.schedulers import RANDOM, SCHEDULERS, Choice

TOLD = (
    "network_create_end", "network_delete_end", "routers_updated", "router_added_to_agent",
    "router_removed_from_agent", "router_deleted", "agent_updated",
)  # fmt: skip
"""The messages that are compared."""
SMALLEST_P = 1e-6
"""A recorded distribution less likely than this under the policy is a violation."""


@dataclass(frozen=True)
class Violation:
    """One thing that did not come as recorded."""

    file: str
    step: int
    time: float
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        place = f"{self.file}: step {self.step}, {self.time:g} s"
        return f"{place}: {self.what}: expected {self.expected}, found {self.found}"


@dataclass
class Report:
    """What was checked, what did not hold, and what of a recording is doubtful."""

    traces: int = 0
    steps: int = 0
    decisions: int = 0
    assertions: int = 0
    violations: list[Violation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Count another report in."""
        for part in fields(self):
            setattr(self, part.name, getattr(self, part.name) + getattr(other, part.name))


class Replay:
    """One recording against our rules."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._asked = RecordedServer(recording, on_decision=self._adopt, order=self._order)
        self.rules, self.server = self._asked.rules, self._asked.server
        self.report = Report(traces=1, notes=doubts(recording))
        self._waiting: list[RecordedDecision] = []
        self._step = recording.steps[0] if recording.steps else None

    def run(self) -> Report:
        """All steps in order."""
        for step in self.recording.steps:
            self._check(step)
        return self.report

    # -- one step --------------------------------------------------------------------------

    def _check(self, step: Step) -> None:
        self._step, self._waiting = step, list(step.decisions)
        now = quantize(step.t)
        self._asked.step, self._asked.now = step.i, now
        self._asked.result, self._asked.told = {}, []
        self.report.steps += 1
        notices: list[Notice] = []
        error = None
        try:
            if step.op.startswith("bulk_"):
                self._check_spread(step)
            else:
                notices = OPERATIONS[step.op](self._asked, now, step.arguments)
                self._retry(now)
        except ApiError as refused:
            error = refused
        recorded = step.error
        self._expect("error", recorded and recorded.type, error and error.name)
        if recorded and recorded.status and error:
            self._expect("status", recorded.status, error.status)
        self._expect("decisions not made", [], [d.target for d in self._waiting])
        told = Counter(tuple(n) for n in step.notifications if _told(n[2]))
        notices += self._asked.told
        self._expect("notifications", _sorted(told), _sorted(Counter(self._as_recorded(notices))))
        if recorded is None:
            self._check_result(step.result)
        self._check_state(step, now)

    def _retry(self, now: float) -> None:
        """Choices recorded for an object that was decided on already: attempts without effect."""
        assert self._step
        while self._waiting and self._waiting[0].kind == "l3-ha":
            router, left = self._waiting[0].router, len(self._waiting)
            if router not in self.server.routers:
                return
            self.server.schedule_router(now, router)
            if len(self._waiting) == left:
                return

    def _check_result(self, recorded: Result) -> None:
        if recorded.synced is not None:
            ours = sorted(map(str, self._asked.result.get("synced", [])))
            self._expect("synced", sorted(filter(self._is_up, recorded.synced)), ours)
        for name in ("status", "skipped"):
            told = self._asked.result.get(name)
            if getattr(recorded, name) is not None or (name == "skipped" and told):
                self._expect(name, getattr(recorded, name), told)

    def _is_up(self, target: str) -> bool:
        """Whether an object is enabled: an agent may ask for the names of all it has."""
        record = self.server.routers.get(target)
        return record is None or record.admin_state_up

    def _check_state(self, step: Step, now: float) -> None:
        agents, state = self.server.agents, step.state
        self._expect("agents", sorted(state.agents), sorted(agents))
        for name, recorded in state.agents.items():
            if name not in agents:
                continue
            ours = agents[name]
            self._expect(f"alive of {name}", recorded.alive, self.server.is_alive(now, ours))
            self._expect(f"admin_state_up of {name}", recorded.admin_state_up, ours.admin_state_up)
            if recorded.load is not None:
                self._expect(f"load of {name}", recorded.load, ours.load)
        for kind in ("networks", "routers"):
            bindings = getattr(state, kind)
            if bindings is None:
                continue
            records = getattr(self.server, kind)
            here = {
                name: sorted(record.agents)
                for name, record in records.items()
                if name != HA_NETWORK
            }
            self._expect(kind, sorted(bindings), sorted(map(str, here)))
            for name, bound in bindings.items():
                self._expect(f"agents of {name}", sorted(bound), here.get(name))

    def _expect(self, what: str, expected: object, found: object) -> None:
        self.report.assertions += 1
        if expected != found:
            assert self._step
            place = (self.recording.path, self._step.i, self._step.t)
            self.report.violations.append(Violation(*place, what, str(expected), str(found)))

    def _check_spread(self, step: Step) -> None:
        """Many objects, created and scheduled: how they spread must be likely under the policy."""
        kind = "dhcp" if step.op == "bulk_networks" else "l3"
        found = step.result.distribution
        tables = self.server.tables
        agents = [
            a.name
            for a in tables.of_type(kind)
            if a.admin_state_up and a.l2 and tables.is_eligible(self._asked.now, a)
        ]
        places = self.rules.dhcp_agents_per_network if kind == "dhcp" else 1
        places = min(places, len(agents))
        self._expect("agents beyond those that could be chosen", [], sorted({*found} - {*agents}))
        self._expect("bindings", step.arguments["count"] * places, sum(found.values()))
        counts = [found.get(name, 0) for name in agents]
        if not counts:
            return
        if self._driver(kind) not in RANDOM:
            self._check_loads(kind, agents, places, step)
        if kind == "dhcp":
            for name in {*found} & {*agents}:
                self.server.agents[name].load += found[name]  # adopted, as other choices are
        if self._driver(kind) not in RANDOM:
            return
        variance_share = 1 - places / len(agents) if places > 1 else None
        self._expect("likely if uniform", True, _likely(counts, variance_share))
        if step.result.sets is not None:
            self._check_sets(step.result.sets, found, agents, places)

    def _check_sets(
        self, sets: Mapping[str, int], found: Mapping[str, int], agents: list[str], places: int
    ) -> None:
        """How often each set of agents was taken: as distributed, and likely by chance."""
        taken: Counter[str] = Counter()
        for names, count in sets.items():
            taken.update(dict.fromkeys(names.split("+"), count))
        self._expect(
            "sets as distributed",
            {k: n for k, n in found.items() if n},
            {k: n for k, n in taken.items() if n},
        )
        never = [0] * max(math.comb(len(agents), places) - len(sets), 0)
        counts = [*sets.values(), *never]
        self._expect("sets likely if uniform", True, _likely(counts, None))

    def _check_loads(self, kind: str, names: list[str], places: int, step: Step) -> None:
        """The loads after choices that are not random, by zone: like ours but for equal agents."""
        agents = [self.server.agents[name] for name in names]
        before = {a.name: a.load if kind == "dhcp" else len(a.hosted) for a in agents}
        zones = {agent.name: agent.zone for agent in agents}
        load = Counter(before)
        for _ in range(step.arguments["count"]):
            load.update(SCHEDULERS[self._driver(kind)](Choice(names, places, load, zones), First()))
        found = Counter(before) + Counter(step.result.distribution)
        for zone in sorted({*zones.values()}):
            here = [name for name in names if zones[name] == zone]
            loads = [sorted(counts[name] for name in here) for counts in (load, found)]
            self._expect(f"loads in {zone}", *loads)

    # -- decisions -------------------------------------------------------------------------

    def _driver(self, kind: str) -> str:
        rules = self.rules
        return rules.network_scheduler_driver if kind == "dhcp" else rules.router_scheduler_driver

    def _adopt(self, decision: Decision) -> Iterable[str] | None:
        """Compare a decision with the recorded one for the same object, and take its choice."""
        assert self._step
        if self.recording.timeline.statistical or self._step.op.startswith("bulk_"):
            return None
        place = self._place(decision)
        if place is None:
            self._expect("decision", "none", f"{decision.kind} for {decision.target}")
            return None
        recorded = self._waiting.pop(place)
        self.report.decisions += 1
        what = f"{decision.kind} decision for {decision.target}"
        self._expect(f"{what}: candidates", recorded.candidates, sorted(decision.candidates))
        seen = recorded.load if decision.kind == "dhcp" else recorded.routers_on
        if seen is not None:
            self._expect(
                f"{what}: load", seen, {name: decision.load[name] for name in decision.candidates}
            )
        if recorded.needed is not None:
            self._expect(f"{what}: needed", recorded.needed, decision.needed)
        allowed = self._allowed(decision, recorded.chosen)
        self._expect(f"{what}: chosen", sorted(recorded.chosen), sorted(allowed))
        return [name for name in recorded.chosen if name in decision.candidates]

    def _place(self, decision: Decision) -> int | None:
        for place, recorded in enumerate(self._waiting):
            if recorded.kind in (None, decision.kind) and self._is_of(recorded, decision):
                return place
        return None

    def _is_of(self, recorded: RecordedDecision, decision: Decision) -> bool:
        """Whether a recorded decision is about the same object; the HA network has any name."""
        if decision.target == HA_NETWORK:
            return recorded.target not in self.server.networks
        return recorded.target in (None, decision.target)

    def _allowed(self, decision: Decision, chosen: Sequence[str]) -> Sequence[str]:
        """*chosen* if the policy allows it, else what it would have taken.

        Equal candidates are put in the recorded order first, so that ties fall as recorded.
        """
        dhcp = decision.kind == "dhcp"
        driver = self._driver(decision.kind)
        if driver in RANDOM:
            count = min(decision.needed, len(decision.candidates))
            fits = len(chosen) == count == len({*chosen} & {*decision.candidates})
            return chosen if fits else decision.chosen
        rest = [name for name in decision.candidates if name not in chosen]
        taken = [name for name in chosen if name in decision.candidates]
        agents = self.server.agents
        records = self.server.networks if dhcp else self.server.routers
        choice = Choice(
            [*taken, *rest],
            min(decision.needed, len(decision.candidates)),
            decision.load,
            {name: agents[name].zone for name in decision.candidates},
            [agents[name].zone for name in records[decision.target].agents],
        )
        return SCHEDULERS[driver](choice, First())

    def _order(self, targets: Sequence[Id]) -> Sequence[Id]:
        """The objects of a pass, those with recorded decisions first and in their order.

        So, too, agents that are told one after the other.
        """
        assert self._step
        names = [d.target for d in self._waiting] + [n[1] for n in self._step.notifications]
        recorded = {name: place for place, name in reversed(list(enumerate(names)))}
        hosts = self._asked.hosts
        return sorted(targets, key=lambda t: recorded.get(hosts.get(t, str(t)), len(names)))

    def _as_recorded(self, notices: Iterable[Notice]) -> Iterable[tuple[str, str, str]]:
        hosts = self._asked.hosts
        for notice in notices:
            if _told(notice.method):
                host = hosts.get(notice.agent, notice.agent)
                yield notice.agent_type, host, notice.method + ":timeout" * notice.failed


def _likely(counts: list[int], variance_share: float | None) -> bool:
    """Whether counts may come from equal shares: a chi-square test.

    Several agents an object are drawn without replacement, which makes the counts of agents less
    spread than independent ones: (n - k) / (n - 1) times; *variance_share* is (n - k) / n.
    """
    if len(counts) < 2 or not any(counts):
        return True
    statistic, _ = stats.chisquare(counts)
    n = len(counts)
    if variance_share is not None:
        if variance_share == 0:
            return len(set(counts)) == 1
        statistic /= variance_share * n / (n - 1)
    return bool(stats.chi2.sf(statistic, n - 1) > SMALLEST_P)


def _told(method: str) -> bool:
    name, _, rest = method.partition(":")
    return name in TOLD or (name == "sleep" and bool(rest))


def _sorted(counts: Counter[Any]) -> list[Any]:
    return sorted(counts.elements())
