"""What differs between releases in the server: options and habits, as plain data.

`Rules` is what one server follows. Where each default was read stands with the releases
(`simulator/scenario/releases.py`); here stands what each one means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from simulator.scenario.releases import FILTERED, Release
from simulator.scenario.series import RELEASES

DHCP_STARTUP_SECONDS = 2.0
"""Seconds that a starting DHCP agent is granted for each bound network (DHCP_AGENT_STARTUP…)."""


@dataclass(frozen=True)
class Rules:
    """The options of a server, under Neutron's names, and then its habits.

    *has_scheduler*: False for Folsom, which keeps objects and notifies, but binds nothing.
    *network_triggers*: which requests schedule their network: an API port, a subnet, the port of a
    router's interface or gateway. *gateway_triggers*: a router created with a gateway is scheduled
    at once. *candidate_filter*: which of its configurations decide whether an L3 agent takes a
    router (router_id, where use_namespaces is known, only without them). *dhcp_hosting*: which
    bound agents count against dhcp_agents_per_network, those `alive` or all `bound`. *dhcp_grace*:
    a DHCP agent that is starting up is a candidate though silent. *dhcp_sync*: what a syncing DHCP
    agent is given: `unbound`, every network without any binding, or `served`, those with a DHCP
    subnet and a free place, if the agent is alive. *router_sync*: what lacks an agent is `bound` to
    a syncing L3 agent, or `scheduled` with it as the only candidate. *admin_filter*: `actual`, the
    wrongly joined query that asks whether any agent at all is enabled (bugs 1410841, 1414905), or
    `intended`.
    *one_binding*: the database allows a router one binding. *same_agent*: adding a router by hand
    to the agent that has it is a `conflict` or `silent`. *removal*: removing what is not bound is
    a `conflict` or `silent`. *revival*: an agent heard of again after having been down is told so.
    *updates_reach*: DHCP notices go to bound agents that are `alive`, or to all that are
    `enabled`. *unregistered*: an agent without a row that asks is refused with an `error`, or
    given `nothing`. *dhcp_failover_filter*: whether disabled agents are left out.
    *dhcp_failover_skips*: a pass does nothing when no DHCP agent is eligible (bug 1461714).
    *l3_failover_rechecks*: an agent that is back is spared (bug 1522436). *added_by_call*:
    router_added_to_agent waits for an answer. *ha_failover*: HA routers are moved, too; or
    `aborts`, as since 24.2.2. *disabled_stops_scheduling*: network_auto_schedule off stops all
    scheduling but by hand. *loop_errors*: an error ends a failover pass (`end_pass`), or `kill`s
    the L3 loop for good (bug 1375597). *port_binding*: ports are bound to a host `always`; or
    while its L2 agent looks alive: `once`, again when an L3 agent has `asked` for its router, or
    then and on the L2 agent's start and `revival`. *unknown_lists*: what the API lists of an
    unknown agent is `nothing`, or it is an `error`. *dead_master*: what the API tells of an HA
    router that was active on an agent now dead: it `stays` active, is a `standby`, or `unknown` if
    all its agents are dead. *health_check*: the server looks for dead agents every half
    agent_down_time and logs them.

    Of distributed routers: *snat_choice*: the agent for SNAT is the `scheduler`'s choice, or (own
    table) a `random` one, made while there is a gateway, and not by syncs. *distributed_ha*: a
    router that is both is `refused` or `allowed`. *legacy_to_dvr*: the error of adding a router
    that is not distributed to a compute host's agent. *removal_from_dvr*: asking to remove a router
    from such an agent is `allowed` or `refused`. *dvr_retain*: a host that loses the binding and
    still has ports that need the router is told of an update instead of a removal, `by_hand`,
    `always` or `never`. *dvr_failover*: what dead agents in dvr mode have bound is not moved.

    min_l3_agents_per_router of 0 is no minimum.
    """

    agent_down_time: float = 75.0
    network_scheduler_driver: str = "ChanceScheduler"
    router_scheduler_driver: str = "ChanceScheduler"
    dhcp_agents_per_network: int = 1
    dhcp_load_type: str = "networks"
    network_auto_schedule: bool = True
    router_auto_schedule: bool = True
    allow_automatic_dhcp_failover: bool = False
    allow_automatic_l3agent_failover: bool = False
    max_l3_agents_per_router: int = 3
    min_l3_agents_per_router: int = 0
    enable_new_agents: bool = True
    enable_services_on_agents_with_admin_state_down: bool = False
    default_availability_zones: tuple[str, ...] = ()

    has_scheduler: bool = True
    network_triggers: tuple[str, ...] = ("port",)
    gateway_triggers: bool = False
    candidate_filter: tuple[str, ...] = FILTERED
    dhcp_hosting: Literal["alive", "bound"] = "alive"
    dhcp_grace: bool = False
    dhcp_sync: Literal["unbound", "served"] = "unbound"
    router_sync: Literal["bound", "scheduled"] = "bound"
    admin_filter: Literal["actual", "intended"] = "actual"
    one_binding: bool = False
    same_agent: Literal["conflict", "silent"] = "conflict"
    other_agent: Literal["RouterSchedulingFailed", "RouterHostedByL3Agent"] = (
        "RouterSchedulingFailed"
    )
    removal: Literal["conflict", "silent"] = "conflict"
    revival: bool = False
    updates_reach: Literal["alive", "enabled"] = "alive"
    unregistered: Literal["error", "nothing"] = "error"
    dhcp_failover_filter: bool = True
    dhcp_failover_skips: bool = False
    l3_failover_rechecks: bool = False
    added_by_call: bool = False
    ha_failover: Literal["none", "moves", "aborts"] = "none"
    disabled_stops_scheduling: bool = False
    loop_errors: Literal["end_pass", "kill"] = "end_pass"
    health_check: bool = False
    port_binding: Literal["always", "asked", "once", "revival"] = "always"
    unknown_lists: Literal["nothing", "error"] = "error"
    dead_master: Literal["stays", "standby", "unknown"] = "stays"
    snat_choice: Literal["random", "scheduler"] = "scheduler"
    distributed_ha: Literal["refused", "allowed"] = "allowed"
    legacy_to_dvr: Literal["RouterL3AgentMismatch", "DVRL3CannotAssignToDvrAgent"] = (
        "DVRL3CannotAssignToDvrAgent"
    )
    removal_from_dvr: Literal["allowed", "refused"] = "refused"
    dvr_retain: Literal["never", "by_hand", "always"] = "always"
    dvr_failover: Literal["moves", "skips"] = "moves"

    @property
    def dead_limit(self) -> float:
        """How long an agent must be silent before its objects are moved, s."""
        return 2 * self.agent_down_time


_FIELDS = list(Rules.__dataclass_fields__)
OPTIONS = frozenset(_FIELDS[: _FIELDS.index("has_scheduler")])
"""Neutron's own options among the rules; the others are habits, which no option changes."""


def rules_of(release: Release, options: Mapping[str, object] | None = None) -> Rules:
    """The rules of *release*, with *options* in place of its defaults."""
    values = {**release.options, **release.rules, **(options or {})}
    known = {name: value for name, value in values.items() if name in Rules.__dataclass_fields__}
    return Rules(has_scheduler=release.has_scheduler, **known)  # type: ignore[arg-type]


GRIZZLY = rules_of(RELEASES["grizzly"])
NEUTRON_29 = rules_of(RELEASES["2026.2"])
