"""What is impossible is an error, what is unwise a warning with a code, each at its place."""

from __future__ import annotations

import math
import re
import time
import tracemalloc
from pathlib import Path

import pytest

from simulator.scenario import check, check_options, size
from simulator.scenario.check import check_system
from simulator.scenario.load import load
from simulator.scenario.schema import System
from simulator.scenario.size import estimate_events, option

HEAD = "version: 1\nhorizon: 1y\nrelease: grizzly\nneutron: {agent_down_time: 9s}\n"
HOSTS = """\
hosts:
  controller: {kind: controller, count: 1}
  network: {kind: network, count: 2}
"""
BASE = HEAD + HOSTS
FOLSOM = BASE.replace("grizzly", "folsom").replace("neutron: {agent_down_time: 9s}\n", "")
NOVA = """\
version: 1
horizon: 1y
release: nova-network
hosts:
  controller: {kind: controller, count: 1}
  compute: {kind: compute, count: 2}
"""
TWO = "external_networks: {public: {}, private: {}}\n"


@pytest.fixture
def problems(tmp_path):
    """The problems of a text, each as `line:column: code path: message`."""

    def run(text):
        path = tmp_path / "s.yaml"
        path.write_text(text, encoding="utf-8")
        return [str(problem).removeprefix(f"{path}:") for problem in load(path).problems]

    return run


def system(**keys):
    """A Grizzly system of one controller and two network nodes."""
    groups = {
        "controller": {"kind": "controller", "count": 1},
        "network": {"kind": "network", "count": 2},
    }
    return System.model_validate({"release": "grizzly", "hosts": groups, **keys})


def codes(findings):
    return [finding.code for finding in findings]


# -- warnings --------------------------------------------------------------------------------


def test_grizzlys_own_defaults_are_unwise_by_later_advice(problems):
    """4 s and 5 s; the place is the file's beginning, for the file does not give them."""
    assert problems(BASE.replace("neutron: {agent_down_time: 9s}\n", "")) == [
        "1:1: NN101 neutron.agent_down_time: warning: agent_down_time 5 s is less than twice "
        "report_interval 4 s, as later releases advise: one lost heartbeat is a false alarm"
    ]


@pytest.mark.parametrize(
    ("interval", "limit", "expected"),
    [
        ("4s", "8s", []),
        ("4s", "7.9s", ["NN101"]),
        ("4s", "4s", ["NN101"]),
        ("4s", "3.9s", ["NN102"]),
    ],
)
def test_a_dead_limit_below_two_and_below_one_interval(interval, limit, expected):
    options = {"report_interval": interval, "agent_down_time": limit}
    findings = check_system(system(neutron=options))
    assert codes(findings) == expected
    assert all(finding.warning for finding in findings)


def test_a_dead_limit_below_the_interval_is_a_warning_where_it_stands(problems):
    text = BASE.replace("{agent_down_time: 9s}", "\n  agent_down_time: 3s")
    assert problems(text) == [
        "5:20: NN102 neutron.agent_down_time: warning: agent_down_time 3 s is below "
        "report_interval 4 s: every agent looks dead before each heartbeat"
    ]


def test_folsom_reports_nothing_and_nova_network_leaves_time(problems):
    assert problems(FOLSOM.replace("count: 2", "count: 1")) == []
    assert problems(NOVA) == []


@pytest.mark.parametrize(
    ("groups", "warned"),
    [
        ("network: {kind: network, count: 1}", 0),
        ("network: {kind: network, count: 2}", 1),
        ("a: {kind: network, count: 1}\n  b: {kind: network, count: 1}", 1),
        ("a: {kind: network, count: 1}\n"
         "  b: {kind: network, count: 1, gateway_external_network_id: public}", 1),
        ("a: {kind: network, count: 1, gateway_external_network_id: public}\n"
         "  b: {kind: network, count: 1}", 1),
        ("a: {kind: network, count: 1, gateway_external_network_id: public}\n"
         "  b: {kind: network, count: 1, gateway_external_network_id: private}", 0),
        ("a: {kind: network, count: 2, gateway_external_network_id: public}\n"
         "  b: {kind: network, count: 1, gateway_external_network_id: public}\n"
         "  c: {kind: network, count: 1, gateway_external_network_id: private}", 2),
    ],
)  # fmt: skip
def test_folsom_agents_that_realise_the_same_routers_conflict(problems, groups, warned):
    text = FOLSOM.replace("network: {kind: network, count: 2}", groups)
    if "private" in groups:
        text += TWO + "workload: {per_tenant: {routers: {public: 1, private: 1}}}\n"
    lines = problems(text)
    assert len(lines) == warned
    assert all(" NN103 " in line and "warning: several Folsom L3 agents" in line for line in lines)


