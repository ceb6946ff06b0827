"""Seconds from a host's return to service, if nothing fails again: fixed by costs and release.

They repeat what `world/agents.py` and `world/workflows.py` do when a host is back and the server
can be reached; `tests/exact/test_delays.py` holds them to scripted outages of every release.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping

from simulator.clock import quantize
from simulator.exact.answer import RefusedError
from simulator.scenario.size import amount
from simulator.trace import Sort
from simulator.world.plan import Plan

Delays = Mapping[float, float]
"""The probability of each number of seconds."""

CHUNK = 256
"""Routers that an L3 agent is told of by one call (0e97feb0f3)."""


def after_boot(plan: Plan) -> float:
    """From a host's repair until its agents' processes work, s."""
    return plan.cost("boot") + plan.cost("agent_start")


def wiring(plan: Plan) -> float:
    """From the start of an L2 agent until it has put its flows back, s."""
    return plan.cost("rpc_call") + plan.cost("rewire")


def fuzz(plan: Plan) -> Delays:
    """How long a starting L3 agent waits before it asks: whole seconds, each as likely."""
    if not plan.release.has_scheduler or plan.release.habits.l3_first_sync != "fuzzy":
        return {0.0: 1.0}
    most = int(plan.seconds("periodic_fuzzy_delay"))
    return {float(seconds): 1 / (most + 1) for seconds in range(most + 1)}


def told(plan: Plan, routers: int) -> float:
    """From an L3 agent's asking until it is told its *routers*, s."""
    if not plan.release.has_scheduler:  # Folsom: one poll that finds none set up
        return quantize(2 * plan.cost("rest_call"))
    work = plan.cost("answer_per_router") * routers
    if not plan.release.habits.router_paging:
        return plan.cost("rpc_call") + work
    if routers > CHUNK and (plan.cost("rpc_call") or work or router_cost(plan)):
        raise RefusedError("an L3 agent asks for its routers in chunks, and sets them up meanwhile")
    return 2 * plan.cost("rpc_call") + work


def router_cost(plan: Plan) -> float:
    """Seconds in which an L3 agent sets up one router; all must cost the same."""
    objects, system = plan.objects, plan.system
    packets = int(amount(system, "send_arp_for_ha") or 0)
    kinds = {
        (objects.interfaces[r], objects.gateway[r] >= 0, objects.floating_ips[r])
        for r in objects.routers()
    }
    costs = {quantize(plan.release.router_cost(system.costs, packets, *kind)) for kind in kinds}
    if len(costs) > 1:
        raise RefusedError("some routers cost more to set up than others: their order matters")
    return costs.pop() if costs else 0.0


def network_cost(plan: Plan) -> float:
    """Seconds in which one thread of a DHCP agent sets up one network."""
    return quantize(plan.release.network_cost(plan.system.costs))


def _workers(plan: Plan, sort: Sort, count: int) -> float:
    if sort == Sort.NETWORK:
        return float(plan.option("num_sync_threads") or 1)  # type: ignore[arg-type]
    low, most = plan.release.habits.l3_workers
    return min(max(float(count), low), most)


def set_up(plan: Plan, sort: Sort, count: int) -> list[float]:
    """From the start of an agent's process until each of its *count* objects is set up, s.

    The fuzzy delay of an L3 agent is left out. Each worker takes the next object when it is free.
    """
    if sort == Sort.NETWORK:
        asked, cost = plan.cost("rpc_call"), network_cost(plan)
    else:
        asked, cost = told(plan, count), router_cost(plan)
    workers = _workers(plan, sort, count)
    rounds = (max(math.ceil((place + 1) / workers), 1) for place in range(count))
    return [asked + turn * cost for turn in rounds]


def service(plan: Plan, sort: Sort, counts: Mapping[int, float], *, first: bool) -> Delays:
    """From a host's repair until an object is set up there, s, by probability.

    *counts*: how likely an object is one of so many on its host. *first*: of all objects on the
    host the one that is set up first; else any of them, each as likely.
    """
    found: defaultdict[float, float] = defaultdict(float)
    waits = fuzz(plan) if sort == Sort.ROUTER else {0.0: 1.0}
    for count, chance in counts.items():
        times = set_up(plan, sort, count)[: 1 if first else count]
        for seconds, many in Counter(times).items():
            for wait, share in waits.items():
                delay = after_boot(plan) + wait + seconds
                found[delay] += chance * share * many / len(times)
    return found
