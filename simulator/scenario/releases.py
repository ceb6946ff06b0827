"""The releases: their options' defaults and their habits, as data.

Every entry was read from Quantum's source at the tag it names. *options* holds the defaults of
Quantum's own options, under their own names; an option that is absent does not exist in that
release. The habits are the behaviours of server and agents that no option changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from simulator.scenario.schema import AgentType, Costs

OptionValue = float | int | bool | str | tuple[str, ...]
Architecture = Literal["multi_host", "polling", "scheduled"]


@dataclass(frozen=True)
class AgentKind:
    """How an agent type names itself in the agents table."""

    label: str
    binary: str


AGENTS: Mapping[str, AgentKind] = {
    "l3": AgentKind("L3 agent", "quantum-l3-agent"),
    "dhcp": AgentKind("DHCP agent", "quantum-dhcp-agent"),
    "l2": AgentKind("Open vSwitch agent", "quantum-openvswitch-agent"),
    "metadata": AgentKind("Metadata agent", "quantum-metadata-agent"),
    "lbaas": AgentKind("Loadbalancer agent", "quantum-lbaas-agent"),
    "server": AgentKind("Quantum server", "quantum-server"),
    "nova-network": AgentKind("nova-network", "nova-network"),
}


@dataclass(frozen=True)
class Habits:
    """What agents do that no option changes.

    *reports* are the agent types that send heartbeats.
    *l3_restart_wipes*: a starting L3 agent destroys its namespaces and rebuilds router by router.
    *l2_restart_flushes*: a starting L2 agent drops its flows and rewires.
    *l3_first_sync*: a starting L3 agent asks after a `fuzzy` delay of 0 to 5 whole seconds, or
    `at_once`. *l3_workers*: how many routers an L3 agent works on at a time, at least and at most
    (in between, as many as it has routers). *dhcp_workers*: likewise for a DHCP agent and the
    networks it is told about. *l3_updates*: an L3 agent is `told` all of a router that changed, or
    it is `fetched` by a call. *l3_retry*: after a call that failed there is a full `sync` at the
    next tick, or the same call, `for_ever` or `six_times` in all, upon which the agent `deletes`
    the router or `keeps` it as it is (*l3_gives_up*). *dhcp_bulk_sync*: a DHCP agent asks once for
    all its networks, and not for each, and starts all their DHCP servers anew. *dhcp_first_sync*: a
    starting DHCP agent syncs `in_heartbeat`, in the thread of its heartbeats, `twice` there (all
    servers are started anew again), `beside` them, or `before` the first one. *arping*: addresses
    are announced by an arping that `blocks`, in the `background`, or not at all (`unused`).
    *heartbeat_calls*: every heartbeat waits for its answer, not only the first.
    *heartbeat_timeout*: how long: rpc_response_timeout (`rpc`), twice as long after each time-out
    (`doubling`), or report_interval (`interval`). *rpc_backoff*: the time-out of other calls
    doubles. *router_paging*: an L3 agent syncs its routers in chunks.
    *ha_report*: the server hears of a VRRP state `at_once`; in `slow` batches, held for
    2 (3 advert + 2) s; `spaced`, the first at once and others that much apart; `fast`, advert s
    apart; or so after a promotion has `settled` for advert s.
    *ha_restart_cuts*, *ha_revival_cuts*: a starting or revived L3 agent puts its HA ports down
    until they are wired again. *garp_refresh*: a VRRP master announces its addresses again once
    after 60 s (`once`) or every 10 s (`always`).
    *vrrp_tracks*: which interfaces a replica gives up without, its HA port or `all` of its
    router's. *dhcp_ports_reserved*: the server keeps the DHCP
    port of a network that it takes from an agent, and with it the address, for the next one.
    """

    reports: frozenset[str] = frozenset()
    l3_restart_wipes: bool = True
    l2_restart_flushes: bool = True
    l3_first_sync: Literal["fuzzy", "at_once"] = "fuzzy"
    l3_workers: tuple[float, float] = (1, 1)
    l3_updates: Literal["told", "fetched"] = "told"
    l3_retry: Literal["sync", "for_ever", "six_times"] = "sync"
    l3_gives_up: Literal["deletes", "keeps"] = "keeps"
    dhcp_workers: tuple[float, float] = (1, 1)
    dhcp_bulk_sync: bool = False
    dhcp_first_sync: Literal["in_heartbeat", "twice", "beside", "before"] = "beside"
    arping: Literal["unused", "blocks", "background"] = "unused"
    heartbeat_calls: bool = False
    heartbeat_timeout: Literal["rpc", "doubling", "interval"] = "rpc"
    rpc_backoff: bool = False
    router_paging: bool = False
    ha_report: Literal["at_once", "slow", "spaced", "fast", "settled"] = "at_once"
    ha_restart_cuts: bool = False
    ha_revival_cuts: bool = False
    garp_refresh: Literal["always", "once"] = "always"
    vrrp_tracks: Literal["ha", "all"] = "ha"
    dhcp_ports_reserved: bool = False


@dataclass(frozen=True)
class Release:
    """One release of Quantum or Neutron (or of nova-network, which came before it).

    *architecture* is who decides what runs where: `multi_host`, every compute host serves its
    own VMs; `polling`, every agent serves all that its filter admits, and there is no scheduler;
    `scheduled`, a server with an agents table binds each object to agents.
    *options* holds the defaults of its own options; one that is absent does not exist there.
    *rules* are the server's habits, as `simulator/neutron/rules.py` explains them.
    *habits* are the agents'.
    *sources* says where each of these was read.
    """

    name: str
    title: str
    tag: str
    architecture: Architecture
    options: Mapping[str, OptionValue]
    rules: Mapping[str, object] = field(default_factory=dict)
    habits: Habits = Habits()
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_scheduler(self) -> bool:
        """Whether a server binds objects to agents."""
        return self.architecture == "scheduled"

    def router_cost(
        self, costs: Costs, packets: int, interfaces: int, gateway: bool, floating: int
    ) -> float:
        """Seconds in which the L3 agent sets up one router, one after the other.

        Plugging takes *plug_interface* each. Grizzly then announces every address by a blocking
        arping of *packets* (its option send_arp_for_ha); Folsom has the option but does not use
        it, and asks the REST API two or three times for each router instead.
        """
        if costs.rebuild_per_router != "release":
            return costs.rebuild_per_router
        ports = interfaces + gateway
        if self.architecture == "polling":
            return ports * costs.plug_interface + (2 + gateway) * costs.rest_call
        blocked = (ports + floating) * packets if self.habits.arping == "blocks" else 0
        return ports * costs.plug_interface + blocked * costs.arping

    def network_cost(self, costs: Costs) -> float:
        """Seconds in which one thread of the DHCP agent sets up one network.

        It plugs a port that it asks the server for, and starts a dnsmasq; until Havana it asks for
        the network, too.
        """
        if costs.rebuild_per_network != "release":
            return costs.rebuild_per_network
        calls = 1 if self.habits.dhcp_bulk_sync else 2
        return calls * costs.rpc_call + costs.plug_interface + costs.spawn_dnsmasq


FILTERED = (
    "use_namespaces",
    "router_id",
    "gateway_external_network_id",
    "handle_internal_only_routers",
)
"""The configurations of an L3 agent that decide, in Folsom and Grizzly, which routers it takes."""

NOVA_NETWORK = Release(
    name="nova-network",
    title="nova-network, multi_host (Folsom and Grizzly alike)",
    tag="nova 2013.1.5",
    architecture="multi_host",
    options={"report_interval": 10.0, "agent_down_time": 60.0, "dhcp_lease_duration": 120.0},
    habits=Habits(
        reports=frozenset({"nova-network"}), l3_restart_wipes=False, l2_restart_flushes=False
    ),
    sources={
        "architecture": "nova/network/manager.py: multi_host, service on every compute host",
        "report_interval": "nova/service.py: report_interval 10",
        "agent_down_time": "nova/service.py: service_down_time 60, down when strictly older",
        "dhcp_lease_duration": "nova/network/linux_net.py: dhcp_lease_time 120",
        "reports": "nova/servicegroup/drivers/db.py",
        "l3_restart_wipes": "existing iptables and dnsmasq go on without the service",
        "l2_restart_flushes": "nova-network has no L2 agent",
    },
)

FOLSOM = Release(
    name="folsom",
    title="Folsom: one network node, no scheduler",
    tag="2012.2.4",
    architecture="polling",
    options={
        "polling_interval": 3.0,
        "resync_interval": 5.0,
        "dhcp_lease_duration": 120.0,
        "rpc_response_timeout": 60.0,
    },
    sources={
        "architecture": "quantum/agent/l3_agent.py polls REST; no agents table, no bindings",
        "polling_interval": "quantum/agent/l3_agent.py: polling_interval 3",
        "resync_interval": "quantum/agent/dhcp_agent.py: 5 at 2012.2.4 (30 until 2012.2.3)",
        "dhcp_lease_duration": "quantum/common/config.py: 120",
        "rpc_response_timeout": "quantum/openstack/common/rpc/__init__.py: 60",
        "reports": "no agent reports in Folsom",
        "l3_restart_wipes": "quantum/agent/l3_agent.py destroys all qrouter namespaces",
        "l2_restart_flushes": "the agent drops all flows when it starts, until Liberty",
    },
)

GRIZZLY = Release(
    name="grizzly",
    title="Grizzly: heartbeats, an agents table and a random scheduler",
    tag="2013.1.5",
    architecture="scheduled",
    options={
        "report_interval": 4.0,
        "agent_down_time": 5.0,
        "dhcp_lease_duration": 120.0,
        "resync_interval": 5.0,
        "periodic_interval": 40.0,
        "periodic_fuzzy_delay": 5.0,
        "rpc_response_timeout": 60.0,
        "network_auto_schedule": True,
        "router_auto_schedule": True,
        "send_arp_for_ha": 3,
        "network_scheduler_driver": "ChanceScheduler",
        "router_scheduler_driver": "ChanceScheduler",
    },
    habits=Habits(
        reports=frozenset({"l2", "l3", "dhcp"}), dhcp_first_sync="in_heartbeat", arping="blocks"
    ),
    rules={
        "network_triggers": ("port",),
        "gateway_triggers": False,
        "candidate_filter": FILTERED,
        "dhcp_hosting": "alive",
        "dhcp_grace": False,
        "dhcp_sync": "unbound",
        "router_sync": "bound",
        "admin_filter": "actual",
        "one_binding": False,
        "same_agent": "conflict",
        "other_agent": "RouterSchedulingFailed",
        "removal": "conflict",
        "revival": False,
        "updates_reach": "alive",
        "unregistered": "error",
        "dhcp_failover_filter": True,
        "dhcp_failover_skips": False,
        "l3_failover_rechecks": False,
        "added_by_call": False,
        "ha_failover": "none",
        "disabled_stops_scheduling": False,
        "loop_errors": "end_pass",
        "health_check": False,
        "port_binding": "always",
        "unknown_lists": "nothing",
    },
    sources={
        "network_scheduler_driver": "quantum/scheduler/__init__.py: ChanceScheduler",
        "router_scheduler_driver": "quantum/scheduler/__init__.py: ChanceScheduler",
        "network_triggers": "quantum/api/rpc/agentnotifiers/dhcp_rpc_agent_api.py: an API port",
        "gateway_triggers": "quantum/db/l3_db.py: creating a router schedules nothing",
        "candidate_filter": "quantum/scheduler/l3_agent_scheduler.py: get_l3_agent_candidates",
        "dhcp_hosting": "quantum/scheduler/dhcp_agent_scheduler.py: agents that look alive",
        "dhcp_sync": "quantum/scheduler/dhcp_agent_scheduler.py: all that nobody hosts",
        "router_sync": "quantum/scheduler/l3_agent_scheduler.py: auto_schedule_routers binds them",
        "admin_filter": "quantum/db/agentschedulers_db.py, bugs 1410841 and 1414905",
        "one_binding": "quantum/db/agentschedulers_db.py: no uniqueness, bug 1230323",
        "same_agent": "quantum/db/agentschedulers_db.py: 409 RouterHostedByL3Agent",
        "other_agent": "quantum/db/agentschedulers_db.py: 409 RouterSchedulingFailed",
        "port_binding": "the Open vSwitch plugin does not ask for the L2 agent",
        "unknown_lists": "quantum/db/agentschedulers_db.py: an empty list",
        "removal": "quantum/db/agentschedulers_db.py: 409 RouterNotHostedByL3Agent",
        "revival": "quantum/db/agents_db.py: nobody notices that an agent is back",
        "updates_reach": "dhcp_rpc_agent_api.py: only agents that look alive, bug 1192381",
        "architecture": "quantum/db/agentschedulers_db.py, quantum/scheduler/*.py",
        "report_interval": "quantum/agent/common/config.py: 4",
        "agent_down_time": "quantum/db/agents_db.py: 5, down when strictly older",
        "dhcp_lease_duration": "quantum/common/config.py: 120",
        "resync_interval": "quantum/agent/dhcp_agent.py: 5",
        "periodic_interval": "quantum/service.py: 40",
        "periodic_fuzzy_delay": "quantum/service.py: 5; the first sync waits randint(0, 5) s",
        "rpc_response_timeout": "quantum/openstack/common/rpc/__init__.py: 60",
        "network_auto_schedule": "quantum/scheduler/__init__.py: True",
        "router_auto_schedule": "quantum/scheduler/__init__.py: True",
        "send_arp_for_ha": "quantum/agent/l3_agent.py: 3, blocking",
        "reports": "quantum/agent: L2, L3 and DHCP agents report; the metadata agent does not",
        "l3_restart_wipes": "quantum/agent/l3_agent.py, bug 1175695, until Icehouse",
        "l2_restart_flushes": "the agent drops all flows when it starts, until Liberty",
        "dhcp_first_sync": "quantum/agent/dhcp_agent.py syncs inside the heartbeat's thread",
        "l3_first_sync": "quantum/agent/l3_agent.py: a periodic task, first after randint(0, 5) s",
        "l3_workers": "quantum/agent/l3_agent.py: one semaphore, one router after the other",
        "l3_updates": "quantum/api/rpc/agentnotifiers/l3_rpc_agent_api.py: casts the routers",
        "l3_retry": "quantum/agent/l3_agent.py: an error sets the full sync flag",
        "l3_gives_up": "quantum/agent/l3_agent.py: it never does",
        "dhcp_workers": "quantum/agent/dhcp_agent.py: one lock",
        "dhcp_bulk_sync": "quantum/agent/dhcp_agent.py: get_network_info for each network",
        "arping": "quantum/agent/l3_agent.py: waits for each",
        "heartbeat_calls": "06f679df5d (2013.1.3), bug 1191768: the first a call, then casts",
        "heartbeat_timeout": "quantum/openstack/common/rpc/__init__.py: 60",
        "router_paging": "quantum/agent/l3_agent.py: one call for all routers",
        "rpc_backoff": "quantum/openstack/common/rpc: a constant time-out",
    },
)


def reports(release: Release, components: str) -> frozenset[AgentType | str]:
    """Who sends heartbeats: the release's own, or all that the article names."""
    if components == "article" and release.has_scheduler:
        return frozenset(AGENTS) - {"nova-network"}
    return release.habits.reports
