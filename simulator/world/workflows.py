"""What each type of agent does when it starts, and when a message reaches it.

One starter and one receiver for each architecture and type, in STARTERS and RECEIVERS. The rules
are sections 2, 3 and 4 of the project's Neutron notes: Grizzly's agents sync by RPC, Folsom's L3
agent polls the REST API, its DHCP agents serve all networks, nova-network serves its own host.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, TypeAlias

from simpy import Event

from simulator.clock import Rank, quantize
from simulator.neutron.errors import AgentNotFound
from simulator.neutron.records import Notice, compatible
from simulator.neutron.server import Server
from simulator.scenario.size import amount
from simulator.trace import Kind
from simulator.world.agents import Agent
from simulator.world.objects import Objects
from simulator.world.plan import Plan
from simulator.world.streams import FUZZ, Streams

Steps = Generator[Event, Any, Any]


class Workflows:
    """The agents' habits of one release."""

    def __init__(self, plan: Plan, server: Server, objects: Objects, streams: Streams) -> None:
        self.plan = plan
        self.release = plan.release
        self.server = server
        self.objects = objects
        self.streams = streams
        costs = plan.system.costs
        self._network_cost = quantize(self.release.network_cost(costs))
        self._rest_call = plan.cost("rest_call")
        self._arp_packets = int(amount(plan.system, "send_arp_for_ha") or 0)
        self._spent: dict[int, float] = {}  # what setting up each router cost, changes included

    # -- costs -----------------------------------------------------------------------------

    def router_costs(self, routers: Sequence[int]) -> list[float]:
        """Seconds to set up each of *routers*."""
        objects, costs = self.objects, self.plan.system.costs
        known: dict[tuple[int, bool, int], float] = {}
        result = []
        for router in routers:
            key = (
                objects.interfaces[router],
                objects.gateway[router] >= 0,
                objects.floating_ips[router],
            )
            if key not in known:
                known[key] = quantize(self.release.router_cost(costs, self._arp_packets, *key))
            result.append(known[key])
        self._spent.update(zip(routers, result, strict=True))
        return result

    def network_costs(self, agent: Agent, networks: Sequence[int]) -> list[float]:
        """Seconds to set up each of *networks*; one that *agent* has is only asked about."""
        asked = self.plan.cost("rpc_call")
        known = agent.configured
        return [asked if network in known else self._network_cost for network in networks]

    def _loop_time(self, routers: int) -> float:
        """Folsom: the REST calls of one poll over *routers* routers, s."""
        each = 2 + bool(self.plan.external_networks)
        return quantize((2 + routers * each) * self._rest_call)

    # -- the whole of what an agent should serve -------------------------------------------

    def wanted(self, agent: Agent) -> list[int] | None:
        """What *agent* should serve by the server's (or its own) word; None if it has no row."""
        architecture = self.release.architecture
        if architecture == "scheduled":
            try:
                return self.server.sync(agent.cluster.env.now, agent.name)
            except AgentNotFound:
                return None
        if architecture == "multi_host":
            return self.objects.of_host(agent.plan.host)
        if agent.type == "dhcp":
            return self.objects.networks()
        configurations = dict(agent.plan.configurations)
        return [
            router
            for router in self.objects.routers()
            if compatible(configurations, router, self.objects.gateway_of(router))
        ]

    def reconcile(self, agent: Agent, wanted: list[int], begin: float = 0.0) -> None:
        """Make *agent* take down what it should not serve and set up what it lacks."""
        keep = set(wanted)
        agent.remove([thing for thing in agent.configured if thing not in keep])
        if agent.type == "l3":
            wanted = [router for router in wanted if router not in agent.configured]
            agent.build(wanted, self.router_costs(wanted), begin)
        elif agent.type == "dhcp":
            agent.build(wanted, self.network_costs(agent, wanted), begin)
        else:
            agent.build(wanted, [0.0] * len(wanted), begin)

    # -- syncing by RPC (Grizzly; Folsom's DHCP agent; nova-network) ------------------------

    def sync_once(self, agent: Agent, life: int) -> Steps:
        """One attempt at a full sync, to the end of its work: whether it succeeded."""
        yield from self._idle(agent, life)  # its work holds a lock
        answered = agent.life == life and (yield from agent.control.call(agent, life))
        if not answered:
            return False
        wanted = self.wanted(agent)
        if wanted is None:
            return False
        agent.interrupted = False
        self.reconcile(agent, wanted)
        if agent.type == "l3":
            return True  # it was told all in one answer
        yield from self._idle(agent, life)
        return agent.life == life and not agent.interrupted

    def _idle(self, agent: Agent, life: int) -> Steps:
        """Wait until *agent* has done its work."""
        while agent.life == life and agent.busy_until > agent.cluster.env.now:
            done = agent.cluster.until(agent.busy_until, Rank.AGENT, agent.component)
            yield agent.wakeup | done

    def sync(self, agent: Agent, life: int, first: float) -> Steps:
        """Try a full sync at *first* and at every later tick, until one succeeds."""
        if agent.syncing:
            agent.sync_again = True
            return
        agent.syncing = True
        cluster, tick = agent.cluster, first
        while agent.life == life:
            yield cluster.until(tick, Rank.AGENT, agent.component)
            if agent.life != life:
                return
            agent.sync_again = False
            done = yield from self.sync_once(agent, life)
            if done and not agent.sync_again:
                break
            tick = self._next_tick(agent)
        if agent.life == life:
            agent.syncing = False

    def _next_tick(self, agent: Agent) -> float:
        """The next run of the agent's periodic task, after now."""
        now = agent.cluster.env.now
        if agent.type == "l3":
            begin, period = agent.started_at + agent.fuzz, self.plan.seconds("periodic_interval")
        elif agent.type == "dhcp":
            begin, period = agent.started_at, self.plan.seconds("resync_interval")
        else:
            begin, period = agent.started_at, 10.0
        return begin + (math.floor((now - begin) / period) + 1) * period

    def resync_later(self, agent: Agent) -> None:
        """Sync at the next tick."""
        steps = self.sync(agent, agent.life, self._next_tick(agent))
        agent.cluster.env.process(steps)

    def begin(self, agent: Agent) -> None:
        """At time zero: an L3 agent is anywhere in the period of its periodic task or poll."""
        if agent.type != "l3" or not agent.running:
            return
        u = float(self.streams.uniforms(agent.entity, FUZZ, 0, 1)[0])
        if self.release.has_scheduler:
            agent.fuzz = quantize(u * self.plan.seconds("periodic_interval"))
        else:
            period = self.plan.seconds("polling_interval") + self._loop_time(len(agent.configured))
            agent.cluster.env.process(self.poll(agent, agent.life, quantize(u * period)))

    # -- starting --------------------------------------------------------------------------

    def start_l3(self, agent: Agent, life: int) -> None:
        """Grizzly: namespaces are destroyed, and a full sync begins after 0 to 5 whole seconds."""
        if self.release.habits.l3_restart_wipes:
            agent.wipe()
        most = int(self.plan.seconds("periodic_fuzzy_delay"))
        draw = self.streams.stream(agent.entity, FUZZ, first=life)
        agent.fuzz = float(draw.index(most + 1))
        env = agent.cluster.env
        env.process(self.sync(agent, life, env.now + agent.fuzz))

    def start_l3_polling(self, agent: Agent, life: int) -> None:
        """Folsom: namespaces are destroyed, and polling begins."""
        if self.release.habits.l3_restart_wipes:
            agent.wipe()
        agent.cluster.env.process(self.poll(agent, life, agent.cluster.env.now))

    def poll(self, agent: Agent, life: int, at: float) -> Steps:
        """Folsom's loop: ask for all routers, do what is new, sleep polling_interval.

        Polls that find nothing new are not simulated: the next one after a change follows from
        the time of one poll, REST calls included, and the interval.
        """
        control, cluster = agent.control, agent.cluster
        env = cluster.env
        interval = self.plan.seconds("polling_interval")
        while True:
            yield cluster.until(at, Rank.AGENT, agent.component)
            reached = yield from control.rest(agent, life)
            if not reached:
                return
            wanted = self.wanted(agent) or []
            known = sum(1 for router in wanted if router in agent.configured)
            self.reconcile(agent, wanted, env.now + self._loop_time(known))
            done = max(env.now + self._loop_time(len(wanted)), agent.busy_until)
            agent.interrupted = False
            yield agent.wakeup
            if agent.life != life:
                return
            if agent.interrupted:  # what was under way has been given up: the loop begins anew
                at = env.now + interval
                continue
            period = interval + self._loop_time(len(wanted))
            polls = max(0, math.ceil((env.now - done - interval) / period))
            at = max(env.now, done + interval + polls * period)

    def first_dhcp_sync(self, agent: Agent, life: int) -> Steps:
        """Grizzly: the first sync runs in the heartbeat's thread; what fails is tried later."""
        agent.syncing = True
        done = yield from self.sync_once(agent, life)
        if agent.life == life:
            agent.syncing = False
            if not done or agent.sync_again:
                self.resync_later(agent)

    def start_now(self, agent: Agent, life: int) -> None:
        """Sync at once: Folsom's DHCP agent, nova-network."""
        env = agent.cluster.env
        env.process(self.sync(agent, life, env.now))

    def start_l2(self, agent: Agent, life: int) -> None:
        """Flows are dropped, and put back once the server has told the ports."""
        agent.cluster.env.process(self._rewire(agent, life))

    def _rewire(self, agent: Agent, life: int) -> Steps:
        cluster = agent.cluster
        if self.release.habits.l2_restart_flushes:
            cluster.recorder.add(cluster.env.now, Kind.FLUSHED, agent.component)
        answered = False
        while not answered and agent.life == life:
            answered = yield from agent.control.call(agent, life)
        rewire = self.plan.cost("rewire")
        if agent.life == life and rewire:
            yield cluster.until(cluster.env.now + rewire, Rank.AGENT, agent.component)
        if agent.life == life:
            cluster.recorder.add(cluster.env.now, Kind.WIRED, agent.component)

    # -- messages --------------------------------------------------------------------------

    def receive_l3(self, agent: Agent, notice: Notice) -> None:
        """Grizzly's L3 agent."""
        if notice.method == "agent_updated":
            self.resync_later(agent)
            return
        router = notice.target
        if notice.method in ("router_deleted", "router_removed_from_agent"):
            agent.remove([router])
        elif router in agent.configured:
            known = self._spent[router]
            agent.extend(router, max(self.router_costs([router])[0] - known, 0.0))
        else:
            agent.build([router], self.router_costs([router]))

    def receive_dhcp(self, agent: Agent, notice: Notice) -> None:
        """A DHCP agent, of either release."""
        if notice.method == "agent_updated":
            self.resync_later(agent)
            return
        network = notice.target
        if notice.method == "network_delete_end":
            agent.remove([network])
        elif notice.method in DHCP_CREATIONS and self._is_new(agent, network):
            if agent.control.in_contact(agent):
                agent.build([network], self.network_costs(agent, [network]))
            else:
                self.resync_later(agent)  # it cannot ask about the network

    def _is_new(self, agent: Agent, thing: int) -> bool:
        return thing not in agent.configured and self.objects.alive(thing)

    def lose_contact(self, agent: Agent) -> None:
        """The server is out of reach: work that needs it for each object stops, to be redone."""
        if (self.release.architecture, agent.type) not in NEEDS_SERVER:
            return
        if agent.interrupt_work():
            agent.interrupted = True
            agent.control.waits(agent)
            if agent.type == "dhcp" and not agent.syncing:
                self.resync_later(agent)


Habit: TypeAlias = Callable[[Workflows, Agent, Any], None]

STARTERS: Mapping[tuple[str, str], Habit] = {
    ("scheduled", "l3"): Workflows.start_l3,
    ("scheduled", "l2"): Workflows.start_l2,
    ("polling", "l3"): Workflows.start_l3_polling,
    ("polling", "dhcp"): Workflows.start_now,
    ("polling", "l2"): Workflows.start_l2,
    ("multi_host", "nova-network"): Workflows.start_now,
}
"""What an agent does when it starts. Grizzly's DHCP agent first waits for its first heartbeat's
answer (`first_dhcp_sync`); metadata and load-balancing agents keep nothing that is measured."""

DHCP_CREATIONS = ("network_create_end", "subnet_create_end")

RECEIVERS: Mapping[tuple[str, str], Habit] = {
    ("scheduled", "l3"): Workflows.receive_l3,
    ("scheduled", "dhcp"): Workflows.receive_dhcp,
    ("polling", "dhcp"): Workflows.receive_dhcp,
}
"""What an agent does with a message; the others are told nothing."""

NEEDS_SERVER = {("scheduled", "dhcp"), ("polling", "dhcp"), ("polling", "l3")}
"""Agents that ask the server about each object they set up, not once for all."""
