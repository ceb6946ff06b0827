"""What each recorded operation asks of our server."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from simulator.conformance.recording import LATEST, Recording, RecordingError
from simulator.neutron import errors
from simulator.neutron.failover import NOTIFY_ATTEMPTS, Failover
from simulator.neutron.records import FANOUT, Decision, Id, Notice
from simulator.neutron.rules import GRIZZLY, NEUTRON_29, OPTIONS, Rules
from simulator.neutron.server import Server
from simulator.scenario.options import NetworkScheduler, Neutron, RouterScheduler
from simulator.scenario.series import RELEASES

VERSIONS: Mapping[str, tuple[str, Rules]] = {
    "29.0.0": ("2026.2", NEUTRON_29),
    "quantum-2013.1.5": ("grizzly", GRIZZLY),
}
"""The release and the rules of each version that was recorded."""
LOADS = ("networks", "subnets", "ports")
HA_NETWORK = "HA network"
"""The network of the HA routers' own ports: no state lists it, but DHCP agents may have it."""
ALIKE = 0.85
"""As like a known option, by difflib, is a misspelt one; api_workers is less like rpc_workers."""


class First:
    """Draws that decide nothing: the recorded choice replaces theirs."""

    def index(self, size: int, /) -> int:
        """Always the first."""
        return 0


def rules_of(recording: Recording) -> Rules:
    """The rules of the version that was recorded, with the recorded options.

    Raises RecordingError for a version or option that is not known.
    """
    version = recording.neutron.split(" ")[0]
    if version not in VERSIONS:
        near = difflib.get_close_matches(version, VERSIONS, n=1, cutoff=0.0)[0]
        raise RecordingError(recording.path, f"unknown version '{version}'; nearest: {near}")
    release, rules = VERSIONS[version]
    options: dict[str, Any] = {
        name: _option(recording, name, value)
        for name, value in recording.timeline.config.items()
        if name in OPTIONS and name in RELEASES[release].options  # real code read no others
    }
    return replace(rules, **options)


def doubts(recording: Recording) -> list[str]:
    """Options that look misspelt. Others that are not known may be Neutron's all the same."""
    known = sorted(OPTIONS | {*Neutron.model_fields})
    found = []
    for name in recording.timeline.config:
        near = difflib.get_close_matches(name, known, n=1, cutoff=ALIKE)
        if near and name not in known:
            why = f"option '{name}' is not known and not used; did you mean '{near[0]}'?"
            found.append(f"{recording.path}: timeline.config: {why}")
    return found


def _option(recording: Recording, name: str, value: Any) -> Any:
    """A recorded option as the rules have it."""
    default = getattr(Rules(), name)
    if name.endswith("_scheduler_driver"):
        value = str(value).rpartition(".")[2]
        drivers = get_args(RouterScheduler if name.startswith("router") else NetworkScheduler)
        if value not in drivers:
            known = ", ".join(drivers)
            raise RecordingError(recording.path, f"unknown {name} '{value}'; known: {known}")
    elif isinstance(default, tuple) and isinstance(value, list):
        value = tuple(map(str, value))
    elif isinstance(default, float) and type(value) is int:
        value = float(value) if abs(value) < LATEST else math.inf
    elif name == "dhcp_load_type" and value not in LOADS:
        known = ", ".join(LOADS)
        raise RecordingError(recording.path, f"unknown {name} '{value}'; known: {known}")
    if type(value) is not type(default):
        wanted = type(default).__name__
        raise RecordingError(recording.path, f"{name}: a {wanted} is wanted, not {value!r}")
    if isinstance(value, float | int) and not 0 <= value < math.inf:
        raise RecordingError(recording.path, f"{name}: {value} makes no sense")
    return value


