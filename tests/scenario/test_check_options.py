"""What the options of a release, and rules against it, cannot be: each is found where it stands."""

from __future__ import annotations

import pytest

from simulator.scenario.keys import release_values
from simulator.scenario.load import load
from simulator.scenario.series import (
    RELEASES,
    SEEN_IN_NO_RUN,
    behaviours,
    in_force,
    values_of,
    written,
)

HOSTS = {
    "controller": "{kind: controller, count: 1}",
    "network": "{kind: network, count: 2}",
}
DVR = {**HOSTS, "network": "{kind: network, count: 2, agent_mode: dvr_snat}",
       "compute": "{kind: compute, count: 2, agents: [l3, l2], agent_mode: dvr}"}  # fmt: skip


@pytest.fixture
def found(tmp_path):
    """What is wrong with a system of *release*: `line: code path: message` of each problem."""

    def run(release, *lines, hosts=HOSTS):
        groups = [f"  {name}: {group}" for name, group in hosts.items()]
        text = ["version: 1", "horizon: 1d", f"release: {release}", *lines, "hosts:", *groups]
        path = tmp_path / "s.yaml"
        path.write_text("\n".join(text) + "\n")
        problems = [str(p).removeprefix(f"{path}:") for p in load(path).problems]
        return [problem for problem in problems if "warning" not in problem]

    return run


@pytest.mark.parametrize(
    ("release", "lines", "expected"),
    [
        ("juno", ["neutron: {network_scheduler_driver: WeightScheduler}"],
         "juno has no 'WeightScheduler'; it exists since: kilo"),
        ("folsom", ["behaviour: {revival: true}"],
         "folsom has neither a scheduler nor rules that could be others"),
        ("kilo", ["behaviour: {revivl: true}"],
         "no release has a rule or habit 'revivl'; did you mean 'revival'?"),
        ("kilo", ["behaviour: {loop_errors: ignore}"],
         "no release has that; allowed: end_pass or kill"),
        ("kilo", ["behaviour: {network_triggers: [subnet]}"],
         "no release has that; allowed: [port] or [port, subnet] or [port, subnet, interface]"),
        ("kilo", ["behaviour: {revival: 1}"], "no release has that; allowed: false or true"),
        ("kilo", ["behaviour: {l3_workers: 8}"],
         "no release has that; allowed: [1, 1] or unbounded or [8, 8] or [8, 32] or [32, 32]"),
        ("kilo", ["behaviour: {revival: maybe}"], "no release has that; allowed: false or true"),
        ("queens", ["neutron: {dhcp_renewal_time: 2d}"],
         "dhcp_renewal_time 172800 s is longer than dhcp_lease_duration 86400 s"),
        ("queens", ["neutron: {dhcp_renewal_time: 8h, dhcp_rebinding_time: 7h}"],
         "dhcp_renewal_time 28800 s is longer than dhcp_rebinding_time 25200 s"),
        ("stein", ["neutron: {rpc_response_max_timeout: 30s}"],
         "rpc_response_max_timeout 30 s is below rpc_response_timeout 60 s"),
        ("juno", ["neutron: {l3_ha: true}", "workload: {per_tenant: {routers: 255}}"],
         "255 highly available routers of a tenant; VRRP has 254 numbers for them"),
        ("juno", ["neutron: {l3_ha: true, max_l3_agents_per_router: 1}"],
         "max_l3_agents_per_router 1 is below min_l3_agents_per_router 2"),
        ("juno", ["neutron: {l3_ha: true, min_l3_agents_per_router: 3}"],
         "a highly available router needs 3 L3 agents at least; there are 2"),
        ("ocata", ["neutron: {min_l3_agents_per_router: 1}"],
         "ocata has no option 'min_l3_agents_per_router'; it exists in: juno to newton"),
        ("mitaka", ["neutron: {default_availability_zones: [novo]}"],
         "no agent is in 'novo'; did you mean 'nova'?"),
        ("mitaka", ["workload: {per_tenant: {availability_zone_hints: [east]}}"],
         "no agent is in 'east'; allowed: nova"),
        ("liberty", ["workload: {per_tenant: {availability_zone_hints: [nova]}}"],
         "liberty has no availability zones; mitaka and later do"),
    ],
)  # fmt: skip
def test_an_option_or_rule_that_cannot_be(found, release, lines, expected):
    (problem,) = found(release, *lines)
    assert problem.endswith(expected)


@pytest.mark.parametrize(
    ("release", "name", "group", "expected"),
    [
        ("icehouse", "network", "{kind: network, count: 2, agent_mode: legacy}",
         "icehouse has no option 'agent_mode'; it exists in: juno to 2026.2"),
        ("liberty", "network", "{kind: network, count: 2, availability_zone: east}",
         "liberty has no option 'availability_zone'; it exists in: mitaka to 2026.2"),
        ("juno", "network", "{kind: network, count: 2, agents: [dhcp, l2], agent_mode: legacy}",
         "agent_mode is for L3 agents; this group has none"),
        ("train", "network", "{kind: network, count: 2, gateway_external_network_id: public}",
         "train has no option 'gateway_external_network_id'; it exists until stein"),
        ("juno", "network", "{kind: network, count: 2, agent_mode: dvr}",
         "agent_mode dvr is for compute hosts, which VMs are on"),
        ("pike", "compute",
         "{kind: compute, count: 2, agents: [l3, l2], agent_mode: dvr_no_external}",
         "pike has no agent_mode 'dvr_no_external'; it exists in: queens to 2026.2"),
        ("pike", "compute", "{kind: compute, count: 2, agents: [l3, l2], agent_mode: dvr, "
         "gateway_external_network_id: public}",
         "an external network of compute hosts' own L3 agents is not modelled"),
    ],
)  # fmt: skip
def test_a_group_of_hosts_that_cannot_be(found, release, name, group, expected):
    problems = found(release, hosts={**HOSTS, name: group})
    assert any(expected in problem for problem in problems)