def test_what_lies_beyond_the_horizon_never_happens(problems):
    """At the horizon itself, too: the run is over."""
    lines = problems(
        BASE
        + "failures: {network-1: {outages: [{at: 8757h, for: 2h}, {at: 1y, for: 1h}]}}\n"
        + "actions: [{at: 0, op: agent_stop, agent: network-1/l3},\n"
        + "  {at: 1y, op: agent_start, agent: network-1/l3}]\n"
    )
    why = "warning: beyond the horizon, so it never happens"
    assert lines == [
        f"8:61: NN104 failures.network-1.outages[1].at: {why}",
        f"10:8: NN104 actions[1].at: {why}",
    ]


def test_what_a_variant_puts_beyond_the_horizon_is_told_in_the_variant(problems):
    lines = problems(
        BASE + "variants:\n  a:\n  b: {failures: {host: {outages: [{at: 3y, for: 1h}]}}}\n"
    )
    assert lines == [
        "10:40: NN104 variants.b.failures.host.outages[0].at: "
        "warning: beyond the horizon, so it never happens"
    ]


# -- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("hst", "unknown component 'hst'; did you mean 'host'?"),
        ("agent.l4", "unknown component 'agent.l4'; did you mean 'agent.l3'?"),
        (
            "rack",
            "'rack' is not modelled; allowed: agent, agent.dhcp, agent.l2, agent.l3, "
            "agent.lbaas, agent.metadata, agent.nova-network, broker, database, ha_network, "
            "host, host.compute, …",
        ),
        ("racks", "'racks' is not modelled; allowed: "),
        ("network-3", "no variant has a component 'network-3'; did you mean 'network-1'?"),
        ("network-0", "unknown component 'network-0'; "),
        ("network-01", "unknown component 'network-01'; "),
        ("netwrk-1", "no variant has a component 'netwrk-1'; did you mean 'network-1'?"),
        ("network-1/l4", "no variant has a component 'network-1/l4'; did you mean 'network-1/l"),
        ("uplink/publik", "no variant has a component 'uplink/publik'; did you mean 'uplink/pu"),
        ("network-1/", "no variant has a component 'network-1/'; did you mean 'network-1'?"),
        ("network-9" + "9" * 900, "unknown component 'network-9999"),
    ],
)
def test_an_unknown_component_and_its_nearest_word(problems, key, why):
    (line,) = problems(BASE + f"failures: {{{key}: none}}\n")
    assert line.startswith("8:12: unknown_component failures.")
    assert why in line


@pytest.mark.parametrize(
    "key",
    ["host", "host.network", "nic", "nic.external", "agent", "agent.dhcp", "server", "database",
     "broker", "uplink", "network-2", "network-2/data", "network-1/metadata", "controller-1/broker",
     "controller-1/management", "uplink/public"],
)  # fmt: skip
def test_every_name_that_failures_may_use(problems, key):
    assert problems(BASE + f"failures: {{{key}: none}}\n") == []


def test_a_named_component_needs_to_exist_in_one_variant_only(problems):
    text = (
        BASE
        + "failures: {network-3: none, compute-1/nova-network: none, network-9/l3: none}\n"
        + "variants:\n  small:\n  large: {hosts: {network: {count: 3}}}\n"
        + "  nova:\n    release: nova-network\n    neutron: null\n"
        + "    hosts: {network: null, compute: {kind: compute, count: 1}}\n"
    )
    assert [line.split("; ")[0] for line in problems(text)] == [
        "8:59: unknown_component failures.network-9/l3: no variant has a component 'network-9/l3'"
    ]


def test_the_nearest_preset(problems):
    assert problems(BASE + "rates: papr\n") == [
        "8:8: unknown_preset rates: no preset is named 'papr'; did you mean 'paper'?"
    ]
    assert problems(BASE + "rates: ../x\n")[0].endswith("allowed: dc-2013, g5k, lanl, paper")


