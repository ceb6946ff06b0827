"""No field of a system is accepted and ignored: changing it changes a run.

Each leaf of the schema has a case here: what else a scenario must say for it to matter, and the
other value. A field without a case, and a case without a field, fail.
"""

from __future__ import annotations

from typing import get_args

import pytest
from lab import FREE, columns, down_share, network_nodes, outage, run_one, scenario
from pydantic import BaseModel

from simulator.analysis.metrics import measure
from simulator.analysis.thresholds import judge
from simulator.errors import InputError
from simulator.experiment.runner import run
from simulator.scenario import options, schema, workload
from simulator.scenario.thresholds import Threshold
from simulator.scenario.until import Target, Until

PARTS = (schema.__name__, options.__name__, workload.__name__)


def leaves(model, path=""):
    """The dotted path of every field that holds a value and not further fields."""
    for name, field in model.model_fields.items():
        part = part_of(field.annotation)
        where = f"{path}{field.alias or name}"
        if part:
            yield from leaves(part, f"{where}.")
        else:
            yield where


def part_of(annotation):
    """The part of a system that is, or is held by, *annotation*."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation if annotation.__module__ in PARTS else None
    return next(filter(None, map(part_of, get_args(annotation))), None)


DOWN = {"network-1": outage(1000, 3600)}
LOST = {"controller-1/broker": outage(1000, 900), "network-1": outage(950, 100)}
TWO = {
    "external_networks": {"public": {}, "other": {}},
    "workload": {"tenants": 20, "per_tenant": {"routers": {"public": 1, "other": 1}}},
}
BY_RELEASE = {"costs": {**FREE, "rebuild_per_router": "release", "rebuild_per_network": "release"}}
LOAD = {"tenants": 4, "traffic": {"per_router": "4Gbps"}}
FOLSOM = {"release": "folsom"}


def option(name, value, **more):
    return more, {"neutron": {name: value}}


def cost(name, value, **more):
    costs = more.pop("costs", FREE)
    return {"costs": costs, "failures": DOWN, **more}, {"costs": {**costs, name: value}}


def hosts(before, after, **more):
    return {"hosts": network_nodes(2, **before), **more}, {"hosts": network_nodes(2, **after)}


def one_more(**keys):
    """A network node, and a host with an L3 agent and these *keys*."""
    other = {"kind": "network", "count": 1, "agents": ["l3", "l2"], **keys}
    return {**network_nodes(), "x": other}


def two_exits(third):
    """Three nodes, the last of which leads to the external network *third*."""
    node = {"kind": "network", "count": 1}
    exits = {"a": "public", "b": "other", "c": third}
    groups = {n: {**node, "gateway_external_network_id": to} for n, to in exits.items()}
    return {"controller": network_nodes()["controller"], **groups}


def distributed(mode="dvr"):
    """The keys of a system that may have distributed routers, whose SNAT node is down once."""
    hosts = network_nodes(agent_mode="dvr_snat")
    vms = {"kind": "compute", "count": 2, "agents": ["l3", "l2"], "agent_mode": mode}
    return {"release": "mitaka", "hosts": {**hosts, "compute": vms}, "failures": DOWN}


def tenant(before, after):
    return (
        {"failures": DOWN, "workload": {"tenants": 3, "per_tenant": before}},
        {"workload": {"tenants": 3, "per_tenant": after}},
    )


def change(name, **other):
    """The change *name* at 2/h for 2 h each, and with *other*."""
    usual = {"arrivals": "2/h", "lifetime": "2h"}
    more = {"costs": {**FREE, "rebuild_per_router": "release"}}
    more["failures"] = {"network-1": outage(50_000, 3600)}
    return (
        {**more, "workload": {"tenants": 3, "changes": {name: usual}}},
        {"workload": {"tenants": 3, "changes": {name: {**usual, **other}}}},
    )


def action(before, after, **more):
    return {"hosts": network_nodes(2), "actions": [before], **more}, {"actions": [after]}


def new_tenants(**neutron):
    """Tenants that come, and an hour in which no agent can take them."""
    return {
        "neutron": neutron,
        "failures": DOWN,
        "workload": {"tenants": 1, "changes": {"tenants": {"arrivals": "20/h"}}},
    }


ADD = {"at": "100s", "op": "add_network_to_agent", "network": "*", "agent": "network-1/dhcp"}
MOVE = {"at": "100s", "op": "update_router", "router": "tenant-1/*"}
STOP = {"at": "100s", "op": "agent_stop", "agent": "network-1/l3"}
OFF = {"at": "100s", "op": "update_agent", "agent": "network-1/l3", "admin_state_up": False}
DAILY = [{"from": "0h", "factor": 1.0}, {"from": "6h", "factor": 0.5}]
RENEWAL = down_share(0.1)


def daily(step):
    return (
        {"workload": {"traffic": {"per_router": "1Gbps", "daily": DAILY}}},
        {"workload": {"traffic": {"per_router": "1Gbps", "daily": [DAILY[0], step]}}},
    )


def failing(part):
    return {"failures": {"host": RENEWAL}}, {"failures": {"host": {**RENEWAL, **part}}}


ZONES = {
    "hosts": {
        **network_nodes(),
        "b": {"kind": "network", "count": 1, "availability_zone": "b"},
    },
    "release": "mitaka",
}
PAIR = {"hosts": network_nodes(2), "failures": {"network-1": outage(1000, 3600)}}
BIG = {"workload": {"tenants": 300}, "costs": {**FREE, "answer_per_router": "1s"}}
UNEVEN = {
    "per_tenant": {"vms": 1},
    "changes": {"vms": {"arrivals": "20/h"}, "networks": {"arrivals": "20/h"}},
}


def later(release, name, value, **more):
    """An option that the release of the other cases does not have."""
    return {"release": release, **more}, {"neutron": {name: value}}


def leases(name, value):
    """An option of leases of four hours, on two servers that stop one after the other."""
    day = {"dhcp_lease_duration": "4h"}
    base = {"release": "queens", "neutron": {**day, "dhcp_agents_per_network": 2}, **TWO_DHCP}
    return base, {"neutron": {**base["neutron"], name: value}}


TWO_DHCP = {
    "hosts": network_nodes(2),
    "failures": {"network-1": outage(1000, 20_000), "network-2": outage(12_000, 9000)},
    "workload": {"tenants": 4},
}
HA = {
    "release": "queens",
    "hosts": network_nodes(3),
    "neutron": {"l3_ha": True},
    "workload": {"tenants": 9},
}


def highly_available(*, other, **more):
    keys = {**HA, "failures": DOWN, **more}
    return keys, {"neutron": {**keys["neutron"], **other}}


CASES = {
    "behaviour": (
        {"release": "icehouse", "failures": {"network-1/l3": outage(1000, 10)}},
        {"behaviour": {"l3_restart_wipes": True}}),
    "neutron.dhcp_renewal_time": leases("dhcp_renewal_time", "1h"),
    "neutron.dhcp_rebinding_time": leases("dhcp_rebinding_time", "3h"),
    "neutron.resync_throttle": later(
        "2026.2", "resync_throttle", "5s", behaviour={"unregistered": "error"},
        failures={"network-1/dhcp": outage(1000, 100)},
        actions=[{"at": "1050s", "op": "delete_agent", "agent": "network-1/dhcp"}]),
    "neutron.num_sync_threads": later(
        "havana", "num_sync_threads", 1, costs={**FREE, "rebuild_per_network": "9s"},
        failures=DOWN),
    "neutron.rpc_response_max_timeout": later(
        "stein", "rpc_response_max_timeout", "70s", failures=DOWN, **BIG),
    "neutron.rpc_workers": later("liberty", "rpc_workers", 4, failures=DOWN, **BIG),
    "neutron.rpc_state_report_workers": later(
        "mitaka", "rpc_state_report_workers", 0, failures=DOWN, **BIG),
    "neutron.network_scheduler_driver": later(
        "liberty", "network_scheduler_driver", "ChanceScheduler", hosts=network_nodes(2)),
    "neutron.router_scheduler_driver": later(
        "liberty", "router_scheduler_driver", "ChanceScheduler", hosts=network_nodes(2)),
    "neutron.dhcp_agents_per_network": later(
        "havana", "dhcp_agents_per_network", 2, hosts=network_nodes(2)),
    "neutron.dhcp_load_type": later(
        "liberty", "dhcp_load_type", "ports", hosts=network_nodes(2), workload=UNEVEN),
    "neutron.allow_automatic_l3agent_failover": later(
        "juno", "allow_automatic_l3agent_failover", True, **PAIR),
    "neutron.allow_automatic_dhcp_failover": later(
        "kilo", "allow_automatic_dhcp_failover", False, **PAIR),
    "neutron.default_availability_zones": (
        ZONES, {"neutron": {"default_availability_zones": ["b"]}}),
    "neutron.enable_new_agents": later(
        "liberty", "enable_new_agents", False,
        workload={"changes": {"tenants": {"arrivals": "9/h"}}},
        actions=[{"at": "100s", "op": "delete_agent", "agent": "network-1/dhcp"}]),
    "neutron.enable_services_on_agents_with_admin_state_down": later(
        "kilo", "enable_services_on_agents_with_admin_state_down", True, actions=[OFF]),
    "hosts.availability_zone": (
        {**ZONES, "workload": {"per_tenant": {"availability_zone_hints": ["b"]}}},
        {"hosts": {**ZONES["hosts"], "c": ZONES["hosts"]["b"]}}),
    "workload.per_tenant.availability_zone_hints": (
        ZONES, {"workload": {"tenants": 2, "per_tenant": {"availability_zone_hints": ["b"]}}}),
    "costs.answer_per_router": cost("answer_per_router", "9s"),
    "costs.heartbeat": cost("heartbeat", "9s"),
    "costs.reschedule": cost(
        "reschedule", "9s", release="juno", hosts=network_nodes(2), workload={"tenants": 9},
        neutron={"allow_automatic_l3agent_failover": True}),
    "release": ({"failures": DOWN}, {"release": "folsom"}),
    "neutron.l3_ha": highly_available(release="kilo", neutron={}, other={"l3_ha": True}),
    "neutron.max_l3_agents_per_router": highly_available(other={"max_l3_agents_per_router": 2}),
    "neutron.min_l3_agents_per_router": highly_available(
        release="kilo", other={"min_l3_agents_per_router": 3}, failures=DOWN,
        neutron={"l3_ha": True}, workload={"changes": {"routers": {"arrivals": "20/h"}}}),
    "neutron.ha_vrrp_advert_int": highly_available(other={"ha_vrrp_advert_int": "3s"}),
    "neutron.ha_vrrp_health_check_interval": highly_available(
        other={"ha_vrrp_health_check_interval": "5s"}, failures={"uplink": outage(1000, 60)}),
    "costs.promote": cost("promote", "9s", **HA),
    "costs.arp_timeout": cost(
        "arp_timeout", "9s", **HA, failures={"nic.data": outage(1000, 60)}),
    "failures.orderly": (
        {**HA, "failures": DOWN},
        {"failures": {"network-1": {**DOWN["network-1"], "orderly": True}}}),
    "neutron.report_interval": option("report_interval", "3s", failures=DOWN),
    "neutron.agent_down_time": option("agent_down_time", "9s", failures=DOWN),
    "neutron.dhcp_lease_duration": option("dhcp_lease_duration", "1h", failures=DOWN),
    "neutron.resync_interval": option(
        "resync_interval", "77s", costs={**FREE, "rebuild_per_network": "100s"},
        failures={"network-1": outage(1000, 100), "controller-1/broker": outage(1150, 60)}),
    "neutron.polling_interval": option(
        "polling_interval", "50s", **FOLSOM, workload=change("routers")[0]["workload"]),
    "neutron.periodic_interval": option("periodic_interval", "70s", failures=LOST),
    "neutron.periodic_fuzzy_delay": option("periodic_fuzzy_delay", "99s", failures=DOWN),
    "neutron.rpc_response_timeout": option("rpc_response_timeout", "7s", failures=LOST),
    "neutron.network_auto_schedule": option("network_auto_schedule", False, **new_tenants()),
    "neutron.router_auto_schedule": option("router_auto_schedule", False, **new_tenants()),
    "neutron.send_arp_for_ha": option("send_arp_for_ha", 0, **BY_RELEASE, failures=DOWN),
    "neutron.router_distributed": option("router_distributed", True, **distributed()),
    "components": ({}, {"components": "article"}),
    "broker.delay": ({"failures": DOWN}, {"broker": {"delay": "1s"}}),
    "broker.loss": ({"failures": DOWN}, {"broker": {"loss": 0.2}}),
    "segmentation": (
        {"hosts": network_nodes(nics={"data": "2Gbps"}), "workload": LOAD},
        {"segmentation": "vlan"}),
    "rates": ({"horizon": "1y"}, {"rates": "dc-2013"}),
    "failures.time_to_failure": failing({"time_to_failure": "9h"}),
    "failures.time_to_repair": failing({"time_to_repair": "9min"}),
    "failures.outages.at": ({"failures": DOWN}, {"failures": {"network-1": outage(1200, 3600)}}),
    "failures.outages.for": ({"failures": DOWN}, {"failures": {"network-1": outage(1000, 360)}}),
    "external_networks.uplink": (
        {"workload": LOAD}, {"external_networks": {"public": {"uplink": "1Gbps"}}}),
    "hosts.kind": (
        {"hosts": one_more(kind="compute"), "failures": {"host.network": RENEWAL}},
        {"hosts": one_more(kind="network")}),
    "hosts.count": ({"failures": DOWN}, {"hosts": network_nodes(2)}),
    "hosts.agents": hosts({}, {"agents": ["l3", "dhcp"]}, failures=DOWN),
    "hosts.nics.data": hosts({}, {"nics": {"data": "1Gbps"}}, workload=LOAD),
    "hosts.nics.external": hosts({}, {"nics": {"external": "1Gbps"}}, workload=LOAD),
    "hosts.forwarding.rate": hosts({}, {"forwarding": {"rate": "1Gbps"}}, workload=LOAD),
    "hosts.forwarding.packet_rate": hosts(
        {}, {"forwarding": {"packet_rate": "9kpps"}}, workload=LOAD),
    "hosts.gateway_external_network_id": (
        {**TWO, "hosts": two_exits("public")}, {"hosts": two_exits("other")}),
    "hosts.handle_internal_only_routers": (
        {"hosts": one_more(), "workload": {"per_tenant": {"gateway": False}}},
        {"hosts": one_more(handle_internal_only_routers=False)}),
    "hosts.agent_mode": (
        {**distributed(), "release": "queens", "neutron": {"router_distributed": True}},
        {"hosts": distributed("dvr_no_external")["hosts"]}),
    "costs.boot": cost("boot", "60s"),
    "costs.agent_start": cost("agent_start", "60s"),
    "costs.rest_call": cost("rest_call", "9s", **FOLSOM),
    "costs.rpc_call": cost("rpc_call", "9s"),
    "costs.plug_interface": cost("plug_interface", "9s", **BY_RELEASE),
    "costs.arping": cost("arping", "9s", **BY_RELEASE),
    "costs.spawn_dnsmasq": cost("spawn_dnsmasq", "9s", **BY_RELEASE,
                                workload={"changes": {"tenants": {"arrivals": "9/h"}}}),
    "costs.rebuild_per_router": cost("rebuild_per_router", "9s"),
    "costs.rebuild_per_network": cost("rebuild_per_network", "9s",
                                      workload={"changes": {"tenants": {"arrivals": "9/h"}}}),
    "costs.rewire": cost("rewire", "60s"),
    "costs.address_regain": cost("address_regain", "60s"),
    "workload.tenants": ({}, {"workload": {"tenants": 3}}),
    "workload.per_tenant.networks": tenant({}, {"networks": 2}),
    "workload.per_tenant.routers": tenant({}, {"routers": 2}),
    "workload.per_tenant.gateway": (
        {"hosts": one_more(handle_internal_only_routers=False)},
        {"workload": {"per_tenant": {"gateway": False}}}),
    "workload.per_tenant.floating_ips": (
        {**BY_RELEASE, "failures": DOWN}, {"workload": {"per_tenant": {"floating_ips": 3}}}),
    "workload.per_tenant.vms": tenant({}, {"vms": 3}),
    "workload.per_tenant.ports": tenant({"vms": 0}, {"vms": 0, "ports": 1}),
    "workload.traffic.per_router": ({}, {"workload": {"traffic": {"per_router": "1Gbps"}}}),
    "workload.traffic.daily.from": daily({"from": "9h", "factor": 0.5}),
    "workload.traffic.daily.factor": daily({"from": "6h", "factor": 0.6}),
    "workload.traffic.packet_size": (
        {"hosts": network_nodes(forwarding={"packet_rate": "9kpps"}), "workload": LOAD},
        {"workload": {"tenants": 4, "traffic": {"per_router": "4Gbps", "packet_size": "64B"}}}),
    **{f"workload.changes.{name}.arrivals": change(name, arrivals="3/h")
       for name in ("tenants", "networks", "routers", "floating_ips", "vms")},
    **{f"workload.changes.{name}.lifetime": change(name, lifetime="1h")
       for name in ("tenants", "networks", "routers", "floating_ips", "vms")},
    "workload.changes.ports.arrivals": (
        {"workload": {"per_tenant": {"vms": 0}, "changes": {"ports": {"arrivals": "1/h"}}}},
        {"workload": {"per_tenant": {"vms": 0}, "changes": {"ports": {"arrivals": "9/h"}}}}),
    "actions.at": action(STOP, {**STOP, "at": "300s"}),
    "actions.op": action({**OFF, "admin_state_up": True}, STOP),
    "actions.agent": action(STOP, {**STOP, "agent": "network-2/l3"}),
    "actions.network": action(ADD, {**ADD, "network": "tenant-1/*"}),
    "actions.router": action(MOVE, {**MOVE, "router": "tenant-2/*"}),
    "actions.admin_state_up": action(OFF, {**OFF, "admin_state_up": True}),
    "measures.downtime_limit_per_year": (
        {"failures": DOWN}, {"measures": {"downtime_limit_per_year": "400h"}}),
    "measures.conflicted_counts_as": (
        {**FOLSOM, "hosts": network_nodes(2)}, {"measures": {"conflicted_counts_as": "up"}}),
}  # fmt: skip

WITHOUT_EFFECT = {
    "heartbeats": "computed and simulated heartbeats give one trace: tests/world/test_swarm.py",
    "workload.changes.ports.lifetime": "a port that goes is told to agents, which change nothing",
}
"""Fields that are read and rightly change nothing."""


def test_every_field_has_a_case():
    assert sorted([*CASES, *WITHOUT_EFFECT]) == sorted(leaves(schema.System))


def outcome(keys):
    measured = run_one(scenario(**keys))
    return columns(measured.trace), measure(measured)


@pytest.mark.parametrize("field", CASES)
def test_changing_a_field_changes_the_run(field):
    base, other = CASES[field]
    assert outcome(base) != outcome({**base, **other})


# -- the experiment's own --------------------------------------------------------------------

OUTAGES = {"metric": "router.outages", "op": "<", "value": 3}
THRESHOLDS = {
    "metric": {"metric": "router.conflicted_time", "value": "3s"},
    "op": {"op": ">"},
    "value": {"value": 1},
    "variant": {"variant": "b"},
    "on": {"on": "p95"},
}
"""By field of a threshold what it is changed to."""


def test_every_field_of_a_threshold_has_a_case():
    assert sorted(THRESHOLDS) == sorted(leaves(Threshold))


@pytest.mark.parametrize("field", THRESHOLDS)
def test_changing_a_field_of_a_threshold_changes_what_is_found(field):
    """Two outages a replication in a and none in b, in each of twenty replications."""
    down = {"network-1": {"outages": [{"at": "1h", "for": "1h"}]}}
    given = scenario(
        replications=20, variants={"a": {"failures": down}, "b": {}}, thresholds=[OUTAGES]
    )
    result = run(given, jobs=1)
    base = judge(result, given.thresholds)
    other = judge(result, [Threshold(**{**OUTAGES, **THRESHOLDS[field]})])
    assert [(f.variant, f.verdict) for f in base] == [("a", "pass"), ("b", "pass")]
    if field == "variant":
        assert [f.variant for f in other] == ["b"]
    else:
        assert [f.verdict for f in other] != [f.verdict for f in base]


UNTIL = {
    "targets": {"targets": [{"metric": "router.availability", "half_width": 0.5}]},
    "decided": {"targets": [{"metric": "router.availability", "half_width": 0.5}], "decided": True},
    "most": {"most": 7},
}
"""By field of `until` what it is changed to."""
TARGET = {
    "metric": {"metric": "router.availability", "half_width": 1e-4},
    "half_width": {"metric": "router.outages", "half_width": 40},
}
"""By field of a target what it is changed to."""


def test_every_field_of_until_has_a_case():
    assert sorted(UNTIL) == sorted(Until.model_fields)
    assert sorted(TARGET) == sorted(Target.model_fields)


@pytest.mark.no_cover
@pytest.mark.parametrize("change", [*UNTIL.values(), *({"targets": [t]} for t in TARGET.values())])
def test_changing_a_field_of_until_changes_where_a_run_ends(change):
    """From 20 replications on; the share of the time that the one node is down varies by 3 %."""
    base = {"targets": [{"metric": "router.outages", "half_width": 0.6}], "most": 160}
    given = scenario(
        start="equilibrium",
        horizon="20d",
        failures={"host.network": down_share(0.1)},
        replications=20,
        thresholds=[{"metric": "router.availability", "op": ">", "value": 0.9}],
    )
    if change == {"most": 7}:
        with pytest.raises(InputError, match="less than the 20"):
            run(given, jobs=1, until={**base, **change})
        change = {"most": 30}
    one, other = (run(given, jobs=1, until=until) for until in (base, {**base, **change}))
    assert (len(one.replications), one.stopped) != (len(other.replications), other.stopped)
