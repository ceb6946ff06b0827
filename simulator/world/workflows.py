"""What each type of agent does when it starts, and when a message reaches it.

One starter and one receiver for each architecture and type, in STARTERS and RECEIVERS. The rules
are sections 2, 3 and 4 of the project's Neutron notes: Grizzly's agents sync by RPC, Folsom's L3
agent polls the REST API, its DHCP agents serve all networks, nova-network serves its own host.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeAlias

from simpy import Event

from simulator.clock import Rank, quantize
from simulator.neutron.errors import AgentNotFound
from simulator.neutron.records import COMPUTE_MODES, Notice, compatible
from simulator.neutron.server import Server
from simulator.trace import Kind
from simulator.world.agent_costs import AgentCosts
from simulator.world.agents import FIRST_CHUNK, Agent
from simulator.world.cluster import Routine
from simulator.world.fetching import ROUTERS, Fetching
from simulator.world.objects import Objects
from simulator.world.plan import Plan
from simulator.world.ports import Ports
from simulator.world.streams import FUZZ, Streams

Steps = Generator[Event, Any, Any]


class Workflows:
    """The agents' habits of one release."""

    def __init__(
        self, plan: Plan, server: Server, objects: Objects, ports: Ports, streams: Streams
    ) -> None:
        self.plan = plan
        self.release = plan.release
        self.server = server
        self.objects = objects
        self.ports = ports
        self.streams = streams
        self.costs = AgentCosts(plan, objects)
        self.fetching = Fetching(plan, server, set_up=self._set_up_told, resync=self.resync_later)

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
        taken = self._gateways_of(agent)
        return [r for r in self.objects.routers() if self.objects.gateway[r] in taken]

    def _gateways_of(self, agent: Agent) -> set[int]:
        """The external networks whose routers a polling L3 agent takes, -1 for none.

        Nothing else of a router matters to it, for no scenario names the router of an agent.
        """
        configurations, filtered = dict(agent.plan.configurations), self.plan.rules.candidate_filter
        networks = range(len(self.plan.external_networks))
        found = {n for n in networks if compatible(configurations, None, n, filtered)}
        return found | ({-1} if compatible(configurations, None, None, filtered) else set())

    def reconcile(self, agent: Agent, wanted: list[int], begin: float = 0.0) -> None:
        """Make *agent* take down what it should not serve and set up what it lacks."""
        keep = set(wanted)
        agent.remove([thing for thing in agent.configured if thing not in keep])
        if agent.type == "l3":
            self._set_up_routers(agent, wanted, begin)
        elif agent.type == "dhcp":
            agent.workers = float(self.plan.option("num_sync_threads") or 1)  # type: ignore[arg-type]
            self.ports.ask(agent, wanted)
            costs = self.costs.of_networks(agent, wanted)
            agent.build(wanted, costs, begin=begin, behind=True)
            agent.fresh, agent.locked_until = False, agent.busy_until
        else:
            agent.build(wanted, [0.0] * len(wanted), begin=begin)

    def _set_up_routers(self, agent: Agent, wanted: Sequence[int], begin: float = 0.0) -> None:
        agent.hear(wanted)
        self.ports.ask(agent, wanted)
        wanted = [router for router in wanted if router not in agent.configured]
        agent.workers = self.costs.router_workers(agent, len(wanted))
        agent.build(wanted, self.costs.of_routers(agent, wanted), begin=begin)

    # -- syncing by RPC (Grizzly; Folsom's DHCP agent; nova-network) ------------------------

    def sync_once(self, agent: Agent, life: int) -> Steps:
        """One attempt at a full sync, to the end of its work: whether it succeeded."""
        agent.synced_at = agent.cluster.env.now
        if agent.type == "l3":
            return (yield from self._sync_routers(agent, life))
        yield from self._idle(agent, life)  # its work holds a lock
        answered = agent.life == life and (yield from agent.control.call(agent, life))
        wanted = self.wanted(agent) if answered else None
        if wanted is None:
            return False
        agent.interrupted = False
        self.reconcile(agent, wanted)
        yield from self._idle(agent, life)
        return agent.life == life and not agent.interrupted

    def _sync_routers(self, agent: Agent, life: int) -> Steps:
        """One attempt of an L3 agent: whether it was told all of its routers.

        Until Liberty one call asks for all, and the server's work for the answer grows with them
        (bug 1516260). Since Mitaka a first call asks which there are, further ones for chunks of
        them; work begins with the first chunk. Chunks shrink when any of the calls times out, and
        grow with each sync that succeeds; only that takes down what is not the agent's any more.
        Source: fetch_and_sync_all_routers, neutron/agent/l3/agent.py at 14.4.2, 22.0.0, 29.0.0.
        """
        if self.release.habits.l3_workers == (1, 1):
            yield from self._idle(agent, life)  # its work holds a lock
        if self.release.habits.router_paging:
            return (yield from self._page(agent, life))
        work = self.plan.cost("answer_per_router") * self._listed(agent)
        answered = agent.life == life and (
            yield from agent.control.call(agent, life, work, method=ROUTERS)
        )
        wanted = self.wanted(agent) if answered else None
        if wanted is None:
            return False
        self.reconcile(agent, wanted)
        return True

    def _listed(self, agent: Agent) -> int:
        """How many routers the server lists for an L3 agent."""
        row = self.server.agents.get(agent.name)
        if row is None:
            return 0
        return len(self.server.given(agent.name) if row.mode in COMPUTE_MODES else row.hosted)

    def _page(self, agent: Agent, life: int) -> Steps:
        """Ask which routers there are, and for them chunk by chunk: whether all were told."""
        before, told, size = list(agent.configured), set[int](), agent.chunk
        answered = agent.life == life and (
            yield from agent.control.call(agent, life, method="get_router_ids")
        )
        wanted = self.wanted(agent) if answered else None
        each = self.plan.cost("answer_per_router")
        for place in range(0, len(wanted or ()), size):
            chunk = (wanted or [])[place : place + size]
            answered = yield from agent.control.call(agent, life, each * len(chunk), method=ROUTERS)
            if not answered:
                break
            still = set(self.server.given(agent.name) if agent.name in self.server.agents else ())
            told |= still & set(chunk)
            self._set_up_routers(agent, [router for router in chunk if router in still])
        if agent.life != life:
            return False
        if not answered:
            agent.chunk = max(size // 2, LEAST_CHUNK)
            return False
        if wanted is None:
            return False
        agent.chunk = min(size + CHUNK_STEP, FIRST_CHUNK)
        agent.remove([router for router in before if router not in told])
        return True

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
        """The next run of the agent's periodic task, after now.

        Since Stein a DHCP agent's begins when there is something to do: each has a throttle of its
        own, which waits for nobody (_periodic_resync_helper, neutron/agent/dhcp/agent.py at 14.4.2
        and 29.0.0). Here it keeps a sync that takes no time from running again and again.
        """
        now = agent.cluster.env.now
        if agent.type == "l3":
            begin, period = agent.started_at + agent.fuzz, self.plan.seconds("periodic_interval")
        elif agent.type == "dhcp":
            begin, period = agent.started_at, self.plan.seconds("resync_interval")
            if "resync_throttle" in self.release.options:
                return now if now > agent.synced_at else now + self.plan.seconds("resync_throttle")
        else:
            begin, period = agent.started_at, 10.0
        return begin + (math.floor((now - begin) / period) + 1) * period

    def revived(self, agent: Agent) -> None:
        """The server told *agent* that it had been down: what it missed it asks for (Liberty)."""
        if agent.type in ("l3", "dhcp") and agent.running:
            self.resync_all(agent)

    def resync_all(self, agent: Agent) -> None:
        """Sync everything at the next tick, and not only what failed."""
        agent.fresh = agent.fresh or self.release.habits.dhcp_bulk_sync
        self.resync_later(agent)

    def resync_later(self, agent: Agent) -> None:
        """Sync at the next tick."""
        Routine(self.sync(agent, agent.life, self._next_tick(agent)))

    def begin(self, agent: Agent) -> None:
        """At time zero: an L3 agent is anywhere in the period of its periodic task or poll."""
        if agent.type != "l3" or not agent.running:
            return
        u = self.streams.uniform(agent.entity, FUZZ, 0)
        if self.release.has_scheduler:
            agent.fuzz = quantize(u * self.plan.seconds("periodic_interval"))
        else:
            period = self.plan.seconds("polling_interval") + self.costs.of_poll(
                len(agent.configured)
            )
            agent.cluster.env.process(self.poll(agent, agent.life, quantize(u * period)))

    # -- starting --------------------------------------------------------------------------

    def start_l3(self, agent: Agent, life: int) -> None:
        """Grizzly: namespaces are destroyed, and a full sync begins after 0 to 5 whole seconds."""
        if self.release.habits.l3_restart_wipes:
            agent.wipe()
        most = int(self.plan.seconds("periodic_fuzzy_delay"))
        agent.fuzz = float(int(self.streams.uniform(agent.entity, FUZZ, life) * (most + 1)))
        env = agent.cluster.env
        waits = agent.fuzz if self.release.habits.l3_first_sync == "fuzzy" else 0.0
        Routine(self.sync(agent, life, env.now + waits))

    def start_dhcp(self, agent: Agent, life: int) -> None:
        """A first sync beside the heartbeats, or before them; else `first_dhcp_sync` does it."""
        env, first_sync = agent.cluster.env, self.release.habits.dhcp_first_sync
        if first_sync == "beside":
            Routine(self.sync(agent, life, env.now))
        elif first_sync == "before":
            env.process(self._sync_and_report(agent, life))

    def _sync_and_report(self, agent: Agent, life: int) -> Steps:
        """The first sync, and whatever came of it the first heartbeat."""
        yield from self.first_dhcp_sync(agent, life)
        if agent.life == life and agent.heart:
            agent.heart.start(life)

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
            self.reconcile(agent, wanted, env.now + self.costs.of_poll(known))
            done = max(env.now + self.costs.of_poll(len(wanted)), agent.busy_until)
            agent.interrupted = False
            yield agent.wakeup
            if agent.life != life:
                return
            if agent.interrupted:  # what was under way has been given up: the loop begins anew
                at = env.now + interval
                continue
            period = interval + self.costs.of_poll(len(wanted))
            polls = max(0, math.ceil((env.now - done - interval) / period))
            at = max(env.now, done + interval + polls * period)

    def first_dhcp_sync(self, agent: Agent, life: int) -> Steps:
        """Grizzly: the first sync runs in the heartbeat's thread; what fails is tried later."""
        agent.syncing = True
        done = yield from self.sync_once(agent, life)
        if self.release.habits.dhcp_first_sync == "twice" and agent.life == life:
            agent.fresh = True
            done = yield from self.sync_once(agent, life)
        if agent.life == life:
            agent.syncing = False
            if not done or agent.sync_again:
                self.resync_later(agent)

    def start_now(self, agent: Agent, life: int) -> None:
        """Sync at once: Folsom's DHCP agent, nova-network."""
        Routine(self.sync(agent, life, agent.cluster.env.now))

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

    def receive_l3(self, agent: Agent, notices: Sequence[Notice]) -> None:
        """An L3 agent that the server tells something: what is alike in a row it does at once."""
        for method, alike in groupby(notices, key=attrgetter("method")):
            routers = [notice.target for notice in alike]
            if method == "agent_updated":
                self.resync_all(agent)
            elif method in L3_REMOVALS:
                self.fetching.forget(agent, routers)
                agent.remove(routers)
            else:
                self.fetching.tell(agent, routers)

    def miss_l3(self, agent: Agent, notice: Notice) -> None:
        """The broker lost *notice*: what it would have had an L3 agent set up, it will not ask for.

        Parts of distributed routers on compute hosts are left out.
        """
        row = self.server.agents.get(agent.name)
        if row is None or notice.method in L3_REMOVALS:
            return
        named = row.hosted if notice.method == "agent_updated" else (notice.target,)
        agent.leave_untold(
            router
            for router in self.server.given(agent.name, only=tuple(named))
            if router in row.hosted
            and router not in agent.configured
            and not self.fetching.asks(agent, router)
        )

    def _set_up_told(self, agent: Agent, routers: Sequence[int]) -> None:
        """What an L3 agent does with routers that it was told of: set them up, or change them.

        All at once if they find equally many workers: a queue of its own for each is the same.
        """
        workers = self.costs.router_workers
        known = agent.configured.keys() & routers
        if not known and workers(agent, 1) == workers(agent, len(routers)):
            self._set_up_routers(agent, routers)
            return
        for router in routers:
            if router in known:
                self.ports.ask(agent, [router])
                agent.extend(router, self.costs.of_change(agent, router))
            else:
                self._set_up_routers(agent, [router])

    def receive_dhcp(self, agent: Agent, notices: Sequence[Notice]) -> None:
        """A DHCP agent, of either release; its syncs keep other work waiting.

        Source: _wait_if_syncing, neutron/agent/dhcp/agent.py at 10.0.7; before, one lock for all.
        """
        for notice in notices:
            self._receive_network(agent, notice)

    def _receive_network(self, agent: Agent, notice: Notice) -> None:
        if notice.method == "agent_updated":
            self.resync_all(agent)
            return
        network = notice.target
        if notice.method == "network_delete_end":
            agent.remove([network])
        elif notice.method in DHCP_CREATIONS and self._is_new(agent, network):
            if agent.control.in_contact(agent):
                self.ports.ask(agent, [network])
                agent.workers = self.costs.network_workers(agent)
                costs, alone = self.costs.of_networks(agent, [network]), agent.workers == 1
                agent.build([network], costs, begin=agent.locked_until, behind=alone)
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


LEAST_CHUNK, CHUNK_STEP = 32, 32
"""How far an L3 agent's chunks shrink, and how they grow again (neutron/agent/l3/agent.py)."""

Habit: TypeAlias = Callable[[Workflows, Agent, Any], None]

STARTERS: Mapping[tuple[str, str], Habit] = {
    ("scheduled", "l3"): Workflows.start_l3,
    ("scheduled", "dhcp"): Workflows.start_dhcp,
    ("scheduled", "l2"): Workflows.start_l2,
    ("polling", "l3"): Workflows.start_l3_polling,
    ("polling", "dhcp"): Workflows.start_now,
    ("polling", "l2"): Workflows.start_l2,
    ("multi_host", "nova-network"): Workflows.start_now,
}
"""What an agent does when it starts. Until Newton DHCP agents first wait for the answer to their
first heartbeat (`first_dhcp_sync`); metadata and load-balancing agents keep nothing measured."""

DHCP_CREATIONS = ("network_create_end", "subnet_create_end")
L3_REMOVALS = ("router_deleted", "router_removed_from_agent")

RECEIVERS: Mapping[tuple[str, str], Habit] = {
    ("scheduled", "l3"): Workflows.receive_l3,
    ("scheduled", "dhcp"): Workflows.receive_dhcp,
    ("polling", "dhcp"): Workflows.receive_dhcp,
}
"""What an agent does with a message; the others are told nothing."""

MISSERS: Mapping[tuple[str, str], Habit] = {("scheduled", "l3"): Workflows.miss_l3}
"""What follows from a message that the broker lost; what DHCP agents miss nobody measures."""

NEEDS_SERVER = {("scheduled", "dhcp"), ("polling", "dhcp"), ("polling", "l3")}
"""Agents that ask the server about each object they set up, not once for all."""
