"""The ports of what agents set up, which the server binds to their hosts, or refuses to.

ML2 (Havana on) binds a port only if the host's L2 agent looks alive; else the port is
`binding_failed`, and what it belongs to is set up without a wire. Until Icehouse it is tried again
when an L3 agent asks for the router; from Juno to Liberty only once another host has it; since
Mitaka also when the host's L2 agent has started, or is told that it had been down, and asks for its
ports (since Stein the server does so itself: f787f12aa3). A port that was bound stays so until its
object is taken from the agent. Source: neutron/plugins/ml2/drivers/mech_agent.py;
_ensure_host_set_on_port, neutron/api/rpc/handlers/l3_rpc.py; _bind_port_if_needed,
_retry_binding_revived_agents and get_bound_ports_contexts, neutron/plugins/ml2/plugin.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from simulator.neutron.records import COMPUTE_MODES
from simulator.neutron.server import Server
from simulator.trace import Kind
from simulator.world.agents import Agent
from simulator.world.plan import Plan


class Ports:
    """Which agents' objects have bound ports, and whose were refused."""

    def __init__(self, plan: Plan, server: Server) -> None:
        self._server = server
        self._binds = plan.rules.port_binding
        self._l2 = {a.host: a.name for a in plan.agents if a.type == "l2" and a.reports}
        self._local = {
            a.component for a in plan.agents if a.configurations.get("agent_mode") in COMPUTE_MODES
        }
        self._bound: dict[Agent, set[int]] = defaultdict(set)
        self._refused: dict[Agent, dict[int, bool]] = defaultdict(dict)  # and if it has it still

    def settle(self, agent: Agent, objects: Iterable[int]) -> None:
        """*objects* have had bound ports since before the run."""
        self._bound[agent].update(objects)

    def ask(self, agent: Agent, objects: Iterable[int]) -> None:
        """*agent* is told of *objects*: their ports are bound to its host now, or refused.

        Local parts of distributed routers have ports that every host has. A DHCP agent that has a
        port does not ask for it again; `once` it was refused, asking does not help.
        """
        host = agent.plan.host
        if self._binds == "always" or agent.component in self._local or host not in self._l2:
            return
        bound, refused = self._bound[agent], self._refused[agent]
        final = self._binds == "once" or agent.type == "dhcp"
        wanting = [
            thing
            for thing in objects
            if thing not in bound and not (final and refused.get(thing, False))
        ]
        if wanting and self._is_alive(agent):
            self._bind(agent, wanting)
        else:
            for thing in wanting:
                if not refused.get(thing, False):
                    _record(agent, Kind.PORTS_REFUSED, thing)
                refused[thing] = True

    def leave(self, agent: Agent, thing: int) -> None:
        """*thing* is taken from *agent*; given to it again, its ports must be bound anew."""
        self._bound[agent].discard(thing)
        if thing in self._refused[agent]:
            self._refused[agent][thing] = False

    def retry(self, l2: Agent) -> None:
        """An L2 agent has started or is heard of again, and asks for the ports of its host."""
        if self._binds != "revival":
            return
        for agent, refused in self._refused.items():
            if agent.plan.host == l2.plan.host:
                self._bind(agent, [thing for thing, still in refused.items() if still])

    def _bind(self, agent: Agent, things: list[int]) -> None:
        self._bound[agent].update(things)
        for thing in things:
            if self._refused[agent].pop(thing, None) is not None:
                _record(agent, Kind.PORTS_BOUND, thing)

    def _is_alive(self, agent: Agent) -> bool:
        """Whether the L2 agent of *agent*'s host looks alive; nobody takes note if it does not."""
        tables, now = self._server.tables, agent.cluster.env.now
        row = self._server.agents.get(self._l2[agent.plan.host])
        return row is not None and tables.silence(now, row) <= tables.rules.agent_down_time


def _record(agent: Agent, kind: Kind, thing: int) -> None:
    agent.cluster.recorder.add(agent.cluster.env.now, kind, agent.component, thing)
