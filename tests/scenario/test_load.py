"""From a file to a Scenario, or to every problem of the file at once."""

from __future__ import annotations

import copy
import json
import math
import os
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.distributions import (
    Deterministic,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Mixture,
    Weibull,
)
from simulator.errors import InputError, Problem, ScenarioError
from simulator.scenario.load import Loaded, load, load_scenario, resolved_yaml
from simulator.scenario.schema import Scenario, dump

BASE = """\
version: 1
horizon: 1y
release: grizzly
neutron: {agent_down_time: 9s}
hosts:
  controller: {kind: controller, count: 1}
  network: {kind: network, count: 2}
"""


@pytest.fixture
def read(tmp_path):
    """Loads a text as the file `s.yaml`; problems come back as lines without the folder."""

    def run(text, *overrides):
        path = tmp_path / "s.yaml"
        path.write_text(text, encoding="utf-8")
        loaded = load(path, overrides)
        return loaded.scenario, [str(p).removeprefix(f"{tmp_path}/") for p in loaded.problems]

    return run


def codes(lines):
    return [line.split(" ")[1] for line in lines]


def test_the_least_scenario(read):
    scenario, problems = read(BASE)
    assert problems == []
    assert (scenario.name, scenario.baseline, list(scenario.variants)) == ("s", "base", ["base"])
    assert scenario.horizon == scenario.window == 365 * 86_400
    assert scenario.variants["base"].hosts["network"].count == 2
    assert scenario.variants["base"].neutron.agent_down_time == 9.0


# -- files that are none ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(range(256)), "not a text file in UTF-8"),
        ("é".encode("latin-1"), "not a text file in UTF-8"),
        (BASE.encode("utf-16"), "not a text file in UTF-8"),
        (b" " * 4_000_001, "larger than 4,000,000 bytes; not a scenario"),
    ],
)
def test_a_file_that_is_no_scenario_at_all(tmp_path, content, message):
    path = tmp_path / "s.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    assert str(caught.value) == f"{path}:1:1: unreadable (file): {message}"
    assert caught.value.exit_code == 2