class RecordedServer:
    """Our server, asked as the recorded one was.

    *result* is what the last operation answered, and *told* what was sent before it ended, perhaps
    in an error; *step* and *now* are set to the number and the time of the one to come.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        on_decision: Callable[[Decision], Iterable[str] | None],
        order: Callable[[Sequence[Id]], Sequence[Id]],
    ) -> None:
        self._recording = recording
        self.rules = rules_of(recording)
        self.server = Server(
            self.rules,
            draws=lambda _: First(),
            on_decision=on_decision,
            on_bind=self._bound,
            order=order,
        )
        self.failover = Failover(self.server, order=order)
        self.stopped: set[str] = set()
        self.result: dict[str, Any] = {}
        self.step, self.now = 0, 0.0
        self.told: list[Notice] = []
        agents = recording.timeline.agents
        self.hosts: dict[Any, str] = {name: spec.host or name for name, spec in agents.items()}
        self._subnets: dict[str, str] = {}
        self._external: set[str] = set()
        self._interfaces: set[tuple[str, str]] = set()

    def start(self, now: float, given: Mapping[str, Any], *, start: bool = True) -> list[Notice]:
        """A heartbeat; a starting or revived agent then syncs."""
        name = given["agent"]
        spec = self._recording.timeline.agents[name]
        self.stopped.discard(name)
        told = {**spec.configurations, **given.get("configurations", {})}
        if spec.type == "dhcp":
            told = {**self._counted(name), **told}
        self.result["status"] = self.server.report_state(
            now, name, spec.type, spec.host or name,
            zone=spec.az, configurations=told, start=start,
        )  # fmt: skip
        self.server.agents[name].l2 = spec.l2
        if start or self.result["status"] == "revived":
            self.sync(now, given)
        return []

    def _counted(self, name: str) -> dict[str, int]:
        """What a DHCP agent reports of itself: how many networks it has, and no other count."""
        agent = self.server.agents.get(name)
        return {self.rules.dhcp_load_type: 0, "networks": len(agent.hosted) if agent else 0}

    def sync(self, now: float, given: Mapping[str, Any]) -> list[Notice]:
        """An agent asks what it should serve."""
        synced = self.server.sync(now, given["agent"])
        self.result["synced"] = [target for target in synced if target != HA_NETWORK]
        return []

    def stop(self, now: float, given: Mapping[str, Any]) -> list[Notice]:
        """Calls to the agent time out from now on."""
        self.stopped.add(given["agent"])
        return []

    def create_subnet(self, now: float, given: Mapping[str, Any]) -> list[Notice]:
        """A subnet, by default named after its network."""
        network = given["network"]
        self.server.tables.network(network)
        name = given.get("subnet") or f"{network}-sub"
        self._subnets[name] = network
        return self.server.create_subnet(now, network, name, enable_dhcp=given["enable_dhcp"])

    def create_net(self, now: float, given: Mapping[str, Any]) -> list[Notice]:
        """A network and its subnet."""
        return self.create_network(now, given) + self.create_subnet(now, given)

    def create_network(self, now: float, given: Mapping[str, Any]) -> list[Notice]:
        """A network."""
        self._refuse_double(given["network"], self.server.networks)
        notices = self.server.create_network(now, given["network"], hints=given["az_hints"])
        if given["external"]:
            self._external.add(given["network"])
        return notices

    def create_router(self, now: float, given: Mapping[str, Any]) -> list[Notice]:
        """A router."""
        self._refuse_double(given["router"], self.server.routers)
        if given["ha"]:
            self._make_ha_network(now)
        self.server.zones("l3", given["az_hints"])
        try:
            self._check_gateway(given["gateway"])
        except errors.ApiError:
            if self.rules.gateway_triggers:  # made without its gateway, and deleted again
                self.told = [Notice("l3", FANOUT, "router_deleted", given["router"])]
            raise
        return self.server.create_router(
            now, given["router"], gateway=given["gateway"], ha=given["ha"], hints=given["az_hints"]
        )

    def _make_ha_network(self, now: float) -> None:
        """The network of a project's HA routers, which no recording lists, and its subnet.

        Source: _before_router_create, neutron/db/l3_hamode_db.py at 29.0.0.
        """
        if HA_NETWORK not in self.server.networks:
            self.server.create_network(now, HA_NETWORK)
            self.told += self.server.create_subnet(now, HA_NETWORK, None, enable_dhcp=False)

    def _bound(self, router: Id, agent: str, bound: bool) -> None:
        """A port for each agent of an HA router: like any port, it schedules its network."""
        record = self.server.routers.get(router)
        if not bound or not record or not record.ha:
            return
        self._make_ha_network(self.now)
        if HA_NETWORK in self.server.networks:
            self.told += self.server.create_port(self.now, HA_NETWORK)

    def _check_gateway(self, network: str | None) -> None:
        """Refuse a gateway on no network, or on one that is not external.

        Source: _create_gw_port and _validate_gw_info, neutron/db/l3_db.py at 29.0.0.
        """
        if network is None:
            return
        self.server.tables.network(network)
        if network not in self._external:
            raise errors.BadRequest(network)

    def _refuse_double(self, name: str, known: Mapping[Id, object]) -> None:
        """Objects are told apart by their names, so each is created once."""
        if name in known:
            raise RecordingError(self._recording.path, f"'{name}' exists already", self.step)

    def update_router(self, now: float, given: Mapping[str, Any]) -> list[Notice]:
        """An update; of its body, admin state and gateway matter."""
        body, changes = given["body"], {}
        if "admin_state_up" in body:
            changes["admin_state_up"] = body["admin_state_up"]
        if "external_gateway_info" in body:
            changes["gateway"] = (body["external_gateway_info"] or {}).get("network_id")
            self.server.tables.router(given["router"])
            self._check_gateway(changes["gateway"])
        return self.server.update_router(now, given["router"], changes)

    def add_interface(self, now: float, given: Mapping[str, Any]) -> list[Notice]:
        """An interface on a subnet."""
        router = self.server.tables.router(given["router"])
        if given["subnet"] not in self._subnets:
            raise errors.SubnetNotFound(given["subnet"])
        network, interface = self._subnets[given["subnet"]], (given["router"], given["subnet"])
        if interface in self._interfaces and network in router.networks:
            raise errors.BadRequest(given["subnet"])
        self._interfaces.add(interface)
        return self.server.add_interface(now, given["router"], network)

    def delete_router(self, now: float, given: Mapping[str, Any]) -> list[Notice]:
        """A router, refused while it has interfaces; an HA one may take its network along.

        It does if no other one has a port left there.

        Source: _ensure_router_not_in_use, neutron/db/l3_db.py at 29.0.0; safe_delete_ha_network,
        neutron/db/l3_hamode_db.py.
        """
        name = given["router"]
        router = self.server.tables.router(name)
        if router.networks:
            raise errors.RouterInUse(name)
        self._interfaces = {pair for pair in self._interfaces if pair[0] != name}
        notices = self.server.delete_router(now, name)
        ports = any(other.ha_ports for other in self.server.routers.values())
        if router.ha and not ports and HA_NETWORK in self.server.networks:
            notices += self.server.delete_network(now, HA_NETWORK)
        return notices

    def add_router_to_agent(self, now: float, given: Mapping[str, Any]) -> list[Notice]:
        """A binding by hand; it stays, though the agent may not answer the call that tells it.

        Source: router_added_to_agent, neutron/api/rpc/agentnotifiers/l3_rpc_agent_api.py.
        """
        notices = self.server.add_router_to_agent(now, given["router"], given["agent"])
        if notices and self.rules.added_by_call and given["agent"] in self.stopped:
            failed = [notice._replace(failed=True) for notice in notices]
            self.told = failed * NOTIFY_ATTEMPTS
            raise errors.HTTPInternalServerError(given["agent"])
        return notices

    def tick(self, now: float, given: Mapping[str, Any], kind: str) -> list[Notice]:
        """A pass of a failover loop, if its option is on."""
        if kind not in self.failover.passes:
            option = f"allow_automatic_{'l3agent' if kind == 'l3' else 'dhcp'}_failover"
            self.result["skipped"] = f"{option}=False"
            return []
        moved = self.failover.at_once(now, kind, lambda name: name not in self.stopped)
        return self.failover.guard(given["clock_jump"]) + moved


def _asked(name: str, *arguments: str) -> Operation:
    """The server's own operation *name*."""

    def operation(server: RecordedServer, now: float, given: Mapping[str, Any]) -> list[Notice]:
        return getattr(server.server, name)(now, *(given[a] for a in arguments)) or []

    return operation


