"""What an editor's schema underlines, a run refuses too; and every fault is told at once."""

from __future__ import annotations

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from simulator.scenario.json_schema import json_schema
from simulator.scenario.load import load

BASE = """\
version: 1
horizon: 1y
release: grizzly
neutron: {agent_down_time: 9s}
hosts:
  controller: {kind: controller, count: 1}
  network: {kind: network, count: 2}
"""


def told(tmp_path, text, *overrides):
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return [str(p).removeprefix(f"{path}:") for p in load(path, overrides).problems]


WEIBULL = (
    "failures: {{host: {{time_to_repair: 1h, "
    "time_to_failure: {{weibull: {{shape: {}, mean: 1h}}}}}}}}"
)
FACTOR = "workload: {{traffic: {{daily: [{{from: 0h, factor: {}}}]}}}}"
GATEWAY = "workload: {{per_tenant: {{gateway: {}}}}}"
SCHEDULE = "neutron: {{network_auto_schedule: {}}}"


@pytest.mark.parametrize(
    ("line", "good", "bad"),
    [
        (WEIBULL, ("0.7", "2"), ("true", "'2'", "null", "yes")),
        (FACTOR, ("0.5", "1"), ("true", "'0.5'")),
        (GATEWAY, ("true", "false"), ("1", "0", "'true'", "yes", "'off'")),
        (SCHEDULE, ("true", "false"), ("1", "'false'", "on")),
        ("replications: {}", ("1000000",), ("5000000", "1000001", "true", "'3'")),
    ],
)
def test_editor_and_command_agree(tmp_path, line, good, bad):
    checker = Draft7Validator(json_schema())
    base = BASE.replace("neutron: {agent_down_time: 9s}\n", "") if "neutron" in line else BASE
    for value in (*good, *bad):
        text = base + line.format(value) + "\n"
        problems = [p for p in told(tmp_path, text) if "warning" not in p]
        assert bool(problems) == (value in bad), (value, problems)
        if value != "null":
            assert checker.is_valid(YAML(typ="safe").load(text)) == (value in good), value
        assert all(problem.startswith(f"{text.count(chr(10))}:") for problem in problems)


def test_a_wrong_action_does_not_hide_the_faults_of_the_others(tmp_path):
    lines = told(
        tmp_path,
        BASE + "actions:\n  - {at: 1x, op: agent_stop, agent: network-1/l3}\n"
        "  - {at: 1h, op: agent_stop, agent: network-9/l3}\n"
        "  - {at: 1h, op: agent_stopp, agent: network-1/l3}\n"
        "  - {at: 1h, op: delete_router, router: nosuch}\n",
    )
    assert [line.split(" ")[0] + line.split(" ")[1] for line in lines] == [
        "9:10:quantity", "10:37:unknown_agent", "11:18:literal_error", "12:41:unknown_router",
    ]  # fmt: skip


def test_both_of_two_equal_keys_are_checked(tmp_path):
    lines = told(tmp_path, BASE + "workload: {tenants: -1}\nworkload: {tenant: 3}\n")
    assert [line.split(" ")[1] for line in lines] == [
        "greater_than_equal", "duplicate_key", "extra_forbidden",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        (BASE + "variants: {a: {hosts: {netwrok: {count: 3}}}}\n", ()),
        (BASE + "matrix: {hosts.netwrok.count: [1]}\n", ()),
        (BASE, ("hosts.netwrok.count=3",)),
    ],
)
def test_a_variant_that_names_nothing_is_told_the_nearest(tmp_path, text, overrides):
    (line,) = told(tmp_path, text, *overrides)
    assert "no group 'netwrok'" in line
    assert line.endswith("did you mean 'network'?")


@pytest.mark.parametrize("name", ["5", "true", "null", "1.5"])
def test_a_name_that_is_no_text_is_told(tmp_path, name):
    lines = told(tmp_path, BASE + f"  {name}: {{kind: network, count: 1}}\n")
    assert lines == [f"8:3: name hosts.{name}: the key '{name}' is no text; put it in quotes"]
    assert told(tmp_path, BASE + f"  '{name}': {{kind: network, count: 1}}\n") == []


def test_an_agent_is_on_a_host_once(tmp_path):
    (line,) = told(tmp_path, BASE.replace("count: 2", "count: 2, agents: [l3, dhcp, l3]"))
    assert "duplicate_agent hosts.network" in line


def test_digits_are_ascii(tmp_path):
    (line,) = told(tmp_path, BASE.replace("1y", "１y"))
    assert line.startswith("2:10: quantity horizon: ")
