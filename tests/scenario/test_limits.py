"""Thresholds in a scenario: each in its metric's unit, each mistake at its place."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from simulator.analysis.metrics import METRICS
from simulator.metric_units import METRIC_UNITS, SHARE
from simulator.scenario.json_schema import json_schema
from simulator.scenario.load import load, load_scenario, resolved_yaml
from simulator.scenario.schema import dump
from simulator.scenario.thresholds import Threshold

BASE = """\
version: 1
horizon: 1y
release: grizzly
neutron: {agent_down_time: 9s}
hosts:
  controller: {kind: controller, count: 1}
  network: {kind: network, count: 2}
variants: {one: {}, two: {}}
thresholds:
"""


def told(tmp_path, text, *overrides):
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return [str(p).removeprefix(f"{path}:") for p in load(path, overrides).problems]


def limit(metric, value):
    return f'  - {{metric: {metric}, op: "<", value: {value}}}\n'


def test_every_metric_is_there_with_the_unit_it_is_measured_in():
    assert list(METRIC_UNITS) == list(METRICS)
    for name, metric in METRICS.items():
        assert METRIC_UNITS[name].symbol == metric.unit
        assert (METRIC_UNITS[name] is SHARE) == (metric.high == 1.0)


@pytest.mark.parametrize(
    ("metric", "value", "number"),
    [
        ("router.availability", "99.95%", 0.9995),
        ("router.availability", "0.9995", 0.9995),
        ("router.availability", "1", 1.0),
        ("router.blast_radius_max", "50 %", 0.5),
        ("router.outage_p95", "30s", 30.0),
        ("router.outage_p95", "5min", 300.0),
        ("router.outage_p95", "0", 0.0),
        ("vm.hours_without_address", "90min", 1.5),
        ("vm.hours_without_address", "2d", 48.0),
        ("load.carried", "4Gbps", 4e9),
        ("router.outages", "12", 12.0),
        ("dhcp.servers_per_node_max", "1.5", 1.5),
    ],
)
def test_a_limit_is_read_in_its_metrics_unit(tmp_path, metric, value, number):
    path = tmp_path / "s.yaml"
    path.write_text(BASE + limit(metric, value))
    scenario = load_scenario(path)
    (threshold,) = scenario.thresholds
    assert (threshold.value, threshold.variant, threshold.on) == (number, None, "mean")
    assert scenario.threshold_places == (f"{path}:10",)
    document = YAML(typ="safe").load(path.read_text())
    assert Draft7Validator(json_schema()).is_valid(document)


@pytest.mark.parametrize(
    ("metric", "value", "why"),
    [
        ("router.availability", "99.95", "quantity: '99.95' is not between 0 and 1; write '99.95%'"
         " or 0.9995 (router.availability is a share, like 99.95%)"),
        ("router.availability", "30s", "quantity: unknown unit 's'; allowed: % (router.avail"),
        ("router.availability", "101%", "quantity: '101%' is not between 0 and 1"),
        ("router.outage_p95", "30", "quantity: '30' has no unit; allowed: us, ms, s, min,"),
        ("router.outage_p95", "99%", "quantity: unknown unit '%'; allowed: us, ms, s"),
        ("router.outage_p95", "-30s", "out_of_range: '-30s' must not be negative"),
        ("router.outage_p95", "1e30s", "out_of_range: '1e30s' is too large: at most 1e+15"),
        ("vm.hours_without_address", "2", "quantity: '2' has no unit"),
        ("vm.hours_without_address", "2m", "quantity: 'm' is ambiguous: write 'min'"),
        ("load.carried", "4s", "quantity: unknown unit 's'; allowed: bps, bit/s"),
        ("router.outages", "3h", "quantity: '3h' is not a plain number (router.outages is a"),
        ("router.outages", "'3'", "quantity: '3' is not a plain number"),
        ("router.outages", "true", "quantity: 'True' is not a plain number"),
        ("router.outages", ".inf", "quantity: 'inf' is not a plain number"),
        ("router.outages", "[3]", "quantity: '[3]' is not a plain number"),
    ],
)  # fmt: skip
def test_a_wrong_unit_is_told_at_the_value(tmp_path, metric, value, why):
    (line,) = told(tmp_path, BASE + limit(metric, value))
    code, rest = why.split(": ", 1)
    column = len(limit(metric, "")) - 1
    assert line.startswith(f"10:{column}: {code} thresholds[0].value: {rest}")


def test_all_mistakes_of_all_thresholds_come_at_once(tmp_path):
    lines = told(
        tmp_path,
        BASE + '  - {metric: router.availabilty, op: ">=", value: 7, variant: on}\n'
        '  - {metric: router.outages, op: "==", value: 3, variant: two, on: median}\n'
        '  - {metric: router.outages, op: "<", value: 3, vairant: two}\n'
        '  - {metric: router.outages, op: "<", variant: 3}\n'
        "  - router.outages < 3\n"
        '  - {metric: router.outages, op: "<", value: 3, variant: three}\n',
    )
    assert [tuple(line.split(" ")[1:3]) for line in lines] == [
        ("literal_error", "thresholds[0].metric:"),
        ("unknown_variant", "thresholds[0].variant:"),
        ("literal_error", "thresholds[1].op:"),
        ("literal_error", "thresholds[1].on:"),
        ("extra_forbidden", "thresholds[2].vairant:"),
        ("missing", "thresholds[3].value:"),
        ("string_type", "thresholds[3].variant:"),
        ("model_type", "thresholds[4]:"),
        ("unknown_variant", "thresholds[5].variant:"),
    ]
    assert lines[0].startswith("10:14: ")
    assert lines[0].endswith("did you mean 'router.availability'?")
    assert lines[1].endswith("no variant is named 'on'; did you mean 'one'?")
    assert told(tmp_path, BASE + limit("router.outages", 3).replace('"<"', '"=>"'))[0].endswith(
        "'=>' is not allowed; did you mean '>='?"
    )
    assert lines[2].endswith("'==' is not allowed; allowed: <, <=, >, >=")
    assert lines[8].startswith("15:58: ")


@pytest.mark.parametrize("value", ["7", "{}", "null"])
def test_thresholds_are_a_list(tmp_path, value):
    (line,) = told(tmp_path, BASE.replace("thresholds:", f"thresholds: {value}"))
    assert line.split(" ")[1:3] == ["tuple_type", "thresholds:"]


def test_a_variant_has_no_thresholds_of_its_own(tmp_path):
    text = BASE.replace("two: {}", "two: {thresholds: []}") + limit("router.outages", 3)
    (line,) = told(tmp_path, text)
    assert line == (
        "8:27: not_in_variant variants.two.thresholds: 'thresholds' is the same for all variants"
    )
    text = BASE.replace("variants: {one: {}, two: {}}", "matrix: {thresholds: [[], []]}")
    assert "not_in_variant" in told(tmp_path, text + limit("router.outages", 3))[0]


def test_thresholds_can_be_set_from_outside(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(BASE + limit("router.outages", 3))
    given = '[{metric: load.offered, op: ">", value: 1Mbps}]'
    loaded = load(path, [f"thresholds={given}"])
    assert [one.metric for one in loaded.scenario.thresholds] == ["load.offered"]
    assert loaded.scenario.threshold_places == ("",)


@given(st.sampled_from(list(METRIC_UNITS)), st.floats(0, 1e15), st.sampled_from(["mean", "p95"]))
def test_a_threshold_written_is_the_threshold_read(metric, value, on):
    """Bit for bit, in the unit of its metric."""
    if METRIC_UNITS[metric] is SHARE:
        value = round(math.modf(value)[0], 15)
    written = METRIC_UNITS[metric].write(value)
    threshold = Threshold(metric=metric, op="<=", value=written, on=on)
    assert threshold.value == value
    assert Threshold(**threshold.model_dump(mode="json")) == threshold


def test_a_scenario_keeps_its_thresholds_when_it_is_written(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(BASE + limit("vm.hours_without_address", "100min") + limit("load.offered", 0))
    scenario = load_scenario(path)
    path.write_text(resolved_yaml(scenario))
    assert dump(load_scenario(path)) == dump(scenario)
    assert load_scenario(path).thresholds == scenario.thresholds
