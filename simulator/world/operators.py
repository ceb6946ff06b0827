"""Acts by hand, at the times that a scenario gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial

from simulator.clock import Rank, quantize
from simulator.neutron.errors import AgentNotFound, ApiError
from simulator.scenario.schema import Action
from simulator.trace import Kind
from simulator.world.agents import Agent
from simulator.world.api import Api


class Operators:
    """Those who do a scenario's actions."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._cluster = api.cluster

    def start(self, actions: tuple[Action, ...]) -> None:
        """Schedule all *actions*."""
        for action in actions:
            time = quantize(action.at)
            if time < self._cluster.plan.horizon:
                rank = RANKS.get(action.op, Rank.REQUEST)
                self._cluster.at(time, rank, -1, partial(self._do, action))

    def _do(self, action: Action) -> None:
        """Do *action* for everything it names, and record how each ended."""
        for target, agent in list(self._acts(action)):
            status = 0
            try:
                OPERATIONS[action.op](self._api, action, target, agent)
            except ApiError as error:
                status = error.status
            component = agent.component if agent else -1
            self._cluster.recorder.add(self._api.now, Kind.ACTED, component, target, status)

    def _acts(self, action: Action) -> Iterator[tuple[int, Agent | None]]:
        """Pairs of object (-1 for none) and agent (None for none)."""
        agents = [
            agent
            for name, agent in self._api.agents.items()
            if action.agent is not None and fnmatchcase(name, action.agent)
        ]
        objects = self._api.objects
        pattern = action.network if action.network is not None else action.router
        if pattern is None:
            yield from ((-1, agent) for agent in agents)
            return
        numbers = objects.networks() if action.network is not None else objects.routers()
        for number in numbers:
            if fnmatchcase(objects.names[number], pattern):
                yield number, self._choose(action, number, agents)

    def _choose(self, action: Action, target: int, agents: list[Agent]) -> Agent | None:
        """The agent for *target*: the one named; of several, the idlest that fits."""
        if len(agents) <= 1:
            return agents[0] if agents else None
        rows = self._api.server.agents
        listed = [agent for agent in agents if agent.name in rows]
        removing = action.op.startswith("remove")
        fitting = [a for a in listed if (target in rows[a.name].hosted) == removing]
        return min(fitting, key=lambda a: len(rows[a.name].hosted), default=None)


def _add_network(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    api.require_server()
    api.tell(api.server.add_network_to_agent(api.now, target, _name(agent)))


def _remove_network(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    api.require_server()
    api.tell(api.server.remove_network_from_agent(api.now, target, _name(agent)))


def _add_router(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    api.require_server()
    api.tell(api.server.add_router_to_agent(api.now, target, _name(agent)))


def _remove_router(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    api.require_server()
    api.tell(api.server.remove_router_from_agent(api.now, target, _name(agent)))


def _update_agent(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    api.require_server()
    state = bool(action.admin_state_up)
    api.tell(api.server.update_agent(api.now, _name(agent), state))
    assert agent is not None
    api.cluster.recorder.add(api.now, Kind.ADMIN_STATE, agent.component, -1, float(state))


def _delete_agent(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    api.require_server()
    api.tell(api.server.delete_agent(api.now, _name(agent)))
    assert agent is not None
    api.cluster.recorder.add(api.now, Kind.DEREGISTERED, agent.component)
    if agent.heart:
        agent.heart.forget()


def _stop(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    assert agent is not None
    if not api.cluster.holds(agent.component, "operator"):
        api.cluster.fail(agent.component, "operator")


def _start(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    assert agent is not None
    if api.cluster.holds(agent.component, "operator"):
        api.cluster.repair(agent.component, "operator")


def _create_port(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    api.require_server()
    api.create_port(target)


def _update_router(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    api.update_router(target)


def _delete_network(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    api.delete_network(target)


def _delete_router(api: Api, action: Action, target: int, agent: Agent | None) -> None:
    api.delete_router(target)


def _name(agent: Agent | None) -> str:
    if agent is None:
        raise AgentNotFound
    return agent.name


OPERATIONS: Mapping[str, Callable[[Api, Action, int, Agent | None], None]] = {
    "add_network_to_agent": _add_network,
    "remove_network_from_agent": _remove_network,
    "add_router_to_agent": _add_router,
    "remove_router_from_agent": _remove_router,
    "update_agent": _update_agent,
    "delete_agent": _delete_agent,
    "agent_stop": _stop,
    "agent_start": _start,
    "create_port": _create_port,
    "update_router": _update_router,
    "delete_network": _delete_network,
    "delete_router": _delete_router,
}

RANKS: Mapping[str, Rank] = {"agent_stop": Rank.FAIL, "agent_start": Rank.REPAIR}
"""Acts that are faults and repairs; all others are requests."""
