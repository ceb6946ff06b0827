"""Replicas that check their way out: the external NIC of their host and the uplink.

With ha_vrrp_health_check_interval keepalived runs a script every so often, which pings the gateway
if the replica has the router's address, and else succeeds untried (_check_ip_assigned). Two
failures in a row make a replica FAULT, two successes mend it (fall 2, rise 2). So only a master can
find that it has no way out; once FAULT it has no address, and is a backup again two checks later.
Where all ways out are gone, the replicas go round. Source: KeepalivedTrackScript,
neutron/agent/linux/keepalived.py; release notes of Newton.

Assumed: a replica's checks have a random phase.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from simulator.clock import quantize
from simulator.trace import Kind
from simulator.world.objects import Objects
from simulator.world.plan import Plan
from simulator.world.spans import joined
from simulator.world.streams import HEALTH_CHECK, Streams, stable_hash

Row = tuple[float, int, int, int, float]
Pairs = list[tuple[float, float]]


def exits_failed(plan: Plan, rows: Iterable[Row]) -> dict[int, Pairs]:
    """When each external NIC and uplink was failed; nothing where nobody checks."""
    if not plan.option("ha_vrrp_health_check_interval"):
        return {}
    exits = {int(nic) for nic in plan.nodes.external_nic}
    exits |= {plan.number[f"uplink/{name}"] for name in plan.external_networks}
    count: dict[int, int] = defaultdict(int)
    spans: dict[int, Pairs] = defaultdict(list)
    for time, kind, part, _, _ in rows:
        if part not in exits or kind not in (Kind.FAIL, Kind.REPAIR):
            continue
        count[part] += 1 if kind == Kind.FAIL else -1
        if kind == Kind.FAIL and count[part] == 1:
            spans[part].append((time, plan.horizon))
        elif not count[part]:
            spans[part][-1] = (spans[part][-1][0], time)
    return spans


class WayOut:
    """The checks of one replica, at *phase* + k *interval*, s; *bad* are the spans without a way
    out, in order.
    """

    def __init__(self, bad: Pairs, interval: float, phase: float) -> None:
        self.interval = interval
        self._bad, self._phase = bad, phase
        self._ends = [end for _, end in bad]

    def is_gone(self, time: float) -> bool:
        """Whether there is none at an instant."""
        place = bisect_right(self._ends, time)
        return place < len(self._bad) and self._bad[place][0] <= time

    def fault(self, since: float) -> float:
        """When a replica that has the address from *since* on fails its second check in a row."""
        last = None
        for begin, end in self._bad[bisect_right(self._ends, since) :]:
            first = math.ceil((max(begin, since) - self._phase) / self.interval)
            stop = math.ceil((end - self._phase) / self.interval)
            if stop <= first:
                continue  # no check fell into it
            if first - 1 == last:
                return self._phase + first * self.interval
            if stop - first >= 2:
                return self._phase + (first + 1) * self.interval
            last = first
        return math.inf


class Checks:
    """The ways out that replicas check."""

    def __init__(
        self, plan: Plan, agents: Sequence[int], streams: Streams, exits: Mapping[int, Pairs]
    ) -> None:
        """*agents*: those that replicas belong to, by the number a replica has in its changes."""
        self._plan, self._streams, self._exits = plan, streams, exits
        self._interval = plan.seconds("ha_vrrp_health_check_interval") if exits else 0.0
        node_of = {int(agent): n for n, agent in enumerate(plan.nodes.l3)}
        self._nics = [int(plan.nodes.external_nic[node_of[agent]]) for agent in agents]
        self._agents = agents

    def of(self, objects: Objects, router: int, there: list[int]) -> list[WayOut | None]:
        """That of each replica of *router* at the agents numbered *there*; None if never gone."""
        plan, gateway = self._plan, objects.gateway[router]
        if gateway < 0 or not self._exits:
            return [None for _ in there]
        uplink = plan.number[f"uplink/{plan.external_networks[gateway]}"]
        found: list[WayOut | None] = []
        for number in there:
            bad = joined([*self._exits.get(self._nics[number], []), *self._exits.get(uplink, [])])
            agent = plan.components.names[self._agents[number]]
            entity = stable_hash(f"{objects.names[router]} on {agent}")
            u = float(self._streams.uniforms(entity, HEALTH_CHECK, 0, 1)[0])
            phase = quantize(u * self._interval)
            found.append(WayOut(bad, self._interval, phase) if bad else None)
        return found
