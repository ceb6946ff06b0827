"""Every series of Quantum and Neutron from Grizzly on: what changed in each, and why.

A series is the one before it with some changes, each with the commit, bug or file it was read
from; nothing that stayed is written twice. To add one, add an entry to CHANGES. What a name means:
an option of Neutron's under its own name, a rule of `simulator/neutron/rules.py`, or a habit of an
agent (a field of `Release`). A reason that begins with [?] is an inference from reading code that
nobody has executed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from simulator.scenario.options import Neutron
from simulator.scenario.releases import FOLSOM, GRIZZLY, NOVA_NETWORK, Habits, Release
from simulator.scenario.schema import System

HABITS = tuple(field.name for field in fields(Habits))
UNBOUNDED = (math.inf, math.inf)
NO_BOUND = "unbounded"
"""What stands for UNBOUNDED in a scenario file."""


@dataclass(frozen=True)
class Change:
    """A value that a series has and the one before it had not, and why."""

    value: object
    why: str


@dataclass(frozen=True)
class Series:
    """A series: its name and title, the tag it was read at, and what changed in it."""

    name: str
    title: str
    tag: str
    changes: Mapping[str, Change]


def _series(name: str, title: str, tag: str, **changes: tuple[object, str]) -> Series:
    return Series(name, title, tag, {key: Change(*change) for key, change in changes.items()})


CHANGES: tuple[Series, ...] = (
    _series(
        "havana-2013.2.0", "Havana as first published", "2013.2",
        dhcp_lease_duration=(86400.0, "d9832282cf: one option for server and agent, a day"),
        dhcp_agents_per_network=(1, "new option, neutron/db/agentschedulers_db.py"),
        num_sync_threads=(4, "9d5c540b47: one bulk call and four threads"),
        dhcp_bulk_sync=(True, "9d5c540b47: one bulk call and four threads; [?] each network is "
                        "enabled, which kills and starts its dnsmasq: read in Kilo and at 10.0.7"),
        l3_updates=("fetched", "57e1fa3264: notices carry ids, the agent asks for the routers"),
        l3_workers=(UNBOUNDED, "57e1fa3264, bugs 1194026 and 1200749: a green thread a router"),
        send_arp_for_ha=(0, "591ee00a67: kernel crashes"),
        dhcp_sync=("served", "auto_schedule_networks: only networks with a DHCP subnet, not to a "
                   "silent agent"),
        router_sync=("scheduled", "auto_schedule_routers: bind_routers asks the scheduler"),
        port_binding=("asked", "ML2, neutron/plugins/ml2/drivers/mech_agent.py, bug 1244255"),
        other_agent=("RouterHostedByL3Agent", "names the holder; neutron/db/l3_agentschedulers_db"),
    ),
    _series(
        "havana-2013.2.1", "Havana, first point release", "2013.2.1",
        agent_down_time=(9.0, "ea25bc0051, bug 1244255: a late heartbeat made port binding fail"),
    ),
    _series(
        "havana", "Havana, last point release", "2013.2.4",
        report_interval=(30.0, "3569abac57, bug 1293083: load of heartbeats"),
        agent_down_time=(75.0, "3569abac57, bug 1293083: load of heartbeats"),
        updates_reach=("enabled", "7f1af65475 (2013.2.2), bug 1192381: events were dropped"),
    ),
    _series(
        "icehouse", "Icehouse: an L3 agent's restart keeps its namespaces", "2014.1.5",
        l3_restart_wipes=(False, "011d99f300, bug 1175695: restart was an outage"),
        rpc_workers=(0, "new, neutron/service.py: calls are answered by the API's process"),
    ),
    _series(
        "juno", "Juno: L3 failover (off), VRRP, DVR", "2014.2.4",
        allow_automatic_l3agent_failover=(False, "9677cf87cb: new, off"),
        l3_ha=(False, "new, neutron/db/l3_hamode_db.py"),
        max_l3_agents_per_router=(3, "new, neutron/db/l3_hamode_db.py"),
        min_l3_agents_per_router=(2, "new, neutron/db/l3_hamode_db.py"),
        ha_vrrp_advert_int=(2.0, "new, neutron/agent/l3_ha_agent.py"),
        router_distributed=(False, "new, neutron/db/l3_dvr_db.py"),
        send_arp_for_ha=(3, "neutron/agent/l3_agent.py"),
        arping=("background", "[?] neutron/agent/linux/ip_lib.py: in a green thread of its own"),
        l3_first_sync=("at_once", "6d9dd887e2 (2014.2.2), bug 1407410: was some 80 s after start"),
        l3_workers=((8, 8), "fe2ca9a758: a queue by priority, eight green threads"),
        same_agent=("silent", "adding a router to the agent that has it changes nothing"),
        dhcp_ports_reserved=(True, "[?] bug 1288923: a moved network had a new DNS server; read "
                             "in files from before DHCP failover and from later"),
        loop_errors=("kill", "neutron/db/l3_agentschedulers_db.py, bug 1375597: ends for good"),
        port_binding=("once", "[?] _bind_port_if_needed, neutron/plugins/ml2/plugin.py, leaves a "
                      "failed binding alone; read in copies of Juno and Liberty"),
        dead_master=("stays", "neutron/db/l3_hamode_db.py: as the agent told"),
        ha_restart_cuts=(True, "[?] bugs 1798475, 1959151: could put HA ports down"),
        snat_choice=("random", "[?] bind_snat_servicenode, neutron/db/l3_dvrscheduler_db.py"),
        distributed_ha=("refused", "DistributedHARouterNotSupported, neutron/db/l3_hamode_db.py"),
        legacy_to_dvr=("RouterL3AgentMismatch", "[?] validate_agent_router_combination, "
                       "neutron/db/l3_agentschedulers_db.py; read in Kilo's development"),
        removal_from_dvr=("allowed", "remove_router_from_l3_agent does not look at modes"),
        dvr_retain=("never", "remove_router_from_l3_agent does not look at ports"),
        dvr_failover=("moves", "reschedule_routers_from_down_agents does not look at modes"),
    ),
    _series(
        "kilo", "Kilo: DHCP failover (on), WeightScheduler", "2015.1.4",
        allow_automatic_dhcp_failover=(True, "0db17ea6ec, bug 1386794: new, on"),
        dhcp_load_type=("networks", "new, neutron/db/agents_db.py"),
        dhcp_first_sync=("twice", "neutron/agent/dhcp/agent.py: in init_host, and in the callback"),
        l3_first_sync=("fuzzy", "fff86b689e: the periodic task's first run, after 0 to 5 s"),
        loop_errors=("end_pass", "79f1e8a9c1, ae8c1c5f80: logged, the next pass is a normal one"),
        ha_report=("slow", "neutron/notifiers/batch_notifier.py: (3 advert + 2) 2 s"),
        garp_refresh=("once", "neutron/agent/linux/keepalived.py: garp delay 60"),
        enable_services_on_agents_with_admin_state_down=(False, "new"),
        dhcp_grace=(True, "28fe7e85cc, bug 1417708: a starting agent was judged dead"),
        dhcp_hosting=("bound", "c74b05ebb1 (2015.1.2), bug 1388698: too many agents"),
        network_triggers=(("port", "subnet"), "05f2344814: a subnet schedules its network"),
        admin_filter=("intended", "96aa9f9360, 5a480be4a8, bugs 1414905 and 1410841"),
        removal=("silent", "f78ce6782a: removing a router twice"),
        unknown_lists=("error", "neutron/db/agentschedulers_db.py: AgentNotFound"),
    ),
    _series(
        "liberty", "Liberty: least loaded schedulers by default", "7.2.0",
        network_scheduler_driver=("WeightScheduler", "e5f635ee4f, bug 1494667"),
        router_scheduler_driver=("LeastRoutersScheduler", "e5f635ee4f, bug 1494667"),
        enable_new_agents=(True, "new"),
        rpc_workers=(1, "neutron/service.py: a process of its own"),
        l2_restart_flushes=(False, "73673beacd, bug 1383674: drop_flows_on_start, off"),
        revival=(True, "aebd27f3b7 (7.0.4), bug 1505166: no resync after a partition"),
        dhcp_failover_skips=(True, "1318437a0c, bug 1461714: all unhosted when the broker failed"),
        added_by_call=(True, "1eb40b49f3 (7.x), bug 1482630: router_added was lost"),
        heartbeat_calls=(True, "aebd27f3b7 (7.0.4): the answer tells whether it is back"),
        heartbeat_timeout=("doubling", "3e668b6a37 (7.1.0), bug 1606827: agents stay down"),
        rpc_backoff=(True, "3e668b6a37 (7.1.0), bug 1554332: load of calls repeated"),
        l3_retry=("for_ever", "[?] _resync_router, neutron/agent/l3/agent.py: that router alone"),
        ha_revival_cuts=(True, "bug 1731595: a revived agent puts its HA ports down"),
        dvr_failover=("skips", "419ce6281d: compute hosts' bindings are not moved"),
    ),
    _series(
        "mitaka", "Mitaka: availability zones, a queue for state reports", "8.4.0",
        default_availability_zones=((), "new"),
        rpc_state_report_workers=(1, "7267d75fdd, 678b431ba4, bugs 1496410 and 1505217: heartbeats "
                                     "stuck behind other calls"),
        router_paging=(True, "0e97feb0f3, bug 1516260: sync_routers timed out for ever"),
        health_check=(True, "neutron/db/agents_db.py: dead agents are logged every 37 s"),
        network_triggers=(("port", "subnet", "interface"), "aa00310eef: router interfaces, too"),
        port_binding=("revival", "[?] neutron/plugins/ml2/plugin.py tries failed bindings again, "
                      "an L2 agent asks for all ports at its start and revival; since Stein the "
                      "server does it itself, too (f787f12aa3)"),
        candidate_filter=(("router_id", "gateway_external_network_id",
                           "handle_internal_only_routers"), "use_namespaces was removed"),
        gateway_triggers=(True, "da00d1a186 (8.x): creating a router with a gateway"),
        l3_failover_rechecks=(True, "9ec466cd42, 70068992e3, bug 1522436: storm though it is back"),
        dead_master=("standby", "fc514b8e71, neutron/db/l3_hamode_db.py: when somebody asks"),
        snat_choice=("scheduler", "spec improve-dvr-l3-agent-binding: SNAT is bound as legacy is"),
        distributed_ha=("allowed", "create_router, neutron/db/l3_hamode_db.py, asks no more"),
        legacy_to_dvr=("DVRL3CannotAssignToDvrAgent", "[?] neutron/db/l3_agentschedulers_db.py; "
                       "in Mitaka's development, but Liberty was not looked up"),
        removal_from_dvr=("refused", "[?] DVRL3CannotRemoveFromDvrAgent, with the end of compute "
                          "hosts' bindings; its commit was not looked up"),
        dvr_failover=("moves", "compute hosts have no bindings that could be skipped"),
    ),
    _series(
        "newton", "Newton: binding indices, RPC back-off", "9.4.1",
        one_binding=(True, "b1ec8d523d, bug 1535557: unique(router, binding_index)"),
        ha_vrrp_health_check_interval=(0.0, "new (9.4.1), off; neutron/conf/agent/l3/ha.py"),
        heartbeat_timeout=("rpc", "bb989be99d, bug 1606827: no back-off for heartbeats"),
        dvr_retain=("by_hand", "[?] remove_router_from_l3_agent looks at ports; read in the series "
                    "or before it"),
    ),
    _series("ocata", "Ocata: one way of automatic L3 scheduling", "10.0.7",
            min_l3_agents_per_router=(None, "dd5aca38f9: removed"),
            l3_retry=("six_times", "neutron/agent/l3/router_processing_queue.py: 5 tries, less one "
                      "each time it is queued, given up below 0"),
            l3_gives_up=("deletes", "_resync_router, neutron/agent/l3/agent.py"),
            ha_report=("spaced", "neutron/notifiers/batch_notifier.py: the first is sent at once"),
            dhcp_first_sync=("beside", "f15851b989, bug 1650611: left the heartbeat's thread")),
    _series("pike", "Pike", "11.0.8",
            ha_report=("fast", "e795a3fcf8: ha_vrrp_advert_int apart"),
            ha_revival_cuts=(False, "9ed693228f (11.0.8), bug 1731595: HA ports went down on "
                             "revival"),
            unregistered=("nothing", "list_router_ids_on_host, neutron/db/l3_agentschedulers_db; "
                          "DHCP agents at 10.0.7 already"),
            send_arp_for_ha=(None, "removed: three, in the background")),
    _series("queens", "Queens", "12.1.1",
            dhcp_renewal_time=(0.0, "new; 0 is the client's default, half the lease"),
            dhcp_rebinding_time=(0.0, "new; 0 is the client's default, 7/8 of the lease"),
            dhcp_workers=((8, 8), "neutron/agent/dhcp/agent.py: green threads for events"),
            dhcp_failover_filter=(False, "7c7b2d75aa: disabled agents' networks move, too")),
    _series("rocky", "Rocky", "13.0.7",
            dead_master=("unknown", "b62d1bfdf7: not a standby if all agents are dead"),
            dvr_retain=("always", "8b16b53b5b: _notify_agents_router_rescheduled looks at ports")),
    _series("stein", "Stein: DHCP resync by events", "14.4.2",
            rpc_workers=(4, "half of min(CPUs, RAM / 2 GiB); assumed: 8 CPUs and 16 GiB"),
            resync_throttle=(1.0, "new: what needs a resync is not left to resync_interval"),
            rpc_response_max_timeout=(600.0, "new: the most that a time-out doubles to"),
            dhcp_workers=((8, 32), "837c9283ab: as many as there are networks"),
            l3_workers=((8, 32), "837c9283ab: as many as there are routers"),
            l3_gives_up=("keeps", "12b9149e20 (14.x, 17.0.0), bug 1871850: an outage when the "
                         "broker was away for too long"),
            ha_report=("settled", "3f022a193f (14.x), bug 1837635: waits before it reports"),
            ha_restart_cuts=(False, "[?] bug 1798475: only while there are fewer keepaliveds than "
                             "routers; bug 1959151 (20.0.0) was about what that left")),
    _series("train", "Train", "15.3.4",
            candidate_filter=(("router_id", "handle_internal_only_routers"),
                              "9b2e472ae9: gateway_external_network_id was removed")),
    _series("ussuri", "Ussuri", "16.4.2",
            disabled_stops_scheduling=(True, "139b496ef9: network_auto_schedule off stops all")),
    _series("victoria", "Victoria", "17.4.1",
            heartbeat_timeout=("interval", "7d552848c2 (17.x), bug 1948676: 60 s were too long")),
    _series("wallaby", "Wallaby", "18.6.0"),
    _series("xena", "Xena", "19.7.0"),
    _series("yoga", "Yoga", "20.5.0"),
    _series("zed", "Zed", "21.2.1"),
    _series("2023.1", "2023.1, Antelope", "22.2.1",
            vrrp_tracks=("all", "bee07defac: keepalived tracks all interfaces of its router")),
    _series("2023.2", "2023.2, Bobcat", "23.5.0"),
    _series("2024.1", "2024.1, Caracal", "24.2.2",
            ha_failover=("aborts", "[?] fa28c3c35c, bug 2050236: HA routers are moved, too; but "
                         "add_ha_port refuses to work in the transaction, as recorded at 29.0.0")),
    _series("2024.2", "2024.2, Dalmatian", "25.2.3"),
    _series("2025.1", "2025.1, Epoxy", "26.0.5",
            vrrp_tracks=("ha", "438808f161: as before 2023.1"),
            dhcp_workers=((1, 1), "[?] neutron/agent/dhcp/agent.py: what keeps events waiting for "
                          "a sync, _SYNC_STATE_LOCK, is an RLock; so each waits for the others")),
    _series("2025.2", "2025.2, Flamingo", "27.0.3",
            l3_workers=((32, 32), "neutron/agent/l3/agent.py: ROUTER_PROCESS_THREADS"),
            dhcp_first_sync=("before", "neutron/agent/dhcp/agent.py: the heartbeats' timer is made "
                             "after the first sync")),
    _series("2026.1", "2026.1", "28.0.1"),
    _series("2026.2", "2026.2", "29.0.0"),
)  # fmt: skip
"""In order; the first is Grizzly with its changes, each other one the one before with its own."""


def _after(before: Release, series: Series) -> Release:
    """The release that *series* made of the one before it."""
    habits: dict[str, Any] = {}
    options, rules = dict(before.options), dict(before.rules)
    for name, change in series.changes.items():
        if name in HABITS:
            habits[name] = change.value
        elif name not in Neutron.model_fields:
            rules[name] = change.value
        elif change.value is None:
            del options[name]
        else:
            options[name] = change.value  # type: ignore[assignment]
    return Release(
        series.name, series.title, series.tag, before.architecture,
        options=options, rules=rules, habits=replace(before.habits, **habits),
        sources={**before.sources, **{name: c.why for name, c in series.changes.items()}},
    )  # fmt: skip


def _all() -> dict[str, Release]:
    known = {release.name: release for release in (NOVA_NETWORK, FOLSOM, GRIZZLY)}
    release = GRIZZLY
    for series in CHANGES:
        release = known[series.name] = _after(release, series)
    return known


RELEASES: Mapping[str, Release] = _all()
"""All releases by name, in order."""


SEEN_IN_NO_RUN = (
    "reports",  # which agents report is a matter of `components`
    "unknown_lists", "dead_master",  # nobody asks the API for lists
    "other_agent", "legacy_to_dvr",  # which of two errors with one status
    "dvr_failover",  # nothing is bound to agents in dvr mode
    "vrrp_tracks",  # interfaces inside a host, whose links stay up
)  # fmt: skip
"""Rules and habits that decide nothing that a run records."""
OTHER_READINGS: Mapping[str, tuple[object, ...]] = {"ha_failover": ("moves",)}
"""Values that no release was found to have, but may."""


@cache
def behaviours() -> Mapping[str, list[object]]:
    """Every rule and habit that a run can show, and the values that can be chosen for it."""
    found: dict[str, list[object]] = {n: list(values) for n, values in OTHER_READINGS.items()}
    for release in RELEASES.values():
        if release.has_scheduler:
            for name, value in {**release.rules, **vars(release.habits)}.items():
                values, said = found.setdefault(name, []), _said(value)
                if said not in values:
                    values.append(said)
    for name in SEEN_IN_NO_RUN:
        del found[name]
    return found


def _said(value: object) -> object:
    """A rule's or habit's value as a scenario file gives it."""
    return NO_BOUND if value == UNBOUNDED else value


def written(value: object) -> str:
    """A value of a release as a scenario file has it; a set is in order."""
    value = sorted(value) if isinstance(value, frozenset) else _said(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(written, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def in_force(system: System) -> Release:
    """The release of *system*, behaving as it says."""
    return behaving(RELEASES[system.release], system.behaviour)


def behaving(release: Release, otherwise: Mapping[str, object]) -> Release:
    """*release* with some rules and habits *otherwise*."""
    otherwise = {n: UNBOUNDED if v == NO_BOUND else v for n, v in otherwise.items()}
    habits = {name: value for name, value in otherwise.items() if name in HABITS}
    rules = {name: value for name, value in otherwise.items() if name not in HABITS}
    return replace(
        release,
        rules={**release.rules, **rules},
        habits=replace(release.habits, **habits),  # type: ignore[arg-type]
    )


DRIVERS: Mapping[str, str] = {
    "ChanceScheduler": "grizzly",
    "LeastRoutersScheduler": "icehouse",
    "WeightScheduler": "kilo",
    "AZAwareWeightScheduler": "mitaka",
    "AZLeastRoutersScheduler": "mitaka",
}
"""Since which release each scheduler is there; LeastRoutersScheduler: 91a7697b1e (2014.1)."""


def is_before(before: str, after: str) -> bool:
    """Whether the release *before* came before the release *after*."""
    names = list(RELEASES)
    return names.index(before) < names.index(after)


def option_homes(name: str) -> list[str]:
    """The releases that have the option *name*, runs of them as `first to last`."""
    names = list(RELEASES)
    having = [i for i, one in enumerate(RELEASES.values()) if name in one.options]
    runs: list[list[int]] = []
    for i in having:
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return [
        names[run[0]] if len(run) == 1 else f"{names[run[0]]} to {names[run[-1]]}" for run in runs
    ]


@dataclass(frozen=True)
class Difference:
    """What differs between two releases: one option, rule or habit, and why."""

    name: str
    before: object
    after: object
    why: str


def differences(before: Release, after: Release) -> list[Difference]:
    """All that *after* has otherwise than *before*, in order of name; None for no such option."""
    old, new = values_of(before), values_of(after)
    later = before if is_before(after.name, before.name) else after
    return [
        Difference(name, old.get(name), new.get(name), later.sources.get(name, ""))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def values_of(release: Release) -> dict[str, object]:
    """The options of a release, then its rules and habits."""
    habits = {name: getattr(release.habits, name) for name in HABITS}
    return {**release.options, **release.rules, **habits, "architecture": release.architecture}