@pytest.mark.parametrize(
    ("release", "name", "value", "homes"),
    [
        ("folsom", "report_interval", "4s", "nova-network, grizzly to 2026.2"),
        ("grizzly", "polling_interval", "2s", "folsom"),
        ("nova-network", "router_auto_schedule", "true", "grizzly to 2026.2"),
        ("grizzly", "l3_ha", "true", "juno to 2026.2"),
        ("ocata", "min_l3_agents_per_router", "2", "juno to newton"),
        ("mitaka", "dhcp_renewal_time", "60s", "queens to 2026.2"),
    ],
)
def test_an_option_that_the_release_does_not_have(problems, release, name, value, homes):
    base = NOVA if release == "nova-network" else FOLSOM.replace("folsom", release)
    lines = [x for x in problems(base + f"neutron: {{{name}: {value}}}\n") if "warning" not in x]
    line = base.count("\n") + 1
    assert lines == [
        f"{line}:11: unknown_option neutron.{name}: {release} has no option '{name}'; "
        f"it exists in: {homes}"
    ]


def test_the_option_in_force_is_the_given_one_or_the_releases():
    assert option(system(), "report_interval") == 4.0
    assert option(system(neutron={"report_interval": "7s"}), "report_interval") == 7.0
    assert option(system(neutron={"router_auto_schedule": False}), "router_auto_schedule") is False
    assert option(system(), "polling_interval") is None


# -- hosts and external networks -------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("kind: controller", "kind: compute",
         ["6:3: hosts hosts: needs a group of kind controller"]),
        ("kind: network", "kind: compute",
         ["6:3: hosts hosts: no host runs an agent of type dhcp",
          "6:3: hosts hosts: no host runs an agent of type l3"]),
        ("kind: network", "kind: network, agents: [l3]",
         ["6:3: hosts hosts: no host runs an agent of type dhcp"]),
        ("kind: controller", "kind: controller, agents: [l3, dhcp]", []),
        ("grizzly", "nova-network",
         ["6:3: hosts hosts: nova-network needs a group of kind compute",
          "7:3: hosts hosts.network: nova-network has no network nodes; "
          "write `null` to take the group away"]),
    ],
)  # fmt: skip
def test_a_release_needs_its_kinds_of_hosts(problems, old, new, lines):
    text = BASE.replace("neutron: {agent_down_time: 9s}", "neutron: {agent_down_time: 60s}")
    assert problems(text.replace(old, new)) == lines


def test_without_the_hosts_nobody_complains_of_actions_on_them(problems):
    lines = problems(
        BASE.replace("kind: network", "kind: compute")
        + "actions: [{at: 1h, op: agent_stop, agent: network-1/l3}]\n"
    )
    assert [line.split(" ")[1] for line in lines] == ["hosts", "hosts"]


WITH_GATEWAY = BASE.replace("count: 2}", "count: 2, gateway_external_network_id: public}")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (WITH_GATEWAY + TWO + "workload: {per_tenant: {routers: {public: 1}}}\n",
         ["8:33: unreachable external_networks.private: no L3 agent reaches 'private'; "
          "set gateway_external_network_id of a group"]),
        (BASE.replace("count: 2}", "count: 2, gateway_external_network_id: publik}"),
         ["1:1: unreachable external_networks.public: no L3 agent reaches 'public'; "
          "set gateway_external_network_id of a group",
          "7:67: unknown_network hosts.network.gateway_external_network_id: "
          "no external network 'publik'; did you mean 'public'?"]),
        (BASE + TWO + "workload: {per_tenant: {gateway: false}}\n",
         ["7:3: ambiguous hosts.network: with several external networks each L3 agent must name "
          "its own by gateway_external_network_id (Quantum raises TooManyExternalNetworks and "
          "serves nothing)"]),
        (WITH_GATEWAY + "  more: {kind: network, count: 1, gateway_external_network_id: private}\n"
         + TWO,
         ["1:1: ambiguous workload.per_tenant.routers: say how many on each external network: "
          "{public: 1, private: 1}"]),
        (BASE + "workload: {per_tenant: {routers: {public: 1, privat: 2}}}\n",
         ["8:54: unknown_network workload.per_tenant.routers.privat: no external network "
          "'privat'; allowed: public"]),
        (BASE + "external_networks: {}\n",
         ["8:20: unknown_network external_networks: no external network: give one, or "
          "workload.per_tenant.gateway: false"]),
        (BASE + "external_networks: {}\nworkload: {per_tenant: {gateway: false}}\n", []),
        (NOVA + TWO + "workload: {per_tenant: {routers: {public: 1}}}\n",
         ["7:20: ambiguous external_networks: nova-network's hosts have one way out; "
          "give one external network"]),
    ],
)  # fmt: skip
def test_ways_out(problems, text, lines):
    assert problems(text) == lines


