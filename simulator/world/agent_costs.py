"""Seconds of agents' work in one release, and how much of it they do at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from simulator.clock import quantize
from simulator.scenario.size import amount
from simulator.world.agents import Agent
from simulator.world.objects import Objects
from simulator.world.plan import Plan


class AgentCosts:
    """What setting up costs, by the release's habits and the scenario's costs."""

    def __init__(self, plan: Plan, objects: Objects) -> None:
        self._plan, self._objects = plan, objects
        self._release = plan.release
        self._network = quantize(self._release.network_cost(plan.system.costs))
        own = plan.system.costs.rebuild_per_network
        self._respawn = plan.cost("spawn_dnsmasq") if own == "release" else quantize(own)
        self._rest_call = plan.cost("rest_call")
        self._arp_packets = int(amount(plan.system, "send_arp_for_ha") or 0)
        self._known: dict[tuple[int, bool, int], float] = {}
        self._at_start: dict[int, float] = {}
        # By each agent on each router, changes included.
        self._spent: defaultdict[int, dict[int, float]] = defaultdict(dict)

    def begin(self) -> None:
        """What is set up at time zero has cost what it costs then."""
        routers = self._objects.routers()
        self._at_start = dict(zip(routers, self._each(routers), strict=True))

    def _of(self, router: int) -> float:
        return self._each([router])[0]

    def _each(self, routers: Sequence[int]) -> list[float]:
        """Seconds of each router: by its interfaces, its gateway and its floating IPs."""
        objects, known = self._objects, self._known
        faces, gateways, floating = objects.interfaces, objects.gateway, objects.floating_ips
        keys = [(faces[router], gateways[router] >= 0, floating[router]) for router in routers]
        for key in set(keys) - known.keys():
            cost = self._release.router_cost(self._plan.system.costs, self._arp_packets, *key)
            known[key] = quantize(cost)
        return [known[key] for key in keys]

    def of_routers(self, agent: Agent, routers: Sequence[int]) -> list[float]:
        """Seconds in which *agent* sets up each of *routers*, which it is about to do."""
        result = self._each(routers)
        self._spent[agent.component].update(zip(routers, result, strict=True))
        return result

    def of_change(self, agent: Agent, router: int) -> float:
        """Seconds for what a router that *agent* has needs more than when it was last told."""
        cost, known = self._of(router), self._spent[agent.component]
        spent = known.get(router, self._at_start.get(router, cost))
        known[router] = cost
        return max(cost - spent, 0.0)

    def of_networks(self, agent: Agent, networks: Sequence[int]) -> list[float]:
        """Seconds to set up each of *networks*.

        One that *agent* has is only asked about; but the first sync of a process starts every
        dnsmasq anew, for it does not know what the one before it had set up, and since Havana every
        sync that is not about single networks does. Source: sync_state and refresh_dhcp_helper,
        quantum/agent/dhcp_agent.py at 2013.1.5; sync_state, neutron/agent/dhcp/agent.py, and
        DhcpLocalProcess.enable, neutron/agent/linux/dhcp.py, at 10.0.7.
        """
        known = 0.0 if self._release.habits.dhcp_bulk_sync else self._plan.cost("rpc_call")
        if agent.fresh:
            known += self._respawn
        return [known if n in agent.configured else self._network for n in networks]

    def of_poll(self, routers: int) -> float:
        """Folsom: seconds of the REST calls of one poll over *routers* routers."""
        each = 2 + bool(self._plan.external_networks)
        return quantize((2 + routers * each) * self._rest_call)

    def router_workers(self, agent: Agent, more: int = 0) -> float:
        """How many routers an L3 agent works on at a time when it has *more* than it had."""
        least, most = self._release.habits.l3_workers
        return min(max(len(agent.configured) + more, least), most)

    def network_workers(self, agent: Agent) -> float:
        """How many networks that it is told about a DHCP agent works on at a time."""
        least, most = self._release.habits.dhcp_workers
        return min(max(len(agent.configured), least), most)
