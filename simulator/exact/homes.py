"""Who hosts what: objects in groups that are placed alike, and the nodes that may have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb

from simulator.exact import delays
from simulator.exact.answer import RefusedError
from simulator.exact.chains import binomial
from simulator.exact.components import Failing
from simulator.exact.nodes import Node, Service
from simulator.neutron.records import compatible
from simulator.neutron.schedulers import RANDOM
from simulator.scenario.components import CONTROL
from simulator.trace import Sort

WORD = {Sort.ROUTER: "l3", Sort.NETWORK: "dhcp"}
Choice = tuple[int, ...]
"""The nodes that have one object, by their place among those of its sort."""


@dataclass(frozen=True)
class Group:
    """*count* objects with one *gateway* (-1: none), each placed by itself as *choices* tell.

    *choices*: the probability of each set of nodes. Where one is certain, it is the only one.
    """

    count: int
    gateway: int
    choices: Mapping[Choice, float]


class Homes:
    """The routers or the networks of a plan, their nodes, and where each may be.

    Raises RefusedError where bindings do not stay as they were at first, or agents wait for
    something that may fail.
    """

    def __init__(self, failing: Failing, sort: Sort) -> None:
        self.failing, self.sort, self.plan = failing, sort, failing.plan
        nodes = self.plan.nodes
        column = nodes.l3 if sort == Sort.ROUTER else nodes.dhcp
        self.nodes = [
            Node(failing, sort, place, int(agent))
            for place, agent in enumerate(column.tolist())
            if agent >= 0
        ]
        self.groups = self._groups()
        self._check()

    @property
    def count(self) -> int:
        """How many objects there are."""
        return sum(group.count for group in self.groups)

    @property
    def single(self) -> bool:
        """Whether every object is on one node at a time."""
        return all(len(choice) <= 1 for group in self.groups for choice in group.choices)

    # -- what is refused -------------------------------------------------------------------

    def _check(self) -> None:
        """Raise RefusedError unless each object stays where it is, and is set up there again."""
        if not self.count:
            raise RefusedError(f"there are no {self._plural}")
        lost = self._unreachable()
        if lost or self._silenced:
            self._check_failover()
        restarting = [node for node in self.nodes if node.restarts]
        if not restarting:
            return
        if lost:
            raise RefusedError(
                f"{_some(lost)} can fail, and agents that start wait for the server: "
                "their outages are not independent"
            )
        if self.sort == Sort.ROUTER and len(self.nodes) > 1 and self._shares_server:
            raise RefusedError(
                "syncs of several L3 agents queue at the server (costs.answer_per_router)"
            )
        if self.sort == Sort.NETWORK and (self.plan.delay or self.plan.loss or self.plan.service):
            raise RefusedError("DHCP agents wait for their first heartbeat, which is delayed")
        waits = self.plan.release.habits.dhcp_first_sync in ("in_heartbeat", "twice")
        if self.sort == Sort.NETWORK and waits and self._shares_server:
            raise RefusedError(
                "a starting DHCP agent's heartbeat may queue behind L3 agents' syncs at the server "
                "(costs.answer_per_router)"
            )

    @property
    def _silenced(self) -> bool:
        """Whether an agent that has objects can fail, or its host."""
        law = self.failing.law
        return any(law(node.host) or law(node.agent) for node in self.nodes)

    @property
    def _plural(self) -> str:
        return "routers" if self.sort == Sort.ROUTER else "networks"

    @property
    def _shares_server(self) -> bool:
        return self.plan.release.has_scheduler and self.plan.cost("answer_per_router") > 0

    def _check_failover(self) -> None:
        """Raise RefusedError if the server moves what dead agents have."""
        rules, kind = self.plan.rules, WORD[self.sort]
        joins = rules.dhcp_sync == "served" and rules.dhcp_hosting == "alive"
        if kind == "dhcp" and len(self.nodes) > 1 and joins and rules.network_auto_schedule:
            raise RefusedError("a starting DHCP agent is given networks whose agents look dead")
        moves = {
            "l3": rules.allow_automatic_l3agent_failover,
            "dhcp": rules.allow_automatic_dhcp_failover,
        }
        if self.plan.release.has_scheduler and moves[kind]:
            name = "l3agent" if kind == "l3" else "dhcp"
            raise RefusedError(
                f"dead agents lose their {self._plural} (allow_automatic_{name}_failover): where "
                "each is depends on all that failed before"
            )

    def _unreachable(self) -> list[str]:
        """What can fail between the nodes' agents and the server."""
        plan, failing = self.plan, self.failing
        hosts = {failing.name(node.host) for node in self.nodes}
        hosts |= {failing.name(host) for host in plan.controllers}
        wanted = {f"{host}/management" for host in hosts}
        for host in plan.controllers:
            name = failing.name(host)
            wanted |= {name, *(f"{name}/{part}" for part in CONTROL)}
        return [
            name for i, name in enumerate(plan.components.names)
            if name in wanted and failing.law(i)
        ]  # fmt: skip

    # -- placement -------------------------------------------------------------------------

    def _groups(self) -> list[Group]:
        objects = self.plan.objects
        order = [objects.gateway[r] for r in objects.routers()]
        if self.sort == Sort.NETWORK:
            order = [-1] * len(objects.networks())
        if not order:
            return []
        takers = {gateway: self._takers(gateway) for gateway in dict.fromkeys(order)}
        if not self.plan.release.has_scheduler:
            return [Group(n, g, {takers[g]: 1.0}) for g, n in Counter(order).items()]
        self._check_asked()
        if self._driver in RANDOM:
            return [
                Group(n, g, _at_random(takers[g], self._each)) for g, n in Counter(order).items()
            ]
        return self._spread(order, takers)

    def _takers(self, gateway: int) -> Choice:
        """The nodes whose agents take objects with that gateway."""
        found = tuple(i for i, node in enumerate(self.nodes) if self._takes(node, gateway))
        if not found:
            raise RefusedError(f"no agent takes {self._plural} of some external network")
        return found

    @property
    def _each(self) -> int:
        """On how many nodes each object is to be."""
        return 1 if self.sort == Sort.ROUTER else self.plan.rules.dhcp_agents_per_network

    def _spread(self, order: Sequence[int], takers: Mapping[int, Choice]) -> list[Group]:
        """The least loaded nodes take objects in turn, in *order*; each set of nodes its own."""
        sets = dict.fromkeys(takers.values())
        if sum(map(len, sets)) > len(set().union(*sets)):
            raise RefusedError("the scheduler spreads routers over sets of nodes that overlap")
        turns: Counter[Choice] = Counter()
        found: Counter[tuple[int, Choice]] = Counter()
        for gateway in order:
            mine = takers[gateway]
            each, turn = min(self._each, len(mine)), turns[mine]
            places = (mine[(turn * each + i) % len(mine)] for i in range(each))
            found[gateway, tuple(sorted(places))] += 1
            turns[mine] += 1
        return [Group(n, gateway, {choice: 1.0}) for (gateway, choice), n in found.items()]

    @property
    def _driver(self) -> str:
        rules = self.plan.rules
        router = self.sort == Sort.ROUTER
        return rules.router_scheduler_driver if router else rules.network_scheduler_driver

    def _check_asked(self) -> None:
        """Raise RefusedError if some networks are not scheduled before the run."""
        by_subnet = "subnet" in self.plan.rules.network_triggers
        ports = self.plan.tenant.vms + self.plan.tenant.ports
        if self.sort == Sort.NETWORK and not (by_subnet or ports):
            raise RefusedError("networks without ports are given no agent before the run")

    def _takes(self, node: Node, gateway: int) -> bool:
        if self.sort == Sort.NETWORK:
            return True
        agents = {agent.component: agent for agent in self.plan.agents}
        told = dict(agents[node.agent].configurations)
        wanted = None if gateway < 0 else gateway
        return compatible(told, None, wanted, self.plan.rules.candidate_filter)

    # -- service ---------------------------------------------------------------------------

    @cached_property
    def services(self) -> list[Service]:
        """How far each node is with an object of its own, any of them alike."""
        return [node.service(self._waits(i, first=False)) for i, node in enumerate(self.nodes)]

    @cached_property
    def firsts(self) -> list[Service]:
        """How far each node is with the first of its objects to be set up."""
        return [node.service(self._waits(i, first=True)) for i, node in enumerate(self.nodes)]

    def same_at_once(self) -> None:
        """Raise RefusedError if a node sets up some of its objects later than others."""
        for i, node in enumerate(self.nodes):
            if self.failing.law(node.host) and self._waits(i, first=False) != self._waits(
                i, first=True
            ):
                raise RefusedError("a node that is back sets up one object after the other")

    def _waits(self, place: int, *, first: bool) -> Mapping[float, float]:
        """From the return of a node's host, or agent, until an object is set up there, s."""
        if not self.nodes[place].restarts:
            return {0.0: 1.0}
        return delays.service(self.plan, self.sort, self._companions(place), first=first)

    @property
    def _work(self) -> bool:
        """Whether more objects on a node take more time."""
        if self.sort == Sort.NETWORK:
            return delays.network_cost(self.plan) > 0
        return delays.router_cost(self.plan) > 0 or self._shares_server

    def _companions(self, place: int) -> Mapping[int, float]:
        """How likely one of the objects that are on a node is one of so many there."""
        if not self._work:
            return {self.count: 1.0}
        found: Counter[int] = Counter()
        mine = [(g, _share(g, place)) for g in self.groups if _share(g, place)]
        total = sum(group.count * share for group, share in mine)
        for group, share in mine:
            fixed = sum(g.count for g, s in mine if s == 1)
            others = [s for g, s in mine if s < 1 for _ in range(g.count - (g is group))]
            extra = 0 if share == 1 else 1
            for more, chance in enumerate(binomial(others).tolist()):
                if chance > 0:
                    found[fixed + extra + more] += chance * group.count * share / total
        return found or Counter({1: 1.0})


def _share(group: Group, place: int) -> float:
    """How likely an object of *group* is on a node."""
    return sum(chance for choice, chance in group.choices.items() if place in choice)


def _at_random(takers: Choice, each: int) -> Mapping[Choice, float]:
    """Any *each* of *takers*, all as likely; all of them, if there are no more."""
    each = min(each, len(takers))
    if comb(len(takers), each) > 5000:
        raise RefusedError("there are too many ways to place a network")
    return {choice: 1 / comb(len(takers), each) for choice in combinations(takers, each)}


def _some(names: Sequence[str]) -> str:
    """The first few of *names*."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