def test_a_folder_a_missing_file_and_a_name_that_cannot_be(tmp_path):
    with pytest.raises(InputError, match="Is a directory"):
        load_scenario(tmp_path)
    with pytest.raises(InputError, match="No such file"):
        load_scenario(tmp_path / "nope.yaml")
    with pytest.raises(InputError, match="null"):
        load_scenario("a\0b")
    with pytest.raises(InputError, match="File name too long"):
        load_scenario("x" * 5000)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_an_endless_file_ends_at_the_limit():
    with pytest.raises(InputError, match="larger than 4,000,000 bytes"):
        load_scenario("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_will_do(tmp_path):
    """As in `netnode validate <(generate)`."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(BASE,))
    writer.start()
    assert load(path).scenario is not None
    writer.join()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "s.yaml:1:1: empty (file): the file is empty"),
        ("# nothing\n", "s.yaml:1:1: empty (file): the file is empty"),
        ("---\n", "s.yaml:1:1: type (file): a scenario must be a mapping"),
        ("null\n", "s.yaml:1:1: type (file): a scenario must be a mapping"),
        ("[1, 2]\n", "s.yaml:1:1: type (file): a scenario must be a mapping"),
        ("words\n", "s.yaml:1:1: type (file): a scenario must be a mapping"),
        ("\0", "s.yaml:1:1: yaml (file): character U+0000 is not allowed; is this a text file?"),
        ("a:\n\tb: 1", "s.yaml:2:1: yaml (file): a tab cannot indent or separate; use spaces"),
    ],
)
def test_a_file_that_is_no_mapping_says_why(read, text, line):
    assert read(text) == (None, [line])


def test_a_byte_order_mark_does_no_harm(read):
    assert read("\ufeff" + BASE)[1] == []


def test_load_scenario_raises_every_problem(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("version: 2\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert caught.value.exit_code == 2
    assert [problem.path for problem in caught.value.problems] == [
        "horizon",
        "hosts",
        "release",
        "version",
    ]
    assert str(caught.value).splitlines()[-1] == (
        f"{path}:1:10: literal_error version: '2' is not allowed; allowed: 1"
    )


# -- one fault, one line ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "neutron: {report_intervl: 3s}",
            "8:11: extra_forbidden neutron.report_intervl: unknown key 'report_intervl'; "
            "did you mean 'report_interval'?",
        ),
        ("sede: 3", "8:1: extra_forbidden sede: unknown key 'sede'; did you mean 'seed'?"),
        (
            "variant: {}",
            "8:1: extra_forbidden variant: unknown key 'variant'; did you mean 'variants'?",
        ),
        (
            "measures: {x: 1}",
            "8:12: extra_forbidden measures.x: unknown key 'x'; "
            "allowed: downtime_limit_per_year, conflicted_counts_as",
        ),
        (
            "costs: {boot: 5m}",
            "8:15: quantity costs.boot: 'm' is ambiguous: write 'min' for minutes; "
            "allowed: us, ms, s, min, h, d, w, y",
        ),
        (
            "costs: {boot: 1:30}",
            "8:15: quantity costs.boot: '1:30' is not a duration; write it like '90s'",
        ),
        (
            "costs:\n  boot: 90",
            "9:9: quantity costs.boot: '90' has no unit; allowed: us, ms, s, min, h, d, w, y",
        ),
        (
            "broker: {loss: 99.95}",
            "8:16: quantity broker.loss: '99.95' is not between 0 and 1; write '99.95%' or 0.9995",
        ),
        ("broker: {loss: 100%}", "8:9: out_of_range broker: loss must be less than 100%"),
        (
            "costs: {boot: -1s}",
            "8:15: out_of_range costs.boot: '-1s' must not be negative",
        ),
        (
            "warm_up: 1e308y",
            "8:10: quantity warm_up: '1e308y' is too large a duration",
        ),
        (
            "warm_up: 1e16s",
            "8:10: out_of_range warm_up: '1e16s' is too large: at most 1e+15 s",
        ),
        (
            "neutron: {report_interval: 0.1us}",
            "8:28: out_of_range neutron.report_interval: '0.1us' is too small: "
            "at least 9.53674e-07 s",
        ),
        (
            "failures: {host: {time_to_failure: {exponential: {mean: -5h}}, time_to_repair: 1h}}",
            "8:57: out_of_range failures.host.time_to_failure.exponential.mean: "
            "'-5h' must not be zero or negative",
        ),
        (
            "failures: {host: {time_to_failure: 0, time_to_repair: 1h}}",
            "8:36: out_of_range failures.host.time_to_failure: '0' must not be zero or negative",
        ),
        (
            "failures: {host: {time_to_failure: {weibull: {shape: 0, mean: 1h}}, "
            "time_to_repair: 1h}}",
            "8:54: greater_than_equal failures.host.time_to_failure.weibull.shape: "
            "'0' is too small: at least 0.05",
        ),
        (
            "broker: {delay: {lognormal: {sigma: 50, mean: 1ms}}}",
            "8:37: less_than_equal broker.delay.lognormal.sigma: '50' is too large: at most 10",
        ),
        (
            "broker: {delay: {weibull: {shape: .nan, mean: 1ms}}}",
            "8:35: finite_number broker.delay.weibull.shape: 'nan' is not a number such as 0.7",
        ),
        (
            "broker: {delay: {weibull: {shape: 2, mean: 1ms, scale: 1ms}}}",
            "8:27: one_of broker.delay.weibull: give exactly one of mean, scale; "
            "found mean and scale (a variant takes away what the base has by `key: null`)",
        ),
        (
            "broker: {delay: {}}",
            "8:17: one_of broker.delay: give exactly one of exponential, weibull, lognormal, "
            "gamma, deterministic, empirical, mixture",
        ),
        (
            "broker: {delay: {mixture: []}}",
            "8:17: empty broker.delay: a mixture needs at least one part",
        ),
        (
            "broker: {delay: {mixture: [{weight: 0, deterministic: 1s}]}}",
            "8:37: greater_than_equal broker.delay.mixture[0].weight: '0' is too small: "
            "at least 1e-09",
        ),
        (
            "broker: {delay: {empirical: {values: [1s], unit: h}}}",
            "8:29: pair broker.delay.empirical: 'column' and 'unit' go with 'file'",
        ),
        (
            "broker: {delay: {empirical: {values: []}}}",
            "8:29: empty broker.delay.empirical: needs at least one value",
        ),
        (
            "failures: {host: {time_to_failure: 1h}}",
            "8:18: one_of failures.host: give both time_to_failure and time_to_repair, "
            "or outages, or none",
        ),
        (
            "failures: {host: {outages: [{at: 1h, for: 2h}, {at: 2h, for: 1h}]}}",
            "8:18: overlap failures.host: outages of one component overlap",
        ),
        (
            "replications: 1e6",
            "8:15: int_type replications: '1000000.0' is not a whole number such as 3",
        ),
        ("replications: 0", "8:15: greater_than_equal replications: '0' is too small: at least 1"),
        ("seed: -1", "8:7: greater_than_equal seed: '-1' is too small: at least 0"),
        (
            "seed: 0x10000000000000000",
            "8:7: less_than seed: '18446744073709551616' is too large: "
            "less than 18,446,744,073,709,551,616",
        ),
        ("seed: true", "8:7: int_type seed: 'true' is not a whole number such as 3"),
        (
            "workload: {tenants: 9999999999999}",
            "8:21: less_than_equal workload.tenants: '9999999999999' is too large: "
            "at most 1,000,000,000,000",
        ),
        (
            "workload: {per_tenant: {gateway: maybe}}",
            "8:34: bool_type workload.per_tenant.gateway: 'maybe' is neither true nor false",
        ),
        (
            "workload: {per_tenant: {routers: some}}",
            "8:34: int_type workload.per_tenant.routers: 'some' is not a whole number such as 3",
        ),
        (
            "workload: {per_tenant: {routers: {public: x}}}",
            "8:43: int_type workload.per_tenant.routers.public: "
            "'x' is not a whole number such as 3",
        ),
        (
            "workload: {per_tenant: {networks: {public: 1}}}",
            "8:35: int_type workload.per_tenant.networks: "
            "a mapping is not a whole number such as 3",
        ),
        (
            "workload: {per_tenant: {routers: {'a b': 1}}}",
            "8:35: string_pattern_mismatch workload.per_tenant.routers.a b: 'a b' cannot be a "
            "name: use letters, digits and _ . -, 63 at most, a letter or digit first",
        ),
        (
            "workload: {traffic: {daily: [{from: 1h, factor: 1}]}}",
            "8:21: profile workload.traffic: steps must start at 0h and rise, all within one day",
        ),
        (
            "segmentation: gree",
            "8:15: literal_error segmentation: 'gree' is not allowed; did you mean 'gre'?",
        ),
        (
            "segmentation: 7",
            "8:15: literal_error segmentation: '7' is not allowed; allowed: gre, vxlan, vlan",
        ),
        ("actions: {}", "8:10: tuple_type actions: a mapping is not a list such as [a, b]"),
        (
            "actions: [{at: 1h, op: agent_stop}]",
            "8:11: arguments actions[0]: agent_stop takes agent",
        ),
        (
            "actions: [{at: 1h, op: delete_ruter, router: r}]",
            "8:24: literal_error actions[0].op: 'delete_ruter' is not allowed; "
            "did you mean 'delete_router'?",
        ),
        ("description: 5", "8:14: string_type description: '5' is not text; put it in quotes"),
        (
            "broker: 5",
            "8:9: model_type broker: '5' is not a mapping; its keys may be: delay, loss",
        ),
        (
            "broker:",
            "8:1: model_type broker: nothing stands here, but a mapping belongs here "
            "({} is an empty one); its keys may be: delay, loss",
        ),
        ("failures: []", "8:11: dict_type failures: a list is not a mapping"),
        (
            "baseline: grizly",
            "8:11: unknown_variant baseline: no variant is named 'grizly'; allowed: base",
        ),
        (
            "release: folsom",
            "8:1: duplicate_key release: duplicate key 'release', first given in line 3",
        ),
    ],
)  # fmt: skip
def test_one_fault_gives_one_line_with_its_place_and_what_is_allowed(read, text, line):
    base = BASE.replace("neutron: {agent_down_time: 9s}", "# line 4")
    scenario, problems = read(base + text + "\n")
    assert scenario is None
    assert [p for p in problems if "NN101" not in p] == [f"s.yaml:{line}"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("version: 1\n", "", "1:1: missing (file): 'version: 1' is missing"),
        ("horizon: 1y\n", "", "1:1: missing horizon: 'horizon' is missing"),
        ("release: grizzly\n", "", "1:1: missing release: 'release' is missing"),
        ("release: grizzly", "release: grizly",
         "3:10: literal_error release: 'grizly' is not allowed; did you mean 'grizzly'?"),
        ("count: 2", "count: 0",
         "7:35: greater_than_equal hosts.network.count: '0' is too small: at least 1"),
        ("count: 2", "count: 2.0",
         "7:35: int_type hosts.network.count: '2.0' is not a whole number such as 3"),
        (", count: 2", "", "7:12: missing hosts.network.count: 'count' is missing"),
        ("kind: network", "kind: netwerk",
         "7:19: literal_error hosts.network.kind: 'netwerk' is not allowed; "
         "did you mean 'network'?"),
        ("version: 1", "version: '1'",
         "1:10: literal_error version: '1' is not allowed; allowed: 1"),
        ("version: 1", "version: true",
         "1:10: literal_error version: 'true' is not allowed; allowed: 1"),
    ],
)  # fmt: skip
def test_one_fault_in_what_every_scenario_needs(read, old, new, line):
    assert read(BASE.replace(old, new)) == (None, [f"s.yaml:{line}"])


def test_yaml_1_2_where_a_scenario_meets_it(read):
    text = BASE + (
        "seed: 010\nwarm_up: 1e3s\nname: on\n"
        "workload: {tenants: 0o17, traffic: {daily: [{from: 0, factor: 1e1}]}}\n"
    )
    scenario, problems = read(text)
    assert problems == []
    assert (scenario.seed, scenario.warm_up, scenario.name) == (10, 1000.0, "on")
    assert scenario.variants["base"].workload.tenants == 15
    assert scenario.variants["base"].workload.traffic.daily[0].factor == 10.0


# -- every problem in one go -----------------------------------------------------------------

BAD = """\
version: 1
horizon: 1y
warm_up: 5m
release: grizzly
replication: 3
neutron: {report_interval: 10s, agent_down_time: 5s}
broker: {loss: 99.95}
rates: papr
hosts:
  controller: {kind: controller, count: 1}
  network: {kind: network, count: 0, gateway_external_network_id: public}
failures:
  host: {time_to_failure: {exponential: {mean: -5h}}, time_to_repair: 1h}
  agent: {time_to_failure: {weibull: {shape: 0, mean: 5h}}, time_to_repair: 1h}
  netwrk-1: none
  rack: none
external_networks: {public: {}, lost: {}}
workload: {tenants: 1000000, per_tenant: {routers: {public: 1000}}}
workload: {tenants: 3}
baseline: nope
variants:
  a:
  b: {nosuch: 3, horizon: 3y}
"""


def test_every_problem_of_a_bad_file_in_one_go_and_sorted(read):
    """Faults of form and of sense: 0 nodes do not hide that nobody reaches `lost`."""
    scenario, problems = read(BAD)
    assert scenario is None
    assert [line.partition(" ")[0] + " " + line.split(" ")[1] for line in problems] == [
        "s.yaml:3:10: quantity",
        "s.yaml:5:1: extra_forbidden",
        "s.yaml:6:50: NN102",
        "s.yaml:7:16: quantity",
        "s.yaml:8:8: unknown_preset",
        "s.yaml:11:35: greater_than_equal",
        "s.yaml:13:48: out_of_range",
        "s.yaml:14:46: greater_than_equal",
        "s.yaml:15:3: unknown_component",
        "s.yaml:16:3: unknown_component",
        "s.yaml:17:33: unreachable",
        "s.yaml:18:21: too_many",
        "s.yaml:19:1: duplicate_key",
        "s.yaml:20:11: unknown_variant",
        "s.yaml:23:7: extra_forbidden",
        "s.yaml:23:18: not_in_variant",
    ]


def test_a_problem_that_all_variants_inherit_is_told_once(read):
    _, problems = read(BASE + "costs: {boot: 5m}\nvariants: {a: , b: {}, c: {seed: 1}}\n")
    assert codes(problems) == ["quantity", "not_in_variant"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        # the interval meant may be 2 s, so nobody knows whether 5 s are too few
        ("{agent_down_time: 9s}", "{report_intervl: 2s, agent_down_time: 5s}", "extra_forbidden"),
        # a controller may be meant, and network nodes with an L3 agent
        ("kind: controller", "kind: controler", "literal_error"),
        ("kind: network", "kind: netwrk", "literal_error"),
        ("{kind: network, count: 2}", "5", "model_type"),
        # there may be a network-2, an LBaaS agent, a second tenant
        ("count: 2}", "count: two}\nfailures: {network-2: none}", "int_type"),
        ("count: 2}", "count: 2, agents: [l3, dhcp, lbas]}\n"
         "actions: [{at: 1h, op: agent_stop, agent: network-2/lbaas}]", "literal_error"),
        ("version: 1", "version: 1\nworkload: {tenants: two}\n"
         "actions: [{at: 1h, op: delete_router, router: tenant-11/router-1}]", "int_type"),
        # each agent may be given a way out
        ("count: 2}", "count: 2, gateway_external_network_id: public}\n"
         "external_networks: {public: {}, private: 7}\n"
         "workload: {per_tenant: {routers: some}}", "int_type model_type unreachable"),
        ("count: 2}", "count: 2, gateway_external_network_id: private}\n"
         "external_networks: [private]\n"
         "workload: {per_tenant: {routers: {private: 1}}}", "dict_type"),
        ("count: 2}", "count: 2, gateway_external_network_id: a b}\n"
         "external_networks: {public: {}, private: {}}\n"
         "workload: {per_tenant: {gateway: false}}", "string_pattern_mismatch"),
    ],
)  # fmt: skip
def test_what_is_left_out_as_wrong_brings_no_problems_of_its_own(read, old, new, code):
    _, problems = read(BASE.replace(old, new))
    assert sorted(codes(problems)) == code.split()


def test_a_long_value_is_shortened_so_that_the_hint_stays_in_sight(read):
    (line,) = read(BASE + f"segmentation: {'vxlan' * 1000}\n")[1]
    assert line.startswith("s.yaml:8:15: literal_error segmentation: 'vxlanvxlan")
    assert line.endswith("…' is not allowed; allowed: gre, vxlan, vlan")
    assert len(line) < 200


def test_a_key_is_suggested_as_the_file_spells_it(read):
    """`for` and `from` are words of Python, so the fields behind have other names."""
    _, problems = read(BASE + "failures: {host: {outages: [{at: 1h, fro: 1h}]}}\n")
    assert problems == [
        "s.yaml:8:29: missing failures.host.outages[0].for: 'for' is missing",
        "s.yaml:8:38: extra_forbidden failures.host.outages[0].fro: unknown key 'fro'; "
        "did you mean 'for'?",
    ]


def test_without_a_baseline_variant_the_rest_is_still_checked(read):
    _, problems = read(BASE + "baseline: x\nvariants: {a: {costs: {boot: 5m}}, b: {}}\n")
    assert codes(problems) == ["unknown_variant", "quantity"]
    assert problems[0].endswith("no variant is named 'x'; allowed: a, b")


def test_a_bad_set_of_variants_does_not_hide_the_base(read):
    _, problems = read(BASE + "costs: {boot: 5m}\nvariants: [a]\n")
    assert codes(problems) == ["quantity", "type"]
    _, problems = read(BASE.replace("release: grizzly\n", "") + "variants: 5\n")
    assert codes(problems) == ["type"]


def test_a_warning_does_not_stop_a_scenario(read):
    scenario, problems = read(BASE.replace("9s", "3s"))
    assert scenario is not None
    assert problems == [
        "s.yaml:4:28: NN102 neutron.agent_down_time: warning: agent_down_time 3 s is below "
        "report_interval 4 s: every agent looks dead before each heartbeat"
    ]


# -- variants, matrix, overrides -------------------------------------------------------------


def test_variants_are_the_base_with_their_keys_on_top(read):
    scenario, problems = read(
        BASE
        + "baseline: b\n"
        + "variants:\n"
        + "  a: {neutron: {report_interval: 3s}, hosts: {network: {count: 5}}}\n"
        + "  b: {neutron: {agent_down_time: 20s}}\n"
        + "  c:\n"
    )
    assert problems == []
    a, b, c = (scenario.variants[name] for name in "abc")
    assert scenario.baseline == "b"
    assert (a.neutron.report_interval, a.neutron.agent_down_time) == (3.0, 9.0)
    assert (a.hosts["network"].count, a.hosts["network"].kind) == (5, "network")
    assert a.hosts["controller"] == b.hosts["controller"]
    assert b.neutron.agent_down_time == 20.0
    assert c.neutron.agent_down_time == 9.0


def test_without_a_baseline_the_first_variant_is_it(read):
    assert read(BASE + "variants: {z: , a: }\n")[0].baseline == "z"


def test_null_in_a_variant_takes_a_key_away(read):
    scenario, problems = read(
        BASE + "rates: paper\nvariants:\n  a: {rates: null, neutron: {agent_down_time: null}}\n"
        "  b: {hosts: {network: null, both: {kind: network, count: 3}}}\n"
    )
    assert codes(problems) == ["NN101"]  # Grizzly's own 5 s and 4 s are back
    assert scenario.variants["a"].rates is None
    assert scenario.variants["a"].neutron.agent_down_time is None
    assert list(scenario.variants["b"].hosts) == ["controller", "both"]


def test_a_variant_that_changes_what_is_not_there(read):
    _, problems = read(BASE + "variants:\n  a: {nutron: null}\n  b: {hosts: {netwrk: null}}\n")
    assert problems == [
        "s.yaml:9:7: extra_forbidden variants.a.nutron: unknown key 'nutron'; "
        "did you mean 'neutron'?",
        "s.yaml:10:23: model_type variants.b.hosts.netwrk: null takes away what the base has, "
        "and the base has nothing here",
    ]


@pytest.mark.parametrize("key", ["seed: 3", "horizon: 2y", "baseline: a", "matrix: {}", "name: x"])
def test_a_variant_cannot_change_the_experiment(read, key):
    name = key.partition(":")[0]
    assert read(BASE + f"variants:\n  a: {{{key}}}\n")[1] == [
        f"s.yaml:9:7: not_in_variant variants.a.{name}: '{name}' is the same for all variants"
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("variants: {}", "8:11: type variants: needs a mapping of names to what each changes"),
        ("variants:", "8:1: type variants: needs a mapping of names to what each changes"),
        ("variants: {a: 5}", "8:15: type variants.a: a variant is a mapping"),
        ("variants: {a b: {}}", "8:12: name variants.a b: 'a b' cannot name a variant: "
         "use letters, digits and _ . , = @ # + -"),
        ("variants: {a: }\nmatrix: {rates: [paper]}",
         "9:1: one_of matrix: give variants or matrix, not both"),
        (f"variants: {{{', '.join(f'v{i}: ' for i in range(1001))}}}",
         "8:11: too_many variants: 1001 variants; at most 1000"),
        ("matrix: [1]", "8:9: type matrix: needs a mapping of dotted paths to lists of values"),
        ("matrix: {rates: paper}",
         "8:17: type matrix.rates: needs a list of values such as [1, 2]"),
        ("matrix: {rates: []}", "8:17: type matrix.rates: needs a list of values such as [1, 2]"),
        ("matrix: {seed: [1, 2]}",
         "8:10: not_in_variant matrix.seed: 'seed' is the same for all variants"),
        ("matrix: {costs.boot: [1s, 1s]}",
         "8:9: duplicate_key matrix: makes the variant 'boot=1s' twice"),
        (f"matrix: {{a: {list(range(40))}, b: {list(range(40))}}}",
         "8:9: too_many matrix: makes 1600 variants; at most 1000 are allowed"),
        (f"matrix: {{rates: [{'x' * 150}]}}", "8:9: name matrix: makes a variant's name that is "
         f"too long or odd: 'rates={'x' * 150}'; use variants"),
    ],
)  # fmt: skip
def test_bad_variants_and_matrices(read, text, line):
    scenario, problems = read(BASE + text + "\n")
    assert scenario is None
    assert f"s.yaml:{line}" in problems


def test_a_matrix_makes_every_combination_named_by_its_values(read):
    scenario, problems = read(
        BASE
        + "matrix:\n"
        + "  hosts.network.count: [1, 2]\n"
        + "  neutron.agent_down_time: [9s, 75s]\n"
        + "  hosts.controller.count: [3]\n"
        + "  rates: [null, paper]\n"
        + "  costs: [{boot: 1min}]\n"
        + "  hosts.network.nics.external: [10Gbit/s]\n"
    )
    assert problems == []
    assert len(scenario.variants) == 2 * 2 * 1 * 2
    names = list(scenario.variants)
    assert names[0] == (
        "hosts.network.count=1,agent_down_time=9s,hosts.controller.count=3,rates=#1,costs=#1,"
        "external=10Gbit-s"
    )
    assert scenario.baseline == names[0]
    last = scenario.variants[names[-1]]
    assert (last.hosts["network"].count, last.neutron.agent_down_time) == (2, 75.0)
    assert (last.hosts["controller"].count, last.rates, last.costs.boot) == (3, "paper", 60.0)
    assert last.hosts["network"].kind == "network"


def test_a_fault_in_a_matrix_stands_where_its_value_stands(read):
    _, problems = read(BASE + "matrix:\n  neutron.agent_down_time: [9s, 9m]\n")
    assert [p.partition(": '")[0] for p in problems] == [
        "s.yaml:9:33: quantity matrix.neutron.agent_down_time[1]"
    ]


def test_overrides_lie_on_top(read):
    scenario, problems = read(
        BASE, "hosts.network.count=7", " horizon = 2d ", "rates=paper", "neutron.agent_down_time="
    )
    assert codes(problems) == ["NN101"]
    system = scenario.variants["base"]
    assert (system.hosts["network"].count, scenario.horizon) == (7, 172_800.0)
    assert (system.rates, system.neutron.agent_down_time) == ("paper", None)


def test_an_override_may_be_any_yaml_and_later_ones_win(read):
    scenario, _ = read(
        BASE,
        "failures={host: none}",
        "workload.per_tenant.routers={public: 2}",
        "seed=1",
        "seed=2",
        "variants={a: {costs.boot: 1s}}",
        "variants={a: null, b: {costs: {boot: 1s}}}",
    )
    assert scenario.seed == 2
    assert scenario.variants["b"].failures["host"].outages == ()
    assert scenario.variants["b"].workload.per_tenant.routers == {"public": 2}


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("x", "-S:1:1: override x: 'x' is not of the form path=value"),
        ("=3", "-S:1:1: override (file): '=3' is not of the form path=value"),
        ("a..b=3", "-S:1:1: override a..b: 'a..b=3' is not of the form path=value"),
        ("neutron.report_intervl=5s",
         "-S:1:1: extra_forbidden neutron.report_intervl: unknown key 'report_intervl'; "
         "did you mean 'report_interval'?"),
        ("sed=5", "-S:1:1: extra_forbidden sed: unknown key 'sed'; did you mean 'seed'?"),
        ("hosts.network.count=0",
         "-S:1:1: greater_than_equal hosts.network.count: '0' is too small: at least 1"),
        ("hosts.more.kind=network", "-S:1:1: missing hosts.more.count: 'count' is missing"),
        ("hosts.network.count=[1",
         "-S:1:3: yaml hosts.network.count: while parsing a flow sequence, "
         "expected ',' or ']', but got '<stream end>'"),
        ("costs.boot=5m",
         "-S:1:1: quantity costs.boot: 'm' is ambiguous: write 'min' for minutes; "
         "allowed: us, ms, s, min, h, d, w, y"),
        ("actions.0.at=3s",
         "-S:1:1: tuple_type actions: a mapping is not a list such as [a, b]"),
        ("seed=1\t2", "-S:1:2: yaml seed: a tab cannot indent or separate; use spaces"),
    ],
)  # fmt: skip
def test_a_bad_override_has_a_line_of_its_own(read, override, line):
    scenario, problems = read(BASE, override)
    assert scenario is None
    assert problems == [line]


def test_bad_overrides_and_a_bad_file_are_told_together(read):
    _, problems = read(BASE + "costs: {boot: 5m}\n", "x", "sed=1")
    assert codes(problems) == ["extra_forbidden", "override", "quantity"]


# -- files named in a scenario ---------------------------------------------------------------


def times(file, column="hours", unit="h"):
    return f"broker: {{delay: {{empirical: {{file: '{file}', column: {column}, unit: {unit}}}}}}}\n"


def test_observed_times_come_from_a_file_beside_the_scenario(read, tmp_path):
    (tmp_path / "repairs.csv").write_text("id,hours\n1,2\n2,0.5\n")
    scenario, problems = read(BASE + times("repairs.csv"))
    assert problems == []
    assert scenario.variants["base"].broker.delay.empirical.values == (7200.0, 1800.0)
    assert dump(scenario)["variants"]["base"]["broker"]["delay"] == {
        "empirical": {"values": ["7200.0s", "1800.0s"]}
    }


@pytest.mark.parametrize(
    ("content", "column_and_unit", "why"),
    [
        (b"hours\n1\n", "days h", "has no column 'days'"),
        (b"hours\n1\nx\n", "hours h", "cannot be read: could not convert string to float: 'x'"),
        (b"hours\n-1\n", "hours h", "column 'hours' must hold times of at least 1us only"),
        (b"hours\ninf\n", "hours h", "column 'hours' must hold times of at least 1us only"),
        (b"hours\n1e300\n", "hours h", "column 'hours' must hold times of at least 1us only"),
        (b"hours\n", "hours h", "column 'hours' must hold times of at least 1us only"),
        (b"\xff\xfe", "hours h", "cannot be read: 'utf-8' codec can't decode"),
        (b"a,hours\n1\n", "hours h", "cannot be read: float() argument must be"),
        (None, "hours h", "cannot be read: No such file or directory"),
        (b"hours\n1\n", "'' h", "'file' needs 'column' and 'unit' (one of us, ms, s, min"),
        (b"hours\n1\n", "hours m", "'file' needs 'column' and 'unit' (one of us, ms, s, min"),
    ],
)
def test_a_bad_file_of_times(read, tmp_path, content, column_and_unit, why):
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
    scenario, (problem,) = read(BASE + times("t.csv", *column_and_unit.split()))
    assert scenario is None
    assert problem.startswith("s.yaml:8:29: ")
    assert "broker.delay.empirical: " in problem
    assert why in problem


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("\\0", "null"),
        ("nowhere/x.csv", "No such file"),
        (".", "Is a directory"),
        ("/dev/zero", "is larger than 10,000,000 bytes"),
    ],
)
def test_a_file_of_times_that_is_none(read, name, why):
    scenario, (problem,) = read(BASE + times("x").replace("'x'", f'"{name}"'))
    assert scenario is None
    assert " csv broker.delay.empirical: " in problem
    assert why in problem


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("4h", Deterministic(14_400.0)),
        ("{deterministic: 4h}", Deterministic(14_400.0)),
        ("{exponential: {mean: 1h}}", Exponential(3600.0)),
        ("{weibull: {shape: 0.5, scale: 1h}}", Weibull(0.5, 3600.0)),
        ("{weibull: {shape: 0.5, mean: 2h}}", Weibull(0.5, 3600.0)),  # mean = 2! * scale
        ("{gamma: {shape: 2, scale: 1h}}", Gamma(2.0, 3600.0)),
        ("{gamma: {shape: 2, mean: 2h}}", Gamma(2.0, 3600.0)),
        ("{lognormal: {sigma: 2, median: 1s}}", Lognormal(0.0, 2.0)),
        ("{lognormal: {sigma: 2, mean: 1s}}", Lognormal(-2.0, 2.0)),  # mu + sigma^2 / 2 = 0
        ("{empirical: {values: [3s, 1s]}}", Empirical((1.0, 3.0))),
        ("{mixture: [{weight: 3, deterministic: 1s}, {weight: 1, exponential: {mean: 2s}}]}",
         Mixture((3.0, 1.0), (Deterministic(1.0), Exponential(2.0)))),
    ],
)  # fmt: skip
def test_every_way_to_write_a_distribution(read, text, one):
    scenario, problems = read(BASE + f"broker: {{delay: {text}}}\n")
    assert problems == []
    assert scenario.variants["base"].broker.delay.build() == one


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("2Mbps", Deterministic(2e6)),
        ("0", Deterministic(0.0)),
        ("{constant: 1MB/s}", Deterministic(8e6)),
        ("{lognormal: {mean: 1bps, sigma: 2}}", Lognormal(-2.0, 2.0)),
    ],
)
def test_every_way_to_write_a_load(read, text, one):
    scenario, _ = read(BASE + f"workload: {{traffic: {{per_router: {text}}}}}\n")
    assert scenario.variants["base"].workload.traffic.per_router.build() == one


slowly = settings(
    deadline=timedelta(seconds=10), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# -- there and back --------------------------------------------------------------------------

NAMES = st.sampled_from(["on", "1e6", "010", "no", "a.b", "n-1", "x_y", "0x1F", "null", "z"])
DURATIONS = st.one_of(
    st.sampled_from(["4s", "1min", "1.5h", "2d", "1y", "250ms", "3us", "1e3s"]),
    st.floats(1e-6, 1e9).map(lambda seconds: f"{seconds!r}s"),
)
RATES = st.sampled_from(["1Gbps", "100MB/s", "1.7e9bps", "10Gbit/s"])
SIGMAS = st.floats(0.01, 10)
SHAPES = st.floats(0.05, 1000)
SIMPLE = st.one_of(
    DURATIONS,
    st.fixed_dictionaries({"exponential": st.fixed_dictionaries({"mean": DURATIONS})}),
    st.fixed_dictionaries({"weibull": st.fixed_dictionaries({"shape": SHAPES, "mean": DURATIONS})}),
    st.fixed_dictionaries(
        {"lognormal": st.fixed_dictionaries({"sigma": SIGMAS, "median": DURATIONS})}
    ),
    st.fixed_dictionaries({"gamma": st.fixed_dictionaries({"shape": SHAPES, "scale": DURATIONS})}),
    st.fixed_dictionaries(
        {"empirical": st.fixed_dictionaries({"values": st.lists(DURATIONS, min_size=1)})}
    ),
)
PART = st.builds(
    lambda weight, one: {
        "weight": weight,
        **(one if isinstance(one, dict) else {"deterministic": one}),
    },
    st.floats(1e-9, 1e9),
    SIMPLE,
)
TIMES = SIMPLE | st.fixed_dictionaries({"mixture": st.lists(PART, min_size=1, max_size=3)})
OUTAGES = st.lists(st.integers(1, 50), unique=True, max_size=3).map(
    lambda days: {"outages": [{"at": f"{day}d", "for": "1h"} for day in days]}
)
FAILURES = st.one_of(
    st.just("none"),
    OUTAGES,
    st.fixed_dictionaries({"time_to_failure": st.just("900h"), "time_to_repair": TIMES}),
)
SYSTEMS = st.fixed_dictionaries(
    {},
    optional={
        "neutron": st.fixed_dictionaries(
            {},
            optional={
                "report_interval": st.sampled_from(["4s", "1min", "1.5h"]),
                "router_auto_schedule": st.booleans(),
            },
        ),
        "broker": st.fixed_dictionaries(
            {}, optional={"delay": TIMES, "loss": st.sampled_from([0, "0.1%", 0.25])}
        ),
        "rates": st.sampled_from(["paper", "dc-2013"]),
        "failures": st.dictionaries(
            st.sampled_from(["host", "nic.data", "agent.l3", "uplink", "network-1/l3"]), FAILURES
        ),
        "costs": st.fixed_dictionaries(
            {}, optional={"boot": DURATIONS, "rebuild_per_router": DURATIONS | st.just("release")}
        ),
        "workload": st.fixed_dictionaries(
            {},
            optional={
                "tenants": st.integers(0, 10),
                "per_tenant": st.fixed_dictionaries(
                    {"routers": st.integers(0, 3) | st.just({"public": 2})}
                ),
                "traffic": st.fixed_dictionaries(
                    {"per_router": RATES | st.just({"lognormal": {"mean": "1Mbps", "sigma": 1}})},
                    optional={
                        "daily": st.just([{"from": 0, "factor": 0.1}, {"from": "8h", "factor": 1}])
                    },
                ),
                "changes": st.just({"ports": {"arrivals": "300/y", "lifetime": "3d"}}),
            },
        ),
        "actions": st.just([{"at": "1h", "op": "agent_stop", "agent": "network-*/l3"}]),
    },
)  # fmt: skip


def save(folder: Path, text: str) -> Path:
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.no_cover
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(NAMES, SYSTEMS, min_size=1, max_size=2), NAMES, st.data())
def test_what_is_dumped_loads_back_as_an_equal_scenario(tmp_path, variants, name, data):
    hosts = {
        "controller": {"kind": "controller", "count": 1},
        "network": {"kind": "network", "count": 2, "nics": {"external": "10Gbps"}},
        name: {"kind": "compute", "count": 1, "forwarding": {"rate": "unlimited"}},
    }
    given = {
        "version": 1,
        "name": name,
        "description": data.draw(st.text(max_size=20).filter(str.isprintable)),
        "seed": data.draw(st.integers(0, 2**64 - 1)),
        "horizon": "90d",
        "release": "grizzly",
        "hosts": hosts,
        "variants": variants,
    }
    first = load_scenario(save(tmp_path, json.dumps(given, ensure_ascii=False)))
    again = load_scenario(save(tmp_path, resolved_yaml(first)))
    assert isinstance(first, Scenario)
    assert again == first
    assert list(again.variants) == list(variants)
    assert json.loads(json.dumps(dump(first))) == dump(first)


def test_a_matrix_and_a_long_name_come_back_too(tmp_path):
    path = tmp_path / ("_über-" + "x" * 80 + ".yaml")
    path.write_text(BASE + "matrix: {neutron: [{}, {report_interval: 3s}], costs.boot: [1s, 2s]}\n")
    first = load_scenario(path)
    assert first.name == "ber-" + "x" * 59
    assert list(first.variants)[-1] == "neutron=#2,boot=2s"
    path.write_text(resolved_yaml(first))
    assert load_scenario(path) == first


# -- whatever comes --------------------------------------------------------------------------

RICH = {
    "version": 1,
    "horizon": "1y",
    "warm_up": "1d",
    "seed": 3,
    "replications": 5,
    "start": "all_up",
    "baseline": "a",
    "release": "grizzly",
    "neutron": {"report_interval": "4s", "agent_down_time": "9s", "router_auto_schedule": True},
    "broker": {"delay": {"exponential": {"mean": "5ms"}}, "loss": "0.1%"},
    "rates": "paper",
    "failures": {
        "host": {
            "time_to_failure": {"weibull": {"shape": 0.7, "mean": "4380h"}},
            "time_to_repair": {
                "mixture": [
                    {"weight": 0.95, "lognormal": {"median": "5min", "sigma": 0.3}},
                    {"weight": 0.05, "gamma": {"shape": 2, "scale": "4h"}},
                ]
            },
        },
        "network-1/l3": {"outages": [{"at": "1d", "for": "1h"}]},
        "uplink": "none",
    },
    "external_networks": {"public": {"uplink": "10Gbps"}, "other": {}},
    "hosts": {
        "controller": {"kind": "controller", "count": 1},
        "network": {"kind": "network", "count": 2, "gateway_external_network_id": "public"},
        "more": {"kind": "network", "count": 1, "gateway_external_network_id": "other"},
    },
    "costs": {"boot": "1min", "rebuild_per_router": "release"},
    "workload": {
        "tenants": 5,
        "per_tenant": {"networks": 2, "routers": {"public": 1, "other": 1}, "vms": 3},
        "traffic": {
            "per_router": {"lognormal": {"mean": "1Mbps", "sigma": 1}},
            "daily": [{"from": 0, "factor": 0.5}, {"from": "8h", "factor": 1}],
        },
        "changes": {"routers": {"arrivals": "2/d", "lifetime": {"empirical": {"values": ["3d"]}}}},
    },
    "actions": [
        {"at": "1h", "op": "remove_router_from_agent", "router": "tenant-1/router-1",
         "agent": "network-1/l3"},
    ],
    "measures": {"downtime_limit_per_year": "1h"},
    "variants": {"a": None, "b": {"neutron": {"agent_down_time": "75s"}, "rates": None}},
}  # fmt: skip


def places(data, path=()):
    """Every path in *data*, inner nodes too."""
    yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from places(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from places(value, (*path, index))


PLACES = [path for path in places(RICH) if path]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**50), 10**50),
    st.integers(-2, 12),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [
            "0s", "-1s", "1e308y", "1e-308s", "5m", "99.95", "100%", "none", "release", "unlimited",
            "grizzly", "folsom", "nova-network", "1us", "300y", "1e15s", "1e-9bps", "*", "[a-z",
            "network-1", "network-99999999", "a/b", "../..", "\ud800", "\x00", "x" * 300, "1" * 300,
            "1000000000", "/dev/null", "explicit", "article", "compute", "controller", "tenants",
        ]
    ),
    st.sampled_from([[], {}, [[]], [{}], {"a": 1}, {"": None}, {"host": "none"}, [None], ["l3"]]),
)  # fmt: skip
CHANGES = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(["set", "drop", "copy", "name"]), ODD,
              st.sampled_from(PLACES)),
    min_size=1,
    max_size=5,
)  # fmt: skip


def at(data, path):
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def changed(changes):
    """RICH with parts replaced, dropped, copied elsewhere, or renamed."""
    data = copy.deepcopy(RICH)
    for path, how, value, other in changes:
        parent = at(data, path[:-1])
        if not isinstance(parent, list | dict) or at(data, path) is None:
            continue
        if how == "set":
            parent[path[-1]] = value
        elif how == "copy":
            parent[path[-1]] = copy.deepcopy(at(RICH, other))
        elif how == "drop":
            del parent[path[-1]]
        elif isinstance(parent, dict):
            parent[str(value)] = parent.pop(path[-1])
    return data


def check(loaded: Loaded) -> None:
    """A scenario or errors, each on one printable line with its place; and it comes back."""
    assert all(isinstance(problem, Problem) for problem in loaded.problems)
    assert list(loaded.problems) == sorted(loaded.problems)
    for problem in loaded.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.code
        assert problem.message
        assert str(problem).encode()
        assert "\n" not in str(problem)
    errors = [problem for problem in loaded.problems if not problem.warning]
    assert (loaded.scenario is None) == bool(errors)


@pytest.mark.no_cover
@settings(slowly, max_examples=250)
@given(CHANGES)
def test_a_scenario_with_random_changes_loads_or_says_why(tmp_path, changes):
    text = json.dumps(changed(changes))  # NaN and Infinity stay plain words, which YAML takes
    loaded = load(save(tmp_path, text))
    check(loaded)
    if loaded.scenario is not None:
        for system in loaded.scenario.variants.values():
            for failures in system.failures.values():
                if failures.time_to_failure is not None:
                    one = failures.time_to_failure.build()
                    ends = [one.sample(2.0**-54), one.sample(1 - 2.0**-53), one.mean]
                    assert all(math.isfinite(x) for x in [*ends, one.residual(0.999, 0.5)])
        assert load(save(tmp_path, resolved_yaml(loaded.scenario))).scenario == loaded.scenario


SCRATCH = st.text("[]{}:,-&*!|>'\"%@#? \n\t0ae\x00ä", max_size=4)


@pytest.mark.no_cover
@settings(slowly, max_examples=150)
@given(st.data())
def test_a_text_with_random_scratches_loads_or_says_why(tmp_path, data):
    text = BAD if data.draw(st.booleans()) else BASE
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        stop = data.draw(st.integers(start, min(start + 12, len(text))))
        text = (
            text[:start]
            + data.draw(st.text("[]{}:,-&*!|>'\"%@#? \n\t0ae\x00ä", max_size=4))
            + text[stop:]
        )
    check(load(save(tmp_path, text)))


@pytest.mark.no_cover
@settings(slowly, max_examples=80)
@given(
    st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_bytes_load_or_say_why(tmp_path, content):
    path = tmp_path / "s.yaml"
    path.write_bytes(content)
    with suppress(InputError):  # not UTF-8
        check(load(path))


@pytest.mark.no_cover
@settings(slowly, max_examples=100)
@given(
    st.text(max_size=30)
    | st.builds(
        lambda path, value: f"{'.'.join(map(str, path))}={value}", st.sampled_from(PLACES), ODD
    )
)
def test_any_override_loads_or_says_why(tmp_path, override):
    check(load(save(tmp_path, BASE), [override]))


def test_the_fuzzed_scenario_is_valid_to_begin_with(read):
    scenario, problems = read(json.dumps(RICH))
    assert scenario is not None, problems
    assert list(scenario.variants) == ["a", "b"]