# -- actions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "line"),
    [
        ("op: delete_router, router: tenant-1/router-2",
         "8:47: unknown_router actions[0].router: no router matches 'tenant-1/router-2'; "
         "did you mean 'tenant-1/router-1'?"),
        ("op: delete_network, network: '*/net'",
         "8:49: unknown_network actions[0].network: no network matches '*/net'; "
         "allowed: tenant-1/network-1, tenant-2/network-1"),
        ("op: agent_stop, agent: network-3/l3",
         "8:43: unknown_agent actions[0].agent: no agent matches 'network-3/l3'; "
         "did you mean 'network-2/l3'?"),
        ("op: agent_stop, agent: 'l[3]'",
         "8:43: unknown_agent actions[0].agent: no agent matches 'l[3]'; "
         "allowed: network-1/dhcp, network-1/l2, network-1/l3, network-1/metadata, "
         "network-2/dhcp, network-2/l2, network-2/l3, network-2/metadata"),
    ],
)  # fmt: skip
def test_an_action_on_what_does_not_exist(problems, action, line):
    text = BASE + f"actions: [{{at: 1h, {action}}}]\nworkload: {{tenants: 2}}\n"
    assert problems(text) == [line]


@pytest.mark.parametrize(
    "action",
    [
        "op: delete_router, router: 'tenant-1?/router-1'",
        "op: delete_network, network: 'tenant-[1-3]/*'",
        "op: update_agent, agent: '*/l3', admin_state_up: false",
        "op: add_router_to_agent, router: tenant-10/router-1, agent: network-2/l3",
    ],
)
def test_an_action_may_use_patterns(problems, action):
    lines = problems(BASE + "workload: {tenants: 12}\n" + f"actions: [{{at: 1h, {action}}}]\n")
    assert lines == []


def test_folsom_has_no_bindings_to_change(problems):
    lines = problems(
        FOLSOM + "actions:\n  - {at: 1h, op: delete_agent, agent: network-1/l3}\n"
        "  - {at: 1h, op: agent_stop, agent: network-1/l3}\n"
    )
    assert [line for line in lines if "warning" not in line] == [
        "8:18: unknown_operation actions[0].op: folsom has no agents table and no bindings, "
        "so no 'delete_agent'"
    ]


def test_names_of_objects():
    one = system(workload={"tenants": 2, "per_tenant": {"networks": 2, "routers": {"public": 1}}})
    assert list(check.network_names(one)) == [
        "tenant-1/network-1",
        "tenant-1/network-2",
        "tenant-2/network-1",
        "tenant-2/network-2",
    ]
    assert list(check.router_names(one)) == ["tenant-1/router-1", "tenant-2/router-1"]


# -- sizes -----------------------------------------------------------------------------------


def test_a_thousand_million_routers(problems):
    assert problems(BASE + "workload: {tenants: 1000000000, per_tenant: {networks: 0}}\n") == [
        "8:21: too_many workload.tenants: 1,000,000,000 networks and routers; at most 10,000,000 "
        "fit in memory (about 1.8 kB each)"
    ]


@pytest.mark.parametrize(("tenants", "found"), [(5_000_000, []), (5_000_001, ["too_many"])])
def test_up_to_ten_million_objects(tenants, found):
    """Each tenant has one network and one router."""
    one = system(neutron={"agent_down_time": "9s"}, workload={"tenants": tenants})
    assert codes(check_system(one)) == found


def test_too_many_hosts_and_objects_take_neither_time_nor_memory(problems):
    text = BASE.replace("count: 2", "count: 1000000000") + (
        "workload: {tenants: 1000000, per_tenant: {routers: 1000}}\n"
        "failures: {network-999999999: none, network-1000000001: none}\n"
        "actions: [{at: 1h, op: agent_stop, agent: nobody}]\n"
        "variants: {a: , b: {}}\n"
    )
    tracemalloc.start()
    started = time.process_time()
    lines = problems(text)
    seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [" ".join(line.split(" ")[:3]) for line in lines] == [
        "6:3: too_many hosts:",
        "8:21: too_many workload.tenants:",
        "9:37: unknown_component failures.network-1000000001:",
    ]
    assert "1,000,000,001 hosts; at most 100,000" in lines[0]
    assert seconds < 5
    assert peak < 20e6


