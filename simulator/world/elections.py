"""VRRP in a whole run: which replica of each router was master, from what was recorded.

Nothing in the simulated world reacts to who is master, so it is derived once, at the end, router by
router. A replica is on an L3 agent's host from CONFIGURED to UNCONFIGURED or the host's failure;
its agent's death does not matter to it. The HA network runs over the data network, and through the
L2 agent as everything else: what is set up before that has wired it, or whose ports the server does
not bind, is a backup that hears nobody.
The component `ha-network` cuts advertisements alone.

Assumed: a replica's address is fixed, and the addresses of a router's replicas are in random order;
HA ports that a starting or revived L3 agent puts down are down for *rewire*.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator.clock import quantize
from simulator.trace import Kind, Recorder, Sort
from simulator.world.cluster import CAUSES
from simulator.world.exits import Checks, Pairs, Row, exits_failed
from simulator.world.ha_reports import Reach, Reports
from simulator.world.objects import Objects
from simulator.world.plan import Plan
from simulator.world.streams import ADVERT, Streams, stable_hash
from simulator.world.vrrp import Change, Election, Said, Timing, What

SHUTDOWN = float(CAUSES.index("shutdown"))
STAGE = (
    Kind.FAIL, Kind.REPAIR, Kind.STOPPED, Kind.STARTED, Kind.REVIVED, Kind.WIPED, Kind.CONFIGURED,
    Kind.UNCONFIGURED, Kind.FLUSHED, Kind.WIRED, Kind.DELETED, Kind.PORTS_REFUSED,
    Kind.PORTS_BOUND,
)  # fmt: skip
"""What an election depends on."""
WITHOUT_REPLICAS = ("dvr", "dvr_no_external")
"""Modes of L3 agents that are never given an HA router's centralised part."""


@dataclass
class Node:
    """A host with an L3 agent: its *replicas* (routers, and whether they are wired), how many
    things keep advertisements from passing (*cuts*), what its L2 agent has done, and the routers
    whose ports the server has *refused* to bind.
    """

    number: int
    agent: int
    replicas: dict[int, bool] = field(default_factory=dict)
    cuts: int = 0
    unwired: bool = False
    flushed: bool = False
    refused: set[int] = field(default_factory=set)

    def wires(self, router: int) -> bool:
        """Whether what is set up now, or waits, is wired."""
        return not self.unwired and router not in self.refused


def elections(plan: Plan, objects: Objects, recorder: Recorder, streams: Streams) -> None:
    """Add who was promoted and demoted, and when the server heard of it, to what is recorded."""
    rows = list(_stage(recorder.columns(plan.horizon), objects))
    stage = Stage(plan)
    for row in rows:
        stage.see(*row)
    stage.pass_to(plan.horizon)
    said = _say_all(plan, objects, stage, streams, exits_failed(plan, rows))
    reports = Reports(plan, Reach(plan, rows))
    for router, agent, one in said:
        if one.carries is not None:
            kind = Kind.PROMOTED if one.carries else Kind.DEMOTED
            recorder.add(one.time, kind, agent, router)
        if one.active is not None:
            reports.hear(router, agent, one)
    for time, agent, router, active in reports.sent(stage.ended):
        recorder.add(time, Kind.HA_REPORTED, agent, router, active)


def _stage(columns: Mapping[str, Any], objects: Objects) -> Iterator[Row]:
    """The recorded events that elections depend on, in order."""
    kind, thing = columns["kind"], columns["object"]
    is_router = np.append(np.array(objects.sort) == Sort.ROUTER, True)  # last: of no object
    rows = np.flatnonzero(np.isin(kind, STAGE) & is_router[thing])
    names = ("time", "kind", "subject", "object", "value")
    return zip(*(columns[name][rows].tolist() for name in names), strict=True)


