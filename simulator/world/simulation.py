"""One replication of one system: the only place that wires the world together."""

from __future__ import annotations

import gc
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from simulator.clock import quantize
from simulator.neutron.failover import passes_of
from simulator.neutron.records import COMPUTE_MODES
from simulator.neutron.records import Agent as Row
from simulator.neutron.server import Server
from simulator.trace import Kind, Recorder, Sort, Trace
from simulator.world.agents import Agent
from simulator.world.api import Api
from simulator.world.cluster import Cluster, Instants
from simulator.world.control import ControlPlane
from simulator.world.elections import elections
from simulator.world.failures import FAILURES
from simulator.world.heartbeats import Heart
from simulator.world.hosted import Hosted
from simulator.world.noise import make_noise
from simulator.world.operators import Operators
from simulator.world.placement import place
from simulator.world.plan import Plan, uplink_rates
from simulator.world.ports import Ports
from simulator.world.status_loops import status_loops
from simulator.world.streams import (
    HEARTBEAT_PHASE,
    SCHEDULER,
    Stream,
    Streams,
    stable_hash,
)
from simulator.world.workflows import MISSERS, RECEIVERS, STARTERS, Workflows
from simulator.world.workload import Workload, draw_loads

DRAWS_AN_ATTEMPT = 64  # no scheduler chooses more agents for one object at once


def simulate(plan: Plan, seed: int, replication: int) -> Trace:
    """Run one replication of *plan* and return everything that happened in it."""
    with _uncollected():
        return _simulate(plan, seed, replication)