Operation = Callable[[RecordedServer, float, Mapping[str, Any]], list[Notice]]
OPERATIONS: Mapping[str, Operation] = {
    "agent_start": RecordedServer.start,
    "report": lambda server, now, given: server.start(now, given, start=False),
    "sync": RecordedServer.sync,
    "agent_stop": RecordedServer.stop,
    "update_agent": _asked("update_agent", "agent", "admin_state_up"),
    "delete_agent": _asked("delete_agent", "agent"),
    "create_network": RecordedServer.create_network,
    "delete_network": _asked("delete_network", "network"),
    "create_subnet": RecordedServer.create_subnet,
    "create_net": RecordedServer.create_net,
    "create_port": _asked("create_port", "network"),
    "create_router": RecordedServer.create_router,
    "delete_router": RecordedServer.delete_router,
    "update_router": RecordedServer.update_router,
    "add_interface": RecordedServer.add_interface,
    "add_network_to_agent": _asked("add_network_to_agent", "network", "agent"),
    "remove_network_from_agent": _asked("remove_network_from_agent", "network", "agent"),
    "add_router_to_agent": RecordedServer.add_router_to_agent,
    "remove_router_from_agent": _asked("remove_router_from_agent", "router", "agent"),
    "tick_l3": lambda server, now, given: server.tick(now, given, "l3"),
    "tick_dhcp": lambda server, now, given: server.tick(now, given, "dhcp"),
    "schedule_router": _asked("schedule_router", "router"),
    "schedule_network": _asked("schedule_network", "network"),
    "observe": lambda server, now, given: [],
}
"""What each recorded operation does here."""
