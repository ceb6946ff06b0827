"""Acts by hand, at the times that a scenario gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import partial

from simulator.clock import Rank, quantize
from simulator.neutron.errors import AgentNotFound, ApiError
from simulator.neutron.records import COMPUTE_MODES, Id, Notice
from simulator.neutron.server import Server
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
        """Schedule all *actions*; those of one instant and rank are done in the file's order.

        A stop or a start comes after the faults of its instant, so none of them finds an agent
        that is up for no time.
        """
        for action in actions:
            time = quantize(action.at)
            if time < self._cluster.plan.horizon:
                rank = Rank.REPAIR if action.op in PROCESS_ACTS else Rank.REQUEST
                self._cluster.at(time, rank, -1, partial(self._do, action))

    def _do(self, action: Action) -> None:
        """Do *action* for everything it names, one after the other."""
        agents = self._named(action)
        if action.op in AGENT_ACTS:
            act = AGENT_ACTS[action.op]
            for agent in agents:
                self._attempt(-1, agent, partial(act, self._api, action, agent))
            return
        for target in self._targets(action):
            if action.op in BINDINGS:
                chosen = self._choose(action, target, agents)
                self._attempt(target, chosen, partial(self._bind, action, target, chosen))
            else:
                self._attempt(target, None, partial(OBJECT_ACTS[action.op], self._api, target))

    def _attempt(self, target: int, agent: Agent | None, act: Callable[[], None]) -> None:
        """Do one *act*, and record how it ended: 0, or the status of the API's error."""
        status = 0
        try:
            act()
        except ApiError as error:
            status = error.status
        component = agent.component if agent else -1
        self._cluster.recorder.add(self._api.now, Kind.ACTED, component, target, status)

    def _bind(self, action: Action, target: int, agent: Agent | None) -> None:
        """Bind or unbind *target*; without an agent that fits, the API knows none such."""
        api = self._api
        api.require_server()
        if agent is None:
            raise AgentNotFound
        api.tell(BINDINGS[action.op](api.server, api.now, target, agent.name))

    def _named(self, action: Action) -> list[Agent]:
        """The agents that *action* names."""
        pattern = action.agent
        if pattern is None:
            return []
        return [agent for name, agent in self._api.agents.items() if fnmatchcase(name, pattern)]

    def _targets(self, action: Action) -> list[int]:
        """The networks or routers that *action* names, of those that exist now."""
        objects = self._api.objects
        if action.network is not None:
            numbers, pattern = objects.networks(), action.network
        else:
            assert action.router is not None
            numbers, pattern = objects.routers(), action.router
        return [number for number in numbers if fnmatchcase(objects.names[number], pattern)]

    def _choose(self, action: Action, target: int, agents: list[Agent]) -> Agent | None:
        """The agent for *target*: the one named; of several, the idlest that fits."""
        if len(agents) <= 1:
            return agents[0] if agents else None
        rows = self._api.server.agents
        listed = [a for a in agents if a.name in rows and rows[a.name].mode not in COMPUTE_MODES]
        removing = action.op.startswith("remove")
        fitting = [a for a in listed if (target in rows[a.name].hosted) == removing]
        return min(fitting, key=lambda a: len(rows[a.name].hosted), default=None)


def _update_agent(api: Api, action: Action, agent: Agent) -> None:
    api.require_server()
    state = bool(action.admin_state_up)
    api.tell(api.server.update_agent(api.now, agent.name, state))
    api.cluster.recorder.add(api.now, Kind.ADMIN_STATE, agent.component, -1, int(state))


def _delete_agent(api: Api, action: Action, agent: Agent) -> None:
    api.require_server()
    api.tell(api.server.delete_agent(api.now, agent.name))
    api.cluster.recorder.add(api.now, Kind.DEREGISTERED, agent.component)
    if agent.heart:
        agent.heart.forget()


def _stop(api: Api, action: Action, agent: Agent) -> None:
    if not api.cluster.holds(agent.component, "operator"):
        api.cluster.fail(agent.component, "operator")


def _start(api: Api, action: Action, agent: Agent) -> None:
    if api.cluster.holds(agent.component, "operator"):
        api.cluster.repair(agent.component, "operator")


BINDINGS: Mapping[str, Callable[[Server, float, Id, str], list[Notice]]] = {
    "add_network_to_agent": Server.add_network_to_agent,
    "remove_network_from_agent": Server.remove_network_from_agent,
    "add_router_to_agent": Server.add_router_to_agent,
    "remove_router_from_agent": Server.remove_router_from_agent,
}
"""Acts that bring an object and an agent together, or part them."""

OBJECT_ACTS: Mapping[str, Callable[[Api, int], None]] = {
    "create_port": Api.create_port,
    "update_router": Api.update_router,
    "delete_network": Api.delete_network,
    "delete_router": Api.delete_router,
}
"""Acts on a network or a router."""

PROCESS_ACTS: Mapping[str, Callable[[Api, Action, Agent], None]] = {
    "agent_stop": _stop,
    "agent_start": _start,
}
"""Acts on an agent's process, which need no server."""

AGENT_ACTS: Mapping[str, Callable[[Api, Action, Agent], None]] = {
    "update_agent": _update_agent,
    "delete_agent": _delete_agent,
    **PROCESS_ACTS,
}
"""Acts on an agent."""

OPERATIONS = frozenset({*BINDINGS, *OBJECT_ACTS, *AGENT_ACTS})
"""All that can be done: what `ACTION_ARGUMENTS` of the schema lists."""