def test_names_of_many_objects_are_looked_up_without_a_list_of_them():
    """400,000 names would be 30 MB."""
    action = {"at": "1h", "op": "delete_router", "router": "tenant-200001/*"}
    one = system(neutron={"agent_down_time": "9s"}, workload={"tenants": 200_000}, actions=[action])
    tracemalloc.start()
    findings = check_system(one)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert codes(findings) == ["unknown_router"]
    assert peak < 5e6


def test_many_groups_are_no_quadratic_work(problems):
    """4000 groups; each against each would be 16 million."""
    groups = "".join(f"  g{i}: {{kind: network, count: 1}}\n" for i in range(4000))
    started = time.process_time()
    assert problems(BASE + groups + "rates: paper\n") == []
    assert time.process_time() - started < 15


@pytest.mark.parametrize(
    ("keys", "horizon", "events"),
    [
        ({}, 1e6, 0),
        # 3 hosts, a cycle of 100 s, 6 events each: 3 * 6 * 1000 / 100
        ({"failures": {"host": {"time_to_failure": "60s", "time_to_repair": "40s"}}}, 1000, 180),
        ({"failures": {"host": {"outages": [{"at": "1s", "for": "1s"}]}}}, 1000, 0),
        # 2 network nodes with 3 agents that report each 4 s, 2 events each
        ({"heartbeats": "explicit"}, 1000, 2 * 3 * 2 * 1000 / 4),
        ({"workload": {"changes": {"ports": {"arrivals": "1/s"}}}}, 1000, 4000),
        ({"rates": "lanl", "failures": {"host": "none"}}, 1e9, 0),
        # a tenant comes: 4, and brings and takes 1 router (2 calls) and 1 network of 10 + 1
        ({"workload": {"changes": {"tenants": {"arrivals": "1/s"}}}}, 1000, 1000 * (4 + 2 * 13)),
        (
            {
                "workload": {
                    "per_tenant": {"vms": 10**12},
                    "changes": {"tenants": {"arrivals": "1/y"}},
                }
            },
            365 * 86400,
            2e12,
        ),
        # belief flaps at each heartbeat: 2 nodes with 3 agents, each 4 s, down and alive
        ({"neutron": {"agent_down_time": "3s"}}, 1000, 2 * 3 * 2 * 1000 / 4),
        # one heartbeat in ten is later than 9 s - 4 s: exp(-5 / mean) = 0.1
        (
            {
                "neutron": {"agent_down_time": "9s"},
                "broker": {"delay": {"exponential": {"mean": f"{5 / math.log(10)}s"}}},
            },
            1000,
            0.1 * 2 * 3 * 2 * 1000 / 4,
        ),
        ({"broker": {"loss": "50%"}}, 1000, 0.5 * 2 * 3 * 2 * 1000 / 4),
    ],
)
def test_how_many_events_a_replication_makes(keys, horizon, events):
    assert estimate_events(system(**keys), horizon) == pytest.approx(events)


def test_too_many_events(problems):
    """3 hosts * 6 * 1 y / 0.2 s = 2.8e9."""
    lines = problems(
        BASE + "failures: {host: {time_to_failure: 100ms, time_to_repair: 100ms}}\n"
        "variants: {a: , b: {failures: {host: null}}}\n"
    )
    assert lines == [
        "2:10: too_many horizon: variant 'a' would make about 2.8e+09 events in one replication; "
        "at most 5e+08 are allowed: shorten it, or give fewer components, arrivals or "
        "late heartbeats"
    ]


@pytest.mark.parametrize(
    ("horizon", "lines"),
    [
        ("250y", []),
        ("251y", ["2:10: too_long horizon: '251 y' is too long: at most 250 y "
                  "(the clock is exact up to 272 y)"]),
    ],
)  # fmt: skip
def test_the_clock_is_exact_for_so_long(problems, horizon, lines):
    assert problems(BASE.replace("1y", horizon)) == lines


