"""Neutron's own options, as a scenario may set them; which release has which: `series`."""

from __future__ import annotations

from typing import Literal

from simulator.scenario.quantities import (
    Count,
    Duration,
    Model,
    Name,
    PositiveCount,
    PositiveDuration,
    Switch,
)

NetworkScheduler = Literal["ChanceScheduler", "WeightScheduler", "AZAwareWeightScheduler"]
RouterScheduler = Literal["ChanceScheduler", "LeastRoutersScheduler", "AZLeastRoutersScheduler"]


VRIDS = 254
"""VRRP's numbers for the routers of one HA network, and each tenant has one: VR_ID_RANGE,
neutron/db/l3_hamode_db.py."""


class Neutron(Model):
    """Quantum's and Neutron's own options, by their names; unset means the release's default.

    Not every release has every one; `netnode explain neutron.<option>` tells which do.
    """

    report_interval: PositiveDuration | None = None
    """Time from one heartbeat of an agent to the next."""
    agent_down_time: PositiveDuration | None = None
    """An agent not heard of for longer than this is down."""
    dhcp_lease_duration: PositiveDuration | None = None
    """How long an address is leased; VMs renew it at half that time."""
    resync_interval: PositiveDuration | None = None
    """A DHCP agent whose sync failed tries again at multiples of this."""
    polling_interval: PositiveDuration | None = None
    """Folsom: pause of an L3 agent between two polls of the REST API."""
    periodic_interval: PositiveDuration | None = None
    """An L3 agent whose sync failed tries again at multiples of this."""
    periodic_fuzzy_delay: Duration | None = None
    """A starting L3 agent waits a random whole number of seconds up to this."""
    rpc_response_timeout: PositiveDuration | None = None
    """How long an agent waits for the answer to a call."""
    network_auto_schedule: Switch | None = None
    """Whether a DHCP agent that syncs is given the networks nobody hosts."""
    router_auto_schedule: Switch | None = None
    """Whether an L3 agent that syncs is given the routers nobody hosts."""
    send_arp_for_ha: Count | None = None
    """Packets that announce an address when it is set up; 0 for none."""
    dhcp_renewal_time: Duration | None = None
    """After which part of its lease a VM asks its own DHCP server; 0: half."""
    dhcp_rebinding_time: Duration | None = None
    """After which part of its lease a VM asks any DHCP server; 0: 7/8."""
    resync_throttle: PositiveDuration | None = None
    """After which a DHCP agent's sync that failed in no time is tried again.

    Other syncs are tried again at once: in Neutron each has a throttle of its own, which waits for
    nobody. At most resync_interval."""
    num_sync_threads: PositiveCount | None = None
    """How many networks a syncing DHCP agent sets up at a time."""
    rpc_response_max_timeout: PositiveDuration | None = None
    """The most that the time-out of a call doubles to."""
    rpc_workers: Count | None = None
    """Processes of each server that answer calls, side by side; 0: one, that of the API."""
    rpc_state_report_workers: Count | None = None
    """Processes of the server that take heartbeats alone; 0: heartbeats queue with other calls."""
    network_scheduler_driver: NetworkScheduler | None = None
    """The scheduler of networks to DHCP agents, by the name of its class."""
    router_scheduler_driver: RouterScheduler | None = None
    """The scheduler of routers to L3 agents, by the name of its class."""
    dhcp_agents_per_network: PositiveCount | None = None
    """How many DHCP agents a network is given."""
    dhcp_load_type: Literal["networks", "subnets", "ports"] | None = None
    """What WeightScheduler counts of a DHCP agent."""
    allow_automatic_l3agent_failover: Switch | None = None
    """Whether routers are moved off L3 agents silent for twice agent_down_time."""
    allow_automatic_dhcp_failover: Switch | None = None
    """Whether networks are moved off DHCP agents silent for twice agent_down_time."""
    l3_ha: Switch | None = None
    """Whether routers are highly available: on several agents, with VRRP between them."""
    max_l3_agents_per_router: Count | None = None
    """How many agents a highly available router is given; 0: all."""
    min_l3_agents_per_router: Count | None = None
    """With fewer active agents a highly available router is not created."""
    ha_vrrp_advert_int: PositiveDuration | None = None
    """Time from one VRRP advertisement to the next."""
    ha_vrrp_health_check_interval: Duration | None = None
    """How often a VRRP replica checks its way out, and gives up without one; 0: never."""
    router_distributed: Switch | None = None
    """Whether routers are distributed: to compute hosts, but for SNAT."""
    default_availability_zones: tuple[Name, ...] | None = None
    """The zones of whatever has no hints of its own."""
    enable_new_agents: Switch | None = None
    """Whether an agent that registers is enabled."""
    enable_services_on_agents_with_admin_state_down: Switch | None = None
    """Whether a disabled agent keeps what it has, and is only given nothing by itself."""