class Stage:
    """Follows the recorded events: *changes* of each router, and when its replicas *ended*."""

    def __init__(self, plan: Plan) -> None:
        self.changes: dict[int, list[Change]] = defaultdict(list)
        self.ended: dict[tuple[int, int], list[float]] = defaultdict(list)
        self._hosts: dict[int, Node] = {}
        self._agents: dict[int, Node] = {}
        self._l2: dict[int, Node] = {}
        self._links: dict[int, list[Node]] = {}
        self._rewire = plan.cost("rewire")
        habits = plan.release.habits
        self._cutting = [Kind.STARTED] * habits.ha_restart_cuts
        self._cutting += [Kind.REVIVED] * habits.ha_revival_cuts
        self._mends: deque[tuple[float, Node]] = deque()  # when HA ports are wired again
        self.nodes = list(self._nodes(plan))
        if "ha-network" in plan.number:
            self._links[plan.number["ha-network"]] = self.nodes

    def _nodes(self, plan: Plan) -> Iterator[Node]:
        modes = {a.component: a.configurations.get("agent_mode") for a in plan.agents}
        nodes = plan.nodes
        for host, data, l3, l2 in zip(
            nodes.host.tolist(), nodes.data_nic.tolist(), nodes.l3.tolist(), nodes.l2.tolist(),
            strict=True,
        ):  # fmt: skip
            if l3 < 0 or modes[l3] in WITHOUT_REPLICAS:
                continue
            node = Node(len(self._agents), l3)
            self._hosts[host] = self._agents[l3] = node
            self._links[data] = [node]
            if l2 >= 0:
                self._l2[l2] = node
            yield node

    def see(self, time: float, kind: int, subject: int, thing: int, value: float) -> None:
        """Take the next event into account."""
        self.pass_to(time)
        if kind in (Kind.FAIL, Kind.REPAIR):
            for node in self._links.get(subject, ()):
                self._cut(time, node, 1 if kind == Kind.FAIL else -1)
            if kind == Kind.FAIL and subject in self._hosts:
                what = What.RESIGNED if value == SHUTDOWN else What.GONE
                self._lose(time, self._hosts[subject], what)
        elif kind == Kind.DELETED:
            for node in self.nodes:
                self._remove(time, node, thing, What.GONE)
        elif subject in self._l2:
            self._see_l2(time, kind, self._l2[subject])
        elif subject in self._agents:
            self._see_l3(time, kind, self._agents[subject], thing)

    def pass_to(self, time: float) -> None:
        """HA ports are wired again that were to be by *time*."""
        while self._mends and self._mends[0][0] <= time:
            mended, node = self._mends.popleft()
            self._cut(mended, node, -1)

    def _see_l3(self, time: float, kind: int, node: Node, router: int) -> None:
        if kind == Kind.CONFIGURED:
            if router in node.replicas:
                return
            wired = node.replicas[router] = time == 0 or node.wires(router)
            what = What.JOINED if wired and not node.cuts else What.BORN
            self.changes[router].append(Change(time, node.number, what))
        elif kind == Kind.UNCONFIGURED:
            self._remove(time, node, router, What.RESIGNED)
        elif kind == Kind.WIPED:
            self._lose(time, node, What.GONE)
        elif kind == Kind.PORTS_REFUSED:
            node.refused.add(router)
        elif kind == Kind.PORTS_BOUND:
            node.refused.discard(router)
            self._wire(time, node, [router])
        elif kind in self._cutting and time > 0 and node.replicas and self._rewire:
            self._cut(time, node, 1)
            self._mends.append((time + self._rewire, node))

    def _see_l2(self, time: float, kind: int, node: Node) -> None:
        if kind == Kind.STOPPED:
            node.unwired = True
        elif kind == Kind.FLUSHED and not node.flushed:
            node.flushed = True
            self._cut(time, node, 1)
        elif kind == Kind.WIRED:
            node.unwired = False
            self._wire(time, node, list(node.replicas))
            if node.flushed:
                node.flushed = False
                self._cut(time, node, -1)

    def _wire(self, time: float, node: Node, routers: Iterable[int]) -> None:
        """Those of *routers* that were waiting for a wire have one, if nothing else is missing."""
        for router in routers:
            if node.wires(router) and node.replicas.get(router) is False:
                node.replicas[router] = True
                if not node.cuts:
                    self.changes[router].append(Change(time, node.number, What.LINKED))

    def _cut(self, time: float, node: Node, more: int) -> None:
        """One thing *more* (or less, -1) keeps advertisements from passing."""
        before = node.cuts
        node.cuts += more
        if bool(before) == bool(node.cuts):
            return
        what = What.CUT if node.cuts else What.LINKED
        change = Change(time, node.number, what)
        for router, wired in node.replicas.items():
            if wired:
                self.changes[router].append(change)

    def _lose(self, time: float, node: Node, what: What) -> None:
        for router in node.replicas:
            self.changes[router].append(Change(time, node.number, what))
            self.ended[router, node.agent].append(time)
        node.replicas.clear()

    def _remove(self, time: float, node: Node, router: int, what: What) -> None:
        if node.replicas.pop(router, None) is not None:
            self.changes[router].append(Change(time, node.number, what))
            self.ended[router, node.agent].append(time)


def _say_all(
    plan: Plan, objects: Objects, stage: Stage, streams: Streams, exits: Mapping[int, Pairs]
) -> Iterator[tuple[int, int, Said]]:
    """What comes of each router's elections: router, agent, and what it says."""
    advert = plan.seconds("ha_vrrp_advert_int")
    timing = Timing(
        advert,
        plan.cost("promote"),
        plan.cost("arp_timeout"),
        plan.release.habits.garp_refresh == "always",
    )
    names = plan.components.names
    salt = streams.uniforms(stable_hash("HA addresses"), ADVERT, 0, 1)[0]
    checks = Checks(plan, [node.agent for node in stage.nodes], streams, exits)
    for router in sorted(stage.changes):
        name, changes = objects.names[router], stage.changes[router]
        there = list(dict.fromkeys(change.replica for change in changes))
        agents = [stage.nodes[number].agent for number in there]
        ranks = [stable_hash(f"{name} on {names[agent]}: {salt}") for agent in agents]
        ways = checks.of(objects, router, there)
        calm = all(time == 0 and what == What.JOINED for time, _, what in changes)
        if calm and not any(ways):
            yield router, agents[ranks.index(max(ranks))], Said(0.0, 0, True, True)
            continue
        place = {number: i for i, number in enumerate(there)}
        mine = [Change(time, place[number], what) for time, number, what in changes]
        phase = quantize(float(streams.uniforms(stable_hash(name), ADVERT, 0, 1)[0]) * advert)
        for one in Election(ranks, timing, phase, ways).run(mine, plan.horizon):
            yield router, agents[one.replica], one