def _simulate(plan: Plan, seed: int, replication: int) -> Trace:
    """The same; its world is garbage when it returns."""
    world = World(plan, Streams(seed, replication))
    world.env.run(until=plan.horizon)
    return world.trace()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Leave cyclic garbage, of which a run makes little, until the run is over."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class World:
    """All live parts of one replication, ready to run."""

    def __init__(self, plan: Plan, streams: Streams) -> None:
        self.plan = plan
        self.streams = streams
        self.env = Instants()
        self.recorder = Recorder()
        self.cluster = Cluster(plan, self.env, self.recorder)
        self.control = ControlPlane(self.cluster, plan, streams)
        self.objects = plan.objects.copy()
        draw_loads(plan, self.objects, streams)
        self._attempts: Counter[int] = Counter()
        self._loads: defaultdict[str, Hosted] = defaultdict(Hosted)
        self.server = self._server()
        self.ports = Ports(plan, self.server)
        self.workflows = Workflows(plan, self.server, self.objects, self.ports, streams)
        self.api = Api(self.cluster, self.control, self.server, self.objects)
        self.api.on_ports = self._on_ports
        self.agents = [self._agent(i) for i in range(len(plan.agents))]
        self._start()

    # -- parts -----------------------------------------------------------------------------

    def _server(self) -> Server:
        return Server(
            self.plan.rules,
            draws=self._draws,
            heard=None if self.plan.one_by_one else self._heard,
            load=None if self.plan.one_by_one else self._load,
            on_bind=self._on_bind,
            on_notice_down=self._on_notice_down,
        )

    def _draws(self, target: int) -> Stream:
        """The scheduler's choices for one object: a new stream each time it is scheduled."""
        attempt = self._attempts[target]
        self._attempts[target] += 1
        entity = stable_hash(self.objects.names[target])
        return self.streams.stream(entity, SCHEDULER, first=attempt * DRAWS_AN_ATTEMPT)

    def _heard(self, row: Row, now: float) -> float:
        heart = self.api.agents[row.name].heart
        assert heart is not None
        return heart.last_heard(now)

    def _load(self, row: Row, now: float) -> int:
        """What a DHCP agent's last heartbeat told, and one for each network bound since."""
        return self._loads[row.name].told(self._heard(row, now))

    def _on_bind(self, target: int, name: str, bound: bool) -> None:
        agent, now = self.api.agents[name], self.env.now
        if agent.type == "dhcp":
            self._loads[name].change(now, self._weight(target), bound)
        if not bound:
            self.ports.leave(agent, target)
            agent.hear([target])
        elif len(self.server.agents[name].hosted) == 1:
            self.control.stir()  # there is something to be moved off it, should it be silent
        self.recorder.add(now, Kind.BOUND if bound else Kind.UNBOUND, agent.component, target)

    def _weight(self, network: int) -> int:
        """What a network adds to the load of its DHCP agents (it has one subnet)."""
        by_ports = self.plan.rules.dhcp_load_type == "ports"
        return self.objects.ports[network] if by_ports else 1

    def _on_ports(self, network: int, by: int) -> None:
        """Ports come to a network or go: its agents will tell."""
        self.objects.ports[network] += by
        if self.plan.rules.dhcp_load_type == "ports":
            for name in self.server.networks[network].agents:
                self._loads[name].weigh(self.env.now, by)

    def _on_notice_down(self, name: str) -> None:
        component = self.api.agents[name].component
        self.recorder.add(self.env.now, Kind.NOTICED, component)

    def _agent(self, number: int) -> Agent:
        plan, flows = self.plan.agents[number], self.workflows
        start = STARTERS.get((self.plan.release.architecture, plan.type))
        receive = RECEIVERS.get((self.plan.release.architecture, plan.type))
        miss = MISSERS.get((self.plan.release.architecture, plan.type))
        agent = Agent(
            plan,
            self.cluster,
            self.control,
            start=lambda agent, life: start and start(flows, agent, life),
            receive=lambda agent, notices: receive and receive(flows, agent, notices),
            miss=lambda agent, notice: miss and miss(flows, agent, notice),
            lose_contact=flows.lose_contact,
        )
        self.api.agents[plan.name] = agent
        if plan.reports:
            agent.heart = self._heart(agent)
        return agent

    def _heart(self, agent: Agent) -> Heart:
        plan = self.plan
        interval = plan.seconds("report_interval")
        limit = plan.seconds("agent_down_time")
        u = self.streams.uniforms(agent.entity, HEARTBEAT_PHASE, 0, 1)[0]
        habits = plan.release.habits
        told = habits.heartbeat_calls or plan.rules.revival
        starves = agent.type == "dhcp" and habits.dhcp_first_sync in ("in_heartbeat", "twice")
        return Heart(
            agent,
            interval=interval,
            limit=limit,
            phase=min(quantize(float(u) * interval), interval),
            noise=make_noise(
                plan.delay, plan.loss,
                interval=interval, limit=limit, calls=told, each=plan.service is not None,
                streams=self.streams, entity=agent.entity,
            ),
            explicit=plan.one_by_one,
            calls=habits.heartbeat_calls,
            told=told,
            patience=lambda: self.control.patience(
                f"{agent.name} heartbeat",
                agent.life,
                backs_off=habits.heartbeat_timeout == "doubling",
                interval=habits.heartbeat_timeout == "interval",
            ),
            processed=self._processed,
            listed=lambda agent: agent.name in self.server.agents,
            after_first=self.workflows.first_dhcp_sync if starves else None,
            exposed=bool(plan.rules.health_check or plan.rules.revival or passes_of(plan.rules)),
        )  # fmt: skip

    def _processed(self, agent: Agent, first: bool) -> None:
        """The server processes a heartbeat that was simulated one by one."""
        plan = agent.plan
        status = self.server.report_state(
            self.env.now, plan.name, plan.type, plan.host_name, zone=plan.zone,
            configurations=self._told(agent), start=first,
        )  # fmt: skip
        if agent.type == "l2" and (first or status == "revived"):
            self.ports.retry(agent)
        if status == "new":
            self.recorder.add(self.env.now, Kind.REGISTERED, agent.component)
        elif status == "revived":
            self.recorder.add(self.env.now, Kind.REVIVED, agent.component)
            self.workflows.revived(agent)

    def _told(self, agent: Agent) -> dict[str, object]:
        """What a heartbeat tells of its agent: its configuration, and what it counts."""
        row = self.server.agents.get(agent.name)
        if agent.type != "dhcp" or row is None:
            return dict(agent.plan.configurations)
        load = sum(map(self._weight, row.hosted))
        return {**agent.plan.configurations, self.plan.rules.dhcp_load_type: load}

    # -- the state at time zero ------------------------------------------------------------

    def _start(self) -> None:
        for spec in (*self.plan.renewals, *self.plan.scripts):
            FAILURES[type(spec)](self.cluster, spec, self.streams).start()
        for agent in self.agents:
            agent.begin()
            if agent.heart:
                self._register(agent, agent.heart)
        self._place()
        for agent in self.agents:
            self.workflows.begin(agent)
        Workload(self.plan, self.api, self.streams).start()
        Operators(self.api).start(self.plan.system.actions)
        for loop in status_loops(self.api, self.streams):
            loop.start()

    def _register(self, agent: Agent, heart: Heart) -> None:
        """A reporting agent has a row: it was alive before the run began."""
        plan = agent.plan
        self.server.report_state(
            heart.last_heard(0.0), plan.name, plan.type, plan.host_name, zone=plan.zone,
            configurations=dict(plan.configurations),
        )  # fmt: skip
        row = self.server.agents[plan.name]
        row.started_at, row.admin_state_up = -math.inf, True  # neither new nor starting up
        self.recorder.add(0.0, Kind.REGISTERED, agent.component)

    def _place(self) -> None:
        """Bind and configure what exists at the start, as if all agents had been alive."""
        server, objects = self.server, self.objects
        for sort in (Sort.NETWORK, Sort.ROUTER):
            numbers = objects.networks() if sort == Sort.NETWORK else objects.routers()
            for number in numbers:
                server.tables.add(number, self.api.record_of(number))
            if self.plan.release.has_scheduler:
                self._bind(sort, numbers)
        self._distribute()
        for agent in self.agents:
            if self.plan.release.has_scheduler:
                row = server.agents.get(agent.name)
                things = list(row.hosted) if row else []
                if row and row.mode in COMPUTE_MODES:
                    things += server.distributed.needed_on(row.host)
            elif agent.type in ("l3", "dhcp", "nova-network"):
                things = self.workflows.wanted(agent) or []
            else:
                things = []
            self.ports.settle(agent, things)
            if things and self.cluster.is_up(agent.plan.host):
                agent.configured = dict.fromkeys(things, 0.0)
                self.recorder.batch(Kind.CONFIGURED, agent.component, things, [0.0] * len(things))
        self.workflows.costs.begin()
        every = range(len(objects.names))
        self.recorder.batch(Kind.CREATED, -1, every, [0.0] * len(every))

    def _bind(self, sort: Sort, numbers: list[int]) -> None:
        """Give each object its agents; one that was not asked for is bound at its first trigger."""
        placed = place(self.server, self.objects, sort, numbers, self.streams)
        for number, names in placed:
            if sort == Sort.NETWORK and not self._is_asked(number):
                continue
            self.api.mark_asked(number)
            for name in names:
                self.server.bind(number, name)

    def _distribute(self) -> None:
        """Put VMs on their hosts, and attach routers to networks: so hosts need routers."""
        objects = self.objects
        for network in objects.networks() if self.plan.enabled("router_distributed") else ():
            if objects.router[network] >= 0:
                self.server.distributed.attach(objects.router[network], network)
            self.api.residents.settle(network, int(objects.vms[network]))

    def _is_asked(self, network: int) -> bool:
        """Whether *network* has met its first trigger before the run."""
        by_subnet = "subnet" in self.plan.rules.network_triggers
        return bool(by_subnet or self.objects.vms[network] or self.plan.tenant.ports)

    # -- the end ---------------------------------------------------------------------------

    def trace(self) -> Trace:
        """What happened, once the run has reached its horizon."""
        plan = self.plan
        for agent in self.agents:
            if agent.heart:
                agent.heart.finish(plan.horizon)
        if plan.enabled("l3_ha"):
            elections(plan, self.objects, self.recorder, self.streams)
        uplinks = [plan.number[f"uplink/{name}"] for name in plan.external_networks]
        return Trace(
            horizon=plan.horizon,
            components=plan.components,
            nodes=plan.nodes,
            objects=self.objects.table(),
            uplinks=np.array(uplinks, dtype=np.int64),
            uplink_bps=np.array(uplink_rates(plan)),
            **self.recorder.columns(plan.horizon, keeps=False),
        )
