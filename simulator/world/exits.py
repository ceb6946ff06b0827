"""Replicas that check their way out: the external NIC of their host and the uplink.

With ha_vrrp_health_check_interval keepalived runs a script every so often; two failures in a row
make a replica FAULT, two successes mend it (fall 2, rise 2: KeepalivedTrackScript,
neutron/agent/linux/keepalived.py).

Assumed: a replica's checks have a random phase, and went on before it was made; and every replica
checks. In Neutron's script one that does not have the router's address succeeds untried
(_check_ip_assigned), so only masters find out, and one that resigned is soon a backup again.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from simulator.clock import quantize
from simulator.trace import Kind
from simulator.world.objects import Objects
from simulator.world.plan import Plan
from simulator.world.streams import HEALTH_CHECK, Streams, stable_hash
from simulator.world.vrrp import Change, What

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


class Checks:
    """When replicas find by their checks that their way out is gone, or back."""

    def __init__(
        self, plan: Plan, agents: Sequence[int], streams: Streams, exits: Mapping[int, Pairs]
    ) -> None:
        """*agents*: those that replicas belong to, by the number a replica has in its changes."""
        self._plan, self._streams, self._exits = plan, streams, exits
        self._interval = plan.seconds("ha_vrrp_health_check_interval") if exits else 0.0
        node_of = {int(agent): n for n, agent in enumerate(plan.nodes.l3)}
        self._nics = [int(plan.nodes.external_nic[node_of[agent]]) for agent in agents]
        self._agents = agents

    def of(self, objects: Objects, router: int, there: list[int]) -> list[Change]:
        """FAULT and MENDED of the replicas of *router* at the agents numbered *there*."""
        plan, gateway = self._plan, objects.gateway[router]
        if gateway < 0:
            return []
        uplink = plan.number[f"uplink/{plan.external_networks[gateway]}"]
        found = []
        for place, number in enumerate(there):
            bad = _merged(self._exits.get(self._nics[number], []), self._exits.get(uplink, []))
            if not bad:
                continue
            agent = plan.components.names[self._agents[number]]
            entity = stable_hash(f"{objects.names[router]} on {agent}")
            u = float(self._streams.uniforms(entity, HEALTH_CHECK, 0, 1)[0])
            phase = quantize(u * self._interval)
            found += [
                Change(time, place, What.FAULT if fault else What.MENDED)
                for time, fault in faults(bad, self._interval, phase)
                if time < plan.horizon
            ]
        return found


def _merged(one: Pairs, other: Pairs) -> Pairs:
    """The union of two lists of spans."""
    if not one or not other:
        return one or other
    merged: Pairs = []
    for begin, end in sorted([*one, *other]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def faults(
    bad: Sequence[tuple[float, float]], interval: float, phase: float
) -> list[tuple[float, bool]]:
    """When a replica becomes FAULT (True) and is mended, by checks at *phase* + k *interval*, s.

    *bad* are the spans without a way out, in order; one that begins at 0 began long before. Two
    failed checks in a row make it FAULT, two good ones mend it.
    """
    found: list[tuple[float, bool]] = []
    fault, run, last = False, -9, -9  # the failed checks in a row up to now: the first, the last
    for begin, end in bad:
        first = math.ceil((begin - phase) / interval) if begin > 0 else -2
        stop = math.ceil((end - phase) / interval)
        if stop <= first:
            continue  # no check fell into it
        if fault and first - last > 2:
            found.append((phase + (last + 2) * interval, False))
            fault = False
        run = first if first > last + 1 else run
        if not fault and stop - run >= 2:
            found.append((max(phase + (run + 1) * interval, 0.0), True))
            fault = True
        last = stop - 1
    if fault:
        found.append((phase + (last + 2) * interval, False))
    return found