@pytest.mark.parametrize(("warm_up", "found"), [("364d", False), ("365d", True), ("2y", True)])
def test_the_warm_up_ends_before_the_horizon(problems, warm_up, found):
    expected = ["8:10: warm_up warm_up: the warm-up must be shorter than the horizon"]
    assert problems(BASE + f"warm_up: {warm_up}\n") == (expected if found else [])


def test_every_warning_code_is_in_the_table_of_the_module():
    text = "".join(Path(m.__file__).read_text(encoding="utf-8") for m in (check, check_options))
    assert set(re.findall(r'"(NN\d+)"', text)) == set(
        re.findall(r"\| (NN\d+) \|", check.__doc__ or "")
    )


def test_arrivals_count_among_the_objects(problems):
    """2 objects a tenant, 1000 tenants an hour for a year: 17.5 million."""
    (line,) = problems(
        BASE + "workload: {changes: {tenants: {arrivals: 1000/h}}, per_tenant: {vms: 0}}\n"
    )
    assert "too_many horizon: variant 'base' would come to about 1.8e+07 networks" in line


def test_nova_network_has_a_network_and_a_gateway_on_each_compute_host():
    hosts = {"controller": {"kind": "controller", "count": 1},
             "compute": {"kind": "compute", "count": 7}}  # fmt: skip
    one = system(release="nova-network", hosts=hosts, workload={"tenants": 10**6})
    assert size.object_count(one) == size.objects_in_all(one, 1e9) == 14


# -- distributed routers -------------------------------------------------------------------

SNAT = {"kind": "network", "count": 1, "agent_mode": "dvr_snat"}
COMPUTE = {"kind": "compute", "count": 1, "agents": ["l3", "l2"], "agent_mode": "dvr"}


def distributed(*, snat=SNAT, compute=COMPUTE, **keys):
    groups = {"controller": {"kind": "controller", "count": 1}, "snat": snat, "compute": compute}
    groups = {name: group for name, group in groups.items() if group}
    neutron = {"router_distributed": True}
    keys = {"release": "mitaka", "hosts": groups, "neutron": neutron, **keys}
    return list(check_system(System.model_validate(keys)))


def test_distributed_routers_need_snat_nodes_and_hosts_for_vms():
    assert not distributed()
    assert not distributed(compute={**COMPUTE, "agent_mode": "dvr_no_external"}, release="queens")
    (finding,) = distributed(compute={**COMPUTE, "agent_mode": "dvr_no_external"})
    assert "it exists in: queens to 2026.2" in finding.message
    (finding,) = distributed(snat={**SNAT, "agent_mode": "legacy"})
    assert "agent_mode: dvr_snat" in finding.message
    for compute in (None, {**COMPUTE, "agent_mode": "legacy"}, {"kind": "compute", "count": 1}):
        (finding,) = distributed(compute=compute)
        assert "agents: [l3, l2] and agent_mode: dvr" in finding.message


def test_agents_of_compute_hosts_are_no_network_nodes():
    """They do not make up for an L3 agent that routers are bound to, and reach every network."""
    plain = {"neutron": {}, "external_networks": {"a": {}, "b": {}}}
    workload = {"per_tenant": {"routers": {"a": 1, "b": 1}}}
    (finding,) = distributed(snat=None, neutron={}, workload={"tenants": 0})[:1]
    assert finding.message == "no host runs an agent of type l3"
    only_a = {**SNAT, "gateway_external_network_id": "a"}
    assert [finding.path for finding in distributed(snat=only_a, workload=workload, **plain)] == [
        ("external_networks", "b")
    ]


def test_what_is_not_modelled_of_distributed_routers():
    changes = {"floating_ips": {"arrivals": "1/h"}}
    (finding,) = distributed(workload={"changes": changes})
    assert finding.path == ("workload", "changes", "floating_ips")
    no_gateway = {"per_tenant": {"gateway": False}}
    assert not distributed(workload=no_gateway)
    (finding,) = distributed(release="liberty", workload=no_gateway)
    assert finding.path == ("workload", "per_tenant", "gateway")
    (finding,) = distributed(compute={**COMPUTE, "gateway_external_network_id": "public"})
    assert finding.path == ("hosts", "compute", "gateway_external_network_id")
    found = distributed(compute={**COMPUTE, "kind": "network"})
    assert [finding.path for finding in found] == [("hosts", "compute", "agent_mode")]
