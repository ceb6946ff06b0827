"""Who hosts what at time zero: bindings as if every agent had been alive before the run began.

Each object is given agents by the scheduler in force, in the order in which the objects were made.
A random choice is by a draw that belongs to the object's place, so that variants share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from simulator.neutron.records import Agent, Network, Router
from simulator.neutron.schedulers import RANDOM, SCHEDULERS, Choice
from simulator.neutron.server import Server
from simulator.trace import Sort
from simulator.world.objects import Objects
from simulator.world.streams import PLACEMENT, Stream, Streams, stable_hash

LEAST_LOADED = ("WeightScheduler", "LeastRoutersScheduler")


class Draws:
    """The random choices for one object: *first*, and then a stream of its own."""

    def __init__(self, first: float, streams: Streams, name: str) -> None:
        self._first: float | None = first
        self._streams, self._name = streams, name
        self._more: Stream | None = None

    def index(self, size: int, /) -> int:
        """A number from 0 to *size* - 1."""
        if self._first is not None:
            u, self._first = self._first, None
            return int(u * size)
        if self._more is None:
            self._more = self._streams.stream(stable_hash(self._name), PLACEMENT)
        return self._more.index(size)


class Lightest:
    """Agents by load, as the least loaded are taken again and again; equal ones in their order."""

    def __init__(self, agents: list[Agent]) -> None:
        self._agents = agents
        self._heap = [(_load(agent), place) for place, agent in enumerate(agents)]
        heapify(self._heap)

    def take(self, count: int) -> list[str]:
        """The *count* lightest agents; whoever asks binds to them before the next call."""
        taken: list[tuple[int, int]] = []
        while len(taken) < min(count, len(self._agents)):
            load, place = heappop(self._heap)
            now = _load(self._agents[place])
            if load == now:
                taken.append((load, place))
            else:
                heappush(self._heap, (now, place))
        for load, place in taken:
            heappush(self._heap, (load + 1, place))
        return [self._agents[place].name for _, place in taken]


def _load(agent: Agent) -> int:
    return len(agent.hosted)


def place(
    server: Server, objects: Objects, sort: Sort, numbers: list[int], streams: Streams
) -> Iterator[tuple[int, list[str]]]:
    """Each of *numbers* with the agents it is given, which the caller binds before it goes on."""
    agent_type = "dhcp" if sort == Sort.NETWORK else "l3"
    uniforms = streams.uniforms(stable_hash(agent_type), PLACEMENT, 0, len(numbers)).tolist()
    candidates: dict[object, tuple[list[str], list[Agent], Lightest]] = {}
    for number, u in zip(numbers, uniforms, strict=True):
        demands = _demands(server, sort, number)
        if demands not in candidates:
            admitted = _admitted(server, sort, number)
            names = [agent.name for agent in admitted]
            candidates[demands] = (names, admitted, Lightest(admitted))
        names, agents, lightest = candidates[demands]
        record = server.routers[number] if sort == Sort.ROUTER else server.networks[number]
        driver, count = _driver(server, record), min(server.tables.places(record), len(names))
        if driver in LEAST_LOADED:
            yield number, lightest.take(count)
        else:
            looked_at = [] if driver in RANDOM else agents
            draws = Draws(u, streams, objects.names[number])
            yield number, SCHEDULERS[driver](_choice(names, count, looked_at), draws)


def _demands(server: Server, sort: Sort, number: int) -> object:
    if sort == Sort.ROUTER:
        return server.scheduling.demands(number)
    return server.networks[number].hints


def _admitted(server: Server, sort: Sort, number: int) -> list[Agent]:
    """The agents that may be given an object, alive or not."""
    if sort == Sort.ROUTER:
        rows = server.tables.of_type("l3")
        return [row for row in rows if server.takes(row, number)]
    hints = server.networks[number].hints or server.rules.default_availability_zones
    rows = server.tables.of_type("dhcp")
    return [row for row in rows if not hints or row.zone in hints]


def _driver(server: Server, record: Network | Router) -> str:
    if server.scheduling.own_snat(record):
        return RANDOM[0]
    rules = server.rules
    if isinstance(record, Network):
        return rules.network_scheduler_driver
    return rules.router_scheduler_driver


def _choice(names: list[str], count: int, agents: list[Agent]) -> Choice:
    """*count* of *names*, of whose *agents* the scheduler may look at load and zone."""
    load = {agent.name: _load(agent) for agent in agents}
    return Choice(names, count, load, {agent.name: agent.zone for agent in agents})