def test_what_is_checked_is_the_behaviour_in_force(found):
    options = "neutron: {router_distributed: true, l3_ha: true}"
    assert found("liberty", options, "behaviour: {distributed_ha: allowed}", hosts=DVR) == []
    refused = found("mitaka", options, "behaviour: {distributed_ha: refused}", hosts=DVR)
    assert "has no routers that are both" in refused[0]
    group = "{kind: network, count: 2, gateway_external_network_id: public}"
    keys = "[router_id, gateway_external_network_id, handle_internal_only_routers]"
    behaviour = f"behaviour: {{candidate_filter: {keys}}}"
    assert found("train", behaviour, hosts={**HOSTS, "network": group}) == []


@pytest.mark.parametrize("release", ["nova-network", "folsom", "grizzly", "icehouse"])
def test_neither_kind_of_router_before_juno(found, release):
    hosts = {**HOSTS, "compute": "{kind: compute, count: 1}"}
    problems = found(release, "neutron: {router_distributed: true, l3_ha: true}", hosts=hosts)
    for option in ("router_distributed", "l3_ha"):
        assert any(f"has no option '{option}'; it exists in: juno to 2026.2" in p for p in problems)


@pytest.mark.parametrize("name", SEEN_IN_NO_RUN)
@pytest.mark.parametrize("value", ["error", "null"])
def test_what_no_run_shows_cannot_be_chosen(found, name, value):
    (problem,) = found("kilo", f"behaviour: {{{name}: {value}}}")
    assert problem == (
        f"4:13: unknown_option behaviour.{name}: the rule or habit '{name}' makes no difference "
        "in a run and cannot be chosen"
    )


@pytest.mark.parametrize(
    "value", ["null", "{}", "{a: 1}", "[[1]]", "[a, 1]", "[1, -1]", "[null]", "''", "a b", "3.5"]
)
def test_a_value_of_no_kind_is_one_mistake(found, value):
    """Told at its place, with what is allowed; and so is a name that no rule has."""
    assert found("kilo", f"behaviour: {{revival: {value}}}") == [
        "4:22: out_of_range behaviour.revival: no release has that; allowed: false or true"
    ]
    assert found("2026.2", f"behaviour: {{l3_retri: {value}, dhcp_sync: unbound}}") == [
        "4:13: unknown_option behaviour.l3_retri: no release has a rule or habit 'l3_retri'; "
        "did you mean 'l3_retry'?"
    ]
    (problem,) = found("folsom", f"behaviour: {{revival: {value}}}")
    assert "folsom has neither a scheduler" in problem


@pytest.mark.parametrize("name", [name for name, one in RELEASES.items() if one.has_scheduler])
def test_what_is_printed_of_a_release_can_be_copied_into_a_scenario(tmp_path, name):
    """All of its rules and habits, pasted as they are, make two others behave like it."""
    release, known = RELEASES[name], behaviours()
    printed = {v.path: v.value for v in release_values(release) if v.path in known}
    path = tmp_path / "s.yaml"
    for other in ("grizzly", "2026.2"):
        lines = ["version: 1", "horizon: 1d", f"release: '{other}'", "hosts:"]
        lines += [f"  {group}: {value}" for group, value in HOSTS.items()]
        lines += ["behaviour:", *(f"  {rule}: {value}" for rule, value in printed.items())]
        path.write_text("\n".join(lines) + "\n")
        loaded = load(path)
        assert loaded.scenario, loaded.problems
        found, wanted = values_of(in_force(loaded.scenario.variants["base"])), values_of(release)
        assert {rule: found[rule] for rule in printed} == {rule: wanted[rule] for rule in printed}
    assert {rule for rule, value in wanted.items() if isinstance(value, tuple)} <= {
        *printed, "default_availability_zones",
    }  # fmt: skip


def test_a_set_has_one_order_and_an_empty_one_is_a_list():
    assert written(frozenset({"l3", "dhcp", "l2"})) == "[dhcp, l2, l3]"
    assert written(()) == written(frozenset()) == "[]"


def test_a_reading_that_no_release_has_can_be_chosen(found):
    assert found("2024.1", "behaviour: {ha_failover: moves}") == []


def test_distributed_routers_that_are_highly_available_too(found):
    options = "neutron: {router_distributed: true, l3_ha: true}"
    (problem,) = found("liberty", options, hosts=DVR)
    assert "liberty has no routers that are both" in problem
    assert found("mitaka", options, hosts=DVR) == []
